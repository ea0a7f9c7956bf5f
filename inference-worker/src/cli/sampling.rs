//! The flags that say how tokens are drawn.

use aria_primitives::{query::Sampling, PPM};
use clap::Args;

/// How tokens are drawn (`docs/protocol/query.md`).
#[derive(Args, Clone, Copy, Debug)]
pub struct SamplingArgs {
	/// 0 takes the most probable token; higher is more varied, up to 100, in thousandths
	#[arg(
		long,
		value_name = "T",
		default_value = "0",
		value_parser = temperature,
		allow_negative_numbers = true
	)]
	temperature: u32,

	/// Draw from the K most probable tokens; 0 from all
	#[arg(long, value_name = "K", default_value_t = 0)]
	top_k: u32,

	/// Draw from the fewest tokens that together have this probability, above 0 and up to 1
	#[arg(
		long,
		value_name = "P",
		default_value = "1",
		value_parser = top_p,
		allow_negative_numbers = true
	)]
	top_p: u32,

	/// Seed of the generator: the same seed gives the same answer
	#[arg(long, value_name = "N", default_value_t = 0)]
	seed: u64,
}

impl From<SamplingArgs> for Sampling {
	fn from(args: SamplingArgs) -> Self {
		Self {
			temperature_milli: args.temperature,
			top_k: args.top_k,
			top_p_ppm: args.top_p,
			seed: args.seed,
		}
	}
}

/// A temperature in thousandths.
fn temperature(text: &str) -> Result<u32, String> {
	let value = number(text)?;
	if !(0.0..=100.0).contains(&value) {
		return Err(format!("{value} is not between 0 and 100"));
	}
	let milli = (value * 1000.0).round() as u32;
	if milli == 0 && value > 0.0 {
		return Err(format!("{value} is below a thousandth: 0 takes the most probable token"));
	}
	Ok(milli)
}

/// A probability in millionths.
fn top_p(text: &str) -> Result<u32, String> {
	let value = number(text)?;
	let ppm = (value * f64::from(PPM)).round();
	if !(1.0..=f64::from(PPM)).contains(&ppm) {
		return Err(format!("{value} is not above 0 and up to 1"));
	}
	Ok(ppm as u32)
}

fn number(text: &str) -> Result<f64, String> {
	match text.trim().parse::<f64>() {
		Ok(value) if value.is_nan() => Err("it is NaN, not a number".to_owned()),
		Ok(value) => Ok(value),
		Err(_) => Err("it is not a number".to_owned()),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn numbers_should_become_integers() {
		assert_eq!(temperature("0"), Ok(0));
		assert_eq!(temperature("0.7"), Ok(700));
		assert_eq!(temperature("1.2345"), Ok(1235));
		assert_eq!(temperature("100"), Ok(100_000));
		assert_eq!(top_p("1"), Ok(1_000_000));
		assert_eq!(top_p("0.000001"), Ok(1));
	}

	#[test]
	fn nonsense_should_be_refused() {
		for text in ["-0.1", "NaN", "nan", "inf", "-inf", "100.1", "0.0001", "warm", ""] {
			assert!(temperature(text).is_err(), "{text}");
		}
		for text in ["0", "-1", "1.1", "NaN", "inf", "0.0000001"] {
			assert!(top_p(text).is_err(), "{text}");
		}
	}
}
