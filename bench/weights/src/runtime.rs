//! The runtime with its benchmarks, in wasm: what it offers, and one run of one benchmark.

use crate::points::{Benchmark, Point};
use anyhow::{anyhow, Context, Result};
use codec::{Decode, Encode};
use frame_benchmarking::{
	benchmarking, BenchmarkBatch, BenchmarkConfig, BenchmarkList, BenchmarkResult,
};
use frame_support::traits::StorageInfo;
use sc_chain_spec::{GenesisConfigBuilderRuntimeCaller, DEV_RUNTIME_PRESET};
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use sp_core::{
	offchain::{testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt},
	traits::{CallContext, RuntimeCode, WrappedRuntimeCode},
};
use sp_crypto_hashing::blake2_256;
use sp_externalities::Extensions;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{OverlayedChanges, StateMachine};
use std::{borrow::Cow, fs, path::Path};

type Executor = WasmExecutor<(sp_io::SubstrateHostFunctions, benchmarking::HostFunctions)>;
type State = BenchmarkingState<BlakeTwo256>;

/// What a run of a benchmark is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
	/// Whether it does what it says, by the assertions at its end.
	Verify,
	/// Which storage it touches, and how large a proof of that is.
	Track,
	/// How long it takes, this many times.
	Time(u32),
}

/// A runtime over the genesis of its development preset.
pub struct Runtime {
	executor: Executor,
	code: Vec<u8>,
	hash: Vec<u8>,
	/// Counts keys and records proofs, which takes time.
	tracked: State,
	/// Does neither: a chain of its own records no proof when it imports a block.
	timed: State,
}

impl Runtime {
	/// Reads a runtime and builds its genesis.
	///
	/// Errors when there is no file, when it is no runtime, and when the runtime has no development
	/// preset.
	pub fn load(path: &Path) -> Result<Self> {
		let code = fs::read(path).with_context(|| {
			format!("{} cannot be read: scripts/weights.sh builds it", path.display())
		})?;
		let genesis = GenesisConfigBuilderRuntimeCaller::<benchmarking::HostFunctions>::new(&code)
			.get_storage_for_named_preset(Some(&DEV_RUNTIME_PRESET.to_string()))
			.map_err(|error| anyhow!("the runtime builds no genesis: {error}"))?;
		let state = |proof: bool, keys: bool| {
			State::new(genesis.clone(), None, proof, keys)
				.map_err(|error| anyhow!("the genesis makes no state: {error}"))
		};
		Ok(Self {
			executor: Executor::builder().build(),
			hash: blake2_256(&code).to_vec(),
			code,
			tracked: state(true, true)?,
			timed: state(false, false)?,
		})
	}

	/// All benchmarks by pallet, and where which pallet keeps what.
	pub fn metadata(&self) -> Result<(Vec<BenchmarkList>, Vec<StorageInfo>)> {
		self.call(&self.timed, "Benchmark_benchmark_metadata", &false.encode()).context(
			"the runtime lists no benchmarks: build it with the feature `runtime-benchmarks`",
		)
	}

	/// Runs a benchmark; one result for each repetition, none if the benchmark skips this point.
	pub fn run(
		&self,
		benchmark: &Benchmark,
		point: &Point,
		purpose: Purpose,
	) -> Result<Vec<BenchmarkResult>> {
		let config = BenchmarkConfig {
			pallet: benchmark.pallet.clone().into_bytes(),
			instance: benchmark.instance.clone().into_bytes(),
			benchmark: benchmark.name.clone().into_bytes(),
			selected_components: point.clone(),
			verify: purpose == Purpose::Verify,
			internal_repeats: match purpose {
				Purpose::Time(repeats) => repeats,
				Purpose::Verify | Purpose::Track => 1,
			},
		};
		let state = if purpose == Purpose::Track { &self.tracked } else { &self.timed };
		let outcome: Result<Vec<BenchmarkBatch>, String> =
			self.call(state, "Benchmark_dispatch_benchmark", &config.encode())?;
		let batches = outcome.map_err(|reason| anyhow!(reason))?;
		Ok(batches.into_iter().flat_map(|batch| batch.results).collect())
	}

	fn call<R: Decode>(&self, state: &State, method: &str, data: &[u8]) -> Result<R> {
		let fetcher = WrappedRuntimeCode(Cow::Borrowed(self.code.as_slice()));
		let code =
			RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.hash.clone() };
		let mut overlay = OverlayedChanges::<BlakeTwo256>::default();
		let mut extensions = extensions();
		let answer = StateMachine::new(
			state,
			&mut overlay,
			&self.executor,
			method,
			data,
			&mut extensions,
			&code,
			CallContext::Offchain,
		)
		.execute()
		.map_err(|error| anyhow!("{method} failed: {error}"))?;
		R::decode(&mut answer.as_slice())
			.with_context(|| format!("the answer of {method} is not understood"))
	}
}

/// What benchmarks may use of their host: keys, and what offchain code sees.
fn extensions() -> Extensions {
	let (offchain, _) = TestOffchainExt::new();
	let mut extensions = Extensions::default();
	extensions.register(KeystoreExt::new(MemoryKeystore::new()));
	extensions.register(OffchainWorkerExt::new(offchain.clone()));
	extensions.register(OffchainDbExt::new(offchain));
	extensions
}
