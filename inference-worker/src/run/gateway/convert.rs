//! Between what the HTTP API says and what a pipeline takes.

use crate::pipeline::{record::SignedRecord, PipelineError};
use aria_gateway::{Audit, Demands, Receipt, Refused, Request, StageReceipt};
use aria_primitives::{
	audit::{Named, MAX_NAMED},
	hashing::sha256,
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{EnergySource, FinishReason, RecordBody},
	ticket::AuditMode,
	AccountId, ModelId,
};
use codec::Encode;
use sp_core::crypto::Ss58Codec;
use sp_runtime::BoundedVec;
use std::time::Duration;

/// When to ask again if nobody says.
pub const RETRY: Duration = Duration::from_secs(5);

/// The query of `request`.
///
/// # Errors
/// What does not fit a query.
pub fn query(request: &Request, salt: [u8; 32]) -> Result<CanonicalQuery, Refused> {
	let invalid = |param: &str, message: &str| Refused::Invalid {
		param: Some(param.to_owned()),
		message: message.to_owned(),
	};
	let prompt_tokens = BoundedVec::try_from(request.prompt_tokens.to_vec())
		.map_err(|_| invalid("messages", "the prompt has more tokens than a query holds"))?;
	let stops = request.stops.iter().map(|stop| {
		BoundedVec::try_from(stop.as_bytes().to_vec())
			.map_err(|_| invalid("stop", "a stop sequence has at most 128 bytes"))
	});
	let stops: Vec<_> = stops.collect::<Result<_, _>>()?;
	Ok(CanonicalQuery {
		version: QUERY_VERSION,
		model_id: ModelId::from(request.model),
		prompt_tokens,
		sampling: Sampling {
			temperature_milli: request.sampling.temperature_milli,
			top_k: request.sampling.top_k,
			top_p_ppm: request.sampling.top_p_ppm,
			seed: request.sampling.seed,
		},
		max_tokens: request.max_tokens,
		stop: BoundedVec::try_from(stops)
			.map_err(|_| invalid("stop", "there are at most 4 stop sequences"))?,
		salt,
	})
}

/// Who has to run the first stage and the last one.
///
/// # Errors
/// What is no account.
pub fn ends(demands: &Demands) -> Result<(Option<AccountId>, Option<AccountId>), Refused> {
	let of = |param: &str, text: &Option<String>| {
		text.as_deref().map(|text| account(param, text)).transpose()
	};
	Ok((of("aria.first_stage", &demands.first)?, of("aria.last_stage", &demands.last)?))
}

/// Who may check the answer. A set goes by the hash of its accounts, ascending and without repetition.
///
/// # Errors
/// What is no account.
pub fn audit(audit: &Audit) -> Result<AuditMode, Refused> {
	Ok(match audit {
		Audit::Any => AuditMode::Any,
		Audit::None => AuditMode::None,
		Audit::Named(names) => {
			let accounts = names.iter().map(|name| account("aria.audit", name));
			let mut accounts: Vec<AccountId> = accounts.collect::<Result<_, _>>()?;
			accounts.sort_unstable();
			accounts.dedup();
			AuditMode::Named(sha256(&accounts.encode()))
		}
	})
}

/// Whom the requester named; nobody where anybody may audit, `None` where nobody may.
///
/// # Errors
/// What is no account, and more accounts than the chain reads.
pub fn named(audit: &Audit) -> Result<Option<Named>, Refused> {
	let Audit::Named(names) = audit else {
		return Ok((*audit != Audit::None).then(Named::default));
	};
	let mut accounts =
		names.iter().map(|name| account("aria.audit", name)).collect::<Result<Vec<_>, _>>()?;
	accounts.sort_unstable();
	accounts.dedup();
	let named = Named::try_from(accounts).map_err(|_| Refused::Invalid {
		param: Some("aria.audit".to_owned()),
		message: format!("at most {MAX_NAMED} verifiers are named"),
	})?;
	Ok(Some(named))
}

fn account(param: &str, text: &str) -> Result<AccountId, Refused> {
	AccountId::from_ss58check(text).map_err(|_| Refused::Invalid {
		param: Some(param.to_owned()),
		message: format!("{text:?} is no address of an account: it begins with 5"),
	})
}

