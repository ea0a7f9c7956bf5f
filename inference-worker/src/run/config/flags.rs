//! The flags of `aria-worker run`: each overrides a field of the file.

use super::{
	file::{check_node, check_watts, parse_address, File, Gateway, Prices, MAX_REGION},
	hours,
	values::{Amount, Defend, Layers, ModelName},
};
use aria_network::Multiaddr;
use aria_primitives::{
	consent::{RewardMode, Window},
	AccountId,
};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};

/// Flags of `aria-worker run`.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
	/// Configuration [default: ~/.config/aria/worker.toml, if it is there]
	#[arg(long, value_name = "FILE")]
	pub config: Option<PathBuf>,

	/// Folder for keys, models and what is not yet settled [default: ~/.local/share/aria/worker]
	#[arg(long, value_name = "DIR", env = "ARIA_BASE_PATH")]
	pub base_path: Option<PathBuf>,

	/// The chain's node [default: ws://127.0.0.1:9944]
	#[arg(long, value_name = "URL", value_parser = node, env = "ARIA_NODE")]
	pub node: Option<String>,

	/// The account: //Alice, or a seed phrase. Everybody on this machine sees the command line: give a
	/// phrase that is worth something in ARIA_SURI or in a file [default: one that is generated]
	#[arg(long, value_name = "URI", env = "ARIA_SURI", hide_env_values = true)]
	pub suri: Option<String>,

	/// A chain of this machine: peers on loopback, and a gateway with development keys
	#[arg(long)]
	pub dev: bool,

	/// Country, ISO 3166 numeric [default: 0, unknown]
	#[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_REGION)))]
	pub region: Option<u16>,

	/// ARIA to put on hold at registration [default: 10]
	#[arg(long, value_name = "ARIA")]
	pub stake: Option<Amount>,

	/// Threads that compute [default: one a processor]
	#[arg(long, value_name = "COUNT")]
	pub threads: Option<usize>,

	/// Instruction set of the kernels: auto, scalar, avx2, avx512-vnni, neon, as far as this machine has
	/// it. Answers are the same with each [default: auto]
	#[arg(long, value_name = "NAME")]
	pub kernel: Option<String>,

	/// Sessions at once [default: 64]
	#[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
	pub sessions: Option<u16>,

	/// Where peers connect to; may be repeated
	#[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
	pub listen: Vec<Multiaddr>,

	/// A peer by which the network is found; may be repeated
	#[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
	pub bootstrap: Vec<Multiaddr>,

	/// An address at which others reach this machine; may be repeated
	#[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
	pub external: Vec<Multiaddr>,

	/// A relay over which others reach this machine; may be repeated
	#[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
	pub relay: Vec<Multiaddr>,

	/// Whether to relay, within limits, for others who can't be reached [default: true]
	#[arg(long, value_name = "BOOL", help_heading = "Network")]
	pub relay_for_others: Option<bool>,

	/// Listen nowhere: others come over relays alone
	#[arg(long, help_heading = "Network")]
	pub outbound_only: bool,

	/// Share of all logical CPUs that may be used [default: 25]
	#[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100), help_heading = "Consent")]
	pub cpu_percent: Option<u8>,

	/// Days: all, mon-fri, sat,sun [default: all]
	#[arg(long, value_name = "DAYS", value_parser = hours::days, help_heading = "Consent")]
	pub days: Option<u8>,

	/// Hours: 22:00-07:00, or always; may be repeated [default: always]
	#[arg(long, value_name = "FROM-TO", value_parser = hours::window, help_heading = "Consent")]
	pub hours: Vec<Window>,

	/// Offset of these hours from UTC: +01:00 [default: utc]
	#[arg(long, value_name = "OFFSET", value_parser = hours::offset, allow_hyphen_values = true, help_heading = "Consent")]
	pub utc_offset: Option<i16>,

	/// Network limit in megabits a second [default: 50]
	#[arg(long, value_name = "MBPS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Consent")]
	pub bandwidth: Option<u32>,

	/// Memory limit in mebibytes [default: 2048]
	#[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Consent")]
	pub memory: Option<u32>,

	/// Account that earnings go to [default: the worker's own]
	#[arg(long, value_name = "ADDRESS", value_parser = parse_address, help_heading = "Consent")]
	pub payout: Option<AccountId>,

	/// Least price of an output token, in ARIA [default: 0]
	#[arg(long, value_name = "ARIA", help_heading = "Consent")]
	pub minimum_price: Option<Amount>,

	/// Run others' records again where they are drawn for audit; the consent then allows that too
	#[arg(long, help_heading = "Consent")]
	pub audit: bool,

	/// Whether to make records false on purpose, where the worker has the right to, to see who passes them;
	/// it needs --gateway, and money on two accounts that the log names [default: true]
	#[arg(long, value_name = "BOOL", help_heading = "Consent")]
	pub canaries: Option<bool>,

	/// When to compute for what this worker signed or said and somebody contests: `consent` within its
	/// hours, `always` at any hour; who does not answer loses [default: consent]
	#[arg(long, value_name = "WHEN", help_heading = "Consent")]
	pub defend: Option<Defend>,

	/// Give all earnings to the donation account
	#[arg(long, help_heading = "Consent")]
	pub donate: bool,

	/// Replace the consent on chain also where the new one allows more, or where it was withdrawn
	#[arg(long, help_heading = "Consent")]
	pub loosen_consent: bool,

	/// A model to serve: its alias, its id, auto, or none; may be repeated [default: auto]
	#[arg(long, value_name = "MODEL", value_delimiter = ',', help_heading = "Models")]
	pub serve: Vec<Served>,

	/// Layers to serve: auto (those with the fewest replicas), all, or 0..10 [default: auto]
	#[arg(long, value_name = "LAYERS", help_heading = "Models")]
	pub layers: Option<Layers>,

	/// A folder with a model package that is here already; may be repeated
	#[arg(long, value_name = "DIR", help_heading = "Models")]
	pub package: Vec<PathBuf>,

	/// Serve the OpenAI API too [default address: 127.0.0.1:8080]
	#[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8080", help_heading = "Gateway")]
	pub gateway: Option<SocketAddr>,

	/// File of bearer tokens [default: gateway-keys.json in the base path]
	#[arg(long, value_name = "FILE", requires = "gateway", help_heading = "Gateway")]
	pub keys: Option<PathBuf>,

	/// Answers at once [default: 64]
	#[arg(long, value_name = "COUNT", requires = "gateway", help_heading = "Gateway")]
	pub max_streams: Option<usize>,

	/// Prices in ARIA for a token of the prompt, a cached one, and one of the answer: 0.00005,0.000005,0.0003
	#[arg(long, value_name = "P,C,O", value_parser = prices, requires = "gateway", help_heading = "Gateway")]
	pub offer: Option<Prices>,

	/// ARIA that the gateway stakes at least: what it sells until records have vested is bounded by that
	/// [default: the chain's least stake of a gateway]
	#[arg(long, value_name = "ARIA", requires = "gateway", help_heading = "Gateway")]
	pub gateway_stake: Option<Amount>,

	/// Requests a minute of an API key without limits of its own [default: 3000]
	#[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), requires = "gateway", help_heading = "Gateway")]
	pub requests_per_minute: Option<u32>,

	/// Tokens a minute of such a key, of prompts and answers [default: 2000000]
	#[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), requires = "gateway", help_heading = "Gateway")]
	pub tokens_per_minute: Option<u32>,

	/// Let web pages of any origin call the gateway
	#[arg(long, requires = "gateway", help_heading = "Gateway")]
	pub cors: bool,

	/// Watts of each logical CPU at all times, where the machine counts no energy [default: 1]
	#[arg(long, value_name = "WATTS", value_parser = watts, help_heading = "Energy")]
	pub idle_watts: Option<f64>,

	/// Watts more of each logical CPU that works [default: 5]
	#[arg(long, value_name = "WATTS", value_parser = watts, help_heading = "Energy")]
	pub active_watts: Option<f64>,

	/// Where status, pause and metrics are served [default: 127.0.0.1:9955]
	#[arg(long, value_name = "ADDRESS", help_heading = "Administration")]
	pub admin: Option<SocketAddr>,

	/// File of mode 0600 with the token that requests to it carry
	#[arg(long, value_name = "FILE", help_heading = "Administration")]
	pub admin_token_file: Option<PathBuf>,

	/// Take no more work, finish what runs, drain on chain, and end
	#[arg(long, help_heading = "Administration")]
	pub leave: bool,
}

