//! Prices, and how one is divided (`docs/protocol/economics.md`).

use crate::{
	pallet::*,
	settle::has_stage,
	types::{Payer, Terms},
};
use alloc::{vec, vec::Vec};
use aria_math::split::{split_exact, split_proportional};
use aria_primitives::{
	price::{free_from, price, Price},
	record::RecordBody,
	ticket::{AuditMode, SignedTicket},
	traits::{AuditDraw, Models, Offer, Workers},
	AccountId, Balance, EpochIndex, RecordId,
};
use frame_support::{dispatch::Pays, ensure, traits::Get};
use sp_core::H256;
use sp_runtime::{traits::Zero, DispatchError, SaturatedConversion};

/// A price in the parts that are paid, in planck.
pub(crate) struct Shares {
	/// Each stage's part; 0 for one that did not sign, and no more than its stake answers for.
	pub stages: Vec<Balance>,
	/// What of `burn` counts as each stage's, by its layers.
	pub burnt: Vec<Balance>,
	/// The gateway's part.
	pub gateway: Balance,
	/// The part of the block's author, if there is one.
	pub author: Option<(AccountId, Balance)>,
	/// The part for audits.
	pub audit: Balance,
	/// The part for storage, the fee for bytes included.
	pub storage: Balance,
	/// What is burnt.
	pub burn: Balance,
	/// All of it: the price without what stages that did not sign, or have too much unvested, don't
	/// get.
	pub taken: Balance,
}

/// The hash of the set of verifiers that an audit mode names.
pub(crate) fn named(mode: &AuditMode) -> Option<H256> {
	match mode {
		AuditMode::Named(set) => Some(*set),
		AuditMode::Any | AuditMode::None => None,
	}
}

impl<T: Config> Pallet<T> {
	/// What an answer costs by an offer.
	pub(crate) fn price(
		offer: &Offer,
		prompt: u32,
		cached: u32,
		output: u32,
		stages: u32,
	) -> Price {
		price(offer, prompt, cached, output, stages, T::ByteFee::get())
	}

	/// What a record costs by an offer.
	pub(crate) fn record_price(offer: &Offer, body: &RecordBody) -> Price {
		let stages = body.stages.len().saturated_into();
		Self::price(offer, body.prompt_tokens, body.cached_tokens, body.output_tokens, stages)
	}

	/// Least price at which a record's settlement is free, in planck.
	pub(crate) fn least_price(body: &RecordBody) -> Balance {
		free_from(T::FreeFrom::get(), body.stages.len().saturated_into())
	}

	/// Whether who settled pays the fee: `taken` is what was taken, `least` what it has to be, in
	/// planck. Dust does not buy a place in the state.
	pub(crate) fn fee_of(taken: Balance, least: Balance) -> Pays {
		if taken >= least {
			Pays::No
		} else {
			Pays::Yes
		}
	}

	/// On what terms a ticket pays for a record.
	pub(crate) fn ticket_terms(
		genesis: &H256,
		body: &RecordBody,
		signed: &SignedTicket,
	) -> Result<Terms, DispatchError> {
		let info = Self::authorise_ticket(genesis, body, signed)?;
		let ticket = &signed.ticket;
		let offer = T::Models::offer(&body.model_id, &info.gateway)?;
		let price = Self::record_price(&offer, body);
		ensure!(price.total() <= ticket.max_price, Error::<T>::PriceAboveTicket);
		Ok(Terms {
			requester: info.requester.clone(),
			gateway: info.gateway.clone(),
			offer,
			price,
			auditable: ticket.audit_mode != AuditMode::None,
			named: named(&ticket.audit_mode),
			payer: Payer::Key(ticket.key.clone(), info),
		})
	}

	/// Divides a price. `layers` are the stages', `signed` says which of them signed.
	pub(crate) fn divide(
		price: &Price,
		layers: &[u64],
		signed: u32,
	) -> Result<Shares, DispatchError> {
		let [all_stages, gateway, author, audit, storage, mut burn] =
			split_exact(price.tokens, &T::Split::get().weights())
				.ok_or(Error::<T>::SplitInvalid)?;
		let author = match T::Author::get() {
			Some(account) => Some((account, author)),
			None => {
				burn = burn.saturating_add(author);
				None
			}
		};
		let mut burnt = vec![0; layers.len()];
		split_proportional(burn, layers, &mut burnt);
		let mut stages = vec![0; layers.len()];
		split_proportional(all_stages, layers, &mut stages);
		let mut taken = price.total();
		for (index, share) in stages.iter_mut().enumerate() {
			if !has_stage(signed, index) {
				taken = taken.saturating_sub(*share);
				*share = 0;
			}
		}
		Ok(Shares {
			stages,
			burnt,
			gateway,
			author,
			audit,
			storage: storage.saturating_add(price.bytes),
			burn,
			taken,
		})
	}

