//! Peers that send garbage, stall, flood, forge and lie, against workers and a gateway that run. What
//! they do is refused, logged and limited; an honest client gets the same answer as before after each,
//! and in the end the books hold its answers and nothing else. A newcomer that fetches its layers from
//! peers that lie is killed while it joins, and again in the middle of that.
#![allow(clippy::unwrap_used)]

mod books;
mod hostile_support;

use aria_e2e::{
	client::eventually,
	cluster::{self, Cluster},
	keys,
};
use aria_network::{
	wire::{pipeline::FromStage, BATCH_PROTOCOL, PIPELINE_PROTOCOL, SHARD_PROTOCOL},
	Identity, Stream,
};
use aria_primitives::record::LayerRange;
use books::Books;
use futures::future::join_all;
use hostile_support::{
	counter,
	floods::{closed, ended, hold, silent_connections, Garbage},
	lines,
	mallory::{join, Mallory, Manner},
	orders::{ask_batch, Forger, Forgery},
	resident, said,
	scene::Scene,
	transfer::Transfer,
	Peer, Target,
};
use sp_core::crypto::Ss58Codec;
use std::{collections::BTreeSet, time::Duration};
use tokio::{net::TcpStream, time::sleep};

/// Lines that an attack may add to a log, however many streams it has.
const LINES: usize = 100;
/// Memory that an attack may take, in bytes; what it sends is a multiple of that.
const MEMORY: u64 = 96 << 20;
/// Streams that a peer may have at once (`docs/protocol/network.md`).
const STREAMS: usize = 256;
/// Streams that one opens beyond that.
const TOO_MANY: usize = 750;
/// Connections that a peer may have at once.
const CONNECTIONS: usize = 8;
/// How long something may take to be noticed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The layers that the hostile worker registers.
const MIDDLE: LayerRange = LayerRange { first: 2, end: 4 };
/// How often the honest client asks until the hostile worker is planned.
const TRIES: usize = 20;
/// What the gateway logs when a stage is lost and somebody else takes it.
const REPLACED: &str = "a stage is replaced";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_peers_should_cost_nobody_anything() {
	let mut scene = Scene::start().await;
	let before = Books::settled(&scene.cluster.client, &scene.ids).await.unwrap();
	let bob = scene.target(0).await;
	let early = Peer::new(scene.genesis());
	early.meet(&bob).await;

	let mut transfer = Transfer::begin(&scene).await;
	garbage(&mut scene, &bob).await;
	let held = streams(&mut scene, &bob).await;
	let silent = connections(&mut scene, &bob).await;
	orders(&mut scene, &bob, &early).await;
	let after = Books::settled(&scene.cluster.client, &scene.ids).await.unwrap();
	assert_eq!(after.added(&before).len(), scene.ids.len() - 1, "records that nobody asked for");

	transfer.help(&scene).await;
	let (transfer, ()) = tokio::join!(transfer.resume(), async {
		let mallory = adverts(&mut scene).await;
		stages(&mut scene, mallory).await;
	});
	transfer.end(&mut scene).await;
	let_go(held, silent).await;

	let after = Books::settled(&scene.cluster.client, &scene.ids).await.unwrap();
	let asked: BTreeSet<_> = scene.ids.iter().copied().collect();
	assert_eq!(after.ids(), asked, "the records of honest answers");
	let honest: Vec<_> = (0..scene.cluster.workers.len()).map(Cluster::account).collect();
	for record in after.records.values() {
		assert!(record.body.stages.iter().all(|stage| honest.contains(&stage.node)));
	}
	assert_eq!(after.earned(&keys::account(&keys::seeded("mallory"))), 0);
	assert_eq!(scene.cluster.fallen(), None);
}

/// Frames of no message, on every protocol.
async fn garbage(scene: &mut Scene, bob: &Target) {
	let worker = &scene.cluster.workers[0];
	let (memory, log) = (resident(worker), lines(worker));
	let peer = Peer::new(scene.genesis());
	for protocol in [PIPELINE_PROTOCOL, SHARD_PROTOCOL, BATCH_PROTOCOL] {
		let thrown = Garbage::ALL.iter().map(|garbage| garbage.throw(&peer, bob, protocol));
		join_all(thrown).await;
	}
	let refused = ask_batch(&peer, bob, vec![Cluster::account(0)], Vec::new()).await;
	assert!(refused.contains("no entry"), "{refused}");

	let worker = &scene.cluster.workers[0];
	if let (Some(before), Some(after)) = (memory, resident(worker)) {
		assert!(after.saturating_sub(before) < MEMORY, "{before} bytes before, {after} after");
	}
	assert!(said(worker, "a request is refused") > 0, "{}", worker.log_tail());
	assert!(lines(worker) - log < LINES);
	scene.ask("after garbage").await;
}

