//! CPU time: of a thread, of the process, of all processes.

use rustix::time::{clock_gettime, ClockId};
use std::{
	fs::File,
	io::{self, Read},
	path::{Path, PathBuf},
	time::Duration,
};

/// Ticks a second in `/proc/stat`: what the kernel shows to programs, on every machine that it
/// still supports, whatever its own timer does.
const USER_TICKS: u64 = 100;

/// CPU time of the calling thread.
#[derive(Clone, Copy, Debug)]
pub struct ThreadCpu;

impl ThreadCpu {
	/// CPU time since the thread began. Comparable only with figures of the same thread.
	pub fn now() -> Duration {
		read_clock(ClockId::ThreadCPUTime)
	}
}

/// CPU time of all threads of this process.
#[derive(Clone, Copy, Debug)]
pub struct ProcessCpu;

impl ProcessCpu {
	/// CPU time since the process began.
	pub fn now() -> Duration {
		read_clock(ClockId::ProcessCPUTime)
	}
}

fn read_clock(clock: ClockId) -> Duration {
	let time = clock_gettime(clock);
	let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
	let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
	Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds))
}

/// CPU time of all processes of the machine, out of `/proc/stat`.
#[derive(Clone, Debug)]
pub(crate) struct SystemCpu {
	path: PathBuf,
}

impl SystemCpu {
	pub fn new(path: PathBuf) -> Self {
		Self { path }
	}

	/// Since the machine started; `None` where the system does not tell.
	pub fn busy(&self) -> Option<Duration> {
		parse_busy(&read_small(&self.path).ok()?)
	}
}

/// The columns of the line `cpu` in which a processor worked: user, nice, system, irq, softirq.
/// Guests are within user and nice; what is stolen worked for somebody else.
fn parse_busy(text: &str) -> Option<Duration> {
	let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
	let mut columns = line.split_ascii_whitespace().map(|column| column.parse::<u64>().ok());
	let mut next = || columns.next().flatten();
	let (user, nice, system) = (next()?, next()?, next()?);
	let (_idle, _waiting) = (next()?, next()?);
	let ticks = [nice, system, next().unwrap_or(0), next().unwrap_or(0)]
		.into_iter()
		.fold(user, u64::saturating_add);
	Some(Duration::from_millis(ticks.saturating_mul(1000 / USER_TICKS)))
}

/// The first 4 KiB of a file, since what lies behind these paths need not be a kernel's.
pub(crate) fn read_small(path: &Path) -> io::Result<String> {
	let mut bytes = Vec::new();
	File::open(path)?.take(4096).read_to_end(&mut bytes)?;
	Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn busy_time_should_leave_out_idle_waiting_and_stolen_time() {
		let text = "cpu  100 20 30 9000 500 4 6 700 50 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
		assert_eq!(parse_busy(text), Some(Duration::from_millis(1600)));
	}

	#[test]
	fn odd_contents_should_give_no_figure() {
		for text in ["", "cpu", "cpu \n", "cpu a b c d e", "cpu 1 2 3", "cpu0 1 2 3 4 5", "\u{0}"] {
			assert_eq!(parse_busy(text), None, "{text:?}");
		}
		let huge = format!("cpu {max} {max} {max} {max} {max} {max} {max}", max = u64::MAX);
		assert!(parse_busy(&huge).is_some());
	}

	#[test]
	fn clocks_should_count_work() {
		let (thread, process) = (ThreadCpu::now(), ProcessCpu::now());
		let mut sum = 0u64;
		while ThreadCpu::now() < thread + Duration::from_millis(5) {
			sum = std::hint::black_box(sum.wrapping_add(1));
		}
		assert!(ProcessCpu::now() >= process + Duration::from_millis(5));
	}
}
