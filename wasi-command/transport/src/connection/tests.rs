use std::collections::VecDeque;

use super::*;

/// What happens while somebody waits.
#[derive(Clone, Debug)]
enum Event {
    /// Bytes arrive.
    Bytes(Vec<u8>),
    /// There is room for so many bytes.
    Room(usize),
    /// Nothing can be read any more.
    Over(Broken),
    /// Nothing can be written any more.
    Stuck(Broken),
}

/// A stream that does what a test says, one event a wait. Without events left a wait lasts as long as it may.
#[derive(Debug, Default)]
struct Scripted {
    events: VecDeque<Event>,
    input: VecDeque<u8>,
    over: Option<Broken>,
    stuck: Option<Broken>,
    room: usize,
    flushing: bool,
    written: Vec<u8>,
    flushes: usize,
    now_ns: u64,
}

impl Wire for Scripted {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, Broken> {
        match (&self.over, self.input.is_empty()) {
            (Some(broken), true) => Err(broken.clone()),
            _ => Ok(self.input.drain(..most.min(self.input.len())).collect()),
        }
    }

    fn room(&mut self) -> Result<usize, Broken> {
        match &self.stuck {
            Some(broken) => Err(broken.clone()),
            None if self.flushing => Ok(0),
            None => Ok(self.room),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        assert!(bytes.len() <= self.room, "more than there is room for");
        self.room -= bytes.len();
        self.written.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Broken> {
        self.flushing = true;
        self.flushes += 1;
        Ok(())
    }

    fn wait(&mut self, _: Interest, until_ns: u64) {
        self.flushing = false;
        match self.events.pop_front() {
            Some(Event::Bytes(bytes)) => self.input.extend(bytes),
            Some(Event::Room(room)) => self.room += room,
            Some(Event::Over(broken)) => self.over = Some(broken),
            Some(Event::Stuck(broken)) => self.stuck = Some(broken),
            None => self.now_ns = until_ns,
        }
    }

    fn now_ns(&self) -> u64 {
        self.now_ns
    }
}

fn connection(events: impl IntoIterator<Item = Event>) -> Connection<Scripted> {
    let wire = Scripted { events: events.into_iter().collect(), ..Scripted::default() };
    Connection::new(wire, Peer::new("logs", 5044, false), false)
}

#[test]
fn a_write_is_done_when_everything_was_handed_over_and_flushed() {
    let mut connection = connection([Event::Room(3), Event::Room(10)]);
    connection.write(b"windows", 1000).unwrap();
    assert_eq!(connection.wire.written, b"windows");
    assert_eq!((connection.wire.flushes, connection.wire.flushing), (1, false));
}

#[test]
fn a_write_keeps_what_the_receiver_sends_meanwhile() {
    let mut connection = connection([
        Event::Bytes(b"2A".to_vec()),
        Event::Room(1),
        Event::Bytes(b"ck".to_vec()),
        Event::Room(9),
    ]);
    connection.write(b"bytes", 1000).unwrap();
    assert_eq!(connection.read(3, 0).unwrap(), b"2Ac");
    assert_eq!(connection.read(100, 0).unwrap(), b"k");
}

#[test]
fn a_write_that_the_receiver_does_not_take_ends_with_its_time_and_spoils_the_connection() {
    let mut connection = connection([Event::Room(2)]);
    let fault = connection.write(b"bytes", 1000).unwrap_err();
    assert_eq!((fault.step, fault.retryable), (Step::Timeout, true));
    assert_eq!(connection.wire.now_ns, 1_000_000_000);
    assert_eq!(connection.write(b"more", 1000).unwrap_err(), fault, "half a frame is out");
}

#[test]
fn a_write_that_fails_looks_for_the_reason_that_was_sent_before() {
    let alert = Broken::Failed("received fatal alert: CertificateRequired".to_owned());
    let mut failing = connection([Event::Stuck(Broken::Closed), Event::Over(alert)]);
    let fault = failing.write(b"bytes", 1000).unwrap_err();
    assert_eq!(fault.step, Step::Handshake);
    assert!(fault.message.contains("client certificate"), "{fault:?}");

    let mut silent = connection([Event::Stuck(Broken::Failed("connection-reset".to_owned()))]);
    let fault = silent.write(b"bytes", 60_000).unwrap_err();
    assert_eq!(fault.step, Step::Write);
    assert_eq!(silent.wire.now_ns, REASON_NS, "it does not wait for long");
}

#[test]
fn a_read_waits_for_the_first_byte_only_and_gives_no_more_than_asked_for() {
    let mut connection = connection([Event::Bytes(b"abc".to_vec()), Event::Bytes(b"d".to_vec())]);
    assert_eq!(connection.read(2, 1000).unwrap(), b"ab");
    assert_eq!(connection.read(2, 1000).unwrap(), b"c");
    assert_eq!(connection.read(0, 1000).unwrap(), b"d", "at least one byte is asked for");
    assert_eq!(connection.wire.now_ns, 0);
}

#[test]
fn a_read_without_time_takes_what_has_come_and_no_more_than_a_glance() {
    let mut late = connection([]);
    assert_eq!(late.read(10, 0).unwrap_err().step, Step::Timeout);
    assert_eq!(late.wire.now_ns, GLANCE_NS);
    // The host may have to look at its socket first.
    assert_eq!(connection([Event::Bytes(b"x".to_vec())]).read(10, 0).unwrap(), b"x");
}

#[test]
fn a_read_that_gets_nothing_ends_with_its_time_and_may_be_tried_again() {
    let mut connection = connection([]);
    let fault = connection.read(10, 2).unwrap_err();
    assert_eq!((fault.step, fault.retryable, connection.wire.now_ns), (Step::Timeout, true, 2_000_000));
    connection.wire.events.push_back(Event::Bytes(b"x".to_vec()));
    assert_eq!(connection.read(10, 2).unwrap(), b"x");
}

#[test]
fn a_receiver_that_has_closed_its_side_gives_what_is_left_and_then_nothing() {
    let mut connection = connection([Event::Bytes(b"ack".to_vec()), Event::Over(Broken::Closed)]);
    assert_eq!(connection.read(2, 1000).unwrap(), b"ac");
    assert_eq!(connection.read(9, 1000).unwrap(), b"k");
    assert_eq!(connection.read(9, 1000).unwrap(), b"");
    assert_eq!(connection.read(9, 1000).unwrap(), b"");
}

#[test]
fn tls_that_ends_without_a_goodbye_is_closed_too() {
    let cut = Broken::Failed("peer closed connection without sending TLS close_notify".to_owned());
    let mut connection = connection([Event::Bytes(b"a".to_vec()), Event::Over(cut)]);
    assert_eq!(connection.read(9, 1000).unwrap(), b"a");
    assert_eq!(connection.read(9, 1000).unwrap(), b"");
}

#[test]
fn a_receiver_that_leaves_without_a_word_is_an_error_that_says_what_to_check() {
    let fault = connection([Event::Over(Broken::Closed)]).read(9, 1000).unwrap_err();
    assert_eq!((fault.step, fault.retryable), (Step::Read, true));
    assert!(fault.message.contains("`logstash.tls`"), "{fault:?}");
}

#[test]
fn an_answer_in_tls_to_plain_bytes_says_what_to_set() {
    let alert = Event::Bytes(vec![0x15, 3, 3, 0, 2, 2, 80]);
    let fault = connection([Event::Room(9), alert.clone()]).write(b"a window", 1000).unwrap_err();
    assert_eq!(fault.step, Step::Handshake);
    let fault = connection([alert]).read(9, 1000).unwrap_err();
    assert_eq!((fault.step, fault.retryable), (Step::Handshake, false));
    assert!(fault.message.contains("take `logstash.tls` out"), "{fault:?}");
}

#[test]
fn a_receiver_that_floods_does_not_fill_the_memory() {
    let flood = std::iter::repeat_n(Event::Bytes(vec![b'k'; 60_000]), 50).chain([Event::Room(9)]);
    let mut connection = connection(flood);
    connection.write(b"bytes", 1000).unwrap();
    assert!(connection.received.len() <= KEPT + CHUNK, "{}", connection.received.len());
}
