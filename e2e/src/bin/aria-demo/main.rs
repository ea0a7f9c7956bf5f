//! `make demo`: a development chain, and one inference from consent to proof.
//!
//! Each step ends when the chain has it in a final block; the program fails if one does not get
//! there, or if what the RPC answers is not what was settled.

mod answers;
mod show;

use anyhow::{Context, Result};
use aria_e2e::{
	client::Client,
	flow::{self, Network},
	keys,
	node::{is_free, Node, Options},
};
use clap::Parser;
use show::{account, aria, done, hash, heading, note, step};
use std::{
	process::ExitCode,
	time::{Duration, Instant},
};
use tokio::{
	signal::unix::{signal, SignalKind},
	time::sleep,
};

/// What is asked.
const QUESTION: &str = "Who computed this answer, on whose machine, with how much energy?";
/// What is answered: longer than 64 bytes, so that its hash has no salt.
const ANSWER: &str = "Two workers computed it, each one layer of two, under the consent that each \
	of them set. The chain knows which weights, which stages and how many joules.";
/// How often the demo looks whether its node still runs.
const WATCH: Duration = Duration::from_secs(1);

/// Runs a development chain in a temporary folder and shows one inference on it: consent, model,
/// workers, gateway, payment, the settled record, and what the RPC says about it.
///
/// No model runs yet: development keys sign the record, and what it says of tokens, energy and time
/// is made up.
#[derive(Debug, Parser)]
#[command(name = "aria-demo", version)]
struct Args {
	/// End after one round. Otherwise the node stays up until Ctrl-C.
	#[arg(long)]
	once: bool,

	/// Port of the node's RPC; another free one is taken if somebody listens there.
	#[arg(long, value_name = "PORT", default_value_t = 9944)]
	port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
	let args = Args::parse();
	// Dropping the demo's future kills its node.
	let outcome = tokio::select! {
		outcome = demo(&args) => outcome,
		outcome = told_to_end() => outcome,
	};
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("aria-demo: {error:#}");
			ExitCode::FAILURE
		}
	}
}

async fn demo(args: &Args) -> Result<()> {
	let began = Instant::now();
	heading("ARIA demo: one inference on a development chain, from consent to proof");
	note("No model runs here: until there are workers, development keys sign the record,");
	note("and what it says of tokens, energy and time is made up. All else is real.");

	let mut node = start(args).await?;
	let client = Client::connect(&node.url()).await?;
	done("chain", &format!("{}, genesis {}", node.url(), hash(client.genesis())));

	let network = set_up(&client).await?;
	let id = settle(&client, &network).await?;
	answers::show(&client, &network, id, ANSWER).await?;

	heading(&format!("Every step was seen on chain, in {:.1} s", began.elapsed().as_secs_f32()));
	if args.once {
		return Ok(());
	}
	how_to_talk(&node, &hash_in_full(id));
	while node.runs() {
		sleep(WATCH).await;
	}
	anyhow::bail!("the node ended by itself. Its log ends:\n{}", node.log_tail())
}

async fn start(args: &Args) -> Result<Node> {
	let options = Options::dev();
	let free = is_free(args.port);
	let options = if free { options.rpc_port(args.port) } else { options };
	let node = step("starting a node", Node::start(options)).await?;
	if !free {
		note(&format!("Port {} is taken: the RPC listens on {}.", args.port, node.port()));
	}
	Ok(node)
}

