//! Tokens a second where every peer is far from every other: workers and gateway are reached over relays
//! that hold bytes back.
//!
//! They run as they would on machines of their own, without `--dev`: they dial no loopback address,
//! listen on one, and say that they are reached at their relay. So there is no way around it. A
//! connection between two peers leads over the relay of the one that was dialled, and over no other:
//! every hop takes the same time.

use crate::{
	ask::{Gateway, Timed},
	key,
	package::{Package, STAGES},
	relay::{Line, Relay},
	report::{bar, table, Section, Summary},
	settings::{Settings, Which},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::Client,
	cluster::{self, Cluster},
	flow,
	node::Node,
	worker::{Options, Worker},
};
use serde::Serialize;
use std::{
	net::{Ipv4Addr, SocketAddr, TcpListener},
	sync::Arc,
	time::Duration,
};
use tokio::time::sleep;

/// Hops of a token, from being drawn to the next one being drawn: over each link once.
const HOPS: u16 = STAGES;
/// How much faster than the hops allow an answer may seem, for what clocks are worth.
const TOLERANCE: f64 = 1.02;
/// What a token costs: as on a development chain, which this gateway is not told of.
const OFFER: &str = "0.00005,0.000005,0.0003";
/// What is waited for when the delay has changed.
const REST: Duration = Duration::from_millis(500);

/// One model.
#[derive(Debug, Serialize)]
struct Delayed {
	model: String,
	which: Which,
	tokens: u64,
	visible: bool,
	hops: u16,
	delays: Vec<Rate>,
}

/// One delay.
#[derive(Debug, Serialize)]
struct Rate {
	/// Milliseconds there and back.
	round_trip: u32,
	/// Tokens a second behind the first.
	rate: Summary,
	/// Seconds to the first token.
	first: Summary,
	/// Milliseconds that the relays held a part, in the mean.
	held: f64,
	/// Tokens a second that the hops alone allow; without a delay there is no such bound.
	hops_allow: Option<f64>,
	/// Tokens a second that hops allow together with what a token takes without a delay.
	both_allow: f64,
}

/// A network whose peers are reached over relays. They end after it.
struct Far {
	gateway: Gateway,
	_cluster: Cluster,
	_relays: Vec<Relay>,
}

/// Measures.
///
/// # Errors
/// What does not start or answer; answers that went around the relays.
pub async fn run(settings: &Settings) -> Result<Section> {
	let mut all = Vec::new();
	for package in Package::chosen(settings).await? {
		all.push(measure(settings, &package).await.with_context(|| package.label.clone())?);
	}
	let head = [
		"model",
		"round trip",
		"hop",
		"held",
		"tokens/s",
		"hops allow",
		"hops and compute allow",
		"of that",
		"first token",
	];
	let rows: Vec<Vec<String>> =
		all.iter().flat_map(|one| one.delays.iter().map(move |rate| row(one, rate))).collect();
	let text = format!(
		"{}\n\nA token takes {HOPS} hops of half a round trip each, one after another. Median of {} \
		 answers (least to greatest).",
		table(&head, &rows),
		settings.repetitions
	);
	let failures = all.iter().flat_map(|one| {
		one.delays.iter().filter_map(move |rate| {
			let most = rate.hops_allow? * TOLERANCE;
			(rate.rate.greatest > most).then(|| {
				format!(
					"{} at {} ms: {:.2} tokens/s are more than hops allow: a way leads around the relays",
					one.model, rate.round_trip, rate.rate.greatest
				)
			})
		})
	});
	Ok(Section { text, json: serde_json::to_value(&all)?, failures: failures.collect() })
}

