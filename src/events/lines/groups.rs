//! Entries that belong together: the lines of a stack trace, and the pieces of a line that Docker has cut.

use super::Document;
use super::pattern::Matcher;
use super::trace::Trace;
use crate::config::{By, Multiline};
use crate::lumberjack::LARGEST_EVENT;
use crate::openwhisk::record::{Line, Stream};
use std::collections::VecDeque;

/// Docker hands on a longer line in pieces of so many bytes (docs/facts/openwhisk.md 1.8).
const PIECE: usize = 16 << 10;
/// So many documents of the other stream may come between two entries that belong together.
const MOST_BETWEEN: usize = 64;
/// And so many bytes.
const MOST_BYTES: usize = 4 << 20;

/// Which entries belong together.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    by: Option<Recognised>,
    max_lines: u64,
    max_bytes: usize,
}

#[derive(Debug, Clone)]
enum Recognised {
    AsTrace,
    ByPattern { matcher: Matcher, negate: bool, before: bool },
}

impl Rule {
    /// As configured; without that only the pieces of a line belong together, if `pieces` does not say that nobody cares.
    pub(super) fn new(multiline: Option<&Multiline>, pieces: bool) -> Option<Self> {
        let Some(Multiline { by, max_lines, max_bytes }) = multiline else {
            return pieces.then_some(Self { by: None, max_lines: 1, max_bytes: 0 });
        };
        let by = match by {
            By::Auto => Recognised::AsTrace,
            By::Pattern { pattern, negate, before } => {
                Recognised::ByPattern { matcher: Matcher::new(pattern), negate: *negate, before: *before }
            }
        };
        Some(Self {
            by: Some(by),
            max_lines: u64::from(*max_lines),
            max_bytes: usize::try_from(*max_bytes).unwrap_or(usize::MAX),
        })
    }
}

/// The documents to be, in the order of their first entries. Those of one stream may come between two of the other.
#[derive(Debug, Default)]
pub(super) struct Groups {
    waiting: VecDeque<Group>,
    /// Of their texts.
    bytes: usize,
}

/// Entries that belong together.
#[derive(Debug)]
pub(super) struct Group {
    first: usize,
    last: usize,
    entries: u64,
    /// Entries that are not the rest of a line.
    lines: u64,
    stream: Option<Stream>,
    text: String,
    is_mended: bool,
    is_cut: bool,
    /// More entries may belong to it.
    is_open: bool,
    /// The last entry is a piece of a line, and not the last one.
    ends_in_piece: bool,
    /// The last entry says that the next one belongs to it.
    wants_next: bool,
    trace: Trace,
}

impl Groups {
    /// Takes the next entry: `line` is all of it, `message` what stands behind time and stream.
    pub(super) fn add(
        &mut self,
        rule: &Rule,
        index: usize,
        line: Line<'_>,
        stream: Option<Stream>,
        message: Line<'_>,
    ) {
        let text = message.text();
        let own = self.waiting.iter_mut().find(|group| group.is_open && group.stream == stream);
        if let Some(group) = own {
            if group.joins(rule, &text) {
                group.join(index, &text, line);
                self.bytes += text.len() + 1;
                return;
            }
            group.is_open = false;
        }
        let group = Group::new(rule, index, line, stream, &text);
        self.bytes += group.text.len();
        self.waiting.push_back(group);
        if (self.waiting.len() > MOST_BETWEEN || self.waiting.len() > 1 && self.bytes > MOST_BYTES)
            && let Some(oldest) = self.waiting.front_mut()
        {
            oldest.is_open = false;
        }
    }

    /// Bytes of the texts that wait.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next one that is complete; with `all`, the next one.
    pub(super) fn take(&mut self, all: bool) -> Option<Group> {
        let is_complete = all || self.waiting.front().is_some_and(|group| !group.is_open);
        let group = if is_complete { self.waiting.pop_front() } else { None };
        self.bytes = group.as_ref().map_or(self.bytes, |group| self.bytes.saturating_sub(group.text.len()));
        group
    }
}

impl Group {
    fn new(rule: &Rule, first: usize, line: Line<'_>, stream: Option<Stream>, text: &str) -> Self {
        let mut group = Self {
            first,
            last: first,
            entries: 1,
            lines: 1,
            stream,
            text: line.text().into_owned(),
            is_mended: line.is_mended(),
            is_cut: line.is_cut(),
            is_open: true,
            ends_in_piece: is_piece(text),
            wants_next: false,
            trace: Trace::default(),
        };
        match &rule.by {
            Some(Recognised::AsTrace) => group.trace.begin(text),
            Some(Recognised::ByPattern { matcher, negate, before: true }) => {
                group.wants_next = matcher.is_match(text) != *negate;
            }
            _ => {}
        }
        // Only a piece has a rest.
        group.is_open = rule.by.is_some() || group.ends_in_piece;
        group
    }

    /// Whether the next entry of the stream, with this text, belongs to it.
    fn joins(&mut self, rule: &Rule, text: &str) -> bool {
        if self.ends_in_piece {
            return self.text.len() + text.len() <= LARGEST_EVENT;
        }
        if self.lines >= rule.max_lines || self.text.len() + text.len() >= rule.max_bytes {
            return false;
        }
        let joins = match &rule.by {
            None => false,
            Some(Recognised::AsTrace) => self.trace.goes_on(text),
            Some(Recognised::ByPattern { matcher, negate, before: false }) => {
                matcher.is_match(text) != *negate
            }
            Some(Recognised::ByPattern { matcher, negate, before: true }) => {
                let wanted = self.wants_next;
                self.wants_next = matcher.is_match(text) != *negate;
                wanted
            }
        };
        self.lines += u64::from(joins);
        joins
    }

    fn join(&mut self, index: usize, text: &str, line: Line<'_>) {
        self.last = index;
        if !self.ends_in_piece {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.ends_in_piece = is_piece(text);
        self.entries += 1;
        self.is_mended |= line.is_mended();
        self.is_cut |= line.is_cut();
    }

    /// As a document.
    pub(super) fn document(&self) -> Document<'_> {
        let line = Line::of_text(&self.text, self.is_mended, self.is_cut);
        Document { first: self.first, last: self.last, entries: self.entries, line, parsed: None }
    }
}

fn is_piece(text: &str) -> bool {
    text.len() == PIECE
}
