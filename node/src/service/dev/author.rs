//! Claims a slot for a block, and signs it.

use crate::service::FullClient;
use aria_runtime::{opaque::Block, BlockNumber, Hash};
use sc_consensus::BlockImportParams;
use sc_consensus_babe::{
	authorship::claim_slot, find_pre_digest, BabeConfiguration, BabeIntermediate,
	CompatibleDigestItem, Epoch, INTERMEDIATE_KEY,
};
use sc_consensus_epochs::{descendent_query, SharedEpochChanges, ViableEpochDescriptor};
use sc_consensus_manual_seal::{ConsensusDataProvider, Error};
use sp_api::StorageProof;
use sp_consensus_babe::{inherents::BabeInherentData, Slot};
use sp_core::crypto::key_types::BABE;
use sp_inherents::InherentData;
use sp_keystore::KeystorePtr;
use sp_runtime::{
	traits::{Block as BlockT, Header as _},
	Digest, DigestItem,
};
use std::sync::Arc;

type Header = <Block as BlockT>::Header;
type Descriptor = ViableEpochDescriptor<Hash, BlockNumber, Epoch>;

/// Makes a proposed block a BABE block: the claim of its slot goes in front, the author's signature
/// behind. A slot that belongs to an authority whose key is not here is left alone, so the author
/// that the chain names is always the one who signed.
pub struct SlotAuthor {
	client: Arc<FullClient>,
	keystore: KeystorePtr,
	epoch_changes: SharedEpochChanges<Block, Epoch>,
	/// The genesis epoch's; later ones are in `epoch_changes`.
	config: BabeConfiguration,
}

impl SlotAuthor {
	pub fn new(
		client: Arc<FullClient>,
		keystore: KeystorePtr,
		epoch_changes: SharedEpochChanges<Block, Epoch>,
		config: BabeConfiguration,
	) -> Self {
		Self { client, keystore, epoch_changes, config }
	}

	/// The epoch of a child of `parent` in `slot`; after a gap, the one that is used again.
	fn epoch(&self, parent: &Header, slot: Slot) -> Result<(Descriptor, Epoch), Error> {
		let changes = self.epoch_changes.shared_data();
		let descriptor = changes
			.epoch_descriptor_for_child_of(
				descendent_query::<_, Block>(&*self.client),
				&parent.hash(),
				*parent.number(),
				slot,
			)
			.map_err(|error| Error::StringError(format!("no epoch for slot {slot}: {error}")))?
			.ok_or(sp_consensus::Error::InvalidAuthoritiesSet)?;
		let epoch = changes
			.viable_epoch(&descriptor, |slot| Epoch::genesis(&self.config, slot))
			.ok_or(sp_consensus::Error::InvalidAuthoritiesSet)?
			.as_ref()
			.clone();
		Ok((descriptor, epoch))
	}
}

impl ConsensusDataProvider<Block> for SlotAuthor {
	fn create_digest(&self, parent: &Header, inherents: &InherentData) -> Result<Digest, Error> {
		let slot = inherents
			.babe_inherent_data()?
			.ok_or_else(|| Error::StringError("the block has no slot".into()))?;
		let (_, epoch) = self.epoch(parent, slot)?;
		let (claim, _) = claim_slot(slot, &epoch, &self.keystore).ok_or_else(|| {
			Error::StringError(format!(
				"slot {slot} belongs to a validator whose key is not in this node's keystore: \
				 insert it with `key insert`, or wait for a slot of another one"
			))
		})?;
		Ok(Digest { logs: vec![<DigestItem as CompatibleDigestItem>::babe_pre_digest(claim)] })
	}

	fn append_block_import(
		&self,
		parent: &Header,
		params: &mut BlockImportParams<Block>,
		_inherents: &InherentData,
		_proof: StorageProof,
	) -> Result<(), Error> {
		let claim = find_pre_digest::<Block>(&params.header)
			.map_err(|error| Error::StringError(error.to_string()))?;
		let (epoch_descriptor, epoch) = self.epoch(parent, claim.slot())?;
		let (author, _) = usize::try_from(claim.authority_index())
			.ok()
			.and_then(|index| epoch.authorities.get(index))
			.ok_or(sp_consensus::Error::InvalidAuthoritiesSet)?;

		let signature = self
			.keystore
			.sr25519_sign(BABE, author.as_ref(), params.header.hash().as_ref())
			.map_err(|error| sp_consensus::Error::CannotSign(error.to_string()))?
			.ok_or_else(|| {
				sp_consensus::Error::CannotSign(format!("the key of {author:?} has gone"))
			})?;

		params.post_digests.push(<DigestItem as CompatibleDigestItem>::babe_seal(signature.into()));
		params
			.insert_intermediate(INTERMEDIATE_KEY, BabeIntermediate::<Block> { epoch_descriptor });
		Ok(())
	}
}
