//! Memory that vector instructions and the processor's page tables like.
//!
//! A load that crosses cache lines costs twice; weights in pages of 4 KiB cost a third of the
//! bandwidth that pages of 2 MiB have. Both kinds here begin as zeros and report a lack of memory as
//! an error.

#![allow(unsafe_code)]

use crate::error::{EngineError, Result};
use memmap2::MmapMut;
use std::{
	alloc::{alloc_zeroed, dealloc, Layout},
	fmt,
	ops::{Deref, DerefMut},
	ptr::NonNull,
	slice,
	sync::{Arc, Mutex, PoisonError, Weak},
};

/// Bytes of a cache line, and of the widest vectors.
pub const LINE: usize = 64;

/// Bytes of a huge page.
pub const HUGE_PAGE: usize = 2 << 20;

/// Bytes that are asked of the system at once for several smaller [`HugeVec`]s.
const REGION: usize = 64 << 20;

/// From this size on a [`HugeVec`] has a region of its own.
const LARGE: usize = 16 << 20;

mod sealed {
	pub trait Sealed {}
}

/// Numbers of which any bits are a value, zeros too.
pub trait Plain: sealed::Sealed + Copy + fmt::Debug + Send + Sync + 'static {}

macro_rules! plain {
	($($number:ty)*) => {
		$(
			impl sealed::Sealed for $number {}
			impl Plain for $number {}
		)*
	};
}
plain!(i8 u8 i32 u32 f32);

fn lack(what: &'static str, bytes: usize) -> EngineError {
	EngineError::Memory { what, bytes: bytes as u64 }
}

/// Numbers that begin at a cache line, if there are any, and whose memory is used again.
pub struct AlignedVec<T: Plain> {
	/// Points to `capacity` numbers, all of them initialised.
	start: NonNull<T>,
	len: usize,
	capacity: usize,
}

// SAFETY: it owns its memory as a `Vec` does, and plain numbers may go to any thread.
unsafe impl<T: Plain> Send for AlignedVec<T> {}
// SAFETY: shared references give shared references to plain numbers only.
unsafe impl<T: Plain> Sync for AlignedVec<T> {}

impl<T: Plain> AlignedVec<T> {
	/// An empty one, which has no memory.
	pub const fn new() -> Self {
		Self { start: NonNull::dangling(), len: 0, capacity: 0 }
	}

	/// `len` zeros.
	///
	/// # Errors
	///
	/// [`EngineError::Memory`] with `what` they are for.
	pub fn zeroed(len: usize, what: &'static str) -> Result<Self> {
		let mut values = Self::new();
		values.reset(len, what)?;
		Ok(values)
	}

	/// Makes it `len` long. What the values are then is not said: old ones, or zeros.
	///
	/// # Errors
	///
	/// [`EngineError::Memory`] with `what` they are for; nothing is changed then.
	pub fn reset(&mut self, len: usize, what: &'static str) -> Result<()> {
		if len > self.capacity {
			let layout = Self::layout(len).ok_or_else(|| lack(what, usize::MAX))?;
			// SAFETY: the layout is not empty: `len` is above a capacity, and no number has size 0.
			let start = unsafe { alloc_zeroed(layout) }.cast::<T>();
			let start = NonNull::new(start).ok_or_else(|| lack(what, layout.size()))?;
			self.release();
			self.start = start;
			self.capacity = len;
		}
		self.len = len;
		Ok(())
	}

	/// `None` for more bytes than can be addressed.
	fn layout(capacity: usize) -> Option<Layout> {
		Layout::array::<T>(capacity).ok()?.align_to(LINE).ok()
	}

	/// Gives the memory back. Whoever calls it sets `start` and `capacity` anew, or is `drop`.
	fn release(&mut self) {
		if let (true, Some(layout)) = (self.capacity > 0, Self::layout(self.capacity)) {
			// SAFETY: `reset` allocated it with this very layout, and `self` is borrowed mutably, so
			// that nothing else refers to it.
			unsafe { dealloc(self.start.as_ptr().cast(), layout) };
		}
	}
}

impl<T: Plain> Drop for AlignedVec<T> {
	fn drop(&mut self) {
		self.release();
	}
}

impl<T: Plain> Default for AlignedVec<T> {
	fn default() -> Self {
		Self::new()
	}
}

impl<T: Plain> Deref for AlignedVec<T> {
	type Target = [T];

	fn deref(&self) -> &[T] {
		// SAFETY: `start` points to `capacity >= len` initialised numbers, or, with length 0, where
		// `dangling` does.
		unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
	}
}

impl<T: Plain> DerefMut for AlignedVec<T> {
	fn deref_mut(&mut self) -> &mut [T] {
		// SAFETY: as in `deref`; the memory belongs to `self`, which is borrowed mutably.
		unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
	}
}

impl<T: Plain> fmt::Debug for AlignedVec<T> {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Debug::fmt(&**self, formatter)
	}
}

/// Anonymous memory that begins at a huge page. It is never written or read through `_map`.
struct Region {
	start: NonNull<u8>,
	_map: MmapMut,
}

// SAFETY: a region is only an address and the duty to unmap it; who may touch which of its bytes is
// settled by the `HugeVec`s in it.
unsafe impl Send for Region {}
// SAFETY: it has no method that touches the bytes.
unsafe impl Sync for Region {}

