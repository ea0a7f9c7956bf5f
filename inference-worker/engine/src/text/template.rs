//! Chat templates: Jinja, in the dialect that tokenizer configurations are published in.
//!
//! A template comes with a package, so it is hostile until shown otherwise: it reads no file, its
//! instructions are counted, and what it writes is bounded.

use crate::error::{EngineError, Result};
use minijinja::{context, Environment, Error, ErrorKind, Value};
use serde::Serialize;
use std::{
	io,
	panic::{catch_unwind, AssertUnwindSafe},
	time::{SystemTime, UNIX_EPOCH},
};

/// Most bytes of a template.
pub const MAX_TEMPLATE_BYTES: usize = 1024 * 1024;
/// Most bytes of a rendered prompt.
pub const MAX_RENDERED_BYTES: usize = 4 * 1024 * 1024;
/// Most instructions of one rendering, so that every loop ends.
const FUEL: u64 = 4_000_000;
/// The template's name in messages.
const NAME: &str = "chat_template";

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
	/// Who speaks: `system`, `user` or `assistant`.
	pub role: String,
	/// What is said.
	pub content: String,
}

impl Message {
	/// A turn of `role`.
	pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
		Self { role: role.into(), content: content.into() }
	}

	/// A turn of the user.
	pub fn user(content: impl Into<String>) -> Self {
		Self::new("user", content)
	}
}

/// What a rendering depends on besides the messages.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
	/// Whether the prompt ends with the beginning of the assistant's answer.
	pub add_generation_prompt: bool,
	/// What `strftime_now` takes for now; UTC.
	pub now: SystemTime,
}

impl Default for RenderOptions {
	fn default() -> Self {
		Self { add_generation_prompt: true, now: SystemTime::now() }
	}
}

/// A compiled chat template.
pub struct ChatTemplate {
	environment: Environment<'static>,
	bos: String,
	eos: String,
}

impl std::fmt::Debug for ChatTemplate {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("ChatTemplate").field("bos", &self.bos).field("eos", &self.eos).finish()
	}
}

impl ChatTemplate {
	/// Compiles `source`. `bos` and `eos` are the texts of the tokens that begin and end a sequence.
	///
	/// # Errors
	///
	/// [`EngineError::Template`] if `source` is too long or does not parse.
	pub fn new(source: &str, bos: impl Into<String>, eos: impl Into<String>) -> Result<Self> {
		if source.len() > MAX_TEMPLATE_BYTES {
			return Err(refused(format!(
				"{} bytes, at most {MAX_TEMPLATE_BYTES} are allowed",
				source.len()
			)));
		}
		let mut environment = Environment::new();
		environment.set_trim_blocks(true);
		environment.set_lstrip_blocks(true);
		environment.set_fuel(Some(FUEL));
		environment
			.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
		environment.add_function("raise_exception", raise_exception);
		environment
			.add_template_owned(NAME, source.to_owned())
			.map_err(|error| refused(error.to_string()))?;
		Ok(Self { environment, bos: bos.into(), eos: eos.into() })
	}

	/// The prompt for `messages`.
	///
	/// # Errors
	///
	/// [`EngineError::Template`] if the template raises an exception, does not end in time, writes more
	/// than [`MAX_RENDERED_BYTES`], or asks the library for what it gives up on.
	pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
		let template =
			self.environment.get_template(NAME).map_err(|error| refused(error.to_string()))?;
		let now = options.now;
		let strftime_now =
			Value::from_function(move |format: String| -> std::result::Result<String, Error> {
				strftime(&format, now)
			});
		let values = context! {
			messages => messages,
			add_generation_prompt => options.add_generation_prompt,
			bos_token => self.bos,
			eos_token => self.eos,
			// Templates ask whether they are none, which what is undefined is not.
			tools => (),
			documents => (),
			strftime_now => strftime_now,
		};
		let mut rendered = Bounded::default();
		// Filters take sizes as they come; one beyond any memory is a panic. What a rendering works
		// with is its own, so that nothing half done is left behind.
		let result = catch_unwind(AssertUnwindSafe(|| {
			template.render_captured_to(values, &mut rendered).map(|_| ())
		}));
		match result {
			_ if rendered.overflowed => Err(refused(format!(
				"the prompt is longer than {MAX_RENDERED_BYTES} bytes: shorten the messages"
			))),
			Ok(Ok(())) => String::from_utf8(rendered.bytes)
				.map_err(|_| refused("the prompt is not UTF-8".to_owned())),
			Ok(Err(error)) if error.kind() == ErrorKind::OutOfFuel => {
				Err(refused(format!("more than {FUEL} instructions: it does not seem to end")))
			}
			Ok(Err(error)) => Err(refused(error.to_string())),
			Err(_) => Err(refused(
				"it asks for what no machine has: get the package again from its publisher"
					.to_owned(),
			)),
		}
	}
}

