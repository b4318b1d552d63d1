//! Acknowledgements: a receiver's answers to a window.

use super::frame::ACK;

/// An acknowledgement: events 1..=`sequence` of the window are safe. 0 is a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Number of the last event that is safe.
    pub sequence: u32,
}

/// Answers that a Lumberjack receiver never sends. The connection is of no use after them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Bytes that are not an ack.
    #[error("the receiver answered {first_bytes}, which is not a Lumberjack acknowledgement: {hint}")]
    NotAnAck {
        /// The bytes, in hex.
        first_bytes: String,
        /// Their probable origin.
        hint: &'static str,
    },
    /// The receiver acknowledged more than was sent until then.
    #[error(
        "the receiver acknowledged event {sequence} when {written} events were sent: it does not wait for what it acknowledges"
    )]
    BeforeSent {
        /// The number it gave.
        sequence: u32,
        /// Events that were sent as a whole.
        written: u32,
    },
    /// Acks without end that acknowledge nothing.
    #[error("the receiver sent {acks} acknowledgements that acknowledge nothing: it is faulty")]
    Flood {
        /// How many came since the last that did.
        acks: u64,
    },
    /// More was acknowledged than the window holds.
    #[error(
        "the receiver acknowledged event {sequence} of a window of {window}: it may be a faulty receiver or a proxy that mixes connections"
    )]
    BeyondWindow {
        /// The number it gave.
        sequence: u32,
        /// Events in the window.
        window: u32,
    },
}

/// Puts acks together from bytes, however they are cut: `push` the bytes that were read, then take acks until there is none.
#[derive(Debug, Default)]
pub struct AckReader {
    unread: Vec<u8>,
}

/// Bytes of an ack: version, type, sequence.
const ACK_BYTES: usize = 6;

impl AckReader {
    /// Takes bytes from the receiver.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// Reads the rest, and returns whether it is only whole keep-alives.
    pub fn only_keep_alives(&mut self) -> bool {
        let keep_alives = std::iter::from_fn(|| self.next_ack().transpose())
            .all(|ack| ack.is_ok_and(|ack| ack.sequence == 0));
        keep_alives && self.unread.is_empty()
    }

    /// The next whole ack, or an error as soon as the bytes cannot become one.
    ///
    /// Both versions are fine whatever was sent: Logstash answers version 1 with keep-alives of version 2 (docs/facts/lumberjack.md 1.4).
    pub fn next_ack(&mut self) -> Result<Option<Ack>, ProtocolError> {
        match *self.unread.as_slice() {
            [b'1' | b'2', ACK, a, b, c, d, ..] => {
                self.unread.drain(..ACK_BYTES);
                Ok(Some(Ack { sequence: u32::from_be_bytes([a, b, c, d]) }))
            }
            [] | [b'1' | b'2'] | [b'1' | b'2', ACK, ..] => Ok(None),
            _ => Err(not_an_ack(&self.unread)),
        }
    }
}

fn not_an_ack(bytes: &[u8]) -> ProtocolError {
    let hint = match bytes {
        [b'H', b'T', ..] | [b'<', ..] => "it looks like an HTTP server; is the port right?",
        [0x15, 0x03, ..] => "it looks like a TLS alert; the port wants TLS: leave `logstash.tls` at true",
        _ => "is the port that of a Beats or Lumberjack input?",
    };
    let first_bytes = bytes.iter().take(ACK_BYTES).map(|byte| format!("{byte:02x}")).collect();
    ProtocolError::NotAnAck { first_bytes, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequences(pieces: &[&[u8]]) -> Result<Vec<u32>, ProtocolError> {
        let mut reader = AckReader::default();
        let mut all = Vec::new();
        for piece in pieces {
            reader.push(piece);
            while let Some(ack) = reader.next_ack()? {
                all.push(ack.sequence);
            }
        }
        Ok(all)
    }

    #[test]
    fn acks_are_read_over_any_fragmentation_and_in_both_versions() {
        let bytes = b"2A\0\0\0\x002A\0\0\0\x031A\0\0\x01\0";
        for cut in 0..bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(sequences(&[head, tail]).unwrap(), [0, 3, 256], "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(sequences(&single).unwrap(), [0, 3, 256]);
    }

    #[test]
    fn what_is_no_ack_is_refused_at_its_first_wrong_byte_with_a_hint() {
        for (bytes, hint) in [
            (&b"3A\0\0\0\x01"[..], "Beats"),
            (b"2W", "Beats"),
            (b"\0", "Beats"),
            (b"HTTP/1.1 400", "HTTP"),
            (b"\x15\x03\x03\0\x02\x02", "TLS"),
        ] {
            let error = sequences(&[bytes]).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn an_ack_before_garbage_counts() {
        let mut reader = AckReader::default();
        reader.push(b"2A\0\0\0\x03garbage");
        assert_eq!(reader.next_ack(), Ok(Some(Ack { sequence: 3 })));
        reader.next_ack().unwrap_err();
    }
}
