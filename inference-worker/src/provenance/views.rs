//! What the node answers (`docs/rpc.md`), as far as it is used here. Fields that are not known are
//! passed over, so that a newer node can be asked.

use aria_primitives::{BlockNumber, RecordId};
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};

/// The answer of `provenance_findByOutput`.
#[derive(Clone, Debug, Deserialize)]
pub struct Found {
	/// The records.
	pub records: Vec<FoundRecord>,
	/// Where the next page begins.
	pub next: Option<RecordId>,
	/// Records that the node knows of and cannot show.
	#[serde(default)]
	pub discarded: Vec<DiscardedRecord>,
}

/// A record that has left the state, and whose body the node does not keep.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscardedRecord {
	/// Its id.
	pub id: RecordId,
	/// The block that settled it.
	pub settled_at: BlockNumber,
}

/// A record by its id; what else the node says of it is taken from the proof.
#[derive(Clone, Debug, Deserialize)]
pub struct FoundRecord {
	/// It.
	pub id: RecordId,
}

/// The answer of `provenance_getProof`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredProof {
	/// The block whose state has the record.
	pub block_hash: H256,
	/// Its number.
	pub block_number: BlockNumber,
	/// The record's key in the state trie.
	pub storage_key: Bytes,
	/// The trie's nodes.
	pub proof: Vec<Bytes>,
	/// The value.
	pub value: Bytes,
	/// For a record that has left the state: what leads to that block from a later one.
	#[serde(default)]
	pub past: Option<StoredPast>,
}

/// What leads from a later block to the one that settled a record.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPast {
	/// The later block.
	pub block_hash: H256,
	/// Its number.
	pub block_number: BlockNumber,
	/// The leaf of the block that settled the record.
	pub leaf: Bytes,
	/// Hashes beside the way from there to the root.
	pub items: Vec<H256>,
	/// The record's place in its block.
	pub record_index: u32,
	/// How many that block settled.
	pub record_count: u32,
	/// Hashes beside the way from the record to the block's root.
	pub record_path: Vec<H256>,
}

/// The answer of `provenance_trace`, without the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
	/// The model; `None` if it is not registered.
	pub model: Option<ModelInfo>,
	/// Its names now.
	pub aliases: Vec<String>,
	/// Whether it is pinned now.
	pub pinned: bool,
	/// The nodes in the order of the stages.
	pub nodes: Vec<TracedNode>,
	/// Where the record stands in its audit.
	pub audit: Audit,
}

/// What the chain keeps of a model at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelInfo {
	/// Layers.
	pub layers: u16,
	/// Parameters that take part in every token, in decimal.
	pub active_parameters: String,
	/// Positions.
	pub context: u32,
}

/// A node of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TracedNode {
	/// Its address.
	pub node: String,
	/// Its peer key, if it is still registered.
	pub peer: Option<H256>,
	/// The consent that it worked under, if that is still kept.
	pub consent: Option<Consent>,
	/// Its reputation now, in parts per million.
	pub reputation_ppm: u32,
}

/// A version of a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
	/// Its number.
	pub version: u32,
	/// Share of all logical CPUs, in percent.
	pub cpu_percent: u8,
	/// When.
	pub schedule: Schedule,
	/// Kinds of task.
	pub task_types: Vec<String>,
	/// Network limit, in megabits a second.
	pub max_bandwidth_mbps: u32,
	/// Memory limit, in mebibytes.
	pub max_memory_mb: u32,
	/// What for.
	pub reward_preference: RewardPreference,
	/// The block that set it.
	pub set_at: BlockNumber,
	/// The block that replaced or withdrew it.
	pub superseded_at: Option<BlockNumber>,
}

/// Hours of a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
	/// Bit 0 is Monday.
	pub days: u8,
	/// Local time minus UTC, in minutes.
	pub utc_offset_minutes: i16,
	/// Hours of those days.
	pub windows: Vec<Window>,
}

/// Minutes after local midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
	/// The first.
	pub from: u16,
	/// One past the last.
	pub to: u16,
}

/// What a contributor wants for the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardPreference {
	/// Where earnings go.
	pub payout: String,
	/// Least price of an output token, in planck, in decimal.
	pub minimum_price: String,
	/// `keep` or `donate`.
	pub mode: String,
}

