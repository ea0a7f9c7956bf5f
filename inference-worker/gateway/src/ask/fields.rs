//! The members of a JSON object, taken one by one.

use crate::error::ApiError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// An object. What was taken is gone, so that in the end only unknown members are left. A member that
/// is `null` counts as absent, as it does for OpenAI.
pub(crate) struct Fields {
	map: Map<String, Value>,
	path: String,
}

impl Fields {
	/// The object that `bytes` are.
	pub fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
		match serde_json::from_slice(bytes) {
			Ok(Value::Object(map)) => Ok(Self { map, path: String::new() }),
			Ok(_) => Err(ApiError::invalid("the body is JSON, but no object: send {…}")),
			Err(error) => {
				let message = format!("the body is no valid JSON: {error}");
				Err(ApiError::invalid(message).code("invalid_json"))
			}
		}
	}

	/// The object `value`, which stands at `path`.
	pub fn of(path: impl Into<String>, value: Value) -> Result<Self, ApiError> {
		let path = path.into();
		match value {
			Value::Object(map) => Ok(Self { map, path }),
			_ => Err(expected(&path, "an object")),
		}
	}

	/// Where the member `key` stands.
	pub fn path(&self, key: &str) -> String {
		if self.path.is_empty() {
			key.to_owned()
		} else {
			format!("{}.{key}", self.path)
		}
	}

	pub fn take(&mut self, key: &str) -> Option<Value> {
		self.map.remove(key).filter(|value| !value.is_null())
	}

	/// As [`Self::take`], for a member that has to be there.
	pub fn require(&mut self, key: &str) -> Result<Value, ApiError> {
		self.take(key).ok_or_else(|| {
			let path = self.path(key);
			ApiError::parameter(&path, format!("`{path}` is missing: give it"))
				.code("missing_required_parameter")
		})
	}

	pub fn number(
		&mut self,
		key: &str,
		range: RangeInclusive<f64>,
	) -> Result<Option<f64>, ApiError> {
		let Some(value) = self.take(key) else { return Ok(None) };
		match value.as_f64() {
			Some(number) if range.contains(&number) => Ok(Some(number)),
			_ => {
				let what = format!("a number from {} to {}", range.start(), range.end());
				Err(expected(&self.path(key), &what))
			}
		}
	}

	pub fn integer(
		&mut self,
		key: &str,
		range: RangeInclusive<u32>,
	) -> Result<Option<u32>, ApiError> {
		let Some(value) = self.take(key) else { return Ok(None) };
		match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
			Some(number) if range.contains(&number) => Ok(Some(number)),
			_ => {
				let what = format!("a whole number from {} to {}", range.start(), range.end());
				Err(expected(&self.path(key), &what))
			}
		}
	}

	/// 64 bits; a negative number is taken for its two's complement.
	pub fn bits(&mut self, key: &str) -> Result<Option<u64>, ApiError> {
		let Some(value) = self.take(key) else { return Ok(None) };
		match (value.as_u64(), value.as_i64()) {
			(Some(bits), _) => Ok(Some(bits)),
			(None, Some(number)) => Ok(Some(number as u64)),
			_ => Err(expected(&self.path(key), "a whole number of at most 64 bits")),
		}
	}

	pub fn flag(&mut self, key: &str) -> Result<Option<bool>, ApiError> {
		match self.take(key) {
			None => Ok(None),
			Some(Value::Bool(flag)) => Ok(Some(flag)),
			Some(_) => Err(expected(&self.path(key), "true or false")),
		}
	}

	pub fn text(&mut self, key: &str) -> Result<Option<String>, ApiError> {
		match self.take(key) {
			None => Ok(None),
			Some(Value::String(text)) => Ok(Some(text)),
			Some(_) => Err(expected(&self.path(key), "a string")),
		}
	}

	/// Refuses what nobody took.
	pub fn finish(self) -> Result<(), ApiError> {
		match self.map.iter().find(|(_, value)| !value.is_null()) {
			None => Ok(()),
			Some((key, _)) => {
				let key: String = key.chars().take(100).collect();
				let path = self.path(&key);
				let message =
					format!("there is no parameter `{path}`: check the spelling, or leave it out");
				Err(ApiError::parameter(path, message).code("unknown_parameter"))
			}
		}
	}
}

/// 400 for a value of another type, or outside its range.
pub(crate) fn expected(path: &str, what: &str) -> ApiError {
	ApiError::parameter(path, format!("`{path}` has to be {what}")).code("invalid_value")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn fields(text: &str) -> Fields {
		Fields::parse(text.as_bytes()).unwrap()
	}

	fn param<T>(result: Result<T, ApiError>) -> (String, String) {
		let error = result.err().unwrap().json();
		let text = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
		(text("param"), text("code"))
	}

	#[test]
	fn members_should_be_taken_by_type_and_range() {
		let mut fields = fields(
			r#"{"a": 1.5, "b": 3, "c": -1, "d": true, "e": "x", "f": null, "g": 18446744073709551615}"#,
		);
		assert_eq!(fields.number("a", 0.0..=2.0).unwrap(), Some(1.5));
		assert_eq!(fields.integer("b", 0..=3).unwrap(), Some(3));
		assert_eq!(fields.bits("c").unwrap(), Some(u64::MAX));
		assert_eq!(fields.bits("g").unwrap(), Some(u64::MAX));
		assert_eq!(fields.flag("d").unwrap(), Some(true));
		assert_eq!(fields.text("e").unwrap(), Some("x".to_owned()));
		assert_eq!(fields.text("f").unwrap(), None);
		fields.finish().unwrap();
	}

	#[test]
	fn wrong_members_should_be_named() {
		let wrong = || ("a".to_owned(), "invalid_value".to_owned());
		assert_eq!(param(fields(r#"{"a": 3}"#).number("a", 0.0..=2.0)), wrong());
		assert_eq!(param(fields(r#"{"a": "1"}"#).number("a", 0.0..=2.0)), wrong());
		assert_eq!(param(fields(r#"{"a": 1.5}"#).integer("a", 0..=2)), wrong());
		assert_eq!(param(fields(r#"{"a": -1}"#).integer("a", 0..=2)), wrong());
		assert_eq!(param(fields(r#"{"a": 1e30}"#).bits("a")), wrong());
		assert_eq!(param(fields(r#"{"a": 1}"#).flag("a")), wrong());
		assert_eq!(param(fields(r#"{"a": 1}"#).text("a")), wrong());
		assert_eq!(param(fields(r#"{"a": 1}"#).finish()).1, "unknown_parameter");
		assert_eq!(param(fields("{}").require("a")).1, "missing_required_parameter");
		let nested = Fields::of("aria", serde_json::json!({ "b": 1 })).unwrap();
		assert_eq!(param(nested.finish()).0, "aria.b");
	}

	#[test]
	fn what_is_no_object_should_be_refused() {
		for text in ["", "{", "[]", "1", "\"x\"", "{\"a\":}", "\u{0}"] {
			assert!(Fields::parse(text.as_bytes()).is_err(), "{text}");
		}
		assert!(Fields::parse(b"{\"a\": \"\xff\"}").is_err());
		assert!(Fields::parse("[".repeat(100_000).as_bytes()).is_err());
	}
}
