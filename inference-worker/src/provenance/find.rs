//! From a text or an id to records, each with its proof.

use super::{
	input::{candidates, Candidate, Input, Source, SHORT_TEXT},
	node::{Node, NodeError},
	proof::{check, Evidence, Header, Proven},
	views::{Found, StoredProof, Trace},
};
use aria_primitives::{OutputHash, RecordId};
use serde_json::{json, Value};
use sp_core::H256;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
	/// About what.
	pub input: Input,
	/// The salt that may stand behind the text.
	pub salt: Option<[u8; 32]>,
	/// A block that is trusted to be of the chain; records are proven against its state, or, if they have
	/// left that, against its header. Without one the node chooses its last final block.
	pub trusted: Option<H256>,
	/// Most records that are looked at.
	pub most: usize,
}

/// A record that the node gave.
#[derive(Clone, Debug)]
pub struct Finding {
	/// Its id.
	pub id: RecordId,
	/// Which bytes have its output hash; `None` where it was asked for by its id.
	pub of: Option<String>,
	/// What the proof proves, or why it proves nothing.
	pub proof: Result<Proven, String>,
	/// What the node says around the record, unproven.
	pub trace: Option<Trace>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Answer {
	/// The records.
	pub findings: Vec<Finding>,
	/// The hashes that were looked for, empty for an id.
	pub tried: Vec<Candidate>,
	/// Whether the node has more than were asked for.
	pub more: bool,
	/// What may help where nothing was found.
	pub hints: Vec<String>,
}

impl Answer {
	/// Whether something was found, and all of it is proven.
	pub fn is_proven(&self) -> bool {
		!self.findings.is_empty() && self.findings.iter().all(|finding| finding.proof.is_ok())
	}
}

/// Asks `node`. That nothing was found is no error, and neither is a proof that does not hold.
///
/// # Errors
/// Those of the node.
pub async fn find(node: &Node, request: &Request) -> Result<Answer, NodeError> {
	let genesis: H256 = node.call("chain_getBlockHash", json!([0])).await?;
	let look = Look { node, genesis, trusted: request.trusted };
	match &request.input {
		Input::Id(id) => look.by_id(*id).await,
		Input::Bytes { bytes, source } => {
			let tried = candidates(bytes, source, request.salt.as_ref());
			let hints = hints(bytes, source, request.salt.is_some());
			look.by_text(tried, hints, request.most).await
		}
	}
}

fn hints(bytes: &[u8], source: &Source, salted: bool) -> Vec<String> {
	let mut hints = Vec::new();
	if !salted {
		hints.push(match bytes.len() < SHORT_TEXT {
			true => format!(
				"answers below {SHORT_TEXT} bytes are hashed with a salt, which came with the answer: give it \
				 with --salt"
			),
			false => "if the answer came with a salt, give it with --salt".to_owned(),
		});
	}
	if *source == Source::Text {
		hints.push(
			"the argument was taken as the text itself, not as the name of a file".to_owned(),
		);
	}
	hints.push(
		"a text that was changed by one byte has another hash: that nothing is found does not say where \
		 it comes from"
			.to_owned(),
	);
	hints
}

struct Look<'a> {
	node: &'a Node,
	genesis: H256,
	trusted: Option<H256>,
}

