//! The sender on a virtual clock, between a test and a receiver that is a function.

use std::collections::VecDeque;
use std::convert::Infallible;
use whiskjack::lumberjack::{Counts, Goal, Options, Protocol, Sender, Step};
use whiskjack::ports::{Step as TransportStep, TransportError};

/// What a receiver does.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// Acknowledges, in version 2.
    Ack(u32),
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Lets time pass before the next.
    After(u64),
    /// Closes its side.
    Close,
    /// Resets the connection.
    Reset,
    /// Refuses the client's certificate, after the handshake.
    Alert,
}

/// A window that a receiver has read whole.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Which receiver.
    pub(crate) receiver: usize,
    /// Number of the connection, from 1.
    pub(crate) connection: usize,
    /// The events' payloads.
    pub(crate) events: Vec<Vec<u8>>,
    /// Bytes as they came.
    pub(crate) bytes: Vec<u8>,
}

impl Window {
    /// Number of events.
    pub(crate) fn len(&self) -> u32 {
        self.events.len() as u32
    }

    /// Whether one of the events is this one.
    pub(crate) fn has(&self, payload: &str) -> bool {
        self.events.iter().any(|event| event == payload.as_bytes())
    }
}

/// What happened, with the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    Connect { receiver: usize, timeout_ms: u64 },
    Write { bytes: usize },
    Look,
    Wait { timeout_ms: u64 },
    Close,
    Pause { ms: u64 },
}

type OnWindow = Box<dyn FnMut(&Window) -> Vec<Say>>;
type OnConnect = Box<dyn FnMut(usize) -> Result<Vec<Say>, TransportError>>;
type OnPiece = Box<dyn FnMut(usize) -> Result<Vec<Say>, TransportError>>;

/// A sender with its receivers.
pub(crate) struct Rig {
    pub(crate) sender: Sender,
    pub(crate) now_ms: u64,
    pub(crate) stop_ms: u64,
    pub(crate) log: Vec<(u64, Happened)>,
    pub(crate) windows: Vec<Window>,
    /// Events that are settled, and those of them that were set aside.
    pub(crate) settled: u32,
    pub(crate) set_aside: Vec<u64>,
    options: Options,
    on_window: OnWindow,
    on_connect: OnConnect,
    on_piece: OnPiece,
    connections: usize,
    receiver: usize,
    unread: Vec<u8>,
    piece: usize,
    piece_takes_ms: u64,
    /// What the receiver is going to do, and when.
    due: VecDeque<(u64, Say)>,
}

/// Everything is acknowledged at once.
pub(crate) fn well() -> impl FnMut(&Window) -> Vec<Say> {
    |window| vec![Say::Ack(window.len())]
}

impl Rig {
    /// One receiver that does this when it has read a window.
    pub(crate) fn new(options: Options, on_window: impl FnMut(&Window) -> Vec<Say> + 'static) -> Self {
        Self::several(options, 1, on_window)
    }

    /// Several receivers.
    pub(crate) fn several(
        options: Options,
        receivers: usize,
        on_window: impl FnMut(&Window) -> Vec<Say> + 'static,
    ) -> Self {
        let names = (0..receivers).map(|n| format!("logs{n}:5044")).collect();
        Self {
            sender: Sender::new(options.clone(), names, Some(0), 7),
            now_ms: 1_000_000,
            stop_ms: u64::MAX,
            log: Vec::new(),
            windows: Vec::new(),
            settled: 0,
            set_aside: Vec::new(),
            options,
            on_window: Box::new(on_window),
            on_connect: Box::new(|_| Ok(Vec::new())),
            on_piece: Box::new(|_| Ok(Vec::new())),
            connections: 0,
            receiver: 0,
            unread: Vec::new(),
            piece: 0,
            piece_takes_ms: 0,
            due: VecDeque::new(),
        }
    }

    /// What comes of connecting, by receiver.
    pub(crate) fn on_connect(
        mut self,
        on_connect: impl FnMut(usize) -> Result<Vec<Say>, TransportError> + 'static,
    ) -> Self {
        self.on_connect = Box::new(on_connect);
        self
    }

    /// What comes of writing a piece, by its number on the connection, from 1.
    pub(crate) fn on_piece(
        mut self,
        on_piece: impl FnMut(usize) -> Result<Vec<Say>, TransportError> + 'static,
    ) -> Self {
        self.on_piece = Box::new(on_piece);
        self
    }

