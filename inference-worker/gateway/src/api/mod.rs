//! The endpoints.

mod answer;
mod body;
mod models;
mod stream;
mod tally;

pub(crate) use answer::{chat, completion};
pub(crate) use models::{model, models};

use crate::{
	admission::Admission,
	backend::Backend,
	config::Config,
	connection::InUse,
	error::ApiError,
	keys::{Keys, Principal},
	limits::Limiter,
	metrics::Metrics,
};
use axum::{
	extract::State,
	http::{header, HeaderMap, HeaderValue, Method, StatusCode, Uri},
	response::{IntoResponse, Response},
	Json,
};
use serde_json::json;
use std::{sync::Arc, time::Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What all requests share.
pub(crate) struct App {
	pub config: Config,
	pub backend: Arc<dyn Backend>,
	pub keys: Arc<dyn Keys>,
	pub metrics: Arc<Metrics>,
	pub limiter: Arc<Limiter>,
	pub admission: Arc<Admission>,
	/// Requests that are read and tokenised at the same time.
	pub preparing: Arc<Semaphore>,
	/// Nothing new is begun any more.
	pub stopping: CancellationToken,
	/// What is under way is broken off.
	pub ended: CancellationToken,
}

/// Names a request; in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub Arc<str>);

/// Keeps the connection in use; in a request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Held(#[allow(dead_code)] pub Arc<InUse>);

impl App {
	fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
		let token = headers
			.get(header::AUTHORIZATION)
			.and_then(|value| value.to_str().ok())
			.and_then(|value| value.trim().split_once(' '))
			.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
			.map(|(_, token)| token.trim())
			.filter(|token| !token.is_empty());
		Ok(self.keys.authenticate(token)?)
	}

	/// The response to a request with a valid key: with what is left of the key's limits.
	fn respond(&self, principal: &Principal, result: Result<Response, ApiError>) -> Response {
		let mut response = result.unwrap_or_else(IntoResponse::into_response);
		self.limiter.write(principal, Instant::now(), response.headers_mut());
		response
	}
}

/// `GET /healthz`: 200 while requests are taken.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
	if app.stopping.is_cancelled() {
		return ApiError::stopping().into_response();
	}
	let models: Vec<String> = app.backend.models().into_iter().map(|model| model.name).collect();
	Json(json!({ "status": "ok", "models": models })).into_response()
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
	match app.metrics.text() {
		Ok(text) => {
			let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
			(StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
		}
		Err(error) => {
			tracing::error!(target: "aria::gateway", "metrics: {error}");
			ApiError::internal("the metrics cannot be written").into_response()
		}
	}
}

/// Every other path.
pub(crate) async fn unknown_path(method: Method, uri: Uri) -> ApiError {
	ApiError::unknown_path(method.as_str(), uri.path())
}

/// Every other method.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
	ApiError::wrong_method(method.as_str(), uri.path())
}
