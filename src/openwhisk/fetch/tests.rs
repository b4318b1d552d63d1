use super::*;
use crate::ports::{Clock, Http, Ports, Request, Response};
use crate::testing::{NoReceiver, answer};
use std::cell::{Cell, RefCell};

/// An API with activations that start at these milliseconds; it leaves some out of its lists, as it cannot read them itself.
#[derive(Default)]
struct Activations {
    starts: Vec<u64>,
    left_out: Vec<u64>,
    /// So many lists are answered by a gateway, as if there were nothing.
    gateway: Cell<u32>,
    /// Only those that skip so many rows at least.
    gateway_from: u64,
    /// What was asked for and visited, in order.
    events: RefCell<Vec<String>>,
}

impl Http for Activations {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let number = |name: &str| {
            let pairs = request.target.split(['?', '&']);
            pairs
                .filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        let (since, upto): (u64, u64) = (number("since"), number("upto"));
        let inside = self.starts.iter().filter(|start| (since..=upto).contains(start));
        let counts = request.target.ends_with("count=true");
        self.events.borrow_mut().push(format!("{} up to {upto}", if counts { "count" } else { "page" }));
        let body = if counts {
            format!(r#"{{"activations":{}}}"#, inside.count())
        } else if self.gateway.get() > 0 && number("skip") >= self.gateway_from {
            self.gateway.set(self.gateway.get() - 1);
            "[]".into()
        } else {
            let page = inside.skip(number("skip") as usize).take(number("limit") as usize);
            let shown = page.filter(|start| !self.left_out.contains(start));
            let rows: Vec<String> = shown.map(|start| row(*start)).collect();
            format!("[{}]", rows.join(","))
        };
        Ok(answer(200, body.into_bytes()))
    }
}

fn row(start: u64) -> String {
    format!(r#"{{"activationId":"{start:032x}","start":{start}}}"#)
}

impl Clock for Activations {
    fn now_ms(&self) -> u64 {
        0
    }
    fn sleep_ms(&self, _: u64) {}
    fn random(&self) -> u64 {
        7
    }
}

impl Activations {
    /// A walk over everything, two rows a page at first. Returns what happened.
    fn walk(&self, expected: Option<u64>) -> Vec<String> {
        self.walk_known_before(0, expected)
    }

    /// The same, where all that starts before `known` is known.
    fn walk_known_before(&self, known: u64, expected: Option<u64>) -> Vec<String> {
        let api = Api::new(Ports { clock: self, http: self, transport: &NoReceiver }, u64::MAX)
            .with_largest_page(2);
        let mut edge = OverlapFilter::default();
        let mut walk = Walk::new(&api, None, true).beginning_with(2).expecting(expected).known_before(known);
        let walked = walk.over(Range::new(0, 99).unwrap(), |row| {
            let summary = Summary::parse(row.json).ok();
            if summary.is_some_and(|summary| edge.first_time(summary)) {
                self.events.borrow_mut().push(format!("visit {}", summary.unwrap().start));
            }
            Visited { summary, go_on: true }
        });
        assert!(walked.failure.is_none() && walked.reached.is_none(), "{walked:?}");
        self.events.take()
    }
}

#[test]
fn the_next_page_is_on_its_way_before_the_last_rows_of_this_one_are_visited() {
    let api = Activations { starts: vec![40, 30, 20], ..Activations::default() };
    assert_eq!(
        api.walk(None),
        [
            "page up to 99",
            "page up to 30",
            "visit 40",
            "visit 30",
            "page up to 20",
            "visit 20",
            "count up to 20"
        ]
    );
}

#[test]
fn a_walk_that_has_met_as_many_rows_as_were_counted_ends_without_another_count() {
    let api = Activations { starts: vec![40, 30, 20], ..Activations::default() };
    assert_eq!(api.walk(Some(3)).last().unwrap(), "visit 20");
    assert_eq!(api.walk(Some(4)).last().unwrap(), "count up to 20");
}

#[test]
fn a_walk_that_comes_to_something_known_ends_there_whether_the_page_is_full_or_short() {
    for starts in [vec![40, 30, 20], vec![40, 20], vec![40, 30, 25, 20, 10]] {
        let api = Activations { starts, ..Activations::default() };
        let events = api.walk_known_before(25, None);
        assert!(events.iter().all(|event| !event.starts_with("count")), "{events:?}");
        assert_eq!(events.last().unwrap(), "visit 20");
    }
    // What is known and not listed ends nothing.
    let api = Activations { starts: vec![40, 30], ..Activations::default() };
    assert_eq!(api.walk_known_before(25, None).last().unwrap(), "count up to 30");
    let left_out = vec![30];
    let api = Activations { starts: vec![40, 30, 28, 20], left_out, ..Activations::default() };
    assert!(api.walk_known_before(25, None).contains(&"visit 28".into()));
}

#[test]
fn an_empty_page_is_asked_for_again_when_the_count_says_that_there_is_more() {
    for expected in [None, Some(2)] {
        let gateway = Cell::new(2);
        let api = Activations { starts: vec![40, 30], gateway, ..Activations::default() };
        let again = ["page up to 99", "count up to 99", "page up to 99", "count up to 99", "page up to 99"];
        let events = api.walk(expected);
        assert_eq!(events[..5], again);
        assert!(events.contains(&"visit 30".into()), "{events:?}");
    }
    let unreadable = Activations { starts: vec![40], left_out: vec![40], ..Activations::default() };
    assert_eq!(unreadable.walk(Some(1)).len(), 6, "what the API itself cannot read keeps nobody");
    assert_eq!(Activations::default().walk(Some(0)), ["page up to 99"]);
}

#[test]
fn a_walk_that_believes_an_empty_page_against_the_count_fell_short() {
    for (starts, left_out) in [(vec![40], vec![40]), (vec![40, 40, 40], vec![40]), (vec![40, 30], vec![])] {
        let api = Activations { starts, left_out, ..Activations::default() };
        let ports = Ports { clock: &api, http: &api, transport: &NoReceiver };
        let of = Api::new(ports, u64::MAX).with_largest_page(2);
        let mut walk = Walk::new(&of, None, true).beginning_with(2);
        walk.over(Range::new(0, 99).unwrap(), |row| Visited {
            summary: Summary::parse(row.json).ok(),
            go_on: true,
        });
        assert_eq!(walk.fell_short(), !api.left_out.is_empty(), "{:?}", api.starts);
    }
}

#[test]
fn an_empty_page_of_one_millisecond_is_asked_for_again_too() {
    let (gateway, starts) = (Cell::new(1), vec![30; 5]);
    let api = Activations { starts, gateway, gateway_from: 2, ..Activations::default() };
    let clock = Activations::default();
    let api_of = Api::new(Ports { clock: &clock, http: &api, transport: &NoReceiver }, u64::MAX);
    let api_of = api_of.with_largest_page(2);
    let mut visits = 0;
    let walked = Walk::new(&api_of, None, true).beginning_with(2).over(Range::new(0, 99).unwrap(), |row| {
        visits += 1;
        Visited { summary: Summary::parse(row.json).ok(), go_on: true }
    });
    assert!(walked.failure.is_none() && walked.reached.is_none(), "{walked:?}");
    assert_eq!(visits, 7, "five, and the first two of them on a page that ends later as well");
}

#[test]
fn rows_that_two_pages_show_count_once_so_that_a_short_page_does_not_end_the_walk_too_early() {
    // Five were counted. When 20 and 10 are left out, the pages show six rows, two of them twice: four different ones at most.
    let api = Activations { starts: vec![40, 30, 20, 10, 5], left_out: vec![20], ..Activations::default() };
    let events = api.walk(Some(5));
    for start in [40, 30, 10, 5] {
        assert!(events.contains(&format!("visit {start}")), "{start} in {events:?}");
    }
}

/// A cache that gives the same page for every question.
struct Cached(&'static [u64]);

impl Http for Cached {
    fn send(&self, _: &Request) -> Result<Response, Failure> {
        let rows: Vec<String> = self.0.iter().map(|start| row(*start)).collect();
        Ok(answer(200, format!("[{}]", rows.join(",")).into_bytes()))
    }
}

#[test]
fn a_cache_that_shows_the_same_page_again_and_again_is_no_list_without_an_end() {
    let clock = Activations::default();
    for page in [&[40, 30][..], &[140, 130], &[30, 30]] {
        let http = Cached(page);
        let api = Api::new(Ports { clock: &clock, http: &http, transport: &NoReceiver }, u64::MAX)
            .with_largest_page(2);
        let mut visits = 0;
        let walked = Walk::new(&api, None, true).beginning_with(2).over(Range::new(0, 99).unwrap(), |json| {
            visits += 1;
            // Where all of them start in one millisecond only the end of the turn ends it.
            Visited { summary: Summary::parse(json.json).ok(), go_on: visits < 100 }
        });
        match page {
            [30, 30] => assert_eq!((visits, walked.failure), (100, None)),
            _ => {
                let failure = walked.failure.unwrap();
                assert!(failure.message.contains("other ones than were asked for"), "{failure}");
                assert!(visits < 10, "{visits}");
            }
        }
    }
}

/// Counts the answers that somebody still waits for.
struct Waiting(std::rc::Rc<std::cell::Cell<u32>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The same API, with answers that are on their way until somebody takes or drops them.
struct Ahead<'a> {
    api: &'a Activations,
    waited_for: std::rc::Rc<std::cell::Cell<u32>>,
    /// How many answers were waited for when a question was put.
    seen: RefCell<Vec<u32>>,
}

impl Http for Ahead<'_> {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.seen.borrow_mut().push(self.waited_for.get());
        self.api.send(request)
    }

    fn begin(&self, request: &Request) -> crate::ports::Pending {
        let answer = self.api.send(request);
        self.waited_for.set(self.waited_for.get() + 1);
        let waiting = Waiting(self.waited_for.clone());
        crate::ports::Pending::new(move || {
            drop(waiting);
            answer
        })
    }
}

#[test]
fn a_wrong_guess_of_the_next_page_is_dropped_at_once() {
    let api = Activations { starts: vec![40, 30, 20, 10], ..Activations::default() };
    let ahead = Ahead { api: &api, waited_for: std::rc::Rc::default(), seen: RefCell::default() };
    let ports = Ports { clock: &api, http: &ahead, transport: &NoReceiver };
    let outer = Api::new(ports, u64::MAX).with_largest_page(2);
    let mut walk = Walk::new(&outer, None, true).beginning_with(2);
    // What is guessed for another range than the next page has.
    walk.guess = Some(walk.first(Range::new(50, 60).unwrap()));
    outer.list_ahead(walk.first(Range::new(50, 60).unwrap()));
    assert_eq!(ahead.waited_for.get(), 1);
    let walked = walk.over(Range::new(0, 99).unwrap(), |row| Visited {
        summary: Summary::parse(row.json).ok(),
        go_on: Summary::parse(row.json).is_ok_and(|summary| summary.start > 30),
    });
    assert_eq!(ahead.seen.borrow().first(), Some(&0), "before the next page is asked for");
    assert_eq!(
        (walked.reached, ahead.waited_for.get()),
        (Some(30), 0),
        "and so is one that nobody wants any more"
    );
}