    /// How long the receiver takes to read a piece.
    pub(crate) fn reading_a_piece_in(mut self, ms: u64) -> Self {
        self.piece_takes_ms = ms;
        self
    }

    /// When there must be an end, from now on.
    pub(crate) fn stopping_after(mut self, ms: u64) -> Self {
        self.stop_ms = self.now_ms + ms;
        self
    }

    /// Adds events `{"n":FIRST}` and so on.
    pub(crate) fn push(&mut self, events: std::ops::Range<u32>) {
        events.for_each(|n| self.push_payload(&event(n)));
    }

    /// Adds an event.
    pub(crate) fn push_payload(&mut self, payload: &str) {
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(payload.as_bytes());
            Ok::<(), Infallible>(())
        };
        self.sender.outbox().push(write).unwrap();
    }

    /// Adds events and sends them until they are settled.
    pub(crate) fn send(&mut self, events: std::ops::Range<u32>) {
        self.push(events);
        self.work(Goal::Settled);
    }

    /// Does what the sender wants until it is done.
    pub(crate) fn work(&mut self, goal: Goal) {
        for _ in 0..1_000_000 {
            if !self.step(goal) {
                self.settled += self.sender.take_settled();
                self.set_aside.extend(self.sender.take_set_aside());
                return;
            }
        }
        panic!("the sender does not come to an end");
    }

    pub(crate) fn counts(&mut self) -> Counts {
        self.sender.take_counts()
    }

    pub(crate) fn failure(&self) -> String {
        self.sender.given_up().expect("the sender has given up").message.clone()
    }

    /// Connections that were opened.
    pub(crate) fn connections(&self) -> usize {
        self.connections
    }

    /// Sizes of the windows that were read, in order, with the number of their connection.
    pub(crate) fn sizes(&self) -> Vec<(usize, u32)> {
        self.windows.iter().map(|window| (window.connection, window.len())).collect()
    }

    pub(crate) fn pauses(&self) -> Vec<u64> {
        let pause =
            |happened: &Happened| if let Happened::Pause { ms } = happened { Some(*ms) } else { None };
        self.log.iter().filter_map(|(_, happened)| pause(happened)).collect()
    }

    fn step(&mut self, goal: Goal) -> bool {
        let (now, stop) = (self.now_ms, self.stop_ms);
        match self.sender.step(now, goal, stop) {
            Step::Done => return false,
            Step::Close => {
                self.log.push((now, Happened::Close));
                self.due.clear();
                self.unread.clear();
            }
            Step::Pause { ms } => {
                self.log.push((now, Happened::Pause { ms }));
                self.now_ms += ms;
            }
            Step::Connect { receiver, timeout_ms } => {
                self.log.push((now, Happened::Connect { receiver, timeout_ms }));
                (self.receiver, self.piece) = (receiver, 0);
                self.due.clear();
                self.unread.clear();
                let result = (self.on_connect)(receiver);
                if let Err(error) = &result
                    && error.step == TransportStep::Timeout
                {
                    self.now_ms += timeout_ms;
                }
                self.connections += usize::from(result.is_ok());
                let result = result.map(|says| self.say(says));
                self.sender.connected(self.now_ms, result);
            }
            Step::Write { bytes, timeout_ms } => {
                let bytes = bytes.to_vec();
                self.log.push((now, Happened::Write { bytes: bytes.len() }));
                self.piece += 1;
                self.now_ms += self.piece_takes_ms.min(timeout_ms);
                let result = match self.piece_takes_ms <= timeout_ms {
                    true => (self.on_piece)(self.piece),
                    false => Err(failed(TransportStep::Timeout)),
                };
                self.unread.extend_from_slice(&bytes);
                let result = result.map(|says| self.say(says));
                if result.is_ok() {
                    self.read_windows();
                }
                self.sender.written(self.now_ms, result);
            }
            Step::Read { timeout_ms } => {
                let happened = if timeout_ms == 0 { Happened::Look } else { Happened::Wait { timeout_ms } };
                self.log.push((now, happened));
                let next = self.due.front().map(|(due, _)| *due).filter(|due| *due <= now + timeout_ms);
                self.now_ms = next.unwrap_or(now + timeout_ms).max(now);
                let said = next.and_then(|_| self.due.front().cloned());
                let result = match &said {
                    None => Err(failed(TransportStep::Timeout)),
                    Some((_, Say::Bytes(bytes))) => Ok(&bytes[..]),
                    Some((_, Say::Close)) => Ok(&[][..]),
                    Some((_, Say::Alert)) => {
                        Err(TransportError { retryable: false, ..failed(TransportStep::Handshake) })
                    }
                    Some(_) => Err(failed(TransportStep::Read)),
                };
                // The end of a stream stays.
                if !matches!(said, None | Some((_, Say::Close))) {
                    self.due.pop_front();
                }
                self.sender.received(self.now_ms, result);
            }
        }
        true
    }

    fn say(&mut self, says: Vec<Say>) {
        let mut at = self.due.back().map_or(self.now_ms, |(due, _)| (*due).max(self.now_ms));
        for say in says {
            match say {
                Say::After(ms) => at += ms,
                Say::Ack(sequence) => self.due.push_back((at, Say::Bytes(ack(b'2', sequence)))),
                other => self.due.push_back((at, other)),
            }
        }
    }

    fn read_windows(&mut self) {
        while let Some((events, taken)) = whole_window(&self.unread, self.options.protocol) {
            let bytes: Vec<u8> = self.unread.drain(..taken).collect();
            let window = Window { receiver: self.receiver, connection: self.connections, events, bytes };
            let says = (self.on_window)(&window);
            self.windows.push(window);
            self.say(says);
        }
    }
}

