//! The part that lends a machine: joins, gets its layers, serves them.

use super::{
	advert::Adverts,
	audit, canary,
	choice::{Choosing, Pick},
	common::Common,
	config::{Config, Layers},
	dispute,
	guard::{Counters, WorkerGuard},
	join::{set_served, Joining},
	patience::AGAIN,
	payments::Payments,
	peers::NetworkDialer,
	presence::Presence,
	restore::{Pace, Restoring},
	serve::Serving,
	sources::NetworkSource,
	stages::Stages,
	unit::{self, Unit, UnitParts},
	watch::{self, Enforced},
};
use crate::{
	audit::{canary::Orders, Verifier},
	dispute::Disputer,
	limits::{cgroup, logical_cpus, Governor, Limits},
	shards::{FetchError, Fetcher, PackageStore},
};
use anyhow::{Context, Result};
use aria_chain_client::Shard;
use aria_energy::{Meter, MeterConfig};
use aria_network::RelayBudget;
use std::{
	collections::BTreeSet,
	io,
	sync::{Arc, Weak},
	time::{Duration, Instant},
};

/// How often it is said that layers are waited for.
const SAY: Duration = Duration::from_secs(60);

/// A worker that serves.
pub struct Worker {
	/// Its units and sessions.
	pub stages: Arc<Stages>,
	/// Its limits.
	pub governor: Arc<Governor>,
	/// Its energy.
	pub meter: Arc<Meter>,
	/// Its packages.
	pub packages: Arc<PackageStore>,
	/// Who may work.
	pub guard: Arc<WorkerGuard>,
	/// What is relayed for others.
	pub relayed: RelayBudget,
	/// Sessions at once.
	pub capacity: usize,
	/// Runs others' records again, if it does.
	pub verifier: Option<Arc<Verifier>>,
	/// Answers that it makes false on purpose.
	pub canaries: Arc<Orders>,
	/// Answers challenges.
	pub presence: Arc<Presence>,
	/// Answers for what it computed and says.
	pub disputer: Arc<Disputer>,
}

/// Gets layers and loads them.
pub struct Loader {
	/// The process.
	pub common: Common,
	/// The packages.
	pub packages: Arc<PackageStore>,
	/// Gets what is missing.
	pub fetcher: Fetcher<NetworkSource>,
	/// What units share.
	pub parts: UnitParts,
	/// Where units are served.
	pub stages: Arc<Stages>,
}

impl Loader {
	/// Fetches what is missing of `pick`, checks it, loads it, and takes orders for it.
	///
	/// # Errors
	/// Peers that do not have it, a full disk, no room in memory.
	pub async fn load(&self, pick: &Pick) -> Result<()> {
		let (bar, progress) = crate::shards::bar("fetching");
		let fetched = self.fetcher.fetch(pick.model, Some(pick.layers), progress).await;
		bar.finish_and_clear();
		fetched.with_context(|| {
			let layers = pick.layers;
			format!("layers {}..{} of model {:?}", layers.first, layers.end, pick.model)
		})?;
		unit::verify(&self.packages, pick.model).await?;
		let package = self.packages.package(&pick.model).context("the package has vanished")?;
		let unit = Unit::load(pick, package, &self.parts).await?;
		self.stages.add(unit);
		self.common.live.touch();
		Ok(())
	}

	/// [`Loader::load`], tried again as long as others may still give what is missing. `None` if the process
	/// is to end meanwhile.
	///
	/// # Errors
	/// A full disk, no room in memory, a package that does not fit its manifest.
	pub async fn load_patiently(&self, pick: &Pick) -> Result<Option<()>> {
		let stop = &self.common.stop;
		let mut said: Option<Instant> = None;
		loop {
			let loaded = tokio::select! {
				() = stop.cancelled() => return Ok(None),
				loaded = self.load(pick) => loaded,
			};
			let error = match loaded {
				Ok(()) => return Ok(Some(())),
				Err(error) => error,
			};
			let Some(missing) = awaited(&error) else { return Err(advised(error)) };
			if said.is_none_or(|said| said.elapsed() >= SAY) {
				tracing::warn!(
					target: "aria::worker",
					reason = format!("{error:#}"),
					"waiting for {missing}; this goes on by itself then"
				);
				said = Some(Instant::now());
			}
			tokio::select! {
				() = stop.cancelled() => return Ok(None),
				() = tokio::time::sleep(AGAIN) => {}
			}
		}
	}

	/// Says on chain what is in memory.
	///
	/// # Errors
	/// What no later try mends.
	pub async fn say(&self) -> Result<Option<()>> {
		let units = self.stages.units();
		let shards =
			joined(units.iter().map(|unit| Shard { model: unit.model, layers: unit.layers }));
		let Common { chain, pair, account, stop, .. } = &self.common;
		set_served(chain, pair, account, shards, stop).await
	}
}

