//! Private keys as blocks of text, in one line or in many.

use super::{named, run};
use std::ops::Range;

const BEGIN: &str = "-----BEGIN ";
pub(super) const END: &str = "-----END ";

/// A private key, or as much of it as there is; or the word behind an option such as `--password`.
pub(super) fn behind_dashes(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at = dashes(text, at)?;
        let (next, found) = match text.get(at..).is_some_and(|rest| rest.starts_with(BEGIN)) {
            true => private_key(text, at + BEGIN.len()),
            false => named::of_option(text, at + 2),
        };
        if found.is_some() {
            return found;
        }
        at = next;
    }
}

/// The next two hyphens. Most texts have none.
pub(super) fn dashes(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr(b'-', text.as_bytes().get(at..)?)?;
        if text.as_bytes().get(at + 1) == Some(&b'-') {
            return Some(at);
        }
        at += 1;
    }
}

/// The content of the block whose label begins at `at`, if it is a private key's and there is some; and where it begins.
fn private_key(text: &str, at: usize) -> (usize, Option<Range<usize>>) {
    let Some(begin) = content(text, at) else { return (at, None) };
    let rest = text.get(begin..).unwrap_or_default();
    let length = match rest.find(END) {
        Some(end) => end,
        // A quotation mark of JSON alone is none.
        None if rest.contains(|c: char| c.is_ascii_alphanumeric()) => rest.len(),
        None => 0,
    };
    (begin, (length > 0).then_some(begin..begin + length))
}

/// Where the content of a block begins whose label begins at `at`, if it is a private key.
fn content(text: &str, at: usize) -> Option<usize> {
    let label = run(text, at, |c| c.is_ascii_uppercase() || c == ' ');
    // The second is that of PGP.
    let is_private =
        |label: &str| ["PRIVATE KEY", "PRIVATE KEY BLOCK"].iter().any(|end| label.ends_with(end));
    text.get(at..label).is_some_and(is_private).then(|| run(text, label, |c| c == '-'))
}

/// Where the content of the last private key begins that begins in `text`, and where the dashes before its label begin.
pub(super) fn last_begin(text: &str) -> Option<(usize, usize)> {
    let (mut at, mut last) = (0, None);
    while let Some(next) = dashes(text, at) {
        let label = text.get(next..).filter(|rest| rest.starts_with(BEGIN)).map(|_| next + BEGIN.len());
        if let Some(begin) = label.and_then(|label| content(text, label)) {
            last = Some((next, begin));
        }
        at = label.unwrap_or(next + 1);
    }
    last
}
