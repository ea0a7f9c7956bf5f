//! One answer over several workers (`docs/protocol/network.md`, "Pipeline"; paper, 3.2).
//!
//! A **gateway** orders an answer from **stages**, each of which runs a range of layers, and stays
//! connected with all of them; the stages are connected in a ring: each sends what it computed to the
//! next, the last one the tokens that it drew to the first. Every stage keeps the boundary before it
//! and the one behind it, and signs the record in the end.
//!
//! | module | what it does |
//! |---|---|
//! | [`host`] | a worker's side: takes orders and links, holds the sessions |
//! | `stage` | one session of a worker: compute, links, boundaries, signing |
//! | [`coordinator`] | a gateway's side: health, failover, the text, the record |
//! | [`record`] | bodies of records: built by the gateway, checked by stages |
//! | `answer` | what ends an answer and what its text is, the same on both sides |
//! | `order` | what an order has to be |
//! | [`types`] | what both sides need from their process |
//!
//! A stage that dies or stalls is replaced by a standby. Its neighbour upstream has kept all that it
//! sent and sends it again, so that the standby computes the same keys, values and boundaries; its
//! neighbour downstream says from where on it needs them. Because the engine gives the same bits
//! everywhere, nothing of that is seen in the answer but a pause.
//!
//! Architecture invariant: nothing here knows the chain or libp2p. Streams come through [`Dialer`] and
//! [`StageHost::serve`], permission through [`Guard`], energy through [`SessionMeter`].
//!
//! Architecture invariant: the bits of an answer are those of
//! [`aria_engine::generate::Generator`], however many stages there are and whichever of them were
//! replaced.

mod answer;
pub mod coordinator;
mod error;
pub mod host;
mod order;
pub mod record;
mod stage;
pub mod types;

pub use aria_network::wire::pipeline::{Order, Refusal, StagePlace};
pub use coordinator::Coordinator;
pub use error::{NoRecord, PipelineError};
pub use host::{session_bytes, HostParts, StageHost};
pub use record::SignedRecord;
pub use types::{
	Admission, Answered, DialError, Dialer, Event, Guard, HostTiming, Job, Outcome, Plan,
	SessionMeter, SessionSpan, Timing,
};

use futures::io::{AsyncRead, AsyncWrite};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most positions of a frame on a link, and of a unit of compute: large enough for the kernels, small
/// enough that stages overlap (`docs/protocol/network.md`, "Pipeline").
pub const CHUNK: usize = 64;

/// The half of a stream that is read.
type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// The half of a stream that is written.
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What a panic left behind is whole: nothing that is locked here is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `count` as a wire format has it; nothing that is counted here comes near the limit.
fn narrow(count: usize) -> u32 {
	u32::try_from(count).unwrap_or(u32::MAX)
}

/// `count` as code counts.
fn wide(count: u32) -> usize {
	usize::try_from(count).unwrap_or(usize::MAX)
}
