//! Frames: a length of four bytes, little-endian, then as many bytes of SCALE.

use codec::{Decode, DecodeAll, Encode};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;

/// Most bytes of a frame, unless the reader allows fewer.
pub const MAX_FRAME: usize = 8 << 20;
/// Bytes that are allocated before any of a frame has arrived.
const FIRST: usize = 64 << 10;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
	/// The stream failed, or ended inside a frame.
	#[error("the stream broke: {0}")]
	Io(#[from] io::Error),
	/// The peer announced more than is allowed.
	#[error("a frame of {length} bytes; at most {limit} are taken")]
	TooLong {
		/// What was announced.
		length: usize,
		/// What is allowed.
		limit: usize,
	},
	/// The bytes are no message of the expected kind.
	#[error("a frame that is no message of this protocol: {0}")]
	Malformed(codec::Error),
}

/// Writes `message` and flushes.
///
/// # Errors
/// [`FrameError::TooLong`] for a message above [`MAX_FRAME`], [`FrameError::Io`].
pub async fn write<T: Encode>(
	stream: &mut (impl AsyncWrite + Unpin),
	message: &T,
) -> Result<(), FrameError> {
	let bytes = message.encode();
	let too_long = FrameError::TooLong { length: bytes.len(), limit: MAX_FRAME };
	if bytes.len() > MAX_FRAME {
		return Err(too_long);
	}
	let Ok(length) = u32::try_from(bytes.len()) else { return Err(too_long) };
	stream.write_all(&length.to_le_bytes()).await?;
	stream.write_all(&bytes).await?;
	stream.flush().await?;
	Ok(())
}

/// Reads a message of at most `limit` bytes. What a peer only announces is not allocated.
///
/// Not to be cancelled half-way: what was read is lost then, so a reader that waits for other things
/// too runs in a task of its own.
///
/// # Errors
/// [`FrameError`]; an end between two frames is an [`io::ErrorKind::UnexpectedEof`] too.
pub async fn read<T: Decode>(
	stream: &mut (impl AsyncRead + Unpin),
	limit: usize,
) -> Result<T, FrameError> {
	let mut length = [0; 4];
	stream.read_exact(&mut length).await?;
	let length = u32::from_le_bytes(length) as usize;
	let limit = limit.min(MAX_FRAME);
	if length > limit {
		return Err(FrameError::TooLong { length, limit });
	}
	let mut bytes = Vec::with_capacity(length.min(FIRST));
	let read = stream.take(length as u64).read_to_end(&mut bytes).await?;
	if read < length {
		return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
	}
	T::decode_all(&mut bytes.as_slice()).map_err(FrameError::Malformed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use futures::{executor::block_on, io::Cursor};

	#[test]
	fn a_message_should_come_back() {
		let mut stream = Cursor::new(Vec::new());
		block_on(write(&mut stream, &vec![1u32, 2, 3])).unwrap();
		block_on(write(&mut stream, &7u8)).unwrap();
		stream.set_position(0);

		assert_eq!(block_on(read::<Vec<u32>>(&mut stream, 100)).unwrap(), [1, 2, 3]);
		assert_eq!(block_on(read::<u8>(&mut stream, 100)).unwrap(), 7);
		assert!(matches!(block_on(read::<u8>(&mut stream, 100)), Err(FrameError::Io(_))));
	}

	#[test]
	fn long_short_and_foreign_frames_should_be_refused() {
		let read = |bytes: &[u8]| block_on(read::<u16>(&mut Cursor::new(bytes.to_vec()), 16));

		assert!(matches!(read(&[17, 0, 0, 0]), Err(FrameError::TooLong { length: 17, limit: 16 })));
		assert!(matches!(read(&u32::MAX.to_le_bytes()), Err(FrameError::TooLong { .. })));
		assert!(matches!(read(&[2, 0, 0, 0, 1]), Err(FrameError::Io(_))));
		assert!(matches!(read(&[1, 0, 0, 0, 1]), Err(FrameError::Malformed(_))));
		assert!(matches!(read(&[3, 0, 0, 0, 1, 2, 3]), Err(FrameError::Malformed(_))));
	}
}
