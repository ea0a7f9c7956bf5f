//! Results that a program writes into a document that people wrote.
//!
//! A place for them is everything between the lines `<!-- PREFIX:NAME -->` and
//! `<!-- /PREFIX:NAME -->`. What is outside stays as it is.

use thiserror::Error;

/// Why a document cannot be brought up to date.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DocumentError {
	/// There is no place for a result.
	#[error("the document has no line `{0}`: add it where the result belongs, and the closing one below it")]
	Missing(String),
	/// A place does not end.
	#[error("the document has `{0}` without `{1}` below it: add the closing line")]
	Unclosed(String, String),
	/// A place for something that the program does not make.
	#[error("the document has `{0}`, but nothing is made under that name: remove the line, or correct the name")]
	Unknown(String),
	/// A place that is there twice.
	#[error("the document has `{0}` twice: leave one of them")]
	Twice(String),
}

/// The document with each section `(name, text)` in its place.
///
/// Fails if a section has no place, or a place no section: so that no number is left behind from an
/// earlier run.
pub fn update(
	document: &str,
	prefix: &str,
	sections: &[(String, String)],
) -> Result<String, DocumentError> {
	let start = format!("<!-- {prefix}:");
	let mut seen = vec![false; sections.len()];
	let mut lines = document.lines();
	let mut text = String::with_capacity(document.len());
	while let Some(line) = lines.next() {
		text.push_str(line);
		text.push('\n');
		let opened = line.trim().strip_prefix(&start).and_then(|rest| rest.strip_suffix("-->"));
		let Some(name) = opened.map(str::trim) else { continue };
		let mut places = sections.iter().zip(seen.iter_mut());
		let Some(((_, section), seen)) = places.find(|((known, _), _)| known == name) else {
			return Err(DocumentError::Unknown(line.trim().to_owned()));
		};
		if *seen {
			return Err(DocumentError::Twice(line.trim().to_owned()));
		}
		*seen = true;
		let closing = format!("<!-- /{prefix}:{name} -->");
		if !lines.by_ref().any(|line| line.trim() == closing) {
			return Err(DocumentError::Unclosed(line.trim().to_owned(), closing));
		}
		text.push_str(section.trim_end());
		text.push_str(&format!("\n{closing}\n"));
	}
	match sections.iter().zip(&seen).find(|(_, seen)| !**seen) {
		Some(((name, _), _)) => Err(DocumentError::Missing(format!("{start}{name} -->"))),
		None => Ok(text),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const DOCUMENT: &str = "before\n<!-- x:a -->\nold\n<!-- /x:a -->\nafter\n";

	fn section(name: &str, text: &str) -> (String, String) {
		(name.to_owned(), text.to_owned())
	}

	#[test]
	fn a_section_should_replace_what_is_between_its_markers() {
		let updated = update(DOCUMENT, "x", &[section("a", "new\n\n")]).unwrap();
		assert_eq!(updated, "before\n<!-- x:a -->\nnew\n<!-- /x:a -->\nafter\n");
		assert_eq!(update(&updated, "x", &[section("a", "new")]).unwrap(), updated);
	}

	#[test]
	fn other_prefixes_should_be_left_alone() {
		assert_eq!(update(DOCUMENT, "y", &[]).unwrap(), DOCUMENT);
	}

	#[test]
	fn markers_that_do_not_fit_should_be_refused() {
		let missing = update(DOCUMENT, "x", &[section("a", ""), section("b", "")]);
		assert_eq!(missing, Err(DocumentError::Missing("<!-- x:b -->".into())));
		let unknown = update(DOCUMENT, "x", &[]);
		assert_eq!(unknown, Err(DocumentError::Unknown("<!-- x:a -->".into())));
		let unclosed = update("<!-- x:a -->\n", "x", &[section("a", "")]);
		assert!(matches!(unclosed, Err(DocumentError::Unclosed(..))));
		let twice = update(&format!("{DOCUMENT}{DOCUMENT}"), "x", &[section("a", "")]);
		assert_eq!(twice, Err(DocumentError::Twice("<!-- x:a -->".into())));
	}
}
