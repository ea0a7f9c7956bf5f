//! One file for each concern; `x_should_y_when_z`.

mod answered;
mod audit;
mod batch;
mod conservation;
mod escrow;
mod fixtures;
mod gateway;
mod keys;
mod nonce;
mod requests;
mod settle;
mod settle_gateway;
mod settle_record;
mod settle_request;
mod settle_ticket;
mod vesting;
mod view;
