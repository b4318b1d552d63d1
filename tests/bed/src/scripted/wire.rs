//! Windows on the wire: the one shape that every receiver accepts (docs/facts/lumberjack.md 1.3), and nothing else.

use std::io::{self, Cursor, Read};
use std::time::Duration;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use serde_json::Value;

use super::journal::Window;
use super::payload::{MOST_BYTES, Pair, json_event, pairs_event};

/// Graylog's limits of a `C` frame, outside and inside.
const MOST_COMPRESSED: usize = 16 << 20;
const MOST_INFLATED: usize = 64 << 20;
/// Graylog's limits of a `D` frame.
const MOST_PAIRS: u32 = 1024;
const MOST_PAIR_BYTES: usize = 1 << 20;

/// What a receiver refuses beyond what all of them do.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Events of one window; go-lumber's default is 10,000.
    pub most_events: u32,
    /// Whether windows of version 2 with two to four events are refused, as ruby-lumberjack does.
    pub no_small_windows: bool,
    /// Whether a second window may come before the first is acknowledged.
    pub pipelining: bool,
    /// Longest time from a window's first byte to its last; go-lumber's is 30 s.
    pub within: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            most_events: 10_000,
            no_small_windows: false,
            pipelining: false,
            within: Duration::from_secs(30),
        }
    }
}

/// Why there is no window.
#[derive(Debug)]
pub enum Refusal {
    /// The client closed the connection between windows.
    Closed,
    /// The connection ended inside a window.
    Cut(io::Error),
    /// The client broke a rule.
    Rule(String),
}

/// The next window. `version` is that of the connection's windows so far: a connection keeps to one.
pub fn read_window(from: &mut impl Read, rules: Rules, version: Option<u8>) -> Result<Window, Refusal> {
    let mut from = Counted { from, bytes: 0 };
    let (count, version) = header(&mut from, rules, version)?;
    let kind = frame(&mut from, version)?;
    let frames = if kind == b'C' {
        inflate(&data(&mut from, MOST_COMPRESSED, "a compressed frame")?).map_err(Refusal::Rule)?
    } else if version == b'1' {
        return Err(rule("version 1 not compressed: a Beats input fails on data frames that TCP splits"));
    } else {
        let events = events(&mut from, count, version, Some(kind))?;
        return Ok(Window { version, compressed: false, bytes: from.bytes, events, acknowledged: 0 });
    };
    let mut inside = Cursor::new(frames);
    let events = events(&mut inside, count, version, None).map_err(|refusal| match refusal {
        Refusal::Cut(_) | Refusal::Closed => {
            rule(&format!("a compressed frame that ends before its {count} events do"))
        }
        refusal @ Refusal::Rule(_) => refusal,
    })?;
    let left = inside.get_ref().len() as u64 - inside.position();
    if left > 0 {
        return Err(rule(&format!("{left} bytes after the {count} events of a compressed frame")));
    }
    Ok(Window { version, compressed: true, bytes: from.bytes, events, acknowledged: 0 })
}

/// `W n`: how many events, and in which version.
fn header(from: &mut impl Read, rules: Rules, version: Option<u8>) -> Result<(u32, u8), Refusal> {
    let mut first = [0];
    match from.read(&mut first) {
        Ok(0) => return Err(Refusal::Closed),
        Ok(_) => {}
        Err(error) => return Err(Refusal::Cut(error)),
    }
    let [first] = first;
    if !matches!(first, b'1' | b'2') {
        return Err(rule(&format!("the version byte {first:#04x}")));
    }
    if version.is_some_and(|version| version != first) {
        return Err(rule("another version than the connection's first window"));
    }
    let [kind] = bytes(from)?;
    if kind != b'W' {
        return Err(rule(&format!("a frame of type {:?} where a window must begin", char::from(kind))));
    }
    let count = number(from)?;
    if count == 0 {
        return Err(rule("an empty window"));
    }
    if count > rules.most_events {
        return Err(rule(&format!("a window of {count} events, over {}", rules.most_events)));
    }
    if rules.no_small_windows && first == b'2' && (2..=4).contains(&count) {
        return Err(rule(&format!("a window of {count} events: division by zero")));
    }
    Ok((count, first))
}

