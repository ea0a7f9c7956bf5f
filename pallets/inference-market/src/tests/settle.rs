//! `settle`: what happens when a record is sound.

use super::fixtures::*;
use crate::{
	free_from, mock::*, record_bytes, Error, Escrows, Event, Unvested, UnvestedBurn, WeightInfo,
};
use aria_primitives::{
	record::EnergySource,
	ticket::AuditMode,
	traits::{Ledger, Obligations, WorkNote},
	AccountId,
};
use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::{GetDispatchInfo, Pays},
};

const EPOCH: u64 = 5;

fn unvested(who: &AccountId) -> u128 {
	<Market as Obligations>::unvested(who)
}

#[docify::export]
#[test]
fn settle_should_pay_everybody_when_all_stages_signed() {
	with_setup(|| {
		// Given a record of two stages that ran half of the layers each, and a ticket.
		let settlement = Draft::new(2).settlement();
		let id = settlement.id;

		// When anybody submits it, the fee is given back.
		let result = Market::settle(signed(SUBMITTER), Box::new(settlement));
		assert_eq!(result.unwrap().pays_fee, Pays::No);

		// Then the escrow paid for tokens and bytes ...
		let bytes = u128::from(record_bytes(2)) * BYTE_FEE;
		assert_eq!(Escrows::<Test>::get(requester()).held, DEPOSIT - TOKEN_PRICE - bytes);
		// ... every part of the price waits until the record can't be audited any more ...
		assert_eq!(unvested(&worker(0)), TOKEN_PRICE * 60 / 100 / 2);
		assert_eq!(unvested(&worker(1)), TOKEN_PRICE * 60 / 100 / 2);
		assert_eq!(unvested(&gateway()), TOKEN_PRICE * 10 / 100);
		assert_eq!(unvested(&author()), TOKEN_PRICE * 5 / 100);
		assert_eq!(unvested(&AuditPot::get()), TOKEN_PRICE * 5 / 100);
		assert_eq!(unvested(&StoragePot::get()), TOKEN_PRICE * 5 / 100 + bytes);
		assert_eq!(UnvestedBurn::<Test>::get(EPOCH), TOKEN_PRICE * 15 / 100);
		// ... and the record is written down.
		assert_eq!(<Mock as Ledger>::get(&id).unwrap().price, TOKEN_PRICE + bytes);
	});
}

#[test]
fn settle_should_tell_everybody_when_the_record_may_be_audited() {
	with_setup(|| {
		put("reputation", worker(1), 300_000u32);
		let draft = Draft::new(2);
		let settlement = draft.settlement();
		let (id, body) = (settlement.id, settlement.body.clone());
		assert_ok!(settle(settlement));

		let entry = <Mock as Ledger>::get(&id).unwrap();
		assert_eq!(entry.body, body);
		assert_eq!((entry.requester, entry.gateway), (requester(), gateway()));
		assert_eq!((entry.signed_stages, entry.price), (0b11, PRICE));
		assert_eq!((entry.settled_at, entry.epoch, entry.era), (NOW, EPOCH, 4));
		assert!(entry.auditable);
		let note = |index| WorkNote {
			worker: worker(index),
			model: MODEL,
			// 130 new tokens, half of two billion parameters, in thousands.
			work: 130_000_000,
			energy_mj: 5_000,
			energy_source: EnergySource::Rapl,
			burnt: TOKEN_PRICE * 15 / 100 / 2,
			latency_ms_per_token: 3_000 / 130,
		};
		assert_eq!(work_notes(), vec![note(0), note(1)]);
		assert_eq!(audit_notes(), vec![(id, 300_000, true)]);
		assert_eq!(read::<u32>("settled", worker(0)), Some(1));
		assert_eq!(read::<u32>("latency", worker(0)), Some(3_000 / 130));
		assert_eq!(
			market_events(),
			vec![Event::Settled {
				id,
				model_id: MODEL,
				requester: requester(),
				gateway: gateway(),
				price: PRICE,
				output_tokens: 50,
				stages: 2,
				signed_stages: 0b11,
			}]
		);
		let key = Market::spending_key(spending_key()).unwrap();
		assert_eq!((key.spent, key.spent_in_hour), (PRICE, PRICE));
	});
}

