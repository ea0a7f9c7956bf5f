//! Balances, and what accounts do for each other.

use crate::{
	parameters::*, AccountId, Balance, Balances, OriginCaller, Preimage, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, System,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::{
	fungible::HoldConsideration, ConstU32, EqualPrivilegeOnly, InstanceFilter, LinearStoragePrice,
	VariantCountOf,
};
use frame_system::EnsureRoot;
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type Balance = Balance;
	type DustRemoval = ();
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type DoneSlashHandler = ();
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

/// What a proxy may do.
#[derive(
	Copy,
	Clone,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	Any,
	/// Everything but moving balances and escrows.
	NonTransfer,
	/// A worker's daily business: shards, consent, drain, challenges, audits.
	Worker,
	/// A gateway's daily business: offers, settlement, matches, answers to verifiers.
	Gateway,
	/// A seat in the council: motions and votes.
	Council,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			ProxyType::Any => true,
			// Neither what moves money, nor what says where money goes, nor what acts as another.
			ProxyType::NonTransfer => !matches!(
				call,
				RuntimeCall::Balances(..)
					| RuntimeCall::Sudo(..)
					| RuntimeCall::Multisig(..)
					| RuntimeCall::Council(..)
					| RuntimeCall::Whitelist(..)
					| RuntimeCall::Proxy(
						pallet_proxy::Call::proxy { .. }
							| pallet_proxy::Call::proxy_announced { .. }
					) | RuntimeCall::ConsentRegistry(
					pallet_consent_registry::Call::set_consent { .. }
						| pallet_consent_registry::Call::update_consent { .. }
				) | RuntimeCall::InferenceMarket(
					pallet_inference_market::Call::withdraw { .. }
						| pallet_inference_market::Call::register_key { .. }
						| pallet_inference_market::Call::update_key { .. }
						| pallet_inference_market::Call::request { .. },
				)
			),
			// A consent names where earnings go, so that a worker's proxy can't set one. Nor does it move
			// the stake or name another peer. A verifier's bonds it has to lay down; canaries are for
			// whoever owns the stake, and say so in its name.
			ProxyType::Worker => matches!(
				call,
				RuntimeCall::WorkerRegistry(
					pallet_worker_registry::Call::set_served { .. }
						| pallet_worker_registry::Call::set_region { .. }
						| pallet_worker_registry::Call::drain { .. }
						| pallet_worker_registry::Call::resume { .. }
						| pallet_worker_registry::Call::rest { .. }
						| pallet_worker_registry::Call::answer { .. },
				) | RuntimeCall::ConsentRegistry(
					pallet_consent_registry::Call::withdraw_consent { .. }
				) | RuntimeCall::InferenceMarket(
					pallet_inference_market::Call::settle { .. }
						| pallet_inference_market::Call::settle_batch { .. },
				) | RuntimeCall::Verification(
					pallet_verification::Call::register_verifier { .. }
						| pallet_verification::Call::displace_verifier { .. }
						| pallet_verification::Call::retire_verifier { .. }
						| pallet_verification::Call::commit { .. }
						| pallet_verification::Call::claim_silence { .. }
						| pallet_verification::Call::post_handover { .. }
						| pallet_verification::Call::reveal { .. }
						| pallet_verification::Call::open { .. }
						| pallet_verification::Call::open_dispute { .. }
						| pallet_verification::Call::post_nodes { .. }
						| pallet_verification::Call::accuse_leaf { .. }
						| pallet_verification::Call::defend_leaf { .. }
						| pallet_verification::Call::reply_trace { .. }
						| pallet_verification::Call::post_blocks { .. }
						| pallet_verification::Call::prove_false { .. }
						| pallet_verification::Call::claim_fees { .. },
				)
			),
			ProxyType::Gateway => matches!(
				call,
				RuntimeCall::ModelRegistry(
					pallet_model_registry::Call::set_offer { .. }
						| pallet_model_registry::Call::remove_offer { .. },
				) | RuntimeCall::InferenceMarket(
					pallet_inference_market::Call::settle { .. }
						| pallet_inference_market::Call::settle_batch { .. }
						| pallet_inference_market::Call::match_request { .. },
				) | RuntimeCall::Verification(pallet_verification::Call::post_handover { .. })
			),
			ProxyType::Council => matches!(
				call,
				RuntimeCall::Council(
					pallet_collective::Call::propose { .. }
						| pallet_collective::Call::vote { .. }
						| pallet_collective::Call::close { .. },
				)
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(left, right) if left == right => true,
			(ProxyType::Any, _) => true,
			(_, ProxyType::Any) => false,
			(ProxyType::NonTransfer, ProxyType::Council) => false,
			(ProxyType::NonTransfer, _) => true,
			_ => false,
		}
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type MaxProxies = ConstU32<32>;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
}

frame_support::parameter_types! {
	pub const PreimageHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_preimage::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type ManagerOrigin = EnsureRoot<AccountId>;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
	>;
}

impl pallet_scheduler::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type MaximumWeight = MaximumSchedulerWeight;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type MaxScheduledPerBlock = ConstU32<50>;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
