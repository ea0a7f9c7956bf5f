//! What can be set.

use anyhow::{ensure, Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{
	net::{IpAddr, Ipv4Addr, UdpSocket},
	num::NonZeroUsize,
	path::PathBuf,
	thread,
};

/// An address that is nobody's (RFC 5737): it leads out of this machine by the usual route.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Another one, for machines whose own network is that.
const ELSEWHERE_ELSE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// What can be set, for all measurements.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Settings {
	/// Threads of each stage, and of the process that they are compared with [default: one a processor]
	#[arg(long, global = true, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
	threads: Option<u16>,

	/// Models to measure, where there is a choice
	#[arg(
		long,
		global = true,
		value_enum,
		value_name = "MODEL,…",
		value_delimiter = ',',
		default_value = "random,shipped"
	)]
	pub models: Vec<Which>,

	/// Shape of the random model, as `aria-worker model random --shape` takes it
	#[arg(long, global = true, value_name = "NAME", default_value = "2b4t")]
	pub shape: String,

	/// A folder with a package to take in place of the random model
	#[arg(long, global = true, value_name = "DIR")]
	pub package: Option<PathBuf>,

	/// Memory that each worker may use, in MiB
	#[arg(long, global = true, value_name = "MIB", default_value_t = 4096)]
	pub memory: u32,

	/// Tokens of an answer of the random model, and of one that is delayed
	#[arg(long, global = true, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u32).range(16..=2048))]
	pub tokens: u32,

	/// Tokens of an answer of the shipped model, which is fast
	#[arg(long, global = true, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=400))]
	pub shipped_tokens: u32,

	/// How often each is measured
	#[arg(short, long, global = true, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
	pub repetitions: u32,

	/// Round trips between two peers, in milliseconds; a hop takes half of one
	#[arg(long, global = true, value_name = "MS,…", value_delimiter = ',', default_value = "20,80", help_heading = "delay", value_parser = clap::value_parser!(u32).range(1..=1000))]
	pub delays: Vec<u32>,

	/// An address of this machine that is not 127.0.0.1, for the relays [default: that of its network]
	#[arg(long, global = true, value_name = "IP", help_heading = "delay")]
	pub host: Option<Ipv4Addr>,

	/// Clients at once, each of which asks as soon as it is answered
	#[arg(long, global = true, value_name = "COUNT", default_value_t = 50, help_heading = "load", value_parser = clap::value_parser!(u16).range(1..=1024))]
	pub clients: u16,

	/// For how long, in seconds
	#[arg(long, global = true, value_name = "SECONDS", default_value_t = 300, help_heading = "load", value_parser = clap::value_parser!(u64).range(1..=86_400))]
	pub seconds: u64,

	/// Answers that the gateway takes at once
	#[arg(long, global = true, value_name = "COUNT", default_value_t = 64, help_heading = "load", value_parser = clap::value_parser!(u16).range(1..=1024))]
	pub streams: u16,

	/// Most tokens of an answer
	#[arg(long, global = true, value_name = "COUNT", default_value_t = 64, help_heading = "load", value_parser = clap::value_parser!(u32).range(1..=400))]
	pub answer_tokens: u32,

	/// Where the report is written as JSON, besides the tables
	#[arg(long, global = true, value_name = "FILE")]
	pub json: Option<PathBuf>,
}

/// A model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Which {
	/// Random weights
	Random,
	/// The one that comes with the project
	Shipped,
}

impl Settings {
	/// Threads of each stage.
	pub fn threads(&self) -> usize {
		let all = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
		self.threads.map_or_else(all, usize::from)
	}

	/// An address of this machine that peers dial which take no loopback address.
	///
	/// # Errors
	/// If this machine is in no network, or the address is not its own.
	pub fn host(&self) -> Result<Ipv4Addr> {
		let host = match self.host {
			Some(host) => host,
			None => own_address().context(
				"this machine has no address in a network, and relays need one that is not \
				 127.0.0.1: name one with --host",
			)?,
		};
		ensure!(!host.is_loopback(), "--host {host}: peers here dial no loopback address");
		UdpSocket::bind((host, 0)).with_context(|| {
			format!("{host} is no address of this machine: name another one with --host")
		})?;
		Ok(host)
	}
}

/// The address from which this machine would send elsewhere. Nothing is sent.
fn own_address() -> Option<Ipv4Addr> {
	[ELSEWHERE, ELSEWHERE_ELSE].into_iter().find_map(|elsewhere| {
		let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
		socket.connect((elsewhere, 9)).ok()?;
		match socket.local_addr().ok()?.ip() {
			IpAddr::V4(own) if !own.is_loopback() && !own.is_unspecified() => Some(own),
			_ => None,
		}
	})
}
