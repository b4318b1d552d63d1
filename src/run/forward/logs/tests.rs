use super::*;
use crate::ports::{Clock, Http, Ports, Request, Response};
use crate::testing::{NoReceiver, answer};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const LINE: &str = "2023-11-14T22:13:20.1Z stdout: a line";
const START: u64 = 1_000_000;
const END: u64 = START + 5_000;
/// A time at which the record has come to rest.
const LATER: u64 = END + SETTLING_MS;

/// `/logs` gives one answer.
struct Store {
    status: Cell<u16>,
    answer: RefCell<Value>,
    asked: RefCell<Vec<String>>,
}

impl Http for Store {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.asked.borrow_mut().push(request.target.clone());
        let body = self.answer.borrow().to_string().into_bytes();
        Ok(answer(self.status.get(), body))
    }
}

impl Clock for Store {
    fn now_ms(&self) -> u64 {
        LATER
    }
    fn sleep_ms(&self, _: u64) {}
    fn random(&self) -> u64 {
        7
    }
}

impl Store {
    fn new(status: u16, answer: Value) -> Self {
        Self { status: Cell::new(status), answer: RefCell::new(answer), asked: RefCell::default() }
    }

    fn ask(&self, logs: &mut LogStore, inline: &[&str], now_ms: u64) -> Lines {
        let json =
            json!({"activationId": ID, "namespace": "guest", "name": "hello", "start": START, "end": END,
            "annotations": [{"key": "path", "value": "guest/hello"}], "logs": inline})
            .to_string();
        let api = Api::new(Ports { clock: self, http: self, transport: &NoReceiver }, u64::MAX);
        logs.lines_of(&Record::parse(json.as_bytes()).unwrap(), &api, now_ms)
    }
}

fn lines(texts: &[&str]) -> Store {
    Store::new(200, json!({"logs": texts}))
}

fn log_store(place: LogPlace) -> LogStore {
    passing(place, 0)
}

/// A log store whose next look-back begins at `from`, where no line was seen yet.
fn passing(place: LogPlace, from: u64) -> LogStore {
    LogStore::new(Belief { place, configured: false, lines_seen: false, random: 7 }, from, from)
}

#[test]
fn lines_in_a_record_tell_where_they_are_and_few_of_those_without_are_asked_for() {
    let store = lines(&[]);
    let mut logs = log_store(LogPlace::Unknown);
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    assert_eq!((logs.learned(), store.asked.borrow().len()), (None, 1));
    assert!(matches!(store.ask(&mut logs, &[LINE], LATER), Lines::InRecord));
    for _ in 0..1_000 {
        assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    }
    assert_eq!(logs.learned(), Some(LogPlace::Record));
    let asked = store.asked.borrow().len();
    assert!((10..=12).contains(&asked), "{asked}: one more for twice as many");
    assert_eq!(store.asked.borrow()[0], format!("/api/v1/namespaces/_/activations/{ID}/logs"));
    assert!(!logs.take_doubtful().is_empty());
}

#[test]
fn while_no_line_was_seen_all_without_are_asked_for_and_one_answer_changes_the_belief() {
    let store = lines(&[]);
    let mut logs = log_store(LogPlace::Record);
    (0..50).for_each(|_| assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord)));
    assert_eq!((store.asked.borrow().len(), logs.take_doubtful().is_empty()), (50, true));
    *store.answer.borrow_mut() = json!({"logs": [LINE]});
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::Elsewhere(_)));
    assert_eq!(logs.learned(), Some(LogPlace::Api));
    (0..50).for_each(|_| assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::Elsewhere(_))));
}

#[test]
fn a_turn_that_asked_nothing_had_neither_an_answer_nor_none() {
    let mut logs = passing(LogPlace::Record, 0);
    assert!(matches!(lines(&[LINE]).ask(&mut logs, &[LINE], LATER), Lines::InRecord));
    assert_eq!(logs.is_answered(), None, "a record with lines is not asked for");
    assert!(matches!(lines(&[]).ask(&mut logs, &[], LATER), Lines::InRecord));
    assert_eq!(logs.is_answered(), Some(true));
}

#[test]
fn a_check_without_an_answer_is_none_and_there_are_no_more_in_that_turn() {
    let down = Store::new(502, json!({"error": "Bad Gateway"}));
    for (from, later) in [(0, true), (START + 1, false)] {
        let mut logs = passing(LogPlace::Record, from);
        assert!(matches!(down.ask(&mut logs, &[LINE], LATER), Lines::InRecord));
        match down.ask(&mut logs, &[], LATER) {
            Lines::Later(Some(_)) => assert!(later),
            Lines::Unchecked(_) => assert!(!later, "no look-back finds it again"),
            _ => panic!("it counts as an answer"),
        }
        let asked = down.asked.borrow().len();
        assert!(logs.is_answered() == Some(false) && logs.take_doubtful().is_empty());
        (0..50).for_each(|_| assert!(matches!(down.ask(&mut logs, &[], LATER), Lines::InRecord)));
        assert_eq!((down.asked.borrow().len(), logs.take_doubtful().is_empty()), (asked, false));
    }
}

