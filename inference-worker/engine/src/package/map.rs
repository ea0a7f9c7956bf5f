//! Files of weights in memory. The only place in this module's folder with `unsafe`.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::{fs::File, io, ops::Range};

/// A file, mapped read-only.
///
/// # What another process can do to it
/// The mapping shows the file as it is, not as it was. Nothing of ours changes a file of weights in
/// place: [`super::PackageBuilder`] writes beside it and renames, which leaves the old file, and
/// mappings of it, whole. A process of the same user may still
///
/// * *overwrite* bytes: then other weights are computed with. Every pattern of bytes is a valid
///   `[u8]`, and whoever reads them checks codes and scales where it uses them, so that this gives
///   wrong numbers or an error and never more. `verify` finds it.
/// * *truncate* the file: touching a page behind the new end raises SIGBUS, which ends the process,
///   with no wrong answer. [`Map::bytes`] asks for the length again each time and turns all of it
///   but the race into an error. Where even that must not be, copy the package to where nobody else
///   writes.
///
/// What decides more than numbers (manifest, headers, tokenizer, template) is copied out of files
/// first and never read from a mapping twice.
pub(super) struct Map {
	file: File,
	map: Mmap,
}

impl Map {
	/// Maps the whole of `file`, which must not be empty.
	pub(super) fn new(file: File) -> io::Result<Self> {
		// SAFETY: the mapping is read-only, and this process makes no `&mut` to it and opens no
		// second, writable one, so that no safe code here can break the promise of `&[u8]`. Its
		// length is the file's at this moment, and `Mmap` keeps it mapped as long as a slice of it
		// is borrowed. What remains is another process that writes to the file; the type's
		// documentation says what follows from it: any byte is a valid `u8`, no length or pointer
		// is ever derived from a mapped byte that is read a second time, and a truncation ends the
		// process with a signal instead of reading anything else's memory.
		let map = unsafe { Mmap::map(&file)? };
		Ok(Self { file, map })
	}

	/// The bytes, if the file is still as long as it was.
	pub(super) fn bytes(&self) -> io::Result<&[u8]> {
		let len = self.file.metadata()?.len();
		if len != self.map.len() as u64 {
			let now = format!("the file had {} bytes and now has {len}", self.map.len());
			return Err(io::Error::new(io::ErrorKind::UnexpectedEof, now));
		}
		Ok(&self.map)
	}

	/// Lets go of the pages of a range; they are read from the file again when touched. A hint:
	/// failure has no effect, and other systems than Linux do nothing.
	pub(super) fn release(&self, range: Range<usize>) {
		if range.start >= range.end || range.end > self.map.len() {
			return;
		}
		#[cfg(target_os = "linux")]
		{
			// SAFETY: MADV_DONTNEED is dangerous where it discards changes; this mapping is of a
			// file and read-only, so that there are none, and the kernel fills the pages from the
			// same file when they are next read. Slices into the range stay valid and equal. The
			// range was checked against the mapping's length.
			let _ = unsafe {
				self.map.unchecked_advise_range(
					memmap2::UncheckedAdvice::DontNeed,
					range.start,
					range.end - range.start,
				)
			};
		}
	}
}