#[test]
fn settle_should_leave_a_stage_out_when_it_did_not_sign_in_time() {
	with_setup(|| {
		let settlement = Draft::new(3).anchored(NOW - GRACE - 1).without(&[1]).settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));

		let share = TOKEN_PRICE * 60 / 100 / 3;
		let full = TOKEN_PRICE + u128::from(record_bytes(3)) * BYTE_FEE;
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - full + share);
		assert_eq!(unvested(&worker(0)), share);
		assert_eq!(unvested(&worker(1)), 0);
		assert_eq!(unvested(&worker(2)), share);
		let entry = <Mock as Ledger>::get(&id).unwrap();
		assert_eq!((entry.signed_stages, entry.price), (0b101, full - share));
		let workers: Vec<_> = work_notes().into_iter().map(|note| note.worker).collect();
		assert_eq!(workers, vec![worker(0), worker(2)]);
		assert_eq!(read::<u32>("settled", worker(1)), None);
		// The burn of a stage that did not sign counts for nobody.
		let burnt: u128 = work_notes().iter().map(|note| note.burnt).sum();
		assert_eq!(burnt, UnvestedBurn::<Test>::get(EPOCH) * 2 / 3);
		assert_eq!(Market::spending_key(spending_key()).unwrap().spent, full - share);
	});
}

#[test]
fn settle_should_note_no_work_when_nobody_may_audit() {
	with_setup(|| {
		let mut draft = Draft::new(1);
		draft.ticket.audit_mode = AuditMode::None;
		let settlement = draft.settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));

		assert_eq!(work_notes(), vec![]);
		assert_eq!(audit_notes(), vec![(id, 500_000, false)]);
		assert!(!<Mock as Ledger>::get(&id).unwrap().auditable);
		// Nor does a reputation grow by it.
		assert_eq!(read::<u32>("settled", worker(0)), None);
	});
}

#[test]
fn settle_should_burn_the_authors_part_when_the_author_is_unknown() {
	with_setup(|| {
		put("author", (), None::<AccountId>);
		assert_ok!(settle(Draft::new(1).settlement()));
		assert_eq!(unvested(&author()), 0);
		assert_eq!(UnvestedBurn::<Test>::get(EPOCH), TOKEN_PRICE * 20 / 100);
		assert_eq!(work_notes()[0].burnt, TOKEN_PRICE * 20 / 100);
	});
}

#[test]
fn settle_should_add_up_when_one_account_has_several_parts() {
	with_setup(|| {
		put("author", (), Some(worker(0)));
		assert_ok!(settle(Draft::new(1).settlement()));
		assert_eq!(unvested(&worker(0)), TOKEN_PRICE * 65 / 100);
		assert_eq!(Unvested::<Test>::get(EPOCH, worker(0)), Some(TOKEN_PRICE * 65 / 100));
	});
}

#[test]
fn settle_should_take_nothing_when_everything_is_free() {
	with_setup(|| {
		MockByteFee::set(0);
		put("offer", (MODEL, gateway()), aria_primitives::traits::Offer::default());
		put("stake", worker(0), 0u128);
		assert_ok!(settle(Draft::new(1).settlement()));
		assert_eq!(Market::escrow(requester()).held, DEPOSIT);
		assert_eq!(Unvested::<Test>::iter().count(), 0);
	});
}

#[test]
fn settle_should_cost_the_fee_when_the_price_is_dust() {
	with_setup(|| {
		let pays = |draft: Draft| settle(draft.settlement()).unwrap().pays_fee;
		two_stages_free_from(PRICE);
		assert_eq!(pays(Draft::new(2)), Pays::No);
		two_stages_free_from(PRICE + 1);
		let settlement = Draft::new(2).nonce(2).settlement();
		let id = settlement.id;
		assert_eq!(settle(settlement).unwrap().pays_fee, Pays::Yes);
		// The record is settled all the same.
		assert_eq!(<Mock as Ledger>::get(&id).unwrap().price, PRICE);
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - 2 * PRICE);

		// What counts is what was taken: not the share of a stage that did not sign.
		two_stages_free_from(PRICE);
		let late = Draft::new(2).nonce(3).anchored(NOW - GRACE - 1);
		assert_eq!(pays(late.without(&[0])), Pays::Yes);
		MockFreeFrom::set(0);
		put("offer", (MODEL, gateway()), aria_primitives::traits::Offer::default());
		MockByteFee::set(0);
		assert_eq!(pays(Draft::new(2).nonce(4)), Pays::No);
	});
}

#[test]
fn free_from_should_grow_with_the_stages_of_a_record() {
	let least = |stages| free_from(6_000, stages);
	assert_eq!((least(1), least(2), least(3)), (6_000, 7_000, 8_000));
	assert_eq!((least(7), least(32)), (12_000, 37_000));
	assert_eq!((least(0), free_from(0, 32)), (6_000, 0));
	assert_eq!(free_from(u128::MAX, u32::MAX), u128::MAX);

	with_setup(|| {
		// What is enough for two stages is not for three, whose bytes add less than a sixth.
		two_stages_free_from(PRICE);
		assert_eq!(settle(Draft::new(2).settlement()).unwrap().pays_fee, Pays::No);
		let three = Draft::new(3).nonce(2).settlement();
		assert_eq!(settle(three).unwrap().pays_fee, Pays::Yes);
	});
}

