//! The file, as it is written (`docs/operations/worker.toml` explains every field).
//!
//! Values are checked while they are read, so that an error names the line and shows the field.

use super::{
	hours,
	values::{Amount, Defend, Layers, ModelName},
};
use anyhow::{Context, Result};
use aria_network::Multiaddr;
use aria_primitives::{
	consent::{RewardMode, TaskType, Window, MAX_WINDOWS},
	traits::Offer,
	AccountId, Balance,
};
use serde::{de::Error as _, Deserialize, Deserializer};
use sp_core::crypto::Ss58Codec;
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
};

/// Most bytes of the file.
const MAX_BYTES: u64 = 1 << 20;
/// Largest region: UN M49 and ISO 3166 codes have three digits.
pub const MAX_REGION: u16 = 999;
/// Most watts of a logical CPU, as `aria_energy::PowerModel` takes them.
const MAX_WATTS: f64 = 1_000.0;

/// Everything in the file; what it leaves out has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
	/// Where this worker keeps its keys, models and records.
	pub base_path: Option<PathBuf>,
	/// The chain's node.
	#[serde(deserialize_with = "node")]
	pub node: Option<String>,
	/// Country, ISO 3166 numeric; 0 is unknown.
	#[serde(deserialize_with = "region")]
	pub region: Option<u16>,
	/// What is put on hold at registration.
	pub stake: Option<Amount>,
	/// Threads that compute.
	pub threads: Option<usize>,
	/// Instruction set of the kernels.
	pub kernel: Option<String>,
	/// Sessions at once.
	#[serde(deserialize_with = "sessions")]
	pub sessions: Option<u16>,
	/// Who signs.
	pub account: Account,
	/// Peers.
	pub network: Network,
	/// Power where nothing counts it.
	pub energy: Energy,
	/// What the contributor allows.
	pub consent: Consent,
	/// What is served.
	pub models: Models,
	/// The OpenAI-compatible endpoint.
	pub gateway: Option<Gateway>,
	/// Records of others.
	pub audit: Audit,
	/// The contributor's own endpoint.
	pub admin: Admin,
}

/// Who signs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
	/// A development account, `//Alice` say.
	#[serde(deserialize_with = "development")]
	pub uri: Option<String>,
	/// A file of mode 0600 with a seed phrase or a URI.
	pub file: Option<PathBuf>,
}

/// Peers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
	/// Where to listen.
	pub listen: Option<Vec<Multiaddr>>,
	/// Whom to ask first.
	pub bootstrap: Option<Vec<Multiaddr>>,
	/// Where others reach this machine, if it can't find out itself.
	pub external: Option<Vec<Multiaddr>>,
	/// Whether to relay for others, if this machine can be reached.
	pub relay_for_others: Option<bool>,
	/// Relays to be reached over.
	pub relays: Option<Vec<Multiaddr>>,
	/// Whether nobody connects to this machine.
	pub outbound_only: Option<bool>,
}

/// Power of the processor where the machine counts no energy (`docs/energy.md`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Energy {
	/// Watts of each logical CPU at all times.
	#[serde(deserialize_with = "watts")]
	pub idle_watts: Option<f64>,
	/// Watts more of each logical CPU that works.
	#[serde(deserialize_with = "watts")]
	pub active_watts: Option<f64>,
}

/// What the contributor allows (`docs/protocol/consent.md`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consent {
	/// Share of all logical CPUs.
	#[serde(deserialize_with = "percent")]
	pub cpu_percent: Option<u8>,
	/// Days.
	#[serde(deserialize_with = "days")]
	pub days: Option<u8>,
	/// Windows of each of these days.
	#[serde(deserialize_with = "windows")]
	pub hours: Option<Vec<Window>>,
	/// Local time minus UTC, in minutes.
	#[serde(deserialize_with = "offset")]
	pub utc_offset: Option<i16>,
	/// Kinds of work.
	pub tasks: Option<Vec<TaskType>>,
	/// Network limit.
	#[serde(deserialize_with = "at_least_one")]
	pub bandwidth_mbps: Option<u32>,
	/// Memory limit.
	#[serde(deserialize_with = "at_least_one")]
	pub memory_mb: Option<u32>,
	/// Where earnings go.
	#[serde(deserialize_with = "address")]
	pub payout: Option<AccountId>,
	/// Least price of an output token.
	pub minimum_price: Option<Amount>,
	/// Keep or donate.
	pub mode: Option<RewardMode>,
}

