//! Stop sequences in text that arrives in pieces.

/// Finds the first stop sequence in a text, and keeps back what may turn out to be the beginning of
/// one, wherever the pieces end.
#[derive(Clone, Debug)]
pub struct StopScanner {
	stops: Vec<String>,
	held: String,
	stopped: bool,
}

impl StopScanner {
	/// Looks for `stops`; an empty one is never found.
	pub fn new(stops: Vec<String>) -> Self {
		let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
		Self { stops, held: String::new(), stopped: false }
	}

	/// Whether a stop sequence was found. Nothing comes out from then on.
	pub fn stopped(&self) -> bool {
		self.stopped
	}

	/// Takes the next piece and gives what certainly stands before any stop sequence.
	///
	/// Where a piece completes several of them, the one that begins first cuts the text.
	pub fn push(&mut self, piece: &str) -> String {
		if self.stopped {
			return String::new();
		}
		self.held.push_str(piece);
		if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
			self.stopped = true;
			self.held.truncate(at);
			return std::mem::take(&mut self.held);
		}
		let kept = self.stops.iter().map(|stop| begun(&self.held, stop)).max().unwrap_or(0);
		let rest = self.held.split_off(self.held.len() - kept);
		std::mem::replace(&mut self.held, rest)
	}

	/// What was kept back, once nothing follows any more.
	pub fn finish(&mut self) -> String {
		std::mem::take(&mut self.held)
	}
}

/// How many bytes at the end of `text` are the longest beginning of `stop` there, all of it excluded.
fn begun(text: &str, stop: &str) -> usize {
	stop.char_indices()
		.map(|(index, _)| index)
		.rev()
		.find(|index| stop.get(..*index).is_some_and(|beginning| text.ends_with(beginning)))
		.unwrap_or(0)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn scan(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
		let mut scanner = StopScanner::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
		let mut out: Vec<String> = pieces.iter().map(|piece| scanner.push(piece)).collect();
		out.push(scanner.finish());
		(out, scanner.stopped())
	}

	#[test]
	fn stop_should_be_found_across_pieces() {
		let (out, stopped) = scan(&["\n\nUser:"], &["Hello\n", "\nUs", "er", ": more", "x"]);
		assert!(stopped);
		assert_eq!(out, ["Hello", "", "", "", "", ""]);
	}

	#[test]
	fn false_beginnings_should_come_out() {
		let (out, stopped) = scan(&["aab"], &["xa", "a", "a", "c"]);
		assert!(!stopped);
		assert_eq!(out, ["x", "", "a", "aac", ""]);
		let (out, stopped) = scan(&["aab"], &["aaab"]);
		assert!(stopped);
		assert_eq!(out.concat(), "a");
	}

	#[test]
	fn earliest_stop_should_win() {
		let (out, _) = scan(&["three", "two"], &["one two three"]);
		assert_eq!(out.concat(), "one ");
	}

	#[test]
	fn held_text_should_come_out_at_the_end() {
		let (out, stopped) = scan(&["é!"], &["caf", "é"]);
		assert!(!stopped);
		assert_eq!(out, ["caf", "", "é"]);
	}

	#[test]
	fn empty_stops_should_be_ignored() {
		assert_eq!(scan(&[""], &["a"]), (vec!["a".to_owned(), String::new()], false));
	}

	#[test]
	fn any_division_should_give_the_same_text() {
		let text = "abcabcabd-abd";
		let whole = scan(&["abd", "cabc-"], &[text]).0.concat();
		for first in 0..text.len() {
			for second in first..text.len() {
				let pieces = [&text[..first], &text[first..second], &text[second..]];
				assert_eq!(scan(&["abd", "cabc-"], &pieces).0.concat(), whole);
			}
		}
	}
}
