//! The price at which as many answers are asked for as workers have time for.
//!
//! Gateways compete, so that the price is the lowest at which enough contributors are willing: the
//! energy of the last one that is needed, with a margin. Bounds of the chain may lie above it.

use crate::real;

/// What the machines of one group ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
	/// The price of an answer from which on its contributors are willing, in EUR.
	pub price: f64,
	/// Answers that they and all with a lower price have time for.
	pub up_to: f64,
}

/// How many answers are asked for at which price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
	/// At the reference price.
	pub at_reference: f64,
	/// The reference price of an answer, in EUR.
	pub reference: f64,
	/// By how many percent less is asked for where the price is one percent higher; above zero.
	pub elasticity: f64,
	/// How many times `at_reference` is asked for at most.
	pub limit: f64,
}

impl Demand {
	/// Answers that are asked for at a price, in EUR.
	pub fn at(&self, price: f64) -> f64 {
		if price <= 0.0 {
			return self.at_reference * self.limit;
		}
		let factor = real::pow(self.reference / price, self.elasticity);
		self.at_reference * factor.min(self.limit)
	}

	/// The lowest price at which no more than `quantity` is asked for, in EUR.
	pub fn price_for(&self, quantity: f64) -> f64 {
		if quantity <= 0.0 || self.at_reference <= 0.0 {
			return f64::INFINITY;
		}
		let factor = self.at_reference / quantity;
		if factor * self.limit <= 1.0 {
			return 0.0;
		}
		self.reference * real::pow(factor, 1.0 / self.elasticity)
	}
}

/// What the chain adds to supply and demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
	/// The price from which on a settlement is free, in EUR: gateways ask no less.
	pub floor: f64,
	/// The highest price that an offer may have, in EUR.
	pub ceiling: f64,
	/// Records that can be settled.
	pub records: f64,
}

/// What decided a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
	/// The energy of the last contributor that was needed.
	Energy,
	/// All contributors were at work, and more was asked for.
	Contributors,
	/// The price from which on a settlement is free.
	Floor,
	/// The records that the chain can settle.
	Records,
	/// The highest price of a token.
	Ceiling,
}

impl Reason {
	/// All of them, in the order of [`Reason::index`].
	pub const ALL: [Self; 5] =
		[Self::Energy, Self::Contributors, Self::Floor, Self::Records, Self::Ceiling];

	/// Its place among all.
	pub fn index(self) -> usize {
		match self {
			Self::Energy => 0,
			Self::Contributors => 1,
			Self::Floor => 2,
			Self::Records => 3,
			Self::Ceiling => 4,
		}
	}

	/// Its name in tables.
	pub fn name(self) -> &'static str {
		match self {
			Self::Energy => "energy",
			Self::Contributors => "contributors",
			Self::Floor => "free settlement",
			Self::Records => "records of an epoch",
			Self::Ceiling => "highest token price",
		}
	}
}

/// A cleared market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clearing {
	/// The price of an answer, in EUR.
	pub price: f64,
	/// Answers.
	pub quantity: f64,
	/// How many of the asks are willing at that price: the first ones.
	pub willing: usize,
	/// What decided it.
	pub reason: Reason,
}

/// Clears a market of asks in the order of their prices.
pub fn clear(asks: &[Ask], demand: &Demand, bounds: &Bounds) -> Clearing {
	// Along the asks supply grows and demand falls: the first that suffices is the last one needed.
	let needed = asks.partition_point(|ask| ask.up_to < demand.at(ask.price));
	let supplied = |count: usize| {
		count.checked_sub(1).and_then(|last| asks.get(last)).map_or(0.0, |ask| ask.up_to)
	};
	let reached = needed.checked_sub(1).and_then(|last| asks.get(last));
	// Between two asks the price may rise without anybody more being willing.
	let between = demand.price_for(supplied(needed)).max(reached.map_or(0.0, |ask| ask.price));
	let (mut price, mut reason) = match asks.get(needed) {
		Some(ask) => (ask.price.min(between), Reason::Energy),
		None => (between, Reason::Contributors),
	};
	if price < bounds.floor {
		(price, reason) = (bounds.floor, Reason::Floor);
	}
	if demand.at(price) > bounds.records {
		(price, reason) = (demand.price_for(bounds.records), Reason::Records);
	}
	if price > bounds.ceiling {
		(price, reason) = (bounds.ceiling, Reason::Ceiling);
	}
	let willing = asks.partition_point(|ask| ask.price <= price);
	let quantity = demand.at(price).min(supplied(willing)).min(bounds.records);
	Clearing { price, quantity, willing, reason }
}

#[cfg(test)]
mod tests {
	use super::*;

	const DEMAND: Demand =
		Demand { at_reference: 100.0, reference: 1.0, elasticity: 1.0, limit: 4.0 };
	const FREE: Bounds = Bounds { floor: 0.0, ceiling: 1e9, records: 1e9 };

	fn asks(of: &[(f64, f64)]) -> Vec<Ask> {
		of.iter().map(|(price, up_to)| Ask { price: *price, up_to: *up_to }).collect()
	}

	#[test]
	fn the_price_should_be_that_of_the_last_who_is_needed() {
		let asks = asks(&[(0.5, 50.0), (1.0, 120.0), (2.0, 900.0)]);
		let cleared = clear(&asks, &DEMAND, &FREE);
		assert_eq!((cleared.price, cleared.reason), (1.0, Reason::Energy));
		assert!((cleared.quantity - 100.0).abs() < 1e-9);
		assert_eq!(cleared.willing, 2);
	}

	#[test]
	fn the_price_should_rise_between_two_asks_until_demand_fits() {
		let asks = asks(&[(0.5, 80.0), (2.0, 900.0)]);
		let cleared = clear(&asks, &DEMAND, &FREE);
		assert!((cleared.price - 1.25).abs() < 1e-9);
		assert!((cleared.quantity - 80.0).abs() < 1e-6);
		assert_eq!(cleared.willing, 1);
	}

	#[test]
	fn the_price_should_rise_until_demand_fits_all_contributors() {
		let cleared = clear(&asks(&[(0.5, 10.0)]), &DEMAND, &FREE);
		assert_eq!(cleared.reason, Reason::Contributors);
		assert!((cleared.price - 10.0).abs() < 1e-9);
	}

	#[test]
	fn bounds_of_the_chain_should_hold() {
		let asks = asks(&[(0.5, 1_000.0), (3.0, 2_000.0)]);
		let floor = clear(&asks, &DEMAND, &Bounds { floor: 4.0, ..FREE });
		assert_eq!((floor.price, floor.reason, floor.willing), (4.0, Reason::Floor, 2));
		let records = clear(&asks, &DEMAND, &Bounds { records: 20.0, ..FREE });
		assert_eq!(records.reason, Reason::Records);
		assert!((records.price - 5.0).abs() < 1e-9 && records.quantity <= 20.0);
		let ceiling = clear(&asks, &DEMAND, &Bounds { ceiling: 0.4, ..FREE });
		assert_eq!((ceiling.price, ceiling.quantity), (0.4, 0.0));
		assert_eq!(ceiling.reason, Reason::Ceiling);
	}

	#[test]
	fn a_market_without_asks_should_sell_nothing() {
		let cleared = clear(&[], &DEMAND, &FREE);
		assert_eq!((cleared.quantity, cleared.willing), (0.0, 0));
	}
}