/// Where a record stands in its audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
	/// `pending`, `not_drawn`, `drawn` or `unaudited`.
	pub status: String,
	/// The epoch at whose start it may be drawn, in decimal.
	#[serde(default)]
	pub draw_epoch: Option<String>,
	/// The block of the draw.
	#[serde(default)]
	pub at: Option<BlockNumber>,
}

impl Consent {
	/// The terms in a line.
	pub fn in_words(&self) -> String {
		let until = match self.superseded_at {
			Some(block) => format!("superseded in block {block}"),
			None => "in force".to_owned(),
		};
		format!(
			"{} % of all CPUs, {}, {}, at most {} Mbit/s and {} MiB, from {} planck a token, earnings: {}; \
			 set in block {}, {until}",
			self.cpu_percent,
			self.schedule.in_words(),
			self.task_types.join(" and "),
			self.max_bandwidth_mbps,
			self.max_memory_mb,
			self.reward_preference.minimum_price,
			self.reward_preference.mode,
			self.set_at,
		)
	}
}

impl Schedule {
	/// The hours, as in `Mon Tue 22:00-06:00 (UTC+02:00)`.
	pub fn in_words(&self) -> String {
		const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
		let all_day = |window: &Window| window.from == 0 && window.to == 1440;
		if self.days & 127 == 127 && self.windows.iter().any(all_day) {
			return "at all times".to_owned();
		}
		let days: Vec<&str> = (0..)
			.zip(DAYS)
			.filter(|(bit, _)| (self.days >> bit) & 1 == 1)
			.map(|(_, day)| day)
			.collect();
		if days.is_empty() || self.windows.is_empty() {
			return "at no time".to_owned();
		}
		let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
		let hours: Vec<String> = self
			.windows
			.iter()
			.map(|window| format!("{}-{}", clock(window.from), clock(window.to)))
			.collect();
		let sign = if self.utc_offset_minutes < 0 { '-' } else { '+' };
		let offset = clock(self.utc_offset_minutes.unsigned_abs());
		let days = if days.len() == 7 { "daily".to_owned() } else { days.join(" ") };
		format!("{days} {} (UTC{sign}{offset})", hours.join(", "))
	}
}

impl Audit {
	/// The status in words.
	pub fn in_words(&self) -> String {
		match (self.status.as_str(), &self.draw_epoch, self.at) {
			("pending", Some(epoch), _) => {
				format!("not drawn yet; it may be at the start of epoch {epoch}")
			}
			("not_drawn", ..) => "the draw passed it over".to_owned(),
			("drawn", _, Some(block)) => format!("drawn in block {block}"),
			("unaudited", ..) => "nobody could or might check it".to_owned(),
			(other, ..) => other.to_owned(),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn schedules_should_be_readable() {
		let schedule = |days, offset, windows: &[(u16, u16)]| Schedule {
			days,
			utc_offset_minutes: offset,
			windows: windows.iter().map(|(from, to)| Window { from: *from, to: *to }).collect(),
		};
		assert_eq!(schedule(127, 0, &[(0, 1440)]).in_words(), "at all times");
		assert_eq!(schedule(0, 0, &[(0, 1440)]).in_words(), "at no time");
		assert_eq!(
			schedule(0b11, 120, &[(1320, 360)]).in_words(),
			"Mon Tue 22:00-06:00 (UTC+02:00)"
		);
		assert_eq!(
			schedule(127, -210, &[(0, 60), (120, 180)]).in_words(),
			"daily 00:00-01:00, 02:00-03:00 (UTC-03:30)"
		);
	}

	#[test]
	fn audits_should_be_readable() {
		let audit = |status: &str, draw_epoch: Option<&str>, at| Audit {
			status: status.to_owned(),
			draw_epoch: draw_epoch.map(str::to_owned),
			at,
		};
		assert!(audit("pending", Some("7"), None).in_words().contains("epoch 7"));
		assert!(audit("drawn", None, Some(9)).in_words().contains("block 9"));
		assert_eq!(audit("failed", None, None).in_words(), "failed");
	}
}
