//! The meter: samples the machine, and gives each session its part.

use crate::{
	cpu::{ProcessCpu, SystemCpu},
	ledger::{Account, Ledger, Rate},
	model::PowerModel,
	rapl::POWERCAP,
	source::{Answer, Source},
};
use aria_primitives::record::EnergySource;
use std::{
	collections::VecDeque,
	path::PathBuf,
	sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
	time::{Duration, Instant},
};
use tracing::warn;

/// Shortest interval: `/proc/stat` counts in hundredths of a second.
const SHORTEST: Duration = Duration::from_millis(50);
/// Intervals that are kept for [`Meter::attribute`].
const MOST_INTERVALS: usize = 600;

/// What a meter reads, and how often.
#[derive(Clone, Debug)]
pub struct MeterConfig {
	/// The folder of powercap.
	pub powercap: PathBuf,
	/// The system's CPU time, in the form of `/proc/stat`. Where there is none, the process counts as
	/// the only one that works.
	pub proc_stat: PathBuf,
	/// Time between samples while a session runs; at least 50 ms. A second follows counters that go
	/// round within minutes.
	pub interval: Duration,
	/// Power where nothing counts it.
	pub model: PowerModel,
	/// Logical CPUs of the machine, for the model.
	pub logical_cpus: usize,
	/// Whether counters are read at all; otherwise everything is estimated.
	pub hardware: bool,
}

impl Default for MeterConfig {
	fn default() -> Self {
		Self {
			powercap: PathBuf::from(POWERCAP),
			proc_stat: PathBuf::from("/proc/stat"),
			interval: Duration::from_secs(1),
			model: PowerModel::default(),
			logical_cpus: std::thread::available_parallelism().map_or(1, |count| count.get()),
			hardware: true,
		}
	}
}

/// What a session used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energy {
	/// Millijoules, rounded up; at least 1, since a record has no stage without energy.
	pub mj: u64,
	/// Where the figure comes from: [`EnergySource::Estimate`] if any part of it was estimated.
	pub source: EnergySource,
	/// The session's part of the process's CPU time.
	pub cpu: Duration,
	/// How long it took.
	pub wall: Duration,
}

/// Measures the energy of the sessions of this process.
pub struct Meter {
	system: SystemCpu,
	model: PowerModel,
	logical_cpus: usize,
	state: Mutex<State>,
	signal: Arc<Signal>,
}

struct State {
	ledger: Ledger,
	source: Source,
	/// Where the interval began.
	since: Instant,
	/// CPU time of the process there.
	process: Duration,
	/// CPU time of all processes there.
	busy: Option<Duration>,
	/// The price of the last interval, while sessions run.
	last: Option<Rate>,
	history: VecDeque<Interval>,
}

/// An interval that has been priced.
struct Interval {
	from: Instant,
	to: Instant,
	rate: Rate,
}

/// Tells the thread that samples whether it should.
#[derive(Default)]
struct Signal {
	state: Mutex<Wanted>,
	changed: Condvar,
}

#[derive(Default)]
struct Wanted {
	sampling: bool,
	ended: bool,
}

impl Meter {
	/// The best source that may be read: RAPL, powermetrics, or an estimate. Which one, and why not a
	/// better one, is said in the log.
	///
	/// Starts a thread that samples while there are sessions.
	pub fn detect(config: MeterConfig) -> Arc<Self> {
		let interval = config.interval.max(SHORTEST);
		let source = if config.hardware {
			Source::detect(&config.powercap, interval)
		} else {
			Source::none()
		};
		let system = SystemCpu::new(config.proc_stat);
		let state = State {
			ledger: Ledger::default(),
			source,
			since: Instant::now(),
			process: ProcessCpu::now(),
			busy: system.busy(),
			last: None,
			history: VecDeque::new(),
		};
		let meter = Arc::new(Self {
			system,
			model: config.model,
			logical_cpus: config.logical_cpus.max(1),
			state: Mutex::new(state),
			signal: Arc::default(),
		});
		let (weak, signal) = (Arc::downgrade(&meter), meter.signal.clone());
		let sampler = std::thread::Builder::new().name("aria-energy".into());
		if let Err(error) = sampler.spawn(move || sample(&weak, &signal, interval)) {
			warn!(
				target: "aria::energy",
				%error,
				"no thread for sampling; energy is read when sessions begin and end"
			);
		}
		meter
	}

