//! Private keys as blocks of text, in one line or in many.

use super::{KEY, Redactor, named, run};
use std::ops::Range;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

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
fn dashes(text: &str, from: usize) -> Option<usize> {
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
    let end = text.get(begin..).and_then(|rest| rest.find(END)).map_or(text.len(), |end| begin + end);
    (begin, (end > begin).then_some(begin..end))
}

/// Where the content of a block begins whose label begins at `at`, if it is a private key.
fn content(text: &str, at: usize) -> Option<usize> {
    let label = run(text, at, |c| c.is_ascii_uppercase() || c == ' ');
    // The second is that of PGP.
    let is_private =
        |label: &str| ["PRIVATE KEY", "PRIVATE KEY BLOCK"].iter().any(|end| label.ends_with(end));
    text.get(at..label).is_some_and(is_private).then(|| run(text, label, |c| c == '-'))
}

/// The content of the last private key that begins in `text`.
fn last_content(text: &str) -> Option<&str> {
    let (mut at, mut last) = (0, None);
    while let Some(next) = dashes(text, at) {
        let label = text.get(next..).filter(|rest| rest.starts_with(BEGIN)).map(|_| next + BEGIN.len());
        if let Some(begin) = label.and_then(|label| content(text, label)) {
            last = text.get(begin..);
        }
        at = label.unwrap_or(next + 1);
    }
    last
}

/// Whether the last line of a stream was in a private key, whose other lines come one by one.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::events::lines) struct KeyBlock {
    is_open: bool,
}

impl KeyBlock {
    /// Takes the next text of the stream. If it goes on with a key, what it is without that.
    pub(in crate::events::lines) fn redact(&mut self, redactor: &Redactor, text: &str) -> Option<String> {
        if !redactor.hides_keys() || !self.is_open && dashes(text, 0).is_none() {
            return None;
        }
        let of_key = if self.is_open { of_key(text) } else { 0 };
        let rest = text.get(of_key..).unwrap_or_default();
        self.is_open = match last_content(rest) {
            Some(content) => !content.contains(END),
            None => self.is_open && rest.is_empty(),
        };
        (of_key > 0).then(|| [KEY, rest].concat())
    }
}

/// How many bytes at the begin of `text` are lines of a key: base64, or what stands before that in an encrypted one.
fn of_key(text: &str) -> usize {
    const HEADS: [&str; 6] = ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:", "Charset:"];
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let is_of_key = |line: &str| {
        let line = line.trim();
        line.chars().all(is_base64) || HEADS.iter().any(|head| line.starts_with(head))
    };
    let lines = text.split_inclusive('\n').take_while(|line| is_of_key(line));
    let bytes: usize = lines.map(str::len).sum();
    // The break before what follows is not a part of it.
    if bytes < text.len() && bytes > 0 { bytes - 1 } else { bytes }
}
