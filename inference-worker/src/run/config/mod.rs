//! What a worker is told: a TOML file, and flags that override it.
//!
//! | module | what it holds |
//! |---|---|
//! | `file` | the file, as it is written |
//! | `flags` | the flags of `aria-worker run` |
//! | [`hours`] | schedules as people write them |
//! | [`values`] | amounts, models, layers |

mod file;
mod flags;
pub mod hours;
pub mod values;

pub use file::{parse_address, Consent as ConsentFields, File};
pub use flags::Flags;
pub use values::{Amount, Defend, Layers, ModelName};

use super::terms::Terms;
use crate::keys::AccountSource;
use anyhow::{bail, ensure, Context, Result};
use aria_energy::PowerModel;
use aria_engine::{
	kernels::{self, Kernel},
	model::MAX_THREADS,
};
use aria_network::NetworkConfig;
use aria_primitives::{consent::TaskType, traits::Offer, Balance, ARIA};
use std::{
	env,
	net::{Ipv4Addr, SocketAddr},
	num::NonZeroUsize,
	path::{Path, PathBuf},
	sync::Arc,
	thread,
};

/// Where the node is, if nobody says.
pub const DEFAULT_NODE: &str = "ws://127.0.0.1:9944";
/// What is put on hold, if nobody says: the target stake of `docs/protocol/economics.md`.
const DEFAULT_STAKE: Balance = 10 * ARIA;
/// Sessions at once, if nobody says.
const DEFAULT_SESSIONS: u16 = 64;

/// Everything that a worker is told.
#[derive(Clone, Debug)]
pub struct Config {
	/// Where keys, models and records are kept.
	pub base: PathBuf,
	/// The chain's node.
	pub node: String,
	/// Country, ISO 3166 numeric; 0 is unknown.
	pub region: u16,
	/// What is put on hold at registration, in planck.
	pub stake: Balance,
	/// Threads that compute.
	pub threads: usize,
	/// What computes.
	pub kernel: Arc<dyn Kernel>,
	/// Sessions at once.
	pub sessions: u16,
	/// Development keys, and peers on this machine.
	pub dev: bool,
	/// Who signs.
	pub account: AccountSource,
	/// Peers.
	pub network: NetworkConfig,
	/// Power where nothing counts it.
	pub power: PowerModel,
	/// What the contributor allows.
	pub terms: Terms,
	/// Whether a consent on chain may be replaced by one that allows more.
	pub loosen: bool,
	/// What is served; nothing for a gateway alone.
	pub models: Vec<ModelName>,
	/// Which layers of each.
	pub layers: Layers,
	/// Packages that are here already.
	pub packages: Vec<PathBuf>,
	/// The OpenAI-compatible endpoint.
	pub gateway: Option<GatewayConfig>,
	/// Whether to run others' records again.
	pub audit: bool,
	/// Whether to make records that are false on purpose, to see who passes them.
	pub canaries: bool,
	/// When to compute for disputes.
	pub defend: Defend,
	/// The contributor's own endpoint.
	pub admin: AdminConfig,
	/// Whether to drain on chain and end.
	pub leave: bool,
}

/// The OpenAI-compatible endpoint.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
	/// How it serves.
	pub serve: aria_gateway::Config,
	/// The file of bearer tokens.
	pub keys: PathBuf,
	/// What a token costs; `None` to leave what is on chain.
	pub offer: Option<Offer>,
	/// What the gateway stakes at least, in planck; `None` for the chain's least stake.
	pub stake: Option<Balance>,
}

/// The contributor's own endpoint.
#[derive(Clone, Debug)]
pub struct AdminConfig {
	/// Where to listen.
	pub listen: SocketAddr,
	/// A file with the token that requests carry.
	pub token_file: Option<PathBuf>,
}

impl Config {
	/// What `flags`, and the file that they name, say.
	///
	/// # Errors
	/// The file, line and field, or the flag, that is wrong.
	pub fn load(flags: Flags) -> Result<Self> {
		let file = match &flags.config {
			Some(path) => File::read(path)?,
			None => match default_file().filter(|path| path.is_file()) {
				Some(path) => File::read(&path)?,
				None => File::default(),
			},
		};
		Self::resolve(file, flags)
	}

