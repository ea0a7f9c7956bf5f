//! The shapes of answers.

use crate::{
	backend::{FinishReason, Finished, StageReceipt, Usage},
	hex,
};
use serde_json::{json, Value};

/// Which endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
	/// `/v1/chat/completions`
	Chat,
	/// `/v1/completions`
	Completion,
}

impl Kind {
	/// What ids begin with.
	pub fn prefix(self) -> &'static str {
		match self {
			Self::Chat => "chatcmpl-",
			Self::Completion => "cmpl-",
		}
	}
}

/// What all chunks and the whole answer have in common.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
	pub kind: Kind,
	pub id: String,
	/// Seconds since 1970.
	pub created: u64,
	/// The model's name.
	pub model: String,
	pub model_id: [u8; 32],
	pub fingerprint: String,
	/// Of each choice.
	pub seeds: Vec<u64>,
	/// Choices of each prompt.
	pub per_prompt: usize,
	/// Whether the stream ends with usage.
	pub include_usage: bool,
}

/// An answer that is complete.
#[derive(Clone, Debug)]
pub(crate) struct Done {
	pub finished: Finished,
	/// Workers that were replaced.
	pub replaced: u32,
}

impl Reply {
	/// The whole answer: texts and how they ended, in order.
	pub fn whole(&self, answers: &[(String, Done)]) -> Value {
		let choices: Vec<Value> = (0..)
			.zip(answers)
			.map(|(index, (text, done))| {
				let mut choice = json!({
					"index": index,
					"logprobs": null,
					"finish_reason": reason(done),
					"aria": self.receipt(index, done),
				});
				match self.kind {
					Kind::Chat => {
						choice["message"] =
							json!({ "role": "assistant", "content": text, "refusal": null });
					}
					Kind::Completion => choice["text"] = json!(text),
				}
				choice
			})
			.collect();
		let first = answers.first().map_or(Value::Null, |(_, done)| self.receipt(0, done));
		let usages: Vec<Usage> = answers.iter().map(|(_, done)| done.finished.usage).collect();
		let mut whole = self.envelope(false, Value::Array(choices));
		whole["usage"] = self.usage(&usages);
		whole["aria"] = first;
		whole
	}

	/// The chunk that begins a choice of a chat; completions have none.
	pub fn opening(&self, index: usize) -> Option<Value> {
		let delta = json!({ "role": "assistant", "content": "", "refusal": null });
		(self.kind == Kind::Chat).then(|| self.chunk(self.delta(index, delta, Value::Null)))
	}

	/// The chunk with the next piece of a choice.
	pub fn piece(&self, index: usize, text: &str) -> Value {
		let choice = match self.kind {
			Kind::Chat => self.delta(index, json!({ "content": text }), Value::Null),
			Kind::Completion => self.delta(index, json!(text), Value::Null),
		};
		self.chunk(choice)
	}

	/// The chunk that ends a choice.
	pub fn ending(&self, index: usize, done: &Done) -> Value {
		let nothing = match self.kind {
			Kind::Chat => json!({}),
			Kind::Completion => json!(""),
		};
		let receipt = self.receipt(index, done);
		let mut choice = self.delta(index, nothing, json!(reason(done)));
		choice["aria"] = receipt.clone();
		let mut chunk = self.chunk(choice);
		chunk["aria"] = receipt;
		chunk
	}

	/// The last chunk of a stream with `include_usage`.
	pub fn last(&self, done: &[Done]) -> Value {
		let usages: Vec<Usage> = done.iter().map(|done| done.finished.usage).collect();
		let mut chunk = self.envelope(true, json!([]));
		chunk["usage"] = self.usage(&usages);
		chunk["aria"] = done.first().map_or(Value::Null, |done| self.receipt(0, done));
		chunk
	}

	fn chunk(&self, choice: Value) -> Value {
		let mut chunk = self.envelope(true, json!([choice]));
		if self.include_usage {
			chunk["usage"] = Value::Null;
		}
		chunk
	}

	fn delta(&self, index: usize, delta: Value, finish_reason: Value) -> Value {
		let key = match self.kind {
			Kind::Chat => "delta",
			Kind::Completion => "text",
		};
		json!({ "index": index, key: delta, "logprobs": null, "finish_reason": finish_reason })
	}

	fn envelope(&self, chunk: bool, choices: Value) -> Value {
		let object = match (self.kind, chunk) {
			(Kind::Chat, false) => "chat.completion",
			(Kind::Chat, true) => "chat.completion.chunk",
			(Kind::Completion, _) => "text_completion",
		};
		json!({
			"id": self.id,
			"object": object,
			"created": self.created,
			"model": self.model,
			"system_fingerprint": self.fingerprint,
			"choices": choices,
		})
	}