async fn measure(settings: &Settings, package: &Package) -> Result<Delayed> {
	let delays: Vec<u32> = std::iter::once(0).chain(settings.delays.iter().copied()).collect();
	let steps = u64::from(settings.repetitions).saturating_mul(delays.len() as u64);
	let bar = bar(steps, &format!("{}: starting", package.label));
	let line = Arc::<Line>::default();
	let far = Far::start(settings, package, &line).await?;
	let gateway = &far.gateway;
	let (question, _) = gateway.lengthen(&package.question(settings.tokens)).await?;

	let mut answers: Vec<Vec<(Timed, Duration)>> = vec![Vec::new(); delays.len()];
	for repetition in 0..settings.repetitions {
		for step in 0..delays.len() {
			// Another one begins each time, so that a machine whose speed drifts treats all alike.
			let index = step.wrapping_add(repetition as usize) % delays.len().max(1);
			let (Some(delay), Some(list)) = (delays.get(index), answers.get_mut(index)) else {
				continue;
			};
			bar.set_message(format!("{}: {delay} ms", package.label));
			line.set(hop(*delay));
			sleep(REST + hop(*delay) * 4).await;
			let answer = gateway.ask(&question).await?;
			let carried = line.carried();
			let least = least_bytes(package, answer.tokens);
			ensure!(
				carried.bytes >= least,
				"the relays carried {} bytes, and an answer has {least} at least: a way leads around them",
				carried.bytes
			);
			ensure!(answer.replaced == 0, "a stage was replaced while it was measured");
			list.push((answer, carried.held));
			bar.inc(1);
		}
	}
	bar.finish_and_clear();
	Ok(summarise(package, &delays, &answers))
}

fn summarise(package: &Package, delays: &[u32], answers: &[Vec<(Timed, Duration)>]) -> Delayed {
	let rates = |list: &[(Timed, Duration)]| {
		Summary::of(&list.iter().map(|(answer, _)| answer.rate()).collect::<Vec<f64>>())
	};
	// The first delay is none.
	let alone = answers.first().map(|list| rates(list).median).unwrap_or_default();
	let each = delays.iter().zip(answers).map(|(delay, list)| {
		let hops = hop(*delay).as_secs_f64() * f64::from(HOPS);
		let compute = if alone > 0.0 { 1.0 / alone } else { 0.0 };
		let held: Vec<f64> = list.iter().map(|(_, held)| held.as_secs_f64() * 1e3).collect();
		let firsts: Vec<f64> = list.iter().map(|(answer, _)| answer.opened.as_secs_f64()).collect();
		let both = hops + compute;
		Rate {
			round_trip: *delay,
			rate: rates(list),
			first: Summary::of(&firsts),
			held: Summary::of(&held).median,
			hops_allow: (hops > 0.0).then(|| 1.0 / hops),
			both_allow: if both > 0.0 { 1.0 / both } else { 0.0 },
		}
	});
	let delays = each.collect();
	let mut all = answers.iter().flatten();
	Delayed {
		model: package.label.clone(),
		which: package.which,
		tokens: answers.iter().flatten().next().map_or(0, |(answer, _)| answer.tokens),
		visible: all.all(|(answer, _)| answer.is_visible()),
		hops: HOPS,
		delays,
	}
}

fn row(one: &Delayed, rate: &Rate) -> Vec<String> {
	let millis = |value: f64| format!("{value:.1} ms");
	vec![
		format!("{}, {} tokens", one.model, one.tokens),
		format!("{} ms", rate.round_trip),
		millis(f64::from(rate.round_trip) / 2.0),
		millis(rate.held),
		rate.rate.shown(2, 1.0),
		rate.hops_allow.map_or("any".to_owned(), |allow| format!("{allow:.2}")),
		format!("{:.2}", rate.both_allow),
		format!("{:.0} %", 100.0 * rate.rate.median / rate.both_allow.max(f64::MIN_POSITIVE)),
		format!("{:.0} ms", rate.first.median * 1e3),
	]
}

/// One way.
fn hop(round_trip: u32) -> Duration {
	Duration::from_millis(round_trip.into()) / 2
}

/// What an answer sends between its stages at least: half of its activations, which no compact encoding
/// gets below.
fn least_bytes(package: &Package, tokens: u64) -> u64 {
	let row = u64::from(package.manifest.hidden).saturating_mul(4);
	let links = u64::from(STAGES.saturating_sub(1));
	tokens.saturating_sub(1).saturating_mul(row).saturating_mul(links) / 2
}

