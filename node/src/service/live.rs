//! Chains of several nodes: BABE's lottery makes blocks, GRANDPA's votes make them final.

use super::{Authoring, FullPool, GrandpaLink, Inherents, JUSTIFICATION_PERIOD};
use aria_runtime::{opaque::Block, BlockNumber, Hash};
use sc_consensus_babe::{BabeParams, SlotProportion};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
	config::FullNetworkConfiguration,
	service::{
		traits::{NetworkService, NotificationService},
		NotificationMetrics,
	},
	Litep2pNetworkBackend, ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::{config::Role, Error as ServiceError, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{inherents::InherentDataProvider as SlotProvider, SlotDuration};
use sp_keystore::KeystorePtr;
use sp_timestamp::InherentDataProvider as TimestampProvider;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// How long a vote is expected to travel. GRANDPA's rounds take a few of these.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// The part of a slot in which an author may fill its block; the rest is for the block's way to the
/// others.
const PROPOSAL_PART_OF_SLOT: f32 = 2.0 / 3.0;

/// GRANDPA's place in the network.
pub(super) struct Protocol {
	name: ProtocolName,
	notifications: Box<dyn NotificationService>,
}

/// Adds GRANDPA's protocol to a network that is not built yet.
pub(super) fn register_protocol(
	net_config: &mut FullNetworkConfiguration<Block, Hash, Litep2pNetworkBackend>,
	metrics: NotificationMetrics,
	name: ProtocolName,
) -> Protocol {
	let (config, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<
		Block,
		Litep2pNetworkBackend,
	>(name.clone(), metrics, net_config.peer_store_handle());
	net_config.add_notification_protocol(config);
	Protocol { name, notifications }
}

/// What the clock says, as the runtime wants to hear it: the slot, and milliseconds since 1970.
pub(super) fn inherents(slot_duration: SlotDuration) -> Inherents {
	Arc::new(move |_parent: Hash, _: ()| async move {
		let now = TimestampProvider::from_system_time();
		let slot = SlotProvider::from_timestamp_and_slot_duration(*now, slot_duration);
		Ok::<_, Box<dyn std::error::Error + Send + Sync>>((slot, now))
	})
}

/// Makes blocks in the slots that the keystore's keys win.
///
/// With `force`, also while no peer is connected and however far finality lags behind.
pub(super) fn author(
	tasks: &TaskManager,
	authoring: Authoring,
	sync: Arc<SyncingService<Block>>,
	force: bool,
) -> Result<(), ServiceError> {
	let env = authoring.proposer(tasks);
	let backoff = (!force).then(BackoffAuthoringOnFinalizedHeadLagging::<BlockNumber>::default);

	let babe = sc_consensus_babe::start_babe(BabeParams {
		keystore: authoring.keystore,
		client: authoring.client,
		select_chain: authoring.select_chain,
		env,
		block_import: authoring.block_import,
		sync_oracle: sync.clone(),
		justification_sync_link: sync,
		create_inherent_data_providers: authoring.inherents,
		force_authoring: force,
		backoff_authoring_blocks: backoff,
		babe_link: authoring.babe_link,
		block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PART_OF_SLOT),
		max_block_proposal_slot_portion: None,
		telemetry: authoring.telemetry,
	})?;
	tasks.spawn_essential_handle().spawn_blocking("babe-proposer", Some("block-authoring"), babe);
	Ok(())
}

/// What a voter needs.
pub(super) struct Voting {
	pub protocol: Protocol,
	pub link: GrandpaLink,
	pub role: Role,
	pub node_name: String,
	pub keystore: KeystorePtr,
	pub network: Arc<dyn NetworkService>,
	pub sync: Arc<SyncingService<Block>>,
	pub pool: Arc<FullPool>,
	pub voter_state: SharedVoterState,
	pub registry: Option<Registry>,
	pub telemetry: Option<TelemetryHandle>,
}

/// Takes part in GRANDPA: validators vote with the keystore's keys, others follow the votes.
pub(super) fn vote(tasks: &TaskManager, voting: Voting) -> Result<(), ServiceError> {
	let config = sc_consensus_grandpa::Config {
		gossip_duration: GOSSIP_DURATION,
		justification_generation_period: JUSTIFICATION_PERIOD,
		observer_enabled: false,
		local_role: voting.role,
		name: Some(voting.node_name),
		keystore: voting.role.is_authority().then_some(voting.keystore),
		telemetry: voting.telemetry.clone(),
		protocol_name: voting.protocol.name,
	};
	let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
		config,
		link: voting.link,
		network: voting.network,
		sync: voting.sync,
		notification_service: voting.protocol.notifications,
		voting_rule: VotingRulesBuilder::default().build(),
		prometheus_registry: voting.registry,
		shared_voter_state: voting.voter_state,
		telemetry: voting.telemetry,
		offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(voting.pool),
	})?;
	tasks.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
	Ok(())
}
