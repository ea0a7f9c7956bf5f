//! The question and the answer, over the API that applications use.

use crate::show::{done, heading, milliseconds, Typing};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	cluster::Cluster,
	openai::{Answer, Api},
};
use serde_json::json;
use std::time::Duration;

/// Most tokens of the answer.
const MOST: u32 = 256;
/// From the first piece of a text to the last, if there is a speed to speak of.
const SHORTEST: Duration = Duration::from_millis(1);

/// Asks, writes the answer to the terminal as it comes, and says how fast it came.
pub async fn ask(cluster: &Cluster, question: &str) -> Result<Answer> {
	heading("A chat over the OpenAI API, streamed");
	let mut body = Api::question(&cluster.spec.alias, question);
	// The most probable tokens: the same answer, bit by bit, on every machine.
	body["temperature"] = json!(0);
	body["seed"] = json!(1);
	body["max_tokens"] = json!(MOST);

	let mut typing = Typing::begin(question);
	let api = cluster.api().await?;
	let answer = api.chat_with(&body, |text| typing.text(text)).await;
	typing.end();
	let answer = answer.context("the chat is not answered")?;
	ensure!(!answer.text.is_empty(), "the answer is empty");
	done("speed", &speed(&answer));
	Ok(answer)
}

/// How fast the text came. What follows it is no part of that: all stages sign the record, and it is
/// written to the gateway's disk.
fn speed(answer: &Answer) -> String {
	let mut said =
		format!("{} tokens: the first after {}", answer.tokens(), milliseconds(answer.first));
	let span: Duration = answer.gaps.iter().sum();
	// A text that came in one piece has no speed.
	if span >= SHORTEST {
		let rate = answer.gaps.len() as f64 / span.as_secs_f64();
		said.push_str(&format!(", then {rate:.0} tokens/s"));
	}
	said.push_str(&format!("; {} with the record", milliseconds(answer.took)));
	said
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_speed_should_be_that_of_the_text() {
		let ms = Duration::from_millis;
		let mut answer = Answer { first: ms(40), took: ms(200), ..Answer::default() };
		answer.usage = json!({ "completion_tokens": 1 });
		assert_eq!(speed(&answer), "1 tokens: the first after 40 ms; 200 ms with the record");
		answer.gaps = vec![ms(10); 10];
		answer.usage = json!({ "completion_tokens": 11 });
		assert_eq!(
			speed(&answer),
			"11 tokens: the first after 40 ms, then 100 tokens/s; 200 ms with the record"
		);
	}
}
