use super::*;
use crate::ports::{Http, Request, Response, Transport};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// What the receiver does at one read.
enum Read {
    Bytes(&'static [u8]),
    /// Nothing, for as long as it is waited for.
    Silence,
    Closed,
}

/// A receiver that follows a script, one list of reads a connection, on a clock that only waiting moves.
#[derive(Default)]
struct Script {
    now_ms: Rc<Cell<u64>>,
    connections: RefCell<VecDeque<Vec<Read>>>,
    /// Events of each window that was written, by connection.
    windows: Rc<RefCell<Vec<(usize, u32)>>>,
    opened: Cell<usize>,
}

struct Scripted {
    now_ms: Rc<Cell<u64>>,
    reads: VecDeque<Read>,
    windows: Rc<RefCell<Vec<(usize, u32)>>>,
    number: usize,
}

fn script(connections: Vec<Vec<Read>>) -> Script {
    Script { connections: RefCell::new(connections.into()), ..Script::default() }
}

impl Script {
    fn deliver(&self, delivery: &mut Delivery, events: u32, stop_ms: u64) -> (u32, Result<(), Failure>) {
        let mut batch = Batch::default();
        (0..events).for_each(|n| batch.push(&json!({"n": n})).unwrap());
        let receiver = Endpoint { host: "logs".into(), port: 5044 };
        let ports = Ports { clock: self, http: self, transport: self };
        delivery.deliver(ports, &receiver, &batch, stop_ms)
    }

    fn windows(&self) -> Vec<(usize, u32)> {
        self.windows.borrow().clone()
    }
}

impl Clock for Script {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn sleep_ms(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get() + ms);
    }

    fn random(&self) -> u64 {
        0
    }
}

impl Http for Script {
    fn send(&self, _: &Request) -> Result<Response, Failure> {
        panic!("delivery does not ask the API")
    }
}

impl Transport for Script {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        let number = self.opened.get() + 1;
        self.opened.set(number);
        let reads = self.connections.borrow_mut().pop_front().expect("a connection in the script").into();
        let (now_ms, windows) = (self.now_ms.clone(), self.windows.clone());
        Ok(Box::new(Scripted { now_ms, reads, windows, number }))
    }
}

impl Connection for Scripted {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        assert_eq!(&bytes[..2], b"2W");
        let count = u32::from_be_bytes(bytes[2..6].try_into().unwrap());
        self.windows.borrow_mut().push((self.number, count));
        Ok(())
    }

    fn read(&mut self, _: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        match self.reads.pop_front() {
            Some(Read::Bytes(bytes)) => Ok(bytes.to_vec()),
            Some(Read::Closed) => Ok(Vec::new()),
            Some(Read::Silence) | None => {
                self.now_ms.set(self.now_ms.get() + timeout_ms);
                Err(TransportError { step: Step::Timeout, retryable: true, message: "silence".into() })
            }
        }
    }
}

const NEVER: u64 = u64::MAX;
const ACK_3: Read = Read::Bytes(b"2A\0\0\0\x03");

#[test]
fn a_repeated_ack_is_not_taken_for_one_of_the_next_window() {
    let script = script(vec![vec![ACK_3, ACK_3], vec![ACK_3]]);
    let mut delivery = Delivery::default();
    assert_eq!(script.deliver(&mut delivery, 3, NEVER), (3, Ok(())));
    assert_eq!(script.deliver(&mut delivery, 3, NEVER), (3, Ok(())));
    assert_eq!(script.windows(), [(1, 3), (2, 3)], "the second window went over a connection without a past");
}

#[test]
fn an_idle_connection_and_one_with_keep_alives_are_used_again() {
    for between in [Read::Silence, Read::Bytes(b"2A\0\0\0\x002A\0\0\0\0")] {
        let script = script(vec![vec![ACK_3, between, ACK_3]]);
        let mut delivery = Delivery::default();
        assert_eq!(script.deliver(&mut delivery, 3, NEVER), (3, Ok(())));
        assert_eq!(script.deliver(&mut delivery, 3, NEVER), (3, Ok(())));
        assert_eq!(script.windows(), [(1, 3), (1, 3)]);
    }
}

#[test]
fn only_what_is_not_acknowledged_is_sent_again() {
    let script = script(vec![vec![ACK_3, Read::Closed], vec![Read::Bytes(b"2A\0\0\0\x02")]]);
    let mut delivery = Delivery::default();
    assert_eq!(script.deliver(&mut delivery, 5, NEVER), (5, Ok(())));
    assert_eq!(script.windows(), [(1, 5), (2, 2)]);
    assert_eq!(delivery.take_deliveries(), Deliveries { windows: 1, sent: 7, resent: 2, keep_alives: 0 });
}

#[test]
fn a_receiver_that_goes_forward_a_little_each_time_is_not_given_up() {
    let a_little = || vec![Read::Bytes(b"2A\0\0\0\x01"), Read::Closed];
    let script = script((0..6).map(|_| a_little()).collect());
    assert_eq!(script.deliver(&mut Delivery::default(), 6, NEVER), (6, Ok(())));
}

#[test]
fn a_receiver_that_never_answers_is_given_up_with_a_reason_also_when_the_time_runs_out_first() {
    for stop_ms in [NEVER, 55_000] {
        let script = script((0..3).map(|_| vec![]).collect());
        let mut delivery = Delivery::default();
        let (acknowledged, result) = script.deliver(&mut delivery, 3, stop_ms);
        let failure = result.unwrap_err();
        assert_eq!(acknowledged, 0);
        assert!(failure.message.contains("acknowledged 0 of 3 lines and then nothing"), "{failure}");
        assert_eq!(delivery.given_up(), Some(&failure), "later windows of the run do not wait again");
    }
}

#[test]
fn a_window_that_is_sent_late_blames_nobody_and_one_that_is_too_late_is_not_sent() {
    let script = script(vec![vec![]]);
    let mut delivery = Delivery::default();
    assert_eq!(script.deliver(&mut delivery, 3, 2_000), (0, Ok(())));
    assert_eq!(script.windows(), [(1, 3)]);
    assert_eq!(script.deliver(&mut delivery, 3, script.now_ms.get() + LAST_WINDOW_MS - 1), (0, Ok(())));
    assert_eq!(script.windows(), [(1, 3)]);
}