	/// Where figures come from at this moment.
	pub fn source(&self) -> EnergySource {
		self.state().source.kind()
	}

	/// Begins a session.
	///
	/// From now on it gets its part of what the process uses: while sessions compute
	/// ([`Span::compute`]), those; while none does, all in equal parts.
	pub fn begin(self: &Arc<Self>) -> Span {
		let mut state = self.state();
		let process = ProcessCpu::now();
		if state.ledger.is_empty() {
			state.source.restart();
			state.since = Instant::now();
			state.process = process;
			state.busy = self.system.busy();
			state.last = None;
		}
		let id = state.ledger.open(process);
		self.signal.want(true);
		Span { meter: self.clone(), id, began: Instant::now() }
	}

	/// The energy of `cpu` of CPU time that a caller measured itself between two moments
	/// ([`crate::ThreadCpu`], [`ProcessCpu`]).
	///
	/// Its price is the mean over the intervals that were sampled then, the last 600; time without a
	/// sample is estimated at full load. It is part of no session.
	pub fn attribute(&self, cpu: Duration, from: Instant, to: Instant) -> Energy {
		let mut state = self.state();
		if !state.ledger.is_empty() {
			self.roll(&mut state, false);
		}
		let full_load =
			Rate { microjoules: self.model.full_load_rate(), source: EnergySource::Estimate };
		let (mut sum, mut covered) = (0.0, 0.0);
		let mut source = None;
		for interval in &state.history {
			let overlap = interval.to.min(to).saturating_duration_since(interval.from.max(from));
			if !overlap.is_zero() {
				sum += interval.rate.microjoules * overlap.as_secs_f64();
				covered += overlap.as_secs_f64();
				source = Some(match source {
					Some(EnergySource::Estimate) => EnergySource::Estimate,
					_ => interval.rate.source,
				});
			}
		}
		let rate = match source {
			Some(source) if covered > 0.0 => Rate { microjoules: sum / covered, source },
			_ => full_load,
		};
		Energy {
			mj: millijoules(rate.microjoules * cpu.as_secs_f64()),
			source: rate.source,
			cpu,
			wall: to.saturating_duration_since(from),
		}
	}

	/// Ends the interval, and prices the CPU time in it. Whether it did: unless `force` is set it waits
	/// until there is enough to count.
	fn roll(&self, state: &mut State, force: bool) -> bool {
		let now = Instant::now();
		let process = ProcessCpu::now();
		state.ledger.allot(process);
		let elapsed = now.saturating_duration_since(state.since);
		if elapsed < SHORTEST && !force {
			return false;
		}
		let busy_total = self.system.busy();
		let used = process.saturating_sub(state.process);
		let busy = match (busy_total, state.busy) {
			// Ticks are coarser than the clock of the process.
			(Some(now), Some(then)) => now.saturating_sub(then).max(used),
			_ => used,
		};
		let estimate = || Rate {
			microjoules: self.model.microjoules(self.logical_cpus, elapsed, busy)
				/ busy.as_secs_f64(),
			source: EnergySource::Estimate,
		};
		let rate = match state.source.advance(elapsed, busy) {
			Answer::NotYet if !force => return false,
			_ if busy.is_zero() => None,
			Answer::Counted(counted) => {
				let busy = counted.busy.unwrap_or(busy).max(used);
				Some(Rate {
					microjoules: counted.microjoules as f64 / busy.as_secs_f64(),
					source: state.source.kind(),
				})
			}
			Answer::NotYet | Answer::Unknown => Some(estimate()),
		};
		if let Some(rate) = rate {
			state.ledger.price(rate);
			state.last = Some(rate);
			if state.history.len() >= MOST_INTERVALS {
				state.history.pop_front();
			}
			state.history.push_back(Interval { from: state.since, to: now, rate });
		}
		state.since = now;
		state.process = process;
		state.busy = busy_total;
		true
	}

