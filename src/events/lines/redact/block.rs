//! Private keys as blocks of text, in one line or in many.

use super::{KEY, Redactor, run};
use std::ops::Range;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// A private key, or as much of it as there is.
pub(super) fn pem(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let begin = block(text, at)?;
        let end = text.get(begin..).and_then(|rest| rest.find(END)).map_or(text.len(), |end| begin + end);
        if end > begin {
            return Some(begin..end);
        }
        at = begin;
    }
}

/// Where the content of the next block begins that is a private key.
fn block(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find(BEGIN)? + BEGIN.len();
        let label = run(text, at, |c| c.is_ascii_uppercase() || c == ' ');
        // The second is that of PGP.
        let is_private =
            |label: &str| ["PRIVATE KEY", "PRIVATE KEY BLOCK"].iter().any(|end| label.ends_with(end));
        if text.get(at..label).is_some_and(is_private) {
            return Some(run(text, label, |c| c == '-'));
        }
    }
}

/// Whether the last line of a stream was in a private key, whose other lines come one by one.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::events::lines) struct KeyBlock {
    is_open: bool,
}

impl KeyBlock {
    /// Takes the next text of the stream. If it goes on with a key, what it is without that.
    pub(in crate::events::lines) fn redact(&mut self, redactor: &Redactor, text: &str) -> Option<String> {
        if !redactor.hides_keys() || !(self.is_open || text.contains(BEGIN)) {
            return None;
        }
        let of_key = if self.is_open { of_key(text) } else { 0 };
        let rest = text.get(of_key..).unwrap_or_default();
        let mut last = None;
        while let Some(begin) = block(rest, last.unwrap_or(0)) {
            last = Some(begin);
        }
        self.is_open = match last {
            Some(begin) => rest.get(begin..).is_some_and(|content| !content.contains(END)),
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
