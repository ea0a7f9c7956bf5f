//! Errors as OpenAI's clients know them.

use crate::{backend::Refused, keys::KeyRefused};
use axum::{
	http::{
		header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
		HeaderValue, StatusCode,
	},
	response::{IntoResponse, Response},
};
use serde_json::{json, Value};
use std::time::Duration;

/// An error on its way to the client.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
	pub status: StatusCode,
	kind: &'static str,
	code: Option<&'static str>,
	message: String,
	param: Option<String>,
	retry_after: Option<Duration>,
}

impl ApiError {
	fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
		Self { status, kind, code: None, message: message.into(), param: None, retry_after: None }
	}

	/// 400 for the request as a whole.
	pub fn invalid(message: impl Into<String>) -> Self {
		Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
	}

	/// 400 for one parameter.
	pub fn parameter(param: impl Into<String>, message: impl Into<String>) -> Self {
		Self { param: Some(param.into()), ..Self::invalid(message) }
	}

	/// 400 for a parameter that no query can carry.
	pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
		Self::parameter(param, message).code("unsupported_parameter")
	}

	/// 400 for a prompt that leaves no room in the context.
	pub fn context(param: &str, prompt: usize, context: u32) -> Self {
		let message = format!(
			"this model has a context of {context} tokens and the prompt has {prompt}: shorten it, \
			 and leave room for the answer"
		);
		Self::parameter(param, message).code("context_length_exceeded")
	}

	pub fn unknown_model(model: &str) -> Self {
		let shown: String = model.chars().take(100).collect();
		let mut error = Self::new(
			StatusCode::NOT_FOUND,
			"invalid_request_error",
			format!("the model `{shown}` is not served here: GET /v1/models lists those that are"),
		);
		error.param = Some("model".to_owned());
		error.code("model_not_found")
	}

	pub fn unknown_path(method: &str, path: &str) -> Self {
		let path: String = path.chars().take(200).collect();
		Self::new(
			StatusCode::NOT_FOUND,
			"invalid_request_error",
			format!("there is nothing at {method} {path}: the API begins at /v1"),
		)
		.code("unknown_url")
	}

	pub fn wrong_method(method: &str, path: &str) -> Self {
		let path: String = path.chars().take(200).collect();
		Self::new(
			StatusCode::METHOD_NOT_ALLOWED,
			"invalid_request_error",
			format!("{path} does not take {method}: use another method"),
		)
		.code("method_not_supported")
	}

	pub fn too_large(limit: usize) -> Self {
		Self::new(
			StatusCode::PAYLOAD_TOO_LARGE,
			"invalid_request_error",
			format!("the body has more than {limit} bytes: send less"),
		)
		.code("request_too_large")
	}

	pub fn body_late() -> Self {
		Self::new(
			StatusCode::REQUEST_TIMEOUT,
			"invalid_request_error",
			"the body did not arrive in time: send the request again",
		)
		.code("request_timeout")
	}

	/// 429; `kind` says of what there is too much, `requests` or `tokens`.
	pub fn limited(kind: &'static str, message: impl Into<String>, retry_after: Duration) -> Self {
		let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, kind, message);
		error.retry_after = Some(retry_after);
		error.code("rate_limit_exceeded")
	}

	pub fn unavailable(
		code: &'static str,
		message: impl Into<String>,
		retry_after: Duration,
	) -> Self {
		let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", message);
		error.retry_after = Some(retry_after);
		error.code(code)
	}

	/// The gateway stops.
	pub fn stopping() -> Self {
		Self::unavailable(
			"shutting_down",
			"this gateway is stopping: send the request again in a moment",
			Duration::from_secs(5),
		)
	}

	pub fn internal(message: impl Into<String>) -> Self {
		Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message).code("internal_error")
	}

	pub fn code(mut self, code: &'static str) -> Self {
		self.code = Some(code);
		self
	}

	/// What stands in the body, and in a stream that breaks off.
	pub fn json(&self) -> Value {
		json!({
			"error": {
				"message": self.message,
				"type": self.kind,
				"param": self.param,
				"code": self.code,
			}
		})
	}
}

