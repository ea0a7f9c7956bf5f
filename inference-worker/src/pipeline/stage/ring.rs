//! The links of a session: in the ring of stages, from the one before and to the next.

use super::{
	frame_rows,
	links::{self, Connection, Incoming, LinkIn, Outgoing, OutgoingEvent},
	row_bytes, Exit, Input, Output, Stage, MOST_EARLY,
};
use crate::pipeline::{narrow, types::Dialer, wide};
use aria_network::wire::pipeline::{Link, LinkFrame, LinkReady};
use tokio::sync::mpsc;

impl<D: Dialer> Stage<'_, D> {
	// --- the link from the stage before ------------------------------------------------------------

	pub(super) fn row(&self) -> usize {
		row_bytes(self.host.parts().model.config().hidden)
	}

	/// What the stage before is to send next.
	pub(super) fn needed(&self) -> u32 {
		if self.task.is_first() {
			narrow(self.tokens.len())
		} else {
			self.position.saturating_add(self.busy)
		}
	}

	pub(super) fn take_link(&mut self, link: LinkIn) {
		if link.link.attempt > self.attempt {
			// The gateway's word on it is on its way.
			if self.early.len() < MOST_EARLY {
				self.early.push(link);
			}
			return;
		}
		let previous = self.task.previous();
		let right = self.task.stages > 1
			&& usize::from(link.link.from) == previous
			&& self.stages.get(previous).is_some_and(|place| place.peer == link.peer)
			&& link.link.attempt >= self.input_attempt;
		if !right {
			tracing::debug!(
				target: "aria::pipeline",
				from = link.link.from,
				attempt = link.link.attempt,
				"refused a link from a peer that is not the stage before"
			);
			return;
		}
		self.input_attempt = link.link.attempt;
		self.pending.clear();
		let ready = LinkReady { position: self.needed() };
		let most = if self.task.is_first() {
			0
		} else {
			self.row().saturating_mul(frame_rows(self.host.parts().model.config().hidden))
		};
		let parts = self.host.parts();
		let (frames, task) =
			links::read_link(link, ready, most, parts.governor.clone(), parts.timing);
		self.input = Some(Input { frames, _task: task });
	}

	/// Whether there is room for a frame.
	pub(super) fn takes_frames(&self) -> bool {
		self.input.is_some()
			&& self.pending.is_empty()
			&& (self.task.is_first() || self.needed() < self.work_end())
	}

	pub(super) fn take_frame(&mut self, incoming: Option<Incoming>) -> Result<(), Exit> {
		let frame = match incoming {
			Some(Incoming::Frame(frame)) => frame,
			Some(Incoming::Foreign(reason)) => return Err(self.blame_previous(&reason)),
			Some(Incoming::Broken(reason)) => {
				tracing::debug!(target: "aria::pipeline", %reason, "a link has broken");
				self.input = None;
				return Ok(());
			}
			None => {
				self.input = None;
				return Ok(());
			}
		};
		match frame {
			LinkFrame::Token { index, token } if self.task.is_first() => {
				let vocab = self.host.parts().model.config().vocab;
				if index != self.needed() || index >= self.task.limit || wide(token) >= vocab {
					return Err(self.blame_previous("a token that can't be the next"));
				}
				self.tokens.push(token);
			}
			LinkFrame::Activations { position, values } if !self.task.is_first() => {
				let rows = values.len() / self.row();
				let whole = rows > 0 && values.len() % self.row() == 0;
				let end = u64::from(position).saturating_add(rows as u64);
				if !whole || position != self.needed() || end > u64::from(self.task.capacity()) {
					return Err(self.blame_previous("activations that can't be the next"));
				}
				self.pending = values;
			}
			_ => return Err(self.blame_previous("a frame of the wrong kind")),
		}
		Ok(())
	}

	pub(super) fn blame_previous(&self, sent: &str) -> Exit {
		let previous = self.task.previous();
		Exit::Failed { blames: Some(previous), reason: format!("stage {previous} has sent {sent}") }
	}

	// --- the link to the next stage ----------------------------------------------------------------

	/// Connects to the next stage, if there is another one.
	pub(super) fn connect(&mut self) {
		self.connection = None;
		self.output = None;
		if self.task.stages < 2 {
			return;
		}
		let Some(place) = self.stages.get(self.task.next()).cloned() else { return };
		self.serial += 1;
		let parts = self.host.parts();
		let connection = Connection {
			dialer: parts.dialer.clone(),
			place,
			link: Link {
				session: self.order.session,
				attempt: self.attempt,
				from: self.order.stage,
			},
			serial: self.serial,
			events: self.events_sender.clone(),
			governor: parts.governor.clone(),
			timing: parts.timing,
		};
		self.connection = Some(connection.keep());
	}

	pub(super) fn take_event(&mut self, event: Option<Outgoing>) -> Result<(), Exit> {
		let Some(Outgoing { serial, event }) = event else { return Ok(()) };
		if serial != self.serial {
			return Ok(());
		}
		match event {
			OutgoingEvent::Ready { position, frames } => {
				self.output = Some(Output { frames, next: position });
			}
			OutgoingEvent::Broken => self.output = None,
			OutgoingEvent::Unreachable(reason) => {
				let next = self.task.next();
				let reason = format!("stage {next} can't be reached: {reason}");
				return Err(Exit::Failed { blames: Some(next), reason });
			}
		}
		Ok(())
	}

	/// What there is to send: positions, or for the last stage tokens.
	fn sendable(&self) -> u32 {
		if !self.task.is_last() {
			return narrow(self.kept.len());
		}
		match self.finish {
			// The first stage has no use for the token that ended the answer.
			Some(_) => self.drawn.saturating_sub(1),
			None => narrow(self.tokens.len()),
		}
	}

	pub(super) fn has_frames(&self) -> bool {
		self.output.as_ref().is_some_and(|output| output.next < self.sendable())
	}

	pub(super) fn send_frame(&mut self, permit: Option<mpsc::OwnedPermit<LinkFrame>>) {
		let (Some(permit), Some(output)) = (permit, self.output.as_mut()) else {
			// The connection says why.
			self.output = None;
			return;
		};
		let (frame, next) = if self.task.is_last() {
			let Some(token) = self.tokens.get(wide(output.next)).copied() else { return };
			(LinkFrame::Token { index: output.next, token }, output.next.saturating_add(1))
		} else {
			let values = self.kept.from(wide(output.next)).to_vec();
			let hidden = self.host.parts().model.config().hidden;
			let rows = narrow(values.len() / row_bytes(hidden));
			let next = output.next.saturating_add(rows);
			(LinkFrame::Activations { position: output.next, values }, next)
		};
		output.next = next;
		permit.send(frame);
	}
}
