//! Workers behind NAT, in network namespaces: two at home that AutoNAT tells so, one that never listens,
//! and a public worker that relays to them, compute answers together.
#![allow(clippy::unwrap_used)]

mod nat_support;

use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, planned, Cluster, SHIPPED},
	flow,
	node::Node,
	openai::{Answer, Api},
	worker::{Options, Worker},
};
use aria_primitives::{record::LayerRange, AccountId};
use nat_support::{
	doors::{attend, Doors},
	obstacle,
	town::{Town, PUBLIC},
	Namespace,
};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::{io::Write, net::Ipv4Addr, time::Duration};
use tokio::net::TcpListener;

/// Where workers listen in their namespaces, and the gateway in that of the public worker.
const PORT: u16 = 30_343;
const GATEWAY_PORT: u16 = 30_344;
/// How long AutoNAT may take, whose dials have to fail first, and a place at a relay.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long a record may take until it is final.
const SETTLING: Duration = Duration::from_secs(60);
/// The name of the test below.
const HELPER: &str = "doors_of_a_namespace";
/// Runs a program without `--dev`, behind which every address counts as one that others reach.
const WITHOUT_DEV: &str =
	"for word; do shift; [ \"$word\" = --dev ] || set -- \"$@\" \"$word\"; done; exec \"$@\"";
/// The model's layers by worker: two at home, the public one, and one that is reached over its relay alone.
const LAYERS: [(u16, u16); 4] = [(0, 2), (2, 4), (4, 6), (0, 2)];
const FIRST: usize = 0;
const SECOND: usize = 1;
const RELAY: usize = 2;
const HIDDEN: usize = 3;

