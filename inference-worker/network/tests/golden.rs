//! The golden vectors of `docs/protocol/vectors/network.json`: adverts, keys of providers and messages,
//! built here, must come to the bytes that are committed there, which `make.py` makes without any of
//! this code.
#![allow(clippy::unwrap_used)]

// The values that the other vectors have too.
#[allow(dead_code)]
#[path = "../../../primitives/tests/golden/values.rs"]
mod values;

use aria_network::{
	provider_key,
	wire::{
		advert::{Address, Addresses, Advert, SignedAdvert, ADVERT_DOMAIN},
		frame,
		pipeline::{
			text, FromStage, Hello, Link, LinkFrame, LinkReady, Order, Refusal, StagePlace, Stages,
			ToStage, Totals,
		},
		shard::{ShardAnswer, ShardRequest, SmallFile},
	},
	Multiaddr,
};
use aria_primitives::{
	record::{boundary, EnergySource, FinishReason, LayerRange},
	AccountId, ModelId, Signature,
};
use codec::{Decode, DecodeAll, Encode};
use futures::{executor::block_on, io::Cursor};
use serde_json::Value;
use sp_core::{bytes, ed25519, Pair};
use std::{fmt::Debug, fs, path::Path};
use values::{
	account_of, body, bounded, gqa, greedy, hash, pair, range, root, sign, signed, ticket, GENESIS,
};

/// Most bytes of a frame that is read.
const LIMIT: usize = frame::MAX_FRAME;

fn vectors() -> Value {
	let path =
		Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/vectors/network.json");
	let text = fs::read_to_string(&path)
		.unwrap_or_else(|error| panic!("{}: {error}: run make.py there", path.display()));
	serde_json::from_str(&text).unwrap()
}

/// The bytes at a JSON pointer.
fn bytes_at(json: &Value, pointer: &str) -> Vec<u8> {
	let text = json.pointer(pointer).and_then(Value::as_str);
	text.and_then(|text| bytes::from_hex(text).ok())
		.unwrap_or_else(|| panic!("no hexadecimal digits at {pointer}"))
}

/// Compares what the code makes with the bytes at a JSON pointer.
fn expect(json: &Value, pointer: &str, made: &[u8]) {
	assert_eq!(
		bytes::to_hex(&bytes_at(json, pointer), false),
		bytes::to_hex(made, false),
		"{pointer}: committed, and made; a change of bytes needs a new version, see docs/protocol"
	);
}

fn worker() -> ed25519::Pair {
	pair(0x11)
}

fn peer() -> [u8; 32] {
	pair(0x31).public().0
}

fn model() -> ModelId {
	gqa().model_id()
}

fn addresses(of: &[&str]) -> Addresses {
	let binary =
		|address: &&str| -> Address { bounded(address.parse::<Multiaddr>().unwrap().to_vec()) };
	bounded(of.iter().map(binary).collect())
}

const QUIC: &str = "/ip4/192.0.2.7/udp/30343/quic-v1";
const TCP: &str = "/ip4/192.0.2.7/tcp/30343";

fn advert() -> Advert {
	Advert {
		version: 1,
		account: account_of(&worker()),
		peer: peer(),
		addresses: addresses(&[QUIC, TCP]),
		serves: bounded(vec![(model(), range(0, 1)), (hash(0xB3), range(2, 300))]),
		sessions: 3,
		capacity: 64,
		consent_version: 7,
		region: 756,
		bandwidth_mbps: 50,
		made_at: 1_767_225_600_000,
		expires_at: 1_767_225_720_000,
	}
}

fn empty_advert() -> Advert {
	Advert {
		addresses: bounded(vec![]),
		serves: bounded(vec![]),
		sessions: 0,
		region: 0,
		..advert()
	}
}

fn signed_advert(advert: Advert) -> SignedAdvert {
	let signature = sign(&worker(), &advert.digest(&GENESIS));
	SignedAdvert { advert, signature }
}

fn place(node: AccountId, peer: [u8; 32], at: &[&str], layers: LayerRange) -> StagePlace {
	StagePlace { node, peer, addresses: addresses(at), layers }
}

fn places() -> Vec<StagePlace> {
	vec![
		place(account_of(&worker()), peer(), &[QUIC, TCP], range(0, 1)),
		place(account_of(&pair(0x12)), [0x32; 32], &[], range(1, 2)),
	]
}

fn stages(places: Vec<StagePlace>) -> Stages {
	bounded(places)
}

fn session() -> [u8; 16] {
	std::array::from_fn(|index| index as u8)
}