/// Everything that has to be on chain before the first inference.
async fn set_up(client: &Client) -> Result<Network> {
	let workers = keys::workers().map(|pair| keys::account(&pair));
	let gateway = keys::account(&keys::gateway());
	let requester = keys::account(&keys::requester());

	let (first, second) = step("two contributors set their consent and register", async {
		tokio::try_join!(flow::join(client, 0), flow::join(client, 1))
	})
	.await?;
	let terms = flow::consent(&keys::workers()[0])?;
	done("consent", &format!("{} allows, in version {first}:", account(&workers[0])));
	for line in show::consent(&terms) {
		note(&format!("      {line}"));
	}
	done("workers", &format!("{} and {}", account(&workers[0]), account(&workers[1])));
	note(&format!("      {} on hold for each, peer ids bound by signatures", aria(flow::STAKE)));

	let manifest = flow::manifest(flow::ALIAS)?;
	let model = step(
		"a model is registered, pinned and named",
		flow::add_model(client, &manifest, flow::ALIAS),
	)
	.await?;
	done("model", &format!("{} is {}, pinned", flow::ALIAS, hash(model.id)));
	note(&format!(
		"      {} layers, {} parameters, manifest of {} bytes, {} on hold for it",
		manifest.layers,
		manifest.active_parameters(),
		manifest.to_bytes().len(),
		aria(model.deposit)
	));

	step("the workers serve half of the layers each", async {
		tokio::try_join!(flow::serve(client, 0, model.id), flow::serve(client, 1, model.id))
	})
	.await?;
	done("shards", "the first worker serves layer 0, the second layer 1");

	step("a gateway registers; a requester fills an escrow", async {
		tokio::try_join!(flow::open_gateway(client), flow::fund(client))
	})
	.await?;
	step("the gateway sets its prices; the requester registers a spending key", async {
		tokio::try_join!(flow::sell(client, model.id), flow::authorise(client))
	})
	.await?;
	done("gateway", &account(&gateway));
	note(&format!(
		"      asks {} for a token of the prompt, {} for one of the answer",
		aria(flow::OFFER.prompt_price),
		aria(flow::OFFER.output_price)
	));
	done("payment", &format!("{} in the escrow of {}", aria(flow::ESCROW), account(&requester)));
	note(&format!(
		"      spending key {}, bound to the gateway: {} in all, {} an hour",
		account(&keys::account(&keys::spending_key())),
		aria(flow::ALLOWANCE),
		aria(flow::HOURLY_CAP)
	));
	Ok(Network { model, consents: [first, second] })
}

/// One inference, settled by an account that took no part in it.
async fn settle(client: &Client, network: &Network) -> Result<aria_primitives::RecordId> {
	let inference = network.infer(client, QUESTION, ANSWER, 1).await?;
	let settlement = inference.settlement(&client.genesis())?;
	let (id, ticket) = (settlement.id, settlement.body.ticket_hash);
	done("ticket", &format!("{}, at most {}", hash(ticket), aria(inference.ticket.max_price)));
	let included =
		step("both stages and the gateway signed; anybody may settle the record", async {
			client.submit(&keys::stranger(), flow::settle(settlement)).await?.success()
		})
		.await?;
	let (_, fee) = included.fee().context("the chain does not say what the settlement cost")?;
	done("record", &format!("{} settled in block {}", hash(id), included.number));
	note(&format!("      the settlement cost its sender {}", aria(fee)));
	Ok(id)
}

fn how_to_talk(node: &Node, id: &str) {
	heading("The node stays up");
	note("Ask it yourself:");
	note(&format!(
		"      curl -s -H 'content-type: application/json' http://127.0.0.1:{} \\",
		node.port()
	));
	note(&format!(
		"        -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"provenance_trace\",\"params\":[\"{id}\"]}}'"
	));
	note(&format!("In polkadot.js Apps, take the custom endpoint {}", node.url()));
	note("Ctrl-C ends it. Its chain is in a temporary folder and goes with it.");
}

fn hash_in_full(hash: aria_primitives::RecordId) -> String {
	format!("{hash:?}")
}

/// Ends when somebody tells the demo to: Ctrl-C, or the signal of `kill`.
async fn told_to_end() -> Result<()> {
	let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
	let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
	tokio::select! {
		_ = interrupt.recv() => (),
		_ = terminate.recv() => (),
	}
	eprintln!("\nending the node");
	Ok(())
}
