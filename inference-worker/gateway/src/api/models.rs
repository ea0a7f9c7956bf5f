//! `GET /v1/models` and `GET /v1/models/{id}`.

use super::App;
use crate::{backend::ModelCard, error::ApiError, hex, prompt};
use axum::{
	extract::{rejection::PathRejection, Path, State},
	http::HeaderMap,
	response::{IntoResponse, Response},
	Json,
};
use serde_json::{json, Value};
use std::{sync::Arc, time::Instant};

/// All models.
pub(crate) async fn models(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
	respond(&app, &headers, |models| {
		let data: Vec<Value> = models.iter().map(shown).collect();
		Ok(json!({ "object": "list", "data": data }))
	})
}

/// One model, by name or id.
pub(crate) async fn model(
	State(app): State<Arc<App>>,
	name: Result<Path<String>, PathRejection>,
	headers: HeaderMap,
) -> Response {
	respond(&app, &headers, |models| {
		let name = name.map(|Path(name)| name).unwrap_or_default();
		Ok(shown(&prompt::find(models, &name)?))
	})
}

fn respond(
	app: &App,
	headers: &HeaderMap,
	answer: impl FnOnce(Vec<ModelCard>) -> Result<Value, ApiError>,
) -> Response {
	let principal = match app.authenticate(headers) {
		Ok(principal) => principal,
		Err(error) => return error.into_response(),
	};
	let result = app
		.limiter
		.request(&principal, Instant::now())
		.and_then(|()| answer(app.backend.models()))
		.map(|value| Json(value).into_response());
	app.respond(&principal, result)
}

fn shown(model: &ModelCard) -> Value {
	json!({
		"id": model.name,
		"object": "model",
		"created": model.created,
		"owned_by": "aria",
		"aria": {
			"model_id": hex::prefixed(&model.id),
			"context": model.context,
			"system_fingerprint": model.fingerprint,
		},
	})
}
