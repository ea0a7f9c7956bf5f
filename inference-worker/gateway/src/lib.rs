//! OpenAI's HTTP API in front of whatever computes answers.
//!
//! | module | what it does |
//! |---|---|
//! | [`backend`] | what is behind the API: the trait [`Backend`] and what passes through it |
//! | [`keys`] | whose bearer token it is: the trait [`Keys`], and [`KeyFile`] |
//! | `ask` | a request's JSON to what is asked, with the name of each parameter that is refused |
//! | `prompt` | messages and texts to tokens |
//! | `limits` | requests and tokens a minute, `x-ratelimit-*` |
//! | `admission` | who is answered now, who waits, who is sent away |
//! | `choices` | several answers to one request |
//! | `reply` | the shapes of answers |
//! | `api` | the endpoints |
//! | `connection` | bounds on connections |
//! | `server` | all of it on a port |
//!
//! The API is described in `docs/gateway.md`.
//!
//! Architecture invariant: this crate knows no chain and no network. What a client sends is bounded
//! before it is kept, and no answer waits for a client without an end.

mod admission;
mod api;
mod ask;
pub mod backend;
mod choices;
mod config;
mod connection;
mod error;
mod hex;
pub mod keys;
mod limits;
mod metrics;
mod prompt;
mod random;
mod reply;
mod server;

pub use backend::{
	fingerprint, Audit, Backend, Demands, Event, FinishReason, Finished, ModelCard, Receipt,
	Refused, Request, Running, Sampling, StageReceipt, Usage,
};
pub use config::Config;
pub use keys::{AnyKey, KeyEntry, KeyFile, KeyFileError, KeyRefused, Keys, NewKey, Principal};
pub use limits::RateLimits;
pub use server::{Server, Serving, StartError};