#[test]
fn settle_should_cap_a_stages_share_when_its_stake_answers_for_no_more() {
	with_setup(|| {
		let share = TOKEN_PRICE * 60 / 100 / 2;
		// Answers for two and a half shares.
		put("stake", worker(1), share / u128::from(UNVESTED_FACTOR) * 5 / 2);
		let limit = share / u128::from(UNVESTED_FACTOR) * 5 / 2 * u128::from(UNVESTED_FACTOR);
		assert_ok!(settle(Draft::new(2).settlement()));
		assert_ok!(settle(Draft::new(2).nonce(2).settlement()));
		let held = Market::escrow(requester()).held;

		// The third record pays what there is room for, and everybody else in full.
		let settlement = Draft::new(2).nonce(3).settlement();
		let id = settlement.id;
		assert_ok!(settle(settlement));
		assert_eq!(unvested(&worker(1)), limit);
		assert_eq!(unvested(&worker(0)), 3 * share);
		assert_eq!(unvested(&gateway()), 3 * (TOKEN_PRICE * 10 / 100));
		let left = 3 * share - limit;
		assert!(left > 0 && left < share);
		assert_eq!(Market::escrow(requester()).held, held - PRICE + left);
		let entry = <Mock as Ledger>::get(&id).unwrap();
		assert_eq!((entry.signed_stages, entry.price), (0b11, PRICE - left));
		assert_eq!(Market::spending_key(spending_key()).unwrap().spent, 3 * PRICE - left);
		// It signed, so its work counts, and what is burnt on it is burnt in full.
		assert_eq!(work_notes().len(), 6);
		assert_eq!(UnvestedBurn::<Test>::get(EPOCH), 3 * (TOKEN_PRICE * 15 / 100));

		// From then on it gets nothing, and holds nobody up.
		assert_ok!(settle(Draft::new(2).nonce(4).settlement()));
		assert_eq!(unvested(&worker(1)), limit);
		assert_eq!(unvested(&worker(0)), 4 * share);
		// A stake that shrank below what is unvested takes nothing away.
		put("stake", worker(1), 0u128);
		assert_ok!(settle(Draft::new(2).nonce(5).settlement()));
		assert_eq!(unvested(&worker(1)), limit);
	});
}

#[test]
fn settle_should_cost_the_fee_when_a_capped_share_makes_dust_of_the_price() {
	with_setup(|| {
		two_stages_free_from(PRICE);
		put("stake", worker(1), 0u128);
		assert_eq!(settle(Draft::new(2).settlement()).unwrap().pays_fee, Pays::Yes);
	});
}

#[test]
fn settle_should_be_open_to_anybody_signed_when_the_record_is_sound() {
	with_setup(|| {
		let settlement = Draft::new(1).settlement();
		assert_state_unchanged(
			|| Market::settle(RuntimeOrigin::root(), Box::new(settlement.clone())),
			sp_runtime::DispatchError::BadOrigin,
		);
		assert_ok!(Market::settle(signed(STRANGER), Box::new(settlement)));
	});
}

#[test]
fn settle_should_change_nothing_when_ledger_or_draw_refuse() {
	with_setup(|| {
		let settlement = Draft::new(2).settlement();
		put("ledger-full", (), true);
		refuse(settlement.clone(), LEDGER_FULL);
		forget("ledger-full", ());
		put("audit-full", (), true);
		refuse(settlement.clone(), AUDIT_FULL);
		forget("audit-full", ());
		put("audit-busy", (), true);
		refuse(settlement.clone(), AUDIT_BUSY);
		forget("audit-busy", ());
		assert_ok!(settle(settlement));
	});
}

#[test]
fn settle_should_fail_when_the_split_is_not_whole() {
	with_setup(|| {
		MockSplit::set(crate::PriceSplit { burn: SPLIT.burn + 1, ..SPLIT });
		refuse(Draft::new(1).settlement(), Error::<Test>::SplitInvalid);
	});
}

#[test]
fn settle_should_weigh_by_its_stages_when_dispatched() {
	let weight = |stages: u8| {
		let settlement = Box::new(Draft::new(stages).settlement());
		crate::Call::<Test>::settle { settlement }.get_dispatch_info().call_weight
	};
	new_test_ext().execute_with(|| {
		assert_eq!(weight(2), <() as WeightInfo>::settle(2));
		assert_eq!(weight(7), <() as WeightInfo>::settle(7));
	});
}

#[test]
fn record_bytes_should_be_the_encoded_size_for_any_number_of_stages() {
	for stages in 1..=24 {
		let body = Draft::new(stages).finished_body();
		assert_eq!(body.encoded_size(), record_bytes(stages.into()) as usize);
	}
}
