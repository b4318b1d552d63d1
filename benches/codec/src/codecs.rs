//! The zlib encoders that are compared, each with its state kept from window to window as far as it can be.

#[path = "../../../src/lumberjack/codec.rs"]
mod shipped;

use std::io::Write;

/// What the product uses, from its own source.
pub const SHIPPED: &str = "miniz_oxide";

/// Encoders with levels.
pub const LEVELLED: [&str; 2] = [SHIPPED, "zlib-rs"];

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
        "zlib-rs" => Box::new(ZlibRs(zlib_rs::Deflate::new(i32::from(level), true, 15))),
        "libflate" => Box::new(Libflate),
        "fdeflate" => Box::new(Fdeflate),
        #[cfg(not(target_os = "wasi"))]
        NATIVE => {
            let level = libdeflater::CompressionLvl::new(i32::from(level)).ok()?;
            Box::new(Libdeflate(libdeflater::Compressor::new(level)))
        }
        _ => return None,
    })
}

struct Shipped(shipped::Deflate);

impl Codec for Shipped {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.append(bytes, out);
    }
}

struct ZlibRs(zlib_rs::Deflate);

impl Codec for ZlibRs {
    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let begin = out.len();
        out.resize(begin + bytes.len() / 3 + 1024, 0);
        loop {
            let read = self.0.total_in() as usize;
            let written = begin + self.0.total_out() as usize;
            let status = self.0.compress(&bytes[read..], &mut out[written..], zlib_rs::DeflateFlush::Finish);
            if status == Ok(zlib_rs::Status::StreamEnd) {
                out.truncate(begin + self.0.total_out() as usize);
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
