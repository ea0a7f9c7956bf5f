//! Values of every structure, sensible or not.

use aria_primitives::{
	consent::{
		Consent, RewardMode, RewardPreference, Schedule, TaskType, Window, MAX_TASK_TYPES,
		MAX_WINDOWS,
	},
	query::{CanonicalQuery, Sampling, MAX_STOPS, MAX_STOP_BYTES},
	record::{
		Anchor, EnergySource, FinishReason, LayerRange, Payment, RecordBody, Settlement, Stage,
		MAX_BOUNDARIES, MAX_STAGES,
	},
	ticket::{AuditMode, SignedTicket, Ticket},
	AccountId, Signature,
};
use proptest::prelude::*;
use sp_core::{ed25519, ConstU32, Pair, H256};
use sp_runtime::BoundedVec;

fn bounded<T, const N: u32>(items: Vec<T>) -> BoundedVec<T, ConstU32<N>> {
	BoundedVec::try_from(items).ok().unwrap()
}

fn hashes() -> impl Strategy<Value = H256> {
	any::<[u8; 32]>().prop_map(H256)
}

pub fn accounts() -> impl Strategy<Value = AccountId> {
	any::<[u8; 32]>().prop_map(AccountId::new)
}

fn signatures() -> impl Strategy<Value = Signature> {
	(any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(seed, message)| {
		Signature::Ed25519(ed25519::Pair::from_seed(&seed).sign(&message))
	})
}

fn layer_ranges() -> impl Strategy<Value = LayerRange> {
	any::<(u16, u16)>().prop_map(|(first, end)| LayerRange { first, end })
}

pub fn consents() -> impl Strategy<Value = Consent> {
	let windows = prop::collection::vec(any::<(u16, u16)>(), 0..=MAX_WINDOWS as usize);
	let schedule = (any::<(u8, i16)>(), windows).prop_map(|((days, utc_offset_minutes), of)| {
		let windows = bounded(of.into_iter().map(|(from, to)| Window { from, to }).collect());
		Schedule { days, utc_offset_minutes, windows }
	});
	let task =
		prop::sample::select(vec![TaskType::TextGeneration, TaskType::Embedding, TaskType::Audit]);
	let tasks = prop::collection::vec(task, 0..=MAX_TASK_TYPES as usize);
	let mode = prop::sample::select(vec![RewardMode::Keep, RewardMode::Donate]);
	let preference = (accounts(), any::<u128>(), mode)
		.prop_map(|(payout, minimum_price, mode)| RewardPreference { payout, minimum_price, mode });
	(any::<(u8, u32, u32)>(), schedule, tasks, preference).prop_map(
		|((cpu_percent, max_bandwidth_mbps, max_memory_mb), schedule, tasks, preference)| Consent {
			cpu_percent,
			schedule,
			task_types: bounded(tasks),
			max_bandwidth_mbps,
			max_memory_mb,
			reward_preference: preference,
		},
	)
}

pub fn queries() -> impl Strategy<Value = CanonicalQuery> {
	let stop = prop::collection::vec(any::<u8>(), 0..=MAX_STOP_BYTES as usize);
	let stops = prop::collection::vec(stop, 0..=MAX_STOPS as usize);
	let tokens = prop::collection::vec(any::<u32>(), 0..300);
	let sampling =
		any::<(u32, u32, u32, u64)>().prop_map(|(temperature_milli, top_k, top_p_ppm, seed)| {
			Sampling { temperature_milli, top_k, top_p_ppm, seed }
		});
	(any::<(u16, u32, [u8; 32])>(), hashes(), tokens, sampling, stops).prop_map(
		|((version, max_tokens, salt), model_id, tokens, sampling, stops)| CanonicalQuery {
			version,
			model_id,
			prompt_tokens: bounded(tokens),
			sampling,
			max_tokens,
			stop: bounded(stops.into_iter().map(bounded).collect()),
			salt,
		},
	)
}

pub fn tickets() -> impl Strategy<Value = Ticket> {
	let audit = prop_oneof![
		Just(AuditMode::Any),
		hashes().prop_map(AuditMode::Named),
		Just(AuditMode::None),
	];
	let parties = (accounts(), accounts(), accounts());
	(any::<(u16, u128, u64, u32)>(), parties, (hashes(), hashes()), audit).prop_map(
		|((version, max_price, nonce, expiry), parties, (model_id, query_hash), audit_mode)| {
			let (requester, key, gateway) = parties;
			Ticket {
				version,
				requester,
				key,
				gateway,
				model_id,
				query_hash,
				max_price,
				nonce,
				expiry,
				audit_mode,
			}
		},
	)
}

fn stages() -> impl Strategy<Value = Stage> {
	let source = prop::sample::select(vec![
		EnergySource::Estimate,
		EnergySource::Rapl,
		EnergySource::Powermetrics,
		EnergySource::Meter,
	]);
	(accounts(), layer_ranges(), any::<(u64, u32)>(), source).prop_map(
		|(node, layers, (energy_mj, consent_version), energy_source)| Stage {
			node,
			layers,
			energy_mj,
			energy_source,
			consent_version,
		},
	)
}

pub fn bodies() -> impl Strategy<Value = RecordBody> {
	let reason = prop::sample::select(vec![
		FinishReason::Stop,
		FinishReason::Length,
		FinishReason::Cancelled,
	]);
	let named = (hashes(), hashes(), hashes(), hashes(), hashes(), hashes());
	let lists = (
		prop::collection::vec(stages(), 0..=MAX_STAGES as usize),
		prop::collection::vec(hashes(), 0..=MAX_BOUNDARIES as usize),
	);
	let counts = any::<(u16, u32, u32, u32, u64, u32, u64, u32)>();
	(named, lists, counts, reason).prop_map(|(named, (stages, boundaries), counts, reason)| {
		let (model_id, query_hash, output_hash, output_tokens_hash, anchor, ticket_hash) = named;
		let (version, prompt, cached, output, energy_mj, latency_ms, timestamp, number) = counts;
		RecordBody {
			version,
			model_id,
			query_hash,
			output_hash,
			output_tokens_hash,
			finish_reason: reason,
			prompt_tokens: prompt,
			cached_tokens: cached,
			output_tokens: output,
			stages: bounded(stages),
			boundaries: bounded(boundaries),
			energy_mj,
			latency_ms,
			timestamp,
			anchor: Anchor { number, hash: anchor },
			ticket_hash,
		}
	})
}

pub fn settlements() -> impl Strategy<Value = Settlement> {
	let payment = prop_oneof![
		(tickets(), signatures())
			.prop_map(|(ticket, signature)| Payment::Ticket(SignedTicket { ticket, signature })),
		hashes().prop_map(Payment::Request),
	];
	let signed = prop::collection::vec(prop::option::of(signatures()), 0..4);
	(hashes(), bodies(), payment, signed, signatures()).prop_map(
		|(id, body, payment, signed, gateway_signature)| Settlement {
			id,
			body,
			payment,
			signatures: bounded(signed),
			gateway_signature,
		},
	)
}