	/// Debits who pays, moves the price into the pot, and lets every part vest.
	pub(crate) fn collect(
		id: &RecordId,
		body: &RecordBody,
		terms: Terms,
		signed: u32,
		epoch: EpochIndex,
	) -> Result<Shares, DispatchError> {
		let layers: Vec<u64> = body.stages.iter().map(|s| u64::from(s.layers.len())).collect();
		let price = Self::answered_price(id, body, &terms, signed, epoch);
		let mut shares = Self::divide(&price, &layers, signed)?;
		Self::cap_stages(body, &mut shares);
		match terms.payer {
			Payer::Key(key, mut info) => {
				Self::charge_key(&mut info, shares.taken)?;
				Keys::<T>::insert(key, *info);
			}
			Payer::Request(id, request) => Self::close_request(id, &request),
		}
		Self::take(&terms.requester, shares.taken)?;

		for (stage, share) in body.stages.iter().zip(shares.stages.iter()) {
			Self::vest(epoch, &stage.node, *share);
		}
		Self::vest(epoch, &terms.gateway, shares.gateway);
		if let Some((author, share)) = &shares.author {
			Self::vest(epoch, author, *share);
		}
		Self::vest(epoch, &T::AuditPot::get(), shares.audit);
		Self::vest(epoch, &T::StoragePot::get(), shares.storage);
		if !shares.burn.is_zero() {
			UnvestedBurn::<T>::mutate(epoch, |burn| *burn = burn.saturating_add(shares.burn));
		}
		Ok(shares)
	}

	/// The price as far as the stakes of stages and gateway answer for it, should one of them be false or
	/// silent: what exceeds it stays with the requester. Counts what records of several stages cost for
	/// each of their workers, and all of them for their gateway.
	fn answered_price(
		id: &RecordId,
		body: &RecordBody,
		terms: &Terms,
		signed: u32,
		epoch: EpochIndex,
	) -> Price {
		let Price { tokens, bytes } = terms.price;
		if !terms.auditable {
			// Nobody may check it, and nobody is slashed for it.
			return terms.price;
		}
		let stages = || {
			let signers = body.stages.iter().enumerate();
			signers
				.filter(move |(index, _)| has_stage(signed, *index))
				.map(|(_, stage)| &stage.node)
		};
		let limit = stages()
			.map(|node| T::Audit::price_limit(T::Workers::stake(node)))
			.fold(Balance::MAX, Balance::min);
		let is_shared = body.stages.len() > 1;
		let mut most = tokens.min(limit).min(Self::answered_room(&terms.gateway));
		if is_shared {
			for node in stages() {
				let limit = T::Audit::shared_limit(T::Workers::stake(node));
				most = most.min(limit.saturating_sub(SharedTotal::<T>::get(node)));
			}
		}
		if is_shared && !most.is_zero() {
			for node in stages() {
				if T::Audit::shared_limit(T::Workers::stake(node)) < Balance::MAX {
					Shared::<T>::mutate(epoch, node, |entry| {
						*entry = Some(entry.unwrap_or(0).saturating_add(most));
					});
					SharedTotal::<T>::mutate(node, |total| *total = total.saturating_add(most));
				}
			}
		}
		Self::note_answered(epoch, &terms.gateway, most);
		if most < tokens {
			Self::deposit_event(Event::PriceLimited { id: *id, tokens: most });
		}
		Price { tokens: most, bytes }
	}

	/// What all auditable records of a gateway may cost together that are not vested, in planck.
	fn answered_limit(gateway: &AccountId) -> Balance {
		T::Audit::shared_limit(Gateways::<T>::get(gateway).map_or(0, |info| info.stake))
	}

	/// What a gateway's stake answers for on top of its records that are not vested, in planck. Nothing
	/// where more was settled before an audit took stake.
	fn answered_room(gateway: &AccountId) -> Balance {
		Self::answered_limit(gateway).saturating_sub(AnsweredTotal::<T>::get(gateway))
	}

	/// Counts what an auditable record cost for its gateway, where that is bounded.
	fn note_answered(epoch: EpochIndex, gateway: &AccountId, price: Balance) {
		if price.is_zero() || Self::answered_limit(gateway) == Balance::MAX {
			return;
		}
		Answered::<T>::mutate(epoch, gateway, |entry| {
			*entry = Some(entry.unwrap_or(0).saturating_add(price));
		});
		AnsweredTotal::<T>::mutate(gateway, |total| *total = total.saturating_add(price));
	}

	/// Leaves with the requester what stages would get beyond what their stakes answer for. The
	/// record settles all the same: nobody's full purse holds up the pay of the others.
	fn cap_stages(body: &RecordBody, shares: &mut Shares) {
		for (stage, share) in body.stages.iter().zip(shares.stages.iter_mut()) {
			if share.is_zero() {
				continue;
			}
			let paid = Self::unvested_room(&stage.node).min(*share);
			shares.taken = shares.taken.saturating_sub(share.saturating_sub(paid));
			*share = paid;
		}
	}

	/// What the worker's stake answers for on top of what is unvested, in planck.
	fn unvested_room(worker: &AccountId) -> Balance {
		let factor = Balance::from(T::UnvestedFactor::get());
		let most = T::Workers::stake(worker).saturating_mul(factor);
		most.saturating_sub(UnvestedTotal::<T>::get(worker))
	}

	/// Adds to what `payee` is paid when the bucket of `epoch` closes.
	pub(crate) fn vest(epoch: EpochIndex, payee: &AccountId, amount: Balance) {
		if amount.is_zero() {
			return;
		}
		Unvested::<T>::mutate(epoch, payee, |entry| {
			*entry = Some(entry.unwrap_or(0).saturating_add(amount));
		});
		UnvestedTotal::<T>::mutate(payee, |total| *total = total.saturating_add(amount));
	}
}
