//! The forwarder's calls of the OpenWhisk API (docs/facts/openwhisk.md 1 and 10), with sentences for their errors.

mod count;
mod entries;
mod hold;
mod names;
mod package;
mod patience;
mod plain;
mod platform;
mod refusal;

pub use entries::{Entries, EntriesAt};
pub use package::{Annotation, Package, Written};
pub use patience::Patience;
pub use platform::{Limits, Logs};

use crate::openwhisk::record::{Row, SplitError, Splitter};
use crate::ports::{Failure, Method, Pending, Ports, Request};
use crate::range::Range;
use crate::sorted::Map;
use patience::{Answer, PAGE_MS, Paced};
use plain::Plain;
use refusal::{refused, said};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// Most questions on their way at once: enough for a few dozen actions, and no burden for a controller.
const AT_ONCE: usize = 32;
/// Times a small request is tried.
const TRIES: u32 = 4;
/// First pause before another try, doubled each time.
const BACKOFF_MS: u64 = 250;
/// Largest answer that is read as a whole, in bytes: a package's annotations hold at most 1 MB.
const WHOLE_BODY: usize = 4 << 20;

/// The API, with a limit on time and a count of requests.
#[derive(Debug)]
pub struct Api<'a> {
    ports: Ports<'a>,
    stop_ms: u64,
    requests: Cell<u64>,
    largest_page: Cell<u32>,
    patience: Patience,
    /// Answers to questions that are still to be put, by target.
    ahead: RefCell<Map<String, Pending>>,
}

/// A question that can be put ahead of time.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// [`Api::package`]
    Package(&'a str),
    /// [`Api::limits`]
    Limits,
    /// [`Api::count`]
    Count(Option<&'a str>, Range),
}

/// Most rows that a stock API gives at once. Operators can lower it, but never below the default page of 30.
pub const LARGEST_PAGE: u32 = 200;
const SMALLEST_LARGEST_PAGE: u32 = 30;

/// The activations to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The `name` filter: `action` or `package/action`; nothing for the whole namespace.
    pub name: Option<&'a str>,
    /// Starts, both ends included.
    pub range: Range,
    /// Rows wanted, 1–200.
    pub limit: u32,
    /// Rows to leave out, from the newest on.
    pub skip: u64,
    /// Full records instead of summaries.
    pub docs: bool,
}

impl<'a> Api<'a> {
    /// The API, to be asked until `stop_ms`.
    pub fn new(ports: Ports<'a>, stop_ms: u64) -> Self {
        Self {
            ports,
            stop_ms,
            requests: Cell::new(0),
            largest_page: Cell::new(LARGEST_PAGE),
            patience: Patience::default(),
            ahead: RefCell::default(),
        }
    }

