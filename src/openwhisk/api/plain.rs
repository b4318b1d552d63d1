//! Answers as they should be: a gateway may compress whatever it was asked, and put a byte order mark before JSON. Which of these it did shows
//! in the first bytes, so no header has to be believed.

use crate::ports::{Body, Failure};
use zlib_rs::{Inflate, InflateFlush, Status};

/// Most text that comes of one step, in bytes.
const ROOM: usize = 64 << 10;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How each member of a gzip file begins.
const GZIP: &[u8] = b"\x1f\x8b";

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
    state: Inflate,
    input: Vec<u8>,
    at: usize,
    gzip: bool,
    complete: bool,
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
                        return Ok(Some(text));
                    }
                    let complete = packed.complete;
                    match self.next()? {
                        Some(piece) => self.feed(piece),
                        None if complete => return Ok(None),
                        None => return Err(unreadable("ends too early")),
                    }
                }
            }
        }
    }
}

impl Plain {
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
        // With 32 more, zlib tells the first two apart.
        let of = |headed: bool, bits| Self {
            state: Inflate::new(headed, bits),
            input: Vec::new(),
            at: 0,
            gzip: first.starts_with(GZIP),
            complete: false,
        };
        match first {
            [0x1f, 0x8b, ..] => Some(of(true, 32 + 15)),
            [head @ 0x78, flags, ..] if (u16::from(*head) << 8 | u16::from(*flags)).is_multiple_of(31) => {
                Some(of(true, 32 + 15))
            }
            [head, ..] if !first.starts_with(MARK) && (!head.is_ascii() || head.is_ascii_control()) => {
                (!head.is_ascii_whitespace()).then(|| of(false, 15))
            }
            _ => None,
        }
    }

    /// Some text, if there is any in what has come so far.
    fn unpack(&mut self) -> Result<Vec<u8>, Failure> {
        if self.complete {
            let rest = self.input.get(self.at..).unwrap_or_default();
            // What follows is another member, or nothing that matters.
            if !self.gzip || !rest.starts_with(GZIP) {
                return Ok(Vec::new());
            }
            (self.state, self.complete) = (Inflate::new(true, 32 + 15), false);
        }
        let mut text = vec![0; ROOM];
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let input = self.input.get(self.at..).unwrap_or_default();
        let status = self.state.decompress(input, &mut text, InflateFlush::NoFlush);
        self.at += usize::try_from(self.state.total_in() - read).unwrap_or(usize::MAX);
        text.truncate(usize::try_from(self.state.total_out() - written).unwrap_or(usize::MAX));
        match status {
            Ok(status) => self.complete = status == Status::StreamEnd,
            Err(_) => return Err(unreadable("cannot be read")),
        }
        Ok(text)
    }
}

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
        for (packed, text) in [
            (TEXT.as_bytes().to_vec(), TEXT.to_owned()),
            (format!("\u{feff}{TEXT}").into_bytes(), TEXT.to_owned()),
            (bytes(GZIPPED), TEXT.to_owned()),
            (bytes(NAMED), TEXT.to_owned()),
            (bytes(ZLIB), TEXT.to_owned()),
            (bytes(BARE), TEXT.to_owned()),
            (two_members, TEXT.repeat(2)),
            ([bytes(GZIPPED), vec![0; 9]].concat(), TEXT.to_owned()),
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
        let mut spoilt = gzipped.clone();
        spoilt[12] ^= 0x55;
        let failure = read(&spoilt, 7).unwrap_err();
        assert!(failure.retryable && failure.message.contains("compressed"), "{failure}");
        assert!(read(b"\x00\x01\x02\x03\x04\x05", 7).is_err());
    }
}
