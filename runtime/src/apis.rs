//! What the node may ask of the runtime.

use crate::{
	configs::MmrLeaf, genesis, AccountId, Babe, Balance, Block, BlockNumber, ConsentRegistry,
	Executive, Grandpa, Historical, InferenceMarket, InherentDataExt, Mmr, ModelRegistry, Nonce,
	ProvenanceLedger, RewardDistributor, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys,
	System, TransactionPayment, Verification, WorkerRegistry, VERSION,
};
use alloc::vec::Vec;
use aria_primitives::{
	consent::{ConsentVersion, TaskType},
	record::RecordEntry,
	traits::{Consents, Models, Offer, RecordIndex, WorkSink, Workers},
	views::{ModelView, NetworkStats, RewardExplanation, Trace, TracedNode},
	EraIndex, ModelId, Moment, OutputHash, QueryHash, RecordId,
};
use codec::Encode;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::KeyOwnerProofSystem,
	weights::Weight,
};
use pallet_grandpa::AuthorityId as GrandpaId;
use sp_api::impl_runtime_apis;
use sp_consensus_babe::AuthorityId as BabeId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_runtime::{
	traits::{Block as BlockT, Keccak256, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

type MmrHash = <Keccak256 as sp_runtime::traits::Hash>::Output;

/// Most ids in one answer.
const MAX_PAGE: u32 = 1_000;

fn trace(id: RecordId) -> Option<Trace> {
	let record = ProvenanceLedger::record(id)?;
	let nodes = record
		.body
		.stages
		.iter()
		.map(|stage| TracedNode {
			node: stage.node.clone(),
			peer: WorkerRegistry::peer_of(&stage.node),
			consent: ConsentRegistry::version(&stage.node, stage.consent_version),
			reputation: <WorkerRegistry as Workers>::reputation(&stage.node),
		})
		.collect();
	let model = record.body.model_id;
	Some(Trace {
		id,
		model: ModelRegistry::info(&model),
		aliases: ModelRegistry::aliases_of(&model),
		pinned: ModelRegistry::is_pinned(&model),
		nodes,
		audit: Verification::status(id, record.epoch, record.auditable),
		record,
	})
}

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}

		fn initialize_block(
			header: &<Block as BlockT>::Header,
		) -> sp_runtime::ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
		fn execute_view_function(
			id: frame_support::view_functions::ViewFunctionId,
			input: Vec<u8>,
		) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
			Runtime::execute_view_function(id, input)
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(
			data: sp_inherents::InherentData,
		) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			tx: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, tx, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_consensus_babe::BabeApi<Block> for Runtime {
		fn configuration() -> sp_consensus_babe::BabeConfiguration {
			let epoch = Babe::epoch_config().unwrap_or(genesis::LIVE_EPOCH_CONFIG);
			sp_consensus_babe::BabeConfiguration {
				slot_duration: Babe::slot_duration(),
				epoch_length: pallet_validator_registry::Pallet::<Runtime>::epoch_length(),
				c: epoch.c,
				authorities: Babe::authorities().to_vec(),
				randomness: Babe::randomness(),
				allowed_slots: epoch.allowed_slots,
			}
		}

		fn current_epoch_start() -> sp_consensus_babe::Slot {
			Babe::current_epoch_start()
		}

		fn current_epoch() -> sp_consensus_babe::Epoch {
			Babe::current_epoch()
		}

		fn next_epoch() -> sp_consensus_babe::Epoch {
			Babe::next_epoch()
		}

		fn generate_key_ownership_proof(
			_slot: sp_consensus_babe::Slot,
			authority_id: BabeId,
		) -> Option<sp_consensus_babe::OpaqueKeyOwnershipProof> {
			Historical::prove((sp_consensus_babe::KEY_TYPE, authority_id))
				.map(|proof| sp_consensus_babe::OpaqueKeyOwnershipProof::new(proof.encode()))
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_babe::EquivocationProof<
				<Block as BlockT>::Header,
			>,
			key_owner_proof: sp_consensus_babe::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			Babe::submit_unsigned_equivocation_report(
				equivocation_proof,
				key_owner_proof.decode()?,
			)
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			pallet_grandpa::CurrentSetId::<Runtime>::get()
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			Grandpa::submit_unsigned_equivocation_report(
				equivocation_proof,
				key_owner_proof.decode()?,
			)
		}

		fn generate_key_ownership_proof(
			_set_id: sp_consensus_grandpa::SetId,
			authority_id: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			Historical::prove((sp_consensus_grandpa::KEY_TYPE, authority_id))
				.map(|proof| sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			owner: Vec<u8>,
			seed: Option<Vec<u8>>,
		) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}

		fn query_fee_details(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
		Block,
		Balance,
		RuntimeCall,
	> for Runtime {
		fn query_call_info(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl sp_mmr_primitives::MmrApi<Block, MmrHash, BlockNumber> for Runtime {
		fn mmr_root() -> Result<MmrHash, sp_mmr_primitives::Error> {
			Ok(Mmr::mmr_root())
		}

		fn mmr_leaf_count() -> Result<sp_mmr_primitives::LeafIndex, sp_mmr_primitives::Error> {
			Ok(Mmr::mmr_leaves())
		}

		fn generate_proof(
			block_numbers: Vec<BlockNumber>,
			best_known_block_number: Option<BlockNumber>,
		) -> Result<
			(
				Vec<sp_mmr_primitives::EncodableOpaqueLeaf>,
				sp_mmr_primitives::LeafProof<MmrHash>,
			),
			sp_mmr_primitives::Error,
		> {
			Mmr::generate_proof(block_numbers, best_known_block_number).map(|(leaves, proof)| {
				(
					leaves
						.into_iter()
						.map(|leaf| {
							sp_mmr_primitives::EncodableOpaqueLeaf::from_leaf(&leaf)
						})
						.collect(),
					proof,
				)
			})
		}

		fn generate_ancestry_proof(
			prev_block_number: BlockNumber,
			best_known_block_number: Option<BlockNumber>,
		) -> Result<sp_mmr_primitives::AncestryProof<MmrHash>, sp_mmr_primitives::Error> {
			Mmr::generate_ancestry_proof(prev_block_number, best_known_block_number)
		}

		fn verify_proof(
			leaves: Vec<sp_mmr_primitives::EncodableOpaqueLeaf>,
			proof: sp_mmr_primitives::LeafProof<MmrHash>,
		) -> Result<(), sp_mmr_primitives::Error> {
			let leaves = leaves
				.into_iter()
				.map(|leaf| {
					leaf.into_opaque_leaf()
						.try_decode()
						.ok_or(sp_mmr_primitives::Error::Verify)
				})
				.collect::<Result<Vec<_>, _>>()?;
			Mmr::verify_leaves(leaves, proof)
		}

		fn verify_proof_stateless(
			root: MmrHash,
			leaves: Vec<sp_mmr_primitives::EncodableOpaqueLeaf>,
			proof: sp_mmr_primitives::LeafProof<MmrHash>,
		) -> Result<(), sp_mmr_primitives::Error> {
			type Leaf = <(
				pallet_mmr::ParentNumberAndHash<Runtime>,
				MmrLeaf,
			) as sp_mmr_primitives::LeafDataProvider>::LeafData;
			let nodes = leaves
				.into_iter()
				.map(|leaf| {
					leaf.into_opaque_leaf()
						.try_decode::<Leaf>()
						.map(sp_mmr_primitives::DataOrHash::<Keccak256, Leaf>::Data)
						.ok_or(sp_mmr_primitives::Error::Verify)
				})
				.collect::<Result<Vec<_>, _>>()?;
			pallet_mmr::verify_leaves_proof::<Keccak256, _>(root, nodes, proof)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}

		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, genesis::get_preset)
		}

		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			genesis::preset_names()
		}
	}

	impl aria_runtime_api::ProvenanceApi<Block> for Runtime {
		fn record(id: RecordId) -> Option<RecordEntry> {
			ProvenanceLedger::record(id)
		}

		fn records_by_output(
			output_hash: OutputHash,
			after: Option<RecordId>,
			limit: u32,
		) -> Vec<RecordId> {
			<ProvenanceLedger as RecordIndex>::by_output(&output_hash, after, limit.min(MAX_PAGE))
		}

		fn records_by_query(
			query_hash: QueryHash,
			after: Option<RecordId>,
			limit: u32,
		) -> Vec<RecordId> {
			<ProvenanceLedger as RecordIndex>::by_query(&query_hash, after, limit.min(MAX_PAGE))
		}

		fn block_records() -> Vec<RecordId> {
			ProvenanceLedger::block_records()
		}

		fn trace(id: RecordId) -> Option<Trace> {
			trace(id)
		}

		fn record_storage_key(id: RecordId) -> Vec<u8> {
			pallet_provenance_ledger::Records::<Runtime>::hashed_key_for(id)
		}
	}

	impl aria_runtime_api::RetentionApi<Block> for Runtime {
		fn records_since() -> BlockNumber {
			ProvenanceLedger::records_since()
		}
	}

	impl aria_runtime_api::ConsentApi<Block> for Runtime {
		fn consent(worker: AccountId) -> Option<ConsentVersion> {
			ConsentRegistry::current(&worker)
		}

		fn consent_version(worker: AccountId, version: u32) -> Option<ConsentVersion> {
			ConsentRegistry::version(&worker, version)
		}

		fn permits(worker: AccountId, task: TaskType, at: Moment) -> bool {
			<ConsentRegistry as Consents>::ensure_permits_now(&worker, task, at).is_ok()
		}
	}

	impl aria_runtime_api::RewardApi<Block> for Runtime {
		fn current_era() -> EraIndex {
			<RewardDistributor as WorkSink>::current_era()
		}

		fn explain(era: EraIndex, worker: AccountId) -> Option<RewardExplanation> {
			RewardDistributor::explain(era, worker)
		}
	}

	impl aria_runtime_api::SobrietyApi<Block> for Runtime {
		fn network_stats() -> NetworkStats {
			ProvenanceLedger::stats()
		}
	}

	impl aria_runtime_api::MarketApi<Block> for Runtime {
		fn models() -> Vec<ModelView> {
			ModelRegistry::pinned_models()
		}

		fn manifest(model: ModelId) -> Option<Vec<u8>> {
			ModelRegistry::manifest(model).map(|bytes| bytes.into_inner())
		}

		fn resolve_alias(name: Vec<u8>) -> Option<ModelId> {
			name.try_into().ok().and_then(ModelRegistry::alias)
		}

		fn offer(model: ModelId, seller: AccountId) -> Option<Offer> {
			<ModelRegistry as Models>::offer(&model, &seller).ok()
		}

		fn escrow(requester: AccountId) -> (Balance, Balance) {
			let account = InferenceMarket::escrow(requester);
			(account.held, account.reserved)
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (
			Vec<frame_benchmarking::BenchmarkList>,
			Vec<frame_support::traits::StorageInfo>,
		) {
			crate::benchmarks::metadata(extra)
		}

		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			crate::benchmarks::dispatch(config)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(
			checks: frame_try_runtime::UpgradeCheckSelect,
		) -> (Weight, Weight) {
			use crate::parameters::RuntimeBlockWeights;
			match Executive::try_runtime_upgrade(checks) {
				Ok(weight) => (weight, RuntimeBlockWeights::get().max_block),
				Err(error) => panic!("the upgrade's checks failed: {error:?}"),
			}
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			match Executive::try_execute_block(block, state_root_check, signature_check, select) {
				Ok(weight) => weight,
				Err(error) => panic!("the block's checks failed: {error:?}"),
			}
		}
	}
}
