//! Asking a worker of this machine: where it listens stands in a file of its base path.

use super::report::{PlanReport, Status};
use crate::keys::private;
use anyhow::{bail, Context, Result};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	time::Duration,
};

/// How long a worker has to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file under `base`.
pub fn file(base: &Path) -> PathBuf {
	base.join("admin.json")
}

/// Where a worker listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
	/// Where.
	pub address: SocketAddr,
	/// The token that it asks for.
	pub token: Option<String>,
}

impl Found {
	/// The worker whose base path is `base`.
	///
	/// # Errors
	/// If none runs there.
	pub fn read(base: &Path) -> Result<Self> {
		let path = file(base);
		let Some(text) = private::read(&path)? else {
			bail!(
				"no worker runs with the base path {}: start it with `aria-worker run`, or name its \
				 --base-path",
				base.display()
			);
		};
		serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
	}

	/// Writes it to `path`.
	pub(super) fn write(&self, path: &Path) -> Result<()> {
		private::replace(path, &serde_json::to_string(self)?)
	}

	/// What the worker does.
	///
	/// # Errors
	/// If it does not answer.
	pub async fn status(&self) -> Result<Status> {
		self.ask(|client| client.get(self.url("/admin/status"))).await
	}

	/// Pauses or resumes it.
	///
	/// # Errors
	/// If it does not answer, or can't keep it.
	pub async fn set_paused(&self, paused: bool) -> Result<Status> {
		let path = if paused { "/admin/pause" } else { "/admin/resume" };
		self.ask(|client| client.post(self.url(path))).await
	}

	/// Who would compute an answer now.
	///
	/// # Errors
	/// If it does not answer, or knows no such model.
	pub async fn plan(&self, model: Option<&str>) -> Result<PlanReport> {
		self.ask(|client| {
			let request = client.get(self.url("/admin/plan"));
			match model {
				Some(model) => request.query(&[("model", model)]),
				None => request,
			}
		})
		.await
	}

	fn url(&self, path: &str) -> String {
		format!("http://{}{path}", self.address)
	}

	async fn ask<T: DeserializeOwned>(
		&self,
		request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
	) -> Result<T> {
		// A proxy of the environment has no business between this machine and itself.
		let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
		let mut request = request(&client);
		if let Some(token) = &self.token {
			request = request.bearer_auth(token);
		}
		let answer = request.send().await.with_context(|| {
			format!("the worker at {} does not answer: does it still run?", self.address)
		})?;
		let status = answer.status();
		let body = answer.bytes().await?;
		if !status.is_success() {
			#[derive(Deserialize)]
			struct Refusal {
				error: String,
			}
			match serde_json::from_slice::<Refusal>(&body) {
				Ok(refusal) => bail!("{}", refusal.error),
				Err(_) => bail!("the worker at {} answers {status}", self.address),
			}
		}
		serde_json::from_slice(&body).context("the worker's answer is of another release")
	}
}
