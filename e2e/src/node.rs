//! An `aria-node` as a process: started on free ports, killed, started again on the same folder.

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::{
	env,
	fs::{self, File, OpenOptions},
	io::{Read, Seek, SeekFrom},
	net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// How long a node may take until its RPC answers. It takes about two seconds; a machine that
/// compiles at the same time takes longer.
const START: Duration = Duration::from_secs(90);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(50);
/// What the node's log says before the addresses of its RPC.
const ANNOUNCEMENT: &str = "Running JSON-RPC server: addr=";
/// Lines of the log that an error shows.
const TAIL: usize = 20;

/// Which node to start.
#[derive(Clone, Debug)]
pub struct Options {
	args: Vec<String>,
	rpc_port: u16,
	patience: Duration,
}

impl Options {
	/// The chain of one node: a block as soon as there is a transaction, and final at once.
	/// Otherwise an empty one each other second.
	pub fn dev() -> Self {
		Self::dev_with_idle(2_000)
	}

	/// A development chain that makes an empty block after so many idle milliseconds.
	pub fn dev_with_idle(millis: u64) -> Self {
		Self::new(["--dev", "--dev-idle-block-ms", &millis.to_string()])
	}

	/// The validator of the chain that [`quick_chain`] wrote.
	pub fn validator(spec: &Path) -> Self {
		Self::new(["--alice", "--force-authoring", "--unsafe-force-node-key-generation"])
			.chain(spec)
	}

	/// A node that follows the chain that [`quick_chain`] wrote, from the node with this address
	/// ([`crate::client::Client::address`]).
	pub fn follower(spec: &Path, address: &str) -> Self {
		Self::new(["--reserved-nodes", address]).chain(spec)
	}

	/// One more argument.
	pub fn arg(mut self, arg: impl Into<String>) -> Self {
		self.args.push(arg.into());
		self
	}

	/// How long it may take until its RPC answers; without, a minute and a half.
	pub fn patience(mut self, patience: Duration) -> Self {
		self.patience = patience;
		self
	}

	/// The port of the RPC; without, any free one.
	pub fn rpc_port(mut self, port: u16) -> Self {
		self.rpc_port = port;
		self
	}

	fn chain(self, spec: &Path) -> Self {
		self.arg("--chain").arg(spec.display().to_string())
	}

	fn new<const N: usize>(args: [&str; N]) -> Self {
		Self { args: args.map(str::to_owned).to_vec(), rpc_port: 0, patience: START }
	}
}

/// A running node, or one that was killed and can be started again. Dropping it kills the process
/// and deletes its folder.
pub struct Node {
	options: Options,
	child: Option<Child>,
	rpc_port: u16,
	dir: TempDir,
}

impl Node {
	/// Starts a node in a new folder and waits until its RPC answers.
	///
	/// Errors when the program is not built, ends early, or does not answer in time; the error ends
	/// with the end of the node's log.
	pub async fn start(options: Options) -> Result<Self> {
		let dir = tempfile::Builder::new()
			.prefix("aria-e2e-")
			.tempdir()
			.context("no temporary folder can be made: set TMPDIR to a folder with room")?;
		let mut node = Self { options, child: None, rpc_port: 0, dir };
		node.restart().await?;
		Ok(node)
	}

	/// [`Node::start`] with [`Options::dev`].
	pub async fn dev() -> Result<Self> {
		Self::start(Options::dev()).await
	}

	/// Ends the process as `kill -9` does, with no chance to write anything.
	pub fn kill9(&mut self) -> Result<()> {
		if let Some(mut child) = self.child.take() {
			// SIGKILL, on every Unix.
			child.kill().context("the node cannot be killed")?;
			child.wait().context("the node was killed, but does not end")?;
		}
		Ok(())
	}

	/// Starts the node again on its folder, after killing it if it runs. Its RPC may get another
	/// port.
	pub async fn restart(&mut self) -> Result<()> {
		self.kill9()?;
		let program = binary()?;
		let log = OpenOptions::new()
			.create(true)
			.append(true)
			.open(self.log())
			.context("the node's log cannot be written")?;
		let begin = log.metadata().context("the node's log cannot be read")?.len();
		let child = Command::new(&program)
			.args(&self.options.args)
			.arg("--base-path")
			.arg(self.dir.path().join("base"))
			.args(["--rpc-port", &self.options.rpc_port.to_string()])
			// Other nodes of this machine run at the same time, with the same genesis.
			.args(["--listen-addr", "/ip4/127.0.0.1/tcp/0", "--no-mdns"])
			.args(["--no-prometheus", "--no-telemetry", "--disable-log-color"])
			.stdin(Stdio::null())
			.stdout(log.try_clone().context("the node's log cannot be written")?)
			.stderr(log)
			.spawn()
			.with_context(|| format!("{} cannot be started", program.display()))?;
		self.child = Some(child);
		self.rpc_port = self.answering(begin).await?;
		Ok(())
	}

	/// Where its RPC listens.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.rpc_port)
	}

	/// The port of its RPC.
	pub fn port(&self) -> u16 {
		self.rpc_port
	}

	/// The process, while it runs.
	pub fn pid(&self) -> Option<u32> {
		self.child.as_ref().map(Child::id)
	}

	/// Bytes that its folder takes, with the database in it.
	pub fn disk_bytes(&self) -> u64 {
		bytes_below(self.dir.path())
	}

	/// Whether the process still runs.
	pub fn runs(&mut self) -> bool {
		self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
	}

	/// The last lines of its log.
	pub fn log_tail(&self) -> String {
		let text = fs::read(self.log()).unwrap_or_default();
		let text = String::from_utf8_lossy(&text);
		let lines: Vec<&str> = text.lines().collect();
		lines[lines.len().saturating_sub(TAIL)..].join("\n")
	}

	fn log(&self) -> PathBuf {
		self.dir.path().join("node.log")
	}

	/// The port of the RPC, once it takes connections. What stands before `begin` in the log is
	/// about earlier runs.
	async fn answering(&mut self, begin: u64) -> Result<u16> {
		let patience = self.options.patience;
		let deadline = Instant::now() + patience;
		loop {
			if !self.runs() {
				bail!(
					"aria-node ended before its RPC answered. Its log ends:\n{}",
					self.log_tail()
				);
			}
			if let Some(port) = announced(&self.log(), begin)? {
				if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
					return Ok(port);
				}
			}
			if Instant::now() > deadline {
				bail!(
					"the RPC of aria-node does not answer after {} seconds. Its log ends:\n{}",
					patience.as_secs(),
					self.log_tail()
				);
			}
			sleep(GLANCE).await;
		}
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		if std::thread::panicking() {
			eprintln!("the log of aria-node ends:\n{}", self.log_tail());
		}
		let _ = self.kill9();
	}
}

