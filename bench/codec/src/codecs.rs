//! The zlib encoders that are compared, each with its state kept from window to window as far as possible.

#[path = "../../../src/lumberjack/codec.rs"]
mod shipped;

#[path = "../../../src/lumberjack/deflate/mod.rs"]
mod deflate;

use miniz_oxide::deflate::core::deflate_flags::{
    TDEFL_FILTER_MATCHES, TDEFL_GREEDY_PARSING_FLAG, TDEFL_WRITE_ZLIB_HEADER,
};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use std::io::Write;
use zlib_rs::{DeflateFlush, Status};

/// What the product uses, from its own source.
pub const SHIPPED: &str = "whiskjack";

/// The encoder of its higher levels, with levels of its own. All are compared with it.
pub const MINIZ: &str = "miniz_oxide";

/// What the product had before.
pub const ZLIB: &str = "zlib-rs";

/// Encoders with levels.
pub const LEVELLED: [&str; 3] = [SHIPPED, MINIZ, ZLIB];

/// What `miniz_oxide` can do beside its levels: ways to parse, and the flags of each. Their levels are numbers of probes.
pub const WAYS: [(&str, u32); 4] = [
    ("greedy", TDEFL_GREEDY_PARSING_FLAG),
    ("lazy", 0),
    // Without matches of less than six bytes.
    ("greedy, 6+", TDEFL_GREEDY_PARSING_FLAG | TDEFL_FILTER_MATCHES),
    ("lazy, 6+", TDEFL_FILTER_MATCHES),
];

/// Encoders that know one way only.
pub const PLAIN: [&str; 2] = ["libflate", "fdeflate"];

/// One in C, as an upper bound; it is not built for wasm. It has levels.
pub const NATIVE: &str = "libdeflate";

/// An encoder of whole zlib streams.
pub trait Codec {
    /// Appends the whole stream of `bytes`.
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>);
}

/// An encoder by name; `level` is for those that have levels.
pub fn open(name: &str, level: u8) -> Option<Box<dyn Codec>> {
    Some(match name {
        SHIPPED => Box::new(Shipped(shipped::Deflate::new(level))),
        MINIZ => Box::new(Miniz::of_level(level)),
        ZLIB => Box::new(Zlib(zlib_rs::Deflate::new(i32::from(level), true, 15))),
        "libflate" => Box::new(Libflate),
        "fdeflate" => Box::new(Fdeflate),
        #[cfg(not(target_os = "wasi"))]
        NATIVE => {
            let level = libdeflater::CompressionLvl::new(i32::from(level)).ok()?;
            Box::new(Libdeflate(libdeflater::Compressor::new(level)))
        }
        _ => {
            let (_, flags) = WAYS.iter().find(|(way, _)| *way == name)?;
            Box::new(Miniz::new(u32::from(level) | flags | TDEFL_WRITE_ZLIB_HEADER))
        }
    })
}

struct Shipped(shipped::Deflate);

impl Codec for Shipped {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.begin();
        // In pieces, as the product makes them.
        bytes.chunks(32 << 10).for_each(|piece| self.0.feed(piece, out));
        self.0.finish(out);
    }
}

struct Zlib(zlib_rs::Deflate);

impl Codec for Zlib {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let begin = out.len();
        out.resize(begin + bytes.len() / 3 + 1024, 0);
        loop {
            let (read, written) = (self.0.total_in() as usize, begin + self.0.total_out() as usize);
            let status = self.0.compress(&bytes[read..], &mut out[written..], DeflateFlush::Finish);
            if status != Ok(Status::Ok) {
                out.truncate(begin + self.0.total_out() as usize);
                return;
            }
            out.resize(out.len() + out.len() / 2, 0);
        }
    }
}

struct Miniz(Box<CompressorOxide>);

impl Miniz {
    fn new(flags: u32) -> Self {
        Self(Box::new(CompressorOxide::new(flags)))
    }

    fn of_level(level: u8) -> Self {
        // A positive number of window bits asks for zlib's header and checksum.
        Self::new(create_comp_flags_from_zip_params(i32::from(level), 1, 0))
    }
}

impl Codec for Miniz {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let (mut read, mut written) = (0, out.len());
        out.resize(written + bytes.len() / 3 + 1024, 0);
        loop {
            let (status, taken, given) =
                compress(&mut self.0, &bytes[read..], &mut out[written..], TDEFLFlush::Finish);
            read += taken;
            written += given;
            if status != TDEFLStatus::Okay {
                out.truncate(written);
                return;
            }
            out.resize(out.len() + out.len() / 2, 0);
        }
    }
}

struct Libflate;

impl Codec for Libflate {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut encoder = libflate::zlib::Encoder::new(out).expect("a vector takes everything");
        encoder.write_all(bytes).expect("a vector takes everything");
        encoder.finish().into_result().expect("a vector takes everything");
    }
}

struct Fdeflate;

impl Codec for Fdeflate {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut encoder = fdeflate::Compressor::new(out).expect("a vector takes everything");
        encoder.write_data(bytes).expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything");
    }
}

#[cfg(not(target_os = "wasi"))]
struct Libdeflate(libdeflater::Compressor);

#[cfg(not(target_os = "wasi"))]
impl Codec for Libdeflate {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let begin = out.len();
        out.resize(begin + self.0.zlib_compress_bound(bytes.len()), 0);
        let written = self.0.zlib_compress(bytes, &mut out[begin..]).expect("there is room");
        out.truncate(begin + written);
    }
}
