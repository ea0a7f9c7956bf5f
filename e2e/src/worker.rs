//! An `aria-worker run` as a process: a worker or a gateway, on free ports of the loopback interface.

use crate::node::program;
use anyhow::{bail, ensure, Context, Result};
use aria_primitives::record::LayerRange;
use serde_json::Value;
use std::{
	fs::{self, OpenOptions},
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// How long a worker may take until it is ready. It takes a few seconds; a machine that compiles at
/// the same time takes longer.
const START: Duration = Duration::from_secs(120);
/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(45);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(50);
/// Lines of the log that an error shows.
const TAIL: usize = 30;

/// Which worker to start.
#[derive(Clone, Debug)]
pub struct Options {
	name: String,
	args: Vec<String>,
	envs: Vec<(String, String)>,
	wrapper: Vec<String>,
}

impl Options {
	/// The account `suri` with these layers of the model `alias`, whose package lies in a folder.
	pub fn worker(suri: &str, alias: &str, layers: LayerRange, package: &Path) -> Self {
		let LayerRange { first, end } = layers;
		Self::new(suri)
			.args(["--serve", alias, "--layers", &format!("{first}..{end}")])
			.args(["--package", &package.display().to_string()])
			// Another limit than the default: tests share two processors.
			.args(["--cpu-percent", "100", "--bandwidth", "1000"])
	}

	/// A gateway that computes nothing itself, with the account `suri`.
	pub fn gateway(suri: &str) -> Self {
		Self::new(suri).args(["--serve", "none", "--gateway", "127.0.0.1:0"])
	}

	/// The account `suri` on a development chain, and nothing else said.
	pub fn new(suri: &str) -> Self {
		let name = suri.trim_start_matches('/').to_owned();
		let options = Self { name, args: Vec::new(), envs: Vec::new(), wrapper: Vec::new() };
		options.args(["run", "--dev", "--suri", suri, "--admin", "127.0.0.1:0"])
	}

	/// One more argument. A later one does not replace an earlier one of the same name.
	pub fn arg(mut self, arg: impl Into<String>) -> Self {
		self.args.push(arg.into());
		self
	}

	/// More arguments.
	pub fn args<'a>(self, args: impl IntoIterator<Item = &'a str>) -> Self {
		args.into_iter().fold(self, Self::arg)
	}

	/// Replaces the value of an argument, or adds it.
	pub fn set(mut self, name: &str, value: &str) -> Self {
		let place = self.args.iter().position(|arg| arg == name);
		match place.and_then(|place| self.args.get_mut(place.saturating_add(1))) {
			Some(slot) => {
				*slot = value.to_owned();
				self
			}
			None => self.args([name, value]),
		}
	}

	/// A peer by which it finds the network.
	pub fn bootstrap(self, address: &str) -> Self {
		self.args(["--bootstrap", address])
	}

	/// A variable of its environment.
	pub fn env(mut self, name: &str, value: &str) -> Self {
		self.envs.push((name.to_owned(), value.to_owned()));
		self
	}

	/// A command that runs the program, `ip netns exec NAME` say.
	pub fn wrapped<'a>(mut self, wrapper: impl IntoIterator<Item = &'a str>) -> Self {
		self.wrapper = wrapper.into_iter().map(str::to_owned).collect();
		self
	}
}

/// A running worker, or one that was killed and can be started again on its folder. Dropping it kills
/// the process and deletes its folder.
pub struct Worker {
	options: Options,
	node: String,
	child: Option<Child>,
	dir: TempDir,
}

impl Worker {
	/// Starts a worker in a new folder, for the chain of the node at `node`, and waits until it is ready.
	///
	/// # Errors
	/// When the program is not built, ends early, or is not ready in time; the error ends with the end
	/// of its log.
	pub async fn start(node: &str, options: Options) -> Result<Self> {
		let mut worker = Self::spawn(node, options)?;
		worker.ready().await?;
		Ok(worker)
	}

	/// As [`Worker::start`], without waiting.
	///
	/// # Errors
	/// When the program can't be started.
	pub fn spawn(node: &str, options: Options) -> Result<Self> {
		let dir = tempfile::Builder::new()
			.prefix("aria-e2e-worker-")
			.tempdir()
			.context("no temporary folder can be made: set TMPDIR to a folder with room")?;
		let mut worker = Self { options, node: node.to_owned(), child: None, dir };
		worker.launch()?;
		Ok(worker)
	}

