//! The zlib codec of compressed frames.

use zlib_rs::{DeflateFlush, Status};

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

    /// Appends the whole, finished stream of `bytes`.
    pub(super) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.state.reset();
        let begin = out.len();
        // Log text shrinks to a fifth or less; what does not grows by a few bytes.
        out.resize(begin + bytes.len() / 3 + 1024, 0);
        loop {
            let (read, written) = (size(self.state.total_in()), begin + size(self.state.total_out()));
            let (Some(input), Some(room)) = (bytes.get(read..), out.get_mut(written..)) else { return };
            match self.state.compress(input, room, DeflateFlush::Finish) {
                Ok(Status::Ok | Status::BufError) => out.resize(out.len() + out.len() / 2, 0),
                // An error would be one of the codec's own. The stream then stays without an end, and no receiver acknowledges it.
                Ok(Status::StreamEnd) | Err(_) => {
                    out.truncate(begin + size(self.state.total_out()));
                    return;
                }
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
                deflate.append(input, &mut out);
                let inflated = miniz_oxide::inflate::decompress_to_vec_zlib(&out[6..]).unwrap();
                assert!(inflated == input, "level {level}");
            }
        }
    }
}
