//! Why a worker gets no part in an answer. The words are for its owner, who asks why nothing came.

use super::hours::clock;
use aria_network::wire::advert::MAX_ADVERT_LIFE;
use aria_primitives::{record::LayerRange, AccountId, Balance, Moment, ARIA};
use std::{fmt, time::Duration};

/// Why a worker is no stage and no standby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
	/// The chain does not know it as a worker.
	NotRegistered,
	/// It takes no new work because it is leaving.
	Draining,
	/// It said that it rests, or missed a challenge.
	Resting,
	/// Its stake is below the minimum.
	StakeTooLow {
		/// What it has, in planck.
		stake: Balance,
	},
	/// It has no consent on chain, or withdrew it.
	NoConsent,
	/// Its consent does not have text generation among its kinds of task.
	TaskNotAllowed,
	/// Its schedule is shut, or shuts too soon.
	OutsideHours {
		/// When it opens.
		opens: Option<Moment>,
		/// Its local time.
		utc_offset_minutes: i16,
	},
	/// The price is below what its consent asks.
	PriceTooLow {
		/// What is paid for a token, in planck.
		offered: Balance,
		/// What it asks.
		minimum: Balance,
	},
	/// It was not heard of for long.
	AdvertTooOld {
		/// Since when.
		age: Duration,
	},
	/// The client demanded another country.
	Region {
		/// Which.
		wanted: u16,
		/// Where it says it is; 0 is unknown.
		is: u16,
	},
	/// It has no layer of this model in memory.
	LayersNotServed,
	/// It has no room for another session.
	Busy,
	/// Its stake does not answer for an answer of several stages at this price.
	NoRoom {
		/// What it answers for, in planck, beside what is under way and not vested.
		room: Balance,
		/// What the answer's tokens may cost, in planck.
		price: Balance,
	},
	/// The client demanded workers with the whole model.
	WholeModelDemanded,
	/// The client named who runs the first stage.
	FirstDemanded {
		/// Whom.
		by: AccountId,
	},
	/// The client named who runs the last stage.
	LastDemanded {
		/// Whom.
		by: AccountId,
	},
	/// One worker had the whole model, so nobody with a part was needed.
	LayersNotNeeded {
		/// Which.
		by: AccountId,
	},
	/// Others were better.
	PassedOver {
		/// Who runs its layers.
		by: AccountId,
	},
	/// It would have done, but nobody may run these layers.
	Incomplete {
		/// The first of them.
		missing: LayerRange,
	},
}

impl Reason {
	/// A word for machines: a label of a metric, a field in JSON.
	pub fn code(&self) -> &'static str {
		match self {
			Reason::NotRegistered => "not_registered",
			Reason::Draining => "draining",
			Reason::Resting => "resting",
			Reason::StakeTooLow { .. } => "stake_too_low",
			Reason::NoConsent => "no_consent",
			Reason::TaskNotAllowed => "task_not_allowed",
			Reason::OutsideHours { .. } => "outside_hours",
			Reason::PriceTooLow { .. } => "price_too_low",
			Reason::AdvertTooOld { .. } => "advert_too_old",
			Reason::Region { .. } => "region",
			Reason::LayersNotServed => "layers_not_served",
			Reason::Busy => "busy",
			Reason::NoRoom { .. } => "no_room",
			Reason::WholeModelDemanded => "whole_model_demanded",
			Reason::FirstDemanded { .. } => "first_demanded",
			Reason::LastDemanded { .. } => "last_demanded",
			Reason::LayersNotNeeded { .. } => "layers_not_needed",
			Reason::PassedOver { .. } => "passed_over",
			Reason::Incomplete { .. } => "incomplete",
		}
	}
}

