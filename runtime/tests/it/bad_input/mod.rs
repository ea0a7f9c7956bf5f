//! What is refused: a specific error each, and a state that is unchanged but for the fee that a
//! failure costs.
//!
//! | module | what is wrong |
//! |---|---|
//! | `tickets` | replayed, expired, overspending or foreign tickets; keys, allowances, escrows |
//! | `records` | anchors, genesis, signatures, layers, energy, tokens, time |
//! | `gateways` | what the gateway did not sign as it is: stolen tickets, stripped signatures |
//! | `executors` | models, workers and consents |
//! | `requests` | requests made on chain, their matches and settlements |
//! | `registries` | consents, manifests, offers, workers |
//! | `bounds` | batches, and lists beyond their bound, which can't even be decoded |

mod bounds;
mod executors;
mod gateways;
mod records;
mod registries;
mod requests;
mod tickets;

use crate::{
	flow::{settle, Draft, Flow, SUBMITTER},
	state::refuses,
};
use aria_primitives::record::Settlement;
use aria_runtime::{Runtime, RuntimeCall};
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;

pub type MarketError = pallet_inference_market::Error<Runtime>;
pub type ModelError = pallet_model_registry::Error<Runtime>;
pub type WorkerError = pallet_worker_registry::Error<Runtime>;
pub type ConsentError = pallet_consent_registry::Error<Runtime>;

/// The nonce of every case's ticket; large enough for others far below it.
pub const NONCE: u64 = 5_000;

/// A settlement that is refused for one reason.
pub struct Case {
	name: &'static str,
	error: DispatchError,
	given: fn(&mut Flow),
	draft: fn(&mut Flow, &mut Draft),
	sealed: fn(&Flow, &mut Settlement),
}

/// A good settlement that is to be refused with `error` after a change.
pub fn case(name: &'static str, error: impl Into<DispatchError>) -> Case {
	Case { name, error: error.into(), given: |_| (), draft: |_, _| (), sealed: |_, _| () }
}

impl Case {
	/// What happened on chain before the record was made.
	pub fn given(mut self, given: fn(&mut Flow)) -> Self {
		self.given = given;
		self
	}

	/// What is changed before the record is hashed and signed.
	pub fn draft(mut self, draft: fn(&mut Flow, &mut Draft)) -> Self {
		self.draft = draft;
		self
	}

	/// What is changed after it was signed.
	pub fn sealed(mut self, sealed: fn(&Flow, &mut Settlement)) -> Self {
		self.sealed = sealed;
		self
	}

	/// The settlement, on a chain where everything before it happened.
	fn build(&self, flow: &mut Flow) -> Settlement {
		(self.given)(flow);
		let mut draft = flow.draft(NONCE);
		(self.draft)(flow, &mut draft);
		let mut settlement = draft.seal();
		(self.sealed)(flow, &mut settlement);
		settlement
	}
}

/// Checks that each settlement is refused as it should, and that it would be good otherwise.
pub fn refuse_settlements(cases: Vec<Case>) {
	let mut base = Flow::new();
	let mut good = base.fork();
	let draft = good.draft(NONCE);
	good.settle(draft);
	for case in cases {
		let mut flow = base.fork();
		let settlement = case.build(&mut flow);
		refuses(&mut flow.chain, SUBMITTER, settle(settlement), case.error, case.name);
	}
}

/// A call that is refused for one reason.
pub struct CallCase {
	name: &'static str,
	error: DispatchError,
	by: Sr25519Keyring,
	call: fn(&mut Flow) -> RuntimeCall,
}

/// A call by somebody that is to be refused with `error`, on a chain where what `call` does before
/// it returns has happened.
pub fn call(
	name: &'static str,
	error: impl Into<DispatchError>,
	by: Sr25519Keyring,
	call: fn(&mut Flow) -> RuntimeCall,
) -> CallCase {
	CallCase { name, error: error.into(), by, call }
}

/// Checks that each call is refused as it should.
pub fn refuse_calls(cases: Vec<CallCase>) {
	let mut base = Flow::new();
	for case in cases {
		let mut flow = base.fork();
		let call = (case.call)(&mut flow);
		refuses(&mut flow.chain, case.by, call, case.error, case.name);
	}
}
