//! What blocks are filled with, and filling them.

use crate::{
	chain::{Chain, Site},
	draft::{Built, Push},
	world::{
		account, bounded, manifest, register, seeded, Balances, Market, Pair, Workers, World,
		LAYERS, MOST_LAYERS,
	},
};
use anyhow::{ensure, Result};
use aria_primitives::{
	query::Sampling,
	record::{LayerRange, MAX_STAGES},
	ticket::AuditMode,
};
use aria_runtime::{
	parameters::{ExistentialDeposit, MaxServed, RuntimeBlockLength},
	Address, RuntimeCall,
};
use frame_support::dispatch::DispatchClass;
use pallet_inference_market::RequestPrompt;
use pallet_worker_registry::ServedShard;

/// Records of the largest batch that is tried.
const MOST_ENTRIES: usize = 256;
/// Bytes of the longest remark that is tried.
const MOST_REMARK: usize = 1024 * 1024;
/// Bytes of a request's prompt: as many as may be.
const PROMPT_BYTES: usize = 2 * 1024;
/// Shards that a worker serves: as many as may be.
const MOST_SHARDS: usize = MaxServed::get() as usize;
/// Requests with the same deadline; four less than may be.
const SAME_DEADLINE: u64 = 60;
/// Bytes of a block beside its signed extrinsics, at most: header, digests, inherents.
const BLOCK_OVERHEAD: usize = 1024;

/// What a block is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
	/// `settle` of records with so many stages.
	Settle(usize),
	/// `settle_batch` of records with so many stages each.
	SettleBatch(usize),
	/// `register_model` with manifests of almost 16 KiB.
	RegisterModel,
	/// `set_served` with as many shards as may be.
	SetServed,
	/// `request` with the longest prompt.
	Request,
	/// `transfer_keep_alive` to accounts that did not exist.
	Transfer,
	/// `remark_with_event`, as long as fits.
	Remark,
}

/// What keeps a block from being longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
	/// The weight of normal calls.
	Weight,
	/// The length of normal calls.
	Length,
}

/// A signed call.
struct Item {
	signer: Pair,
	call: RuntimeCall,
	/// Records that it settles.
	records: u64,
	/// Signatures that the runtime checks for it, the transaction's own among them.
	signatures: u64,
}

/// A block that takes no more.
pub struct Full {
	/// The block.
	pub built: Built,
	/// Records that it settles.
	pub records: u64,
	/// Signatures that the runtime checks for it.
	pub signatures: u64,
	/// What kept it from being longer.
	pub limit: Limit,
}

impl Load {
	/// The loads that settle records.
	pub const SETTLING: [Self; 4] =
		[Self::Settle(1), Self::Settle(4), Self::SettleBatch(1), Self::SettleBatch(3)];

	/// Loads that might make a block heavier than its weight says.
	pub const HEAVY: [Self; 6] = [
		Self::Settle(MAX_STAGES as usize),
		Self::RegisterModel,
		Self::SetServed,
		Self::Request,
		Self::Transfer,
		Self::Remark,
	];

	/// How tables call it.
	pub fn name(self) -> String {
		match self {
			Self::Settle(1) => "settle, 1 stage".into(),
			Self::Settle(stages) => format!("settle, {stages} stages"),
			Self::SettleBatch(1) => "settle_batch, 1 stage".into(),
			Self::SettleBatch(stages) => format!("settle_batch, {stages} stages"),
			Self::RegisterModel => "register_model, 16 KiB".into(),
			Self::SetServed => format!("set_served, {MOST_SHARDS} shards"),
			Self::Request => "request, 2 KiB".into(),
			Self::Transfer => "transfer, new accounts".into(),
			Self::Remark => "remark, longest".into(),
		}
	}

	/// The size with which filling begins: entries of a batch, bytes of a remark.
	fn most(self) -> usize {
		match self {
			Self::SettleBatch(_) => MOST_ENTRIES,
			Self::Remark => MOST_REMARK,
			_ => 1,
		}
	}

