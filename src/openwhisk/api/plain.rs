//! Answers in plain form: a gateway may compress any answer, and put a byte order mark before JSON. The first bytes show which of these it
//! did, so the core need not trust a header.

use crate::ports::{Body, Failure};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// Most text that comes of one step, in bytes.
const ROOM: usize = 64 << 10;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How each member of a gzip file begins.
const GZIP: &[u8] = b"\x1f\x8b";
/// The only method of compression that gzip has.
const DEFLATE: u8 = 8;

/// A body without compression and mark. It holds no more than a piece of the body, a piece of text, and 32 KiB that later text may refer to.
pub(super) struct Plain {
    body: Box<dyn Body>,
    form: Form,
    ended: bool,
}

enum Form {
    /// The first bytes, too few to tell.
    Unknown(Vec<u8>),
    Text,
    Packed(Packed),
}

struct Packed {
    state: Box<InflateState>,
    input: Vec<u8>,
    at: usize,
    /// What gzip's tail tells again; `None` in the other two forms, of which `miniz_oxide` knows what is to be known.
    sums: Option<Sums>,
    part: Part,
    mark: Mark,
}

/// The begin of a text that was compressed, until it is known whether that is a byte order mark.
#[derive(Default)]
struct Mark {
    first: Vec<u8>,
    known: bool,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// gzip only.
    Head,
    Text,
    /// gzip only.
    Tail,
    /// Nothing, or another member of a gzip file.
    Nothing,
}

impl Plain {
    pub(super) fn new(body: Box<dyn Body>) -> Self {
        Self { body, form: Form::Unknown(Vec::new()), ended: false }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let piece = if self.ended { None } else { self.body.chunk()? };
        self.ended = piece.is_none();
        Ok(piece)
    }
}

impl Body for Plain {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            match &mut self.form {
                Form::Text => return self.next(),
                Form::Unknown(first) => {
                    let mut first = std::mem::take(first);
                    let piece = self.next()?;
                    match piece {
                        // Not byte by byte: most answers are one piece.
                        Some(piece) if first.is_empty() => first = piece,
                        Some(piece) => first.extend_from_slice(&piece),
                        None => {}
                    }
                    if first.len() < MARK.len() && !self.ended {
                        self.form = Form::Unknown(first);
                        continue;
                    }
                    if let Some(packed) = Packed::begun_by(&first) {
                        self.form = Form::Packed(Packed { input: first, ..packed });
                        continue;
                    }
                    self.form = Form::Text;
                    let text = first.strip_prefix(MARK).map(<[u8]>::to_vec).unwrap_or(first);
                    if !text.is_empty() || self.ended {
                        return Ok((!text.is_empty()).then_some(text));
                    }
                }
                Form::Packed(packed) => {
                    let text = packed.unpack()?;
                    if !text.is_empty() {
                        match packed.mark.without(text) {
                            text if text.is_empty() => continue,
                            text => return Ok(Some(text)),
                        }
                    }
                    let complete = packed.part == Part::Nothing;
                    match self.next()? {
                        Some(piece) => self.feed(piece),
                        None if complete => return Ok(self.rest()),
                        None => return Err(unreadable("ends too early")),
                    }
                }
            }
        }
    }
}

impl Plain {
    /// What was held back of a text that has ended, if it was too short for a mark.
    fn rest(&mut self) -> Option<Vec<u8>> {
        let Form::Packed(packed) = &mut self.form else { return None };
        let rest = std::mem::take(&mut packed.mark.first);
        (!rest.is_empty()).then_some(rest)
    }

    fn feed(&mut self, piece: Vec<u8>) {
        if let Form::Packed(packed) = &mut self.form {
            let mut rest = packed.input.split_off(packed.at.min(packed.input.len()));
            rest.extend(piece);
            (packed.input, packed.at) = (rest, 0);
        }
    }
}

impl Packed {
    /// What begins so: gzip, zlib's form, or, as some servers mean `deflate`, bare. Neither JSON nor HTML begins like any of them.
    fn begun_by(first: &[u8]) -> Option<Self> {
        let of = |format, sums, part| {
            let (state, mark) = (InflateState::new_boxed(format), Mark::default());
            Some(Self { state, input: Vec::new(), at: 0, sums, part, mark })
        };
        match first {
            [0x1f, 0x8b, ..] => of(DataFormat::Raw, Some(Sums::default()), Part::Head),
            [head @ 0x78, flags, ..] if (u16::from(*head) << 8 | u16::from(*flags)).is_multiple_of(31) => {
                of(DataFormat::Zlib, None, Part::Text)
            }
            [head, ..] if !first.starts_with(MARK) && (!head.is_ascii() || head.is_ascii_control()) => {
                if head.is_ascii_whitespace() { None } else { of(DataFormat::Raw, None, Part::Text) }
            }
            _ => None,
        }
    }

