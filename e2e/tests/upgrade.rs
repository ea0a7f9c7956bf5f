//! A chain of the previous runtime takes up this one: it runs its migrations once, goes on making blocks
//! and finalising them, settles records, pays for those of before, and gets a council. Its node starts
//! again on its database, and another one follows it from genesis, over the upgrade.
//!
//! With `ARIA_UPGRADE_STATES` set to a folder, the states before and after lie there as `before.scale` and
//! `after.scale`, for the checks of `try-runtime` (`scripts/rehearse-upgrade.sh`).
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result};
use aria_e2e::{
	client::{eventually, Client, Included},
	flow,
	keys::{self, Pair},
	node::{quick_chain, Node, Options},
	state::Snapshot,
};
use aria_primitives::{
	audit::Verdict, traits::RecordStakes, AccountId, Balance, EpochIndex, ModelId, Ppm, RecordId,
};
use aria_runtime::{
	configs::CouncilInstance, Council, Hash, Runtime, RuntimeCall, RuntimeEvent, ValidatorRegistry,
	Verification, VERSION, WASM_BINARY,
};
use codec::Encode;
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{GetStorageVersion, PalletInfoAccess, StorageVersion},
};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_verification::{DrawInfo, Drawn, DrawnStatus, Settled, SettledRecord};
use serde_json::{json, Value};
use sp_core::bytes::to_hex;
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::{
	env, fs,
	path::{Path, PathBuf},
	time::Duration,
};

/// The version of the previous runtime.
const PREVIOUS: u32 = VERSION.spec_version - 1;
/// Pallets with a genesis that it does not know.
const NEW_PALLETS: [&str; 1] = ["council"];
/// Slots of half a second in an epoch: long enough that an upgrade fits between two draws.
const EPOCH_SLOTS: u64 = 40;
/// Longest wait for what takes some epochs.
const PATIENCE: Duration = Duration::from_secs(240);

/// The previous runtime as it was built from its commit (`e2e/fixtures/README.md`).
fn previous_runtime() -> Result<Vec<u8>> {
	let root = env::var_os("ARIA_ROOT").map(PathBuf::from);
	let root = root.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
	let path = root.join(format!("e2e/fixtures/runtime-{PREVIOUS}.compact.compressed.wasm"));
	fs::read(&path)
		.with_context(|| format!("{} is missing: run scripts/previous-runtime.sh", path.display()))
}

/// The chain of one validator, as the previous runtime begins it, with short epochs.
fn specification(dir: &Path) -> Result<PathBuf> {
	let path = quick_chain(dir)?;
	let mut spec: Value = serde_json::from_slice(&fs::read(&path)?)?;
	spec["id"] = json!("aria_upgrade");
	let genesis = spec
		.pointer_mut("/genesis/runtimeGenesis")
		.context("the specification has no genesis that a runtime makes")?;
	genesis["code"] = json!(to_hex(&previous_runtime()?, false));
	let patch = genesis["patch"].as_object_mut().context("the genesis changes nothing")?;
	for pallet in NEW_PALLETS {
		patch.remove(pallet).with_context(|| format!("the genesis has no {pallet}"))?;
	}
	let registry = patch
		.get_mut("validatorRegistry")
		.context("the specification says nothing of validators")?;
	registry["epochLength"] = json!(EPOCH_SLOTS);
	fs::write(&path, serde_json::to_vec(&spec)?).context("the specification cannot be written")?;
	Ok(path)
}

/// Signs a call as root, and waits until it has taken effect.
async fn as_root(client: &Client, call: RuntimeCall) -> Result<Included> {
	let call = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) });
	client.submit(&keys::owner(), call).await?.success()
}

/// The epoch that settled a record.
async fn epoch_of(client: &Client, id: RecordId, at: Hash) -> Result<EpochIndex> {
	let record = flow::record(client, id, at).await?;
	Ok(record.context("the record is not in the state")?.epoch)
}

async fn drawn(client: &Client, id: RecordId, at: Hash) -> Result<Option<DrawInfo>> {
	client.storage(&Drawn::<Runtime>::hashed_key_for(id), Some(at)).await
}

/// The version that a pallet's storage has on chain.
async fn version_of<P: PalletInfoAccess>(client: &Client, at: Hash) -> Result<u16> {
	let version = client.storage(&StorageVersion::storage_key::<P>(), Some(at)).await?;
	Ok(version.unwrap_or_default())
}

/// Whether a worker waits for what it earned in an epoch.
async fn is_unpaid(client: &Client, epoch: EpochIndex, at: Hash) -> Result<bool> {
	let worker = keys::account(&keys::workers()[0]);
	Ok(flow::unvested(client, epoch, &worker, at).await? > 0)
}