fn refused(reason: String) -> EngineError {
	EngineError::Template { reason }
}

/// How templates refuse messages, an unknown role say.
fn raise_exception(message: String) -> std::result::Result<Value, Error> {
	Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// A buffer that refuses to grow beyond [`MAX_RENDERED_BYTES`].
#[derive(Default)]
struct Bounded {
	bytes: Vec<u8>,
	overflowed: bool,
}

impl io::Write for Bounded {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		if self.bytes.len().saturating_add(bytes.len()) > MAX_RENDERED_BYTES {
			self.overflowed = true;
			return Err(io::Error::other("the prompt is too long"));
		}
		self.bytes.extend_from_slice(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

const MONTHS: [&str; 12] = [
	"January",
	"February",
	"March",
	"April",
	"May",
	"June",
	"July",
	"August",
	"September",
	"October",
	"November",
	"December",
];
const WEEKDAYS: [&str; 7] =
	["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// `now` in UTC by a `strftime` format of English names: the directives that templates use.
fn strftime(format: &str, now: SystemTime) -> std::result::Result<String, Error> {
	let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
	let (days, of_day) = (seconds / 86_400, seconds % 86_400);
	let (year, month, day, day_of_year) = civil(days);
	let month_name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
	let weekday = WEEKDAYS.get((days % 7) as usize).copied().unwrap_or_default();
	let short = |name: &'static str| name.get(..3).unwrap_or(name);
	let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);

	let mut text = String::with_capacity(format.len());
	let mut characters = format.chars();
	while let Some(character) = characters.next() {
		if character != '%' {
			text.push(character);
			continue;
		}
		let part = match characters.next() {
			Some('Y') => year.to_string(),
			Some('y') => format!("{:02}", year % 100),
			Some('m') => format!("{month:02}"),
			Some('d') => format!("{day:02}"),
			Some('e') => format!("{day:2}"),
			Some('j') => format!("{day_of_year:03}"),
			Some('B') => month_name.to_owned(),
			Some('b' | 'h') => short(month_name).to_owned(),
			Some('A') => weekday.to_owned(),
			Some('a') => short(weekday).to_owned(),
			Some('H') => format!("{hour:02}"),
			Some('I') => format!("{:02}", (hour + 11) % 12 + 1),
			Some('M') => format!("{minute:02}"),
			Some('S') => format!("{second:02}"),
			Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
			Some('F') => format!("{year}-{month:02}-{day:02}"),
			Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
			Some('%') => "%".to_owned(),
			other => {
				let directive = other.map_or_else(String::new, String::from);
				return Err(Error::new(
					ErrorKind::InvalidOperation,
					format!("strftime_now does not know %{directive}"),
				));
			}
		};
		text.push_str(&part);
	}
	Ok(text)
}

/// Year, month from 1, day from 1 and day of the year from 1, `days` after 1970-01-01.
///
/// Counts in cycles of 400 years that begin on the first of March, so that the leap day is the last.
fn civil(days: u64) -> (u64, u64, u64, u64) {
	const DAYS_OF_400_YEARS: u64 = 146_097;
	// From 0000-03-01 to 1970-01-01.
	let shifted = days.saturating_add(719_468);
	let cycle = shifted / DAYS_OF_400_YEARS;
	let of_cycle = shifted % DAYS_OF_400_YEARS;
	let year_of_cycle =
		(of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
	let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
	// Months of 31 and 30 days alternate in fives of 153 days.
	let from_march = (5 * of_year + 2) / 153;
	let day = of_year - (153 * from_march + 2) / 5 + 1;
	let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
	let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
	let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
	let day_of_year =
		if month <= 2 { of_year - 306 + 1 } else { of_year + 59 + u64::from(leap) + 1 };
	(year, month, day, day_of_year)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::time::Duration;

	const CHAT: &str = "{{ bos_token }}{% for message in messages %}\
		<{{ message['role'] }}>{{ message.content | trim }}{{ eos_token }}{% endfor %}\
		{% if add_generation_prompt %}<assistant>{% endif %}";

	fn at(seconds: u64) -> RenderOptions {
		RenderOptions {
			add_generation_prompt: true,
			now: UNIX_EPOCH + Duration::from_secs(seconds),
		}
	}

	fn render(source: &str) -> Result<String> {
		ChatTemplate::new(source, "<s>", "</s>")?.render(&[Message::user(" hi ")], &at(0))
	}

	#[test]
	fn chat_should_render_as_in_python() {
		assert_eq!(render(CHAT).unwrap(), "<s><user>hi</s><assistant>");
		// Blocks swallow the newline behind them and the blanks before them.
		let lines = "{% if messages %}\n  {% set x = 'a' %}\n{{ x }}\n{% endif %}\nend\n";
		assert_eq!(render(lines).unwrap(), "a\nend");
		assert_eq!(render("{{ messages[0]['content'].strip() }}").unwrap(), "hi");
		assert_eq!(render("{{ tools is none }}").unwrap(), "True");
		assert_eq!(render("{% for m in messages %}{% break %}{% endfor %}x").unwrap(), "x");
	}

	#[test]
	fn exceptions_should_be_errors() {
		let error = render("{{ raise_exception('roles must alternate') }}").unwrap_err();
		assert!(error.to_string().contains("roles must alternate"), "{error}");
		assert!(render("{% for %}").is_err());
		assert!(render("{{ strftime_now('%Q') }}").is_err());
		assert!(render("{% include 'other' %}").is_err());
		assert!(ChatTemplate::new(&"x".repeat(MAX_TEMPLATE_BYTES + 1), "", "").is_err());
	}

	#[test]
	fn loops_should_end() {
		let endless =
			"{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
		let error = render(endless).unwrap_err().to_string();
		assert!(error.contains("instructions") || error.contains("longer"), "{error}");
		let wide = "{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}";
		let error = render(wide).unwrap_err().to_string();
		assert!(error.contains("longer"), "{error}");
	}

	#[test]
	fn sizes_that_no_machine_has_should_be_errors() {
		let error = render("{{ [1] | batch(9223372036854775807) }}").unwrap_err().to_string();
		assert!(error.contains("no machine"), "{error}");
		// The template can be rendered again.
		let source = "{% if messages %}{{ [1] | batch(9223372036854775807) }}{% endif %}x";
		let template = ChatTemplate::new(source, "", "").unwrap();
		assert!(template.render(&[Message::user("hi")], &at(0)).is_err());
		assert_eq!(template.render(&[], &at(0)).unwrap(), "x");
	}

	#[test]
	fn dates_should_be_those_of_the_calendar() {
		let date = |seconds, format: &str| {
			let source = format!("{{{{ strftime_now('{format}') }}}}");
			let template = ChatTemplate::new(&source, "", "").unwrap();
			template.render(&[], &at(seconds)).unwrap()
		};
		assert_eq!(date(0, "%A %d %B %Y %j"), "Thursday 01 January 1970 001");
		assert_eq!(date(951_782_400, "%d %b %Y %j"), "29 Feb 2000 060");
		assert_eq!(date(951_868_800, "%F %j"), "2000-03-01 061");
		assert_eq!(date(1_735_689_599, "%F %T %j %a"), "2024-12-31 23:59:59 366 Tue");
		assert_eq!(date(4_107_542_400, "%F %j"), "2100-03-01 060");
		assert_eq!(date(46_800, "%I:%M %p 100%%"), "01:00 PM 100%");
	}
}