/// What has to come before loading, which failed with `error`, can succeed, if that may come by itself:
/// peers join and come back. If all that there are lied, others may not.
fn awaited(error: &anyhow::Error) -> Option<&'static str> {
	match error.downcast_ref::<FetchError>()? {
		FetchError::NoPeer { .. } => Some("a peer that gives what is missing of the model"),
		FetchError::InUse { .. } => Some("another transfer of the model to end"),
		_ => None,
	}
}

/// Adds what to do where the system's words do not say it.
fn advised(error: anyhow::Error) -> anyhow::Error {
	let full = matches!(
		error.downcast_ref::<FetchError>(),
		Some(FetchError::Io { source, .. })
			if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
	);
	match full {
		true => {
			error.context("the disk is full: free space, then start again; what is here is kept")
		}
		false => error,
	}
}

/// Shards in the chain's order, those that share a layer as one.
fn joined(shards: impl Iterator<Item = Shard>) -> Vec<Shard> {
	let mut sorted: Vec<Shard> = shards.collect();
	sorted.sort_unstable();
	let mut joined: Vec<Shard> = Vec::with_capacity(sorted.len());
	for shard in sorted {
		match joined.last_mut() {
			Some(last) if last.model == shard.model && shard.layers.first < last.layers.end => {
				last.layers.end = last.layers.end.max(shard.layers.end);
			}
			_ => joined.push(shard),
		}
	}
	joined
}

impl Worker {
	/// Joins on chain, gets its layers, and begins to serve. `None` if the process is to end meanwhile.
	///
	/// # Errors
	/// What the contributor has to see to.
	pub async fn start(config: &Config, common: &Common) -> Result<Option<Self>> {
		// Until the chain has said what may be.
		config.network.relayed.set_rate(0);
		if join(config, common).await?.is_none() {
			return Ok(None);
		}
		// Who was asked before a restart answers, however long its layers take to load.
		let presence = Presence::start(common);
		let Some(snapshot) = watch::first(common).await? else { return Ok(None) };
		let consent = match &snapshot.consent {
			Some(version) => version.consent.clone(),
			None => config.terms.consent(&common.account, None),
		};
		let limits = Limits::of(&consent);
		let governor = Governor::new(limits);
		governor.set_paused(common.live.is_paused());
		watch::give(&common.live, &governor, &config.network.relayed);
		let meter = Meter::detect(MeterConfig {
			model: config.power,
			logical_cpus: logical_cpus(),
			..MeterConfig::default()
		});
		let packages = open_packages(config)?;

		let payments = Arc::new(Payments::new(common.chain.clone()));
		let stages = Stages::new(payments.clone());
		let canaries = canary::orders(config);
		let guard = guard(config, common, &payments, &governor, &stages, &canaries);
		let loader = Arc::new(Loader {
			common: common.clone(),
			packages: packages.clone(),
			fetcher: Fetcher::new(
				Arc::new(NetworkSource::new(common.handle.clone(), common.chain.clone())),
				packages.clone(),
				governor.clone(),
			),
			parts: UnitParts {
				pair: common.pair.clone(),
				genesis: common.chain.genesis(),
				governor: governor.clone(),
				meter: meter.clone(),
				guard: guard.clone(),
				dialer: Arc::new(NetworkDialer(common.handle.clone())),
				threads: config.threads,
				kernel: config.kernel.clone(),
				sessions: config.sessions,
			},
			stages: stages.clone(),
		});
		let picks = match load(config, common, &loader, limits.memory_bytes()).await? {
			Some(picks) => picks,
			None => return Ok(None),
		};

		let serving = Serving {
			stages: stages.clone(),
			packages: packages.clone(),
			governor: governor.clone(),
			store: common.store.clone(),
			pair: common.pair.clone(),
		};
		serving.start(&common.handle, &common.shutdown)?;
		if loader.say().await?.is_none() || presence.back().await?.is_none() {
			return Ok(None);
		}
		if watch::first(common).await?.is_none() {
			return Ok(None);
		}
		let confined = confine(config, limits);
		let enforced = Enforced {
			governor: governor.clone(),
			stages: stages.clone(),
			confined,
			relayed: config.network.relayed.clone(),
		};
		tokio::spawn(watch::follow(common.clone(), Some(enforced)));
		tokio::spawn(watch::wake(common.clone()));
		let adverts = Adverts {
			chain: common.chain.clone(),
			handle: common.handle.clone(),
			pair: common.pair.clone(),
			account: common.account.clone(),
			region: config.region,
			capacity: config.sessions,
			live: common.live.clone(),
			stages: stages.clone(),
		};
		tokio::spawn(adverts.run(common.shutdown.clone()));
		let verifier = match config.audit {
			true => Some(audit::verify(config, common, &loader, &governor, &stages, &canaries)?),
			false => None,
		};
		let disputer =
			dispute::defend(config, common, &loader, &governor, &stages, verifier.clone());
		if config.layers == Layers::Auto {
			let pace = Pace::of(config.dev);
			tokio::spawn(Restoring { loader, picks, pace }.run());
		}
		let capacity = usize::from(config.sessions);
		let relayed = config.network.relayed.clone();
		Ok(Some(Self {
			stages,
			governor,
			meter,
			packages,
			guard,
			relayed,
			capacity,
			verifier,
			canaries,
			presence,
			disputer,
		}))
	}
}