impl fmt::Display for Reason {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Reason::NotRegistered => {
				write!(
					f,
					"it is not registered on chain: start it with `aria-worker run`, which does it"
				)
			}
			Reason::Draining => {
				write!(f, "it is draining and takes no new work: activate it again to stay")
			}
			Reason::Resting => write!(
				f,
				"it rests on chain: start it, or wake its machine, and it says that it is back"
			),
			Reason::StakeTooLow { stake } => {
				write!(f, "its stake of {} ARIA is below the minimum: add stake", aria(*stake))
			}
			Reason::NoConsent => write!(f, "it has no consent in force on chain: set one"),
			Reason::TaskNotAllowed => write!(
				f,
				"its consent does not allow text generation: add text_generation to its task types"
			),
			Reason::OutsideHours { opens: Some(opens), utc_offset_minutes } => {
				write!(f, "outside its hours: it opens {}", clock(*opens, *utc_offset_minutes))
			}
			Reason::OutsideHours { opens: None, .. } => {
				write!(
					f,
					"its schedule never opens: give its consent a day and a window of minutes"
				)
			}
			Reason::PriceTooLow { offered, minimum } => write!(
				f,
				"the price of {} ARIA a token is below its minimum of {}: lower the minimum in its \
				 consent to take such work",
				aria(*offered),
				aria(*minimum)
			),
			Reason::AdvertTooOld { age } => write!(
				f,
				"its last advert is {} s old, and {} s is the most: check that it runs and reaches the \
				 network",
				age.as_secs(),
				MAX_ADVERT_LIFE / 1_000
			),
			Reason::Region { wanted, is: 0 } => write!(
				f,
				"the client demanded country {wanted}, and it does not say where it is: set its region"
			),
			Reason::Region { wanted, is } => {
				write!(f, "the client demanded country {wanted}, and it is in {is}")
			}
			Reason::LayersNotServed => {
				write!(f, "it has no layer of this model in memory: let it fetch a shard")
			}
			Reason::Busy => {
				write!(f, "it is busy: as many sessions run as its memory limit leaves room for")
			}
			Reason::NoRoom { room, price } => write!(
				f,
				"its stake answers for {} ARIA more in answers of several stages until earlier ones have \
				 vested, and this one may cost {}: add stake with WorkerRegistry.bond_more, or serve the \
				 whole model",
				aria(*room),
				aria(*price)
			),
			Reason::WholeModelDemanded => write!(
				f,
				"the client demanded workers with the whole model, and it has a part: raise its memory \
				 limit to hold all layers"
			),
			Reason::FirstDemanded { by } => {
				write!(f, "the client demanded that {by} runs the first stage")
			}
			Reason::LastDemanded { by } => {
				write!(f, "the client demanded that {by} runs the last stage")
			}
			Reason::LayersNotNeeded { by } => {
				write!(f, "its layers are not needed: {by} has the whole model and answers alone")
			}
			Reason::PassedOver { by } => write!(
				f,
				"passed over for a better one, {by}: reputation, load, round trip, bandwidth and recent \
				 failures count"
			),
			Reason::Incomplete { missing: LayerRange { first, end } } => {
				write!(f, "it would do, but nobody may run layers {first}..{end} now")
			}
		}
	}
}

/// Planck as ARIA, without zeros behind.
pub(super) fn aria(planck: Balance) -> String {
	let (whole, rest) = (planck / ARIA, planck % ARIA);
	if rest == 0 {
		return whole.to_string();
	}
	let decimals = format!("{rest:012}");
	format!("{whole}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_should_be_written_without_zeros() {
		assert_eq!(aria(0), "0");
		assert_eq!(aria(ARIA), "1");
		assert_eq!(aria(ARIA / 2), "0.5");
		assert_eq!(aria(3 * ARIA + 1), "3.000000000001");
	}

	#[test]
	fn reasons_should_tell_what_to_do() {
		let reason = Reason::StakeTooLow { stake: ARIA / 4 };
		assert_eq!(reason.to_string(), "its stake of 0.25 ARIA is below the minimum: add stake");
		let reason = Reason::NoRoom { room: ARIA / 5, price: ARIA / 2 }.to_string();
		assert!(reason.contains("0.2 ARIA more") && reason.contains("may cost 0.5"), "{reason}");
		assert!(reason.contains("bond_more"), "{reason}");
		let reason = Reason::OutsideHours {
			// The first of January 1970 was a Thursday.
			opens: Some(22 * 3_600_000),
			utc_offset_minutes: 0,
		};
		assert_eq!(reason.to_string(), "outside its hours: it opens Thursday 22:00 (UTC+00:00)");
	}
}
