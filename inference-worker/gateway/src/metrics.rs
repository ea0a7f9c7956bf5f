//! What `/metrics` says.

use prometheus::{
	core::Collector, Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts,
	Registry, TextEncoder,
};

/// Upper bounds of buckets, in seconds.
const SECONDS: [f64; 14] =
	[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// Counters of one gateway.
pub(crate) struct Metrics {
	registry: Registry,
	/// Responses by route and status.
	pub requests: IntCounterVec,
	/// Places that are taken.
	pub streams: IntGauge,
	/// Requests that wait.
	pub queue: IntGauge,
	/// Open connections.
	pub connections: IntGauge,
	/// From a request to its first token.
	pub first_token: Histogram,
	/// From a token to the next.
	pub per_token: Histogram,
	/// Tokens by kind: `prompt`, `cached`, `completion`.
	pub tokens: IntCounterVec,
	/// Answers that ended because the client went away.
	pub cancelled: IntCounter,
	/// Answers that ended because the client took nothing.
	pub stalled: IntCounter,
	/// Answers that broke off.
	pub failed: IntCounter,
	/// Workers that were replaced during an answer.
	pub replaced: IntCounter,
}

impl Metrics {
	/// All at 0.
	///
	/// # Errors
	///
	/// None, as long as names and labels are valid.
	pub fn new() -> prometheus::Result<Self> {
		let registry = Registry::new();
		let seconds = |name: &str, help: &str| {
			Histogram::with_opts(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()))
		};
		let metrics = Self {
			requests: IntCounterVec::new(
				Opts::new("aria_gateway_requests_total", "Responses, by route and status."),
				&["route", "status"],
			)?,
			streams: IntGauge::new("aria_gateway_streams", "Answers that are being computed.")?,
			queue: IntGauge::new("aria_gateway_queue", "Requests that wait for their turn.")?,
			connections: IntGauge::new("aria_gateway_connections", "Open connections.")?,
			first_token: seconds(
				"aria_gateway_first_token_seconds",
				"From a request to its first token.",
			)?,
			per_token: seconds("aria_gateway_token_seconds", "From a token to the next.")?,
			tokens: IntCounterVec::new(
				Opts::new("aria_gateway_tokens_total", "Tokens of complete answers, by kind."),
				&["kind"],
			)?,
			cancelled: IntCounter::new(
				"aria_gateway_cancelled_total",
				"Answers whose client went away.",
			)?,
			stalled: IntCounter::new(
				"aria_gateway_stalled_total",
				"Answers whose client took nothing.",
			)?,
			failed: IntCounter::new("aria_gateway_failed_total", "Answers that broke off.")?,
			replaced: IntCounter::new(
				"aria_gateway_replaced_total",
				"Workers that were replaced during an answer.",
			)?,
			registry,
		};
		let all: [Box<dyn Collector>; 11] = [
			Box::new(metrics.requests.clone()),
			Box::new(metrics.streams.clone()),
			Box::new(metrics.queue.clone()),
			Box::new(metrics.connections.clone()),
			Box::new(metrics.first_token.clone()),
			Box::new(metrics.per_token.clone()),
			Box::new(metrics.tokens.clone()),
			Box::new(metrics.cancelled.clone()),
			Box::new(metrics.stalled.clone()),
			Box::new(metrics.failed.clone()),
			Box::new(metrics.replaced.clone()),
		];
		for one in all {
			metrics.registry.register(one)?;
		}
		Ok(metrics)
	}

	/// All of it in Prometheus' text format.
	///
	/// # Errors
	///
	/// Whatever the encoder meets.
	pub fn text(&self) -> prometheus::Result<Vec<u8>> {
		let mut text = Vec::new();
		TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
		Ok(text)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn metrics_should_be_text() {
		let metrics = Metrics::new().unwrap();
		metrics.requests.with_label_values(&["chat", "200"]).inc();
		metrics.first_token.observe(0.01);
		let text = String::from_utf8(metrics.text().unwrap()).unwrap();
		assert!(text.contains("aria_gateway_requests_total{route=\"chat\",status=\"200\"} 1"));
		assert!(text.contains("aria_gateway_first_token_seconds_count 1"));
	}
}