#[test]
fn an_api_that_never_says_where_lines_are_leaves_a_warning() {
    let refuses = Store::new(403, json!({"error": "no", "code": "x"}));
    let mut logs = log_store(LogPlace::Record);
    assert!(matches!(refuses.ask(&mut logs, &[], LATER), Lines::InRecord));
    let refusal = logs.take_refusal().unwrap();
    assert!(refusal.contains("403") && refusal.contains("set `logs` to `record`"), "{refusal}");
}

fn texts(lines: &[OwnedLine]) -> Vec<String> {
    lines.iter().map(|line| line.line().text().into_owned()).collect()
}

#[test]
fn a_record_with_a_notice_of_its_own_decides_nothing_and_keeps_it_before_its_lines() {
    const NOTICE: &str = "There was an issue while collecting your logs. Data might be missing.";
    let store = lines(&[LINE]);
    let mut logs = log_store(LogPlace::Unknown);
    let Lines::Elsewhere(taken) = store.ask(&mut logs, &[NOTICE], LATER) else { panic!("no lines") };
    assert_eq!(texts(&taken), [NOTICE, LINE]);
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::Elsewhere(_)));
    let same = lines(&[NOTICE]);
    let mut logs = log_store(LogPlace::Unknown);
    assert!(matches!(same.ask(&mut logs, &[NOTICE], LATER), Lines::InRecord));
    assert_eq!(logs.learned(), None);
}

#[test]
fn lines_from_their_own_store_are_taken_as_they_are() {
    let store = lines(&["2023-11-14T22:13:20.1Z stdout: not padded", "bare"]);
    let mut logs = log_store(LogPlace::Unknown);
    let Lines::Elsewhere(taken) = store.ask(&mut logs, &[], LATER) else { panic!("no lines") };
    assert_eq!(texts(&taken), ["2023-11-14T22:13:20.1Z stdout: not padded", "bare"]);
    assert_eq!(logs.learned(), Some(LogPlace::Api));
}

#[test]
fn a_platform_that_says_logs_are_not_available_is_hardly_asked_again() {
    let store = lines(&["Logs are not available."]);
    let mut logs = log_store(LogPlace::Unknown);
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    assert_eq!((logs.learned(), store.asked.borrow().len()), (Some(LogPlace::Nowhere), 2), "to check");
}

#[test]
fn a_store_that_has_lines_of_others_answers_for_good_that_it_has_none_of_this_record() {
    let store = lines(&["Logs are not available."]);
    let mut logs = log_store(LogPlace::Api);
    assert!(matches!(store.ask(&mut logs, &[], LATER - 1), Lines::Later(None)));
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    assert!(logs.take_doubtful().is_empty(), "or it would be owed again as soon as the store gives lines");
}

#[test]
fn no_lines_are_no_answer_until_they_had_time_to_come() {
    let store = lines(&[]);
    let mut logs = log_store(LogPlace::Api);
    assert!(matches!(store.ask(&mut logs, &[], LATER - 1), Lines::Later(None)));
    assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::InRecord));
    let mut passed = passing(LogPlace::Api, START + 1);
    assert!(matches!(store.ask(&mut passed, &[], END), Lines::InRecord), "no look-back would find it");
}

#[test]
fn what_the_store_cannot_give_is_asked_for_again_until_the_look_back_has_passed() {
    for (status, answer) in [
        (200, json!({"logs": ["The log message can't be retrieved, no such index"]})),
        (404, json!({"error": "The requested resource does not exist.", "code": "x"})),
    ] {
        let store = Store::new(status, answer);
        assert!(matches!(store.ask(&mut log_store(LogPlace::Api), &[], LATER), Lines::Later(_)));
        let Lines::Lost(warning) = store.ask(&mut passing(LogPlace::Api, START + 1), &[], LATER) else {
            panic!("not owed by itself")
        };
        assert!(warning.contains(ID), "{warning}");
    }
}

#[test]
fn a_failing_store_puts_off_a_few_activations_and_then_ends_the_turn() {
    for (status, answer) in [(500, json!({"error": "broken"})), (404, json!("no page")), (200, json!([]))] {
        let store = Store::new(status, answer);
        let mut logs = log_store(LogPlace::Api);
        for _ in 1..MOST_FAILURES {
            let Lines::Later(Some(warning)) = store.ask(&mut logs, &[], LATER) else { panic!("not put off") };
            assert!(warning.contains(ID), "{warning}");
        }
        assert!(matches!(store.ask(&mut logs, &[], LATER), Lines::Failed(_)));
    }
}

#[test]
fn a_failing_store_leaves_a_few_that_no_look_back_finds_again_to_be_owed_by_themselves_and_then_ends_the_turn()
 {
    let store = Store::new(503, json!({"error": "broken"}));
    let mut logs = passing(LogPlace::Api, START + 1);
    let year = 365 * 24 * 3_600_000;
    for _ in 1..MOST_FAILURES {
        assert!(matches!(store.ask(&mut logs, &[], END + year), Lines::Lost(_)));
    }
    assert!(matches!(store.ask(&mut logs, &[], END + year), Lines::Failed(_)));
}
