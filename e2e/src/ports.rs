//! Ports for processes that have to come back where they were.

use crate::node::is_free;
use anyhow::{ensure, Result};
use std::net::{Ipv4Addr, UdpSocket};

/// Ports of the loopback interface that nobody listens on, neither on TCP nor on UDP. They lie below
/// those that the system gives to connections, so that none of them is taken while its process is away.
///
/// # Errors
/// When there are not so many.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
	let own = u16::try_from(std::process::id() % 1_000).unwrap_or_default();
	let first = 20_000 + own * 10;
	let udp = |port: &u16| UdpSocket::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
	let free: Vec<u16> = (first..32_000)
		.chain(20_000..first)
		.filter(|port| is_free(*port) && udp(port))
		.take(count)
		.collect();
	ensure!(free.len() == count, "{count} ports between 20000 and 32000 are needed");
	Ok(free)
}
