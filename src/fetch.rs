//! Fetching: every activation of a source in a range of starts, newest first, page by page.
//!
//! The API lists by start, newest first, both ends included, at most 200 rows, and has no cursor. A moving `skip` would jump over rows
//! when new ones arrive, so pages go by time: the next ends where the last one did, and what is seen twice is left out by its id.

use crate::api::{Api, LARGEST_PAGE, Query};
use crate::ports::Failure;
use crate::range::Range;
use crate::record::{ActivationId, Summary};
use std::collections::HashSet;

/// Rows of the first page of full records: at 10 MB of logs a record, fewer are kinder to the controller, which holds a page whole.
const FIRST_PAGE: u32 = 100;
/// Times a page is tried without progress.
const TRIES: u32 = 4;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// Which activation it is; `None` if the row could not be read even for that.
    pub summary: Option<Summary>,
    /// Whether it was seen for the first time.
    pub new: bool,
    /// Whether the walk shall go on.
    pub go_on: bool,
}

/// How far a walk came.
#[derive(Debug)]
pub struct Walked {
    /// Everything that starts later than this was visited; `None` if everything in the range was.
    pub reached: Option<u64>,
    /// Why it did not go on.
    pub failure: Option<Failure>,
}

/// Tells rows that overlapping pages show twice: they are newest first, so only those of the same start can come again.
#[derive(Debug, Default)]
pub struct Edge {
    start: u64,
    ids: HashSet<ActivationId>,
}

/// Walks over the activations of one source.
#[derive(Debug)]
pub struct Walk<'a> {
    api: &'a Api<'a>,
    name: Option<&'a str>,
    docs: bool,
    limit: u32,
}

/// One page, as it was read.
#[derive(Debug, Default)]
struct Page {
    asked: u32,
    rows: u32,
    new: u32,
    /// Start of the oldest row, and how many rows start then.
    oldest: Option<(u64, u64)>,
    halted: bool,
}

impl Edge {
    /// Whether `activation` comes for the first time.
    pub fn first_time(&mut self, activation: Summary) -> bool {
        if activation.start != self.start {
            self.ids.clear();
            self.start = activation.start;
        }
        self.ids.insert(activation.activation_id)
    }
}

impl<'a> Walk<'a> {
    /// A walk over full records, or over summaries.
    pub fn new(api: &'a Api<'a>, name: Option<&'a str>, docs: bool) -> Self {
        Self { api, name, docs, limit: if docs { FIRST_PAGE } else { LARGEST_PAGE } }
    }

    /// Visits all rows in `range`, newest first. A row may be visited again: `visit` says whether it is new.
    pub fn over(&mut self, range: Range, mut visit: impl FnMut(&[u8]) -> Result<Visited, Failure>) -> Walked {
        let mut rest = range;
        let mut tries = 0;
        loop {
            let (page, listed) = self.page(rest, 0, &mut visit);
            let reached = page.oldest.map_or(rest.upto(), |(start, _)| start.min(rest.upto()));
            if page.halted {
                return Walked { reached: Some(reached), failure: None };
            }
            let next = match listed {
                Ok(()) => {
                    tries = 0;
                    self.limit = self.limit.saturating_mul(2).min(self.api.largest_page());
                    self.next_upto(rest, &page, &mut visit)
                }
                Err(failure) => {
                    tries = if page.new > 0 { 1 } else { tries + 1 };
                    self.limit = (self.limit / 2).max(1);
                    if failure.retryable && tries < TRIES && self.api.pause(tries) {
                        Ok(Some(reached))
                    } else {
                        Err(failure)
                    }
                }
            };
            match next {
                Err(failure) => return Walked { reached: Some(reached), failure: Some(failure) },
                Ok(upto) => match upto.and_then(|upto| Range::new(rest.since(), upto)) {
                    Some(left) => rest = left,
                    None => return Walked { reached: None, failure: None },
                },
            }
        }
    }

    /// Where the next page ends; `None` when there is nothing more.
    ///
    /// A page may be short although older rows exist, as the API leaves out rows that it cannot read itself (facts/openwhisk.md 1.2). So
    /// only an empty page ends the walk, or a short one when the count says that there is no more.
    fn next_upto(
        &self,
        rest: Range,
        page: &Page,
        visit: &mut impl FnMut(&[u8]) -> Result<Visited, Failure>,
    ) -> Result<Option<u64>, Failure> {
        let Some((oldest, at_oldest)) = page.oldest else { return Ok(None) };
        if page.rows < page.asked {
            let tail = Range::new(rest.since(), oldest).unwrap_or(rest);
            if self.api.count(self.name, tail)? <= at_oldest {
                return Ok(None);
            }
        }
        if oldest < rest.upto() {
            return Ok(Some(oldest));
        }
        self.rest_of_millisecond(rest.upto(), page.asked, visit)?;
        Ok(rest.upto().checked_sub(1))
    }

    /// Visits what starts at `ms` and did not fit on the page: here `skip` is the only way.
    fn rest_of_millisecond(
        &self,
        ms: u64,
        first_page: u32,
        visit: &mut impl FnMut(&[u8]) -> Result<Visited, Failure>,
    ) -> Result<(), Failure> {
        let Some(only) = Range::new(ms, ms) else { return Ok(()) };
        let mut skip = u64::from(first_page);
        loop {
            let (page, listed) = self.page(only, skip, visit);
            listed?;
            if page.halted {
                return Err(Failure::passing("stopped among activations that start in the same millisecond"));
            }
            if page.rows == 0 {
                return Ok(());
            }
            skip += u64::from(page.asked);
        }
    }

    fn page(
        &self,
        range: Range,
        skip: u64,
        visit: &mut impl FnMut(&[u8]) -> Result<Visited, Failure>,
    ) -> (Page, Result<(), Failure>) {
        let limit = self.limit.min(self.api.largest_page());
        let mut page = Page { asked: limit, ..Page::default() };
        let query = Query { name: self.name, range, limit, skip, docs: self.docs };
        let listed = self.api.list(query, |json| {
            let visited = visit(json)?;
            page.rows += 1;
            page.new += u32::from(visited.new);
            page.halted |= !visited.go_on;
            if let Some(Summary { start, .. }) = visited.summary {
                page.oldest = match page.oldest {
                    Some((oldest, rows)) if oldest == start => Some((oldest, rows + 1)),
                    Some((oldest, rows)) if oldest < start => Some((oldest, rows)),
                    _ => Some((start, 1)),
                };
            }
            Ok(visited.go_on)
        });
        (page, listed)
    }
}
