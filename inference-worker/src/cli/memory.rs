//! The most memory that this process has held.

use std::fs;

/// The greatest resident set so far, or since [`forget_peak`], in bytes; `None` where the system does
/// not say (Linux does).
pub fn peak() -> Option<u64> {
	let status = fs::read_to_string("/proc/self/status").ok()?;
	parse(&status)
}

/// Lets [`peak`] begin anew, where the system allows it.
pub fn forget_peak() {
	// The kernel takes 5 for "reset the peak resident set"; where it cannot, peaks only grow, which
	// overstates and never flatters.
	let _ = fs::write("/proc/self/clear_refs", "5");
}

fn parse(status: &str) -> Option<u64> {
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
	let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
	Some(kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn peak_should_be_read_from_the_status() {
		assert_eq!(parse("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n"), Some(1234 * 1024));
		assert_eq!(parse("Name:\tx\n"), None);
		#[cfg(target_os = "linux")]
		assert!(peak().is_some_and(|bytes| bytes > 0));
	}
}