/// What is served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
	/// Which models; none for a gateway alone.
	pub serve: Option<Vec<ModelName>>,
	/// Which layers of each.
	pub layers: Option<Layers>,
	/// Folders with packages that are here already.
	pub packages: Option<Vec<PathBuf>>,
}

/// The OpenAI-compatible endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
	/// Where to listen.
	pub listen: Option<SocketAddr>,
	/// The file of bearer tokens.
	pub keys: Option<PathBuf>,
	/// Answers at once.
	pub max_streams: Option<usize>,
	/// Answers at once for one token.
	pub max_streams_per_key: Option<usize>,
	/// Requests that wait.
	pub queue: Option<usize>,
	/// Requests a minute of an API key without limits of its own.
	#[serde(deserialize_with = "at_least_one")]
	pub requests_per_minute: Option<u32>,
	/// Tokens a minute of such a key.
	#[serde(deserialize_with = "at_least_one")]
	pub tokens_per_minute: Option<u32>,
	/// Whether web pages of any origin may call the gateway.
	pub cors: Option<bool>,
	/// What a token costs.
	pub offer: Option<Prices>,
	/// What is put on hold for the gateway, at least.
	pub stake: Option<Amount>,
}

/// What a gateway asks for, in ARIA a token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
	/// A token of the prompt.
	pub prompt: Amount,
	/// A token of the prompt whose state is at hand.
	pub cached: Amount,
	/// A token of the answer.
	pub output: Amount,
}

impl Prices {
	/// In planck, as the chain has it.
	pub fn offer(&self) -> Offer {
		let planck = |amount: Amount| -> Balance { amount.0 };
		Offer {
			prompt_price: planck(self.prompt),
			cached_price: planck(self.cached),
			output_price: planck(self.output),
		}
	}
}

/// Records of others that are drawn (`docs/protocol/audit.md`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
	/// Whether to run them again, as a verifier.
	pub enabled: Option<bool>,
	/// Whether to make false ones on purpose, where there is a right to.
	pub canaries: Option<bool>,
	/// When to compute for disputes, whether or not this worker verifies.
	pub defend: Option<Defend>,
}

/// The contributor's own endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
	/// Where to listen.
	pub listen: Option<SocketAddr>,
	/// A file of mode 0600 with the token that requests from elsewhere carry.
	pub token_file: Option<PathBuf>,
}

impl File {
	/// Reads `path`.
	///
	/// # Errors
	/// The file, the line and the field.
	pub fn read(path: &Path) -> Result<Self> {
		use std::io::Read as _;
		let mut text = String::new();
		std::fs::File::open(path)
			.and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
			.with_context(|| format!("the configuration {} does not open", path.display()))?;
		Self::parse(&text).with_context(|| format!("the configuration {}", path.display()))
	}

	/// Reads the text of a file.
	///
	/// # Errors
	/// The line and the field.
	pub fn parse(text: &str) -> Result<Self> {
		Ok(toml::from_str(text)?)
	}
}

fn node<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
	let url = String::deserialize(deserializer)?;
	check_node(&url).map_err(D::Error::custom)?;
	Ok(Some(url))
}

/// Whether `url` leads to a node's RPC server.
///
/// # Errors
/// What to write instead.
pub fn check_node(url: &str) -> Result<(), String> {
	match url.starts_with("ws://") || url.starts_with("wss://") {
		true => Ok(()),
		false => Err(format!("{url:?} is no WebSocket: write ws://127.0.0.1:9944")),
	}
}

fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
	let region = u16::deserialize(deserializer)?;
	if region > MAX_REGION {
		return Err(D::Error::custom(format!("{region} is no ISO 3166 numeric code: at most 999")));
	}
	Ok(Some(region))
}

fn sessions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
	match u16::deserialize(deserializer)? {
		0 => Err(D::Error::custom("a worker runs at least one session")),
		count => Ok(Some(count)),
	}
}

fn development<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
	let uri = String::deserialize(deserializer)?;
	if !uri.starts_with("//") {
		return Err(D::Error::custom(
			"only development accounts like //Alice stand here: put a seed phrase into a file of mode \
			 0600 and name it in account.file",
		));
	}
	Ok(Some(uri))
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
	match u8::deserialize(deserializer)? {
		percent @ 1..=100 => Ok(Some(percent)),
		other => Err(D::Error::custom(format!("{other} is no percentage from 1 to 100"))),
	}
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
	match u32::deserialize(deserializer)? {
		0 => Err(D::Error::custom("it is at least 1")),
		value => Ok(Some(value)),
	}
}

