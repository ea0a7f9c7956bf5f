//! The supply over eras and halvings.

use crate::{chain::Chain, flow::*, rewards::pass_over, state::issuance};
use aria_math::emission::{CAP, HALVING_INTERVAL};
use aria_primitives::{Balance, PPM};
use aria_runtime::{parameters, Runtime, RuntimeEvent};
use pallet_reward_distributor::{Authored, CurrentEra, Eras, Event, NextToSettle, TotalMinted};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

fn minted(chain: &mut Chain) -> Balance {
	chain.read(TotalMinted::<Runtime>::get)
}

fn force() -> pallet_reward_distributor::Call<Runtime> {
	pallet_reward_distributor::Call::force_new_era {}
}

/// What the schedule emits from block 1 up to and with the last block.
fn scheduled(chain: &Chain) -> Balance {
	let next = u64::from(chain.next_number());
	parameters::Schedule::get().emission_between(1, next)
}

/// Checks that the supply is what it was and what was minted, and within the schedule.
#[track_caller]
fn check_supply(chain: &mut Chain, genesis: Balance) {
	let minted = minted(chain);
	assert_eq!(issuance(chain), genesis + minted);
	assert!(minted <= scheduled(chain), "more is minted than the schedule emits");
	assert!(minted < CAP, "the supply never reaches the cap");
}

#[test]
fn eras_should_mint_the_authors_part_when_nobody_works() {
	// Given a chain without work.
	let mut chain = Chain::new(DEV_RUNTIME_PRESET);
	let genesis = issuance(&mut chain);
	let length = parameters::EraLength::get();

	// When eras go by.
	for era in 1..=20 {
		chain.jump_to(1 + era * length);
		let executed = chain.block(Vec::new());
		let started = executed.find(|event| match event {
			RuntimeEvent::RewardDistributor(Event::EraStarted { era, .. }) => Some(*era),
			_ => None,
		});
		assert_eq!(started, era);
		// It is settled once its last epoch is over.
		chain.epochs(1);
		chain.blocks(2);
		check_supply(&mut chain, genesis);
	}

	// Then their authors have their part of what the settled ones emit, and nobody the rest.
	let settled = chain.read(NextToSettle::<Runtime>::get);
	assert_eq!(settled, 19);
	let schedule = parameters::Schedule::get();
	let emitted = schedule.emission_between(1, u64::from(1 + settled * length));
	let part = emitted * Balance::from(parameters::AuthorShare::get()) / Balance::from(PPM);
	assert_eq!(minted(&mut chain), part);
}

#[test]
fn eras_should_divide_the_emission_without_rest_when_they_are_forced_to_end() {
	let mut chain = Chain::new(DEV_RUNTIME_PRESET);
	let genesis = issuance(&mut chain);
	for blocks in [0, 1, 5, 2, 0, 9] {
		chain.accept(vec![(SUDO, sudo(force()))]);
		chain.blocks(blocks);
		check_supply(&mut chain, genesis);
	}
	chain.blocks(3);

	let (eras, current) = chain.read(|| {
		let mut eras: Vec<_> = Eras::<Runtime>::iter().collect();
		eras.sort_by_key(|(index, _)| *index);
		(eras, CurrentEra::<Runtime>::get().unwrap())
	});
	let schedule = parameters::Schedule::get();
	let mut next = 1;
	for (index, era) in eras {
		assert_eq!(era.start, next, "eras follow each other without a gap");
		let Some(end) = era.end else {
			assert_eq!(index, current.index);
			break;
		};
		let emitted = schedule.emission_between(era.start.into(), end.into());
		assert_eq!(era.pool(), emitted);
		assert!(era.paid() <= era.pool());
		next = end;
	}
}

#[test]
fn eras_should_count_every_block_of_their_authors_from_the_first_on() {
	let mut chain = Chain::new(LOCAL_TESTNET_RUNTIME_PRESET);
	for _ in 0..2 {
		chain.blocks(5);
		let (era, authored, counted) = chain.read(|| {
			let era = CurrentEra::<Runtime>::get().unwrap().index;
			let authored: u32 = Authored::<Runtime>::iter_prefix_values(era).sum();
			(era, authored, Eras::<Runtime>::get(era).unwrap().authored)
		});
		assert_eq!(authored, counted, "era {era} pays its authors by what they made of it");
		chain.accept(vec![(SUDO, sudo(force()))]);
		chain.blocks(1);
	}
}

#[test]
fn the_supply_should_stay_below_its_cap_over_all_halvings() {
	let mut chain = Chain::new(DEV_RUNTIME_PRESET);
	let genesis = issuance(&mut chain);
	let interval = u32::try_from(HALVING_INTERVAL).unwrap();

	// An era that is as long as a halving, the end of its last epoch, and two blocks in which it is
	// settled.
	let mut before = minted(&mut chain);
	let mut gains = Vec::new();
	for halving in 1..=64 {
		chain.jump_to(halving * interval);
		chain.blocks(1);
		chain.epochs(1);
		chain.blocks(2);
		check_supply(&mut chain, genesis);
		let now = minted(&mut chain);
		gains.push(now - before);
		before = now;
	}

	// Each halving gives the authors no more than the one before, and the last ones nothing.
	assert!(gains[1..].windows(2).all(|pair| pair[1] <= pair[0]), "{gains:?}");
	assert_eq!(gains.last(), Some(&0));
	let part = CAP * Balance::from(parameters::AuthorShare::get()) / Balance::from(PPM);
	assert!(before <= part && part - before < part / 1_000, "authors got {before} of {part}");
}

#[test]
fn workers_should_get_no_more_than_the_burn_allows_whatever_the_pool_holds() {
	// Given work in an era that ends after years.
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	let burnt = tokens_price(&draft.body) / 10;
	flow.settle(draft);
	flow.chain.jump_to(parameters::EraLength::get() * 10_000);
	flow.chain.blocks(1);
	pass_over(&mut flow.chain);
	flow.chain.epochs(1);

	// When the next one ends, too, and the first is settled.
	flow.chain.accept(vec![(SUDO, sudo(force()))]);
	flow.chain.blocks(3);

	let era = flow.chain.read(|| Eras::<Runtime>::get(0)).unwrap();
	assert!(era.worker_pool > 1_000_000 * burnt);
	assert_eq!(era.paid_workers, burnt * 9 / 10);
	assert!(minted(&mut flow.chain) <= scheduled(&flow.chain));
}
