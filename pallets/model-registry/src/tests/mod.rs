//! One file for each call or pair of calls; the trait and the views have their own.

#![allow(clippy::unwrap_used)]

mod access;
mod aliases;
mod config;
mod offers;
mod pin;
mod register_model;
mod unregister_model;
mod views;

use crate::mock::*;

type Error = crate::Error<Test>;
type Event = crate::Event<Test>;