/// Bytes of all files below a folder; files that vanish meanwhile count nothing.
fn bytes_below(dir: &Path) -> u64 {
	let entries = fs::read_dir(dir).into_iter().flatten().flatten();
	entries
		.map(|entry| match entry.metadata() {
			Ok(data) if data.is_dir() => bytes_below(&entry.path()),
			Ok(data) => data.len(),
			Err(_) => 0,
		})
		.sum()
}

/// The IPv4 port that the log announces behind `begin`.
fn announced(log: &Path, begin: u64) -> Result<Option<u16>> {
	let mut file = File::open(log).context("the node's log cannot be read")?;
	file.seek(SeekFrom::Start(begin)).context("the node's log cannot be read")?;
	let mut bytes = Vec::new();
	file.read_to_end(&mut bytes).context("the node's log cannot be read")?;
	let text = String::from_utf8_lossy(&bytes);
	// A line that has no end yet may lack the end of a port.
	let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
	Ok(lines
		.filter_map(|line| line.split_once(ANNOUNCEMENT))
		.flat_map(|(_, addresses)| addresses.split(','))
		.filter_map(|address| address.trim().parse::<SocketAddr>().ok())
		.find(SocketAddr::is_ipv4)
		.map(|address| address.port()))
}

/// Where the node's program is: `$ARIA_NODE`, else as [`program`] finds it.
///
/// # Errors
/// When it is not built.
pub fn binary() -> Result<PathBuf> {
	program("aria-node", "ARIA_NODE")
}