/// The side of the doors that is in a namespace. The other test runs it; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the other test, which runs it in a namespace"]
async fn doors_of_a_namespace() {
	attend().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_behind_nat_should_compute_over_a_public_relay() {
	if let Some(reason) = obstacle() {
		// Past the harness, which hides what a test prints that passes.
		let _ = writeln!(std::io::stderr(), "skipped: no network namespaces here: {reason}");
		return;
	}
	// Dropped in the other order: processes end before the namespaces that they are in.
	let town = Town::new(2).unwrap();
	let folder = tempfile::tempdir().unwrap();
	let node = Node::dev().await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	let manifest = cluster::manifest(&cluster::shipped()).unwrap();
	flow::add_model(&client, &manifest, SHIPPED).await.unwrap();
	cluster::fund(&client, LAYERS.len()).await.unwrap();

	let [street, one, two] = machines(&town);
	let mut listeners = Vec::new();
	for _ in 0..LAYERS.len() + 2 {
		listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
	}
	let ports: Vec<u16> =
		listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
	let (http, control) = (ports[LAYERS.len()], ports[LAYERS.len() + 1]);
	let mut doors = Vec::new();
	let mut listeners: Vec<Option<TcpListener>> = listeners.into_iter().map(Some).collect();
	let behind: [(&Namespace, &[usize]); 3] = [
		(street, &[RELAY, LAYERS.len(), LAYERS.len() + 1]),
		(one, &[FIRST]),
		(two, &[SECOND, HIDDEN]),
	];
	for (number, (namespace, places)) in behind.into_iter().enumerate() {
		let dir = folder.path().join(number.to_string());
		std::fs::create_dir(&dir).unwrap();
		let into = places.iter().filter_map(|place| listeners[*place].take()).collect();
		doors.push(Doors::open(namespace, &dir, HELPER, node.port(), into).await.unwrap());
	}

	let options = |place: usize, namespace: &Namespace| {
		let (first, end) = LAYERS[place];
		let layers = LayerRange { first, end };
		let suri = cluster::suri(place);
		let options = Options::worker(&suri, SHIPPED, layers, &cluster::shipped());
		inside(namespace, options, false).set("--admin", &loopback(ports[place]))
	};
	let public = |protocol: &str| format!("/ip4/{PUBLIC}/{protocol}");
	let (tcp, quic) = (format!("tcp/{PORT}"), format!("udp/{PORT}/quic-v1"));
	let relay = options(RELAY, street)
		.args(["--listen", &public(&tcp), "--external", &public(&tcp)])
		.args(["--listen", &public(&quic), "--external", &public(&quic)]);
	let relay = Worker::start(&node.url(), relay).await.unwrap();
	let address = relay.address().await.unwrap();
	assert!(address.starts_with(&public(&tcp)), "{address}");
	let (_, peer) = address.rsplit_once('/').unwrap();

	// The first speaks TCP alone, the second both; the third names its relay and listens nowhere.
	let first = options(FIRST, one).args(["--listen", &format!("/ip4/0.0.0.0/{tcp}")]);
	let second = options(SECOND, two)
		.args(["--listen", &format!("/ip4/0.0.0.0/{tcp}")])
		.args(["--listen", &format!("/ip4/0.0.0.0/{quic}")]);
	let hidden = options(HIDDEN, two).arg("--outbound-only").args(["--relay", &address]);
	let mut homes = Vec::new();
	for options in [first, second, hidden] {
		homes.push(Worker::spawn(&node.url(), options.bootstrap(&address)).unwrap());
	}
	for home in &mut homes {
		home.ready().await.unwrap();
	}
	assert!(one.reaches(PUBLIC, PORT));
	for home in &town.homes {
		assert!(!street.reaches(&home.address, PORT), "the router of {} lets in", home.address);
	}
	for (place, home) in homes.iter().enumerate() {
		let addresses = relayed(home).await;
		let over = format!("/p2p/{peer}/p2p-circuit");
		assert!(addresses.iter().any(|relayed| relayed.contains(&over)), "{addresses:?}");
		let told = home.log_text().contains("others do not reach this node");
		assert!(told || place == 2, "{}", home.log_tail());
	}
	let last = relayed(&homes[2]).await;
	assert!(last.iter().all(|address| address.contains("/p2p-circuit")), "{last:?}");

	let package = cluster::shipped().display().to_string();
	let gateway = format!("/ip4/{PUBLIC}/tcp/{GATEWAY_PORT}");
	let gateway = inside(street, Options::gateway("//Dave"), true)
		.args(["--package", &package, "--listen", &gateway, "--external", &gateway])
		.set("--gateway", &loopback(http))
		.set("--admin", &loopback(control))
		.bootstrap(&address);
	let gateway = Worker::start(&node.url(), gateway).await.unwrap();
	planned(&gateway, LAYERS.len()).await.unwrap();
	let api = Api::new(&gateway.base_url().await.unwrap(), &gateway.api_key().unwrap());

	let answer = ask(&api, FIRST).await;
	stages(&client, &answer, [FIRST, SECOND, RELAY]).await;
	let other = ask(&api, HIDDEN).await;
	stages(&client, &other, [HIDDEN, SECOND, RELAY]).await;
	assert!(!answer.text.is_empty());
	assert_eq!(answer.text, other.text);
	drop((gateway, homes, relay, doors));
}

/// The street's machine and those of two homes.
fn machines(town: &Town) -> [&Namespace; 3] {
	let machines: Vec<&Namespace> = town.machines().collect();
	machines.try_into().ok().unwrap()
}

/// Starts a worker in a namespace. Only a gateway that needs development keys is one of `dev`.
fn inside(namespace: &Namespace, options: Options, dev: bool) -> Options {
	let exec = ["ip", "netns", "exec", namespace.name()];
	if dev {
		return options.wrapped(exec);
	}
	options.wrapped(exec.into_iter().chain(["sh", "-c", WITHOUT_DEV, "sh"]))
}

fn loopback(port: u16) -> String {
	format!("127.0.0.1:{port}")
}

/// The addresses that a worker tells others, once one of them is at a relay.
async fn relayed(worker: &Worker) -> Vec<String> {
	let what = format!("a place at the relay for {}", worker.name());
	let found = eventually(&what, PATIENCE, || async {
		let status = worker.status().await?;
		let addresses: Vec<String> = status["addresses"]
			.as_array()
			.into_iter()
			.flatten()
			.filter_map(Value::as_str)
			.map(str::to_owned)
			.collect();
		let placed = addresses.iter().any(|address| address.contains("/p2p-circuit"));
		Ok(placed.then_some(addresses))
	});
	match found.await {
		Ok(addresses) => addresses,
		Err(error) => panic!("{error:#}\n{}", worker.log_tail()),
	}
}

/// An answer whose first stage is the worker at this place.
async fn ask(api: &Api, first: usize) -> Answer {
	let mut question = Api::question(SHIPPED, "What is a lighthouse?");
	question["temperature"] = json!(0);
	question["max_tokens"] = json!(24);
	question["aria"] = json!({ "first_stage": Cluster::account(first).to_ss58check() });
	api.chat(&question).await.unwrap()
}

/// The record of an answer should be final, and name these workers.
async fn stages(client: &Client, answer: &Answer, places: [usize; 3]) {
	let id = answer.record_id().unwrap();
	let record = eventually("the record in a final block", SETTLING, || async {
		let (_, hash) = client.finalized().await?;
		flow::record(client, id, hash).await
	});
	let record = record.await.unwrap();
	let nodes: Vec<AccountId> = record.body.stages.iter().map(|stage| stage.node.clone()).collect();
	assert_eq!(nodes, places.map(Cluster::account));
}
