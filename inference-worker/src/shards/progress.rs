//! How far a transfer is.

use indicatif::{ProgressBar, ProgressStyle};
use std::{borrow::Cow, sync::Arc};

/// Called with the bytes that are here and checked, and all bytes of the transfer.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Nobody watches.
pub fn silent() -> Progress {
	Arc::new(|_, _| ())
}

/// A progress bar on stderr, where that is a terminal, and what moves it.
pub fn bar(what: impl Into<Cow<'static, str>>) -> (ProgressBar, Progress) {
	const TEMPLATE: &str =
		"{msg:10} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
	let bar = ProgressBar::new(0).with_message(what);
	let bar = match ProgressStyle::with_template(TEMPLATE) {
		Ok(style) => bar.with_style(style),
		Err(_) => bar,
	};
	let moved = bar.clone();
	let progress: Progress = Arc::new(move |done, total| {
		moved.set_length(total);
		moved.set_position(done);
	});
	(bar, progress)
}
