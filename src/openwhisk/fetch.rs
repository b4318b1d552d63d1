//! Fetching: every activation of a source in a range of starts, newest first, page by page.
//!
//! The API lists by start, newest first, both ends included, at most 200 rows, and has no cursor. A moving `skip` would show rows twice
//! when new ones arrive and jump over some when others are deleted, so pages go by time: the next page ends where the last one began, and
//! ids identify the rows that are seen twice.

mod page;

use crate::openwhisk::api::{Api, LARGEST_PAGE, Query};
use crate::openwhisk::record::{ActivationId, Row, Summary};
use crate::ports::Failure;
use crate::range::Range;
use page::{Page, RowBuffer};
use std::collections::HashSet;

/// Rows of the first page of full records: at 10 MB of logs a record, fewer are kinder to the controller, which holds a page whole.
pub const FIRST_PAGE: u32 = 100;
/// Times a page is tried without progress, once it is as small as can be; before that it is halved.
const TRIES: u32 = 3;
/// Records that are stepped over one behind the other. If not one of the next can be had either, the API is at fault and not the records.
const MOST_STEPS: u32 = 8;

/// A find of a walk.
#[derive(Debug, Clone, Copy)]
pub enum Met<'r> {
    /// A row of a list.
    Row(Row<'r>),
    /// A record with which the API gives no page: its summary as JSON, and the reason.
    SteppedOver(&'r [u8], &'r Failure),
}

/// The outcome of a visit to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// The activation; `None` if the row could not even be read for that.
    pub summary: Option<Summary>,
    /// Whether the walk should continue.
    pub go_on: bool,
}

/// The progress of a walk.
#[derive(Debug)]
pub struct Walked {
    /// Everything that starts later than this was visited; `None` if everything in the range was.
    pub reached: Option<u64>,
    /// Why it did not continue.
    pub failure: Option<Failure>,
}

/// Recognises rows that overlapping pages show twice: they are newest first, so only those of the same start can come again.
#[derive(Debug, Default)]
pub struct OverlapFilter {
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
    /// Rows of a page that may still succeed: half of one that failed.
    ceiling: u32,
    held: RowBuffer,
    /// What was asked for ahead of time.
    guess: Option<Query<'a>>,
    /// Whether to step over a record that cannot be had, and how many were since the last one that could.
    steps: bool,
    stepped: u32,
    /// Rows that there should be, if somebody knows, and how many different ones there were.
    expected: Option<u64>,
    seen: u64,
    /// What starts earlier is known: the walk has come to its end when it meets something of it.
    known_before: Option<u64>,
    /// Rows that were met beside those: rests of milliseconds, and records that were stepped over. Some may have come twice.
    beside: u64,
    /// Pages one behind the other that were empty although the count said that there is more.
    hollow: u32,
    /// The last of them was believed all the same.
    unshown: bool,
}

/// How to go on after a page.
enum Next {
    /// With a page that ends here.
    Page(u64),
    /// With what starts in this millisecond, without so many rows of it.
    RestOf(u64, u64),
    /// There is nothing more.
    Nothing,
    /// Not at all: the visitor has had enough. All that starts later than this was visited.
    Halted(u64),
}

impl<'r> Met<'r> {
    /// The row or summary as JSON.
    pub fn json(self) -> &'r [u8] {
        match self {
            Self::Row(row) => row.json,
            Self::SteppedOver(json, _) => json,
        }
    }
}

