//! A newcomer that fetches a model from peers which send something else than its bytes, and that is
//! killed on the way: while it joins, and in the middle of the transfer.

use super::{
	counter, said,
	scene::Scene,
	shards::{arrived, random_model, same_files, size, FalseSource, Lie},
	Target,
};
use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster},
	flow,
	worker::{Options, Worker},
};
use aria_primitives::{manifest::Manifest, record::LayerRange, AccountId};
use aria_runtime::{Runtime, RuntimeEvent};
use pallet_worker_registry::Workers;
use std::{
	future::Future,
	path::PathBuf,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// The model's name on chain.
const RANDOM: &str = "aria-random";
/// The indices of who fetches it, and of who has it.
const NEWCOMER: usize = 4;
const HONEST: usize = 5;
/// Megabits a second of the newcomer, for which its transfer takes nine seconds.
const SLOW: &str = "4";
/// How long something may take that takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked for what passes by.
const GLIMPSE: Duration = Duration::from_millis(2);
/// What a newcomer logs before it sends what it joins with.
const JOINING: &str = "the consent is set to";
/// What it logs of a peer that lies, and of one that breaks off.
const DROPPED: &str = "a peer is dropped";
const FAILED: &str = "a peer fails";
/// Lines that liars may add to its log.
const LINES: usize = 100;
/// What is read beside the bytes that are missing, at most: false chunks of a peer that was not found
/// out yet in this life, chunks that were written and not yet noted, adverts.
const SLACK: u64 = 512 << 10;

/// A newcomer that fetches a model from peers which send something else than its bytes.
pub struct Transfer {
	package: PathBuf,
	manifest: Manifest,
	near: Target,
	liars: Vec<FalseSource>,
	newcomer: Worker,
	honest: Option<Worker>,
	_folder: TempDir,
}

impl Transfer {
	/// Nobody is there but liars. The newcomer is killed twice while it joins.
	pub async fn begin(scene: &Scene) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let package = folder.path().join("package");
		let manifest = random_model(&package);
		let client = &scene.cluster.client;
		flow::add_model(client, &manifest, RANDOM).await.unwrap();
		cluster::fund(client, HONEST + 1).await.unwrap();
		// Floods are for another one.
		let near = scene.target(3).await;
		let mut liars = Vec::new();
		for lie in Lie::ALL {
			let liar = FalseSource::start(scene.genesis(), &near, &package, &manifest, lie);
			liars.push(liar.await);
		}
		let newcomer = Options::new(&cluster::suri(NEWCOMER))
			.args(["--serve", RANDOM, "--layers", "0..3"])
			.args(["--cpu-percent", "100", "--bandwidth", SLOW])
			.bootstrap(&near.address.to_string());
		let mut newcomer = Worker::spawn(&scene.cluster.node.url(), newcomer).unwrap();
		killed_while_it_joins(client, &mut newcomer).await;
		Self { package, manifest, near, liars, newcomer, honest: None, _folder: folder }
	}

	/// Once all of them were found out, somebody honest comes.
	pub async fn help(&mut self, scene: &Scene) {
		let found_out = || async {
			let asked = self.liars.iter().all(|liar| liar.asked() > 0);
			let dropped = said(&self.newcomer, DROPPED) >= 2 && said(&self.newcomer, FAILED) > 0;
			Ok((asked && dropped).then_some(()))
		};
		let seen = eventually("all lies in the newcomer's log", PATIENCE, found_out).await;
		assert!(seen.is_ok(), "{seen:?}\n{}", self.newcomer.log_tail());
		let layers = LayerRange { first: 0, end: self.manifest.layers };
		let honest = Options::worker(&cluster::suri(HONEST), RANDOM, layers, &self.package)
			.bootstrap(&self.near.address.to_string());
		self.honest = Some(Worker::spawn(&scene.cluster.node.url(), honest).unwrap());
	}

	/// Killed in the middle, the newcomer goes on where it was: it fetches what is missing, and becomes
	/// ready.
	pub async fn resume(mut self) -> Self {
		let all = size(&self.package);
		let begun = || async { Ok((self.arrived() >= all / 3).then_some(())) };
		let seen = eventually("a third of the model at the newcomer", PATIENCE, begun).await;
		assert!(seen.is_ok(), "{seen:?}\n{}", self.newcomer.log_tail());
		self.newcomer.kill9().unwrap();
		let here = self.arrived();
		assert!(here < all / 10 * 9, "it was as good as there: {here} of {all} bytes");

		self.newcomer.restart().await.unwrap();
		let read = counter(&self.newcomer, "network_bytes_in_total").await;
		let missing = all - here;
		assert!(read < missing + SLACK, "{read} bytes were read, and {missing} of {all} missing");
		self
	}

	/// The newcomer has exactly what the model's maker wrote, serves it, and joined once.
	pub async fn end(mut self, scene: &mut Scene) {
		let honest = self.honest.as_mut().unwrap();
		honest.ready().await.unwrap();
		same_files(&self.newcomer.base(), self.manifest.model_id(), &self.package);
		let status = self.newcomer.status().await.unwrap();
		assert_eq!(status["models"][0]["end"], 3, "{status:#}");
		let complaints = said(&self.newcomer, DROPPED) + said(&self.newcomer, FAILED);
		assert!(complaints < LINES, "{complaints} complaints");

		let client = &scene.cluster.client;
		let account = Cluster::account(NEWCOMER);
		let joined = joined(client, &account).await;
		assert_eq!(joined, (1, 1), "consents and registrations of a newcomer killed twice");
		let undisturbed = honest.status().await.unwrap();
		assert_eq!(status["worker"]["stake"], undisturbed["worker"]["stake"], "{status:#}");
		let holds = |account: AccountId| async move {
			client.account(&account, None).await.unwrap().data.reserved
		};
		assert_eq!(holds(account).await, holds(Cluster::account(HONEST)).await, "on hold");
		scene.ask("after false shards").await;
	}

	/// Bytes of the model that the newcomer has.
	fn arrived(&self) -> u64 {
		arrived(&self.newcomer.base(), self.manifest.model_id(), &self.package)
	}
}