fn order() -> Order {
	Order {
		session: session(),
		attempt: 0,
		stage: 1,
		stages: stages(places()),
		gateway: account_of(&pair(0x22)),
		model_id: model(),
		query_hash: greedy().hash(),
		salt: greedy().salt,
		prompt_tokens: 3,
		max_tokens: 16,
		query: Some(greedy()),
		drawn: Vec::new(),
		ticket: signed(ticket()),
		anchor: body().anchor,
	}
}

fn middle_order() -> Order {
	let mut all = places();
	all.push(place(account_of(&pair(0x22)), [0x33; 32], &[TCP], range(2, 3)));
	Order { stages: stages(all), query: None, ..order() }
}

/// Two positions of four values.
fn activations() -> Vec<u8> {
	let values = [0.0, 1.0, -1.0, 0.5, -0.25, 3.0, 65_504.0, 1.0 / 1_048_576.0];
	values.iter().flat_map(|value: &f32| value.to_le_bytes()).collect()
}

/// The messages of the file, one after another.
struct Messages {
	json: Value,
	next: usize,
}

impl Messages {
	/// Compares the next message: its name, its bytes, its frame, and that both are read back.
	fn expect<T: Encode + Decode + PartialEq + Debug>(&mut self, name: &str, message: &T) {
		let at = format!("/messages/{}", self.next);
		self.next += 1;
		assert_eq!(self.json.pointer(&format!("{at}/name")), Some(&Value::from(name)), "{at}");
		expect(&self.json, &format!("{at}/bytes"), &message.encode());
		let committed = bytes_at(&self.json, &format!("{at}/bytes"));
		assert_eq!(T::decode_all(&mut committed.as_slice()).as_ref(), Ok(message), "{name}");

		let mut stream = Cursor::new(Vec::new());
		block_on(frame::write(&mut stream, message)).unwrap();
		expect(&self.json, &format!("{at}/frame"), stream.get_ref());
		let mut stream = Cursor::new(bytes_at(&self.json, &format!("{at}/frame")));
		assert_eq!(&block_on(frame::read::<T>(&mut stream, LIMIT)).unwrap(), message, "{name}");
	}

	fn finish(self) {
		let count = self.json.pointer("/messages").and_then(Value::as_array).map(Vec::len);
		assert_eq!(count, Some(self.next), "messages that no code makes");
	}
}

#[test]
fn adverts_should_have_the_committed_bytes_digests_and_signatures() {
	let json = vectors();
	expect(&json, "/genesis", GENESIS.as_bytes());
	expect(&json, "/account_seed", &[0x11; 32]);
	let adverts = [("two models", advert()), ("nothing", empty_advert())];
	assert_eq!(json.pointer("/vectors").and_then(Value::as_array).map(Vec::len), Some(2));
	for (index, (name, advert)) in adverts.into_iter().enumerate() {
		let at = format!("/vectors/{index}");
		assert_eq!(json.pointer(&format!("{at}/name")), Some(&Value::from(name)));
		// Names all fields, so that a new one does not compile before it is here.
		let Advert {
			version,
			account,
			peer,
			addresses,
			serves,
			sessions,
			capacity,
			consent_version,
			region,
			bandwidth_mbps,
			made_at,
			expires_at,
		} = &advert;
		let fields = [
			("version", version.encode()),
			("account", account.encode()),
			("peer", peer.encode()),
			("addresses", addresses.encode()),
			("serves", serves.encode()),
			("sessions", sessions.encode()),
			("capacity", capacity.encode()),
			("consent_version", consent_version.encode()),
			("region", region.encode()),
			("bandwidth_mbps", bandwidth_mbps.encode()),
			("made_at", made_at.encode()),
			("expires_at", expires_at.encode()),
		];
		let committed = json.pointer(&format!("{at}/fields")).and_then(Value::as_array);
		assert_eq!(committed.map(Vec::len), Some(fields.len()));
		for (place, (field, made)) in fields.iter().enumerate() {
			let at = format!("{at}/fields/{place}");
			assert_eq!(json.pointer(&format!("{at}/name")), Some(&Value::from(*field)));
			expect(&json, &format!("{at}/bytes"), made);
		}
		expect(&json, &format!("{at}/bytes"), &advert.encode());
		let message = [ADVERT_DOMAIN, GENESIS.as_bytes(), &advert.encode()].concat();
		expect(&json, &format!("{at}/message"), &message);
		expect(&json, &format!("{at}/digest"), advert.digest(&GENESIS).as_bytes());

		let signed = signed_advert(advert.clone());
		expect(&json, &format!("{at}/signed_advert"), &signed.encode());
		let committed = bytes_at(&json, &format!("{at}/signed_advert"));
		let read = SignedAdvert::decode_all(&mut committed.as_slice()).unwrap();
		assert_eq!(read, signed);
		assert_eq!(read.check(&GENESIS, &self::peer(), advert.made_at + 1), Ok(()));
	}
}

