//! The requests, and how many were open at once.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A request as it arrived, and what came of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Decoded, without the query.
    pub path: String,
    /// Decoded, in the order given.
    pub query: Vec<(String, String)>,
    /// Lower-case names, in the order given.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// Status of the reply; none yet, or none ever if the connection was cut.
    pub status: Option<u16>,
    /// Bytes in the reply's body.
    pub reply_bytes: usize,
    /// Decoded one by one: a slash inside a segment is part of it.
    pub(crate) segments: Vec<String>,
}

impl Request {
    /// The first value of a query parameter: the one that counts.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    forgotten: usize,
    in_flight: usize,
    most_in_flight: usize,
}

/// A request that is being answered, until its reply has left (or the connection is gone).
#[derive(Debug)]
pub(crate) struct InFlight {
    journal: Arc<Journal>,
    number: usize,
}

impl Journal {
    pub(crate) fn begin(self: &Arc<Self>, request: Request) -> InFlight {
        let mut state = self.state.lock().unwrap();
        state.requests.push(request);
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        let number = state.forgotten + state.requests.len() - 1;
        self.changed.notify_all();
        InFlight { journal: self.clone(), number }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.lock().unwrap().most_in_flight
    }

    pub(crate) fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.forgotten += state.requests.len();
        state.requests.clear();
        state.most_in_flight = state.in_flight;
    }

    /// Waits until the requests so far satisfy `enough`; false if they do not within `patience`.
    pub(crate) fn wait(&self, patience: Duration, mut enough: impl FnMut(&[Request]) -> bool) -> bool {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, patience, |state| !enough(&state.requests));
        !waited.unwrap().1.timed_out()
    }
}

impl InFlight {
    pub(crate) fn replied(&self, status: u16, bytes: usize) {
        let mut state = self.journal.state.lock().unwrap();
        let index = self.number.checked_sub(state.forgotten);
        if let Some(request) = index.and_then(|index| state.requests.get_mut(index)) {
            request.status = Some(status);
            request.reply_bytes = bytes;
        }
        self.journal.changed.notify_all();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.journal.state.lock().unwrap().in_flight -= 1;
    }
}
