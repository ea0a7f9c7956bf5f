//! The endpoints: `GET /admin/status`, `GET /admin/plan` (with what is wanted, as [`Wanted`] has it, in
//! the query), `POST /admin/pause`, `POST /admin/resume`, `GET /metrics`, `GET /healthz`.

use super::{
	access::{self, Access},
	client,
	report::{PlanReport, Status},
};
use anyhow::{Context, Result};
use aria_primitives::AccountId;
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
use sp_core::crypto::Ss58Codec;
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::Arc,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What an answer is planned for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
	/// The model, by name or id; `None` for the one that is served.
	pub model: Option<String>,
	/// Only workers that hold the whole model.
	pub whole_model: bool,
	/// Who has to run the first stage.
	pub first: Option<AccountId>,
	/// Who has to run the last stage.
	pub last: Option<AccountId>,
	/// Only workers in this country (ISO 3166 numeric, 1 to 999).
	pub region: Option<u16>,
}

/// A worker that can be asked and told.
pub trait Control: Send + Sync + 'static {
	/// What it does now.
	fn status(&self) -> Status;
	/// Takes no new work, or takes it again. It outlives the process.
	///
	/// # Errors
	/// If it can't be kept.
	fn set_paused(&self, paused: bool) -> Result<()>;
	/// Who would compute an answer now.
	///
	/// # Errors
	/// If there is no such model, or the chain can't be read.
	fn plan(&self, wanted: Wanted) -> BoxFuture<'_, Result<PlanReport>>;
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
#[serde(deny_unknown_fields)]
struct PlanQuery {
	model: Option<String>,
	#[serde(default)]
	whole_model: bool,
	first: Option<String>,
	last: Option<String>,
	region: Option<u16>,
}

impl PlanQuery {
	/// What is wanted, or what is wrong with it.
	fn wanted(self) -> Result<Wanted, String> {
		let account = |name: &str, text: Option<String>| {
			let parsed = text.as_deref().map(AccountId::from_ss58check).transpose();
			parsed.map_err(|_| format!("`{name}` is no address of an account: it begins with 5"))
		};
		if self.region.is_some_and(|region| !(1..=999).contains(&region)) {
			return Err("`region` is a country's number by ISO 3166, from 1 to 999".to_owned());
		}
		Ok(Wanted {
			first: account("first", self.first)?,
			last: account("last", self.last)?,
			model: self.model,
			whole_model: self.whole_model,
			region: self.region,
		})
	}
}

async fn plan(State(control): State<Arc<dyn Control>>, Query(query): Query<PlanQuery>) -> Response {
	let wanted = match query.wanted() {
		Ok(wanted) => wanted,
		Err(reason) => return refusal(StatusCode::BAD_REQUEST, reason),
	};
	match control.plan(wanted).await {
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
	use std::sync::{
		atomic::{AtomicBool, Ordering},
		Mutex,
	};

	#[derive(Default)]
	struct Fake {
		paused: AtomicBool,
		wanted: Mutex<Wanted>,
	}

	impl Control for Fake {
		fn status(&self) -> Status {
			Status { paused: self.paused.load(Ordering::Relaxed), ..Default::default() }
		}
		fn set_paused(&self, paused: bool) -> Result<()> {
			self.paused.store(paused, Ordering::Relaxed);
			Ok(())
		}
		fn plan(&self, wanted: Wanted) -> BoxFuture<'_, Result<PlanReport>> {
			*self.wanted.lock().unwrap() = wanted.clone();
			Box::pin(async move {
				let model = wanted.model.context("no model is served here")?;
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
	async fn a_plan_should_be_asked_for_with_demands() {
		let dir = tempfile::tempdir().unwrap();
		let shutdown = CancellationToken::new();
		let listen = "127.0.0.1:0".parse().unwrap();
		let control = Arc::<Fake>::default();
		let server = Server::start(listen, None, dir.path(), control.clone(), shutdown.clone())
			.await
			.unwrap();
		let client = reqwest::Client::builder().no_proxy().build().unwrap();
		let ask = |query: String| {
			let url = format!("http://{}/admin/plan?{query}", server.address);
			let request = client.get(url);
			async move { request.send().await.unwrap().status().as_u16() }
		};
		let (one, two) = (AccountId::new([1; 32]), AccountId::new([2; 32]));
		let query = format!(
			"model=m&whole_model=true&first={}&last={}&region=756",
			one.to_ss58check(),
			two.to_ss58check()
		);
		assert_eq!(ask(query).await, 200);
		let wanted = Wanted {
			model: Some("m".to_owned()),
			whole_model: true,
			first: Some(one),
			last: Some(two),
			region: Some(756),
		};
		assert_eq!(*control.wanted.lock().unwrap(), wanted);
		assert_eq!(ask("model=m".to_owned()).await, 200);
		let plain = Wanted { model: Some("m".to_owned()), ..Wanted::default() };
		assert_eq!(*control.wanted.lock().unwrap(), plain);
		for wrong in ["first=bob", "region=0", "region=1000", "whole_model=7", "regoin=756"] {
			assert_eq!(ask(format!("model=m&{wrong}")).await, 400, "{wrong}");
		}
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
