//! What ends a program that stays up.

use anyhow::{Context, Result};
use tokio::signal::unix::{signal, Signal, SignalKind};

/// Who was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
	/// This program.
	Us,
	/// This program and, from a terminal, all that it started.
	Everybody,
}

/// The signals that ask to end.
pub struct Signals {
	interrupt: Signal,
	hangup: Signal,
	terminate: Signal,
}

impl Signals {
	/// Listens from now on: nothing ends by itself any more.
	pub fn listen() -> Result<Self> {
		let on = |kind| signal(kind).context("signals cannot be heard");
		Ok(Self {
			interrupt: on(SignalKind::interrupt())?,
			hangup: on(SignalKind::hangup())?,
			terminate: on(SignalKind::terminate())?,
		})
	}

	/// Waits for the next one.
	pub async fn next(&mut self) -> Told {
		tokio::select! {
			_ = self.interrupt.recv() => Told::Everybody,
			_ = self.hangup.recv() => Told::Everybody,
			_ = self.terminate.recv() => Told::Us,
		}
	}
}
