//! The remains of a record that is too large: enough to identify it and to know whether it has log lines, as sound JSON.

use super::outline::{Outline, Part};

/// The members that are kept. All others are for nobody here; `logs` come out empty.
const KEPT: [&[u8]; 9] = [
    b"activationId",
    b"namespace",
    b"name",
    b"start",
    b"end",
    b"annotations",
    b"version",
    b"cause",
    b"response",
];
/// Largest value kept of each, in bytes.
const LARGEST_VALUE: usize = 256 << 10;

/// Takes the bytes of one object and keeps an object with some of its members.
#[derive(Debug, Default)]
pub(super) struct Hollow {
    outline: Outline,
    /// The object, without its end.
    kept: Vec<u8>,
    /// A value of which the end has not arrived.
    value: Vec<u8>,
    broken: bool,
    bytes: usize,
}

impl Hollow {
    /// Takes the next bytes. What comes after a place that is not JSON is not kept.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.broken {
            return;
        }
        let Self { outline, kept, value, .. } = self;
        let fed = outline.feed(bytes, |key, part| {
            if let Part::Member { bytes, last } = part
                && KEPT.contains(&key)
            {
                let room = (LARGEST_VALUE + 1).saturating_sub(value.len());
                value.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                if last {
                    if value.len() <= LARGEST_VALUE {
                        kept.push(if kept.is_empty() { b'{' } else { b',' });
                        kept.extend_from_slice(&[b"\"", key, b"\":", value.as_slice()].concat());
                    }
                    value.clear();
                }
            }
            true
        });
        self.broken = fed.is_err();
    }

    /// How many bytes it was given.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The object.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.kept.push(if self.kept.is_empty() { b'{' } else { b',' });
        self.kept.extend_from_slice(br#""logs":[]}"#);
        self.kept
    }
}
