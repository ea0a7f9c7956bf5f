//! A request's JSON to what is asked.
//!
//! A parameter is taken, or refused by its name. What OpenAI's API has and a query cannot carry
//! (`docs/protocol/query.md`) passes where its value changes nothing.

mod chat;
mod common;
mod completion;
mod fields;
mod neutral;

use crate::backend::Demands;
use aria_engine::text::Message;

pub(crate) use chat::chat;
pub(crate) use completion::completion;

/// Most choices of a prompt.
pub(crate) const MAX_CHOICES: u32 = 8;
/// Most prompts of a request.
pub(crate) const MAX_PROMPTS: usize = 16;
/// Most choices of a request.
pub(crate) const MAX_ANSWERS: usize = 32;
/// Most messages of a chat.
pub(crate) const MAX_MESSAGES: usize = 4096;
/// Most stop sequences, and most bytes of each.
pub(crate) const MAX_STOPS: usize = 4;
/// See [`MAX_STOPS`].
pub(crate) const MAX_STOP_BYTES: usize = 128;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Ask {
	/// As the client calls it.
	pub model: String,
	pub prompts: Prompts,
	/// Choices for each prompt.
	pub choices: u32,
	pub temperature_milli: u32,
	pub top_k: u32,
	pub top_p_ppm: u32,
	pub seed: Option<u64>,
	pub max_tokens: Option<u32>,
	pub stops: Vec<String>,
	pub stream: bool,
	pub include_usage: bool,
	pub demands: Demands,
}

/// What the answers continue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Prompts {
	/// A chat, for the model's template.
	Chat(Vec<Message>),
	/// Texts as they are.
	Texts(Vec<String>),
	/// Tokens as they are.
	Tokens(Vec<Vec<u32>>),
}

impl Prompts {
	/// The parameter that they came in.
	pub fn param(&self) -> &'static str {
		match self {
			Self::Chat(_) => "messages",
			Self::Texts(_) | Self::Tokens(_) => "prompt",
		}
	}
}
