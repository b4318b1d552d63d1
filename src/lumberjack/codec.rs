//! The zlib codec of compressed frames.

use super::deflate::{Repeats, Search};
use miniz_oxide::deflate::core::deflate_flags::{
    TDEFL_FILTER_MATCHES, TDEFL_FORCE_ALL_RAW_BLOCKS, TDEFL_GREEDY_PARSING_FLAG, TDEFL_WRITE_ZLIB_HEADER,
};
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress_to_output};

/// To take a match when it is found, without a look at the next byte.
const GREEDY: u32 = TDEFL_GREEDY_PARSING_FLAG;
/// To leave out matches of less than six bytes: in log lines, digits cost less than what refers to them.
const LONG: u32 = TDEFL_FILTER_MATCHES;

/// How a level compresses.
#[derive(Clone, Copy)]
enum Way {
    /// By an encoder that knows how events repeat.
    Repeats(Search),
    /// By `miniz_oxide`: a number of probes, and ways to parse. Its own levels know neither of these points, and need more time for as few bytes;
    /// `cargo xtask bench codec` shows all.
    General(u32),
}

const LEVELS: [Way; 10] = [
    Way::General(GREEDY | TDEFL_FORCE_ALL_RAW_BLOCKS),
    Way::Repeats(Search { probes: 1, lazy: 0 }),
    Way::Repeats(Search { probes: 4, lazy: 0 }),
    Way::Repeats(Search { probes: 16, lazy: 16 }),
    Way::Repeats(Search { probes: 32, lazy: 64 }),
    Way::General(12 | LONG),
    Way::General(24 | LONG),
    Way::General(48 | LONG),
    Way::General(128 | LONG),
    Way::General(512 | LONG),
];

/// A compressor that is used again and again: it holds about 300 KB of tables.
pub(super) struct Deflate {
    encoder: Encoder,
}

enum Encoder {
    Repeats(Box<Repeats>),
    General { state: Box<CompressorOxide>, waiting: Vec<u8> },
}

/// `miniz_oxide` gets pieces of about so many bytes, as events come in small parts.
const PIECE: usize = 32 << 10;

impl Deflate {
    /// For a level from 0 (stored) to 9.
    pub(super) fn new(level: u8) -> Self {
        let [.., most] = LEVELS;
        let encoder = match LEVELS.get(usize::from(level)).copied().unwrap_or(most) {
            Way::Repeats(search) => Encoder::Repeats(Box::new(Repeats::new(search))),
            // With zlib's header and checksum (RFC 1950).
            Way::General(flags) => Encoder::General {
                state: Box::new(CompressorOxide::new(flags | TDEFL_WRITE_ZLIB_HEADER)),
                waiting: Vec::new(),
            },
        };
        Self { encoder }
    }

    /// Begins a stream.
    pub(super) fn begin(&mut self) {
        match &mut self.encoder {
            Encoder::Repeats(encoder) => encoder.begin(),
            Encoder::General { state, waiting } => {
                state.reset();
                waiting.clear();
            }
        }
    }

    /// Takes the next bytes of it, and appends what comes of that.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.encoder {
            Encoder::Repeats(encoder) => encoder.feed(bytes, out),
            Encoder::General { state, waiting } => {
                waiting.extend_from_slice(bytes);
                if waiting.len() >= PIECE {
                    run(state, waiting, TDEFLFlush::None, out);
                    waiting.clear();
                }
            }
        }
    }

    /// Appends the rest of the stream.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        match &mut self.encoder {
            Encoder::Repeats(encoder) => encoder.finish(out),
            Encoder::General { state, waiting } => run(state, waiting, TDEFLFlush::Finish, out),
        }
    }
}

fn run(state: &mut CompressorOxide, input: &[u8], flush: TDEFLFlush, out: &mut Vec<u8>) {
    // It takes all of the input, as a vector takes all of the output. An error would be one of the codec's own: the stream then stays without an
    // end, and no receiver acknowledges it.
    compress_to_output(state, input, flush, |bytes| {
        out.extend_from_slice(bytes);
        true
    });
}

impl std::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deflate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that differ as those of real logs do: in numbers and ids.
    fn lines() -> Vec<u8> {
        let (mut dice, mut text) = (1_u64, Vec::new());
        for number in 0..5_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (kind, id) = (["info", "warn", "debug"][(dice >> 60) as usize % 3], dice >> 20);
            let line = format!(
                "{{\"time\":\"22:13:{number:08}\",\"level\":\"{kind}\",\"id\":\"{id:x}\",\"ms\":{}}}\n",
                id % 999
            );
            text.extend_from_slice(line.as_bytes());
        }
        text
    }

    #[test]
    fn each_level_leaves_fewer_bytes_than_the_one_before() {
        let text = lines();
        let left = (0..=9).map(|level| {
            let (mut deflate, mut out) = (Deflate::new(level), Vec::new());
            deflate.begin();
            deflate.feed(&text, &mut out);
            deflate.finish(&mut out);
            out.len()
        });
        let left: Vec<usize> = left.collect();
        assert!(left.is_sorted_by(|less, more| less > more), "{left:?} of {}", text.len());
    }

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
