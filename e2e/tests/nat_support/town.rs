//! The town: a public street, and homes behind routers that let nobody in.

use super::Namespace;
use anyhow::Result;
use std::iter;

/// A router's rules: the home's addresses are hidden behind its own, and only answers come in.
pub const RULES: &str = "
table ip nat {
	chain out {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"wan\" masquerade
	}
}
table ip filter {
	chain through {
		type filter hook forward priority filter; policy drop;
		iifname \"lan\" oifname \"wan\" accept
		ct state established,related accept
	}
}
";
/// Lets a router pass on what is not for itself.
pub const FORWARD: &str = "echo 1 > /proc/sys/net/ipv4/ip_forward";
/// The public machine. AutoNAT asks only peers whose addresses may belong to the internet, which ranges
/// for documentation don't; nothing leaves these namespaces.
pub const PUBLIC: &str = "11.0.0.1";

/// A machine at home, and the router before it. Homes have the same private addresses, as homes do.
pub struct Home {
	/// The machine.
	pub machine: Namespace,
	/// The router's public address.
	pub address: String,
	_router: Namespace,
}

/// The town. Its namespaces go when it is dropped; what runs in them has to end before.
pub struct Town {
	/// The homes.
	pub homes: Vec<Home>,
	/// The public machine, which all routers are connected with.
	pub street: Namespace,
}

impl Town {
	/// A town of so many homes.
	///
	/// # Errors
	/// What `ip` or `nft` complain of.
	pub fn new(homes: u8) -> Result<Self> {
		let street = Namespace::new("street")?;
		street.ip(&["link", "add", "street", "type", "bridge"])?;
		street.address("street", &format!("{PUBLIC}/24"))?;
		street.ip(&["link", "set", "street", "up"])?;
		let homes = (1..=homes).map(|number| Home::new(number, &street)).collect::<Result<_>>()?;
		Ok(Self { homes, street })
	}

	/// All machines that something may run on, the public one first.
	pub fn machines(&self) -> impl Iterator<Item = &Namespace> {
		iter::once(&self.street).chain(self.homes.iter().map(|home| &home.machine))
	}
}

impl Home {
	fn new(number: u8, street: &Namespace) -> Result<Self> {
		let router = Namespace::new(&format!("router{number}"))?;
		let machine = Namespace::new(&format!("home{number}"))?;
		let address = format!("11.0.0.{}", 10 + number);
		let plug = format!("door{number}");
		street.cable(&plug, &router, "wan")?;
		street.ip(&["link", "set", &plug, "master", "street"])?;
		router.cable("lan", &machine, "eth0")?;
		router.address("wan", &format!("{address}/24"))?;
		router.address("lan", "192.168.77.1/24")?;
		machine.address("eth0", "192.168.77.2/24")?;
		machine.ip(&["route", "add", "default", "via", "192.168.77.1"])?;
		router.exec(&["sh", "-c", FORWARD], "")?;
		router.exec(&["nft", "-f", "-"], RULES)?;
		Ok(Self { machine, address, _router: router })
	}
}