impl OverlapFilter {
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
        let limit = if docs { FIRST_PAGE } else { LARGEST_PAGE };
        Self {
            api,
            name,
            docs,
            limit,
            ceiling: LARGEST_PAGE,
            held: RowBuffer::default(),
            guess: None,
            steps: false,
            stepped: 0,
            expected: None,
            known_before: None,
            seen: 0,
            beside: 0,
            hollow: 0,
            unshown: false,
        }
    }

    /// The same, with so many rows on the first page.
    pub fn beginning_with(self, rows: u32) -> Self {
        Self { limit: rows, ..self }
    }

    /// The same, over a range in which there should be so many rows.
    pub fn expecting(self, rows: Option<u64>) -> Self {
        Self { expected: rows, ..self }
    }

    /// The same, to end as soon as it has met anything that starts before `since`, as that is known.
    pub fn known_before(self, since: u64) -> Self {
        Self { known_before: Some(since), ..self }
    }

    /// Rows that the next page would have, which another walk over such records may begin with.
    pub fn rows(&self) -> u32 {
        self.limit.max(FIRST_PAGE)
    }

    /// The first page of a walk over `range`, for callers that ask for it ahead of time.
    pub fn first(&self, range: Range) -> Query<'a> {
        let limit = self.limit.min(self.api.largest_page());
        Query { name: self.name, range, limit, skip: 0, docs: self.docs }
    }

    /// Whether a walk that came to its end met fewer rows than expected or counted: some were deleted meanwhile, or the API leaves them out.
    pub fn fell_short(&self) -> bool {
        self.unshown || self.expected.is_some_and(|expected| self.seen.saturating_add(self.beside) < expected)
    }

    /// Visits all rows in `range`, newest first. A row may come again: `visit` decides whether it is new.
    pub fn over(&mut self, range: Range, mut visit: impl FnMut(Row<'_>) -> Visited) -> Walked {
        self.rows_in(range, |met| match met {
            Met::Row(row) => visit(row),
            Met::SteppedOver(json, _) => visit(Row::whole(json)),
        })
    }

    /// The same, but the walk steps over a record with which the API gives no page: it visits only the summary.
    pub fn stepping_over(&mut self, range: Range, visit: impl FnMut(Met<'_>) -> Visited) -> Walked {
        self.steps = true;
        self.rows_in(range, visit)
    }

    fn rows_in(&mut self, range: Range, mut visit: impl FnMut(Met<'_>) -> Visited) -> Walked {
        let walked = self.pages_of(range, &mut visit);
        self.forget_guess();
        walked
    }

    fn pages_of(&mut self, range: Range, visit: &mut dyn FnMut(Met<'_>) -> Visited) -> Walked {
        let mut rest = range;
        let mut again = 0;
        loop {
            let (page, listed) = self.patiently(rest, 0, visit);
            // The next page shows those that start with the oldest again.
            self.seen += page.readable.saturating_sub(again);
            again = page.oldest.map_or(0, |(_, rows)| rows);
            let reached = page.oldest.map_or(rest.upto(), |(start, _)| start.min(rest.upto()));
            let next = match listed {
                Ok(()) if page.halted => return Walked { reached: Some(reached), failure: None },
                Ok(()) => self.next_upto(rest, &page),
                // What came before it broke off is done: the next page ends there.
                Err(_) if reached < rest.upto() => Ok(Next::Page(reached)),
                Err(failure) => self.step_over(rest, 0, &page, failure, visit).map(|stepped| match stepped {
                    Visited { summary: Some(Summary { start, .. }), go_on: true } => Next::RestOf(start, 1),
                    Visited { summary, .. } => Next::Halted(summary.map_or(reached, |summary| summary.start)),
                }),
            };
            let next = match next {
                Ok(Next::RestOf(ms, skip)) => match self.rest_of_millisecond(ms, skip, visit) {
                    Ok(true) => Ok(Next::Halted(ms)),
                    Ok(false) => Ok(ms.checked_sub(1).map_or(Next::Nothing, Next::Page)),
                    Err(failure) => return Walked { reached: Some(ms), failure: Some(failure) },
                },
                next => next,
            };
            let upto = match next {
                Ok(Next::Page(upto) | Next::RestOf(upto, _)) => upto,
                Ok(Next::Nothing) => return Walked { reached: None, failure: None },
                Ok(Next::Halted(reached)) => return Walked { reached: Some(reached), failure: None },
                Err(failure) => return Walked { reached: Some(reached), failure: Some(failure) },
            };
            match Range::new(rest.since(), upto) {
                Some(left) => rest = left,
                None => return Walked { reached: None, failure: None },
            }
        }
    }

    /// One page; tried again with fewer rows as long as it fails and brings nothing. A controller holds a page as a whole, and some stores
    /// fail above a size (docs/facts/openwhisk.md 1.2).
    fn patiently(
        &mut self,
        range: Range,
        skip: u64,
        visit: &mut dyn FnMut(Met<'_>) -> Visited,
    ) -> (Page, Result<(), Failure>) {
        let mut tries = 0;
        loop {
            let (page, listed) = self.page(range, skip, visit);
            let Err(failure) = &listed else {
                // It was small because of a record that is behind us.
                if self.stepped > 0 && page.rows > 0 {
                    (self.stepped, self.ceiling) = (0, LARGEST_PAGE);
                }
                self.limit = self.rows_after(&page);
                return (page, listed);
            };
            tries += u32::from(page.asked == 1);
            self.ceiling = (page.asked / 2).max(1);
            self.limit = self.ceiling;
            let progress = page.oldest.is_some_and(|(start, _)| start < range.upto());
            if progress || page.halted || !failure.retryable || tries >= TRIES || !self.api.pause(tries + 1) {
                return (page, listed);
            }
        }
    }

    /// How to go on after a page.
    ///
    /// A page may be short although older rows exist, as the API leaves out rows that it cannot read itself (docs/facts/openwhisk.md 1.2). So
    /// a page that stays empty ends the walk, or a short one when there were as many rows as expected, or when the count says that there is no
    /// more. One that is empty although the count says otherwise is asked for again: a gateway may have given it.
    fn next_upto(&mut self, rest: Range, page: &Page) -> Result<Next, Failure> {
        if page.rows == 0 {
            let is_nothing = self.is_nothing(rest, 0)?;
            return Ok(if is_nothing { Next::Nothing } else { Next::Page(rest.upto()) });
        }
        self.hollow = 0;
        // Records of which not even the start can be read are passed over with the help of their summaries.
        let Some((oldest, at_oldest)) = (match page.oldest {
            Some(oldest) => Some(oldest),
            None => self.oldest_summary(rest, page.asked)?,
        }) else {
            let message =
                format!("none of the {} records of a page could be read; is `api.host` right?", page.rows);
            return Err(Failure::passing(message));
        };
        if oldest > rest.upto() {
            return Err(not_asked_for());
        }
        if self.is_known(oldest) {
            return Ok(Next::Nothing);
        }
        if page.rows < page.asked {
            if self.is_all() {
                return Ok(Next::Nothing);
            }
            let tail = Range::new(rest.since(), oldest).unwrap_or(rest);
            if self.api.count(self.name, tail)? <= at_oldest {
                return Ok(Next::Nothing);
            }
        }
        if oldest < rest.upto() {
            return Ok(Next::Page(oldest));
        }
        Ok(Next::RestOf(rest.upto(), u64::from(page.asked)))
    }

    /// Whether there were as many rows as expected.
    fn is_all(&self) -> bool {
        self.expected.is_some_and(|expected| self.seen >= expected)
    }

    /// Whether nothing of interest starts as early.
    fn is_known(&self, start: u64) -> bool {
        self.known_before.is_some_and(|since| start < since)
    }

    /// Whether an empty page of `range` without its first `skip` rows says that there is nothing more. If not, it is to be asked for again.
    fn is_nothing(&mut self, range: Range, skip: u64) -> Result<bool, Failure> {
        self.hollow += 1;
        if self.is_all() || self.api.count(self.name, range)? <= skip {
            return Ok(true);
        }
        if self.hollow >= TRIES {
            self.unshown = true;
            return Ok(true);
        }
        if self.api.pause(self.hollow) {
            return Ok(false);
        }
        Err(Failure::passing("a page is empty although there are activations"))
    }

    /// Steps over the first record of a `page` that failed although that is the only one on it. Its summary tells which it is; where that cannot be
    /// had either, or there were many such records, it is not the record's fault.
    fn step_over(
        &mut self,
        range: Range,
        skip: u64,
        page: &Page,
        failure: Failure,
        visit: &mut dyn FnMut(Met<'_>) -> Visited,
    ) -> Result<Visited, Failure> {
        if !self.steps || page.asked > 1 || page.halted || self.stepped >= MOST_STEPS {
            return Err(failure);
        }
        let mut row = Vec::new();
        let query = Query { limit: 1, skip, docs: false, ..self.first(range) };
        let listed = self.api.list(query, |first| {
            row.extend_from_slice(first.json);
            false
        });
        if listed.is_err() || Summary::parse(&row).is_err() {
            return Err(failure);
        }
        self.stepped += 1;
        self.beside += 1;
        Ok(visit(Met::SteppedOver(&row, &failure)))
    }

    fn oldest_summary(&self, range: Range, rows: u32) -> Result<Option<(u64, u64)>, Failure> {
        let mut summaries = Walk::new(self.api, self.name, false).beginning_with(rows);
        let (page, listed) = summaries.page(range, 0, &mut |met: Met<'_>| Visited {
            summary: Summary::parse(met.json()).ok(),
            go_on: true,
        });
        summaries.forget_guess();
        listed.map(|()| page.oldest)
    }

    /// Visits what starts at `ms` but for the first `skip` rows: here that is the only way. Says whether it was halted.
    fn rest_of_millisecond(
        &mut self,
        ms: u64,
        mut skip: u64,
        visit: &mut dyn FnMut(Met<'_>) -> Visited,
    ) -> Result<bool, Failure> {
        let Some(only) = Range::new(ms, ms) else { return Ok(false) };
        loop {
            let (page, listed) = self.patiently(only, skip, visit);
            self.beside += page.readable;
            if page.halted {
                return Ok(true);
            }
            if let Err(failure) = listed {
                if !self.step_over(only, skip, &page, failure, visit)?.go_on {
                    return Ok(true);
                }
                skip += 1;
                continue;
            }
            if page.rows == 0 {
                if self.is_nothing(only, skip)? {
                    return Ok(false);
                }
                continue;
            }
            self.hollow = 0;
            if page.oldest.is_some_and(|(start, rows)| start != ms || rows < page.readable) {
                return Err(not_asked_for());
            }
            skip += u64::from(page.asked);
        }
    }
}

/// An answer to another question, as a cache gives that forgets what was asked: to go on would be for ever.
fn not_asked_for() -> Failure {
    Failure::passing(
        "the list of activations shows other ones than were asked for; does a cache answer in place of the API?",
    )
}

#[cfg(test)]
mod tests;
