//! Energy and output of the network.

use super::encoding::decimal;
use aria_primitives::views::NetworkStats;
use serde::{Deserialize, Serialize};

/// Energy and output of the network since genesis (paper, 3.2: Proof of Sobriety).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkStatsView {
	/// Settled inferences.
	#[serde(with = "decimal")]
	pub inferences: u64,
	/// Tokens of prompts that were computed.
	#[serde(with = "decimal")]
	pub prompt_tokens: u64,
	/// Tokens of answers.
	#[serde(with = "decimal")]
	pub output_tokens: u64,
	/// Energy that hardware counted.
	#[serde(with = "decimal")]
	pub measured_millijoules: u128,
	/// Energy that a model estimated.
	#[serde(with = "decimal")]
	pub estimated_millijoules: u128,
	/// Tokens of answers whose energy was measured in every stage.
	#[serde(with = "decimal")]
	pub measured_output_tokens: u64,
	/// All energy by tokens of answers; `null` before the first token.
	pub joules_per_token: Option<f64>,
	/// Measured energy by all energy, `0..=1`; `null` before the first joule.
	pub measured_share: Option<f64>,
	/// Tokens measured in every stage by all tokens of answers, `0..=1`; `null` before the first.
	pub measured_token_share: Option<f64>,
}

impl From<NetworkStats> for NetworkStatsView {
	fn from(stats: NetworkStats) -> Self {
		let total = stats.measured_mj.saturating_add(stats.estimated_mj) as f64;
		let tokens = stats.output_tokens as f64;
		Self {
			inferences: stats.inferences,
			prompt_tokens: stats.prompt_tokens,
			output_tokens: stats.output_tokens,
			measured_millijoules: stats.measured_mj,
			estimated_millijoules: stats.estimated_mj,
			measured_output_tokens: stats.measured_output_tokens,
			joules_per_token: ratio(total / 1_000.0, tokens),
			measured_share: ratio(stats.measured_mj as f64, total),
			measured_token_share: ratio(stats.measured_output_tokens as f64, tokens),
		}
	}
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
	(whole > 0.0).then(|| part / whole)
}