impl Look<'_> {
	async fn by_id(&self, id: RecordId) -> Result<Answer, NodeError> {
		let mut answer =
			Answer { findings: Vec::new(), tried: Vec::new(), more: false, hints: Vec::new() };
		match self.node.call::<Value>("provenance_getRecord", json!([id])).await {
			Ok(_) => answer.findings.push(self.finding(id, None).await?),
			Err(error) if error.is_unknown_record() => {
				let hint = "an id belongs to one chain: see that the node is of the right one";
				answer.hints.push(hint.to_owned());
			}
			Err(error) => return Err(error),
		}
		Ok(answer)
	}

	async fn by_text(
		&self,
		tried: Vec<Candidate>,
		mut hints: Vec<String>,
		most: usize,
	) -> Result<Answer, NodeError> {
		let mut findings: Vec<Finding> = Vec::new();
		let mut more = false;
		for candidate in &tried {
			let room = most.saturating_sub(findings.len());
			// One above what is shown, to know whether there is more.
			let page = json!({ "limit": room.saturating_add(1).min(1_000) });
			let found: Found =
				self.node.call("provenance_findByOutput", json!([candidate.hash, page])).await?;
			more |= found.next.is_some() || found.records.len() > room;
			hints.extend(found.discarded.iter().map(|record| {
				format!(
					"the node knows of the record {:?}, which block {} settled, and has discarded that \
					 block's state: ask one that runs with --state-pruning archive",
					record.id, record.settled_at
				)
			}));
			for record in found.records.into_iter().take(room) {
				findings.push(self.finding(record.id, Some(candidate)).await?);
			}
		}
		Ok(Answer { findings, tried, more, hints })
	}

	async fn finding(&self, id: RecordId, of: Option<&Candidate>) -> Result<Finding, NodeError> {
		let proof = self.proof(id, of.map(|candidate| candidate.hash)).await?;
		let parameters = match &proof {
			Ok(proven) => json!([id, proven.believed()]),
			Err(_) => json!([id]),
		};
		// What surrounds the record is worth showing, and no reason to fail.
		let trace = match self.node.call("provenance_trace", parameters).await {
			Ok(trace) => Some(trace),
			Err(error) => {
				tracing::warn!(target: "aria::provenance", %error, "no trace of the record");
				None
			}
		};
		Ok(Finding { id, of: of.map(|candidate| candidate.of.clone()), proof, trace })
	}

	async fn proof(
		&self,
		id: RecordId,
		output: Option<OutputHash>,
	) -> Result<Result<Proven, String>, NodeError> {
		let parameters = match self.trusted {
			Some(block) => json!([id, block]),
			None => json!([id]),
		};
		let proof: StoredProof = match self.node.call("provenance_getProof", parameters).await {
			Ok(proof) => proof,
			Err(error) if error.is_unknown_record() => {
				return Ok(Err(match self.trusted {
					Some(block) => format!(
						"the state of the trusted block {block:?} does not have it: the record may be newer"
					),
					None => "its block is not final yet: ask again in some seconds".to_owned(),
				}))
			}
			Err(error @ NodeError::Refused { .. }) => return Ok(Err(error.to_string())),
			Err(error) => return Err(error),
		};
		let missing = "the node does not have the header of its own proof";
		let Some(header) = self.header(proof.block_hash).await? else {
			return Ok(Err(missing.to_owned()));
		};
		let later = match &proof.past {
			Some(past) => match self.header(past.block_hash).await? {
				Some(later) => Some(later),
				None => return Ok(Err(missing.to_owned())),
			},
			None => None,
		};
		let evidence = Evidence { id, genesis: self.genesis, header, proof, later };
		let proven = match check(&evidence, self.trusted) {
			Ok(proven) => proven,
			Err(error) => return Ok(Err(error.to_string())),
		};
		if output.is_some_and(|output| output != proven.entry.body.output_hash) {
			return Ok(Err("the record is there, and is that of another text".to_owned()));
		}
		Ok(Ok(proven))
	}

	async fn header(&self, block: H256) -> Result<Option<Header>, NodeError> {
		self.node.call("chain_getHeader", json!([block])).await
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::{
		super::proof::tests::{entry, evidence, GENESIS},
		*,
	};
	use aria_primitives::{hashing::sha256, record::RecordEntry};
	use axum::{extract::State, routing::post, Json, Router};
	use codec::Encode;
	use std::sync::Arc;

	/// A node with one record, which may lie.
	struct Fake {
		entry: RecordEntry,
		evidence: Evidence,
		is_final: bool,
		/// The output hash under which the record is listed.
		listed: H256,
	}

	async fn answer(State(fake): State<Arc<Fake>>, Json(call): Json<Value>) -> Json<Value> {
		let parameters = &call["params"];
		let id = format!("{:?}", fake.evidence.id);
		let unknown = json!({ "id": 1, "error": { "code": 7002, "message": "no such record" } });
		let proof = &fake.evidence.proof;
		let result = match call["method"].as_str().unwrap() {
			"chain_getBlockHash" => json!(GENESIS),
			"chain_getHeader" => json!(fake.evidence.header),
			"provenance_findByOutput" if parameters[0] == json!(fake.listed) => {
				json!({ "records": [{ "id": id }], "next": null })
			}
			"provenance_findByOutput" => json!({ "records": [], "next": null }),
			"provenance_getRecord" | "provenance_trace" if parameters[0] != json!(id) => {
				return Json(unknown)
			}
			"provenance_getRecord" => json!({ "id": id }),
			"provenance_getProof" if !fake.is_final => return Json(unknown),
			"provenance_getProof" => json!({
				"blockHash": proof.block_hash,
				"blockNumber": proof.block_number,
				"storageKey": proof.storage_key,
				"proof": proof.proof,
				"value": proof.value,
			}),
			"provenance_trace" => json!({
				"model": null, "aliases": ["a-model"], "pinned": true, "nodes": [],
				"audit": { "status": "not_drawn" },
			}),
			other => panic!("{other} is not asked for"),
		};
		Json(json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
	}

	fn fake(text: &str) -> Fake {
		let entry = entry(text);
		let listed = entry.body.output_hash;
		Fake { evidence: evidence(&entry), entry, is_final: true, listed }
	}

	async fn ask(fake: Fake, input: Input, salt: Option<[u8; 32]>) -> Answer {
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		let routes = Router::new().route("/", post(answer)).with_state(Arc::new(fake));
		let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
		let request = Request { input, salt, trusted: None, most: 10 };
		let answer = find(&Node::at(&url).unwrap(), &request).await.unwrap();
		server.abort();
		answer
	}

	fn file(text: &str) -> Input {
		Input::Bytes { bytes: text.as_bytes().to_vec(), source: Source::File("f".into()) }
	}

	#[tokio::test]
	async fn a_text_should_lead_to_its_proven_record() {
		let node = fake("an answer");
		let expected = node.entry.clone();
		let answer = ask(node, file("an answer\n"), None).await;
		assert!(answer.is_proven());
		assert_eq!(answer.findings[0].proof.as_ref().unwrap().entry, expected);
		let of = answer.findings[0].of.as_deref();
		assert_eq!(of, Some("the file without its trailing newline"));
		assert_eq!(answer.findings[0].trace.as_ref().unwrap().aliases, ["a-model"]);
	}

	#[tokio::test]
	async fn a_salt_should_lead_to_a_short_answer() {
		let mut entry = entry("");
		entry.body.output_hash = sha256(&[&b"yes"[..], &[9; 32]].concat());
		let listed = entry.body.output_hash;
		let node = || {
			let (entry, evidence) = (entry.clone(), evidence(&entry));
			Fake { entry, evidence, is_final: true, listed }
		};
		assert!(ask(node(), file("yes"), Some([9; 32])).await.is_proven());
		let without = ask(node(), file("yes"), None).await;
		assert!(without.findings.is_empty() && !without.is_proven());
		assert!(without.hints.iter().any(|hint| hint.contains("--salt")));
	}

	#[tokio::test]
	async fn an_id_should_lead_to_its_record_or_to_nothing() {
		let node = fake("an answer");
		let id = node.evidence.id;
		assert!(ask(node, Input::Id(id), None).await.is_proven());
		let nothing = ask(fake("an answer"), Input::Id(H256::zero()), None).await;
		assert!(nothing.findings.is_empty());
	}

	#[tokio::test]
	async fn what_is_not_final_or_not_true_should_not_be_proven() {
		let refused = |answer: Answer, why: &str| {
			assert_eq!(answer.findings.len(), 1);
			let error = answer.findings[0].proof.as_ref().unwrap_err();
			assert!(error.contains(why), "{error}");
		};
		let young = Fake { is_final: false, ..fake("an answer") };
		let id = young.evidence.id;
		refused(ask(young, Input::Id(id), None).await, "not final");

		let other_text = Fake { listed: sha256(b"not mine"), ..fake("an answer") };
		refused(ask(other_text, file("not mine"), None).await, "another text");

		let mut lying = fake("an answer");
		let mut dearer = lying.entry.clone();
		dearer.price = 1;
		lying.evidence.proof.value = dearer.encode().into();
		refused(ask(lying, Input::Id(id), None).await, "another value");
	}
}
