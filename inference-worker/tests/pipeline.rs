//! Answers over several workers: the same as in one process, whoever dies, stalls or lies.
#![allow(clippy::unwrap_used)]

mod pipeline_support;

use aria_engine::generate::Answer;
use aria_network::wire::{
	frame,
	pipeline::{
		text, FromStage, Hello, Link, LinkFrame, LinkReady, Order, Refusal, ToStage, MAX_CONTROL,
	},
};
use aria_primitives::{
	query::{CanonicalQuery, Sampling},
	record::FinishReason,
};
use aria_worker::pipeline::{Dialer, Event, NoRecord, PipelineError, StagePlace};
use futures::{future::join_all, io::AsyncReadExt, FutureExt};
use pipeline_support::{
	net::{Fault, Gate, Net, Switch, When},
	Cluster, GATEWAY, THIRDS,
};
use sp_core::H256;
use std::{
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

// --- the same answer -----------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stages_should_answer_as_one_process() {
	for ends in [&[4][..], &[2, 4], &THIRDS, &[1, 2, 3, 4]] {
		let cluster = Cluster::new(ends, 0);
		// Prompts of one chunk, of several, and of one token.
		for (prompt, tokens) in [(10, 12), (100, 20), (1, 5), (64, 1)] {
			let mut query = cluster.query(prompt, tokens);
			let (outcome, _) = cluster.answer(&query).await;
			assert_eq!(outcome.replaced, 0);
			assert!(outcome.record.unwrap().signatures.iter().all(Option::is_some));

			query.sampling = Sampling::GREEDY;
			cluster.answer(&query).await;
		}
		cluster.rest().await;
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_should_end_where_one_process_ends_them() {
	let cluster = Cluster::new(&THIRDS, 0);

	// The context: 128 positions.
	let (outcome, _) = cluster.answer(&cluster.query(120, 1_000)).await;
	assert!(outcome.answer.tokens.len() <= 8);

	// A stop sequence across tokens.
	let (mut query, pair) = (0..200)
		.find_map(|seed| {
			let mut query = cluster.query(4, 40);
			query.sampling.seed = seed;
			let (Answer { text, .. }, _) = cluster.expected(&query);
			let bytes = text.as_bytes();
			let at = bytes.windows(2).position(|pair| pair.iter().all(u8::is_ascii_graphic))?;
			(at + 2 < bytes.len()).then(|| (query, text[at..at + 2].to_owned()))
		})
		.unwrap();
	query.stop.try_push(pair.clone().into_bytes().try_into().unwrap()).unwrap();
	let (outcome, _) = cluster.answer(&query).await;
	assert_eq!(outcome.answer.finish_reason, FinishReason::Stop);
	assert!(!outcome.answer.text.contains(&pair));

	// An end token.
	let query = cluster.long_query(10, 20);
	let eos = cluster.expected(&query).0.tokens[5];
	let ending = Cluster::with(&THIRDS, 0, Some(eos), 64);
	let (outcome, _) = ending.answer(&query).await;
	assert_eq!(outcome.answer.finish_reason, FinishReason::Stop);
	assert!(outcome.answer.tokens.len() <= 6);
	ending.rest().await;

	// Nothing at all.
	let (outcome, events) = cluster.run(cluster.job(&cluster.query(10, 0))).await.unwrap();
	assert_eq!(outcome.answer.finish_reason, FinishReason::Length);
	assert_eq!((outcome.unrecorded, events.len()), (Some(NoRecord::NoTokens), 0));
	cluster.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_should_run_at_once_and_no_more_than_there_is_room_for() {
	let cluster = Cluster::new(&THIRDS, 0);
	let queries: Vec<CanonicalQuery> = (0..12)
		.map(|seed| {
			let mut query = cluster.query(20 + seed, 16);
			query.sampling.seed = seed.into();
			query
		})
		.collect();
	join_all(queries.iter().map(|query| cluster.answer(query))).await;
	cluster.rest().await;

	let small = Cluster::with(&THIRDS, 0, None, 1);
	small.worker(1).switch.slow_down(Duration::from_millis(20));
	let query = small.long_query(10, 20);
	let (first, second) = tokio::join!(small.run(small.job(&query)), async {
		tokio::time::sleep(Duration::from_millis(150)).await;
		small.run(small.job(&query)).await
	});
	small.assert_answer(&query, &first.as_ref().unwrap().0, &first.as_ref().unwrap().1, &{
		small.expected(&query)
	});
	let error = second.unwrap_err();
	let PipelineError::NoReplica { retry_after, .. } = &error else { panic!("{error}") };
	assert!(retry_after.is_some());
	small.rest().await;
}

// --- stages that die, stall, refuse --------------------------------------------------------------

/// Has faults happen and holds the answer against that of one process.
async fn survive(faults: &[(usize, usize, When, Fault)], standbys: usize) -> u32 {
	let cluster = Cluster::new(&THIRDS, standbys);
	for (stage, replica, when, fault) in faults {
		cluster.workers[*stage][*replica].switch.plan(*when, *fault);
	}
	let query = cluster.long_query(70, 20);
	let (outcome, events) = cluster.answer(&query).await;
	for event in &events {
		if let Event::Replaced { stage, waited } = event {
			assert!(faults.iter().any(|fault| fault.0 == usize::from(*stage)));
			assert!(*waited < Duration::from_secs(5), "{waited:?}");
		}
	}
	let record = outcome.record.unwrap();
	for (stage, entry) in record.body.stages.iter().enumerate() {
		let dead = faults.iter().filter(|fault| fault.0 == stage).count();
		let by = &cluster.workers[stage][dead.min(standbys)].place.node;
		assert!(record.signatures[stage].is_none() || entry.node == *by);
	}
	cluster.rest().await;
	outcome.replaced
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_dies_should_be_replaced_without_a_trace() {
	for stage in 0..3 {
		// Units 0 and 1 are the prompt's; the others are tokens.
		for unit in [0, 1, 2, 7, 15] {
			let faults = [(stage, 0, When::Unit(unit), Fault::Die)];
			let replaced = survive(&faults, 1).await;
			// The first stage begins before the gateway has heard that it takes the order.
			let early = (stage, unit) == (0, 0);
			assert!(replaced == 1 || (early && replaced == 0), "stage {stage}, unit {unit}");
		}
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_model_should_be_replaced_too() {
	let cluster = Cluster::new(&[4], 1);
	cluster.worker(0).switch.plan(When::Unit(6), Fault::Die);
	let (outcome, _) = cluster.answer(&cluster.long_query(70, 20)).await;
	assert_eq!(outcome.replaced, 1);
	cluster.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stages_that_die_one_after_another_should_be_replaced() {
	// The replacement of a replacement, and neighbours at once.
	let die = |stage, replica, unit| (stage, replica, When::Unit(unit), Fault::Die);
	assert_eq!(survive(&[die(1, 0, 4), die(1, 1, 1)], 2).await, 2);
	assert_eq!(survive(&[die(0, 0, 3), die(1, 0, 8), die(2, 0, 12)], 1).await, 3);
	assert_eq!(survive(&[die(0, 0, 5), die(1, 0, 5), die(2, 0, 5)], 1).await, 3);
	assert_eq!(survive(&[die(2, 0, 2), die(2, 1, 4), die(0, 0, 9)], 2).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_stalls_should_be_replaced() {
	for stage in 0..3 {
		let faults = [(stage, 0, When::Unit(5), Fault::Stall)];
		assert_eq!(survive(&faults, 1).await, 1, "stage {stage}");
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_dies_before_its_totals_should_be_computed_again() {
	for stage in 0..3 {
		let faults = [(stage, 0, When::Totals, Fault::Die)];
		assert_eq!(survive(&faults, 1).await, 1, "stage {stage}");
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_does_not_sign_should_be_left_out_unless_it_is_the_last() {
	for fault in [Fault::Die, Fault::Stall] {
		for stage in 0..3 {
			let cluster = Cluster::new(&THIRDS, 1);
			cluster.worker(stage).switch.plan(When::Sign, fault);
			let (outcome, _) = cluster.answer(&cluster.query(20, 10)).await;
			let record = outcome.record.unwrap();
			let signed: Vec<bool> = record.signatures.iter().map(Option::is_some).collect();
			if stage == 2 {
				assert_eq!(signed, [true; 3]);
				assert_eq!(record.body.stages[2].node, cluster.workers[2][1].place.node);
			} else {
				assert_eq!(signed, [stage != 0, stage != 1, true]);
				assert_eq!(record.signed_stages(), if stage == 0 { 0b110 } else { 0b101 });
			}
			cluster.rest().await;
		}
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_last_stage_is_lost_should_be_given_without_a_record() {
	let cluster = Cluster::new(&THIRDS, 0);
	cluster.worker(2).switch.plan(When::Sign, Fault::Die);
	let query = cluster.query(20, 10);
	let (outcome, _) = cluster.run(cluster.job(&query)).await.unwrap();
	assert_eq!(outcome.answer.text, cluster.expected(&query).0.text);
	assert!(outcome.record.is_none());
	assert!(matches!(outcome.unrecorded, Some(NoRecord::NoReplica { stage: 2, .. })));
	cluster.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_replica_there_should_be_an_error_soon() {
	for (fault, stage) in [(Fault::Die, 1), (Fault::Stall, 0), (Fault::Die, 2)] {
		let cluster = Cluster::new(&THIRDS, 0);
		cluster.worker(stage).switch.plan(When::Unit(4), fault);
		let started = Instant::now();
		let error = cluster.run(cluster.job(&cluster.long_query(20, 20))).await.unwrap_err();
		let PipelineError::NoReplica { stage: of, layers, .. } = &error else { panic!("{error}") };
		assert_eq!((usize::from(*of), *layers), (stage, cluster.worker(stage).place.layers));
		assert!(started.elapsed() < Duration::from_secs(5));
		cluster.rest().await;
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_refuses_should_be_passed_over() {
	let cluster = Cluster::new(&THIRDS, 1);
	let query = cluster.query(20, 8);
	for refusal in [Refusal::Consent, Refusal::Payment(text("no escrow"))] {
		for stage in 0..3 {
			*cluster.worker(stage).guard.refusal.lock().unwrap() = Some(refusal.clone());
			let (outcome, _) = cluster.answer(&query).await;
			let record = outcome.record.unwrap();
			assert_eq!(record.body.stages[stage].node, cluster.workers[stage][1].place.node);
			*cluster.worker(stage).guard.refusal.lock().unwrap() = None;
		}
	}
	for worker in &cluster.workers[1] {
		*worker.guard.refusal.lock().unwrap() = Some(Refusal::Busy { retry_ms: 900 });
	}
	let error = cluster.run(cluster.job(&query)).await.unwrap_err();
	let PipelineError::NoReplica { stage, retry_after, .. } = error else { panic!("{error}") };
	assert_eq!((stage, retry_after), (1, Some(Duration::from_millis(900))));
	cluster.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contributor_who_pauses_should_be_replaced() {
	let cluster = Cluster::new(&THIRDS, 1);
	cluster.worker(1).switch.slow_down(Duration::from_millis(10));
	let query = cluster.long_query(20, 20);
	let (outcome, events) = cluster
		.run_with(cluster.job(&query), CancellationToken::new(), |event| {
			if matches!(event, Event::Token { index: 3, .. }) {
				cluster.worker(1).governor.set_paused(true);
			}
		})
		.await
		.unwrap();
	cluster.assert_answer(&query, &outcome, &events, &cluster.expected(&query));
	assert_eq!(outcome.replaced, 1);
	cluster.rest().await;
}

// --- cancelling ----------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_answer_should_be_paid_as_far_as_it_got() {
	for ends in [&[4][..], &THIRDS] {
		let cluster = Cluster::new(ends, 0);
		cluster.worker(0).switch.slow_down(Duration::from_millis(5));
		let query = cluster.long_query(30, 60);
		for at in [0, 3, 10] {
			let cancel = CancellationToken::new();
			let asked = cancel.clone();
			let (outcome, events) = cluster
				.run_with(cluster.job(&query), cancel, |event| {
					if matches!(event, Event::Token { index, .. } if *index == at) {
						asked.cancel();
					}
				})
				.await
				.unwrap();
			assert_eq!(outcome.answer.finish_reason, FinishReason::Cancelled);
			let tokens = outcome.answer.tokens.len() as u32;
			assert!(tokens > at);
			let expected = cluster.expected_until(&query, tokens);
			// Events that nobody has taken when it was cancelled are dropped.
			let told = events.len();
			let mut all = events;
			all.extend((told..outcome.answer.tokens.len()).map(|index| Event::Token {
				index: index as u32,
				token: outcome.answer.tokens[index],
				text: String::new(),
			}));
			cluster.assert_answer(&query, &outcome, &all, &expected);
		}
		let cancel = CancellationToken::new();
		cancel.cancel();
		let (outcome, events) =
			cluster.run_with(cluster.job(&query), cancel, |_| ()).await.unwrap();
		assert_eq!(outcome.answer.finish_reason, FinishReason::Cancelled);
		assert_eq!((outcome.unrecorded, events.len()), (Some(NoRecord::NoTokens), 0));
		cluster.rest().await;
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_dropped_should_leave_nothing() {
	let cluster = Cluster::new(&THIRDS, 0);
	cluster.worker(2).switch.slow_down(Duration::from_millis(20));
	let query = cluster.long_query(70, 50);
	for wait in [1, 30, 150] {
		let job = cluster.run(cluster.job(&query));
		assert!(timeout(Duration::from_millis(wait), job).await.is_err());
	}
	cluster.rest().await;
	cluster.worker(2).switch.slow_down(Duration::ZERO);
	cluster.answer(&cluster.query(10, 5)).await;
	cluster.rest().await;
}

// --- peers that lie ------------------------------------------------------------------------------

async fn say(cluster: &Cluster, place: &StagePlace, hello: Hello) -> Gate {
	let net = Net { me: GATEWAY, hub: Arc::downgrade(&cluster.hub) };
	let mut stream = net.open(place).await.unwrap();
	frame::write(&mut stream, &hello).await.unwrap();
	stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_contradict_themselves_should_be_refused_on_the_wire() {
	let cluster = Cluster::new(&THIRDS, 0);
	let job = cluster.job(&cluster.query(10, 5));
	let changes: [fn(&mut Order); 6] = [
		|order| order.stage = 1,
		|order| order.query = None,
		|order| order.stages[1].layers.end = 3,
		|order| order.model_id = H256::zero(),
		|order| order.ticket.ticket.nonce += 1,
		|order| order.drawn = vec![300],
	];
	for change in changes {
		let mut order = cluster.order(&job, 0);
		change(&mut order);
		let place = &cluster.worker(0).place;
		let mut stream = say(&cluster, place, Hello::Order(order)).await;
		let answer = frame::read::<FromStage>(&mut stream, MAX_CONTROL).await.unwrap();
		assert!(matches!(answer, FromStage::Refused(_)), "{answer:?}");
		// And the stream ends.
		assert!(frame::read::<FromStage>(&mut stream, MAX_CONTROL).await.is_err());
	}
	cluster.answer(&job.query).await;
	cluster.rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_should_take_links_of_its_neighbour_only_and_one_order_at_a_time() {
	let cluster = Cluster::new(&THIRDS, 0);
	let job = cluster.job(&cluster.query(10, 5));
	let place = &cluster.worker(1).place;
	let order = cluster.order(&job, 1);
	let mut control = say(&cluster, place, Hello::Order(order.clone())).await;
	let accepted = frame::read::<FromStage>(&mut control, MAX_CONTROL).await.unwrap();
	assert_eq!(accepted, FromStage::Accepted { consent_version: 3 });

	// The same session again, from the same gateway and attempt.
	let mut again = say(&cluster, place, Hello::Order(order)).await;
	let refused = frame::read::<FromStage>(&mut again, MAX_CONTROL).await.unwrap();
	assert!(matches!(refused, FromStage::Refused(Refusal::Malformed(_))));

	// A link of somebody else, one that names another stage, and one of another session.
	for (session, from) in [([42; 16], 0), ([42; 16], 2), ([43; 16], 0)] {
		let link = Hello::Link(Link { session, attempt: 0, from });
		let mut stream = say(&cluster, place, link).await;
		let answer = timeout(Duration::from_secs(3), frame::read::<LinkReady>(&mut stream, 100));
		assert!(answer.await.unwrap().is_err());
	}
	// The session is not harmed.
	frame::write(&mut control, &ToStage::Ping(8)).await.unwrap();
	let pong = frame::read::<FromStage>(&mut control, MAX_CONTROL).await.unwrap();
	assert_eq!(pong, FromStage::Pong { ping: 8, position: 0 });

	// Garbage ends it.
	frame::write(&mut control, &0xFFFF_FFFFu32).await.unwrap();
	assert!(frame::read::<FromStage>(&mut control, MAX_CONTROL).await.is_err());
	drop((control, again));
	cluster.rest().await;
}

/// Replaces the planned worker of `stage` by one that takes its order and then does `lie` instead of
/// working. It answers pings.
fn plant(
	cluster: &Cluster,
	stage: usize,
	lie: impl Fn(&Order) -> Lie + Send + Sync + 'static,
) -> [u8; 32] {
	let place = cluster.worker(stage).place.clone();
	let me = place.peer;
	let hub = Arc::downgrade(&cluster.hub);
	let (lie, told) = (Arc::new(lie), Arc::new(Mutex::new(false)));
	let serve = move |_: [u8; 32], stream: Gate| {
		let (hub, lie, told) = (hub.clone(), lie.clone(), told.clone());
		async move {
			let (mut reader, mut writer) = stream.split();
			let Ok(hello) = frame::read::<Hello>(&mut reader, MAX_CONTROL).await else { return };
			let order = match hello {
				Hello::Order(order) => order,
				Hello::Link(_) => {
					let _ = frame::write(&mut writer, &LinkReady { position: 0 }).await;
					while frame::read::<LinkFrame>(&mut reader, 1 << 20).await.is_ok() {}
					return;
				}
			};
			let accepted = FromStage::Accepted { consent_version: 3 };
			let _ = frame::write(&mut writer, &accepted).await;
			// Kept open until the session is over.
			let mut link = None;
			if !std::mem::replace(&mut *told.lock().unwrap(), true) {
				match lie(&order) {
					Lie::Say(message) => {
						let _ = frame::write(&mut writer, &message).await;
					}
					Lie::Send(frame) => link = Some((Net { me, hub }, frame)),
				}
			}
			let link = async {
				let (net, frame) = link?;
				let next =
					order.stages[(usize::from(order.stage) + 1) % order.stages.len()].clone();
				let mut stream = net.open(&next).await.ok()?;
				let (session, attempt, from) = (order.session, order.attempt, order.stage);
				let hello = Hello::Link(Link { session, attempt, from });
				frame::write(&mut stream, &hello).await.ok()?;
				frame::read::<LinkReady>(&mut stream, 100).await.ok()?;
				frame::write(&mut stream, &frame).await.ok()?;
				Some(stream)
			};
			let _link = link.await;
			while let Ok(message) = frame::read::<ToStage>(&mut reader, MAX_CONTROL).await {
				if let ToStage::Ping(ping) = message {
					let pong = FromStage::Pong { ping, position: 0 };
					let _ = frame::write(&mut writer, &pong).await;
				}
			}
		}
		.boxed()
	};
	cluster.hub.add(me, Arc::new(Switch::default()), Box::new(serve));
	me
}

enum Lie {
	/// To the gateway.
	Say(FromStage),
	/// To the next stage.
	Send(LinkFrame),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_sends_garbage_should_be_blamed_and_replaced() {
	fn floats(values: &[f32]) -> Vec<u8> {
		values.iter().flat_map(|value| value.to_le_bytes()).collect()
	}
	let frames = [
		LinkFrame::Activations { position: 5, values: floats(&[0.5; 64]) },
		LinkFrame::Activations { position: 0, values: floats(&[0.5; 63]) },
		LinkFrame::Activations { position: 0, values: vec![1, 2, 3] },
		LinkFrame::Activations { position: 0, values: Vec::new() },
		LinkFrame::Activations { position: 0, values: floats(&[f32::NAN; 64]) },
		LinkFrame::Activations { position: 0, values: floats(&[0.5; 64 * 65]) },
		LinkFrame::Token { index: 0, token: 1 },
	];
	for frame in frames {
		let cluster = Cluster::new(&THIRDS, 1);
		let sent = frame.clone();
		let liar = plant(&cluster, 1, move |_| Lie::Send(sent.clone()));
		let query = cluster.query(20, 8);
		let (outcome, _) = cluster.answer(&query).await;
		let record = outcome.record.unwrap();
		let node = &cluster.worker(1).place.node;
		assert_ne!(record.body.stages[1].node, *node, "{liar:?} {frame:?}");
		cluster.rest().await;
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_stage_that_sends_other_tokens_should_be_replaced() {
	let token = |index, token, finish| FromStage::Token { index, token, finish };
	let lies = [
		token(0, 300, None),
		token(1, 65, None),
		token(0, 65, Some(FinishReason::Stop)),
		FromStage::Pong { ping: 77, position: 1 },
		FromStage::Accepted { consent_version: 3 },
		FromStage::Failed { blames: None, reason: text("no") },
		FromStage::Failed { blames: Some(1), reason: text("not me") },
		FromStage::Failed { blames: Some(77), reason: text("nobody") },
	];
	for lie in lies {
		let cluster = Cluster::new(&THIRDS, 1);
		let said = lie.clone();
		plant(&cluster, 2, move |_| Lie::Say(said.clone()));
		let query = cluster.query(20, 8);
		let (outcome, _) = cluster.run(cluster.job(&query)).await.unwrap();
		let record = outcome.record.unwrap();
		assert_eq!(record.body.stages[2].node, cluster.workers[2][1].place.node, "{lie:?}");
		assert_eq!(outcome.answer.text, cluster.expected(&query).0.text, "{lie:?}");
		cluster.rest().await;
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_a_beginning_should_not_hold_anything() {
	let cluster = Cluster::new(&THIRDS, 0);
	let place = &cluster.worker(0).place;
	let net = Net { me: GATEWAY, hub: Arc::downgrade(&cluster.hub) };
	let mut garbage = net.open(place).await.unwrap();
	frame::write(&mut garbage, &vec![0xFFu8; 100]).await.unwrap();
	assert!(frame::read::<FromStage>(&mut garbage, MAX_CONTROL).await.is_err());
	drop(garbage);
	drop(net.open(place).await.unwrap());
	cluster.answer(&cluster.query(10, 4)).await;
	cluster.rest().await;
}
