//! A worker that takes orders and does something else.

use super::{now, Peer, Target};
use aria_e2e::{
	client::Client,
	flow,
	keys::{self, Pair},
};
use aria_network::{
	wire::{
		advert::{Advert, SignedAdvert, ADVERT_VERSION},
		frame,
		pipeline::{
			FromStage, Hello, Link, LinkFrame, LinkReady, Order, ToStage, MAX_CONTROL, MAX_LINK,
		},
		PIPELINE_PROTOCOL,
	},
	Handle, Stream,
};
use aria_primitives::{consent::Consent, record::LayerRange, ModelId, ARIA};
use aria_runtime::RuntimeCall;
use futures::{
	io::{ReadHalf, WriteHalf},
	AsyncReadExt, AsyncWriteExt,
};
use pallet_worker_registry::ServedShard;
use sp_core::{Pair as _, H256};
use std::{
	future::pending,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{
	sync::watch,
	task::{JoinHandle, JoinSet},
	time::sleep,
};

/// Megabits a second that it claims: the more, the sooner it is planned.
const CLAIMED: u32 = 10_000;
/// What it gets to join with, in planck.
const MONEY: u128 = 100 * ARIA;

/// What it does with an order that it has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
	/// Sends activations that are no numbers to the next stage.
	NotFinite,
	/// Sends it half a position.
	HalfAPosition,
	/// Sends it a frame without an end.
	Endless,
	/// Sends the gateway what is no message.
	Garbage,
	/// Says nothing any more.
	Silent,
}

impl Manner {
	/// All of them.
	pub const ALL: [Self; 5] =
		[Self::NotFinite, Self::HalfAPosition, Self::Endless, Self::Garbage, Self::Silent];
}

/// A hostile worker.
pub struct Mallory {
	/// Its peer.
	pub peer: Peer,
	/// The account that it says to be.
	pub pair: Pair,
	orders: Arc<AtomicUsize>,
	manner: watch::Sender<Manner>,
	task: JoinHandle<()>,
}

impl Drop for Mallory {
	fn drop(&mut self) {
		self.task.abort();
	}
}

impl Mallory {
	/// A peer that takes orders as `pair`, who need not be registered, under this version of its consent.
	/// Positions of the model have `hidden` values.
	pub fn start(genesis: H256, pair: Pair, consent_version: u32, hidden: u32) -> Self {
		Self::with(Peer::new(genesis), pair, consent_version, hidden)
	}

	/// The same with a peer that there is already.
	pub fn with(peer: Peer, pair: Pair, consent_version: u32, hidden: u32) -> Self {
		let mut incoming = peer.handle.accept(PIPELINE_PROTOCOL).unwrap();
		let (manner, watched) = watch::channel(Manner::Silent);
		let orders = Arc::<AtomicUsize>::default();
		let (handle, counted) = (peer.handle.clone(), orders.clone());
		let task = tokio::spawn(async move {
			let mut talks = JoinSet::new();
			while let Some((_, stream)) = incoming.next().await {
				while talks.try_join_next().is_some() {}
				let liar = Liar {
					handle: handle.clone(),
					orders: counted.clone(),
					manner: *watched.borrow(),
					consent_version,
					hidden,
				};
				talks.spawn(async move { liar.serve(stream).await });
			}
		});
		Self { peer, pair, orders, manner, task }
	}

	/// Behaves so from the next order on.
	pub fn be(&self, manner: Manner) {
		self.manner.send_replace(manner);
	}

	/// Orders that it was given.
	pub fn orders(&self) -> usize {
		self.orders.load(Ordering::SeqCst)
	}

	/// The address of its account.
	pub fn address(&self) -> String {
		use sp_core::crypto::Ss58Codec;
		keys::account(&self.pair).to_ss58check()
	}

	/// Says for so many seconds that it serves these layers, in the table of providers too.
	pub async fn advertise(&self, genesis: &H256, model: ModelId, layers: LayerRange, life: u64) {
		let made_at = now();
		let advert = Advert {
			version: ADVERT_VERSION,
			account: keys::account(&self.pair),
			peer: self.peer.identity.peer_key(),
			addresses: {
				self.peer.handle.listen_addresses().await;
				self.peer.handle.advertised_addresses()
			},
			serves: vec![(model, layers)].try_into().unwrap(),
			sessions: 0,
			capacity: 64,
			consent_version: 1,
			region: 0,
			bandwidth_mbps: CLAIMED,
			made_at,
			expires_at: made_at.saturating_add(life.saturating_mul(1_000)),
		};
		let signature = self.pair.sign(advert.digest(genesis).as_bytes()).into();
		self.peer.handle.publish(SignedAdvert { advert, signature }).unwrap();
		self.peer.handle.provide(model, layers).await.unwrap();
	}

	/// Meets everybody who may plan it, or link with it.
	pub async fn meet(&self, targets: &[Target]) {
		for target in targets {
			self.peer.meet(target).await;
		}
	}
}