	fn item(self, world: &mut World, site: &Site, size: usize) -> Result<Item> {
		let plain =
			|signer: &Pair, call| Item { signer: signer.clone(), call, records: 0, signatures: 1 };
		Ok(match self {
			Self::Settle(stages) => {
				let settlement = Box::new(world.settlement(site, stages)?);
				Item {
					signer: world.submitter.clone(),
					call: Market::settle { settlement }.into(),
					records: 1,
					// The transaction, the ticket, the gateway and the stages.
					signatures: 3 + stages as u64,
				}
			}
			Self::SettleBatch(stages) => {
				let batch = Box::new(world.batch(site, size, stages)?);
				let (entries, signers) = (batch.entries.len(), batch.signatures.len());
				Item {
					signer: world.submitter.clone(),
					call: Market::settle_batch { batch }.into(),
					records: entries as u64,
					signatures: (1 + entries + signers) as u64,
				}
			}
			Self::RegisterModel => {
				let manifest = manifest(MOST_LAYERS, world.next())?;
				plain(&world.owner, register(&manifest)?)
			}
			Self::SetServed => {
				let shards = world.models.iter().flat_map(|model| {
					(0..LAYERS).map(move |first| ServedShard {
						model: *model,
						layers: LayerRange { first, end: first + 1 },
					})
				});
				let shards = bounded(shards.take(MOST_SHARDS).collect())?;
				let turn = world.next() as usize % world.workers.len();
				plain(&world.workers[turn], Workers::set_served { shards }.into())
			}
			Self::Request => {
				let made = world.next();
				let call = Market::request {
					model_id: world.models[0],
					prompt: RequestPrompt::Text(bounded(vec![b'a'; PROMPT_BYTES])?),
					sampling: Sampling::GREEDY,
					max_tokens: 256,
					max_price: ExistentialDeposit::get(),
					deadline: site.number + 200 + u32::try_from(made / SAME_DEADLINE)?,
					audit_mode: AuditMode::Any,
				};
				let turn = made as usize % world.requesters.len();
				plain(&world.requesters[turn].account, call.into())
			}
			Self::Transfer => {
				let receiver = seeded("receiver", world.next() as usize);
				let call = Balances::transfer_keep_alive {
					dest: Address::Id(account(&receiver)),
					value: ExistentialDeposit::get() * 2,
				};
				plain(&world.submitter, RuntimeCall::Balances(call))
			}
			Self::Remark => {
				let remark = vec![0x5a; size];
				let call = frame_system::Call::remark_with_event { remark };
				plain(&world.submitter, RuntimeCall::System(call))
			}
		})
	}
}

/// Fills the next block until it takes no more, with the largest calls that fit and then with
/// smaller ones. The chain is as it was.
pub fn fill(chain: &Chain, world: &mut World, load: Load) -> Result<Full> {
	let site = chain.site();
	let mut draft = chain.draft()?;
	let (mut records, mut signatures, mut size) = (0u64, 0u64, load.most());
	let limit = loop {
		let item = load.item(world, &site, size)?;
		match draft.push(&item.signer, item.call)? {
			Push::Taken => {
				records += item.records;
				signatures += item.signatures;
			}
			Push::Full(_) if size > 1 => size /= 2,
			Push::Full(bytes) => {
				let length = draft.bytes() + bytes + BLOCK_OVERHEAD;
				break if length > most_bytes() { Limit::Length } else { Limit::Weight };
			}
		}
	};
	let built = draft.finish()?;
	let settled = built.settled()?;
	ensure!(
		settled == records,
		"{records} records were to be settled in a block, and {settled} were"
	);
	Ok(Full { built, records, signatures, limit })
}

/// Bytes that the normal calls of a block may have.
pub fn most_bytes() -> usize {
	*RuntimeBlockLength::get().max.get(DispatchClass::Normal) as usize
}
