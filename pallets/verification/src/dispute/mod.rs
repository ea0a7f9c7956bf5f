//! What becomes of a verdict that somebody contests (`docs/protocol/dispute.md`).
//!
//! | file | what it holds |
//! |---|---|
//! | `calls` | what executors and accusers post |
//! | `windows` | who was silent, and what follows when all disputes of an audit are over |

mod calls;
mod windows;
