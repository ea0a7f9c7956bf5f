//! Who decides what nobody may decide alone (`docs/protocol/governance.md`): the council, more than
//! half of it on models and parameters, three quarters of it with the powers of root.

use crate::{
	parameters::*, AccountId, Preimage, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System,
};
use frame_support::traits::{Contains, EitherOfDiverse};
use frame_system::{EnsureRoot, EnsureSigned};
use pallet_collective::{EnsureProportionAtLeast, EnsureProportionMoreThan};
use sp_runtime::traits::{BlakeTwo256, Hash};

/// The council among all collectives that there could be.
pub type CouncilInstance = pallet_collective::Instance1;
/// More than half of the council.
pub type CouncilMajority = EnsureProportionMoreThan<AccountId, CouncilInstance, 1, 2>;
/// Three quarters of the council, or more.
pub type CouncilThreeQuarters = EnsureProportionAtLeast<AccountId, CouncilInstance, 3, 4>;
/// Root, or more than half of the council.
pub type RootOrMajority = EitherOfDiverse<EnsureRoot<AccountId>, CouncilMajority>;

impl pallet_collective::Config<CouncilInstance> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type MotionDuration = MotionDuration;
	type MaxProposals = MaxMotions;
	type MaxMembers = MaxCouncil;
	// Who does not vote is against it: there is no prime member, unless root names one.
	type DefaultVote = pallet_collective::PrimeDefaultVote;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
	type SetMembersOrigin = EnsureRoot<AccountId>;
	type MaxProposalWeight = MaxMotionWeight;
	type DisapproveOrigin = EnsureRoot<AccountId>;
	type KillOrigin = EnsureRoot<AccountId>;
	// Only members make motions, and only so many.
	type Consideration = ();
}

/// All calls but those that would execute what is not on the whitelist.
///
/// The pallet does not refuse them: it writes down that such a call is to be executed as soon as it is
/// listed, without a deposit. Anybody could fill the state so. A call that is listed later is to be sent
/// then.
pub struct ListedCalls;

impl Contains<RuntimeCall> for ListedCalls {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_whitelist::Call;
		let hash = match call {
			RuntimeCall::Whitelist(Call::dispatch_whitelisted_call { call_hash, .. }) => *call_hash,
			RuntimeCall::Whitelist(Call::dispatch_whitelisted_call_with_preimage { call }) => {
				BlakeTwo256::hash_of(call)
			}
			_ => return true,
		};
		pallet_whitelist::WhitelistedCall::<Runtime>::contains_key(hash)
	}
}

impl pallet_whitelist::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WhitelistOrigin = EitherOfDiverse<EnsureRoot<AccountId>, CouncilThreeQuarters>;
	// What was agreed on is executed by whoever takes the trouble, and pays the fee; what was not is
	// refused by [`ListedCalls`].
	type DispatchWhitelistedOrigin = EnsureSigned<AccountId>;
	type Preimages = Preimage;
	// No dispatch is ever deferred.
	type DeferredDispatchExpiration = MotionDuration;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
}
