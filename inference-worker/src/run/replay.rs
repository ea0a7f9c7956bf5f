//! A stream whose beginning has been read already, and is given out again.

use futures::io::{AsyncRead, AsyncWrite};
use std::{
	io,
	pin::Pin,
	task::{Context, Poll},
};

/// `stream` behind the bytes that were taken from it.
pub struct Replay<S> {
	begin: io::Cursor<Vec<u8>>,
	stream: S,
}

impl<S> Replay<S> {
	/// Gives out `begin`, then what `stream` gives.
	pub fn new(begin: Vec<u8>, stream: S) -> Self {
		Self { begin: io::Cursor::new(begin), stream }
	}
}

impl<S: AsyncRead + Unpin> AsyncRead for Replay<S> {
	fn poll_read(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffer: &mut [u8],
	) -> Poll<io::Result<usize>> {
		let left = io::Read::read(&mut self.begin, buffer)?;
		if left > 0 || buffer.is_empty() {
			return Poll::Ready(Ok(left));
		}
		Pin::new(&mut self.stream).poll_read(context, buffer)
	}
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replay<S> {
	fn poll_write(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffer: &[u8],
	) -> Poll<io::Result<usize>> {
		Pin::new(&mut self.stream).poll_write(context, buffer)
	}

	fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_flush(context)
	}

	fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_close(context)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use futures::{executor::block_on, io::AsyncReadExt};

	#[test]
	fn what_was_read_should_be_read_again() {
		let mut stream =
			Replay::new(b"Hello".to_vec(), futures::io::Cursor::new(b", world".to_vec()));
		let mut text = String::new();
		block_on(stream.read_to_string(&mut text)).unwrap();
		assert_eq!(text, "Hello, world");
	}
}