	/// What `flags` and `file` say together.
	fn resolve(mut file: File, flags: Flags) -> Result<Self> {
		let (dev, loosen, leave) = (flags.dev, flags.loosen_consent, flags.leave);
		let suri = flags.suri.clone();
		flags.override_file(&mut file);

		let base = match file.base_path {
			Some(base) => expand(base)?,
			None => default_base()?,
		};
		let account = match (suri, file.account.uri, file.account.file) {
			(Some(uri), _, _) => AccountSource::Uri(uri),
			(None, Some(_), Some(_)) => {
				bail!("account.uri and account.file are both set: choose one")
			}
			(None, Some(uri), None) => AccountSource::Uri(uri),
			(None, None, Some(path)) => AccountSource::File(expand(path)?),
			(None, None, None) => AccountSource::Keystore,
		};
		let threads = file.threads.unwrap_or_else(processors);
		ensure!(
			(1..=MAX_THREADS).contains(&threads),
			"threads: {threads} is no number from 1 to {MAX_THREADS}"
		);
		let kernel =
			kernels::choose(file.kernel.as_deref().unwrap_or(kernels::AUTO)).context("kernel")?;
		let gateway = file.gateway.map(|gateway| gateway_config(gateway, &base)).transpose()?;
		let models = file.models.serve.unwrap_or_else(|| vec![ModelName::Auto]);
		ensure!(
			!models.is_empty() || gateway.is_some() || leave,
			"models.serve is empty and there is no gateway: nothing is left to do"
		);
		let audit = file.audit.enabled.unwrap_or(false);
		ensure!(
			!audit || !models.is_empty() || leave,
			"audit.enabled is for workers, whose stake answers for what they say: name a model in \
			 models.serve"
		);
		ensure!(
			!audit
				|| file.consent.tasks.as_ref().is_none_or(|tasks| tasks.contains(&TaskType::Audit)),
			"audit.enabled needs \"audit\" among consent.tasks: add it, or leave consent.tasks out"
		);
		let packages = file.models.packages.unwrap_or_default();
		let admin = AdminConfig {
			listen: file.admin.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 9955))),
			token_file: file.admin.token_file.map(expand).transpose()?,
		};
		ensure!(
			admin.listen.ip().is_loopback() || admin.token_file.is_some(),
			"admin.listen {} can be reached from elsewhere: name a file with a token in \
			 admin.token_file, or listen on 127.0.0.1",
			admin.listen
		);
		Ok(Self {
			network: network_config(file.network, dev),
			base,
			node: file.node.unwrap_or_else(|| DEFAULT_NODE.to_owned()),
			region: file.region.unwrap_or(0),
			stake: file.stake.map_or(DEFAULT_STAKE, |stake| stake.0),
			threads,
			kernel,
			sessions: file.sessions.unwrap_or(DEFAULT_SESSIONS),
			dev,
			account,
			power: power_model(&file.energy)?,
			terms: Terms { audit, ..Terms::from(file.consent) },
			loosen,
			models,
			layers: file.models.layers.unwrap_or(Layers::Auto),
			packages: packages.into_iter().map(expand).collect::<Result<_>>()?,
			gateway,
			audit,
			canaries: audit && file.audit.canaries.unwrap_or(true),
			defend: file.audit.defend.unwrap_or_default(),
			admin,
			leave,
		})
	}

	/// The libp2p key.
	pub fn peer_key_file(&self) -> PathBuf {
		self.base.join("keys").join("peer")
	}

	/// The generated account, if none is named.
	pub fn account_file(&self) -> PathBuf {
		self.base.join("keys").join("account")
	}

	/// Models that were fetched, one folder each.
	pub fn models_dir(&self) -> PathBuf {
		self.base.join("models")
	}

	/// The key for lots and hand-overs of audits.
	pub fn verifier_key_file(&self) -> PathBuf {
		self.base.join("keys").join("verifier")
	}

	/// Audits that this worker has a seat in.
	pub fn audits_file(&self) -> PathBuf {
		self.base.join("audits.redb")
	}

	/// Canaries that are not over.
	pub fn canaries_file(&self) -> PathBuf {
		self.base.join("canaries.redb")
	}

	/// The key that the accounts of canaries are derived from.
	pub fn canary_key_file(&self) -> PathBuf {
		self.base.join("keys").join("canary")
	}

	/// What was computed for them, until it is opened.
	pub fn audits_dir(&self) -> PathBuf {
		self.base.join("audits")
	}

	/// What this gateway's answers were made of, until nobody may ask for it.
	pub fn handovers_file(&self) -> PathBuf {
		self.base.join("handovers.redb")
	}

	/// What is not yet settled.
	pub fn store_file(&self) -> PathBuf {
		self.base.join("settlements.redb")
	}
}