	/// The session's account with a price on all of its CPU time.
	fn priced(&self, state: &mut State, id: u64) -> Account {
		if !self.roll(state, false) {
			// Too little for a sample: what the last one cost, or a coarse sample where there is none.
			match state.last {
				Some(rate) => state.ledger.price_one(id, rate),
				None => {
					self.roll(state, true);
				}
			}
		}
		state.ledger.get(id).unwrap_or_default()
	}

	fn tick(&self) {
		let mut state = self.state();
		if state.ledger.is_empty() {
			// Under the lock of the state, as in `begin`.
			self.signal.want(false);
		} else {
			self.roll(&mut state, false);
		}
	}

	fn energy(&self, state: &State, account: &Account, wall: Duration) -> Energy {
		Energy {
			mj: millijoules(account.microjoules),
			source: account.source.unwrap_or_else(|| state.source.kind()),
			cpu: Duration::try_from_secs_f64(account.cpu).unwrap_or_default(),
			wall,
		}
	}

	// A lock is poisoned only by a panic in here; sums are written as a whole, so that they go on.
	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Drop for Meter {
	fn drop(&mut self) {
		self.signal.end();
	}
}

impl Signal {
	fn wanted(&self) -> MutexGuard<'_, Wanted> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn want(&self, sampling: bool) {
		let mut wanted = self.wanted();
		if wanted.sampling != sampling {
			wanted.sampling = sampling;
			self.changed.notify_all();
		}
	}

	fn end(&self) {
		self.wanted().ended = true;
		self.changed.notify_all();
	}

	/// Waits for the time of the next sample; `false` if there will be none.
	fn wait(&self, interval: Duration) -> bool {
		let mut wanted = self.wanted();
		while !wanted.sampling && !wanted.ended {
			wanted = self.changed.wait(wanted).unwrap_or_else(PoisonError::into_inner);
		}
		if !wanted.ended {
			(wanted, _) =
				self.changed.wait_timeout(wanted, interval).unwrap_or_else(PoisonError::into_inner);
		}
		!wanted.ended
	}
}

fn sample(meter: &Weak<Meter>, signal: &Signal, interval: Duration) {
	while signal.wait(interval) {
		match meter.upgrade() {
			Some(meter) => meter.tick(),
			None => return,
		}
	}
}

fn millijoules(microjoules: f64) -> u64 {
	// Saturates; what is no number gives 0.
	((microjoules / 1000.0).ceil() as u64).max(1)
}

/// A session that is measured. Dropped without [`Span::end`], it leaves no figure.
pub struct Span {
	meter: Arc<Meter>,
	id: u64,
	began: Instant,
}

impl Span {
	/// `lanes` threads compute for this session until the result is dropped.
	///
	/// Sessions that compute at the same time divide the CPU time of the process by lanes, also where
	/// they take turns within. The result is independent of the span, and may go to another thread.
	pub fn compute(&self, lanes: usize) -> Computing {
		let lanes = u64::try_from(lanes).unwrap_or(u64::MAX).clamp(1, 1 << 32);
		self.meter.state().ledger.start(self.id, lanes, ProcessCpu::now());
		Computing { meter: self.meter.clone(), id: self.id, lanes }
	}

	/// What the session has used so far.
	pub fn so_far(&self) -> Energy {
		let mut state = self.meter.state();
		let account = self.meter.priced(&mut state, self.id);
		self.meter.energy(&state, &account, self.began.elapsed())
	}

	/// Ends the session: what it used.
	pub fn end(self) -> Energy {
		self.so_far()
	}
}

impl Drop for Span {
	fn drop(&mut self) {
		let mut state = self.meter.state();
		// What was used so far is its own, and not for those who stay.
		state.ledger.allot(ProcessCpu::now());
		state.ledger.close(self.id);
	}
}

/// A unit of a session's work, until it is dropped.
#[must_use = "dropped at once, it measures nothing"]
pub struct Computing {
	meter: Arc<Meter>,
	id: u64,
	lanes: u64,
}

impl Drop for Computing {
	fn drop(&mut self) {
		self.meter.state().ledger.stop(self.id, self.lanes, ProcessCpu::now());
	}
}
