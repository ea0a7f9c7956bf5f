//! Machines behind routers, out of network namespaces: what a home has, on one machine.

pub mod doors;
pub mod town;

use anyhow::{ensure, Context, Result};
use std::{
	io::Write,
	path::Path,
	process::{Command, Stdio},
};

/// Where the names of all namespaces of this test begin; the process that made them follows.
const PREFIX: &str = "aria-nat-";

/// Runs a program with some input; what it wrote.
///
/// # Errors
/// Whatever it complains of.
pub fn run(words: &[&str], input: &str) -> Result<String> {
	let (program, args) = words.split_first().context("no program")?;
	let mut child = Command::new(program)
		.args(args)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.with_context(|| format!("{program} can't be started"))?;
	if let Some(mut stdin) = child.stdin.take() {
		stdin.write_all(input.as_bytes())?;
	}
	let output = child.wait_with_output()?;
	ensure!(
		output.status.success(),
		"`{}`: {}",
		words.join(" "),
		String::from_utf8_lossy(&output.stderr).trim()
	);
	Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A network namespace, removed when dropped. What runs in it has to end before.
pub struct Namespace {
	name: String,
}

impl Namespace {
	/// An empty one with a loopback interface.
	///
	/// # Errors
	/// Where none can be made.
	pub fn new(name: &str) -> Result<Self> {
		let name = format!("{PREFIX}{}-{name}", std::process::id());
		run(&["ip", "netns", "add", &name], "")?;
		let namespace = Self { name };
		namespace.ip(&["link", "set", "lo", "up"])?;
		Ok(namespace)
	}

	/// What it is called.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// `ip` in it.
	///
	/// # Errors
	/// What `ip` complains of.
	pub fn ip(&self, words: &[&str]) -> Result<String> {
		run(&[&["ip", "-n", self.name()][..], words].concat(), "")
	}

	/// A program in it.
	///
	/// # Errors
	/// What the program complains of.
	pub fn exec(&self, words: &[&str], input: &str) -> Result<String> {
		run(&[&["ip", "netns", "exec", self.name()][..], words].concat(), input)
	}

	/// A cable from here to another one, with the names of both plugs.
	///
	/// # Errors
	/// What `ip` complains of.
	pub fn cable(&self, plug: &str, other: &Self, there: &str) -> Result<()> {
		let cable = ["link", "add", plug, "type", "veth", "peer", "name", there];
		self.ip(&[&cable[..], &["netns", other.name()][..]].concat())?;
		self.ip(&["link", "set", plug, "up"])?;
		other.ip(&["link", "set", there, "up"])?;
		Ok(())
	}

	/// Gives a plug an address.
	///
	/// # Errors
	/// What `ip` complains of.
	pub fn address(&self, plug: &str, address: &str) -> Result<()> {
		self.ip(&["address", "add", address, "dev", plug]).map(drop)
	}

	/// Whether a connection from here to there can be made.
	pub fn reaches(&self, host: &str, port: u16) -> bool {
		let connect = format!("exec 3<>/dev/tcp/{host}/{port}");
		self.exec(&["timeout", "3", "bash", "-c", &connect], "").is_ok()
	}
}

impl Drop for Namespace {
	fn drop(&mut self) {
		if let Err(error) = run(&["ip", "netns", "delete", &self.name], "") {
			eprintln!("{error:#}");
		}
	}
}

/// Removes the namespaces of tests that were killed.
fn clear() -> Result<()> {
	for line in run(&["ip", "netns", "list"], "")?.lines() {
		let name = line.split_whitespace().next().unwrap_or_default();
		let Some((pid, _)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
			continue;
		};
		if !Path::new("/proc").join(pid).exists() {
			run(&["ip", "netns", "delete", name], "")?;
		}
	}
	Ok(())
}

/// Why this machine can't have what the test needs; `None` where it can.
pub fn obstacle() -> Option<String> {
	let tried = || -> Result<()> {
		clear()?;
		let (one, other) = (Namespace::new("try")?, Namespace::new("again")?);
		one.cable("plug", &other, "plug")?;
		one.exec(&["nft", "-f", "-"], town::RULES)?;
		one.exec(&["sh", "-c", town::FORWARD], "")?;
		one.exec(&["timeout", "1", "bash", "-c", "true"], "")?;
		Ok(())
	};
	tried().err().map(|error| format!("{error:#}"))
}