#[test]
fn providers_should_have_the_committed_keys() {
	let json = vectors();
	let provided = [Some(range(0, 1)), Some(range(2, 300)), None];
	let count = json.pointer("/provider_keys").and_then(Value::as_array).map(Vec::len);
	assert_eq!(count, Some(provided.len()));
	for (index, layers) in provided.into_iter().enumerate() {
		let at = format!("/provider_keys/{index}");
		expect(&json, &format!("{at}/model"), model().as_bytes());
		expect(&json, &format!("{at}/bytes"), &(model(), layers).encode());
		let key = provider_key(&GENESIS, &model(), layers);
		expect(&json, &format!("{at}/key"), key.as_bytes());
	}
}

#[test]
fn messages_should_have_the_committed_bytes_and_frames() {
	let mut messages = Messages { json: vectors(), next: 0 };
	let m = &mut messages;

	m.expect("advert", &Some(signed_advert(advert())));
	m.expect("nothing is served", &None::<SignedAdvert>);

	let file = SmallFile::ChatTemplate;
	let part = ShardRequest::Part { model: model(), file, offset: 65_536 };
	m.expect("part of a small file is asked for", &part);
	let chunk = ShardRequest::Chunk { model: model(), tensor: 17, chunk: 70_000 };
	m.expect("chunk is asked for", &chunk);
	let part = ShardAnswer::Part { total: 65_540, bytes: bounded(b"abcd".to_vec()) };
	m.expect("part of a small file", &part);
	let chunk = ShardAnswer::Chunk {
		bytes: bounded([0x00, 0xff].repeat(40)),
		proof: bounded(vec![root(0), root(1)]),
	};
	m.expect("chunk", &chunk);
	m.expect("not here", &ShardAnswer::NotHere);
	m.expect("later", &ShardAnswer::Later { retry_ms: 250 });

	m.expect("order", &Hello::Order(order()));
	let later = Order { attempt: 2, drawn: vec![9, 70_001], ..order() };
	m.expect("order to a replacement", &Hello::Order(later));
	m.expect("order without a query", &Hello::Order(middle_order()));
	m.expect("link", &Hello::Link(Link { session: session(), attempt: 1, from: 31 }));

	m.expect("ping", &ToStage::Ping((1 << 53) + 1));
	m.expect("replan", &ToStage::Replan { attempt: 1, stages: stages(places()) });
	m.expect("stop", &ToStage::Stop { tokens: 4 });
	m.expect("sign", &ToStage::Sign(body()));
	m.expect("close", &ToStage::Close);

	m.expect("accepted", &FromStage::Accepted { consent_version: 7 });
	for (name, refusal) in [
		("refused: paused", Refusal::Paused),
		("refused: busy", Refusal::Busy { retry_ms: 1_500 }),
		("refused: payment", Refusal::Payment(text("no escrow"))),
		("refused: malformed", Refusal::Malformed(text("a gap"))),
	] {
		m.expect(name, &FromStage::Refused(refusal));
	}
	m.expect("pong", &FromStage::Pong { ping: (1 << 53) + 1, position: 66 });
	m.expect("token", &FromStage::Token { index: 0, token: 9, finish: None });
	let finish = Some(FinishReason::Stop);
	m.expect("last token", &FromStage::Token { index: 3, token: 2, finish });
	let query = greedy().hash();
	let totals = Totals {
		energy_mj: 1_200,
		energy_source: EnergySource::Rapl,
		consent_version: 3,
		before: boundary(0, &root(0), &query),
		behind: boundary(1, &root(1), &query),
	};
	m.expect("totals", &FromStage::Totals(totals));
	let signature: Signature = sign(&worker(), &body().id(&GENESIS));
	m.expect("signature", &FromStage::Signature(signature));
	m.expect("failed", &FromStage::Failed { blames: Some(1), reason: text("not finite") });
	m.expect("failed by itself", &FromStage::Failed { blames: None, reason: text("") });

	m.expect("link is ready", &LinkReady { position: 64 });
	let values = activations();
	m.expect("activations", &LinkFrame::Activations { position: 64, values });
	m.expect("drawn token", &LinkFrame::Token { index: 3, token: 70_001 });
	messages.finish();
}