fn watts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
	check_watts(f64::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// Watts of a logical CPU.
///
/// # Errors
/// What to write instead.
pub fn check_watts(watts: f64) -> Result<f64, String> {
	match (0.0..=MAX_WATTS).contains(&watts) {
		true => Ok(watts),
		false => Err(format!("{watts} are no watts of a logical CPU: 0 to {MAX_WATTS}")),
	}
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
	hours::days(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i16>, D::Error> {
	hours::offset(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn windows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Window>>, D::Error> {
	let texts = Vec::<String>::deserialize(deserializer)?;
	if texts.is_empty() || texts.len() > MAX_WINDOWS as usize {
		return Err(D::Error::custom(format!("1 to {MAX_WINDOWS} windows, or [\"always\"]")));
	}
	let windows = texts.iter().map(|text| hours::window(text)).collect::<Result<_, _>>();
	windows.map(Some).map_err(D::Error::custom)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountId>, D::Error> {
	parse_address(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// An account by its address.
///
/// # Errors
/// What to write instead.
pub fn parse_address(text: &str) -> Result<AccountId, String> {
	AccountId::from_ss58check(text.trim())
		.map_err(|_| format!("{text:?} is no address of an account: it begins with 5"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn every_documented_field_should_parse() {
		let text = include_str!("../../../../docs/operations/worker.toml");
		File::parse(text).unwrap();
		// Every field that is commented out, too.
		let uncommented: Vec<&str> =
			text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
		let file = File::parse(&uncommented.join("\n")).unwrap();
		assert!(file.account.file.is_some() && file.consent.payout.is_some());
		assert!(file.audit.enabled.is_some() && file.audit.canaries.is_some());
		assert_eq!(file.audit.defend, Some(Defend::Consent));
		assert!(file.network.relay_for_others.is_some() && file.energy.active_watts.is_some());
		let gateway = file.gateway.unwrap();
		assert!(gateway.offer.is_some() && gateway.cors.is_some() && gateway.stake.is_some());
		assert!(gateway.requests_per_minute.is_some() && gateway.tokens_per_minute.is_some());
		assert!(file.admin.token_file.is_some());
	}

	#[test]
	fn an_empty_file_should_be_all_defaults() {
		let file = File::parse("").unwrap();
		assert!(file.node.is_none() && file.gateway.is_none());
	}

	#[test]
	fn errors_should_name_line_and_field() {
		for (text, line, words) in [
			("node = \"http://a\"", "line 1", "WebSocket"),
			("\n[consent]\ncpu_percent = 0", "line 3", "percentage"),
			("[consent]\nhours = [\"22-7\"]", "line 2", "window"),
			("[energy]\nidle_watts = -1", "line 2", "watts"),
			("[energy]\nactive_watts = nan", "line 2", "watts"),
			("[network]\nrelay = true", "line 2", "relay_for_others"),
			("[gateway]\nrequests_per_minute = 0", "line 2", "at least 1"),
			("[consent]\ncpu = 3", "line 2", "unknown field"),
			("[models]\nlayers = \"3\"", "line 2", "layers"),
			("[audit]\ndefend = \"never\"", "line 2", "consent or always"),
			("stake = \"a lot\"", "line 1", "stake"),
			("[account]\nuri = \"bottom drive obey\"", "line 2", "account.file"),
			("[gateway]\noffer = { prompt = 1 }", "line 2", "missing field"),
			("[gateway]\nstake = -1", "line 2", "stake"),
		] {
			let error = format!("{:#}", File::parse(text).unwrap_err());
			assert!(error.contains(line) && error.contains(words), "{text}: {error}");
		}
	}

	#[test]
	fn errors_should_name_the_file() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("worker.toml");
		std::fs::write(&path, "nodes = 1").unwrap();
		let error = format!("{:#}", File::read(&path).unwrap_err());
		assert!(error.contains("worker.toml") && error.contains("nodes"), "{error}");
		let error = format!("{:#}", File::read(&dir.path().join("none")).unwrap_err());
		assert!(error.contains("none"), "{error}");
	}
}
