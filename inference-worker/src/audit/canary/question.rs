//! What is asked of a canary. A verifier reads the question, so it has to look like anybody's; and nobody's
//! own may be used for it.

use rand::seq::SliceRandom;

/// Beginnings, with where the thing stands.
const FORMS: &[&str] = &[
	"What is {}?",
	"Explain {} to a child.",
	"Explain {} in two sentences.",
	"Tell me about {}.",
	"Why is {} important?",
	"How does {} work?",
	"Give me three facts about {}.",
	"Who first described {}?",
	"Write a short poem about {}.",
	"Write a definition of {} for a glossary.",
	"What should I know about {} before an exam?",
	"List pros and cons of {}.",
	"I have to give a talk about {}. Where do I begin?",
	"Is {} dangerous?",
	"Summarise the history of {}.",
	"What do people get wrong about {}?",
	"Compare {} with something from everyday life.",
	"What is the opposite of {}?",
	"Describe {} without technical words.",
	"Name a good book about {}.",
	"How would you draw {}?",
	"Can you help me to understand {}",
	"what's {} good for",
	"define {}",
];

/// Things.
const THINGS: &[&str] = &[
	"a lighthouse",
	"a glacier",
	"a violin",
	"photosynthesis",
	"inflation",
	"a comet",
	"sourdough",
	"a vaccine",
	"gravity",
	"a hedgehog",
	"the French Revolution",
	"a battery",
	"an eclipse",
	"osmosis",
	"a contract",
	"jazz",
	"a volcano",
	"recycling",
	"a compiler",
	"the tide",
	"a mortgage",
	"chess",
	"a telescope",
	"democracy",
	"a sonnet",
	"a bicycle",
	"insulin",
	"a dialect",
	"the moon",
	"an enzyme",
	"a fjord",
	"a budget",
	"a database",
	"a bridge",
	"pollen",
	"a metaphor",
	"a heat pump",
	"the stock market",
	"a clock",
	"yeast",
	"an earthquake",
	"a parliament",
	"a transistor",
	"silk",
	"a camel",
	"a monsoon",
	"a passport",
	"the immune system",
	"a kaleidoscope",
	"a tax return",
	"rust",
	"an orchestra",
	"a desert",
	"a neural network",
	"the alphabet",
	"a rainbow",
	"a strike",
	"cheese",
	"a submarine",
	"a black hole",
	"a patent",
	"migraine",
	"a beehive",
	"a pension",
	"the Silk Road",
	"a thermostat",
	"sleep",
	"a mango",
	"a palindrome",
	"probability",
	"a cathedral",
	"the internet",
	"a turbine",
	"an election",
	"salt",
	"a marathon",
	"a spreadsheet",
	"ballet",
	"a fossil",
	"a lease",
	"cement",
	"a waterfall",
	"an allergy",
	"a proverb",
	"the Roman Empire",
	"a magnet",
	"a greenhouse",
	"leap years",
	"an oak",
	"a referendum",
	"a mirror",
	"a microscope",
	"a suspension bridge",
	"irony",
	"a calendar",
	"a wolf",
];

/// A question, another one each time.
pub fn question() -> String {
	let mut random = rand::thread_rng();
	let form = FORMS.choose(&mut random).copied().unwrap_or("What is {}?");
	let thing = THINGS.choose(&mut random).copied().unwrap_or("a lighthouse");
	form.replace("{}", thing)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	#[test]
	fn questions_should_be_whole_and_seldom_the_same() {
		let asked: BTreeSet<String> = (0..50).map(|_| question()).collect();
		assert!(asked.len() > 30);
		assert!(asked.iter().all(|question| !question.contains('{') && question.len() > 6));
		assert!(FORMS.iter().all(|form| form.matches("{}").count() == 1));
	}
}
