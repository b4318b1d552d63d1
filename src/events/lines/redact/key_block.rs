//! The lines of a private key that come one by one: bare, behind what a logger puts before each line, or each in a JSON object.

use super::block::{END, dashes, last_begin};
use super::{KEY, Redactor, run};
use std::ops::Range;

/// So many bytes before a line of the key are compared with those before the key's first line.
const PREFIX: usize = 8;
/// Shortest line of a key that is not its last one, in bytes.
const SHORTEST: usize = 40;
/// Most lines that others may print between two of the key.
const MOST_OTHERS: u8 = 8;
/// What stands before the key's lines in an encrypted one, and in that of PGP.
const HEADS: [&str; 6] = ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:", "Charset:"];

/// Whether the last line of a stream was in a private key.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::events::lines) struct KeyBlock {
    is_open: bool,
    /// The bytes before the key in its first line, with 0 for those that there are not.
    prefix: [u8; PREFIX],
    /// The byte behind that line.
    behind: Option<u8>,
    /// A line of the key came behind such a prefix.
    has_line: bool,
    /// So many others have come since the last line of the key.
    others: u8,
}

impl KeyBlock {
    /// Takes the next text of the stream. If it goes on with a key, what it is without that.
    pub(in crate::events::lines) fn redact(&mut self, redactor: &Redactor, text: &str) -> Option<String> {
        if !redactor.hides_keys() || !self.is_open && dashes(text, 0).is_none() {
            return None;
        }
        let of_key = if self.is_open && self.others == 0 { 0..of_key(text) } else { 0..0 };
        let found = match self.framed(text) {
            framed if of_key.is_empty() && !text.is_empty() => framed,
            _ => Some((of_key.clone(), of_key.end == text.len())),
        };
        match (last_begin(text.get(of_key.end..)?), &found) {
            (Some((dashes, content)), _) => {
                *self = Self::begun(text, of_key.end + dashes, of_key.end + content)
            }
            (None, Some((hidden, goes_on))) => {
                self.is_open &= *goes_on;
                self.has_line |= of_key.is_empty() && hidden.len() >= SHORTEST;
                self.others = 0;
            }
            (None, None) => {
                self.others += 1;
                self.is_open &= self.others <= MOST_OTHERS && !text.contains(END);
            }
        }
        let (hidden, _) = found.filter(|(hidden, _)| !hidden.is_empty())?;
        Some([text.get(..hidden.start)?, KEY, text.get(hidden.end..)?].concat())
    }

    /// The state behind a text in which a key begins, with the dashes before its label and with its content.
    fn begun(text: &str, dashes: usize, content: usize) -> Self {
        let bytes = text.as_bytes();
        let mut prefix = [0; PREFIX];
        let before = bytes.get(..dashes).unwrap_or_default().iter().rev().take_while(|byte| **byte != b'\n');
        prefix.iter_mut().rev().zip(before).for_each(|(to, from)| *to = *from);
        let is_open = text.get(content..).is_some_and(|content| !content.contains(END));
        Self { is_open, prefix, behind: bytes.get(content).copied(), ..Self::default() }
    }

    /// The line of the key that stands in this text as the first one does, and whether the key may go on behind it.
    fn framed(&self, text: &str) -> Option<(Range<usize>, bool)> {
        if !self.is_open {
            return None;
        }
        let behind = |end: usize| text.as_bytes().get(end).copied();
        if let Some(start) = self.behind_prefix(text) {
            let line = start..end_of_base64(text, start);
            let is_whole = behind(line.end) == self.behind;
            // An empty line stands behind the heads.
            if is_whole && (line.is_empty() && !self.has_line || line.len() >= SHORTEST) {
                return Some((line, true));
            }
            if is_whole && self.has_line && self.others == 0 {
                return Some((line, false));
            }
            if HEADS.iter().any(|head| text.get(start..).is_some_and(|rest| rest.starts_with(head))) {
                return Some((start..run(text, start, |c| !"\"'\\\n".contains(c)), true));
            }
        }
        // The prefix is another one, but no word is that long.
        let mut at = 0;
        while at < text.len() {
            let start = run(text, at, |c| !is_base64(c));
            at = end_of_base64(text, start);
            if at >= start + SHORTEST {
                return Some((start..at, true));
            }
        }
        None
    }

    /// Where something stands as the first line of the key does. Digits may be others: they are a time's.
    fn behind_prefix(&self, text: &str) -> Option<usize> {
        let prefix = self.prefix.get(self.prefix.iter().take_while(|byte| **byte == 0).count()..)?;
        if prefix.is_empty() {
            return None;
        }
        let alike = |(one, other): (&u8, &u8)| one == other || one.is_ascii_digit() && other.is_ascii_digit();
        let mut windows = text.as_bytes().windows(prefix.len());
        let start = windows.position(|window| window.iter().zip(prefix).all(alike))? + prefix.len();
        text.is_char_boundary(start).then_some(start)
    }
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

/// Where the base64 that begins at `start` ends. Some write JSON with `\/`.
fn end_of_base64(text: &str, start: usize) -> usize {
    let mut end = start;
    loop {
        end = run(text, end, is_base64);
        if !text.get(end..).is_some_and(|rest| rest.starts_with("\\/")) {
            return end;
        }
        end += 1;
    }
}

/// How many bytes at the begin of `text` are bare lines of a key.
fn of_key(text: &str) -> usize {
    let is_of_key = |line: &str| {
        let line = line.trim();
        line.chars().all(is_base64) || HEADS.iter().any(|head| line.starts_with(head))
    };
    let lines = text.split_inclusive('\n').take_while(|line| is_of_key(line));
    let bytes: usize = lines.map(str::len).sum();
    // The break before what follows is not a part of it.
    if bytes < text.len() && bytes > 0 { bytes - 1 } else { bytes }
}