/// The payload of event number `n`.
pub(crate) fn event(n: u32) -> String {
    format!("{{\"n\":{n}}}")
}

pub(crate) fn ack(version: u8, sequence: u32) -> Vec<u8> {
    [&[version, b'A'][..], &sequence.to_be_bytes()].concat()
}

pub(crate) fn failed(step: TransportStep) -> TransportError {
    TransportError { step, retryable: true, message: format!("{step:?} failed").to_lowercase() }
}

pub(crate) fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

/// Reads one window by the strictest receiver's rules: its events, and how many bytes it took. `None` if it is not all there.
fn whole_window(bytes: &[u8], protocol: Protocol) -> Option<(Vec<Vec<u8>>, usize)> {
    let version = if protocol == Protocol::V1 { b'1' } else { b'2' };
    let header = bytes.get(..6)?;
    assert_eq!(&header[..2], [version, b'W'], "a window begins with its size");
    let count = number(&header[2..]);
    assert!(count > 0, "a window is never empty");
    let rest = &bytes[6..];
    let kind = rest.get(..2)?;
    assert_eq!(kind[0], version);
    let (frames, taken) = if kind[1] == b'C' {
        let length = number(rest.get(2..6)?) as usize;
        let compressed = rest.get(6..6 + length)?;
        (inflated(compressed), 12 + length)
    } else {
        assert_eq!(protocol, Protocol::V2, "version 1 is always compressed");
        let mut end = 0;
        for _ in 0..count {
            end += 10 + number(rest.get(end + 6..end + 10)?) as usize;
        }
        (rest.get(..end)?.to_vec(), 6 + end)
    };
    let events = payloads(&frames, protocol);
    assert_eq!(events.len(), count as usize, "as many events as the window said");
    Some((events, taken))
}

pub(crate) fn inflated(stream: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(stream).expect("a whole zlib stream with its checksum")
}

/// The payloads of bare frames, which must be numbered from 1.
pub(crate) fn payloads(mut frames: &[u8], protocol: Protocol) -> Vec<Vec<u8>> {
    let kind: &[u8] = if protocol == Protocol::V1 { b"1D" } else { b"2J" };
    let mut payloads = Vec::new();
    while !frames.is_empty() {
        assert_eq!(&frames[..2], kind);
        assert_eq!(number(&frames[2..6]) as usize, payloads.len() + 1, "frames are numbered from 1");
        let (begin, end) = match protocol {
            Protocol::V2 => (10, 10 + number(&frames[6..10]) as usize),
            Protocol::V1 => (6, 6 + pairs(&frames[6..]).1),
        };
        payloads.push(frames[begin..end].to_vec());
        frames = &frames[end..];
    }
    payloads
}

/// Pairs of a version 1 payload, and the bytes they take.
pub(crate) fn pairs(bytes: &[u8]) -> (Vec<(String, String)>, usize) {
    let mut at = 4;
    let mut text = || {
        let length = number(&bytes[at..at + 4]) as usize;
        at += 4 + length;
        String::from_utf8(bytes[at - length..at].to_vec()).expect("UTF-8")
    };
    let pairs = (0..number(&bytes[..4])).map(|_| (text(), text())).collect();
    (pairs, at)
}