async fn join(config: &Config, common: &Common) -> Result<Option<()>> {
	let joining = Joining {
		chain: &common.chain,
		pair: &common.pair,
		account: &common.account,
		identity: &common.identity,
		terms: &config.terms,
		loosen: config.loosen,
		stake: config.stake,
		region: config.region,
		stop: &common.stop,
	};
	joining.join().await
}

/// The store, with the packages that are elsewhere on this machine.
pub(super) fn open_packages(config: &Config) -> Result<Arc<PackageStore>> {
	let packages = PackageStore::open(&config.models_dir())?;
	let mut known = BTreeSet::new();
	for dir in &config.packages {
		if !known.insert(dir) {
			continue;
		}
		match packages.register(dir) {
			Ok(model) => {
				tracing::debug!(target: "aria::worker", ?model, dir = %dir.display(), "a package is here");
			}
			Err(error) => {
				tracing::warn!(target: "aria::worker", %error, dir = %dir.display(), "no package");
			}
		}
	}
	Ok(packages)
}

fn guard(
	config: &Config,
	common: &Common,
	payments: &Arc<Payments>,
	governor: &Arc<Governor>,
	stages: &Arc<Stages>,
	canaries: &Arc<Orders>,
) -> Arc<WorkerGuard> {
	// Units hold the guard, and the guard asks them how many sessions there are.
	let stages: Weak<Stages> = Arc::downgrade(stages);
	Arc::new(WorkerGuard {
		chain: common.chain.clone(),
		live: common.live.clone(),
		payments: payments.clone(),
		governor: governor.clone(),
		store: common.store.clone(),
		sessions: Arc::new(move || stages.upgrade().map_or(0, |stages| stages.sessions())),
		capacity: usize::from(config.sessions),
		canaries: canaries.clone(),
		counters: Counters::default(),
	})
}

/// Chooses, fetches and loads.
async fn load(
	config: &Config,
	common: &Common,
	loader: &Loader,
	memory: u64,
) -> Result<Option<Vec<Pick>>> {
	let choosing = Choosing {
		chain: &common.chain,
		handle: &common.handle,
		packages: &loader.packages,
		account: &common.account,
		models: &config.models,
		layers: config.layers,
		memory,
		stop: &common.stop,
	};
	let Some(picks) = choosing.choose().await? else { return Ok(None) };
	for pick in &picks {
		if loader.load_patiently(pick).await?.is_none() {
			return Ok(None);
		}
	}
	Ok(Some(picks))
}

/// The kernel's fence around this process, where it may have one. On a development chain several
/// workers share a machine, and the budgets within each process do.
fn confine(config: &Config, limits: Limits) -> Option<cgroup::Confined> {
	if config.dev {
		return None;
	}
	match cgroup::confine(limits.cpu_percent, limits.memory_bytes()) {
		Ok(confined) => {
			let path = confined.path().display();
			tracing::info!(target: "aria::worker", %path, "the kernel keeps the limits too");
			Some(confined)
		}
		Err(reason) => {
			tracing::debug!(target: "aria::worker", %reason, "no control group; limits are kept within");
			None
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_primitives::{record::LayerRange, ModelId};

	fn failed(error: FetchError) -> anyhow::Error {
		anyhow::Error::from(error).context("layers 0..2 of a model")
	}

	#[test]
	fn only_what_others_can_mend_should_be_waited_for() {
		let absent = FetchError::NoPeer {
			model: ModelId::zero(),
			what: "manifest.scale".to_owned(),
			tried: "nobody says to have it".to_owned(),
		};
		assert!(awaited(&failed(absent)).is_some_and(|missing| missing.contains("a peer")));
		assert!(awaited(&failed(FetchError::InUse { path: "m".into() })).is_some());
		assert!(awaited(&failed(FetchError::DiskFull { path: "m".into(), missing: 1 })).is_none());
		assert!(awaited(&failed(FetchError::Interrupted)).is_none());
		assert!(awaited(&anyhow::anyhow!("no room in memory")).is_none());
	}

	#[test]
	fn a_full_disk_should_say_what_to_do() {
		let said = |kind: io::ErrorKind| {
			let error = FetchError::Io { path: "m".into(), source: kind.into() };
			format!("{:#}", advised(failed(error)))
		};
		assert!(said(io::ErrorKind::StorageFull).contains("free space, then start again"));
		assert!(!said(io::ErrorKind::PermissionDenied).contains("free space"));
	}

	#[test]
	fn shards_should_not_overlap_on_chain() {
		let shard = |byte, first, end| Shard {
			model: ModelId::repeat_byte(byte),
			layers: LayerRange { first, end },
		};
		let shards = [shard(1, 2, 4), shard(1, 0, 3), shard(1, 4, 6), shard(2, 0, 9)];
		let expected = [shard(1, 0, 4), shard(1, 4, 6), shard(2, 0, 9)];
		assert_eq!(joined(shards.into_iter()), expected);
	}
}
