//! Multiaddresses: as adverts carry them, and which ones are dialled.

use crate::wire::advert::{Address, Addresses, MAX_ADDRESSES};
use libp2p::{
	multiaddr::{Multiaddr, Protocol},
	PeerId,
};

/// `addresses` as an advert carries them: in this order, without repetitions, as many as fit.
pub fn encode_addresses(addresses: impl IntoIterator<Item = Multiaddr>) -> Addresses {
	let mut encoded: Vec<Address> = Vec::new();
	for address in addresses {
		let Ok(address) = Address::try_from(address.to_vec()) else { continue };
		if !encoded.contains(&address) {
			encoded.push(address);
		}
		if encoded.len() >= MAX_ADDRESSES as usize {
			break;
		}
	}
	Addresses::truncate_from(encoded)
}

/// The addresses that can be read; others are left out.
pub fn decode_addresses(addresses: &Addresses) -> Vec<Multiaddr> {
	addresses.iter().filter_map(|address| Multiaddr::try_from(address.to_vec()).ok()).collect()
}

/// The peer at the end of an address, and the address without it.
pub fn split_peer(address: &Multiaddr) -> (Multiaddr, Option<PeerId>) {
	let mut rest = address.clone();
	match rest.pop() {
		Some(Protocol::P2p(peer)) => (rest, Some(peer)),
		_ => (address.clone(), None),
	}
}

/// Whether the address leads over a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
	address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Whether the address needs a resolver.
pub(crate) fn needs_dns(address: &Multiaddr) -> bool {
	address.iter().any(|part| {
		matches!(
			part,
			Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_)
		)
	})
}

/// Whether an address that another peer named is dialled: an IP address that can belong to a host
/// elsewhere, with TCP or QUIC, perhaps through one relay. Names are not: nobody but the operator chooses
/// what this machine looks up.
pub(crate) fn is_dialable(address: &Multiaddr, allow_loopback: bool) -> bool {
	let mut parts = address.iter();
	let host = match parts.next() {
		Some(Protocol::Ip4(ip)) => {
			!ip.is_unspecified()
				&& !ip.is_multicast()
				&& !ip.is_broadcast()
				&& !ip.is_link_local()
				&& (allow_loopback || !ip.is_loopback())
		}
		Some(Protocol::Ip6(ip)) => {
			let link_local = ip.segments()[0] & 0xffc0 == 0xfe80;
			!ip.is_unspecified()
				&& !ip.is_multicast()
				&& !link_local
				&& (allow_loopback || !ip.is_loopback())
		}
		_ => false,
	};
	let transport = match parts.next() {
		Some(Protocol::Tcp(port)) => port != 0,
		Some(Protocol::Udp(port)) => port != 0 && parts.next() == Some(Protocol::QuicV1),
		_ => false,
	};
	let rest: Vec<Protocol<'_>> = parts.collect();
	let path = matches!(
		rest.as_slice(),
		[] | [Protocol::P2p(_)]
			| [Protocol::P2p(_), Protocol::P2pCircuit]
			| [Protocol::P2p(_), Protocol::P2pCircuit, Protocol::P2p(_)]
	);
	host && transport && path
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

	fn address(text: &str) -> Multiaddr {
		text.replace("PEER", PEER).parse().unwrap()
	}

	#[test]
	fn addresses_should_survive_an_advert() {
		let addresses =
			vec![address("/ip4/10.1.2.3/tcp/1"), address("/ip6/2001:db8::1/udp/2/quic-v1")];
		let repeated = addresses.iter().chain(&addresses).cloned();

		assert_eq!(decode_addresses(&encode_addresses(repeated)), addresses);
	}

	#[test]
	fn only_as_many_addresses_as_fit_should_be_encoded() {
		let many = (1..100).map(|port| address(&format!("/ip4/10.1.2.3/tcp/{port}")));

		assert_eq!(encode_addresses(many).len(), MAX_ADDRESSES as usize);
	}

	#[test]
	fn garbage_should_be_left_out() {
		let garbage = Address::truncate_from(vec![0xff; 9]);
		let mixed = Addresses::truncate_from(vec![
			garbage,
			Address::truncate_from(address("/ip4/10.1.2.3/tcp/1").to_vec()),
		]);

		assert_eq!(decode_addresses(&mixed), [address("/ip4/10.1.2.3/tcp/1")]);
	}

	#[test]
	fn a_peer_should_be_split_from_its_address() {
		let whole = address("/ip4/10.1.2.3/tcp/1/p2p/PEER");

		assert_eq!(split_peer(&whole), (address("/ip4/10.1.2.3/tcp/1"), PEER.parse().ok()));
		let bare = address("/ip4/10.1.2.3/tcp/1");
		assert_eq!(split_peer(&bare), (bare.clone(), None));
	}

	#[test]
	fn addresses_that_lead_nowhere_else_should_not_be_dialled() {
		for good in [
			"/ip4/10.1.2.3/tcp/1",
			"/ip4/10.1.2.3/udp/1/quic-v1/p2p/PEER",
			"/ip6/2001:db8::1/tcp/1/p2p/PEER/p2p-circuit",
			"/ip4/10.1.2.3/tcp/1/p2p/PEER/p2p-circuit/p2p/PEER",
		] {
			assert!(is_dialable(&address(good), false), "{good}");
		}
		for bad in [
			"/ip4/127.0.0.1/tcp/1",
			"/ip6/::1/tcp/1",
			"/ip4/0.0.0.0/tcp/1",
			"/ip4/169.254.1.1/tcp/1",
			"/ip6/fe80::1/tcp/1",
			"/ip4/224.0.0.1/udp/1/quic-v1",
			"/ip4/10.1.2.3/tcp/0",
			"/ip4/10.1.2.3/udp/1",
			"/ip4/10.1.2.3/tcp/1/ws",
			"/dns4/example.com/tcp/1",
			"/p2p/PEER/p2p-circuit",
		] {
			assert!(!is_dialable(&address(bad), false), "{bad}");
		}
		assert!(is_dialable(&address("/ip4/127.0.0.1/tcp/1"), true));
	}
}