impl Region {
	/// At least `bytes` zeros.
	fn new(bytes: usize, what: &'static str) -> Result<Arc<Self>> {
		let length = bytes.checked_add(HUGE_PAGE).ok_or_else(|| lack(what, bytes))?;
		let mut map = MmapMut::map_anon(length).map_err(|_| lack(what, bytes))?;
		// Before anything touches the pages. A system without huge pages refuses, and is slower.
		#[cfg(target_os = "linux")]
		let _ = map.advise(memmap2::Advice::HugePage);
		let address = map.as_ptr() as usize;
		let offset = address.next_multiple_of(HUGE_PAGE) - address;
		let start = map
			.get_mut(offset..)
			.and_then(|rest| NonNull::new(rest.as_mut_ptr()))
			.ok_or_else(|| lack(what, bytes))?;
		Ok(Arc::new(Self { start, _map: map }))
	}
}

/// The region that smaller requests are served from, and how much of it has been given away. Bytes
/// are never given twice; the region goes back to the system with its last [`HugeVec`].
struct Pool {
	region: Weak<Region>,
	used: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { region: Weak::new(), used: 0 });

/// A region, and where in it `bytes` bytes at a cache line belong to the caller alone.
fn place(bytes: usize, what: &'static str) -> Result<(Arc<Region>, usize)> {
	if bytes >= LARGE {
		return Ok((Region::new(bytes, what)?, 0));
	}
	let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
	let offset = pool.used.next_multiple_of(LINE);
	if let Some(region) = pool.region.upgrade() {
		if offset + bytes <= REGION {
			pool.used = offset + bytes;
			return Ok((region, offset));
		}
	}
	let region = Region::new(REGION, what)?;
	pool.region = Arc::downgrade(&region);
	pool.used = bytes;
	Ok((region, 0))
}

/// Numbers in huge pages where the system has them, for weights, which live as long as a model.
///
/// Smaller ones share pages, so that a matrix of a few hundred KiB is in a huge page too and wastes
/// none.
pub struct HugeVec<T: Plain = u8> {
	/// Points to `len` numbers inside the region that no other `HugeVec` has.
	start: NonNull<T>,
	len: usize,
	_region: Arc<Region>,
}

// SAFETY: it alone has its numbers, which may go to any thread.
unsafe impl<T: Plain> Send for HugeVec<T> {}
// SAFETY: shared references give shared references to plain numbers only.
unsafe impl<T: Plain> Sync for HugeVec<T> {}

impl<T: Plain> HugeVec<T> {
	/// `len` zeros.
	///
	/// # Errors
	///
	/// [`EngineError::Memory`] with `what` they are for.
	pub fn zeroed(len: usize, what: &'static str) -> Result<Self> {
		let bytes = len
			.checked_mul(size_of::<T>())
			.filter(|bytes| *bytes <= isize::MAX as usize - HUGE_PAGE)
			.ok_or_else(|| lack(what, usize::MAX))?;
		let (region, offset) = place(bytes, what)?;
		// SAFETY: `place` gives an offset with `offset + bytes` inside the region.
		let start = unsafe { region.start.add(offset) }.cast();
		Ok(Self { start, len, _region: region })
	}
}

impl<T: Plain> Deref for HugeVec<T> {
	type Target = [T];

	fn deref(&self) -> &[T] {
		// SAFETY: `start` is aligned to a cache line and points to `len` numbers of the region, which
		// lives as long as `self`; the system made them zeros.
		unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
	}
}

impl<T: Plain> DerefMut for HugeVec<T> {
	fn deref_mut(&mut self) -> &mut [T] {
		// SAFETY: as in `deref`; `place` gave these bytes to `self` alone, which is borrowed mutably.
		unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
	}
}

impl<T: Plain> fmt::Debug for HugeVec<T> {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.debug_struct("HugeVec").field("len", &self.len).finish_non_exhaustive()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn memory_should_be_aligned_and_zero() {
		for len in [1, 63, 64, 1000, 100_000] {
			let mut values = AlignedVec::<i32>::zeroed(len, "a test").unwrap();
			assert_eq!((values.as_ptr() as usize % LINE, values.len()), (0, len));
			assert!(values.iter().all(|value| *value == 0));
			values.fill(7);
			values.reset(len / 2, "a test").unwrap();
			values.reset(2 * len, "a test").unwrap();
			assert_eq!(values.len(), 2 * len);
		}
		assert!(AlignedVec::<f32>::new().is_empty());
	}

	#[test]
	fn huge_vectors_should_not_overlap() {
		let mut all: Vec<HugeVec> = Vec::new();
		for len in
			[0, 1, 100, 409_600, 1 << 20, 20 << 20, 3, 30 << 20, 15 << 20, 15 << 20, 15 << 20]
		{
			let mut values = HugeVec::<u8>::zeroed(len, "a test").unwrap();
			assert_eq!((values.as_ptr() as usize % LINE, values.len()), (0, len));
			assert!(values.iter().all(|value| *value == 0));
			values.fill(all.len() as u8 + 1);
			all.push(values);
		}
		for (index, values) in all.iter().enumerate() {
			assert!(values.iter().all(|value| *value == index as u8 + 1));
		}
	}

	#[test]
	fn what_cannot_be_had_should_be_an_error() {
		for len in [usize::MAX, usize::MAX / 4, isize::MAX as usize / 4] {
			assert!(AlignedVec::<f32>::zeroed(len, "a test").is_err());
			assert!(HugeVec::<f32>::zeroed(len, "a test").is_err());
		}
	}
}
