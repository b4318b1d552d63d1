//! Ranges that no look-back of a later run reaches: no run will look again for an activation that the list does not show there now.
//!
//! A list or a count may show the index as of the question before, which can be hours old, and only then bring it up to date
//! (docs/facts/openwhisk.md 1.7). So such a range is listed only when its count no longer changes.

use crate::openwhisk::api::{Api, Query};
use crate::ports::{Clock, Failure};

/// Time between two counts that must be the same, in milliseconds, and how often that is tried.
const INDEXING_MS: u64 = 500;
const TRIES: u32 = 5;

/// What the counts of a range say of the index.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// It is at rest, with so many activations in the range.
    AtRest(u64),
    /// It moves all the time, as where much is going on: nobody can wait for that.
    Moving,
    /// There is no time to find out.
    Unknown,
}

/// Counts a range until the count is the same as half a second before. `planned` is the count when the run was planned, if there was one,
/// and the time of that count. It asks for the `first` page of the range at the same time: that page shows the counted activations, if the
/// count is the right one.
pub(super) fn count_at_rest(
    api: &Api<'_>,
    clock: &dyn Clock,
    (planned, asked_ms): (Option<u64>, u64),
    first: Query<'_>,
) -> Result<Index, Failure> {
    let (mut before, mut asked_ms) = (planned, asked_ms);
    for _ in 0..TRIES {
        if before.is_some() {
            let left = INDEXING_MS.saturating_sub(clock.now_ms().saturating_sub(asked_ms));
            if !api.wait(left) {
                return Ok(Index::Unknown);
            }
            api.list_ahead(first);
        }
        asked_ms = clock.now_ms();
        let count = api.count(first.name, first.range)?;
        if before == Some(count) {
            return Ok(Index::AtRest(count));
        }
        api.forget_ahead();
        before = Some(count);
    }
    Ok(Index::Moving)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Http, Ports, Request, Response};
    use crate::range::Range;
    use crate::testing::{NoReceiver, answer};
    use std::cell::{Cell, RefCell};

    /// An API whose index moves: each count is the next of these, the last one again and again.
    struct Moves {
        counts: RefCell<Vec<u64>>,
        now_ms: Cell<u64>,
        asked: RefCell<Vec<String>>,
    }

    impl Http for Moves {
        fn send(&self, request: &Request) -> Result<Response, Failure> {
            let counts = request.target.ends_with("count=true");
            let what = if counts { "count" } else { "page" };
            self.asked.borrow_mut().push(format!("{what} at {}", self.now_ms.get()));
            let body = if counts {
                let mut counts = self.counts.borrow_mut();
                let count = if counts.len() > 1 { counts.remove(0) } else { counts[0] };
                format!(r#"{{"activations":{count}}}"#)
            } else {
                "[]".into()
            };
            Ok(answer(200, body.into_bytes()))
        }
    }

    impl Clock for Moves {
        fn now_ms(&self) -> u64 {
            self.now_ms.get()
        }
        fn sleep_ms(&self, ms: u64) {
            self.now_ms.set(self.now_ms.get() + ms);
        }
        fn random(&self) -> u64 {
            7
        }
    }

    /// What is counted in the end, and what was asked for; then the first page is listed.
    fn count(planned: Option<u64>, asked_ms: u64, counts: &[u64]) -> (Index, Vec<String>) {
        counted(planned, asked_ms, counts, u64::MAX)
    }

    fn counted(planned: Option<u64>, asked_ms: u64, counts: &[u64], stop_ms: u64) -> (Index, Vec<String>) {
        let index = Moves {
            counts: RefCell::new(counts.to_vec()),
            now_ms: Cell::new(10_000),
            asked: RefCell::default(),
        };
        let api = Api::new(Ports { clock: &index, http: &index, transport: &NoReceiver }, stop_ms);
        let range = Range::new(1, 9).unwrap();
        let first = Query { name: None, range, limit: 100, skip: 0, docs: true };
        let count = count_at_rest(&api, &index, (planned, asked_ms), first).unwrap();
        if count != Index::Unknown {
            api.list(first, |_| true).unwrap();
        }
        (count, index.asked.take())
    }

    #[test]
    fn a_count_that_is_the_same_half_a_second_later_comes_with_the_first_page() {
        assert_eq!(
            count(Some(5), 9_000, &[5]),
            (Index::AtRest(5), vec!["page at 10000".into(), "count at 10000".into()])
        );
        assert_eq!(
            count(Some(5), 9_900, &[5]),
            (Index::AtRest(5), vec!["page at 10400".into(), "count at 10400".into()]),
            "not earlier"
        );
    }

    #[test]
    fn while_the_index_moves_it_is_waited_for_and_what_it_showed_meanwhile_is_not_used() {
        let (counted, asked) = count(Some(5), 9_000, &[6, 8, 8]);
        assert_eq!(counted, Index::AtRest(8));
        let pages = [
            "page at 10000",
            "count at 10000",
            "page at 10500",
            "count at 10500",
            "page at 11000",
            "count at 11000",
        ];
        assert_eq!(asked, pages, "the page of the last count is the one that is listed");
    }

    #[test]
    fn what_was_not_counted_when_the_run_was_planned_is_counted_twice() {
        let (counted, asked) = count(None, 9_000, &[3]);
        assert_eq!(
            (counted, asked),
            (
                Index::AtRest(3),
                vec!["count at 10000".into(), "page at 10500".into(), "count at 10500".into()]
            )
        );
    }

    #[test]
    fn an_index_that_never_comes_to_rest_holds_nobody_up_for_long() {
        let (counted, asked) = count(Some(0), 0, &[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            (counted, asked.last().unwrap().as_str()),
            (Index::Moving, "page at 12000"),
            "listed anew"
        );
    }

    #[test]
    fn where_there_is_no_time_to_wait_nothing_is_believed_and_nothing_listed() {
        assert_eq!(counted(Some(0), 9_900, &[0], 10_300), (Index::Unknown, Vec::new()));
        let (index, asked) = counted(Some(5), 9_000, &[0], 10_300);
        assert_eq!(
            (index, asked.len()),
            (Index::Unknown, 2),
            "asked once, and not again half a second later"
        );
    }
}
