//! One file for each call; the trait and the schedule have their own.

#![allow(clippy::unwrap_used)]

mod config;
mod permission;
mod prune;
mod schedule;
mod set_consent;
mod update_consent;
mod views;
mod withdraw_consent;

use crate::mock::*;
use aria_primitives::consent::{Consent, TaskType, Window};
use sp_runtime::BoundedVec;

type Error = crate::Error<Test>;
type Event = crate::Event<Test>;

/// Terms that each have one thing wrong, and the error that says so.
fn broken_terms() -> Vec<(Consent, Error)> {
	let with = |change: &dyn Fn(&mut Consent)| {
		let mut consent = terms(50);
		change(&mut consent);
		consent
	};
	let window = |from, to| {
		with(&move |c| c.schedule.windows = BoundedVec::truncate_from(vec![Window { from, to }]))
	};
	let tasks = |list: Vec<TaskType>| {
		with(&move |c| c.task_types = BoundedVec::truncate_from(list.clone()))
	};
	vec![
		(with(&|c| c.cpu_percent = 0), Error::CpuPercentOutOfRange),
		(with(&|c| c.cpu_percent = 101), Error::CpuPercentOutOfRange),
		(with(&|c| c.cpu_percent = u8::MAX), Error::CpuPercentOutOfRange),
		(with(&|c| c.schedule.days = 0b1000_0000), Error::InvalidSchedule),
		(with(&|c| c.schedule.utc_offset_minutes = 14 * 60 + 1), Error::InvalidSchedule),
		(with(&|c| c.schedule.utc_offset_minutes = i16::MIN), Error::InvalidSchedule),
		(window(0, 0), Error::InvalidSchedule),
		(window(600, 600), Error::InvalidSchedule),
		(window(1440, 10), Error::InvalidSchedule),
		(window(10, 1441), Error::InvalidSchedule),
		(window(10, 0), Error::InvalidSchedule),
		(window(u16::MAX, u16::MAX), Error::InvalidSchedule),
		(tasks(vec![]), Error::NoTaskTypes),
		(tasks(vec![TaskType::Audit, TaskType::Audit]), Error::DuplicateTaskType),
		(
			tasks(vec![TaskType::Audit, TaskType::Embedding, TaskType::Audit]),
			Error::DuplicateTaskType,
		),
		(with(&|c| c.max_bandwidth_mbps = 0), Error::BandwidthZero),
		(with(&|c| c.max_memory_mb = 0), Error::MemoryZero),
	]
}
