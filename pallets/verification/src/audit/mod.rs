//! What happens to a drawn record (`docs/protocol/audit.md`).
//!
//! | file | what it holds |
//! |---|---|
//! | `types` | audits, seats, verifiers, canaries as they are stored |
//! | `verifiers` | who may sit, and with what chance |
//! | `rounds` | commit, claim, hand over, reveal, open |
//! | `queue` | which audit begins, and which goes on, in which block |
//! | `verdict` | what the seats say together |
//! | `money` | what follows from it |
//! | `canaries` | false records that are made on purpose |
//! | `former` | who was a verifier, and may still show one |

mod canaries;
mod former;
pub(crate) mod money;
mod queue;
mod rounds;
pub mod types;
mod verdict;
mod verifiers;

pub(crate) use verdict::verdict_of;