    /// Some text, if there is any in what has come so far.
    fn unpack(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            let rest = self.input.get(self.at..).unwrap_or_default();
            match self.part {
                Part::Head => {
                    if rest.get(2).is_some_and(|method| *method != DEFLATE) {
                        return Err(unreadable("cannot be read"));
                    }
                    let Some(head) = gzip_head(rest) else { return Ok(Vec::new()) };
                    self.at += head;
                    self.part = Part::Text;
                }
                Part::Text => {
                    let text = self.inflate()?;
                    if !text.is_empty() || self.part == Part::Text {
                        return Ok(text);
                    }
                }
                Part::Tail => {
                    let Some(tail) = rest.first_chunk::<8>() else { return Ok(Vec::new()) };
                    if self.sums.take().is_some_and(|sums| sums.tail() != *tail) {
                        return Err(unreadable("cannot be read"));
                    }
                    self.sums = Some(Sums::default());
                    self.at += tail.len();
                    self.part = Part::Nothing;
                }
                // What follows is another member, or nothing that matters.
                Part::Nothing if self.sums.is_some() && rest.starts_with(GZIP) => {
                    self.state.reset(DataFormat::Raw);
                    self.part = Part::Head;
                }
                Part::Nothing => return Ok(Vec::new()),
            }
        }
    }

    fn inflate(&mut self) -> Result<Vec<u8>, Failure> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let mut text = vec![0; ROOM];
        let done = inflate(&mut self.state, rest, &mut text, MZFlush::None);
        self.at += done.bytes_consumed;
        text.truncate(done.bytes_written);
        if let Some(sums) = &mut self.sums {
            sums.add(&text);
        }
        match done.status {
            Ok(MZStatus::StreamEnd) if self.sums.is_some() => self.part = Part::Tail,
            Ok(MZStatus::StreamEnd) => self.part = Part::Nothing,
            // It waits for more.
            Ok(_) | Err(MZError::Buf) => {}
            Err(_) => return Err(unreadable("cannot be read")),
        }
        Ok(text)
    }
}

impl Mark {
    /// The text as far as it is not a mark.
    fn without(&mut self, text: Vec<u8>) -> Vec<u8> {
        if self.known {
            return text;
        }
        self.first.extend(text);
        if self.first.len() < MARK.len() && MARK.starts_with(&self.first) {
            return Vec::new();
        }
        self.known = true;
        let first = std::mem::take(&mut self.first);
        first.strip_prefix(MARK).map(<[u8]>::to_vec).unwrap_or(first)
    }
}

/// How long the head of a gzip member is (RFC 1952 2.3); `None` if not all of it is there.
fn gzip_head(bytes: &[u8]) -> Option<usize> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECKSUM: u8 = 2;
    let (fixed, mut rest) = bytes.split_first_chunk::<10>()?;
    let flags = fixed[3];
    if flags & EXTRA != 0 {
        let (length, more) = rest.split_first_chunk::<2>()?;
        rest = more.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    Some(bytes.len() - rest.len())
}

/// What a gzip member says of its text behind it (RFC 1952 2.3.1): CRC-32 and length.
#[derive(Default)]
struct Sums {
    crc: u32,
    bytes: u32,
}

impl Sums {
    fn add(&mut self, text: &[u8]) {
        let step = |crc: u32, byte: &u8| {
            let at = usize::from(crc.to_le_bytes()[0] ^ byte);
            crc >> 8 ^ CRC.get(at).copied().unwrap_or_default()
        };
        self.crc = !text.iter().fold(!self.crc, step);
        // Modulo 2³², as the length there is.
        self.bytes = self.bytes.wrapping_add(text.len() as u32);
    }

    fn tail(&self) -> [u8; 8] {
        let tail = u64::from(self.bytes) << 32 | u64::from(self.crc);
        tail.to_le_bytes()
    }
}

/// What each byte makes of a CRC-32.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let (mut rest, mut byte): (&mut [u32], u32) = (&mut table, 0);
    while let Some((entry, more)) = rest.split_first_mut() {
        let (mut crc, mut bit) = (byte, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        *entry = crc;
        (rest, byte) = (more, byte + 1);
    }
    table
};

