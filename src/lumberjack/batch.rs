//! Batches: events that go out as one window.

use super::{COMPRESSED, JSON, VERSION, WINDOW};
use serde::Serialize;

/// How large a window may be. Both limits hold, but one event larger than `bytes` goes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events; Filebeat's default is 2048, the strictest receiver takes 10,000.
    pub events: u32,
    /// Bytes of JSON before compression. Receivers hold two or three copies of a window, some of them off-heap: 2 MiB keep them well.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: 2048, bytes: 2 << 20 }
    }
}

/// Events as JSON, in order, waiting to be acknowledged.
#[derive(Debug, Default)]
pub struct Batch {
    json: Vec<u8>,
    /// Where each event ends in `json`.
    ends: Vec<usize>,
}

impl Batch {
    /// Adds an event.
    pub fn push(&mut self, event: &impl Serialize) -> Result<(), serde_json::Error> {
        let begin = self.json.len();
        serde_json::to_writer(&mut self.json, event).inspect_err(|_| self.json.truncate(begin))?;
        self.ends.push(self.json.len());
        Ok(())
    }

    /// Events in the batch.
    pub fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether it should go out before more is added.
    pub fn is_full(&self, limits: Limits) -> bool {
        self.len() >= limits.events || self.json.len() >= limits.bytes
    }

    /// Forgets all events and keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.json.clear();
        self.ends.clear();
    }

    /// The window for the events from `first` (counted from 0) on: `W n`, then one compressed frame with the events numbered 1..n.
    ///
    /// Numbering restarts in every window, also when the rest of one is sent again: only then do all receivers agree on what an ack
    /// means (facts/lumberjack.md 0, rows 1 and 2). `level` is zlib's, 0–9; at 0 the frames go out bare.
    pub fn window(&self, first: u32, level: u8) -> Vec<u8> {
        let count = self.len().saturating_sub(first);
        let mut window = header(WINDOW, &[count]);
        let frames = self.frames(first);
        if level == 0 {
            window.extend_from_slice(&frames);
            return window;
        }
        let compressed = miniz_oxide::deflate::compress_to_vec_zlib(&frames, level);
        let length = u32::try_from(compressed.len()).unwrap_or(u32::MAX);
        window.extend_from_slice(&header(COMPRESSED, &[length]));
        window.extend_from_slice(&compressed);
        window
    }

    fn frames(&self, first: u32) -> Vec<u8> {
        let skipped = usize::try_from(first).unwrap_or(usize::MAX);
        let mut begin = skipped.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        let mut frames = Vec::with_capacity(self.json.len() - begin + 10 * self.ends.len());
        for (sequence, &end) in (1u32..).zip(self.ends.iter().skip(skipped)) {
            let event = self.json.get(begin..end).unwrap_or_default();
            let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
            frames.extend_from_slice(&header(JSON, &[sequence, length]));
            frames.extend_from_slice(event);
            begin = end;
        }
        frames
    }
}

/// Version, type and the big-endian numbers that follow.
fn header(kind: u8, numbers: &[u32]) -> Vec<u8> {
    let mut bytes = vec![VERSION, kind];
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn batch(messages: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for message in messages {
            batch.push(&json!({"message": message})).unwrap();
        }
        batch
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn a_bare_window_is_byte_for_byte_what_elastics_client_emits() {
        // facts/lumberjack.md 1.5, E1
        let expected = hex("3257 00000001 324a 00000001 00000010 7b226d657373616765223a226869227d");
        assert_eq!(batch(&["hi"]).window(0, 0), expected);
    }

    #[test]
    fn a_compressed_window_inflates_to_the_bare_frames() {
        let batch = batch(&["hi", "yo", "hi"]);
        let bare = batch.window(0, 0);
        for level in 1..=9 {
            let window = batch.window(0, level);
            assert_eq!(window[..6], bare[..6]);
            assert_eq!(window[6..8], *b"2C");
            let length = u32::from_be_bytes(window[8..12].try_into().unwrap());
            assert_eq!(length as usize, window.len() - 12);
            assert_eq!(miniz_oxide::inflate::decompress_to_vec_zlib(&window[12..]).unwrap(), bare[6..]);
        }
    }

    #[test]
    fn the_rest_of_a_window_is_numbered_from_1_again() {
        assert_eq!(batch(&["a", "b", "c"]).window(1, 0), batch(&["b", "c"]).window(0, 0));
        assert_eq!(batch(&["a"]).window(1, 0), hex("3257 00000000"));
    }

    #[test]
    fn a_batch_is_full_by_events_or_by_bytes() {
        let two = batch(&["a", "b"]);
        assert!(two.is_full(Limits { events: 2, bytes: 1000 }));
        assert!(two.is_full(Limits { events: 9, bytes: 30 }));
        assert!(!two.is_full(Limits { events: 3, bytes: 31 }));
    }
}
