//! Frames: version, type, big-endian numbers, and for some a payload (facts/lumberjack.md 1.1).

use serde::{Deserialize, Serialize};

/// Version of the protocol. One connection speaks one version only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// `D` frames: flat pairs of texts. For receivers of before 2015 and Logstash's `lumberjack` input.
    V1,
    /// `J` frames: a JSON object each. What Beats speak.
    #[default]
    V2,
}

/// Frame type: window size.
const WINDOW: u8 = b'W';
/// Frame type: one event as pairs of texts.
const DATA: u8 = b'D';
/// Frame type: one event as JSON.
const JSON: u8 = b'J';
/// Frame type: zlib stream of whole frames.
const COMPRESSED: u8 = b'C';
/// Frame type: acknowledgement, from the receiver only.
pub(super) const ACK: u8 = b'A';

impl Protocol {
    /// Version byte of every frame.
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::V1 => b'1',
            Self::V2 => b'2',
        }
    }

    /// Says that `count` events follow.
    pub(super) fn window(self, count: u32) -> [u8; 6] {
        self.header(WINDOW, count)
    }

    /// Says that a zlib stream of `bytes` bytes follows.
    pub(super) fn compressed(self, bytes: usize) -> [u8; 6] {
        self.header(COMPRESSED, length(bytes))
    }

    /// Puts the header of an event in front of what `write` writes. Its sequence is set later, by [`number`]. Nothing is left of it if
    /// `write` fails.
    pub(super) fn event<E>(
        self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = out.len();
        let kind = match self {
            Self::V1 => DATA,
            Self::V2 => JSON,
        };
        out.extend_from_slice(&self.header(kind, 0));
        // Pairs say by themselves how long they are.
        if self == Self::V2 {
            out.extend_from_slice(&[0; 4]);
        }
        let payload = out.len();
        write(out).inspect_err(|_| out.truncate(begin))?;
        if self == Self::V2 {
            let bytes = length(out.len() - payload).to_be_bytes();
            if let Some(field) = out.get_mut(payload - 4..payload) {
                field.copy_from_slice(&bytes);
            }
        }
        Ok(())
    }

    fn header(self, kind: u8, number: u32) -> [u8; 6] {
        let [a, b, c, d] = number.to_be_bytes();
        [self.byte(), kind, a, b, c, d]
    }
}

/// Sets the sequence of the event frame that begins with these bytes.
pub(super) fn number(frame: &mut [u8], sequence: u32) {
    if let Some(field) = frame.get_mut(2..6) {
        field.copy_from_slice(&sequence.to_be_bytes());
    }
}

/// Writes a flat event as version 1 has it: the number of pairs, then key and value of each with their lengths.
pub fn write_pairs(out: &mut Vec<u8>, pairs: &[(&str, &str)]) {
    out.extend_from_slice(&length(pairs.len()).to_be_bytes());
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        out.extend_from_slice(&length(text.len()).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
}

/// A length as frames have it. Nothing that is sent comes near the limit: an event holds 10 MiB at most, a window little more.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