/// More streams than a peer may have, on which nothing is said, and some on which half is. They are
/// held while the honest client asks.
async fn streams(scene: &mut Scene, bob: &Target) -> Vec<(Peer, Vec<Stream>)> {
	let log = lines(&scene.cluster.workers[0]);
	let refused = counter(&scene.cluster.workers[0], "streams_refused_total").await;
	let (flood, stall) = (Peer::new(scene.genesis()), Peer::new(scene.genesis()));
	let flooded = hold(&flood, bob, PIPELINE_PROTOCOL, STREAMS + TOO_MANY, &[]).await;
	let stalled = hold(&stall, bob, BATCH_PROTOCOL, 40, &[0, 4, 0, 0, 1]).await;
	assert_eq!(stalled.refused, 0);
	let shards = hold(&stall, bob, SHARD_PROTOCOL, 8, &[0, 1, 0, 0, 1]).await;
	scene.ask("while streams are held").await;
	drop(shards);

	assert!(flooded.streams.len() <= STREAMS, "{} streams of one peer", flooded.streams.len());
	let worker = &scene.cluster.workers[0];
	let more = counter(worker, "streams_refused_total").await - refused;
	assert!(more >= 100, "{more} streams were refused");
	assert!(lines(worker) - log < LINES);
	vec![(flood, flooded.streams), (stall, stalled.streams)]
}

/// More connections than one peer may have, and many on which nobody says who they are.
async fn connections(scene: &mut Scene, bob: &Target) -> Vec<TcpStream> {
	let log = lines(&scene.cluster.workers[0]);
	let identity = Identity::generate();
	let clones: Vec<Peer> =
		(0..CONNECTIONS + 4).map(|_| Peer::with(identity.clone(), scene.genesis(), &[])).collect();
	// Those beyond the limit see their connection end.
	let _ = join_all(clones.iter().map(|clone| clone.open(bob, PIPELINE_PROTOCOL))).await;
	sleep(Duration::from_secs(1)).await;
	let connected = clones.iter().filter(|clone| !clone.handle.connected_peers().is_empty());
	let connected = connected.count();
	assert!((1..=CONNECTIONS).contains(&connected), "{connected} connections of one peer");
	drop(clones);

	let silent = silent_connections(bob, 200).await;
	assert!(!silent.is_empty());
	scene.ask("while connections are held").await;
	assert!(lines(&scene.cluster.workers[0]) - log < LINES);
	silent
}

/// Orders that nobody pays for, many at once.
async fn orders(scene: &mut Scene, bob: &Target, peer: &Peer) {
	let log = lines(&scene.cluster.workers[0]);
	let forger = Forger::new(scene).await;
	let mut refused = 0;
	for round in 0..10 {
		let mut sent = Vec::new();
		for forgery in Forgery::ALL {
			sent.extend((0..4).map(|more| forger.send(peer, bob, forgery, 4 * round + more)));
		}
		for answer in join_all(sent).await.into_iter().flatten() {
			assert!(matches!(answer, FromStage::Refused(_)), "{answer:?}");
			refused += 1;
		}
	}
	assert!(refused >= 100, "{refused} of 200 orders were refused in words");
	assert_eq!(scene.sessions(0).await, 0);
	let worker = &scene.cluster.workers[0];
	assert!(said(worker, "refused") > 0, "{}", worker.log_tail());
	let more = lines(worker) - log;
	assert!(more < LINES, "{more} lines for 200 orders");
	scene.ask("after forged orders").await;
}

