//! Several answers to one request.

use crate::backend::{Backend, Event, Refused, Request, Running};
use futures::stream::{self, BoxStream, StreamExt};
use std::sync::Arc;

/// What happens, with the number of the choice that it happens to.
pub(crate) type Events = BoxStream<'static, (usize, Event)>;

enum Choice {
	Waits(Arc<dyn Backend>, Box<Request>),
	Runs(Running),
	Ended,
}

/// The events of the choice 0, which runs, and of the `others`, of which at most `width` are computed
/// at the same time. Each ends with [`Event::Finished`] or [`Event::Failed`]; dropping the stream ends
/// all that run.
pub(crate) fn events(
	first: Running,
	others: Vec<Request>,
	backend: &Arc<dyn Backend>,
	width: usize,
) -> Events {
	let backend = backend.clone();
	let others =
		others.into_iter().map(move |request| Choice::Waits(backend.clone(), Box::new(request)));
	let all: Vec<Events> = std::iter::once(Choice::Runs(first))
		.chain(others)
		.enumerate()
		.map(|(index, choice)| one(index, choice))
		.collect();
	stream::iter(all).flatten_unordered(width.max(1)).boxed()
}

fn one(index: usize, choice: Choice) -> Events {
	stream::unfold(choice, move |choice| async move {
		let mut running = match choice {
			Choice::Ended => return None,
			Choice::Runs(running) => running,
			Choice::Waits(backend, request) => match backend.start(*request).await {
				Ok(running) => running,
				Err(refused) => return Some(((index, Event::Failed(refused)), Choice::Ended)),
			},
		};
		match running.events.recv().await {
			Some(event @ (Event::Finished(_) | Event::Failed(_))) => {
				Some(((index, event), Choice::Ended))
			}
			Some(event) => Some(((index, event), Choice::Runs(running))),
			None => {
				let message = "the answer broke off: send the request again".to_owned();
				Some(((index, Event::Failed(Refused::Internal { message })), Choice::Ended))
			}
		}
	})
	.boxed()
}
