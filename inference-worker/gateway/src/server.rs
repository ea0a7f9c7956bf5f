//! All of it on a port.

use crate::{
	admission::{Admission, Bounds},
	api::{self, App, Held, RequestId},
	backend::Backend,
	config::Config,
	connection::{BoundedListener, Connection},
	error::ApiError,
	keys::Keys,
	limits::Limiter,
	metrics::Metrics,
	random,
};
use axum::{
	extract::{ConnectInfo, Request, State},
	http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
	middleware::{self, Next},
	response::{IntoResponse, Response},
	routing::{get, post},
	Router,
};
use futures::FutureExt;
use std::{
	future::IntoFuture, io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long connections may take to close once everything was broken off.
const CLOSING: Duration = Duration::from_secs(2);
/// What pages of other origins may read of a response.
const EXPOSED: &str = "x-request-id, x-aria-record, retry-after, x-ratelimit-limit-requests, \
	x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, \
	x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The address is taken or not ours.
	#[error("cannot listen on {address}: {source}; choose another address")]
	Listen {
		/// The address.
		address: SocketAddr,
		/// The system's reason.
		source: io::Error,
	},
	/// Metrics cannot be registered.
	#[error("metrics: {0}")]
	Metrics(#[from] prometheus::Error),
}

/// Serves the API.
#[derive(Debug)]
pub struct Server;

/// A gateway that serves. It goes on when this is dropped.
#[derive(Debug)]
pub struct Serving {
	/// Where it listens.
	pub local_addr: SocketAddr,
	stop: CancellationToken,
	task: JoinHandle<()>,
}

impl Serving {
	/// Begins no more answers. Those under way have [`Config::drain`] to end.
	pub fn stop(&self) {
		self.stop.cancel();
	}

	/// Waits until nothing is served any more.
	pub async fn finished(self) {
		// A panic there was logged by its hook.
		let _ = self.task.await;
	}
}

impl Server {
	/// Serves `backend` to the holders of `keys` until `stop` is cancelled.
	///
	/// # Errors
	///
	/// The address cannot be listened on.
	pub async fn start(
		config: Config,
		backend: Arc<dyn Backend>,
		keys: Arc<dyn Keys>,
		stop: CancellationToken,
	) -> Result<Serving, StartError> {
		let address = config.listen;
		let failed = |source| StartError::Listen { address, source };
		let listener = TcpListener::bind(address).await.map_err(failed)?;
		let local_addr = listener.local_addr().map_err(failed)?;

		let metrics = Arc::new(Metrics::new()?);
		let bounds = Bounds {
			streams: config.streams,
			per_key: config.per_key(),
			queue: config.queue,
			wait: config.queue_wait,
		};
		let threads = std::thread::available_parallelism().map_or(1, usize::from);
		let stop = stop.child_token();
		let app = Arc::new(App {
			admission: Admission::new(bounds, metrics.clone()),
			limiter: Limiter::new(config.limits),
			preparing: Arc::new(Semaphore::new(threads)),
			stopping: stop.clone(),
			ended: CancellationToken::new(),
			metrics: metrics.clone(),
			config,
			backend,
			keys,
		});
		let config = &app.config;
		// Longer than a stream waits, so that it is the stream that gives up first and says why.
		let stall = config.stall.saturating_mul(2);
		let listener =
			BoundedListener::new(listener, config.connections, config.idle, stall, metrics);
		tracing::info!(target: "aria::gateway", "serving OpenAI's API on http://{local_addr}/v1");
		let task = tokio::spawn(serve(app, listener));
		Ok(Serving { local_addr, stop, task })
	}
}

async fn serve(app: Arc<App>, listener: BoundedListener) {
	let router = router(app.clone()).into_make_service_with_connect_info::<Connection>();
	let serving = axum::serve(listener, router)
		.with_graceful_shutdown(app.stopping.clone().cancelled_owned())
		.into_future();
	let stopping = async {
		app.stopping.cancelled().await;
		tracing::info!(target: "aria::gateway", "no new requests; waiting for answers under way");
		app.admission.close();
		sleep(app.config.drain).await;
		app.ended.cancel();
		sleep(CLOSING).await;
	};
	tokio::select! {
		result = serving => if let Err(error) = result {
			tracing::error!(target: "aria::gateway", "serving: {error}");
		},
		() = stopping => {
			tracing::warn!(target: "aria::gateway", "connections are left open by their clients");
		}
	}
	// Whatever still waits, waits in vain.
	app.ended.cancel();
}

fn router(app: Arc<App>) -> Router {
	let mut router = Router::new()
		.route("/v1/chat/completions", post(api::chat))
		.route("/v1/completions", post(api::completion))
		.route("/v1/models", get(api::models))
		.route("/v1/models/{id}", get(api::model))
		.route("/healthz", get(api::health));
	if app.config.metrics {
		router = router.route("/metrics", get(api::metrics));
	}
	router
		.fallback(api::unknown_path)
		.method_not_allowed_fallback(api::wrong_method)
		.layer(middleware::from_fn_with_state(app.clone(), around))
		.with_state(app)
}

/// What happens to every request: a name, an end to panics, headers, a count.
async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
	let id = random::name("req_");
	let route = route(request.uri().path());
	let connection =
		request.extensions().get::<ConnectInfo<Connection>>().map(|info| info.0.clone());
	let held = connection.map(|connection| Held(Arc::new(connection.in_use())));
	if let Some(held) = held.clone() {
		request.extensions_mut().insert(held);
	}
	request.extensions_mut().insert(RequestId(id.as_str().into()));

	let mut response = if app.config.cors && is_preflight(&request) {
		StatusCode::NO_CONTENT.into_response()
	} else {
		match AssertUnwindSafe(next.run(request)).catch_unwind().await {
			Ok(response) => response,
			Err(_) => {
				tracing::error!(target: "aria::gateway", request = id.as_str(), "a handler panicked");
				ApiError::internal("this gateway has a fault: send the request again")
					.into_response()
			}
		}
	};
	if let Ok(id) = HeaderValue::try_from(&id) {
		response.headers_mut().insert("x-request-id", id);
	}
	if app.config.cors {
		allow_any_origin(response.headers_mut());
	}
	app.metrics.requests.with_label_values(&[route, response.status().as_str()]).inc();
	response
}

/// The route of a path, of which there are few: metrics are kept for each.
fn route(path: &str) -> &'static str {
	match path {
		"/v1/chat/completions" => "chat",
		"/v1/completions" => "completions",
		"/healthz" => "healthz",
		"/metrics" => "metrics",
		path if path == "/v1/models" || path.starts_with("/v1/models/") => "models",
		_ => "other",
	}
}

fn is_preflight(request: &Request) -> bool {
	request.method() == Method::OPTIONS
		&& request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn allow_any_origin(headers: &mut HeaderMap) {
	let values: [(HeaderName, &'static str); 5] = [
		(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
		(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
		// A wildcard does not stand for this one header; all others that clients send it does.
		(header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, *"),
		(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
		(header::ACCESS_CONTROL_MAX_AGE, "86400"),
	];
	for (name, value) in values {
		headers.insert(name, HeaderValue::from_static(value));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn routes_should_be_few() {
		assert_eq!(route("/v1/models/a/b"), "models");
		assert_eq!(route("/v1/modelsx"), "other");
		assert_eq!(route("/"), "other");
	}
}