/// Adverts of somebody who is not registered, of somebody else, of layers that the chain does not
/// have, and one that ends. Gives back a hostile worker that then says no more than the chain does.
async fn adverts(scene: &mut Scene) -> Mallory {
	let (genesis, model) = (scene.genesis(), scene.cluster.model);
	let hidden = cluster::manifest(&scene.cluster.spec.package).unwrap().hidden;
	let all = LayerRange { first: 0, end: 6 };
	let gateway = Target::of(&scene.cluster.gateway).await;
	let targets = [gateway.clone(), scene.target(2).await, scene.target(3).await];

	let stranger = Mallory::start(genesis, keys::seeded("stranger"), 1, hidden);
	stranger.advertise(&genesis, model, all, 8).await;
	stranger.meet(&targets[..1]).await;
	scene.until(&stranger.address(), &[Some("not_registered")]).await;

	let impostor = Mallory::start(genesis, cluster::pair(0), 1, hidden);
	impostor.advertise(&genesis, model, all, 120).await;
	impostor.meet(&targets[..1]).await;
	let fetched = || async {
		let asked = impostor.peer.handle.metrics().streams_in > 0;
		Ok(asked.then_some(()))
	};
	eventually("a question for the impostor's advert", PATIENCE, fetched).await.unwrap();
	sleep(Duration::from_millis(500)).await;
	let plan = scene.cluster.gateway.plan().await.unwrap();
	let stages = plan["stages"].as_array().unwrap();
	let bob = Cluster::account(0).to_ss58check();
	assert!(stages.len() == 3 && stages[0]["node"] == bob && stages[0]["end"] == 2, "{plan:#}");
	scene.ask("with an impostor").await;
	assert_eq!(stranger.orders() + impostor.orders(), 0);
	drop(impostor);

	let (pair, peer) = (keys::seeded("mallory"), Peer::new(genesis));
	let consent = join(&scene.cluster.client, &pair, &peer, model, MIDDLE).await;
	let mallory = Mallory::with(peer, pair, consent, hidden);
	// The gateway asks again in half of the time.
	mallory.advertise(&genesis, model, all, 8).await;
	mallory.meet(&targets).await;
	scene.until(&mallory.address(), &[Some("layers_not_served")]).await;
	scene.ask("with an advert of layers that are not on chain").await;
	assert_eq!(mallory.orders(), 0);
	mallory.advertise(&genesis, model, MIDDLE, 120).await;

	// The stranger is still connected, and its word has come to its end.
	scene.until(&stranger.address(), &[None]).await;
	assert!(stranger.peer.handle.connected_peers().contains(&gateway.key));
	mallory
}

/// A registered worker that accepts orders and then lies, or is silent: it is replaced, and the client
/// sees nothing of it.
///
/// Who was caught comes last for a while, so that each lie has a worker of its own.
async fn stages(scene: &mut Scene, first: Mallory) {
	let genesis = scene.genesis();
	let mut first = Some(first);
	let mut caught: Vec<Mallory> = Vec::new();
	for manner in Manner::ALL {
		let mallory = match first.take() {
			Some(mallory) => mallory,
			None => another(scene, &format!("mallory {manner:?}")).await,
		};
		mallory.be(manner);
		mallory.advertise(&genesis, scene.cluster.model, MIDDLE, 120).await;
		scene.until(&mallory.address(), &[Some("stage"), Some("standby")]).await;
		let (orders, replaced) = (mallory.orders(), said(&scene.cluster.gateway, REPLACED));
		for _ in 0..TRIES {
			scene.ask(&format!("with a worker that is {manner:?}")).await;
			if mallory.orders() > orders {
				break;
			}
		}
		assert!(mallory.orders() > orders, "{manner:?}: it was never planned");
		let now = said(&scene.cluster.gateway, REPLACED);
		assert!(now > replaced, "{manner:?}: {}", scene.cluster.gateway.log_tail());
		let orders = mallory.orders();
		scene.ask(&format!("after a worker was {manner:?}")).await;
		assert_eq!(mallory.orders(), orders, "{manner:?}: asked again at once");
		caught.push(mallory);
	}
	let last = &scene.cluster.workers[2..4];
	let blamed: usize = last.iter().map(|worker| said(worker, "stage 1 has sent")).sum();
	assert!(blamed >= 3, "{}\n{}", last[0].log_tail(), last[1].log_tail());
	assert!(last.iter().all(|worker| lines(worker) < 10 * LINES));
}

/// One more registered worker of theirs, which is known to gateway and workers.
async fn another(scene: &Scene, name: &str) -> Mallory {
	let (genesis, model) = (scene.genesis(), scene.cluster.model);
	let hidden = cluster::manifest(&scene.cluster.spec.package).unwrap().hidden;
	let (pair, peer) = (keys::seeded(name), Peer::new(genesis));
	let consent = join(&scene.cluster.client, &pair, &peer, model, MIDDLE).await;
	let mallory = Mallory::with(peer, pair, consent, hidden);
	let gateway = Target::of(&scene.cluster.gateway).await;
	mallory.meet(&[gateway, scene.target(2).await, scene.target(3).await]).await;
	mallory
}

/// Workers end what stalls by themselves.
async fn let_go(held: Vec<(Peer, Vec<Stream>)>, mut silent: Vec<TcpStream>) {
	for (_peer, mut streams) in held {
		let count = streams.len();
		assert_eq!(ended(&mut streams, Duration::from_secs(25)).await, count, "streams stay");
	}
	let count = silent.len();
	assert_eq!(closed(&mut silent, Duration::from_secs(15)).await, count, "connections stay");
}
