//! Money is neither made nor lost, whatever is settled.

use super::fixtures::*;
use crate::{mock::*, Event, NextBucket, PriceSplit, Unclaimed, Unvested, UnvestedBurn};
use aria_primitives::{traits::Offer, AccountId, Balance, ARIA};
use frame_support::assert_ok;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Case {
	stages: u8,
	unsigned: u32,
	tokens: (u32, u32, u32),
	offer: Offer,
	epochs_later: u64,
	author: bool,
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
	let offer = (0u128..100_000_000, 0u128..100_000_000, 0u128..100_000_000).prop_map(
		|(prompt_price, cached_price, output_price)| Offer {
			prompt_price,
			cached_price,
			output_price,
		},
	);
	let case = (
		1u8..=8,
		any::<u32>(),
		(1u32..1_000, 0u32..1_000, 1u32..1_000),
		offer,
		0u64..3,
		any::<bool>(),
	)
		.prop_map(|(stages, unsigned, tokens, offer, epochs_later, author)| Case {
			stages,
			unsigned,
			tokens,
			offer,
			epochs_later,
			author,
		});
	proptest::collection::vec(case, 1..6)
}

/// Six parts that add up to the whole.
fn splits() -> impl Strategy<Value = PriceSplit> {
	proptest::array::uniform5(0u32..=1_000_000).prop_map(|mut cuts| {
		cuts.sort();
		PriceSplit {
			stages: cuts[0],
			gateway: cuts[1] - cuts[0],
			author: cuts[2] - cuts[1],
			audit: cuts[3] - cuts[2],
			storage: cuts[4] - cuts[3],
			burn: 1_000_000 - cuts[4],
		}
	})
}

/// Everything on every account.
fn everything() -> Balance {
	frame_system::Account::<Test>::iter().map(|(_, info)| info.data.free + info.data.reserved).sum()
}

fn owed() -> Balance {
	let unvested: Balance = Unvested::<Test>::iter().map(|(_, _, amount)| amount).sum();
	let burn: Balance = UnvestedBurn::<Test>::iter_values().sum();
	let unclaimed: Balance = Unclaimed::<Test>::iter_values().sum();
	unvested + burn + unclaimed
}

fn settle_case(nonce: u64, case: &Case) {
	let mut draft = Draft::new(case.stages).nonce(nonce).anchored(NOW - GRACE - 1);
	let (new, cached, output) = case.tokens;
	draft.body.prompt_tokens = new + cached;
	draft.body.cached_tokens = cached;
	draft.body.output_tokens = output;
	draft.ticket.max_price = Balance::MAX;
	let last = usize::from(case.stages) - 1;
	draft.unsigned = (0..last).filter(|index| case.unsigned >> index & 1 == 1).collect();
	put("offer", (MODEL, gateway()), case.offer);
	put("author", (), case.author.then(author));
	assert_ok!(settle(draft.settlement()));
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, ..Default::default() })]

	#[test]
	fn settle_should_account_for_every_planck_when_anything_is_settled(
		cases in cases(),
		split in splits(),
		byte_fee in 0u128..100_000,
	) {
		build_and_execute(|| {
			setup();
			MockSplit::set(split);
			MockByteFee::set(byte_fee);
			for index in 0..8 {
				put("stake", worker(index), Balance::MAX / 4);
			}
			let (issued, mut epoch, mut paid) = (issuance(), 5u64, 0);
			for (nonce, case) in cases.iter().enumerate() {
				epoch += case.epochs_later;
				put("epoch", (), epoch);
				settle_case(nonce as u64, case);
			}

			// Nothing is made or burnt before it vests, and the pot has what it owes.
			for event in market_events() {
				if let Event::Settled { price, .. } = event {
					paid += price;
				}
			}
			assert_eq!(issuance(), issued);
			assert_eq!(Market::escrow(requester()).held, DEPOSIT - paid);
			assert_eq!(owed(), paid);
			assert_eq!(free(&Market::pot()), ED + paid);
			Market::do_try_state().unwrap();

			// Work's burn never exceeds what is burnt.
			let burn: Balance = UnvestedBurn::<Test>::iter_values().sum();
			let counted: Balance = work_notes().iter().map(|note| note.burnt).sum();
			assert!(counted <= burn);

			// Once everything is paid, what was burnt is gone and nothing else.
			put("epoch", (), epoch + VESTING);
			while NextBucket::<Test>::get() <= epoch {
				Market::drain(100);
			}
			assert_eq!(issuance(), issued - burn);
			assert_eq!(everything(), issuance());
			let kept: Balance = Unclaimed::<Test>::iter_values().sum();
			assert_eq!(owed(), kept);
			assert_eq!(free(&Market::pot()), ED + kept);
			let payees: Vec<AccountId> = (0..8)
				.map(worker)
				.chain([author(), AuditPot::get(), StoragePot::get()])
				.collect();
			let received: Balance = payees.iter().map(free).sum();
			// The gateway began with a million, of which it staked a thousand.
			let gateway_received = free(&gateway()) - 999_000 * ARIA;
			assert_eq!(received + gateway_received + kept + burn, paid);
		});
	}
}
