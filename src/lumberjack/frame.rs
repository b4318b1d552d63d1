//! Frames: version, type, big-endian numbers, and for some a payload (docs/facts/lumberjack.md 1.1).

/// Version of the protocol. One connection speaks one version only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `D` frames: flat pairs of texts. For receivers that are older than 2015, and for Logstash's `lumberjack` input.
    V1,
    /// `J` frames: a JSON object each. Beats use this version.
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

    /// Bytes in front of the payload of an event.
    pub(super) fn event_header(self) -> usize {
        // Pairs say by themselves how long they are.
        if self == Self::V2 { 10 } else { 6 }
    }

    /// Writes what comes in front of the payload of an event, which has this number in its window and `payload` bytes.
    pub(super) fn begin_event(self, out: &mut Vec<u8>, sequence: u32, payload: usize) {
        match self {
            Self::V1 => out.extend_from_slice(&self.header(DATA, sequence)),
            Self::V2 => {
                out.extend_from_slice(&self.header(JSON, sequence));
                out.extend_from_slice(&length(payload).to_be_bytes());
            }
        }
    }

    fn header(self, kind: u8, number: u32) -> [u8; 6] {
        let [a, b, c, d] = number.to_be_bytes();
        [self.byte(), kind, a, b, c, d]
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
