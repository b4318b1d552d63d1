//! Counts of activations. An API that is older than `count=true` does not know the parameter, and answers with the list: then the core
//! counts its rows. An empty list in its place may come from a gateway; it is from such an API only if the API lists something for another
//! count.

use super::{Api, Query, Question, WHOLE_BODY, of, read_body};
use crate::openwhisk::record::{Splitter, Summary};
use crate::ports::Failure;
use crate::range::Range;
use serde::Deserialize;

/// Rows of a list that was not asked for a number of rows (docs/facts/openwhisk.md 1.1). Fewer are all that there are.
const DEFAULT_ROWS: u64 = 30;

/// What the API says to `count=true`.
enum Answer {
    Count(u64),
    /// So many rows of the list, in its place.
    Rows(u64),
}

impl Api<'_> {
    /// How many activations (of `name`, if given) start within `range`. Like the list, it may be behind by one question (docs/facts/openwhisk.md 1.7).
    pub fn count(&self, name: Option<&str>, range: Range) -> Result<u64, Failure> {
        self.retrying(|| self.count_once(name, range))
    }

    /// The same, with one try.
    pub fn count_once(&self, name: Option<&str>, range: Range) -> Result<u64, Failure> {
        match self.ask_count(name, range)? {
            Answer::Count(count) => Ok(count),
            Answer::Rows(0) => self.believe_nothing(name, range),
            Answer::Rows(rows) if rows < DEFAULT_ROWS => Ok(rows),
            Answer::Rows(_) => self.count_rows(name, range),
        }
    }

    /// Asks for a count that nobody needs: it brings the API's index up to date (docs/facts/openwhisk.md 1.7).
    pub fn refresh(&self, name: Option<&str>, range: Range) -> Result<(), Failure> {
        self.retrying(|| self.ask_count(name, range).map(|_| ()))
    }

    fn ask_count(&self, name: Option<&str>, range: Range) -> Result<Answer, Failure> {
        #[derive(Deserialize)]
        struct Count {
            activations: u64,
        }
        let what = format!("the count of activations{}", of(name));
        let mut response = self.get(&Question::Count(name, range).target(), &what)?;
        let body = read_body(&mut response, WHOLE_BODY)?;
        if !body.trim_ascii_start().starts_with(b"[") {
            return super::object(&body, &what).map(|Count { activations }| Answer::Count(activations));
        }
        let (mut splitter, mut rows, mut outside) = (Splitter::default(), 0, false);
        let read = splitter.feed(&body, |row| {
            rows += 1;
            outside |= Summary::parse(row.json).is_ok_and(|row| !range.contains(row.start));
            Ok::<(), crate::openwhisk::record::SplitError>(())
        });
        read.and_then(|()| splitter.finish())
            .map_err(|error| Failure::passing(format!("{what}: {error}")))?;
        if outside {
            return Err(Failure::passing(format!(
                "{what}: the answer lists other activations than were asked for; does a cache answer in place of the API?"
            )));
        }
        Ok(Answer::Rows(rows))
    }

    /// Whether `[]` was a count: some gateways say it to everything while the API is away, and what is not there is never asked for again. An
    /// API that does not know `count=true` lists rows if it is asked to count all that there is.
    fn believe_nothing(&self, name: Option<&str>, range: Range) -> Result<u64, Failure> {
        let upto = range.upto().max(self.ports.clock.now_ms());
        match Range::new(0, upto).map(|all| self.ask_count(None, all)).transpose()? {
            Some(Answer::Rows(rows)) if rows > 0 => Ok(0),
            _ => Err(Failure::passing(format!(
                "the count of activations{}: the answer is an empty list, which an OpenWhisk API never gives; does a gateway answer in its place?",
                of(name)
            ))),
        }
    }

    /// Counts page by page.
    fn count_rows(&self, name: Option<&str>, range: Range) -> Result<u64, Failure> {
        let mut rows = 0;
        loop {
            let query = Query { name, range, limit: self.largest_page(), skip: rows, docs: false };
            let before = rows;
            self.list(query, |_| {
                rows += 1;
                true
            })?;
            if rows - before < u64::from(query.limit) {
                return Ok(rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Clock, Http, Ports, Request, Response};
    use crate::testing::{NoReceiver, answer};
    use std::cell::RefCell;

    /// An old API with so many activations, that start at 0, 1, 2 and so on.
    struct Old {
        activations: u64,
        asked: RefCell<Vec<String>>,
    }

    impl Http for Old {
        fn send(&self, request: &Request) -> Result<Response, Failure> {
            self.asked.borrow_mut().push(request.target.clone());
            let number = |name: &str| {
                let (_, rest) = request.target.split_once(name)?;
                rest.split('&').next()?.parse::<u64>().ok()
            };
            let (skip, limit) = (number("skip=").unwrap_or(0), number("limit=").unwrap_or(DEFAULT_ROWS));
            let (since, upto) = (number("since=").unwrap(), number("upto=").unwrap());
            let rows = (0..self.activations).filter(|start| (since..=upto).contains(start));
            let rows = rows.skip(skip as usize).take(limit as usize);
            let rows = rows.map(|start| {
                format!(r#"{{"activationId":"{start:032x}","name":"a","namespace":"guest","start":{start}}}"#)
            });
            Ok(answer(200, format!("[{}]", rows.collect::<Vec<_>>().join(","))))
        }
    }

    struct Still;

    impl Clock for Still {
        fn now_ms(&self) -> u64 {
            0
        }
        fn sleep_ms(&self, _: u64) {}
        fn random(&self) -> u64 {
            7
        }
    }

    fn counted(activations: u64, range: Range) -> (Result<u64, Failure>, Vec<String>) {
        let old = Old { activations, asked: RefCell::default() };
        let api = Api::new(Ports { clock: &Still, http: &old, transport: &NoReceiver }, 1);
        let count = api.count_once(Some("a"), range);
        (count, old.asked.into_inner())
    }

    #[test]
    fn an_api_that_answers_a_count_with_a_list_has_its_rows_counted() {
        for (activations, requests) in [(1, 1), (29, 1), (30, 2), (199, 2), (200, 3), (450, 4)] {
            let (count, asked) = counted(activations, Range::new(0, 1000).unwrap());
            assert_eq!((count, asked.len()), (Ok(activations), requests), "{asked:?}");
        }
    }

    /// An API that says the same to everything, but for what is asked for without a name.
    struct Says(&'static str, &'static str);

    impl Http for Says {
        fn send(&self, request: &Request) -> Result<Response, Failure> {
            Ok(answer(200, if request.target.contains("name=") { self.0 } else { self.1 }))
        }
    }

    fn said(to_name: &'static str, to_all: &'static str) -> Result<u64, Failure> {
        let says = Says(to_name, to_all);
        let api = Api::new(Ports { clock: &Still, http: &says, transport: &NoReceiver }, 1);
        api.count_once(Some("a"), Range::new(3, 1000).unwrap())
    }

    #[test]
    fn an_empty_list_is_a_count_only_of_an_api_that_lists_something_when_it_is_asked_to_count_all() {
        let (count, asked) = counted(5, Range::new(10, 1000).unwrap());
        assert_eq!((count, asked.len()), (Ok(0), 2), "{asked:?}");
        for to_all in ["[]", r#"{"activations":5}"#, r#"{"activations":0}"#] {
            assert!(said("[]", to_all).unwrap_err().message.contains("gateway"), "{to_all}");
        }
    }

    #[test]
    fn a_list_of_other_activations_than_were_asked_for_is_no_count() {
        let other = r#"[{"activationId":"00000000000000000000000000000001","name":"a","start":1}]"#;
        assert!(said(other, other).unwrap_err().message.contains("other activations"));
    }
}