/// Where a program is: what the variable says, else below `$CARGO_TARGET_DIR`, else beside the program
/// that asks.
///
/// # Errors
/// When it is not built.
pub fn program(name: &str, variable: &str) -> Result<PathBuf> {
	if let Some(path) = env::var_os(variable).map(PathBuf::from) {
		ensure!(
			path.is_file(),
			"{variable} names {}, where no program is: correct it, or unset it",
			path.display()
		);
		return Ok(path);
	}
	let target = env::var_os("CARGO_TARGET_DIR").map(|dir| Path::new(&dir).join("release"));
	let own = env::current_exe().context("this program does not know where it lies")?;
	// Tests lie one folder deeper than programs.
	let beside = own.ancestors().skip(1).take(2).map(Path::to_path_buf);
	target
		.into_iter()
		.chain(beside)
		.map(|dir| dir.join(name))
		.find(|path| path.is_file())
		.with_context(|| {
			format!("{name} is not built: run `make build`, or set {variable} to its path")
		})
}

/// Whether nobody listens on this port of the loopback interface.
pub fn is_free(port: u16) -> bool {
	TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Writes the specification of a chain for several nodes that a test can wait for: one validator,
/// blocks by BABE in slots of half a second, finality by GRANDPA. Returns its path in `dir`.
pub fn quick_chain(dir: &Path) -> Result<PathBuf> {
	let output = Command::new(binary()?)
		.args(["export-chain-spec", "--chain", "dev"])
		.stdin(Stdio::null())
		.output()
		.context("aria-node cannot be started")?;
	ensure!(
		output.status.success(),
		"aria-node exports no specification: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	let mut spec: Value = serde_json::from_slice(&output.stdout)
		.context("what aria-node exports as a specification is no JSON")?;
	// The genesis of the development chain, under a type that is not finalised by its author.
	for (field, value) in
		[("name", "ARIA Quick Testnet"), ("id", "aria_quick"), ("chainType", "Local")]
	{
		let slot =
			spec.get_mut(field).with_context(|| format!("the specification has no {field}"))?;
		*slot = value.into();
	}
	let path = dir.join("quick.json");
	fs::write(&path, serde_json::to_vec(&spec)?).context("the specification cannot be written")?;
	Ok(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn the_port_should_be_read_from_a_whole_line_behind_the_beginning() {
		let dir = tempfile::tempdir().unwrap();
		let log = dir.path().join("log");
		let old = "x Running JSON-RPC server: addr=127.0.0.1:1000,\n";
		let begin = old.len() as u64;

		fs::write(&log, old).unwrap();
		assert_eq!(announced(&log, begin).unwrap(), None);
		assert_eq!(announced(&log, 0).unwrap(), Some(1000));

		fs::write(&log, format!("{old}Running JSON-RPC server: addr=127.0.0.1:43")).unwrap();
		assert_eq!(announced(&log, begin).unwrap(), None);

		let line = "Running JSON-RPC server: addr=[::1]:4309,127.0.0.1:4308\n";
		fs::write(&log, format!("{old}{line}")).unwrap();
		assert_eq!(announced(&log, begin).unwrap(), Some(4308));
	}

	#[test]
	fn a_port_should_be_taken_while_somebody_listens() {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
		let port = listener.local_addr().unwrap().port();

		assert!(!is_free(port));
	}
}
