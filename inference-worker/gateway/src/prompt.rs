//! Messages and texts to tokens.

use crate::{
	ask::{Ask, Prompts},
	backend::ModelCard,
	error::ApiError,
	hex,
};
use aria_engine::text::{ChatTokenizer, Message, RenderOptions};
use std::sync::Arc;

/// Most tokens that a query holds (`docs/protocol/query.md`).
const MAX_PROMPT_TOKENS: u32 = 1 << 17;

/// The model that `name` is the name or the id of.
pub(crate) fn find(models: Vec<ModelCard>, name: &str) -> Result<ModelCard, ApiError> {
	let id = hex::hash(name);
	models
		.into_iter()
		.find(|model| model.name == name || Some(model.id) == id)
		.ok_or_else(|| ApiError::unknown_model(name))
}

/// The prompts of `ask` in tokens of `model`, each with room for an answer in the context.
///
/// This computes; it is not for an async thread.
pub(crate) fn tokens(model: &ModelCard, ask: &Ask) -> Result<Vec<Arc<[u32]>>, ApiError> {
	let tokenizer = &model.tokenizer;
	let refused = |error: aria_engine::EngineError| {
		ApiError::parameter(ask.prompts.param(), error.to_string()).code("invalid_value")
	};
	let prompts = match &ask.prompts {
		Prompts::Chat(messages) => {
			let text = render(tokenizer, messages).map_err(refused)?;
			vec![tokenizer.encode(&text).map_err(refused)?]
		}
		Prompts::Texts(texts) => texts
			.iter()
			.map(|text| tokenizer.prompt(text).map_err(refused))
			.collect::<Result<_, _>>()?,
		Prompts::Tokens(lists) => lists.clone(),
	};
	prompts
		.into_iter()
		.map(|prompt| -> Result<Arc<[u32]>, ApiError> {
			check(model, ask.prompts.param(), &prompt)?;
			Ok(prompt.into())
		})
		.collect()
}

fn check(model: &ModelCard, param: &str, prompt: &[u32]) -> Result<(), ApiError> {
	if prompt.is_empty() {
		let message = "the prompt has no tokens: give it at least one";
		return Err(ApiError::parameter(param, message).code("invalid_value"));
	}
	let context = model.context.min(MAX_PROMPT_TOKENS.saturating_add(1));
	if prompt.len() >= context as usize {
		return Err(ApiError::context(param, prompt.len(), context));
	}
	let vocab = model.tokenizer.vocab();
	match prompt.iter().find(|token| **token >= vocab) {
		None => Ok(()),
		Some(token) => {
			let message = format!("token {token} is not in this model's vocabulary of {vocab}");
			Err(ApiError::parameter(param, message).code("invalid_value"))
		}
	}
}

/// The prompt for a chat. What the system says is never lost: where the template refuses it or leaves
/// it out, it is put before what the user says first.
fn render(tokenizer: &ChatTokenizer, messages: &[Message]) -> aria_engine::Result<String> {
	let options = RenderOptions::default();
	let rendered = tokenizer.render(messages, &options);
	let mut of_system = messages.iter().filter(|message| message.role == "system").peekable();
	if of_system.peek().is_none() {
		return rendered;
	}
	match rendered {
		Ok(text) if of_system.all(|message| text.contains(message.content.trim())) => Ok(text),
		_ => tokenizer.render(&merged(messages), &options),
	}
}

/// `messages` with what the system says as the beginning of what the user says first.
fn merged(messages: &[Message]) -> Vec<Message> {
	let (system, mut others): (Vec<Message>, Vec<Message>) =
		messages.iter().cloned().partition(|message| message.role == "system");
	let system: Vec<String> = system.into_iter().map(|message| message.content).collect();
	let mut text = system.join("\n\n");
	match others.iter_mut().find(|message| message.role == "user") {
		Some(user) => {
			text.push_str("\n\n");
			text.push_str(&user.content);
			user.content = text;
		}
		None => others.insert(0, Message::user(text)),
	}
	others
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	/// Every byte is a token.
	fn tokenizer(template: &str) -> ChatTokenizer {
		let vocab: String = (b'!'..=b'~')
			.filter(|byte| !matches!(byte, b'"' | b'\\'))
			.enumerate()
			.fold(String::new(), |mut vocab, (id, byte)| {
				if id > 0 {
					vocab.push(',');
				}
				vocab.push_str(&format!("\"{}\":{id}", char::from(byte)));
				vocab
			});
		let level = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\
			\"use_regex\":false}";
		let json = format!(
			"{{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[],\
			 \"normalizer\":null,\"pre_tokenizer\":{level},\"post_processor\":null,\
			 \"decoder\":{level},\"model\":{{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\
			 \"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,\
			 \"byte_fallback\":false,\"vocab\":{{{vocab}}},\"merges\":[]}}}}"
		);
		ChatTokenizer::new(json.as_bytes(), template, 100, None, &[]).unwrap()
	}

	fn chat() -> Vec<Message> {
		vec![
			Message::new("system", " be brief "),
			Message::user("hi"),
			Message::new("assistant", "yes?"),
			Message::user("bye"),
		]
	}

	#[test]
	fn what_the_system_says_should_never_be_lost() {
		let whole = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}{% endfor %}";
		let text = render(&tokenizer(whole), &chat()).unwrap();
		assert_eq!(text, "<system>be brief<user>hi<assistant>yes?<user>bye");

		let merged = "<user>be brief \n\nhi<assistant>yes?<user>bye";
		let silent = "{% for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>\
			{{ m.content | trim }}{% endif %}{% endfor %}";
		assert_eq!(render(&tokenizer(silent), &chat()).unwrap(), merged);
		let strict = "{% for m in messages %}{% if m.role == 'system' %}\
			{{ raise_exception('no system') }}{% endif %}<{{ m.role }}>{{ m.content | trim }}{% endfor %}";
		assert_eq!(render(&tokenizer(strict), &chat()).unwrap(), merged);

		let alone = [Message::new("system", "be brief")];
		assert_eq!(render(&tokenizer(strict), &alone).unwrap(), "<user>be brief");
		let refused = "{{ raise_exception('never') }}";
		let error = render(&tokenizer(refused), &chat()).unwrap_err();
		assert!(error.to_string().contains("never"), "{error}");
	}
}
