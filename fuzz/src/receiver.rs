//! A receiver's side of one connection: which lines have come as a whole, and which of them it has acknowledged.

use std::collections::{BTreeSet, VecDeque};
use std::io::Cursor;

use serde_json::Value;
use whiskjack_testbed::{Refusal, Rules, read_window};

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    unread: Vec<u8>,
    /// Windows that are not acknowledged to the end. All but the last are whole.
    windows: VecDeque<Window>,
    answer: Vec<u8>,
    /// It has answered what no receiver may; what it says after that does not count.
    lied: bool,
}

/// A window as far as it has come.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) count: u32,
    /// Lines of the frames that are whole, by their numbers.
    pub(crate) lines: Vec<u64>,
    whole: bool,
}

impl Connection {
    /// The window that is acknowledged next.
    pub(crate) fn window(&self) -> Option<&Window> {
        self.windows.front()
    }

    /// Windows on their way.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u32> {
        self.windows.iter().map(|window| window.count)
    }

    /// Whether a window has come in part.
    pub(crate) fn is_inside_window(&self) -> bool {
        self.windows.back().is_some_and(|window| !window.whole)
    }

    /// Takes what the sender writes, which must be windows by all rules. Gives those that are whole now.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u64>> {
        self.unread.extend_from_slice(bytes);
        let mut whole = Vec::new();
        if self.windows.back().is_some_and(|last| !last.whole) {
            self.windows.pop_back();
        }
        while let Some((window, used)) = window(&self.unread) {
            self.unread.drain(..used);
            if window.whole {
                whole.push(window.lines.clone());
            }
            let is_last = !window.whole;
            self.windows.push_back(window);
            if is_last {
                break;
            }
        }
        whole
    }

    /// Answers these bytes: the lines that are acknowledged by that.
    pub(crate) fn answer(&mut self, bytes: &[u8], acknowledged: &mut BTreeSet<u64>) {
        self.answer.extend_from_slice(bytes);
        let answer = std::mem::take(&mut self.answer);
        let mut rest = answer.as_slice();
        while let (Some((ack, after)), false) = (rest.split_first_chunk::<6>(), self.lied) {
            rest = after;
            let [version, kind, sequence @ ..] = *ack;
            let sequence = u32::from_be_bytes(sequence);
            self.lied = !matches!(version, b'1' | b'2') || kind != b'A';
            let Some(window) = self.windows.front().filter(|_| !self.lied) else { continue };
            match window.lines.get(..sequence as usize) {
                Some(lines) => acknowledged.extend(lines),
                None => self.lied = true,
            }
            if sequence == window.count && !self.lied {
                self.windows.pop_front();
            }
        }
        self.answer = rest.to_vec();
    }
}

/// The window that begins here, and how many bytes it takes: none while it is not whole.
fn window(bytes: &[u8]) -> Option<(Window, usize)> {
    let count = number(bytes.get(2..6)?);
    let mut from = Cursor::new(bytes);
    match read_window(&mut from, Rules::default(), None) {
        Ok(window) => {
            let lines = window.events.iter().map(line).collect();
            Some((Window { count, lines, whole: true }, window.bytes))
        }
        Err(Refusal::Cut(_)) => Some((Window { count, lines: bare_lines(bytes), whole: false }, 0)),
        Err(refusal) => panic!("the sender broke a rule: {refusal:?}"),
    }
}

/// Lines of the whole frames of a window that comes uncompressed.
fn bare_lines(bytes: &[u8]) -> Vec<u64> {
    let mut rest = bytes.get(6..).unwrap_or_default();
    let mut lines = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<10>().filter(|(header, _)| header[1] == b'J') {
        let Some((event, after)) = after.split_at_checked(number(&header[6..]) as usize) else { break };
        lines.push(line(&serde_json::from_slice(event).unwrap()));
        rest = after;
    }
    lines
}

fn line(event: &Value) -> u64 {
    event["line"].as_str().unwrap().parse().unwrap()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}