/// Kills a newcomer as soon as it says that it joins, whatever of that has left it, and once more when
/// the chain has it, whether or not it knows. Then it is left alone.
async fn killed_while_it_joins(client: &Client, newcomer: &mut Worker) {
	let watched = &*newcomer;
	let joins = || async move { said(watched, JOINING) > 0 };
	assert!(soon(joins).await, "it does not join:\n{}", newcomer.log_tail());
	again(newcomer).await;

	let key = &Workers::<Runtime>::hashed_key_for(Cluster::account(NEWCOMER));
	// There is a value, whatever it holds.
	let known = || async move { client.storage::<()>(key, None).await.unwrap().is_some() };
	assert!(soon(known).await, "it is not on chain:\n{}", newcomer.log_tail());
	again(newcomer).await;
}

/// Whether something happens that passes by quickly.
async fn soon<F: Future<Output = bool>>(look: impl Fn() -> F) -> bool {
	let deadline = Instant::now() + PATIENCE;
	while !look().await {
		if Instant::now() > deadline {
			return false;
		}
		sleep(GLIMPSE).await;
	}
	true
}

/// Kills it as `kill -9` does and starts it on its folder, without waiting until it is ready.
async fn again(worker: &mut Worker) {
	// All but the wait is done when it is first looked at.
	if let Ok(ended) = timeout(Duration::ZERO, worker.restart()).await {
		ended.unwrap();
	}
}

/// How often an account has set its first consent, and how often it was registered as a worker.
async fn joined(client: &Client, account: &AccountId) -> (usize, usize) {
	use pallet_consent_registry::Event::ConsentSet;
	use pallet_worker_registry::Event::Registered;
	let (mut consents, mut registrations) = (0, 0);
	let (last, _) = client.finalized().await.unwrap();
	for number in 1..=last {
		let block = client.block_hash(number).await.unwrap().unwrap();
		for record in client.events(block).await.unwrap() {
			match record.event {
				RuntimeEvent::ConsentRegistry(ConsentSet { worker, .. }) if worker == *account => {
					consents += 1;
				}
				RuntimeEvent::WorkerRegistry(Registered { worker, .. }) if worker == *account => {
					registrations += 1;
				}
				_ => {}
			}
		}
	}
	(consents, registrations)
}
