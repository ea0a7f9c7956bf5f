//! The supply: what genesis gave, what was minted, what was burnt.

use aria_math::Balance;
use thiserror::Error;

/// What cannot happen to a supply.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LedgerError {
	/// More would be burnt than there is.
	#[error("{burnt} planck would be burnt of a supply of {supply}")]
	BurnsTooMuch {
		/// What was to be burnt.
		burnt: Balance,
		/// What there is.
		supply: Balance,
	},
	/// The supply would not fit 128 bits.
	#[error("the supply would exceed 128 bits")]
	Overflow,
}

/// The supply of an ARIA chain, in planck. Nothing enters or leaves it but by [`Ledger::mint`] and
/// [`Ledger::burn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
	genesis: Balance,
	minted: Balance,
	burnt: Balance,
	supply: Balance,
}

impl Ledger {
	/// The supply at genesis.
	pub fn new(genesis: Balance) -> Self {
		Self { genesis, minted: 0, burnt: 0, supply: genesis }
	}

	/// Adds to the supply.
	pub fn mint(&mut self, amount: Balance) -> Result<(), LedgerError> {
		let supply = self.supply.checked_add(amount).ok_or(LedgerError::Overflow)?;
		let minted = self.minted.checked_add(amount).ok_or(LedgerError::Overflow)?;
		(self.supply, self.minted) = (supply, minted);
		Ok(())
	}

	/// Takes from the supply.
	pub fn burn(&mut self, amount: Balance) -> Result<(), LedgerError> {
		let too_much = LedgerError::BurnsTooMuch { burnt: amount, supply: self.supply };
		let supply = self.supply.checked_sub(amount).ok_or(too_much)?;
		let burnt = self.burnt.checked_add(amount).ok_or(LedgerError::Overflow)?;
		(self.supply, self.burnt) = (supply, burnt);
		Ok(())
	}

	/// What genesis gave.
	pub fn genesis(&self) -> Balance {
		self.genesis
	}

	/// All that was minted.
	pub fn minted(&self) -> Balance {
		self.minted
	}

	/// All that was burnt.
	pub fn burnt(&self) -> Balance {
		self.burnt
	}

	/// What there is now.
	pub fn supply(&self) -> Balance {
		self.supply
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_supply_should_be_genesis_and_what_was_minted_less_what_was_burnt() {
		let mut ledger = Ledger::new(100);
		ledger.mint(30).unwrap();
		ledger.burn(50).unwrap();
		assert_eq!(ledger.supply(), 80);
		assert_eq!(ledger.genesis() + ledger.minted() - ledger.burnt(), ledger.supply());
	}

	#[test]
	fn a_supply_should_refuse_what_it_has_not_and_stay_as_it_was() {
		let mut ledger = Ledger::new(100);
		let before = ledger;
		let refused = LedgerError::BurnsTooMuch { burnt: 101, supply: 100 };
		assert_eq!(ledger.burn(101), Err(refused));
		assert_eq!(ledger.mint(Balance::MAX), Err(LedgerError::Overflow));
		assert_eq!(ledger, before);
	}
}