fn unreadable(what: &str) -> Failure {
    Failure::passing(format!(
        "the API: an answer is compressed, although that was not asked for, and {what}; does a gateway before it spoil answers?"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// As Python's `gzip` and `zlib` pack it.
    const TEXT: &str = "[{\"a\":1},{\"b\":\"é\"}]";
    const GZIPPED: &str = "1f8b08000000000002038bae564a54b232acd5a9564a52b2523abc52a9361600303b324814000000";
    const NAMED: &str = "1f8b08080000000000ff6e616d652e6a736f6e008bae564a54b232acd5a9564a52b2523abc52a9361600303b324814000000";
    const ZLIB: &str = "78da8bae564a54b232acd5a9564a52b2523abc52a93616003f740675";
    const BARE: &str = "8bae564a54b232acd5a9564a52b2523abc52a9361600";

    /// With a byte order mark in it, with nothing else, and with what might have become one.
    const MARKED: &str = "1f8b08000000000002037bbf7b7f752d00197aa88a05000000";
    const ONLY_MARK: &str = "1f8b08000000000002037bbf7b3f00e197100103000000";
    const HALF_MARK: &str = "1f8b08000000000002037bbfbb0100dcba76b703000000";

    struct Pieces(VecDeque<Vec<u8>>);

    impl Body for Pieces {
        fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
            Ok(self.0.pop_front())
        }
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Plain::new(Box::new(Pieces(bytes.chunks(piece).map(<[u8]>::to_vec).collect())));
        let mut text = Vec::new();
        while let Some(piece) = body.chunk()? {
            assert!(!piece.is_empty() && piece.len() <= ROOM.max(bytes.len()));
            text.extend(piece);
        }
        assert_eq!(body.chunk(), Ok(None));
        Ok(text)
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn whatever_a_gateway_makes_of_an_answer_the_text_is_the_same_in_pieces_of_any_size() {
        let two_members = [bytes(GZIPPED), bytes(NAMED)].concat();
        // All that may be in a head: extra field, name, comment, checksum.
        let full_head =
            [b"\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x02\0\0ename\0comment\0\x12\x34", &bytes(GZIPPED)[10..]]
                .concat();
        for (packed, text) in [
            (TEXT.as_bytes().to_vec(), TEXT.to_owned()),
            (format!("\u{feff}{TEXT}").into_bytes(), TEXT.to_owned()),
            (bytes(GZIPPED), TEXT.to_owned()),
            (bytes(NAMED), TEXT.to_owned()),
            (bytes(ZLIB), TEXT.to_owned()),
            (bytes(BARE), TEXT.to_owned()),
            (full_head, TEXT.to_owned()),
            (two_members, TEXT.repeat(2)),
            ([bytes(GZIPPED), vec![0; 9]].concat(), TEXT.to_owned()),
            (bytes(MARKED), "{}".to_owned()),
            (bytes(ONLY_MARK), String::new()),
            (bytes(HALF_MARK), "\u{fec0}".to_owned()),
            (miniz_oxide::deflate::compress_to_vec_zlib("\u{feff}[]".as_bytes(), 6), "[]".to_owned()),
            (b"\r\n {}".to_vec(), "\r\n {}".to_owned()),
            (b"xyz".to_vec(), "xyz".to_owned()),
            (b"[]".to_vec(), "[]".to_owned()),
            (b"<".to_vec(), "<".to_owned()),
            (Vec::new(), String::new()),
        ] {
            for piece in 1..packed.len() + 2 {
                assert_eq!(
                    read(&packed, piece).map(String::from_utf8),
                    Ok(Ok(text.clone())),
                    "{packed:x?} {piece}"
                );
            }
        }
    }

    #[test]
    fn what_expands_to_megabytes_comes_in_pieces() {
        let text = b"[\"a line of a log\"]".repeat(300_000);
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&text, 6);
        assert!(packed.len() < text.len() / 50);
        assert_eq!(read(&packed, 1000).unwrap(), text);
    }

    #[test]
    fn a_compressed_answer_that_breaks_off_or_is_spoilt_is_a_failure_that_may_pass() {
        let gzipped = bytes(GZIPPED);
        for end in 3..gzipped.len() {
            let failure = read(&gzipped[..end], 7).unwrap_err();
            assert!(failure.retryable && failure.message.contains("ends too early"), "{failure}");
        }
        // In the method, in the text, and in what the tail says of the text: checksum and length.
        let tail = gzipped.len() - 8..gzipped.len();
        for at in [2, 12].into_iter().chain(tail) {
            let mut spoilt = gzipped.clone();
            spoilt[at] ^= 0x55;
            let failure = read(&spoilt, 7).unwrap_err();
            assert!(failure.retryable && failure.message.contains("compressed"), "{at}: {failure}");
        }
        assert!(read(b"\x00\x01\x02\x03\x04\x05", 7).is_err());
    }
}
