//! Signs that colour what a terminal shows. They stand between names, signs and values, and are none of them.

use std::ops::Range;

/// The escape character, as it is and as JSON and others write it behind a backslash.
const ESCAPE: u8 = 0x1b;
const WRITTEN: [&str; 4] = ["u001b", "x1b", "033", "e"];
/// Longest parameters of such a sign, in bytes.
const LONGEST: usize = 64;

/// Whether there is one in the text. Most have none.
pub(super) fn is_in(text: &str) -> bool {
    next(text, 0).is_some()
}

/// The same text, with blanks in their places: they are the edges of words.
pub(super) fn blanked(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(sign) = next(text, rest) {
        blanked.push_str(text.get(rest..sign.start).unwrap_or_default());
        blanked.extend(sign.clone().map(|_| ' '));
        rest = sign.end;
    }
    blanked.push_str(text.get(rest..).unwrap_or_default());
    blanked
}

/// A text without them.
pub(super) struct Plain {
    pub(super) text: String,
    /// Where the parts of it begin, here and in the other text.
    parts: Vec<(usize, usize)>,
}

impl Plain {
    pub(super) fn of(text: &str) -> Self {
        let mut plain = Self { text: String::with_capacity(text.len()), parts: Vec::new() };
        let mut rest = 0;
        loop {
            let sign = next(text, rest);
            let end = sign.as_ref().map_or(text.len(), |sign| sign.start);
            if end > rest {
                plain.parts.push((plain.text.len(), rest));
            }
            plain.text.push_str(text.get(rest..end).unwrap_or_default());
            match sign {
                Some(sign) => rest = sign.end,
                None => return plain,
            }
        }
    }

    /// The place of a range, which is not empty, in the other text: signs at its edges stay outside.
    pub(super) fn in_whole(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let part = self.parts.partition_point(|(here, _)| *here <= at).saturating_sub(1);
            self.parts.get(part).map_or(at, |(here, there)| there + (at - here))
        };
        place(range.start)..place(range.end.saturating_sub(1)) + 1
    }
}

/// The next sign: the escape character, a bracket, parameters, and a letter.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let start = at + memchr::memchr2(ESCAPE, b'\\', bytes.get(at..)?)?;
        at = start + 1;
        let behind = match bytes.get(start) {
            Some(&ESCAPE) => Some(at),
            _ => {
                at += bytes.get(at..)?.iter().take_while(|byte| **byte == b'\\').count();
                written(bytes, at)
            }
        };
        if let Some(end) = behind.and_then(|behind| end(bytes, behind)) {
            return Some(start..end);
        }
    }
}

/// Where the name of the escape character ends that begins at `at`.
fn written(bytes: &[u8], at: usize) -> Option<usize> {
    let is_there = |name: &&&str| {
        bytes.get(at..at + name.len()).is_some_and(|there| there.eq_ignore_ascii_case(name.as_bytes()))
    };
    WRITTEN.iter().find(is_there).map(|name| at + name.len())
}

/// Where the sign ends whose bracket is at `at`.
fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"[")?;
    let length = rest.iter().take(LONGEST).take_while(|byte| matches!(byte, b'0'..=b'?')).count();
    rest.get(length).filter(|byte| byte.is_ascii_alphabetic()).map(|_| at + 1 + length + 1)
}