/// How the gateway serves.
fn gateway_config(gateway: file::Gateway, base: &Path) -> Result<GatewayConfig> {
	let mut serve = aria_gateway::Config::default();
	if let Some(listen) = gateway.listen {
		serve.listen = listen;
	}
	if let Some(streams) = gateway.max_streams {
		serve.streams = streams.max(1);
	}
	if let Some(queue) = gateway.queue {
		serve.queue = queue;
	}
	serve.streams_per_key = gateway.max_streams_per_key.or(serve.streams_per_key);
	if let Some(requests) = gateway.requests_per_minute {
		serve.limits.requests_per_minute = requests;
	}
	if let Some(tokens) = gateway.tokens_per_minute {
		serve.limits.tokens_per_minute = tokens;
	}
	serve.cors = gateway.cors.unwrap_or(serve.cors);
	Ok(GatewayConfig {
		serve,
		keys: gateway.keys.map_or_else(|| Ok(keys_file(base)), expand)?,
		offer: gateway.offer.map(|prices| prices.offer()),
		stake: gateway.stake.map(|amount| amount.0),
	})
}

/// The file of bearer tokens under `base`.
pub fn keys_file(base: &Path) -> PathBuf {
	base.join("gateway-keys.json")
}

/// Whom to reach, and how to be reached.
fn network_config(network: file::Network, dev: bool) -> NetworkConfig {
	let mut config = if dev { NetworkConfig::loopback() } else { NetworkConfig::default() };
	if let Some(listen) = network.listen {
		config.listen = listen;
	}
	config.bootstrap = network.bootstrap.unwrap_or_default();
	config.external = network.external.unwrap_or_default();
	config.relays = network.relays.unwrap_or_default();
	config.relay_server = network.relay_for_others.unwrap_or(true);
	config.outbound_only = network.outbound_only.unwrap_or(false);
	// On one machine nobody confirms an address from outside, and somebody has to keep the table.
	config.kad_server |= dev;
	config
}

/// Power where nothing counts it; what is not said is the default.
fn power_model(energy: &file::Energy) -> Result<PowerModel> {
	let usual = PowerModel::default();
	let idle = energy.idle_watts.unwrap_or(usual.idle_watts());
	let active = energy.active_watts.unwrap_or(usual.active_watts());
	PowerModel::new(idle, active).context("energy.idle_watts and energy.active_watts")
}

/// How many threads, if nobody says: one a processor.
fn processors() -> usize {
	thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS)
}

/// The folder for state, if nobody says.
///
/// # Errors
/// Where there is no home.
pub fn default_base() -> Result<PathBuf> {
	let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
	let base = data.or_else(|| home().map(|home| home.join(".local/share")));
	Ok(base.context("there is no HOME: name a folder with --base-path")?.join("aria/worker"))
}

/// The file, if nobody says.
fn default_file() -> Option<PathBuf> {
	let config =
		env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
	Some(config.or_else(|| home().map(|home| home.join(".config")))?.join("aria/worker.toml"))
}

fn home() -> Option<PathBuf> {
	env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}

