//! The pallets whose weights we measure.

use crate::{
	AllPalletsWithSystem, ConsentRegistry, InferenceMarket, ModelRegistry, ProvenanceLedger,
	RewardDistributor, ValidatorRegistry, Verification, WorkerRegistry,
};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{define_benchmarks, BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
	StorageInfo, StorageInfoTrait, TrackedStorageKey, WhitelistedStorageKeys,
};

define_benchmarks!(
	[pallet_model_registry, ModelRegistry]
	[pallet_worker_registry, WorkerRegistry]
	[pallet_validator_registry, ValidatorRegistry]
	[pallet_consent_registry, ConsentRegistry]
	[pallet_inference_market, InferenceMarket]
	[pallet_provenance_ledger, ProvenanceLedger]
	[pallet_verification, Verification]
	[pallet_reward_distributor, RewardDistributor]
);

/// What there is to measure, and what the pallets store.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::<BenchmarkList>::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Runs one benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist: Vec<TrackedStorageKey> = AllPalletsWithSystem::whitelisted_storage_keys();
	let mut batches = Vec::<BenchmarkBatch>::new();
	let params = (&config, &whitelist);
	add_benchmarks!(params, batches);
	Ok(batches)
}