/// A model to serve, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
	/// None.
	None,
	/// This one.
	Model(ModelName),
}

impl std::str::FromStr for Served {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.trim() {
			"none" => Ok(Served::None),
			name => name.parse().map(Served::Model),
		}
	}
}

impl Flags {
	/// Writes what is given over what the file says.
	pub fn override_file(self, file: &mut File) {
		fn set<T>(field: &mut Option<T>, flag: Option<T>) {
			if flag.is_some() {
				*field = flag;
			}
		}
		fn list<T>(field: &mut Option<Vec<T>>, flag: Vec<T>) {
			if !flag.is_empty() {
				*field = Some(flag);
			}
		}
		set(&mut file.base_path, self.base_path);
		set(&mut file.node, self.node);
		set(&mut file.region, self.region);
		set(&mut file.stake, self.stake);
		set(&mut file.threads, self.threads);
		set(&mut file.kernel, self.kernel);
		set(&mut file.sessions, self.sessions);

		let network = &mut file.network;
		list(&mut network.listen, self.listen);
		list(&mut network.bootstrap, self.bootstrap);
		list(&mut network.external, self.external);
		list(&mut network.relays, self.relay);
		set(&mut network.relay_for_others, self.relay_for_others);
		set(&mut network.outbound_only, self.outbound_only.then_some(true));

		let consent = &mut file.consent;
		set(&mut consent.cpu_percent, self.cpu_percent);
		set(&mut consent.days, self.days);
		list(&mut consent.hours, self.hours);
		set(&mut consent.utc_offset, self.utc_offset);
		set(&mut consent.bandwidth_mbps, self.bandwidth);
		set(&mut consent.memory_mb, self.memory);
		set(&mut consent.payout, self.payout);
		set(&mut consent.minimum_price, self.minimum_price);
		set(&mut consent.mode, self.donate.then_some(RewardMode::Donate));
		set(&mut file.audit.enabled, self.audit.then_some(true));
		set(&mut file.audit.canaries, self.canaries);
		set(&mut file.audit.defend, self.defend);

		if !self.serve.is_empty() {
			let models = self.serve.into_iter().filter_map(|served| match served {
				Served::None => None,
				Served::Model(model) => Some(model),
			});
			file.models.serve = Some(models.collect());
		}
		set(&mut file.models.layers, self.layers);
		list(&mut file.models.packages, self.package);

		if let Some(listen) = self.gateway {
			let gateway = file.gateway.get_or_insert_with(Gateway::default);
			gateway.listen = Some(listen);
			set(&mut gateway.keys, self.keys);
			set(&mut gateway.max_streams, self.max_streams);
			set(&mut gateway.offer, self.offer);
			set(&mut gateway.stake, self.gateway_stake);
			set(&mut gateway.requests_per_minute, self.requests_per_minute);
			set(&mut gateway.tokens_per_minute, self.tokens_per_minute);
			set(&mut gateway.cors, self.cors.then_some(true));
		}
		set(&mut file.energy.idle_watts, self.idle_watts);
		set(&mut file.energy.active_watts, self.active_watts);
		set(&mut file.admin.listen, self.admin);
		set(&mut file.admin.token_file, self.admin_token_file);
	}
}

fn node(url: &str) -> Result<String, String> {
	check_node(url).map(|()| url.to_owned())
}

fn watts(text: &str) -> Result<f64, String> {
	let watts: f64 = text.trim().parse().map_err(|_| format!("{text:?} is no number of watts"))?;
	check_watts(watts)
}

fn prices(text: &str) -> Result<Prices, String> {
	let amounts = text.split(',').map(str::parse).collect::<Result<Vec<Amount>, _>>()?;
	match amounts.as_slice() {
		[prompt, cached, output] => {
			Ok(Prices { prompt: *prompt, cached: *cached, output: *output })
		}
		_ => Err("three amounts are needed: prompt,cached,output".to_owned()),
	}
}
