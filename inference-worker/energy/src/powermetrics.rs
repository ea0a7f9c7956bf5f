//! powermetrics: what macOS says about the power of its processor, to root.
//!
//! The program writes a report each interval, in text. Of it count how long the interval was, how long
//! each CPU worked, and the power of the CPUs (Apple silicon) or of the package (Intel).

use std::{
	io::{self, BufRead, BufReader, Read},
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::Duration,
};

/// Longest line that is read; what is longer ends the source.
const LONGEST_LINE: u64 = 64 * 1024;
/// Longest interval of a report.
const LONGEST_MS: f64 = 3_600_000.0;
/// More than the processor can take.
const MOST_WATTS: f64 = 1000.0;
/// Most CPUs of a report.
const MOST_CPUS: u32 = 1024;

/// What a report says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
	/// Length of the interval.
	pub elapsed: Duration,
	/// Energy of the processor in it, in microjoules.
	pub microjoules: u64,
	/// CPU time of all processes in it; `None` where the report does not tell (Intel).
	pub busy: Option<Duration>,
}

/// Reads reports line by line.
#[derive(Debug, Default)]
pub struct Parser {
	elapsed_ms: Option<f64>,
	/// Sum over the CPUs, where 1 is a CPU that works all the time.
	busy: Option<f64>,
	cpus: u32,
}

impl Parser {
	/// Takes the next line; gives a report with the line that completes it.
	///
	/// Lines that it does not know, or whose numbers are none, change nothing.
	pub fn line(&mut self, line: &str) -> Option<Report> {
		let line = line.trim();
		if line.starts_with("*** Sampled system activity") {
			*self = Self { elapsed_ms: elapsed_ms(line), ..Self::default() };
			return None;
		}
		if let Some(worked) = worked(line) {
			if self.cpus < MOST_CPUS {
				self.cpus += 1;
				self.busy = Some(self.busy.unwrap_or(0.0) + worked);
			}
			return None;
		}
		let watts = watts(line)?;
		// Taken, so that a report counts once.
		let elapsed_ms = self.elapsed_ms.take()?;
		let elapsed = Duration::from_secs_f64(elapsed_ms / 1000.0);
		Some(Report {
			elapsed,
			microjoules: (watts * elapsed_ms * 1000.0) as u64,
			busy: self.busy.map(|share| elapsed.mul_f64(share)),
		})
	}
}

/// `… (1004.17ms elapsed) ***`
fn elapsed_ms(line: &str) -> Option<f64> {
	let (before, _) = line.rsplit_once("ms elapsed)")?;
	let (_, number) = before.rsplit_once('(')?;
	number.trim().parse().ok().filter(|ms| *ms > 0.0 && *ms <= LONGEST_MS)
}

/// `CPU 3 idle residency:  77.66%`: how much of the interval the CPU worked, `0.0 ..= 1.0`.
fn worked(line: &str) -> Option<f64> {
	let (number, rest) = line.strip_prefix("CPU ")?.split_once(' ')?;
	number.parse::<u32>().ok()?;
	let percent = rest.strip_prefix("idle residency:")?.trim().strip_suffix('%')?;
	let idle: f64 = percent.trim().parse().ok().filter(|idle| (0.0..=100.0).contains(idle))?;
	Some(1.0 - idle / 100.0)
}

/// `CPU Power: 117 mW`, or `Intel energy model derived package power (CPUs+GT+SA): 5.56W`.
fn watts(line: &str) -> Option<f64> {
	let text = match line.strip_prefix("CPU Power:") {
		Some(text) => text,
		None => line.strip_prefix("Intel energy model derived package power")?.split_once(':')?.1,
	};
	let text = text.trim();
	let (number, unit) = match text.strip_suffix("mW") {
		Some(number) => (number, 1e-3),
		None => (text.strip_suffix('W')?, 1.0),
	};
	let watts = number.trim().parse::<f64>().ok()? * unit;
	(0.0..=MOST_WATTS).contains(&watts).then_some(watts)
}

/// Reports so far.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
	reports: u64,
	microjoules: u64,
	busy: Duration,
	/// Reports that told how long the CPUs worked.
	told: u64,
}

/// What was counted since the last look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
	/// Energy, in microjoules.
	pub microjoules: u64,
	/// CPU time of all processes, where all reports told it.
	pub busy: Option<Duration>,
}

/// A process that writes reports, ended with this.
#[derive(Debug)]
pub struct Powermetrics {
	child: Child,
	shared: Arc<Shared>,
	seen: Totals,
}

#[derive(Debug, Default)]
struct Shared {
	totals: Mutex<Totals>,
	ended: AtomicBool,
}

impl Shared {
	fn totals(&self) -> MutexGuard<'_, Totals> {
		self.totals.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Powermetrics {
	/// The program of macOS with a report each `interval`. Only root may run it.
	pub fn command(interval: Duration) -> Command {
		let mut command = Command::new("/usr/bin/powermetrics");
		let milliseconds = interval.as_millis().max(100).to_string();
		command.args(["--samplers", "cpu_power", "-i", &milliseconds]);
		command
	}

	/// Starts `command` and a thread that reads its reports.
	pub fn start(mut command: Command) -> io::Result<Self> {
		let mut child =
			command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
		let shared = Arc::new(Shared::default());
		let output = child.stdout.take();
		let started = std::thread::Builder::new().name("aria-powermetrics".into()).spawn({
			let shared = shared.clone();
			move || {
				if let Some(output) = output {
					follow(BufReader::new(output), &shared);
				}
				shared.ended.store(true, Ordering::Release);
			}
		});
		let powermetrics = Self { child, shared, seen: Totals::default() };
		// Dropped with the process where there is no thread.
		started.map(|_| powermetrics)
	}

	/// Forgets what was reported so far.
	pub fn restart(&mut self) {
		self.seen = *self.shared.totals();
	}

	/// What was reported since the last call: `None` if there was no new report.
	///
	/// Fails once the program has ended.
	pub fn advance(&mut self) -> io::Result<Option<Counted>> {
		// In this order, so that the last report counts.
		let ended = self.shared.ended.load(Ordering::Acquire);
		let totals = *self.shared.totals();
		let reports = totals.reports - self.seen.reports;
		if reports == 0 {
			return if ended {
				Err(io::Error::new(io::ErrorKind::UnexpectedEof, "powermetrics has ended"))
			} else {
				Ok(None)
			};
		}
		let busy = (totals.told - self.seen.told == reports)
			.then(|| totals.busy.saturating_sub(self.seen.busy));
		let microjoules = totals.microjoules - self.seen.microjoules;
		self.seen = totals;
		Ok(Some(Counted { microjoules, busy }))
	}
}

impl Drop for Powermetrics {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn follow(mut output: impl BufRead, shared: &Shared) {
	let mut parser = Parser::default();
	let mut line = Vec::new();
	loop {
		line.clear();
		match output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
			Ok(0) | Err(_) => return,
			Ok(_) if line.last() != Some(&b'\n') => return,
			Ok(_) => {}
		}
		if let Some(report) = parser.line(&String::from_utf8_lossy(&line)) {
			let mut totals = shared.totals();
			totals.reports += 1;
			totals.microjoules = totals.microjoules.saturating_add(report.microjoules);
			if let Some(busy) = report.busy {
				totals.told += 1;
				totals.busy = totals.busy.saturating_add(busy);
			}
		}
	}
}