/// All that was ever issued and not burnt, in planck.
async fn issuance(client: &Client, at: Hash) -> Result<Balance> {
	let key = pallet_balances::TotalIssuance::<Runtime>::hashed_key();
	Ok(client.storage(&key, Some(at)).await?.unwrap_or_default())
}

/// Writes a state where a rehearsal looks for it.
async fn keep(client: &Client, name: &str, at: Hash) -> Result<()> {
	let Some(dir) = env::var_os("ARIA_UPGRADE_STATES") else { return Ok(()) };
	let state = Snapshot::at(client, at).await?;
	fs::write(Path::new(&dir).join(name), state.to_scale())
		.context("ARIA_UPGRADE_STATES has to name a folder that can be written to")
}

/// The council pins a model by two votes of three; returns what came of it.
async fn pin_by_council(client: &Client, members: &[Pair; 3], model: ModelId) -> Result<()> {
	type Motion = pallet_collective::Call<Runtime, CouncilInstance>;
	let pin = RuntimeCall::ModelRegistry(pallet_model_registry::Call::pin { model });
	let (proposal, length_bound) = (BlakeTwo256::hash_of(&pin), u32::try_from(pin.encoded_size())?);
	let proposal_weight_bound = pin.get_dispatch_info().call_weight;
	// The first motion of this chain.
	let index = 0;
	let vote = || RuntimeCall::Council(Motion::vote { proposal, index, approve: true });
	let propose = Motion::propose { threshold: 2, proposal: Box::new(pin), length_bound };
	let first = vec![RuntimeCall::Council(propose), vote()];
	client.submit_all(&members[0], first).await?;
	client.submit(&members[1], vote()).await?.success()?;
	let close =
		Motion::close { proposal_hash: proposal, index, proposal_weight_bound, length_bound };
	let closed = client.submit(&keys::stranger(), RuntimeCall::Council(close)).await?.success()?;
	let result = closed
		.find(|event| match event {
			RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => {
				Some(*result)
			}
			_ => None,
		})
		.context("the motion was not carried")?;
	result.map_err(|error| anyhow::anyhow!("{}", aria_e2e::client::error_name(error)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes four minutes"]
async fn a_chain_of_the_previous_runtime_should_take_up_this_one_and_go_on() {
	let dir = tempfile::tempdir().unwrap();
	let spec = specification(dir.path()).unwrap();
	let mut node = Node::start(Options::validator(&spec)).await.unwrap();
	let client = Client::connect_to(&node.url(), PREVIOUS).await.unwrap();

	// Given a state that the previous runtime made: a record that was drawn, one that waits for its
	// draw, and workers who wait for the pay of both.
	let network = flow::set_up(&client).await.unwrap();
	let (first, _) = network.settle(&client, "Who was here?", "The one before.", 1).await.unwrap();
	eventually("the draw of a newcomer's record", PATIENCE, || async {
		let (_, head) = client.finalized().await?;
		drawn(&client, first, head).await
	})
	.await
	.unwrap();
	let (second, _) = network.settle(&client, "And then?", "Somebody else.", 2).await.unwrap();

	// When an upgrade is authorised, and somebody brings the runtime.
	let code = WASM_BINARY.expect("built without a wasm: unset SKIP_WASM_BUILD").to_vec();
	let code_hash = BlakeTwo256::hash(&code);
	let authorize = frame_system::Call::authorize_upgrade { code_hash };
	as_root(&client, RuntimeCall::System(authorize)).await.unwrap();
	let (_, before) = client.finalized().await.unwrap();
	let epochs = [
		epoch_of(&client, first, before).await.unwrap(),
		epoch_of(&client, second, before).await.unwrap(),
	];
	let info = drawn(&client, first, before).await.unwrap().unwrap();
	assert_eq!(info.status, DrawnStatus::Open);
	let pending = Settled::<Runtime>::hashed_key_for(epochs[1], second);
	let old: (Ppm, bool) = client.storage(&pending, Some(before)).await.unwrap().unwrap();
	assert!(is_unpaid(&client, epochs[1], before).await.unwrap());
	assert_eq!(version_of::<Verification>(&client, before).await.unwrap(), 1);
	keep(&client, "before.scale", before).await.unwrap();
	let issued_before = issuance(&client, before).await.unwrap();
	let apply = RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { code });
	let upgraded = client.submit(&keys::stranger(), apply).await.unwrap().success().unwrap();

	// Then the next block is this runtime's, and took the state over.
	let next = upgraded.number + 1;
	client.finalized_after(upgraded.number).await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	let at = client.block_hash(next).await.unwrap().unwrap();
	let last: LastRuntimeUpgradeInfo = client
		.storage(&LastRuntimeUpgrade::<Runtime>::hashed_key(), Some(at))
		.await
		.unwrap()
		.unwrap();
	assert_eq!(last.spec_version.0, VERSION.spec_version);
	for (version, in_code) in [
		(
			version_of::<Verification>(&client, at).await.unwrap(),
			Verification::in_code_storage_version(),
		),
		(
			version_of::<ValidatorRegistry>(&client, at).await.unwrap(),
			ValidatorRegistry::in_code_storage_version(),
		),
		(version_of::<Council>(&client, at).await.unwrap(), Council::in_code_storage_version()),
	] {
		assert_eq!(in_code, version);
	}
	let record: SettledRecord = client.storage(&pending, Some(at)).await.unwrap().unwrap();
	assert_eq!((record.reputation, record.forced), old);
	assert_eq!(record.stakes, RecordStakes::default());
	let info = drawn(&client, first, at).await.unwrap().unwrap();
	let verdict = Verdict::Unaudited;
	assert!(
		matches!(info.status, DrawnStatus::Decided { verdict: it, canary: false, .. } if it == verdict),
		"{info:?}"
	);
	let weights = pallet_validator_registry::SlotWeights::<Runtime>::hashed_key();
	let weights: Vec<(AccountId, u64)> = client.storage(&weights, Some(at)).await.unwrap().unwrap();
	assert_eq!(weights, [(keys::account(&keys::owner()), 1)]);
	// At most what it takes for the audit pot to exist.
	let minted = issuance(&client, at).await.unwrap().saturating_sub(issued_before);
	assert!(minted <= aria_runtime::parameters::ExistentialDeposit::get(), "{minted}");

	// The chain settles, and seats a council, which pins.
	let (third, _) = network.settle(&client, "And now?", "It goes on.", 3).await.unwrap();
	let [one, another] = keys::workers();
	let members = [one, another, keys::owner()];
	let seat = pallet_collective::Call::set_members {
		new_members: members.iter().map(keys::account).collect(),
		prime: None,
		old_count: 0,
	};
	as_root(&client, RuntimeCall::Council(seat)).await.unwrap();
	let manifest = flow::manifest("another").unwrap();
	let register = pallet_model_registry::Call::<Runtime>::register_model {
		manifest: manifest.to_bytes().try_into().unwrap(),
	};
	client.submit(&keys::owner(), register).await.unwrap().success().unwrap();
	pin_by_council(&client, &members, manifest.model_id()).await.unwrap();
	let (_, head) = client.finalized().await.unwrap();
	let pinned = pallet_model_registry::PinnedModels::<Runtime>::hashed_key();
	let pinned: Vec<ModelId> = client.storage(&pinned, Some(head)).await.unwrap().unwrap();
	assert_eq!(pinned, [network.model.id, manifest.model_id()]);

	// What waited for its draw is drawn, and everything that was earned before is paid.
	eventually("the pay for records of the previous runtime", PATIENCE, || async {
		let (_, head) = client.finalized().await?;
		let mut waits = false;
		for epoch in epochs {
			waits |= is_unpaid(&client, epoch, head).await?;
		}
		Ok((!waits).then_some(()))
	})
	.await
	.unwrap();
	let (number, head) = client.finalized().await.unwrap();
	assert!(drawn(&client, second, head).await.unwrap().is_some());
	keep(&client, "after.scale", head).await.unwrap();

	// A node that begins now goes the same way, and this one finds its database good.
	let address = client.address().await.unwrap();
	let follower = Node::start(Options::follower(&spec, &address)).await.unwrap();
	// Until it has come over the upgrade, it speaks of the version before.
	let copy = eventually("a node of this version", PATIENCE, || async {
		Ok(Client::connect(&follower.url()).await.ok())
	})
	.await
	.unwrap();
	eventually("the same final blocks", PATIENCE, || async {
		Ok((copy.finalized().await?.0 >= number).then_some(()))
	})
	.await
	.unwrap();
	assert_eq!(copy.block_hash(next).await.unwrap(), Some(at));
	assert_eq!(copy.block_hash(number).await.unwrap(), Some(head));
	node.restart().await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	client.finalized_after(number).await.unwrap();
	let (_, head) = client.finalized().await.unwrap();
	let ids = client.record_ids(Some(head)).await.unwrap();
	assert!([first, second, third].iter().all(|id| ids.contains(id)));
}