	fn launch(&mut self) -> Result<()> {
		// What an earlier process said of itself is no longer true.
		let _ = fs::remove_file(self.base().join("admin.json"));
		let program = program("aria-worker", "ARIA_WORKER")?;
		let log = OpenOptions::new()
			.create(true)
			.append(true)
			.open(self.log())
			.context("the worker's log cannot be written")?;
		let mut words = self.options.wrapper.iter();
		let mut command = match words.next() {
			Some(first) => {
				let mut command = Command::new(first);
				command.args(words).arg(&program);
				command
			}
			None => Command::new(&program),
		};
		let child = command
			.args(&self.options.args)
			.args(["--node", &self.node])
			.arg("--base-path")
			.arg(self.base())
			.env("NO_COLOR", "1")
			.envs(self.options.envs.iter().map(|(name, value)| (name, value)))
			.stdin(Stdio::null())
			.stdout(log.try_clone().context("the worker's log cannot be written")?)
			.stderr(log)
			.spawn()
			.with_context(|| format!("{} cannot be started", program.display()))?;
		self.child = Some(child);
		Ok(())
	}

	/// Waits until it takes work.
	///
	/// # Errors
	/// When it ends before, or is not ready in time.
	pub async fn ready(&mut self) -> Result<()> {
		let deadline = Instant::now() + START;
		while !self.base().join("admin.json").is_file() {
			if !self.runs() {
				bail!("{}: the worker ended. Its log ends:\n{}", self.name(), self.log_tail());
			}
			if Instant::now() > deadline {
				bail!(
					"{}: the worker is not ready after {} seconds. Its log ends:\n{}",
					self.name(),
					START.as_secs(),
					self.log_tail()
				);
			}
			sleep(GLANCE).await;
		}
		Ok(())
	}

	/// Ends the process as `kill -9` does, with no chance to write anything.
	///
	/// # Errors
	/// When it can't be killed.
	pub fn kill9(&mut self) -> Result<()> {
		if let Some(mut child) = self.child.take() {
			child.kill().context("the worker cannot be killed")?;
			child.wait().context("the worker was killed, but does not end")?;
		}
		Ok(())
	}

	/// Asks it to end, as `kill` does, and waits until it has. Whether its exit status is 0.
	///
	/// # Errors
	/// When it does not end.
	pub async fn stop(&mut self) -> Result<bool> {
		self.signal("TERM")?;
		let Some(mut child) = self.child.take() else { return Ok(true) };
		let deadline = Instant::now() + END;
		loop {
			if let Some(status) = child.try_wait().context("the worker's end is not heard of")? {
				return Ok(status.success());
			}
			if Instant::now() > deadline {
				self.child = Some(child);
				bail!("{}: asked to end, it does not:\n{}", self.name(), self.log_tail());
			}
			sleep(GLANCE).await;
		}
	}

	/// Sends it a signal, `STOP` say.
	///
	/// # Errors
	/// When it does not run.
	pub fn signal(&self, signal: &str) -> Result<()> {
		let pid = self.pid().with_context(|| format!("{} does not run", self.name()))?;
		let status = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
		anyhow::ensure!(status?.success(), "{}: no signal {signal} can be sent", self.name());
		Ok(())
	}

	/// Starts it again on its folder, after killing it if it runs, and waits until it is ready.
	///
	/// # Errors
	/// As [`Worker::start`].
	pub async fn restart(&mut self) -> Result<()> {
		self.kill9()?;
		self.launch()?;
		self.ready().await
	}

	/// Its process.
	pub fn pid(&self) -> Option<u32> {
		self.child.as_ref().map(Child::id)
	}

	/// What it is called in errors: its account without slashes.
	pub fn name(&self) -> &str {
		&self.options.name
	}

	/// Its folder.
	pub fn base(&self) -> PathBuf {
		self.dir.path().join("base")
	}

	/// Whether the process still runs.
	pub fn runs(&mut self) -> bool {
		self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
	}

	/// Everything that it logged.
	pub fn log_text(&self) -> String {
		String::from_utf8_lossy(&fs::read(self.log()).unwrap_or_default()).into_owned()
	}

	/// The last lines of its log.
	pub fn log_tail(&self) -> String {
		let text = self.log_text();
		let lines: Vec<&str> = text.lines().collect();
		lines[lines.len().saturating_sub(TAIL)..].join("\n")
	}