/// `count` events, numbered from 1. `kind` is the first frame's type if its header was read already.
fn events(
    from: &mut impl Read,
    count: u32,
    version: u8,
    mut kind: Option<u8>,
) -> Result<Vec<Value>, Refusal> {
    let mut events = Vec::new();
    for expected in 1..=count {
        let kind = match kind.take() {
            Some(kind) => kind,
            None => frame(from, version)?,
        };
        let sequence = number(from)?;
        if sequence != expected {
            return Err(rule(&format!("the sequence number {sequence} where {expected} comes")));
        }
        events.push(
            match (version, kind) {
                (b'2', b'J') => json_event(&data(from, MOST_BYTES, "an event")?),
                (b'1', b'D') => pairs_event(pairs(from)?),
                _ => {
                    Err(format!("a frame of type {:?} in version {}", char::from(kind), char::from(version)))
                }
            }
            .map_err(Refusal::Rule)?,
        );
    }
    Ok(events)
}

fn pairs(from: &mut impl Read) -> Result<Vec<Pair>, Refusal> {
    let count = number(from)?;
    if !(1..=MOST_PAIRS).contains(&count) {
        return Err(rule(&format!("a data frame of {count} pairs")));
    }
    (0..count)
        .map(|_| {
            let key = string(from, "a key")?;
            Ok((key, string(from, "a value")?))
        })
        .collect()
}

/// The type of the next frame, which must be of `version`.
fn frame(from: &mut impl Read, version: u8) -> Result<u8, Refusal> {
    let [found, kind] = bytes(from)?;
    if found != version {
        return Err(rule(&format!("a frame of version {found:#04x} in a window of another")));
    }
    Ok(kind)
}

/// A length, which must not be 0, and that many bytes.
fn data(from: &mut impl Read, most: usize, what: &str) -> Result<Vec<u8>, Refusal> {
    let length = number(from)? as usize;
    if length == 0 || length > most {
        return Err(rule(&format!("{what} of {length} bytes")));
    }
    exactly(from, length)
}

fn string(from: &mut impl Read, what: &str) -> Result<Vec<u8>, Refusal> {
    let length = number(from)? as usize;
    if length > MOST_PAIR_BYTES {
        return Err(rule(&format!("{what} of {length} bytes")));
    }
    exactly(from, length)
}

fn number(from: &mut impl Read) -> Result<u32, Refusal> {
    bytes(from).map(u32::from_be_bytes)
}

fn bytes<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(Refusal::Cut)?;
    Ok(bytes)
}

/// Takes memory for what came only, whatever length was announced.
fn exactly(from: &mut impl Read, length: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).map_err(Refusal::Cut)?;
    if bytes.len() < length {
        return Err(Refusal::Cut(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}

/// A whole zlib stream (RFC 1950), checksum included and nothing after it.
fn inflate(stream: &[u8]) -> Result<Vec<u8>, String> {
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
        | inflate_flags::TINFL_FLAG_COMPUTE_ADLER32
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let mut frames = vec![0; (stream.len() * 4).clamp(4096, MOST_INFLATED)];
    let (mut read, mut written) = (0, 0);
    loop {
        let (status, taken, given) = decompress(&mut state, &stream[read..], &mut frames, written, flags);
        read += taken;
        written += given;
        match status {
            TINFLStatus::Done if read == stream.len() => {
                frames.truncate(written);
                return Ok(frames);
            }
            TINFLStatus::Done => return Err(format!("{} bytes after a zlib stream", stream.len() - read)),
            TINFLStatus::HasMoreOutput if frames.len() < MOST_INFLATED => {
                frames.resize((frames.len() * 2).min(MOST_INFLATED), 0);
            }
            TINFLStatus::HasMoreOutput => return Err("a frame of more than 64 MiB when inflated".to_owned()),
            status => return Err(format!("a compressed frame that is no whole zlib stream ({status:?})")),
        }
    }
}

fn rule(what: &str) -> Refusal {
    Refusal::Rule(what.to_owned())
}

struct Counted<'a, R> {
    from: &'a mut R,
    bytes: usize,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.bytes += count;
        Ok(count)
    }
}
