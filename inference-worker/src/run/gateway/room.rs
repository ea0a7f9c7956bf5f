//! How much more this gateway's stake answers for (`docs/protocol/audit.md`, "Which records, at what
//! price"): measured block by block, and said in the log where it runs short.

use crate::run::config::Amount;
use aria_chain_client::{At, Chain, ChainError, GatewayView};
use aria_primitives::{AccountId, Balance};
use std::{
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Between two looks at the chain.
const LOOK: Duration = Duration::from_secs(6);
/// Room is short below this part of what the stake answers for.
const SHORT: Balance = 5;

/// What a gateway's stake answers for, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
	/// The stake.
	pub stake: Balance,
	/// What further records can cost before some have vested.
	pub room: Balance,
}

/// What the chain said last, and whether it was short.
#[derive(Debug, Default)]
struct State {
	measured: Measured,
	is_short: bool,
}

/// Measures what a gateway's stake still answers for.
#[derive(Debug, Default)]
pub struct Room(Mutex<State>);

/// What there is to say of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
	/// It has become short.
	Short,
	/// It is not short any more.
	Enough,
}

impl Room {
	/// What the chain said last; nothing before the first look.
	pub fn measured(&self) -> Measured {
		self.lock().measured
	}

	/// Looks again and again until `shutdown`.
	pub async fn run(
		self: Arc<Self>,
		chain: Chain,
		gateway: AccountId,
		shutdown: CancellationToken,
	) {
		loop {
			if let Err(error) = self.look(&chain, &gateway).await {
				tracing::debug!(target: "aria::gateway", %error, "the gateway's stake can't be read");
			}
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = tokio::time::sleep(LOOK) => {}
			}
		}
	}

	async fn look(&self, chain: &Chain, gateway: &AccountId) -> Result<(), ChainError> {
		let at = At::Block(chain.head().borrow().best.1);
		let (view, answered) =
			tokio::try_join!(chain.gateway(gateway, at), chain.answered(gateway, at))?;
		let turn = self.note(view.as_ref(), answered);
		let Measured { stake, room } = self.measured();
		match turn {
			Some(Turn::Short) => tracing::warn!(
				target: "aria::gateway",
				"the gateway's stake of {} ARIA answers for records of {} ARIA more until some have \
				 vested; beyond that requests are refused with 429: raise it with gateway.stake, or \
				 --gateway-stake",
				Amount(stake),
				Amount(room)
			),
			Some(Turn::Enough) => tracing::info!(
				target: "aria::gateway",
				"the gateway's stake of {} ARIA answers for records of {} ARIA again",
				Amount(stake),
				Amount(room)
			),
			None => {}
		}
		Ok(())
	}

	/// Keeps what was read; says whether that is news.
	fn note(&self, gateway: Option<&GatewayView>, answered: Balance) -> Option<Turn> {
		let most = gateway.map_or(0, |gateway| gateway.room(0));
		let room = gateway.map_or(0, |gateway| gateway.room(answered));
		let mut state = self.lock();
		state.measured = Measured { stake: gateway.map_or(0, |gateway| gateway.stake), room };
		// Twice as much ends it, so that a gateway at the bound does not fill the log.
		let bound = most / SHORT * if state.is_short { 2 } else { 1 };
		let is_short = room < bound || most == 0;
		let turn = match (state.is_short, is_short) {
			(false, true) => Some(Turn::Short),
			(true, false) => Some(Turn::Enough),
			_ => None,
		};
		state.is_short = is_short;
		turn
	}

	fn lock(&self) -> MutexGuard<'_, State> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_chain_client::GatewayState;

	fn gateway(stake: Balance) -> GatewayView {
		GatewayView { stake, state: GatewayState::Active, registered_at: 0 }
	}

	#[test]
	fn room_should_be_said_to_be_short_once_and_to_be_enough_once() {
		let room = Room::default();
		assert_eq!(room.measured(), Measured::default());
		let looks = [0, 80, 81, 95, 100, 70, 60, 50, 90];
		let turns = looks.map(|answered| room.note(Some(&gateway(100)), answered));
		let (short, enough) = (Some(Turn::Short), Some(Turn::Enough));
		assert_eq!(turns, [None, None, short, None, None, None, enough, None, short]);
		assert_eq!(room.measured(), Measured { stake: 100, room: 10 });
	}

	#[test]
	fn more_stake_should_make_room_and_no_stake_none() {
		let room = Room::default();
		assert_eq!(room.note(Some(&gateway(100)), 100), Some(Turn::Short));
		assert_eq!(room.note(Some(&gateway(300)), 100), Some(Turn::Enough));
		assert_eq!(room.measured(), Measured { stake: 300, room: 200 });
		// Slashed below what is not vested, and gone.
		assert_eq!(room.note(Some(&gateway(50)), 100), Some(Turn::Short));
		assert_eq!(room.measured().room, 0);
		assert_eq!(room.note(None, 0), None);
		assert_eq!(room.measured(), Measured::default());
	}
}
