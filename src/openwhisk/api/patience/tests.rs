use super::*;
use crate::openwhisk::api::{Api, Query};
use crate::ports::{Http, Ports, Request, Response};
use crate::range::Range;
use crate::testing::NoReceiver;
use std::cell::RefCell;

#[derive(Clone, Default)]
struct Time(Rc<Cell<u64>>);

impl Time {
    fn pass(&self, ms: u64) {
        self.0.set(self.0.get() + ms);
    }
}

impl Clock for Time {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }
    fn sleep_ms(&self, ms: u64) {
        self.pass(ms);
    }
    fn random(&self) -> u64 {
        7
    }
}

/// A body that comes so many bytes at a time, each after a pause.
struct Drips {
    time: Time,
    text: Vec<u8>,
    at: usize,
    at_once: usize,
    pause_ms: u64,
}

impl Body for Drips {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.time.pass(self.pause_ms);
        let piece = self.text[self.at..].iter().take(self.at_once).copied().collect::<Vec<u8>>();
        self.at += piece.len();
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// An API that answers everything with the same text in the same way; or, without a text, with an error after a pause.
struct Slow {
    time: Time,
    text: Option<String>,
    at_once: usize,
    pause_ms: u64,
    asked: RefCell<u32>,
}

impl Slow {
    fn new(text: Option<String>, at_once: usize, pause_ms: u64) -> Self {
        Self { time: Time::default(), text, at_once, pause_ms, asked: RefCell::default() }
    }

    /// Asks until there is an end; how long that took, in milliseconds.
    fn ask<T>(&self, ask: impl FnOnce(&Api<'_>) -> T) -> (T, u64) {
        let api = Api::new(Ports { clock: &self.time, http: self, transport: &NoReceiver }, u64::MAX);
        let began_ms = self.time.now_ms();
        let answer = ask(&api);
        (answer, self.time.now_ms() - began_ms)
    }
}

impl Http for Slow {
    fn send(&self, _: &Request) -> Result<Response, Failure> {
        *self.asked.borrow_mut() += 1;
        let Some(text) = &self.text else {
            self.time.pass(self.pause_ms);
            return Err(Failure::passing("no answer in time"));
        };
        let text = text.clone().into_bytes();
        let (time, at_once, pause_ms) = (self.time.clone(), self.at_once, self.pause_ms);
        Ok(Response {
            status: 200,
            retry_after: None,
            body: Box::new(Drips { time, text, at: 0, at_once, pause_ms }),
        })
    }
}

fn query(limit: u32) -> Query<'static> {
    Query { name: None, range: Range::new(0, 1000).unwrap(), limit, skip: 0, docs: true }
}

fn rows(rows: usize, bytes: usize) -> Option<String> {
    let row = format!(r#"{{"logs":["{}"]}}"#, "x".repeat(bytes));
    Some(format!("[{}]", vec![row; rows].join(",")))
}

#[test]
fn a_page_that_trickles_is_given_up_after_a_minute() {
    let slow = Slow::new(rows(1, 1_000_000), 1, 1_000);
    let (listed, took_ms) = slow.ask(|api| api.list(query(100), |_| true));
    let failure = listed.unwrap_err();
    assert!(failure.retryable && failure.message.contains("came too slowly, 61 bytes in 61 s"), "{failure}");
    assert_eq!(took_ms, 61_000);
}

#[test]
fn a_count_that_trickles_comes_to_an_end_with_all_its_tries() {
    let slow = Slow::new(Some(format!("{{\"activations\":{}1}}", " ".repeat(5_000))), 1, 1_000);
    let (counted, took_ms) = slow.ask(|api| api.count(None, query(1).range));
    assert!(counted.unwrap_err().message.contains("came too slowly"));
    assert!(took_ms < 5 * 61_000, "{took_ms} ms");
}

#[test]
fn a_large_page_that_is_slow_but_steady_gets_through() {
    // 1 MB at 4 KB/s, and one record of 10 MB in 50 minutes.
    let slow = Slow::new(rows(10, 100_000), 4_000, 1_000);
    let mut seen = 0;
    let (listed, took_ms) = slow.ask(|api| {
        api.list(query(10), |_| {
            seen += 1;
            true
        })
    });
    assert_eq!((listed, seen), (Ok(()), 10));
    assert!((250_000..300_000).contains(&took_ms), "{took_ms} ms");
    let slow = Slow::new(rows(1, 10_000_000), 3_500, 1_000);
    assert_eq!(slow.ask(|api| api.list(query(1), |_| true)).0, Ok(()));
}

#[test]
fn a_page_of_several_that_takes_longer_than_five_minutes_is_given_up_with_what_came_of_it() {
    let slow = Slow::new(rows(100, 100_000), 4_000, 1_000);
    let mut seen = 0;
    let (listed, took_ms) = slow.ask(|api| {
        api.list(query(100), |_| {
            seen += 1;
            true
        })
    });
    assert!(listed.unwrap_err().message.contains("1204000 bytes in 301 s"));
    assert_eq!((seen, took_ms), (11, 301_000));
}

#[test]
fn a_reader_may_take_its_time() {
    let slow = Slow::new(rows(100, 1_000), 10_000, 0);
    let (listed, took_ms) = slow.ask(|api| {
        api.list(query(100), |_| {
            slow.time.pass(60_000);
            true
        })
    });
    assert_eq!((listed, took_ms), (Ok(()), 6_000_000));
}

#[test]
fn an_api_that_was_waited_for_in_vain_is_not_asked_any_more_and_one_answer_begins_anew() {
    let patience = Patience::default();
    let mut slow = Slow::new(None, 0, 80_000);
    let counts = |slow: &Slow, times: u32| {
        let ask = |api: &Api<'_>| (0..times).filter(|_| api.count(None, query(1).range).is_ok()).count();
        let api = Api::new(Ports { clock: &slow.time, http: slow, transport: &NoReceiver }, u64::MAX);
        ask(&api.with_patience(patience.clone()))
    };
    // Two slices of a worker.
    assert_eq!((counts(&slow, 1), counts(&slow, 50)), (0, 0));
    assert_eq!(*slow.asked.borrow(), 12, "twelve times 80 s are a quarter of an hour");
    assert!(slow.time.now_ms() < 17 * 60_000, "{} ms", slow.time.now_ms());
    let failed = patience.check().unwrap_err();
    assert!(failed.retryable && failed.message.contains("waited 15 minutes"), "{failed}");

    patience.0.in_vain_ms.set(IN_VAIN_MS - 1);
    slow.text = Some("{\"activations\":1}".into());
    (slow.at_once, slow.pause_ms) = (100, 0);
    assert_eq!(counts(&slow, 1), 1);
    assert_eq!(patience.0.in_vain_ms.get(), 0);
}

#[test]
fn a_page_with_rows_is_no_waiting_in_vain_even_if_it_breaks_off() {
    let slow = Slow::new(rows(100, 100_000), 4_000, 1_000);
    let (failed, _) = slow.ask(|api| (0..10).filter(|_| api.list(query(100), |_| true).is_err()).count());
    assert_eq!((failed, *slow.asked.borrow()), (10, 10));
}
