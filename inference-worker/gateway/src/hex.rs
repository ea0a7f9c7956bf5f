//! Bytes as hexadecimal digits.

/// Lower case, without `0x`.
pub(crate) fn encode(bytes: &[u8]) -> String {
	const DIGITS: &[u8; 16] = b"0123456789abcdef";
	let mut text = String::with_capacity(bytes.len() * 2);
	for byte in bytes {
		for digit in [byte >> 4, byte & 15] {
			text.push(char::from(DIGITS[usize::from(digit)]));
		}
	}
	text
}

/// As [`encode`], with `0x`.
pub(crate) fn prefixed(bytes: &[u8]) -> String {
	format!("0x{}", encode(bytes))
}

/// 64 digits of either case, with or without `0x`.
pub(crate) fn hash(text: &str) -> Option<[u8; 32]> {
	let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
	if digits.len() != 64 {
		return None;
	}
	let mut hash = [0; 32];
	for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
		for digit in pair {
			let value = char::from(*digit).to_digit(16)?;
			*byte = (*byte << 4) | u8::try_from(value).ok()?;
		}
	}
	Some(hash)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn hashes_should_come_back() {
		let bytes: [u8; 32] = std::array::from_fn(|index| (index * 37) as u8);
		assert_eq!(hash(&encode(&bytes)), Some(bytes));
		assert_eq!(hash(&prefixed(&bytes).to_uppercase().replace("0X", "0x")), Some(bytes));
		let long = ["g".repeat(64), "0".repeat(63), "é".repeat(32)];
		for bad in long.iter().map(String::as_str).chain(["", "0x"]) {
			assert_eq!(hash(bad), None, "{bad}");
		}
	}
}
