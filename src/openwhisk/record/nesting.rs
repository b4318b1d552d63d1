//! Brackets and strings: where a JSON value ends whose bytes arrive in pieces.

use memchr::memchr2;

/// How deep in a value the scan is. It looks at brackets and strings only; whether the value is sound shows when it is parsed.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

/// Why a body is not a page of records, or not a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// It does not hold an array of objects.
    #[error("the answer is not a JSON array of records")]
    NotAnArray,
    /// It does not hold an object.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// It ends too early.
    #[error("the answer was cut off")]
    CutOff,
}

impl Nesting {
    /// Behind the first bracket of an object or an array.
    pub(super) fn in_brackets() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Behind the first quote of a string.
    pub(super) fn in_string() -> Self {
        Self { in_string: true, ..Self::default() }
    }

    /// How many bytes still belong to the object or array, if its end is among `bytes`.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (end, skipped) =
                if self.in_string { (None, self.skip_string(rest)) } else { self.skip_structure(rest) };
            if let Some(end) = end {
                return Some(at + end);
            }
            at += skipped;
        }
        None
    }

    /// How many bytes still belong to the string, if its end is among `bytes`.
    pub(super) fn end_of_string(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() {
            return None;
        }
        let skipped = self.skip_string(bytes);
        (!self.in_string).then_some(skipped)
    }

    /// Goes to the end of the string, or of `bytes`. Most of a page is in strings, so this is the one loop that must be quick.
    fn skip_string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += found + 1;
            if bytes.get(at - 1) == Some(&b'"') {
                self.in_string = false;
                return at;
            }
            if at == bytes.len() {
                self.escaped = true;
                return at;
            }
            at += 1;
        }
        bytes.len()
    }

    /// Goes to the begin of a string, or to the end of the value, which it gives first, or of `bytes`.
    fn skip_structure(&mut self, bytes: &[u8]) -> (Option<usize>, usize) {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => {
                    self.in_string = true;
                    return (None, at + 1);
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (Some(at + 1), at + 1);
                    }
                }
                _ => {}
            }
        }
        (None, bytes.len())
    }
}
