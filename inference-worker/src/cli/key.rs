//! `aria-worker key`: the API keys of a gateway.

use anyhow::{bail, Context, Result};
use aria_gateway::{KeyEntry, KeyFile, NewKey, RateLimits};
use aria_primitives::AccountId;
use aria_worker::{
	keys::{account, account_of, private, Spending},
	run::{
		common,
		config::{keys_file, parse_address, Amount, Config, Flags},
		gateway::fund::{grant, Grant},
	},
};
use clap::{Args, Subcommand};
use sp_core::{crypto::Ss58Codec, sr25519};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Blocks of a year at the mean block time.
const YEAR: u32 = 365 * 24 * 600;

/// What to do with API keys.
#[derive(Subcommand)]
pub enum Command {
	New(Box<NewArgs>),
	List(ListArgs),
	Revoke(RevokeArgs),
}

/// Which gateway.
#[derive(Args, Debug)]
pub struct Which {
	/// Configuration [default: ~/.config/aria/worker.toml, if it is there]
	#[arg(long, value_name = "FILE")]
	config: Option<PathBuf>,

	/// The gateway's base path [default: ~/.local/share/aria/worker]
	#[arg(long, value_name = "DIR", env = "ARIA_BASE_PATH")]
	base_path: Option<PathBuf>,

	/// The file of API keys [default: gateway-keys.json in the base path]
	#[arg(long, value_name = "FILE")]
	keys: Option<PathBuf>,

	/// The gateway's account, as for `aria-worker run`
	#[arg(long, value_name = "URI", env = "ARIA_SURI", hide_env_values = true)]
	suri: Option<String>,

	/// The chain's node, to register a spending key
	#[arg(long, value_name = "URL", env = "ARIA_NODE")]
	node: Option<String>,
}

/// Make an API key and print it: it is kept nowhere
///
/// Its tickets are signed by a spending key, which the requester registers on chain for this gateway.
/// With --requester-file that is done here.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker key new alice --requester-file alice.key --escrow 50 --allowance 20
  aria-worker key new bob --requester 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")]
pub struct NewArgs {
	/// Who uses it; no two keys in force have the same name
	#[arg(value_name = "NAME")]
	name: String,

	#[command(flatten)]
	which: Which,

	/// The account whose escrow pays
	#[arg(long, value_name = "ADDRESS", value_parser = parse_address, required_unless_present = "requester_file")]
	requester: Option<AccountId>,

	/// A file of mode 0600 with that account's seed phrase or URI: the spending key is registered on chain
	#[arg(long, value_name = "FILE")]
	requester_file: Option<PathBuf>,

	/// ARIA that its escrow has to have free
	#[arg(long, value_name = "ARIA", default_value = "50", requires = "requester_file")]
	escrow: Amount,

	/// Most ARIA that the key may ever take
	#[arg(long, value_name = "ARIA", default_value = "20", requires = "requester_file")]
	allowance: Amount,

	/// Most ARIA that the key may take in an hour
	#[arg(long, value_name = "ARIA", default_value = "5", requires = "requester_file")]
	hourly_cap: Amount,

	/// A file of mode 0600 with the spending key [default: derived from the gateway's key, by NAME]
	#[arg(long, value_name = "FILE")]
	spending_file: Option<PathBuf>,

	/// Requests a minute [default: the gateway's]
	#[arg(long, value_name = "COUNT", requires = "tokens_per_minute")]
	requests_per_minute: Option<u32>,

	/// Tokens a minute [default: the gateway's]
	#[arg(long, value_name = "COUNT", requires = "requests_per_minute")]
	tokens_per_minute: Option<u32>,
}

/// List API keys, revoked ones too
#[derive(Args, Debug)]
pub struct ListArgs {
	#[command(flatten)]
	which: Which,

	/// Print JSON
	#[arg(long)]
	json: bool,
}

/// Revoke an API key, from the next request on
#[derive(Args, Debug)]
pub struct RevokeArgs {
	/// Its name, its token, its hash, or the hash's first 8 digits
	#[arg(value_name = "KEY")]
	key: String,

	#[command(flatten)]
	which: Which,
}