    /// Asks questions at the same time, but for those that were asked already, and waits for none of the last [`AT_ONCE`] of them. The first later
    /// call with one of them gets this answer.
    pub fn ask_ahead<'q>(&self, questions: impl IntoIterator<Item = Question<'q>>) {
        if self.patience.wanted_ms(self.ports.clock.now_ms()) > 0 {
            return;
        }
        let mut on_their_way: VecDeque<String> = VecDeque::new();
        for target in questions.into_iter().map(|question| question.target()) {
            if self.ahead.borrow().contains_key(&target) {
                continue;
            }
            if on_their_way.len() == AT_ONCE
                && let Some(first) = on_their_way.pop_front()
                && let Some(pending) = self.take_ahead(&first)
            {
                let answer = pending.wait();
                self.ahead.borrow_mut().insert(first, Pending::new(move || answer));
            }
            let pending = self.begin(&target);
            self.ahead.borrow_mut().insert(target.clone(), pending);
            on_their_way.push_back(target);
        }
    }

    /// Asks for a list that the caller is likely to want next, and does not wait for the answer.
    pub fn list_ahead(&self, query: Query<'_>) {
        if self.patience.wanted_ms(self.ports.clock.now_ms()) > 0 {
            return;
        }
        let target = query.target();
        if !self.ahead.borrow().contains_key(&target) {
            let pending = self.begin(&target);
            self.ahead.borrow_mut().insert(target, pending);
        }
    }

    /// Drops the answers that no call has taken yet.
    pub fn forget_ahead(&self) {
        self.ahead.borrow_mut().clear();
    }

    /// Drops a list that was asked for ahead of time.
    pub fn forget_list(&self, query: Query<'_>) {
        self.ahead.borrow_mut().remove(&query.target());
    }

    /// The same, with the largest page that is known from before.
    pub fn with_largest_page(self, rows: u32) -> Self {
        self.largest_page.set(rows);
        self
    }

    /// The same, with the patience that is left from before.
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Most rows that this API gives at once, as far as is known.
    pub fn largest_page(&self) -> u32 {
        self.largest_page.get()
    }

    /// The time, milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.ports.clock.now_ms()
    }

    /// Requests sent so far, repeats included.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Hands each row of one page to `row` until it returns `false`.
    pub fn list(&self, query: Query<'_>, mut row: impl FnMut(Row<'_>) -> bool) -> Result<(), Failure> {
        self.hand_rows(query, &mut row)
    }

    /// [`Self::list`], compiled once for all who call it.
    fn hand_rows(&self, query: Query<'_>, row: &mut dyn FnMut(Row<'_>) -> bool) -> Result<(), Failure> {
        let what = format!("the list of activations{}", of(query.name));
        let mut response = self.send(Method::Get, &query.target(), Vec::new())?;
        if response.status == 400 && query.limit > SMALLEST_LARGEST_PAGE {
            return Err(match said(&mut response) {
                Some(said) => self.smaller_page(query.limit, &said, &what),
                None => refused(400, None, &what),
            });
        }
        response = self.accept(response, &what)?;
        if query.limit > 1 {
            response.body.within(PAGE_MS);
        }
        let mut splitter = Splitter::default();
        while let Some(piece) = response.body.chunk()? {
            let fed = splitter.feed(&piece, |element| {
                response.body.is_of_use();
                if row(element) { Ok(()) } else { Err(Halt::Enough) }
            });
            match fed {
                Ok(()) => {}
                Err(Halt::Enough) => return Ok(()),
                Err(Halt::Malformed(error)) => return Err(Failure::passing(format!("{what}: {error}"))),
            }
        }
        splitter.finish().map_err(|error| Failure::passing(format!("{what}: {error}")))
    }

    /// An API with a lower limit refuses larger pages, and says where its limit is. Anything else is refused again with the smaller page.
    fn smaller_page(&self, limit: u32, said: &str, what: &str) -> Failure {
        let named =
            said.split_once("range of 0 to ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let rows = named.filter(|rows| (1..limit).contains(rows)).unwrap_or(SMALLEST_LARGEST_PAGE);
        self.largest_page.set(rows);
        Failure::passing(format!(
            "{what}: HTTP 400, the API does not accept pages of {limit}. It says: {said}"
        ))
    }

    /// Repeats a call that may succeed later, as long as there is time.
    pub fn retrying<T>(&self, mut call: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut tries = 1;
        loop {
            match call() {
                Err(failure) if failure.retryable && tries < TRIES && self.pause(tries) => tries += 1,
                result => return result,
            }
        }
    }

    /// Waits, unless the time is up before; returns whether it did.
    pub fn wait(&self, ms: u64) -> bool {
        let in_time = self.ports.clock.now_ms().saturating_add(ms) < self.stop_ms;
        if in_time {
            self.ports.clock.sleep_ms(ms);
        }
        in_time
    }

    /// Waits before another try, unless the time or the patience is up.
    pub fn pause(&self, tries: u32) -> bool {
        if self.patience.is_over() {
            return false;
        }
        let pause = BACKOFF_MS << tries.min(8);
        let pause = pause / 2 + self.ports.clock.random() % (pause / 2);
        let wanted = self.patience.wanted_ms(self.ports.clock.now_ms());
        self.patience.allows(wanted) && self.wait(pause.max(wanted))
    }

    /// Waits for as long as the API wants to be left alone; fails if the run has no time for that.
    fn hold(&self) -> Result<(), Failure> {
        let ms = self.patience.wanted_ms(self.ports.clock.now_ms());
        if ms == 0 || self.patience.allows(ms) && self.wait(ms) {
            return Ok(());
        }
        let seconds = ms.div_ceil(1000);
        Err(Failure::passing(format!("the API asks to wait {seconds} s; the next run continues from here")))
    }

    fn take_ahead(&self, target: &str) -> Option<Pending> {
        self.ahead.borrow_mut().remove(target)
    }

    fn begin(&self, target: &str) -> Pending {
        self.requests.set(self.requests.get() + 1);
        self.ports.http.begin(&Request { method: Method::Get, target: target.into(), body: Vec::new() })
    }

    fn get(&self, target: &str, what: &str) -> Result<Answer<'a>, Failure> {
        self.accept(self.send(Method::Get, target, Vec::new())?, what)
    }

    fn send(&self, method: Method, target: &str, body: Vec<u8>) -> Result<Answer<'a>, Failure> {
        self.patience.check()?;
        self.hold()?;
        let (clock, ahead) = (self.ports.clock, (method == Method::Get).then(|| self.take_ahead(target)));
        let response = self.patience.during(clock, || match ahead.flatten() {
            Some(pending) => pending.wait(),
            None => {
                self.requests.set(self.requests.get() + 1);
                self.ports.http.send(&Request { method, target: target.into(), body })
            }
        })?;
        if let Some(value) = response.retry_after.filter(|_| matches!(response.status, 429 | 503)) {
            self.patience.note_retry_after(&value, clock.now_ms());
        }
        let body = Paced::new(Box::new(Plain::new(response.body)), clock, self.patience.clone());
        Ok(Answer { status: response.status, body })
    }

    /// Lets 2xx pass and turns every other status into a sentence.
    fn accept(&self, mut response: Answer<'a>, what: &str) -> Result<Answer<'a>, Failure> {
        if (200..300).contains(&response.status) {
            self.patience.was_served();
            return Ok(response);
        }
        let said = said(&mut response);
        let mut failure = refused(response.status, said, what);
        let wanted = self.patience.wanted_ms(self.ports.clock.now_ms()).div_ceil(1000);
        if wanted > 0 {
            failure.message.push_str(&format!(" It asks to wait {wanted} s."));
        }
        Err(failure)
    }

    fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        mut response: Answer<'_>,
        what: &str,
    ) -> Result<T, Failure> {
        object(&read_body(&mut response, WHOLE_BODY)?, what)
    }
}

