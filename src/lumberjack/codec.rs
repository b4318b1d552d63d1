//! The zlib codec of compressed frames.

use zlib_rs::{DeflateFlush, Status};

/// Room for the output of one step, in bytes.
const ROOM: usize = 16 << 10;

/// A compressor that is used again and again: it holds about 300 KB of tables.
pub(super) struct Deflate {
    state: zlib_rs::Deflate,
}

impl Deflate {
    /// For a zlib level from 0 (stored) to 9.
    pub(super) fn new(level: u8) -> Self {
        // With zlib's header and checksum (RFC 1950), and deflate's whole window of 32 KiB.
        Self { state: zlib_rs::Deflate::new(i32::from(level.min(9)), true, 15) }
    }

    /// Begins a stream.
    pub(super) fn begin(&mut self) {
        self.state.reset();
    }

    /// Takes the next bytes of it, and appends what comes of that.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.run(bytes, DeflateFlush::NoFlush, out);
    }

    /// Appends the rest of the stream.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.run(&[], DeflateFlush::Finish, out);
    }

    fn run(&mut self, mut input: &[u8], flush: DeflateFlush, out: &mut Vec<u8>) {
        loop {
            let (begin, read, written) = (out.len(), self.state.total_in(), self.state.total_out());
            // In small steps: what is set aside has to be cleared.
            out.resize(begin + ROOM, 0);
            let room = out.get_mut(begin..).unwrap_or_default();
            let status = self.state.compress(input, room, flush);
            let (read, written) =
                (size(self.state.total_in() - read), size(self.state.total_out() - written));
            out.truncate(begin + written);
            input = input.get(read..).unwrap_or_default();
            let is_finished = match (status, flush) {
                // An error would be one of the codec's own. The stream then stays without an end, and no receiver acknowledges it.
                (Ok(Status::StreamEnd) | Err(_), _) => true,
                (_, DeflateFlush::Finish) => false,
                _ => input.is_empty() && written < ROOM,
            };
            if is_finished {
                return;
            }
        }
    }
}

/// What is counted is in memory.
fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl std::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deflate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_whole_and_independent_of_what_was_compressed_before() {
        let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let text = b"2023-11-14T22:13:20.010000001Z stdout: order accepted\n".repeat(4_000);
        for level in 0..=9 {
            let mut deflate = Deflate::new(level);
            for input in [&noise[..], b"", &text, b"a", &text] {
                let mut out = b"before".to_vec();
                deflate.begin();
                input.chunks(10_000).for_each(|piece| deflate.feed(piece, &mut out));
                deflate.finish(&mut out);
                let inflated = miniz_oxide::inflate::decompress_to_vec_zlib(&out[6..]).unwrap();
                assert!(inflated == input, "level {level}");
            }
        }
    }
}
