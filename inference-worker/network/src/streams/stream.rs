//! A stream of bytes to or from a peer.

use super::limiter::Permit;
use crate::metrics::{count, Counters};
use futures::io::{AsyncRead, AsyncWrite};
use std::{
	fmt, io,
	pin::Pin,
	sync::{atomic::Ordering::Relaxed, Arc},
	task::{ready, Context, Poll},
};
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

/// Bytes that wait between two ends in this process.
const LOCAL_BUFFER: usize = 256 << 10;

/// A stream of bytes to or from a peer, or within this process if the peer is this one.
///
/// Whoever closes an end for writing does not read on from it: over TCP nothing more arrives then.
pub struct Stream {
	inner: Inner,
	counters: Arc<Counters>,
	_permit: Option<Permit>,
}

enum Inner {
	Remote(libp2p::Stream),
	Local(Compat<DuplexStream>),
}

impl Stream {
	/// A stream that this node opened.
	pub(crate) fn outbound(stream: libp2p::Stream, counters: Arc<Counters>) -> Self {
		count(&counters.streams_out);
		Self::new(Inner::Remote(stream), counters, None)
	}

	/// A stream that a peer opened.
	pub(crate) fn inbound(stream: libp2p::Stream, counters: Arc<Counters>, permit: Permit) -> Self {
		count(&counters.streams_in);
		Self::new(Inner::Remote(stream), counters, Some(permit))
	}

	/// Both ends of a stream from this node to itself.
	pub(crate) fn pair(counters: &Arc<Counters>) -> (Self, Self) {
		let (one, other) = tokio::io::duplex(LOCAL_BUFFER);
		let end = |end: DuplexStream| Self::new(Inner::Local(end.compat()), counters.clone(), None);
		(end(one), end(other))
	}

	fn new(inner: Inner, counters: Arc<Counters>, permit: Option<Permit>) -> Self {
		count(&counters.streams_open);
		Self { inner, counters, _permit: permit }
	}
}

impl Drop for Stream {
	fn drop(&mut self) {
		self.counters.streams_open.fetch_sub(1, Relaxed);
	}
}

impl fmt::Debug for Stream {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let local = matches!(self.inner, Inner::Local(_));
		f.debug_struct("Stream").field("local", &local).finish_non_exhaustive()
	}
}

impl AsyncRead for Stream {
	fn poll_read(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut [u8],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		let read = ready!(match &mut this.inner {
			Inner::Remote(stream) => Pin::new(stream).poll_read(cx, buffer),
			Inner::Local(stream) => Pin::new(stream).poll_read(cx, buffer),
		})?;
		this.counters.bytes_in.fetch_add(read as u64, Relaxed);
		Poll::Ready(Ok(read))
	}
}

impl AsyncWrite for Stream {
	fn poll_write(
		self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let this = self.get_mut();
		let written = ready!(match &mut this.inner {
			Inner::Remote(stream) => Pin::new(stream).poll_write(cx, bytes),
			Inner::Local(stream) => Pin::new(stream).poll_write(cx, bytes),
		})?;
		this.counters.bytes_out.fetch_add(written as u64, Relaxed);
		Poll::Ready(Ok(written))
	}

	fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		match &mut self.get_mut().inner {
			Inner::Remote(stream) => Pin::new(stream).poll_flush(cx),
			Inner::Local(stream) => Pin::new(stream).poll_flush(cx),
		}
	}

	fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		match &mut self.get_mut().inner {
			Inner::Remote(stream) => Pin::new(stream).poll_close(cx),
			Inner::Local(stream) => Pin::new(stream).poll_close(cx),
		}
	}
}