impl From<Refused> for ApiError {
	fn from(refused: Refused) -> Self {
		let quota = |status, message: String| {
			Self::new(status, "insufficient_quota", message).code("insufficient_quota")
		};
		match refused {
			Refused::Invalid { param, message } => Self { param, ..Self::invalid(message) },
			Refused::UnknownModel { message } => {
				let mut error = Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message);
				error.param = Some("model".to_owned());
				error.code("model_not_found")
			}
			Refused::InsufficientFunds { message } => quota(StatusCode::PAYMENT_REQUIRED, message),
			Refused::KeyExhausted { message, retry_after: None } => {
				quota(StatusCode::PAYMENT_REQUIRED, message)
			}
			Refused::KeyExhausted { message, retry_after } => {
				let mut error = quota(StatusCode::TOO_MANY_REQUESTS, message);
				error.retry_after = retry_after;
				error
			}
			Refused::Busy { message, retry_after } => {
				Self::limited("requests", message, retry_after)
			}
			Refused::Unavailable { message, retry_after } => {
				Self::unavailable("no_workers", message, retry_after)
			}
			Refused::Internal { message } => Self::internal(message),
		}
	}
}

impl From<KeyRefused> for ApiError {
	fn from(refused: KeyRefused) -> Self {
		let message = refused.to_string();
		match refused {
			KeyRefused::Missing | KeyRefused::Unknown | KeyRefused::Revoked => {
				Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message)
					.code("invalid_api_key")
			}
			KeyRefused::Exhausted { retry_after, .. } => {
				Refused::KeyExhausted { message, retry_after }.into()
			}
			KeyRefused::Unavailable => {
				Self::unavailable("keys_unavailable", message, Duration::from_secs(5))
			}
		}
	}
}

impl IntoResponse for ApiError {
	fn into_response(self) -> Response {
		let mut response = (self.status, self.json().to_string()).into_response();
		let headers = response.headers_mut();
		headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
		if let Some(after) = self.retry_after {
			headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
		}
		if self.status == StatusCode::UNAUTHORIZED {
			headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
		}
		response
	}
}

/// Rounded up, and at least one, as `Retry-After` has it.
fn whole_seconds(time: Duration) -> u64 {
	time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn refusals_should_have_the_status_that_clients_act_on() {
		let later = Duration::from_millis(1500);
		let text = || "why".to_owned();
		for (refused, status, kind, after) in [
			(Refused::Invalid { param: None, message: text() }, 400, "invalid_request_error", None),
			(Refused::UnknownModel { message: text() }, 404, "invalid_request_error", None),
			(Refused::InsufficientFunds { message: text() }, 402, "insufficient_quota", None),
			(
				Refused::KeyExhausted { message: text(), retry_after: None },
				402,
				"insufficient_quota",
				None,
			),
			(
				Refused::KeyExhausted { message: text(), retry_after: Some(later) },
				429,
				"insufficient_quota",
				Some("2"),
			),
			(
				Refused::Busy { message: text(), retry_after: Duration::ZERO },
				429,
				"requests",
				Some("1"),
			),
			(
				Refused::Unavailable { message: text(), retry_after: later },
				503,
				"server_error",
				Some("2"),
			),
			(Refused::Internal { message: text() }, 500, "server_error", None),
		] {
			let error = ApiError::from(refused.clone());
			assert_eq!(error.json()["error"]["type"], kind, "{refused:?}");
			assert_eq!(error.json()["error"]["message"], "why");
			let response = error.into_response();
			assert_eq!(response.status().as_u16(), status, "{refused:?}");
			let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
			assert_eq!(header, after, "{refused:?}");
		}
	}

	#[test]
	fn every_member_of_an_error_should_be_there() {
		let error = ApiError::invalid("what").json();
		assert!(error["error"]["param"].is_null() && error["error"]["code"].is_null());
		assert_eq!(error["error"].as_object().map(|object| object.len()), Some(4));
	}
}
