//! The endpoints: `GET /admin/status`, `GET /admin/plan?model=`, `POST /admin/pause`,
//! `POST /admin/resume`, `GET /metrics`, `GET /healthz`.

use super::{
	access::{self, Access},
	client,
	report::{PlanReport, Status},
};
use anyhow::{Context, Result};
use axum::{
	extract::{Query, Request, State},
	http::{header::CONTENT_TYPE, StatusCode},
	middleware::{self, Next},
	response::{IntoResponse, Response},
	routing::{get, post},
	Json, Router,
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::Arc,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A worker that can be asked and told.
pub trait Control: Send + Sync + 'static {
	/// What it does now.
	fn status(&self) -> Status;
	/// Takes no new work, or takes it again. It outlives the process.
	///
	/// # Errors
	/// If it can't be kept.
	fn set_paused(&self, paused: bool) -> Result<()>;
	/// Who would compute an answer of a model now; `None` for the model that is served.
	fn plan(&self, model: Option<String>) -> BoxFuture<'_, Result<PlanReport>>;
	/// Counters, in the text format of Prometheus.
	fn metrics(&self) -> String;
}

/// The endpoint of a running worker.
pub struct Server {
	/// Where it listens.
	pub address: SocketAddr,
	file: PathBuf,
	task: JoinHandle<()>,
}

impl Server {
	/// Listens on `listen` until `shutdown`, and says where in a file under `base`.
	///
	/// # Errors
	/// An address that is taken, or one that needs a token.
	pub async fn start(
		listen: SocketAddr,
		token_file: Option<&Path>,
		base: &Path,
		control: Arc<dyn Control>,
		shutdown: CancellationToken,
	) -> Result<Self> {
		let access = Access::new(listen, token_file)?;
		let token = access::token(token_file)?;
		let listener = match TcpListener::bind(listen).await {
			Ok(listener) => listener,
			// Several workers of one machine: the file says where each listens.
			Err(error)
				if listen.ip().is_loopback() && error.kind() == std::io::ErrorKind::AddrInUse =>
			{
				TcpListener::bind(SocketAddr::new(listen.ip(), 0)).await?
			}
			Err(error) => {
				return Err(error).with_context(|| format!("admin.listen {listen} can't be used"))
			}
		};
		let address = listener.local_addr()?;
		let file = client::file(base);
		client::Found { address, token }.write(&file)?;
		let app = router(control, access);
		let task = tokio::spawn(async move {
			let served = axum::serve(listener, app)
				.with_graceful_shutdown(async move { shutdown.cancelled().await });
			if let Err(error) = served.await {
				tracing::error!(target: "aria::admin", %error, "the administration's endpoint ended");
			}
		});
		tracing::info!(target: "aria::admin", %address, "status, pause and metrics");
		Ok(Self { address, file, task })
	}
}

impl Drop for Server {
	fn drop(&mut self) {
		self.task.abort();
		// Nobody listens there any more.
		let _ = std::fs::remove_file(&self.file);
	}
}

/// The endpoints in front of `control`.
pub fn router(control: Arc<dyn Control>, access: Access) -> Router {
	Router::new()
		.route("/admin/status", get(status))
		.route("/admin/plan", get(plan))
		.route("/admin/pause", post(pause))
		.route("/admin/resume", post(resume))
		.route("/metrics", get(metrics))
		.layer(middleware::from_fn_with_state(access, guard))
		.route("/healthz", get(|| async { "ok" }))
		.with_state(control)
}

async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
	match access.check(request.headers()) {
		Ok(()) => next.run(request).await,
		Err((status, reason)) => refusal(status, reason),
	}
}

fn refusal(status: StatusCode, reason: impl std::fmt::Display) -> Response {
	(status, Json(json!({ "error": reason.to_string() }))).into_response()
}

async fn status(State(control): State<Arc<dyn Control>>) -> Json<Status> {
	Json(control.status())
}

#[derive(Deserialize)]
struct PlanQuery {
	model: Option<String>,
}

async fn plan(State(control): State<Arc<dyn Control>>, Query(query): Query<PlanQuery>) -> Response {
	match control.plan(query.model).await {
		Ok(report) => Json(report).into_response(),
		Err(error) => refusal(StatusCode::NOT_FOUND, format!("{error:#}")),
	}
}

async fn pause(State(control): State<Arc<dyn Control>>) -> Response {
	set_paused(control, true)
}

async fn resume(State(control): State<Arc<dyn Control>>) -> Response {
	set_paused(control, false)
}

fn set_paused(control: Arc<dyn Control>, paused: bool) -> Response {
	match control.set_paused(paused) {
		Ok(()) => Json(control.status()).into_response(),
		Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
	}
}

async fn metrics(State(control): State<Arc<dyn Control>>) -> Response {
	([(CONTENT_TYPE, "text/plain; version=0.0.4")], control.metrics()).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::sync::atomic::{AtomicBool, Ordering};

	#[derive(Default)]
	struct Fake {
		paused: AtomicBool,
	}

	impl Control for Fake {
		fn status(&self) -> Status {
			Status { paused: self.paused.load(Ordering::Relaxed), ..Default::default() }
		}
		fn set_paused(&self, paused: bool) -> Result<()> {
			self.paused.store(paused, Ordering::Relaxed);
			Ok(())
		}
		fn plan(&self, model: Option<String>) -> BoxFuture<'_, Result<PlanReport>> {
			Box::pin(async move {
				let model = model.context("no model is served here")?;
				Ok(PlanReport { model, ..Default::default() })
			})
		}
		fn metrics(&self) -> String {
			"aria_worker_sessions 0\n".to_owned()
		}
	}

	async fn start(base: &Path, shutdown: &CancellationToken) -> Server {
		let listen = "127.0.0.1:0".parse().unwrap();
		let control = Arc::<Fake>::default();
		Server::start(listen, None, base, control, shutdown.clone()).await.unwrap()
	}

	#[tokio::test]
	async fn a_worker_should_be_found_asked_and_paused() {
		let dir = tempfile::tempdir().unwrap();
		let shutdown = CancellationToken::new();
		let server = start(dir.path(), &shutdown).await;

		let found = client::Found::read(dir.path()).unwrap();
		assert_eq!(found.address, server.address);
		assert!(!found.status().await.unwrap().paused);
		assert!(found.set_paused(true).await.unwrap().paused);
		assert!(found.status().await.unwrap().paused);
		assert!(!found.set_paused(false).await.unwrap().paused);
		assert_eq!(found.plan(Some("m")).await.unwrap().model, "m");
		let error = format!("{:#}", found.plan(None).await.unwrap_err());
		assert!(error.contains("no model"), "{error}");

		drop(server);
		let error = format!("{:#}", client::Found::read(dir.path()).unwrap_err());
		assert!(error.contains("no worker runs"), "{error}");
	}

	#[tokio::test]
	async fn a_web_page_should_be_refused() {
		let dir = tempfile::tempdir().unwrap();
		let shutdown = CancellationToken::new();
		let server = start(dir.path(), &shutdown).await;
		let url = format!("http://{}/admin/pause", server.address);
		let client = reqwest::Client::builder().no_proxy().build().unwrap();
		let answer =
			client.post(&url).header("origin", "https://evil.example").send().await.unwrap();
		assert_eq!(answer.status().as_u16(), 403);
		let answer = client.get(&url).send().await.unwrap();
		assert_eq!(answer.status().as_u16(), 405);
	}
}
