//! The zlib codec of compressed frames.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

/// A compressor that is used again and again: it holds about 300 KB of tables.
pub(super) struct Deflate {
    state: Box<CompressorOxide>,
}

impl Deflate {
    /// For a zlib level from 0 (stored) to 9.
    pub(super) fn new(level: u8) -> Self {
        // A positive number of window bits asks for zlib's header and checksum (RFC 1950) around the stream.
        const ZLIB: i32 = 1;
        Self {
            state: Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(
                i32::from(level.min(9)),
                ZLIB,
                0,
            ))),
        }
    }

    /// Appends the whole, finished stream of `bytes`.
    pub(super) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.state.reset();
        let begin = out.len();
        // Log text shrinks to a fifth or less; what does not grows by a few bytes.
        out.resize(begin + bytes.len() / 3 + 1024, 0);
        let (mut read, mut written) = (0, begin);
        loop {
            let (Some(input), Some(room)) = (bytes.get(read..), out.get_mut(written..)) else { return };
            let (status, taken, given) = compress(&mut self.state, input, room, TDEFLFlush::Finish);
            read += taken;
            written += given;
            match status {
                TDEFLStatus::Okay => out.resize(out.len() + out.len() / 2, 0),
                _ => {
                    out.truncate(written);
                    return;
                }
            }
        }
    }
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
