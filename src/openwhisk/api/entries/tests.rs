use super::*;
use crate::ports::{Body, Clock, Http, Ports, Request, Response};
use crate::testing::NoReceiver;
use serde_json::json;
use std::cell::RefCell;

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// An API that gives one answer, in pieces of some bytes.
struct Answering {
    status: u16,
    body: Vec<u8>,
    piece: usize,
    asked: RefCell<String>,
}

struct Pieces(Vec<u8>, usize);

impl Body for Pieces {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let rest = self.0.split_off(self.1.min(self.0.len()));
        let piece = std::mem::replace(&mut self.0, rest);
        Ok((!piece.is_empty()).then_some(piece))
    }
}

impl Http for Answering {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.asked.replace(request.target.clone());
        Ok(Response {
            status: self.status,
            retry_after: None,
            body: Box::new(Pieces(self.body.clone(), self.piece)),
        })
    }
}

impl Clock for Answering {
    fn now_ms(&self) -> u64 {
        0
    }
    fn sleep_ms(&self, _: u64) {}
    fn random(&self) -> u64 {
        7
    }
}

fn answering(status: u16, body: impl Into<Vec<u8>>) -> Answering {
    Answering { status, body: body.into(), piece: 7, asked: RefCell::default() }
}

impl Answering {
    /// What was visited, and what came of it; at most so many entries.
    fn read(&self, at: EntriesAt, most: usize) -> (Vec<String>, Result<Entries, Failure>) {
        let api = Api::new(Ports { clock: self, http: self, transport: &NoReceiver }, u64::MAX);
        let mut seen = Vec::new();
        let read = api.entries(ID.parse().unwrap(), at, |index, line| {
            assert_eq!(index, seen.len());
            let (mended, cut) = (line.is_mended(), line.is_cut());
            seen.push(format!("{}{}", line.text(), ["", " (mended)"][usize::from(mended)]));
            assert!(!cut);
            seen.len() < most
        });
        (seen, read)
    }
}

fn record(logs: &str) -> String {
    format!(
        r#"{{"annotations":[{{"logs":["no"]}}],"logs":{logs},"response":{{"result":{{"logs":["no"]}}}},"activationId":"{ID}"}}"#
    )
}

#[test]
fn entries_of_a_record_come_one_by_one_and_only_those() {
    let api = answering(200, record(r#"["one","t\two", null , {"a":[1]},"\ud83d"]"#));
    let (seen, read) = api.read(EntriesAt::Record, usize::MAX);
    assert_eq!(seen, ["one", "t\two", "null (mended)", r#"{"a":[1]} (mended)"#, "\u{fffd} (mended)"],);
    assert_eq!(read, Ok(Entries::All(5)));
    assert_eq!(*api.asked.borrow(), format!("/api/v1/namespaces/_/activations/{ID}"));
    let (seen, read) = api.read(EntriesAt::Record, 2);
    assert_eq!((seen.len(), read), (2, Ok(Entries::Stopped)));
}

#[test]
fn entries_from_the_store_come_one_by_one_and_notices_are_told_from_lines() {
    const NOTICE: &str = "Logs are not available.";
    for (logs, seen, expected) in [
        (json!(["one", "two"]), vec!["one", "two"], Entries::All(2)),
        (json!([]), vec![], Entries::Empty),
        (json!(null), vec![], Entries::Empty),
        (json!([NOTICE]), vec![], Entries::NotAvailable),
        (json!(["The log message can't be retrieved, why"]), vec![], Entries::NotRetrieved),
        (json!([NOTICE, "two"]), vec![NOTICE, "two"], Entries::All(2)),
        (json!(["one", NOTICE]), vec!["one", NOTICE], Entries::All(2)),
    ] {
        let api = answering(200, json!({ "logs": logs }).to_string());
        assert_eq!(
            api.read(EntriesAt::Store, usize::MAX),
            (seen.iter().map(|s| s.to_string()).collect(), Ok(expected)),
            "{logs}"
        );
        assert_eq!(*api.asked.borrow(), format!("/api/v1/namespaces/_/activations/{ID}/logs"));
    }
    // In a record it is a line.
    let api = answering(200, record(&json!([NOTICE]).to_string()));
    assert_eq!(api.read(EntriesAt::Record, 9).1, Ok(Entries::All(1)));
}

#[test]
fn only_openwhisk_itself_can_say_that_there_is_no_such_activation() {
    let api = answering(404, r#"{"error":"The requested resource does not exist.","code":"x"}"#);
    assert_eq!(api.read(EntriesAt::Record, 9).1, Ok(Entries::NoRecord));
    for body in [r#"{"status":404,"error":"Not Found"}"#, r#"{"code":"x"}"#, "<html>", ""] {
        let failure = answering(404, body).read(EntriesAt::Store, 9).1.unwrap_err();
        assert!(failure.retryable && failure.message.contains("not from OpenWhisk"), "{failure}");
    }
}

#[test]
fn what_is_no_answer_of_that_kind_is_a_failure_that_may_pass() {
    let whole = record(r#"["one"]"#);
    let other = whole.replace("0a1b", "0a1c");
    for (at, status, body) in [
        (EntriesAt::Record, 502, "<html>"),
        (EntriesAt::Record, 200, "[]"),
        (EntriesAt::Record, 200, r#"{"status":"ok"}"#),
        (EntriesAt::Record, 200, &other),
        (EntriesAt::Record, 200, &whole[..whole.len() - 1]),
        (EntriesAt::Store, 200, "{}"),
        (EntriesAt::Store, 200, r#"{"logs":["one""#),
    ] {
        let failure = answering(status, body).read(at, 9).1.unwrap_err();
        assert!(failure.retryable && failure.message.contains(ID), "{body}: {failure}");
    }
    // A record need not have any.
    let bare = format!(r#"{{"activationId":"{ID}"}}"#);
    assert_eq!(answering(200, bare).read(EntriesAt::Record, 9).1, Ok(Entries::All(0)));
}

#[test]
fn an_entry_that_no_event_can_hold_is_cut_while_it_is_read_and_its_neighbours_come_whole() {
    let body = format!(r#"{{"logs":["one","{}","three"]}}"#, "é\\n".repeat(8 << 20));
    let api = Answering { piece: 64 << 10, ..answering(200, body) };
    let ports = Ports { clock: &api, http: &api, transport: &NoReceiver };
    let mut seen = Vec::new();
    let read = Api::new(ports, u64::MAX).entries(ID.parse().unwrap(), EntriesAt::Store, |_, line| {
        let text = line.text();
        assert!(["one", "three"].contains(&&*text) || text.starts_with("é\né\n"));
        seen.push((text.len() > 7 << 20, line.is_cut(), line.is_mended()));
        true
    });
    assert_eq!(read, Ok(Entries::All(3)));
    assert_eq!(seen, [(false, false, false), (true, true, false), (false, false, false)]);
}
