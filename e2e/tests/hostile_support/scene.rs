//! A network of honest workers, and an honest client that goes on asking.

use super::Target;
use crate::books;
use aria_e2e::{
	client::eventually,
	cluster::{Cluster, Spec, SHIPPED},
	openai::{Answer, Api},
};
use aria_primitives::RecordId;
use serde_json::Value;
use sp_core::H256;
use std::time::Duration;

/// Megabits a second that honest workers offer: a hostile one that offers more is planned first.
const MODEST: &str = "5";
/// How long the gateway may take to hear of something.
const PATIENCE: Duration = Duration::from_secs(30);

/// The network, and what was asked so far.
pub struct Scene {
	/// The network.
	pub cluster: Cluster,
	/// The records of all answers.
	pub ids: Vec<RecordId>,
	api: Api,
	expected: String,
}

impl Scene {
	/// Three stages, the last of which has a replica: who refuses what a liar sends is replaced too.
	pub async fn start() -> Self {
		let spec = Spec::new(&[(0, 2), (2, 4), (4, 6), (4, 6)])
			.node(books::node(2_000))
			.worker_arg("--bandwidth", MODEST);
		let cluster = Cluster::start(spec).await.unwrap();
		let api = cluster.api().await.unwrap();
		let answer = api.chat(&Api::same_question(SHIPPED)).await.unwrap();
		assert!(!answer.text.is_empty());
		let ids = vec![answer.record_id().unwrap()];
		Self { cluster, ids, api, expected: answer.text }
	}

	/// Asks again, which has to give the same answer.
	pub async fn ask(&mut self, when: &str) -> Answer {
		let answer = match self.api.chat(&Api::same_question(SHIPPED)).await {
			Ok(answer) => answer,
			Err(error) => panic!(
				"{when}: an honest client gets no answer: {error:#}\nThe gateway's log ends:\n{}",
				self.cluster.gateway.log_tail()
			),
		};
		assert_eq!(answer.text, self.expected, "{when}");
		self.ids.push(answer.record_id().unwrap());
		answer
	}

	/// The chain's first block.
	pub fn genesis(&self) -> H256 {
		self.cluster.client.genesis()
	}

	/// A worker as others reach it.
	pub async fn target(&self, worker: usize) -> Target {
		Target::of(&self.cluster.workers[worker]).await
	}

	/// What the gateway says of an account in its plan: a stage, a standby, or why neither.
	pub async fn standing(&self, account: &str) -> Option<String> {
		let plan = self.cluster.gateway.plan().await.unwrap();
		let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
		for stage in list(&plan["stages"]) {
			if stage["node"] == account {
				return Some("stage".to_owned());
			}
			if list(&stage["standbys"]).iter().any(|standby| *standby == account) {
				return Some("standby".to_owned());
			}
		}
		let passed = list(&plan["passed"]).into_iter().find(|passed| passed["node"] == account)?;
		passed["code"].as_str().map(str::to_owned)
	}

	/// Waits until the gateway says one of these of an account.
	pub async fn until(&self, account: &str, standings: &[Option<&str>]) {
		let what = format!("{account} as {standings:?} in the gateway's plan");
		let looked = eventually(&what, PATIENCE, || async {
			let is = self.standing(account).await;
			Ok(standings.contains(&is.as_deref()).then_some(()))
		});
		if let Err(error) = looked.await {
			panic!("{error:#}\n{:#}", self.cluster.gateway.plan().await.unwrap());
		}
	}

	/// Sessions that run on a worker.
	pub async fn sessions(&self, worker: usize) -> u64 {
		let status = self.cluster.workers[worker].status().await.unwrap();
		status["sessions"].as_u64().unwrap()
	}
}
