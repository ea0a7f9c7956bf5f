//! Energy of inference sessions: counted by the machine where it may be read, estimated elsewhere.
//!
//! A [`Meter`] knows how much energy the processor took in an interval and how much CPU time all
//! processes used in it. A session's part is its share of that CPU time (`docs/energy.md`, paper,
//! 3.2). Where the energy comes from is the [`EnergySource`] of the figure, and goes into the record
//! with it: RAPL through powercap, powermetrics on macOS, else a [`PowerModel`].
//!
//! ```
//! use aria_energy::{Meter, MeterConfig};
//!
//! let meter = Meter::detect(MeterConfig::default());
//! let span = meter.begin();
//! let computing = span.compute(1);
//! // A unit of the session's work, on one lane.
//! drop(computing);
//! let energy = span.end();
//! assert!(energy.mj > 0);
//! ```

#![forbid(unsafe_code)]

mod cpu;
mod ledger;
mod meter;
mod model;
pub mod powermetrics;
pub mod rapl;
mod source;

pub use aria_primitives::record::EnergySource;
pub use cpu::{ProcessCpu, ThreadCpu};
pub use meter::{Computing, Energy, Meter, MeterConfig, Span};
pub use model::{PowerModel, PowerModelError};
