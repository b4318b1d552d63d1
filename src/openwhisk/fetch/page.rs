//! One page of a walk. The walk holds its last rows back until it has asked for the page that is likely to be next, and works through them
//! while that page is on its way.

use super::{Met, Visited, Walk};
use crate::openwhisk::api::Query;
use crate::openwhisk::record::{Row, Summary};
use crate::ports::Failure;
use crate::range::Range;

/// What a page of full records should hold at most, in bytes of JSON: more is read all the same, but the next one asks for fewer rows.
const PAGE_BYTES: u64 = 8 << 20;
/// How many bytes of rows, the last ones of a page, are held back until the next page is asked for.
const HELD_BYTES: usize = 256 << 10;

/// One page, as it was read.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) asked: u32,
    pub(super) rows: u32,
    bytes: u64,
    /// Rows of which at least id and start could be read.
    pub(super) readable: u64,
    /// Start of the oldest row, and how many rows start then.
    pub(super) oldest: Option<(u64, u64)>,
    pub(super) halted: bool,
}

/// Rows that were read and not visited yet: the time that takes is that of the next page on its way.
#[derive(Debug, Default)]
pub(super) struct RowBuffer {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowBuffer {
    /// Whether the row can be held back: with those that are, and as one that is whole.
    fn has_room_for(&self, row: Row<'_>) -> bool {
        row.is_whole && self.bytes.len() + row.json.len() <= HELD_BYTES
    }

    fn push(&mut self, row: Row<'_>) {
        self.bytes.extend_from_slice(row.json);
        self.ends.push(self.bytes.len());
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        (0..self.ends.len()).map(|row| {
            let begin = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
            let end = self.ends.get(row).copied().unwrap_or(begin);
            Row::whole(self.bytes.get(begin..end).unwrap_or_default())
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Page {
    /// Rows to ask for next: twice as many while that is likely to fit the budget, fewer when this page was over it.
    fn next_rows(&self) -> u32 {
        let asked = u64::from(self.asked);
        let rows = match self.bytes {
            small if small <= PAGE_BYTES / 2 => asked * 2,
            large if large > PAGE_BYTES => asked * PAGE_BYTES / large,
            _ => asked,
        };
        u32::try_from(rows).unwrap_or(u32::MAX).max(1)
    }

    /// Visits the rows that were held back.
    fn visit(&mut self, held: &mut RowBuffer, visit: &mut dyn FnMut(Met<'_>) -> Visited) {
        for row in held.rows() {
            if self.halted {
                break;
            }
            self.note(visit(Met::Row(row)));
        }
        held.clear();
    }

    fn note(&mut self, visited: Visited) {
        self.halted |= !visited.go_on;
        if let Some(Summary { start, .. }) = visited.summary {
            self.readable += 1;
            self.oldest = match self.oldest {
                Some((oldest, rows)) if oldest == start => Some((oldest, rows + 1)),
                Some((oldest, rows)) if oldest < start => Some((oldest, rows)),
                _ => Some((start, 1)),
            };
        }
    }
}

impl Walk<'_> {
    /// One page. When it has been read, and before its last rows are visited, the page that is likely to be next is asked for.
    pub(super) fn page(
        &mut self,
        range: Range,
        skip: u64,
        visit: &mut dyn FnMut(Met<'_>) -> Visited,
    ) -> (Page, Result<(), Failure>) {
        let query = Query { skip, ..self.first(range) };
        if self.guess != Some(query) {
            self.forget_guess();
        }
        let mut page = Page { asked: query.limit, ..Page::default() };
        let mut held = std::mem::take(&mut self.held);
        let listed = self.api.list(query, |row| {
            page.rows += 1;
            page.bytes += u64::try_from(row.bytes).unwrap_or(u64::MAX);
            if !held.has_room_for(row) {
                page.visit(&mut held, visit);
            }
            if held.has_room_for(row) {
                held.push(row);
            } else if !page.halted {
                page.note(visit(Met::Row(row)));
            }
            !page.halted
        });
        if listed.is_ok() && skip == 0 {
            self.ask_next(range, &page, &held);
        }
        page.visit(&mut held, visit);
        self.held = held;
        (page, listed)
    }

    /// Asks for the page after this one, if it is plain where that begins: if not, [`next_upto`](Self::next_upto) finds out.
    fn ask_next(&mut self, range: Range, page: &Page, held: &RowBuffer) {
        let last = held.rows().next_back().and_then(|row| Summary::parse(row.json).ok()).map(|row| row.start);
        let Some(oldest) = last.or(page.oldest.map(|(start, _)| start)) else { return };
        if page.halted || page.rows < page.asked || oldest >= range.upto() || self.is_known(oldest) {
            return;
        }
        if let Some(rest) = Range::new(range.since(), oldest) {
            let guess = Query { limit: self.rows_after(page), ..self.first(rest) };
            self.api.list_ahead(guess);
            self.guess = Some(guess);
        }
    }

    /// What was asked for ahead of time and is not wanted is not waited for either.
    pub(super) fn forget_guess(&mut self) {
        if let Some(guess) = self.guess.take() {
            self.api.forget_list(guess);
        }
    }

    pub(super) fn rows_after(&self, page: &Page) -> u32 {
        page.next_rows().min(self.ceiling).min(self.api.largest_page())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_too_large_to_be_held_back_are_visited_as_they_come() {
        let mut held = RowBuffer::default();
        assert!(
            held.has_room_for(Row::whole(&[0; HELD_BYTES]))
                && !held.has_room_for(Row::whole(&[0; HELD_BYTES + 1]))
        );
        assert!(!held.has_room_for(Row { is_whole: false, ..Row::whole(b"hollow") }));
        held.push(Row::whole(b"one"));
        held.push(Row::whole(b"two"));
        assert!(
            held.rows().eq([Row::whole(b"one"), Row::whole(b"two")])
                && !held.has_room_for(Row::whole(&[0; HELD_BYTES]))
        );
    }

    #[test]
    fn pages_grow_while_they_are_small_and_shrink_when_they_are_too_large() {
        let next = |asked, bytes| Page { asked, bytes, ..Page::default() }.next_rows();
        assert_eq!(next(100, 1 << 20), 200);
        assert_eq!(next(100, 6 << 20), 100);
        assert_eq!(next(100, 32 << 20), 25);
        assert_eq!(next(2, 1 << 40), 1);
    }
}