/// What the client is told of a pipeline that failed.
pub fn refused(error: PipelineError) -> Refused {
	let message = error.to_string();
	match error {
		PipelineError::NoReplica { retry_after, .. } => {
			Refused::Unavailable { message, retry_after: retry_after.unwrap_or(RETRY) }
		}
		PipelineError::Query(_) => Refused::Invalid { param: None, message },
		_ => Refused::Internal { message },
	}
}

/// Why an answer ended; `None` if its client is gone.
pub fn finish(reason: FinishReason) -> Option<aria_gateway::FinishReason> {
	match reason {
		FinishReason::Stop => Some(aria_gateway::FinishReason::Stop),
		FinishReason::Length => Some(aria_gateway::FinishReason::Length),
		FinishReason::Cancelled => None,
	}
}

/// Where an answer comes from.
pub fn receipt(record: &SignedRecord, salt: Option<[u8; 32]>) -> Receipt {
	let body: &RecordBody = &record.body;
	let stages: Vec<StageReceipt> = body
		.stages
		.iter()
		.map(|stage| StageReceipt {
			node: stage.node.to_ss58check(),
			first: stage.layers.first,
			end: stage.layers.end,
			energy_mj: stage.energy_mj,
			energy_source: source(stage.energy_source).to_owned(),
			consent_version: stage.consent_version,
		})
		.collect();
	let first = body.stages.first().map(|stage| stage.energy_source);
	let mixed = body.stages.iter().any(|stage| Some(stage.energy_source) != first);
	Receipt {
		record_id: Some(record.id.to_fixed_bytes()),
		query_hash: body.query_hash.to_fixed_bytes(),
		output_hash: body.output_hash.to_fixed_bytes(),
		salt,
		stages,
		energy_mj: body.energy_mj,
		energy_source: match first {
			Some(first) if !mixed => source(first).to_owned(),
			Some(_) => "mixed".to_owned(),
			None => String::new(),
		},
		latency_ms: body.latency_ms,
	}
}

/// A source of energy figures, as in JSON.
pub fn source(source: EnergySource) -> &'static str {
	match source {
		EnergySource::Estimate => "estimate",
		EnergySource::Rapl => "rapl",
		EnergySource::Powermetrics => "powermetrics",
		EnergySource::Meter => "meter",
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_gateway::Principal;
	use std::sync::Arc;

	fn request() -> Request {
		Request {
			request_id: "r".into(),
			model: [4; 32],
			principal: Arc::new(Principal::new("a", "b")),
			prompt_tokens: vec![1, 2, 3].into(),
			sampling: aria_gateway::Sampling {
				temperature_milli: 700,
				top_k: 0,
				top_p_ppm: 900_000,
				seed: 7,
			},
			max_tokens: 16,
			stops: vec!["\n".to_owned()],
			demands: Demands::default(),
		}
	}

	#[test]
	fn a_query_should_have_all_that_was_asked() {
		let query = query(&request(), [9; 32]).unwrap();
		assert_eq!(query.prompt_tokens.to_vec(), [1, 2, 3]);
		assert_eq!((query.sampling.seed, query.max_tokens, query.salt), (7, 16, [9; 32]));
		assert_eq!(query.stop.first().unwrap().as_slice(), b"\n");
		let long = Request { stops: vec!["x".repeat(129)], ..request() };
		assert!(matches!(super::query(&long, [0; 32]), Err(Refused::Invalid { .. })));
	}

	#[test]
	fn accounts_should_be_addresses() {
		let address = AccountId::new([1; 32]).to_ss58check();
		let demands = Demands { first: Some(address.clone()), ..Demands::default() };
		assert_eq!(ends(&demands).unwrap(), (Some(AccountId::new([1; 32])), None));
		let demands = Demands { last: Some("bob".to_owned()), ..Demands::default() };
		let refused = ends(&demands).unwrap_err();
		assert!(
			matches!(refused, Refused::Invalid { param: Some(ref param), .. } if param == "aria.last_stage")
		);
		let other = AccountId::new([2; 32]).to_ss58check();
		let set = |names: &[&String]| {
			audit(&Audit::Named(names.iter().map(|name| (*name).clone()).collect())).unwrap()
		};
		assert_eq!(set(&[&address, &other]), set(&[&other, &address, &other]));
		assert_ne!(set(&[&address]), set(&[&other]));
	}
}
