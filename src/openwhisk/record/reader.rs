//! Reads the entries of one record that arrives in pieces, of any size: one entry is kept at a time, and no more of it than an event can hold.

use super::ActivationId;
use super::entry::{Entry, Line};
use super::nesting::SplitError;
use super::outline::{Outline, Part};
use crate::lumberjack::LARGEST_EVENT;

/// How much of an entry is kept, in bytes of JSON: more than fits an event, so that what is left out would be cut off anyway.
const KEPT: usize = LARGEST_EVENT + (64 << 10);
/// How much of the id is kept, in bytes: more than it has.
const KEPT_OF_ID: usize = 256;

/// Finds the entries of one record, or of an answer of `/logs`. Feed it the body's pieces, then `finish` it.
#[derive(Debug, Default)]
pub struct EntryReader {
    outline: Outline,
    value: Value,
    content: Content,
}

/// The contents of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content {
    /// How many entries it had.
    pub entries: usize,
    /// Whether it had `logs`.
    pub has_logs: bool,
    /// Whose record it is, if it said so.
    pub id: Option<ActivationId>,
}

/// A value whose end has not arrived.
#[derive(Debug, Default)]
struct Value {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl EntryReader {
    /// Takes the next piece and hands every entry that is now complete to `visit`, with its index, until that returns `false`. Says whether
    /// it did not.
    pub fn feed(
        &mut self,
        piece: &[u8],
        mut visit: impl FnMut(usize, Line<'_>) -> bool,
    ) -> Result<bool, SplitError> {
        let Self { outline, value, content } = self;
        outline.feed(piece, |key, part| match part {
            Part::Logs => {
                content.has_logs = true;
                true
            }
            Part::Entry { bytes, last } => value
                .add(KEPT, bytes, last, |json, is_cut| content.entry(json, is_cut, &mut visit))
                .unwrap_or(true),
            // `logs` that are not a list are one entry, as they are in a record that is read as a whole.
            Part::Member { bytes, last } if key == b"logs" && !content.has_logs => {
                let whole = value.add(KEPT, bytes, last, |json, is_cut| {
                    content.has_logs = true;
                    json == b"null" || content.entry(json, is_cut, &mut visit)
                });
                whole.unwrap_or(true)
            }
            Part::Member { bytes, last } => {
                if key == b"activationId" {
                    value.add(KEPT_OF_ID, bytes, last, |json, _| {
                        content.id = serde_json::from_slice(json).ok()
                    });
                }
                true
            }
        })
    }

    /// Returns the contents, if the answer was complete.
    pub fn finish(self) -> Result<Content, SplitError> {
        self.outline.finish().map(|()| self.content)
    }
}

impl Content {
    fn entry(&mut self, json: &[u8], is_cut: bool, visit: &mut impl FnMut(usize, Line<'_>) -> bool) -> bool {
        let index = self.entries;
        self.entries += 1;
        if is_cut {
            Entry::cut(json, |line| visit(index, line))
        } else {
            visit(index, Entry::of(json).line())
        }
    }
}

impl Value {
    /// Adds a piece of it, as long as there are no more than so many bytes. When that was the last one, `take` gets all, and whether some is missing.
    fn add<T>(
        &mut self,
        most: usize,
        piece: &[u8],
        last: bool,
        take: impl FnOnce(&[u8], bool) -> T,
    ) -> Option<T> {
        let room = most.saturating_sub(self.bytes.len());
        let kept = piece.get(..room).unwrap_or(piece);
        self.is_cut |= kept.len() < piece.len();
        if last && self.bytes.is_empty() {
            return Some(take(kept, std::mem::take(&mut self.is_cut)));
        }
        self.bytes.extend_from_slice(kept);
        last.then(|| {
            let taken = take(&self.bytes, std::mem::take(&mut self.is_cut));
            self.bytes.clear();
            taken
        })
    }
}