	/// A prompt counts once, however many choices it has.
	fn usage(&self, usages: &[Usage]) -> Value {
		let sum = |of: fn(&Usage) -> u32, step: usize| -> u64 {
			usages.iter().step_by(step.max(1)).map(|usage| u64::from(of(usage))).sum()
		};
		let prompt = sum(|usage| usage.prompt_tokens, self.per_prompt);
		let cached = sum(|usage| usage.cached_tokens, self.per_prompt);
		let completion = sum(|usage| usage.completion_tokens, 1);
		json!({
			"prompt_tokens": prompt,
			"completion_tokens": completion,
			"total_tokens": prompt.saturating_add(completion),
			"prompt_tokens_details": { "cached_tokens": cached, "audio_tokens": 0 },
			"completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
		})
	}

	/// The field `aria` of a choice.
	fn receipt(&self, index: usize, done: &Done) -> Value {
		let Finished { usage, receipt, .. } = &done.finished;
		json!({
			"model_id": hex::prefixed(&self.model_id),
			"record_id": receipt.record_id.map(|id| hex::prefixed(&id)),
			"query_hash": hex::prefixed(&receipt.query_hash),
			"output_hash": hex::prefixed(&receipt.output_hash),
			"salt": receipt.salt.map(|salt| hex::prefixed(&salt)),
			"seed": self.seeds.get(index),
			"nodes": receipt.stages.iter().map(node).collect::<Vec<_>>(),
			"energy_mj": receipt.energy_mj,
			"energy_source": receipt.energy_source,
			"latency_ms": receipt.latency_ms,
			"replaced": done.replaced,
			"prompt_tokens": usage.prompt_tokens,
			"cached_tokens": usage.cached_tokens,
			"completion_tokens": usage.completion_tokens,
		})
	}
}

fn node(stage: &StageReceipt) -> Value {
	json!({
		"node": stage.node,
		"layers": { "first": stage.first, "end": stage.end },
		"energy_mj": stage.energy_mj,
		"energy_source": stage.energy_source,
		"consent_version": stage.consent_version,
	})
}

fn reason(done: &Done) -> &'static str {
	match done.finished.finish_reason {
		FinishReason::Stop => "stop",
		FinishReason::Length => "length",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::backend::Receipt;

	fn reply(kind: Kind) -> Reply {
		Reply {
			kind,
			id: "id".into(),
			created: 7,
			model: "m".into(),
			model_id: [1; 32],
			fingerprint: "fp_0".into(),
			seeds: vec![5, 6, 5, 6],
			per_prompt: 2,
			include_usage: true,
		}
	}

	fn done(prompt: u32, completion: u32) -> Done {
		let usage =
			Usage { prompt_tokens: prompt, completion_tokens: completion, cached_tokens: 1 };
		let receipt = Receipt { record_id: Some([2; 32]), ..Receipt::default() };
		let finished = Finished { finish_reason: FinishReason::Stop, usage, receipt };
		Done { finished, replaced: 0 }
	}

	#[test]
	fn prompts_should_count_once_and_answers_each() {
		let answers: Vec<(String, Done)> = [(10, 1), (10, 2), (20, 3), (20, 4)]
			.map(|(prompt, completion)| ("x".to_owned(), done(prompt, completion)))
			.into();
		let whole = reply(Kind::Completion).whole(&answers);
		assert_eq!(whole["usage"]["prompt_tokens"], 30);
		assert_eq!(whole["usage"]["completion_tokens"], 10);
		assert_eq!(whole["usage"]["total_tokens"], 40);
		assert_eq!(whole["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
		assert_eq!(whole["choices"][3]["index"], 3);
		assert_eq!(whole["choices"][3]["aria"]["seed"], 6);
		assert_eq!(whole["aria"], whole["choices"][0]["aria"]);
		assert_eq!(whole["aria"]["record_id"], format!("0x{}", "02".repeat(32)));
	}

	#[test]
	fn chunks_should_have_the_shape_that_clients_read() {
		let chat = reply(Kind::Chat);
		let opening = chat.opening(0).unwrap_or_default();
		assert_eq!(opening["object"], "chat.completion.chunk");
		assert_eq!(opening["choices"][0]["delta"]["role"], "assistant");
		assert!(opening.get("usage").is_some_and(Value::is_null));
		assert_eq!(chat.piece(1, "a")["choices"][0]["delta"]["content"], "a");
		let ending = chat.ending(1, &done(1, 1));
		assert_eq!(ending["choices"][0]["finish_reason"], "stop");
		assert_eq!(ending["aria"]["seed"], 6);
		let last = chat.last(&[done(1, 1)]);
		assert_eq!(last["choices"], json!([]));
		assert_eq!(last["usage"]["total_tokens"], 2);

		let completion = Reply { include_usage: false, ..reply(Kind::Completion) };
		assert!(completion.opening(0).is_none());
		let piece = completion.piece(0, "a");
		assert_eq!(
			(&piece["object"], &piece["choices"][0]["text"]),
			(&json!("text_completion"), &json!("a"))
		);
		assert!(piece.get("usage").is_none());
	}
}