impl Which {
	/// The configuration, and the file of keys.
	fn open(&self) -> Result<(Config, KeyFile)> {
		let config = Config::load(Flags {
			config: self.config.clone(),
			base_path: self.base_path.clone(),
			suri: self.suri.clone(),
			node: self.node.clone(),
			..Flags::default()
		})?;
		let configured = config.gateway.as_ref().map(|gateway| gateway.keys.clone());
		let path = self.keys.clone().or(configured).unwrap_or_else(|| keys_file(&config.base));
		if let Some(folder) = path.parent() {
			std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
		}
		Ok((config, KeyFile::open(path)?))
	}
}

/// Runs the command.
pub fn run(command: Command) -> Result<()> {
	match command {
		Command::New(args) => new(*args),
		Command::List(args) => list(args),
		Command::Revoke(args) => revoke(args),
	}
}

fn new(args: NewArgs) -> Result<()> {
	let (config, keys) = args.which.open()?;
	let (gateway_pair, gateway) = common::account(&config)?;
	let spending = match &args.spending_file {
		Some(path) => Spending::File(std::path::absolute(path)?),
		None => Spending::Derived(args.name.clone()),
	};
	let key = account_of(&spending.pair(&gateway_pair)?);
	let payer = args.requester_file.as_ref().map(|path| requester(path)).transpose()?;
	let requester = match (&payer, &args.requester) {
		(Some(pair), None) => account_of(pair),
		(Some(pair), Some(account)) if account_of(pair) == *account => account.clone(),
		(None, Some(account)) => account.clone(),
		_ => bail!("--requester and the key in --requester-file are different accounts"),
	};
	if let Some(pair) = &payer {
		let wanted = Grant {
			escrow: args.escrow.0,
			allowance: args.allowance.0,
			hourly_cap: args.hourly_cap.0,
			life: YEAR,
		};
		register(&config, pair, &key, &gateway, wanted)?;
	}
	let limits = args.requests_per_minute.zip(args.tokens_per_minute).map(
		|(requests_per_minute, tokens_per_minute)| RateLimits {
			requests_per_minute,
			tokens_per_minute,
		},
	);
	let (token, _) = keys.create(NewKey {
		name: args.name,
		requester: requester.to_ss58check(),
		spending_key: Some(spending.to_string()),
		limits,
	})?;
	say!("{token}");
	if payer.is_none() {
		eprintln!(
			"Its spending key is {}. Before it is of use, {} has to submit \
			 InferenceMarket.deposit and InferenceMarket.register_key with this key and the gateway {}",
			key.to_ss58check(),
			requester.to_ss58check(),
			gateway.to_ss58check()
		);
	}
	Ok(())
}

fn requester(path: &std::path::Path) -> Result<sr25519::Pair> {
	let text = private::read(path)?.with_context(|| format!("{} is not there", path.display()))?;
	account::parse(&text).with_context(|| format!("{}", path.display()))
}

fn register(
	config: &Config,
	requester: &sr25519::Pair,
	key: &AccountId,
	gateway: &AccountId,
	wanted: Grant,
) -> Result<()> {
	super::run::runtime()?.block_on(async {
		let stop = CancellationToken::new();
		let chain = aria_chain_client::Chain::connect(&config.node, None).await?;
		grant(&chain, requester, key, gateway, wanted, &stop).await?;
		Ok(())
	})
}

fn list(args: ListArgs) -> Result<()> {
	let (_, keys) = args.which.open()?;
	let entries = keys.list()?;
	if args.json {
		say!("{}", serde_json::to_string_pretty(&entries)?);
		return Ok(());
	}
	for KeyEntry { hash, name, requester, spending_key, revoked, .. } in entries {
		let short = hash.get(..16).unwrap_or(&hash);
		let state = if revoked.is_some() { "revoked" } else { "in force" };
		let spending = spending_key.as_deref().unwrap_or("-");
		say!("{short}  {state:8}  {name}  {requester}  {spending}");
	}
	Ok(())
}

fn revoke(args: RevokeArgs) -> Result<()> {
	let (_, keys) = args.which.open()?;
	let entry = keys.revoke(&args.key)?;
	say!("revoked {}", entry.name);
	eprintln!("Its spending key stays on chain: InferenceMarket.revoke_key ends that too");
	Ok(())
}