/// `path` with `~` as the home.
fn expand(path: PathBuf) -> Result<PathBuf> {
	match path.strip_prefix("~") {
		Ok(rest) => Ok(home().context("there is no HOME, which ~ stands for")?.join(rest)),
		Err(_) => Ok(path),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::record::LayerRange;
	use clap::Parser;

	#[derive(Parser)]
	struct Command {
		#[command(flatten)]
		flags: Flags,
	}

	fn resolve(file: &str, flags: &str) -> Result<Config> {
		let mut words = vec!["run", "--base-path", "/nowhere"];
		words.extend(flags.split_whitespace());
		Config::resolve(File::parse(file)?, Command::try_parse_from(words)?.flags)
	}

	#[test]
	fn defaults_should_be_modest() {
		let config = resolve("", "").unwrap();
		assert_eq!(config.node, DEFAULT_NODE);
		assert_eq!(config.models, [ModelName::Auto]);
		assert!(config.admin.listen.ip().is_loopback());
		assert!(config.gateway.is_none() && !config.dev && !config.loosen);
		assert!(!config.network.allow_loopback && config.network.relay_server);
		assert_eq!(config.power, PowerModel::default());
		assert_eq!(config.account_file(), Path::new("/nowhere/keys/account"));
	}

	#[test]
	fn flags_should_override_the_file() {
		let file = "node = 'ws://a:1'\nstake = 3\n[models]\nserve = ['a']\nlayers = 'all'\n\
			[gateway]\nlisten = '127.0.0.1:1'\nmax_streams = 3";
		let config = resolve(file, "--node ws://b:2 --layers 2..4 --gateway 127.0.0.1:2").unwrap();
		assert_eq!(config.node, "ws://b:2");
		assert_eq!(config.stake, 3 * ARIA);
		assert_eq!(config.layers, Layers::Range(LayerRange { first: 2, end: 4 }));
		assert_eq!(config.models, [ModelName::Alias("a".to_owned())]);
		let gateway = config.gateway.unwrap();
		assert_eq!((gateway.serve.listen.port(), gateway.serve.streams), (2, 3));
		assert_eq!(gateway.keys, Path::new("/nowhere/gateway-keys.json"));
	}

	#[test]
	fn limits_and_power_should_be_set_in_file_and_flags() {
		let file =
			"[network]\nrelay_for_others = true\n[energy]\nidle_watts = 2\nactive_watts = 7.5\n\
			[gateway]\nrequests_per_minute = 10\ntokens_per_minute = 20\ncors = true";
		let config = resolve(file, "").unwrap();
		assert_eq!(config.power, PowerModel::new(2.0, 7.5).unwrap());
		let serve = config.gateway.unwrap().serve;
		assert_eq!((serve.limits.requests_per_minute, serve.limits.tokens_per_minute), (10, 20));
		assert!(serve.cors && config.network.relay_server);

		let flags = "--relay-for-others false --active-watts 3 --gateway --tokens-per-minute 30";
		let config = resolve(file, flags).unwrap();
		assert_eq!(config.power, PowerModel::new(2.0, 3.0).unwrap());
		assert!(!config.network.relay_server && config.network.relays.is_empty());
		let serve = config.gateway.unwrap().serve;
		assert_eq!((serve.limits.requests_per_minute, serve.limits.tokens_per_minute), (10, 30));

		let serve = resolve("", "--gateway 127.0.0.1:0 --cors").unwrap().gateway.unwrap().serve;
		assert!(serve.cors);
		assert!(resolve("", "--cors").is_err());
	}

	#[test]
	fn a_gateways_stake_should_be_set_in_file_and_flags() {
		let stake = |file: &str, flags: &str| resolve(file, flags).unwrap().gateway.unwrap().stake;
		assert_eq!(stake("", "--gateway"), None);
		let file = "[gateway]\nstake = '250.5'";
		assert_eq!(stake(file, ""), Some(501 * ARIA / 2));
		assert_eq!(stake(file, "--gateway --gateway-stake 300"), Some(300 * ARIA));
		assert!(resolve("", "--gateway-stake 300").is_err());
	}

	#[test]
	fn audits_should_be_for_workers_whose_consent_allows_them() {
		assert!(!resolve("", "").unwrap().audit);
		let config = resolve("[audit]\nenabled = true", "").unwrap();
		assert!(config.audit && config.terms.audit && config.terms.tasks.is_none());
		assert!(config.canaries && resolve("", "--audit").unwrap().audit);
		// Who verifies nothing has no right to make canaries.
		assert!(!resolve("[audit]\ncanaries = true", "").unwrap().canaries);
		assert!(!resolve("[audit]\ncanaries = false", "--audit").unwrap().canaries);
		assert!(!resolve("", "--audit --canaries false").unwrap().canaries);
		// Nor is a consent left for disputes, unless the owner says so.
		assert_eq!(config.defend, Defend::Consent);
		assert_eq!(resolve("[audit]\ndefend = 'always'", "").unwrap().defend, Defend::Always);
		assert_eq!(resolve("", "--defend always").unwrap().defend, Defend::Always);
		let both = "[consent]\ntasks = ['text_generation', 'audit']";
		assert!(resolve(both, "--audit").unwrap().audit);
		for (file, flags) in [
			("[consent]\ntasks = ['text_generation']", "--audit"),
			("", "--audit --serve none --gateway"),
		] {
			let error = format!("{:#}", resolve(file, flags).unwrap_err());
			assert!(error.contains("audit.enabled"), "{error}");
		}
	}

	#[test]
	fn gateways_should_need_no_model() {
		let config = resolve("", "--gateway --serve none").unwrap();
		assert!(config.models.is_empty());
		assert_eq!(config.gateway.unwrap().serve.listen.port(), 8080);
		assert!(resolve("", "--serve none").is_err());
	}

	#[test]
	fn what_makes_no_sense_should_be_refused() {
		for (file, flags, words) in [
			("threads = 0", "", "threads"),
			("[admin]\nlisten = '0.0.0.0:1'", "", "token_file"),
			("[account]\nuri = '//A'\nfile = 'b'", "", "both"),
			("", "--stake much", "stake"),
			("[energy]\nidle_watts = 0\nactive_watts = 0", "", "active"),
			("", "--idle-watts=-1", "watts"),
			("", "--relay-for-others maybe", "relay-for-others"),
			("", "--relay true", "relay"),
			("", "--hours 22-7", "hours"),
		] {
			let error = format!("{:#}", resolve(file, flags).unwrap_err());
			assert!(error.contains(words), "{file} {flags}: {error}");
		}
	}
}