impl Far {
	/// Starts everything and waits until the gateway plans an answer.
	async fn start(settings: &Settings, package: &Package, line: &Arc<Line>) -> Result<Self> {
		let host = settings.host()?;
		let spec = package.spec(settings);
		let node = Node::start(spec.node.clone()).await?;
		let client = Client::connect(&node.url()).await?;
		let model = flow::add_model(&client, &package.manifest, &spec.alias).await?.id;
		cluster::fund(&client, spec.layers.len()).await?;

		let (mut relays, mut workers) = (Vec::new(), Vec::new());
		let mut bootstrap: Option<String> = None;
		for (index, layers) in spec.layers.iter().enumerate() {
			let place = Place::start(host, line).await?;
			let mut options = place.put(spec.worker(index, *layers))?;
			if let Some(first) = &bootstrap {
				options = options.bootstrap(first);
			}
			let mut worker = Worker::spawn(&node.url(), options)?;
			if bootstrap.is_none() {
				worker.ready().await?;
				let status = worker.status().await?;
				let peer = status["peer"].as_str().context("the status has no peer")?;
				bootstrap = Some(format!("{}/p2p/{peer}", place.address));
			}
			workers.push(worker);
			relays.push(place.relay);
		}
		let bootstrap = bootstrap.context("a network has at least one worker")?;
		let place = Place::start(host, line).await?;
		let options = place.put(spec.gateway().args(["--offer", OFFER]).bootstrap(&bootstrap))?;
		let mut gateway = Worker::spawn(&node.url(), options)?;
		relays.push(place.relay);
		for worker in &mut workers {
			worker.ready().await?;
		}
		gateway.ready().await?;
		let cluster =
			Cluster { spec, gateway, workers, verifiers: Vec::new(), client, model, node };
		cluster.planned(usize::from(STAGES)).await?;
		let key = key::make(&cluster).await?;
		let gateway = Gateway::new(&cluster.gateway.base_url().await?, &key)?;
		Ok(Self { gateway, _cluster: cluster, _relays: relays })
	}
}

/// Where one peer is: behind a relay.
struct Place {
	relay: Relay,
	/// Where others reach it.
	address: String,
	/// The port that it listens on itself.
	port: u16,
}

impl Place {
	async fn start(host: Ipv4Addr, line: &Arc<Line>) -> Result<Self> {
		let port = free_port()?;
		let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
		let relay = Relay::start(host, target, line.clone()).await?;
		let address = format!("/ip4/{host}/tcp/{}", relay.port());
		Ok(Self { relay, address, port })
	}

	/// A process that takes this machine for one of many, and is here.
	fn put(&self, options: Options) -> Result<Options> {
		// The argument behind `run` is `--dev`. A flag that changes nothing for a new account takes its
		// place.
		let options = options.set("run", "--loosen-consent");
		ensure!(
			!format!("{options:?}").contains("\"--dev\""),
			"the process would be one of a development network, whose peers find a way around relays"
		);
		let listen = format!("/ip4/127.0.0.1/tcp/{}", self.port);
		Ok(options.args(["--listen", &listen, "--external", &self.address]))
	}
}

/// A port of the loopback interface that nobody listens on.
fn free_port() -> Result<u16> {
	let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
	Ok(listener.context("there is no free port")?.local_addr()?.port())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn a_peer_behind_a_relay_should_be_none_of_a_development_network() {
		let place = Place::start(Ipv4Addr::LOCALHOST, &Arc::default()).await.unwrap();
		let shown = format!("{:?}", place.put(Options::new("//Bob")).unwrap());

		assert!(!shown.contains("\"--dev\"") && shown.contains("\"--suri\""), "{shown}");
		assert!(shown.contains(&format!("/tcp/{}", place.relay.port())), "{shown}");
	}

	#[test]
	fn a_hop_should_be_half_of_a_round_trip() {
		assert_eq!(hop(20), Duration::from_millis(10));
		assert_eq!(hop(5), Duration::from_micros(2_500));
	}
}
