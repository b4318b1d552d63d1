//! What is acknowledged on a connection, for those who watch a run: it hands in what it has done only when a turn is over.

use std::collections::VecDeque;

/// Length of a window's begin, and of an acknowledgement.
const FRAME: usize = 6;

/// The windows on their way on one connection.
#[derive(Debug, Default)]
pub(super) struct Acks {
    windows: VecDeque<u32>,
    /// Of the first window.
    acknowledged: u32,
    /// The begin of an acknowledgement.
    rest: Vec<u8>,
}

impl Acks {
    /// Bytes were written. A window begins with its number of lines, and with a write.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.windows.extend(number(bytes, b'W').filter(|lines| *lines > 0));
    }

    /// Bytes were read. Returns how many lines they acknowledge that were not acknowledged before.
    pub(super) fn received(&mut self, bytes: &[u8]) -> u64 {
        self.rest.extend_from_slice(bytes);
        let mut new = 0;
        while self.rest.len() >= FRAME {
            let frame: Vec<u8> = self.rest.drain(..FRAME).collect();
            let (Some(upto), Some(size)) = (number(&frame, b'A'), self.windows.front().copied()) else {
                continue;
            };
            new += u64::from(upto.min(size).saturating_sub(self.acknowledged));
            self.acknowledged = self.acknowledged.max(upto);
            if upto >= size {
                self.windows.pop_front();
                self.acknowledged = 0;
            }
        }
        new
    }
}

/// The number of a frame of this kind.
fn number(bytes: &[u8], kind: u8) -> Option<u32> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let number = rest.first_chunk::<4>()?;
    (head.last() == Some(&kind)).then(|| u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_acknowledged_once_however_the_bytes_come() {
        let mut acks = Acks::default();
        acks.sent(b"2W\0\0\0\x0a2C...");
        assert_eq!(acks.received(b"2A\0\0\0\0"), 0, "a sign of life");
        assert_eq!(acks.received(b"2A\0\0\0\x04"), 4);
        assert_eq!(acks.received(b"2A\0\0\0\x042A\0"), 0);
        assert_eq!(acks.received(b"\0\0\x0a"), 6);
        assert_eq!(acks.received(b"2A\0\0\0\x0a"), 0, "of no window");
        acks.sent(b"rest of a window");
        acks.sent(b"1W\0\0\0\x02");
        acks.sent(b"1W\0\0\0\x03");
        assert_eq!(acks.received(b"1A\0\0\0\x021A\0\0\0\x03"), 5, "two windows on their way");
    }
}