/// The object that a body holds.
fn object<T: serde::de::DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Failure> {
    // serde would take an array for an object too, by the order of its fields.
    let object =
        body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten();
    object.ok_or_else(|| {
        Failure::passing(format!(
            "{what}: the answer is not what an OpenWhisk API says; is `api.host` right?"
        ))
    })
}

impl Query<'_> {
    /// Path and query.
    fn target(&self) -> String {
        let Self { name, range, limit, skip, docs } = *self;
        format!("{}&limit={limit}&skip={skip}&docs={docs}", activations(name, range))
    }
}

impl Question<'_> {
    /// Path and query.
    fn target(&self) -> String {
        match *self {
            Self::Package(name) => package::target(name),
            Self::Limits => platform::LIMITS.into(),
            Self::Count(name, range) => format!("{}&count=true", activations(name, range)),
        }
    }
}

/// Why a page is not read to its end.
enum Halt {
    Enough,
    Malformed(SplitError),
}

impl From<SplitError> for Halt {
    fn from(error: SplitError) -> Self {
        Self::Malformed(error)
    }
}

fn activations(name: Option<&str>, range: Range) -> String {
    let (since, upto) = range.into();
    let name = name.map_or(String::new(), |name| format!("name={}&", percent_encoded(name)));
    format!("/api/v1/namespaces/_/activations?{name}since={since}&upto={upto}")
}

fn of(name: Option<&str>) -> String {
    name.map_or(String::new(), |name| format!(" of `{name}`"))
}

/// RFC 3986: everything but unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn read_body(response: &mut Answer<'_>, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.body.chunk()? {
        body.extend_from_slice(&piece);
        if body.len() > most {
            body.truncate(most);
            break;
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_so_that_nothing_in_them_can_end_the_parameter() {
        assert_eq!(percent_encoded("pkg/my action&x=1@ü"), "pkg%2Fmy%20action%26x%3D1%40%C3%BC");
    }
}