	fn log(&self) -> PathBuf {
		self.dir.path().join("worker.log")
	}

	/// What `aria-worker status --json` says.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn status(&self) -> Result<Value> {
		self.admin("status", false).await
	}

	/// What `aria-worker status --plan --json` says.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn plan(&self) -> Result<Value> {
		self.admin("plan", false).await
	}

	/// As `aria-worker pause`.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn pause(&self) -> Result<Value> {
		self.admin("pause", true).await
	}

	/// As `aria-worker resume`.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn resume(&self) -> Result<Value> {
		self.admin("resume", true).await
	}

	async fn admin(&self, what: &str, post: bool) -> Result<Value> {
		let text = fs::read(self.base().join("admin.json"))
			.with_context(|| format!("{} does not say where it is administered", self.name()))?;
		let found: Value = serde_json::from_slice(&text)?;
		let address = found["address"].as_str().context("admin.json has no address")?;
		let url = format!("http://{address}/admin/{what}");
		let client = reqwest::Client::builder().no_proxy().timeout(END).build()?;
		let mut request = if post { client.post(url) } else { client.get(url) };
		if let Some(token) = found["token"].as_str() {
			request = request.bearer_auth(token);
		}
		let answer = request.send().await?;
		let status = answer.status();
		let value: Value = answer.json().await?;
		anyhow::ensure!(status.is_success(), "{}: {what}: {value}", self.name());
		Ok(value)
	}

	/// An address of it that others on this machine can dial, with its peer id: TCP if it has one.
	///
	/// # Errors
	/// When it does not answer, or listens nowhere.
	pub async fn address(&self) -> Result<String> {
		let status = self.status().await?;
		let peer = status["peer"].as_str().context("the status has no peer")?;
		let addresses: Vec<&str> = status["addresses"]
			.as_array()
			.into_iter()
			.flatten()
			.filter_map(Value::as_str)
			.collect();
		let address = addresses
			.iter()
			.find(|address| address.contains("/tcp/"))
			.or(addresses.first())
			.with_context(|| format!("{} listens nowhere", self.name()))?;
		if address.contains("/p2p/") {
			return Ok((*address).to_owned());
		}
		Ok(format!("{address}/p2p/{peer}"))
	}

	/// Where it serves the OpenAI API: `http://127.0.0.1:PORT/v1`.
	///
	/// # Errors
	/// When it does not answer, or is no gateway.
	pub async fn base_url(&self) -> Result<String> {
		let status = self.status().await?;
		let url = status["gateway"].as_str();
		Ok(url.with_context(|| format!("{} is no gateway", self.name()))?.to_owned())
	}

	/// The API key of a gateway of a development chain.
	///
	/// # Errors
	/// When there is none.
	pub fn api_key(&self) -> Result<String> {
		let path = self.base().join("dev-token");
		let key = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
		Ok(key.trim().to_owned())
	}
}

/// Writes a model of random weights into a new folder `dir`. `shape` are flags of `aria-worker model
/// random`, with spaces between: dimensions, shards and seed.
///
/// # Errors
/// When the program is not built, refuses the shape, or the disk is full.
pub async fn write_model(dir: &Path, shape: &str) -> Result<()> {
	let output = tokio::process::Command::new(program("aria-worker", "ARIA_WORKER")?)
		.args(["model", "random", "--shape", "custom"])
		.args(shape.split_whitespace())
		.arg(dir)
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output()
		.await?;
	let errors = String::from_utf8_lossy(&output.stderr);
	ensure!(output.status.success(), "aria-worker model random: {errors}");
	Ok(())
}

impl Drop for Worker {
	fn drop(&mut self) {
		if std::thread::panicking() {
			eprintln!("the log of {} ends:\n{}", self.name(), self.log_tail());
		}
		let _ = self.kill9();
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_option_that_is_there_should_be_replaced() {
		let layers = LayerRange { first: 0, end: 2 };
		let options = Options::worker("//Bob", "m", layers, Path::new("/p"));
		let before = options.args.len();
		let options = options.set("--cpu-percent", "25").set("--hours", "always");

		assert_eq!(options.args.len(), before + 2);
		let place = options.args.iter().position(|arg| arg == "--cpu-percent");
		assert_eq!(place.and_then(|place| options.args.get(place + 1)), Some(&"25".to_owned()));
		assert_eq!(options.name, "Bob");
	}
}
