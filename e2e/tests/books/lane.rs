//! A lane to a node's RPC that a test can cut, stop, or set the clock of, while the node goes on.
//!
//! Whoever reaches the chain over a cut lane finds that nobody answers; over a stopped one, that a
//! node which was frozen says nothing; over one whose clock is off, blocks of another hour, which is
//! what a machine sees whose own clock is off by that much.

use anyhow::Result;
use std::{
	net::Ipv4Addr,
	time::{SystemTime, UNIX_EPOCH},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{
		tcp::{OwnedReadHalf, OwnedWriteHalf},
		TcpListener, TcpStream,
	},
	sync::watch,
	task::JoinHandle,
};

/// Bytes that are passed on at once.
const CHUNK: usize = 64 << 10;
/// Milliseconds of a day. What is farther from now than that is no time of a block.
const DAY: u64 = 24 * 60 * 60 * 1_000;

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
	/// They pass.
	Open,
	/// Connections are closed.
	Cut,
	/// They wait.
	Stopped,
}

#[derive(Clone, Copy, Debug)]
struct State {
	mode: Mode,
	/// Added to the time of blocks, in milliseconds.
	shift: i64,
}

/// A lane to a node. Dropping it cuts it.
pub struct Lane {
	port: u16,
	state: watch::Sender<State>,
	task: JoinHandle<()>,
}

impl Lane {
	/// An open lane to the RPC at this port of the loopback interface.
	///
	/// # Errors
	/// If no port is free.
	pub async fn to(node: u16) -> Result<Self> {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
		let port = listener.local_addr()?.port();
		let state = watch::Sender::new(State { mode: Mode::Open, shift: 0 });
		let task = tokio::spawn(serve(listener, node, state.subscribe()));
		Ok(Self { port, state, task })
	}

	/// Where the node seems to be.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.port)
	}

	/// Closes all connections, and takes no new ones.
	pub fn cut(&self) {
		self.set(Mode::Cut);
	}

	/// Keeps connections, and passes nothing on.
	pub fn stop(&self) {
		self.set(Mode::Stopped);
	}

	/// Passes everything on again, what waited included.
	pub fn open(&self) {
		self.set(Mode::Open);
	}

	/// Shows the chain's clock so many milliseconds ahead of what it is.
	pub fn shift(&self, millis: i64) {
		self.state.send_modify(|state| state.shift = millis);
	}

	fn set(&self, mode: Mode) {
		self.state.send_modify(|state| state.mode = mode);
	}
}

impl Drop for Lane {
	fn drop(&mut self) {
		self.task.abort();
	}
}

async fn serve(listener: TcpListener, node: u16, state: watch::Receiver<State>) {
	while let Ok((near, _)) = listener.accept().await {
		let state = state.clone();
		tokio::spawn(async move {
			let mode = state.borrow().mode;
			if mode == Mode::Cut {
				return;
			}
			let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, node)).await else { return };
			let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
			// The end of one direction is that of the connection.
			tokio::select! {
				() = pass(near_in, far_out, state.clone(), false) => {}
				() = pass(far_in, near_out, state, true) => {}
			}
		});
	}
}

/// Passes bytes on until there are no more, or the lane is cut; `answers` are those of the node.
async fn pass(
	mut from: OwnedReadHalf,
	mut to: OwnedWriteHalf,
	mut state: watch::Receiver<State>,
	answers: bool,
) {
	let mut buffer = vec![0; CHUNK];
	loop {
		let length = tokio::select! {
			_ = until(&mut state, |state| state.mode == Mode::Cut) => return,
			read = from.read(&mut buffer) => match read {
				Ok(length) if length > 0 => length,
				_ => return,
			},
		};
		let shift = match until(&mut state, |state| state.mode != Mode::Stopped).await {
			Some(State { mode: Mode::Open, shift }) => shift,
			_ => return,
		};
		let Some(bytes) = buffer.get_mut(..length) else { return };
		if answers && shift != 0 {
			shift_times(bytes, shift, now());
		}
		if to.write_all(bytes).await.is_err() {
			return;
		}
	}
}

/// The first state that is wanted; `None` once the lane is gone.
async fn until(
	state: &mut watch::Receiver<State>,
	wanted: impl Fn(&State) -> bool,
) -> Option<State> {
	loop {
		let current = *state.borrow_and_update();
		if wanted(&current) {
			return Some(current);
		}
		state.changed().await.ok()?;
	}
}

/// Adds `shift` milliseconds to every value of the state in a node's JSON that is a time near `now`:
/// 8 bytes little-endian, in hex between quotes. Its length stays, and thus that of the frame.
fn shift_times(bytes: &mut [u8], shift: i64, now: u64) {
	const QUOTED: usize = 20;
	for start in 0..bytes.len().saturating_sub(QUOTED - 1) {
		let quoted = bytes.get_mut(start..start + QUOTED);
		let Some([b'"', b'0', b'x', digits @ .., b'"']) = quoted else { continue };
		let Some(time) = decoded(digits).filter(|time| time.abs_diff(now) < DAY) else { continue };
		let shifted = time.saturating_add_signed(shift).to_le_bytes();
		let text: String = shifted.iter().map(|byte| format!("{byte:02x}")).collect();
		digits.copy_from_slice(text.as_bytes());
	}
}

/// The number that 16 digits are.
fn decoded(digits: &[u8]) -> Option<u64> {
	let mut bytes = [0; 8];
	for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
		*byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
	}
	Some(u64::from_le_bytes(bytes))
}

/// Milliseconds since the Unix epoch.
fn now() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[test]
fn times_should_be_shifted_and_nothing_else() {
	let hex = |time: u64| time.to_le_bytes().map(|byte| format!("{byte:02x}")).concat();
	let now = 1_800_000_000_000;
	let message = |time: u64| {
		format!(
			"{{\"a\":\"0x{}\",\"b\":\"0x{}\",\"c\":\"0x{}\"}}",
			hex(time),
			hex(7),
			"0".repeat(18)
		)
	};
	let mut bytes = message(now - 500).into_bytes();
	shift_times(&mut bytes, -3_600_000, now);
	assert_eq!(String::from_utf8_lossy(&bytes), message(now - 3_600_500));
}
