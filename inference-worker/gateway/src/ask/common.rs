//! What both endpoints take.

use super::{
	fields::{expected, Fields},
	neutral, Ask, Prompts, MAX_ANSWERS, MAX_CHOICES, MAX_STOPS, MAX_STOP_BYTES,
};
use crate::{
	backend::{Audit, Demands},
	error::ApiError,
};
use serde_json::Value;

/// Most verifiers that a client names.
const MAX_VERIFIERS: usize = 16;
/// Largest number of a country (ISO 3166).
const MAX_REGION: u32 = 999;
/// Most bytes of an account.
const MAX_ACCOUNT: usize = 128;

/// Takes everything but prompts and what is only found at one endpoint, for an [`Ask`] without
/// prompts.
pub(super) fn common(fields: &mut Fields) -> Result<Ask, ApiError> {
	let model = match fields.require("model")? {
		Value::String(model) if !model.is_empty() => model,
		_ => return Err(expected("model", "a string: the name or the id of a model")),
	};
	let stream = fields.flag("stream")?.unwrap_or(false);
	let include_usage = stream_options(fields, stream)?;
	let (demands, top_k) = demands(fields)?;
	let temperature = fields.number("temperature", 0.0..=2.0)?.unwrap_or(1.0);
	let top_p = fields.number("top_p", 0.0..=1.0)?.unwrap_or(1.0);
	let ask = Ask {
		model,
		prompts: Prompts::Tokens(Vec::new()),
		choices: fields.integer("n", 1..=MAX_CHOICES)?.unwrap_or(1),
		temperature_milli: (temperature * 1e3).round() as u32,
		top_k,
		// No token at all is no set to draw from.
		top_p_ppm: ((top_p * 1e6).round() as u32).max(1),
		seed: fields.bits("seed")?,
		max_tokens: None,
		stops: stops(fields)?,
		stream,
		include_usage,
		demands,
	};
	neutral::check(fields, neutral::BOTH)?;
	Ok(ask)
}

/// Refuses more answers than a request may have.
pub(super) fn check_answers(prompts: usize, choices: u32) -> Result<(), ApiError> {
	if prompts.saturating_mul(choices as usize) > MAX_ANSWERS {
		let message = format!(
			"{prompts} prompts with {choices} choices each are more than {MAX_ANSWERS} answers: divide \
			 the request"
		);
		return Err(ApiError::parameter("n", message).code("invalid_value"));
	}
	Ok(())
}

fn stream_options(fields: &mut Fields, stream: bool) -> Result<bool, ApiError> {
	let Some(value) = fields.take("stream_options") else { return Ok(false) };
	if !stream {
		let message = "`stream_options` goes with `stream`: true only";
		return Err(ApiError::parameter("stream_options", message).code("invalid_value"));
	}
	let mut options = Fields::of("stream_options", value)?;
	let include_usage = options.flag("include_usage")?.unwrap_or(false);
	// Whether chunks are padded against eavesdroppers; ours never are.
	options.flag("include_obfuscation")?;
	options.finish()?;
	Ok(include_usage)
}

fn stops(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
	let what = format!(
		"a string of 1 to {MAX_STOP_BYTES} bytes, or a list of at most {MAX_STOPS} of them"
	);
	let list = match fields.take("stop") {
		None => return Ok(Vec::new()),
		Some(Value::Array(list)) if list.len() <= MAX_STOPS => list,
		Some(text @ Value::String(_)) => vec![text],
		Some(_) => return Err(expected("stop", &what)),
	};
	list.into_iter()
		.map(|stop| match stop {
			Value::String(stop) if (1..=MAX_STOP_BYTES).contains(&stop.len()) => Ok(stop),
			_ => Err(expected("stop", &what)),
		})
		.collect()
}

/// The field `aria`: what OpenAI has no parameter for. With `top_k`, which a query does carry.
fn demands(fields: &mut Fields) -> Result<(Demands, u32), ApiError> {
	let Some(value) = fields.take("aria") else { return Ok((Demands::default(), 0)) };
	let mut aria = Fields::of("aria", value)?;
	let demands = Demands {
		salted: aria.flag("salted")?.unwrap_or(false),
		whole_model: aria.flag("whole_model")?.unwrap_or(false),
		first: account(&mut aria, "first_stage")?,
		last: account(&mut aria, "last_stage")?,
		region: region(&mut aria)?,
		audit: audit(&mut aria)?,
	};
	let top_k = aria.integer("top_k", 0..=u32::MAX)?.unwrap_or(0);
	aria.finish()?;
	Ok((demands, top_k))
}

fn account(aria: &mut Fields, key: &str) -> Result<Option<String>, ApiError> {
	match aria.text(key)? {
		Some(account) if account.is_empty() || account.len() > MAX_ACCOUNT => {
			Err(expected(&aria.path(key), "an account"))
		}
		account => Ok(account),
	}
}

/// A country.
fn region(aria: &mut Fields) -> Result<Option<u16>, ApiError> {
	let number = aria.integer("region", 1..=MAX_REGION)?;
	Ok(number.and_then(|number| u16::try_from(number).ok()))
}

fn audit(aria: &mut Fields) -> Result<Audit, ApiError> {
	let what = format!("\"any\", \"none\", or a list of 1 to {MAX_VERIFIERS} accounts");
	let wrong = || expected("aria.audit", &what);
	match aria.take("audit") {
		None => Ok(Audit::Any),
		Some(Value::String(mode)) if mode == "any" => Ok(Audit::Any),
		Some(Value::String(mode)) if mode == "none" => Ok(Audit::None),
		Some(Value::Array(list)) if (1..=MAX_VERIFIERS).contains(&list.len()) => list
			.into_iter()
			.map(|account| match account {
				Value::String(account) if (1..=MAX_ACCOUNT).contains(&account.len()) => Ok(account),
				_ => Err(wrong()),
			})
			.collect::<Result<_, _>>()
			.map(Audit::Named),
		Some(_) => Err(wrong()),
	}
}