/// Registers a worker with these layers on chain, as any other is; the version of its consent.
pub async fn join(
	client: &Client,
	pair: &Pair,
	peer: &Peer,
	model: ModelId,
	layers: LayerRange,
) -> u32 {
	let account = keys::account(pair);
	let money = RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
		dest: account.clone().into(),
		value: MONEY,
	});
	client.submit(&keys::owner(), money).await.unwrap().success().unwrap();
	// It would not answer, and then nobody would plan with it.
	flow::ask_workers(client, 0).await.unwrap();
	let consent = Consent { max_bandwidth_mbps: CLAIMED, ..flow::consent(pair).unwrap() };
	let calls = vec![
		RuntimeCall::ConsentRegistry(pallet_consent_registry::Call::set_consent { consent }),
		RuntimeCall::WorkerRegistry(pallet_worker_registry::Call::register_worker {
			peer: peer.identity.peer_key(),
			peer_signature: peer.identity.sign_binding(&client.genesis(), &account),
			region: 0,
			stake: flow::STAKE,
		}),
		RuntimeCall::WorkerRegistry(pallet_worker_registry::Call::set_served {
			shards: vec![ServedShard { model, layers }].try_into().unwrap(),
		}),
	];
	let included = client.submit_all(pair, calls).await.unwrap();
	let version = included.find(|event| match event {
		aria_runtime::RuntimeEvent::ConsentRegistry(
			pallet_consent_registry::Event::ConsentSet { version, .. },
		) => Some(*version),
		_ => None,
	});
	version.unwrap()
}

/// One conversation of a hostile worker.
struct Liar {
	handle: Handle,
	orders: Arc<AtomicUsize>,
	manner: Manner,
	consent_version: u32,
	hidden: u32,
}

impl Liar {
	async fn serve(self, stream: Stream) {
		let (mut reader, mut writer) = stream.split();
		match frame::read::<Hello>(&mut reader, MAX_CONTROL).await {
			Ok(Hello::Order(order)) => self.order(order, reader, writer).await,
			Ok(Hello::Link(_)) => {
				// It takes whatever the stage before sends.
				let ready = LinkReady { position: 0 };
				if frame::write(&mut writer, &ready).await.is_ok() {
					while frame::read::<LinkFrame>(&mut reader, MAX_LINK).await.is_ok() {}
				}
			}
			Err(_) => {}
		}
	}

	async fn order(
		self,
		order: Order,
		mut reader: ReadHalf<Stream>,
		mut writer: WriteHalf<Stream>,
	) {
		self.orders.fetch_add(1, Ordering::SeqCst);
		let accepted = FromStage::Accepted { consent_version: self.consent_version };
		if frame::write(&mut writer, &accepted).await.is_err() {
			return;
		}
		match self.manner {
			Manner::Garbage => {
				let _ = writer.write_all(&[9, 0, 0, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]).await;
				let _ = writer.flush().await;
				pending::<()>().await;
			}
			Manner::Silent => pending::<()>().await,
			_ => {}
		}
		// It answers pings as if it worked, and lies to the next stage meanwhile.
		let pongs = async {
			while let Ok(message) = frame::read::<ToStage>(&mut reader, MAX_CONTROL).await {
				if let ToStage::Ping(ping) = message {
					let pong = FromStage::Pong { ping, position: 0 };
					if frame::write(&mut writer, &pong).await.is_err() {
						return;
					}
				}
			}
		};
		let lies = async {
			// The next stage may not have its order yet.
			while self.lie(&order).await.is_none() {
				sleep(Duration::from_millis(50)).await;
			}
			pending::<()>().await
		};
		tokio::select! {
			() = pongs => {}
			() = lies => {}
		}
	}

	/// Links with the next stage and sends it a lie; `None` if that takes no link.
	async fn lie(&self, order: &Order) -> Option<()> {
		let next = order.stages.get(usize::from(order.stage) + 1)?;
		let open = self.handle.open(next.peer, &next.addresses, PIPELINE_PROTOCOL);
		let mut stream = open.await.ok()?;
		let (session, attempt, from) = (order.session, order.attempt, order.stage);
		let hello = Hello::Link(Link { session, attempt, from });
		frame::write(&mut stream, &hello).await.ok()?;
		let LinkReady { position } = frame::read::<LinkReady>(&mut stream, 64).await.ok()?;
		let values = match self.manner {
			Manner::Endless => {
				stream.write_all(&u32::MAX.to_le_bytes()).await.ok()?;
				while stream.write_all(&[7; 4_096]).await.is_ok() {}
				return Some(());
			}
			Manner::HalfAPosition => vec![0; 2 * self.hidden as usize],
			_ => (0..self.hidden).flat_map(|_| f32::NAN.to_le_bytes()).collect(),
		};
		frame::write(&mut stream, &LinkFrame::Activations { position, values }).await.ok()?;
		// The stage ends the link when it has looked at it.
		let mut rest = [0; 16];
		let _ = stream.read(&mut rest).await;
		Some(())
	}
}
