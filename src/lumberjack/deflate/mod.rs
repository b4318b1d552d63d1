//! A deflate encoder for frames, which repeat one another at length.
//!
//! The events of a record have most of their bytes in common, in the same order, and the differences are short. So the encoder tries the
//! distance of the last match first: after a number that differs, the same event continues. It notes only the begin and the end of a long
//! match, as the next event meets it there too. A general encoder notes each byte, which is most of its work. The format is that of RFC
//! 1951 in the frame of RFC 1950.
//!
//! The component is built with a low limit for inlining (`.cargo/config.toml`). So each function that runs for a token or a byte asks for
//! it: as calls they make a run an eighth slower.

mod blocks;
mod prefix_codes;

use self::blocks::{Blocks, Token};

/// How far back a match may be, in bytes.
const WINDOW: usize = 32 << 10;
/// Longest match, in bytes.
const LONGEST: usize = 258;
/// Bytes that a place is found by.
const KEY: usize = 4;
/// Bits of a key's hash.
const HASH_BITS: u32 = 15;
/// A match at the last distance of so many bytes is taken at once.
const ENOUGH: usize = 16;
/// A match from so far away takes more bits than one with the event before.
const FAR: usize = 4_096;
/// After a match from far away, one of so many bytes with the event before is taken at once.
const PLENTY: usize = 96;
/// Of a match that is longer than twice this, so many places are noted at its begin, and at its end.
const NOTED: usize = 8;
/// It encodes when so many bytes are there, as events come in small parts.
const STEP: usize = WINDOW;
/// The buffer holds so much at most, in bytes: what is moved to make room is moved seldom.
const BUFFER: usize = 8 * WINDOW;

/// How an encoder looks for matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// Places that are compared for one match.
    pub(super) probes: u32,
    /// A match that is shorter, in bytes, is looked for at the next byte too.
    pub(super) lazy: usize,
}

/// An encoder that is used again and again: its tables take some 330 KB.
pub(super) struct Repeats {
    search: Search,
    /// The last bytes of the stream, and those that are not encoded yet.
    buffer: Vec<u8>,
    /// Bytes of the stream before the buffer.
    base: usize,
    /// Where in the buffer the first byte is that is not encoded.
    at: usize,
    /// Bytes of the buffer before this are in the checksum.
    checked: usize,
    /// Distance of the last match, 0 before the first.
    last: usize,
    /// Distance of the last match that was neither short nor far: the event before. 0 before the first.
    near: usize,
    places: Places,
    blocks: Blocks,
}

/// Where in the stream which four bytes were.
struct Places {
    /// The newest place of each hash, plus one.
    newest: Box<[u32; 1 << HASH_BITS]>,
    /// The place before each, plus one, by its last bits.
    before: Box<[u32; WINDOW]>,
}

/// A match: its length and its distance, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Match {
    length: usize,
    distance: usize,
}

impl Repeats {
    pub(super) fn new(search: Search) -> Self {
        Self {
            search,
            buffer: Vec::with_capacity(BUFFER),
            base: 0,
            at: 0,
            checked: 0,
            last: 0,
            near: 0,
            places: Places { newest: table(), before: table() },
            blocks: Blocks::default(),
        }
    }

    pub(super) fn begin(&mut self) {
        self.buffer.clear();
        (self.base, self.at, self.checked) = (0, 0, 0);
        (self.last, self.near) = (0, 0);
        // A place that is noted before another is only reached through that one.
        self.places.newest.fill(0);
        self.blocks.begin();
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.chunks(BUFFER / 2) {
            if self.buffer.len() + piece.len() > BUFFER {
                let gone = self.at.saturating_sub(WINDOW);
                self.buffer.drain(..gone);
                self.base += gone;
                self.at -= gone;
                self.checked -= gone;
            }
            self.buffer.extend_from_slice(piece);
            if self.buffer.len() - self.at >= STEP {
                // A match may go on in the next piece.
                self.encode(self.buffer.len().saturating_sub(LONGEST + KEY), out);
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.encode(self.buffer.len(), out);
        self.blocks.finish(&self.buffer, out);
    }

    /// Encodes at least what is before `end`.
    fn encode(&mut self, end: usize, out: &mut Vec<u8>) {
        self.blocks.check(self.buffer.get(self.checked..).unwrap_or_default(), out);
        self.checked = self.buffer.len();
        while self.at < end {
            let mut found = self.longest(self.at);
            if let Some((literals, nearer)) = self.nearer(found) {
                (0..literals).for_each(|_| self.literal(out));
                found = nearer;
            } else if found.length > 0 && found.length < self.search.lazy {
                let next = self.longest(self.at + 1);
                if next.length > found.length + 1 {
                    self.literal(out);
                    found = next;
                }
            }
            if found.length == 0 {
                self.literal(out);
                continue;
            }
            self.note_match(self.at, found.length);
            self.at += found.length;
            self.last = found.distance;
            if found.length >= 2 * ENOUGH && found.distance < FAR {
                self.near = found.distance;
            }
            self.blocks.add(
                Token::copy(found.length, found.distance),
                found.length,
                &self.buffer,
                self.at,
                out,
            );
        }
    }

    #[inline]
    fn literal(&mut self, out: &mut Vec<u8>) {
        let byte = self.buffer.get(self.at).copied().unwrap_or_default();
        self.note(self.at, 1);
        self.at += 1;
        self.blocks.add(Token::literal(byte), 1, &self.buffer, self.at, out);
    }

    /// The match at `at` that saves most; its length is 0 if none saves anything.
    #[inline]
    fn longest(&self, at: usize) -> Match {
        let rest = self.buffer.get(at..).unwrap_or_default();
        let Some(key) = key(rest) else { return Match::default() };
        if self.last >= FAR {
            let near = self.near(at);
            if near.length >= PLENTY {
                return near;
            }
        }
        let mut best = Match::default();
        let last = at.checked_sub(self.last).and_then(|from| self.buffer.get(from..));
        if let Some(last) = last
            && self.last > 0
            && self::key(last) == Some(key)
        {
            best = Match { length: common(rest, last), distance: self.last };
            if best.length >= ENOUGH {
                return best;
            }
        }
        let mut place = self.places.newest(key);
        for _ in 0..self.search.probes {
            let Some(from) = (place as usize).checked_sub(self.base + 1) else { break };
            let distance = at.wrapping_sub(from);
            if distance == 0 || distance > WINDOW {
                break;
            }
            let earlier = self.buffer.get(from..).unwrap_or_default();
            if earlier.get(best.length) == rest.get(best.length) {
                let length = common(rest, earlier);
                if length > best.length && length >= least(distance) {
                    best = Match { length, distance };
                    if length == LONGEST {
                        break;
                    }
                }
            }
            place = self.places.before(place);
        }
        best
    }

    /// Instead of a match from far away: one or two bytes as they are, and the event before from there on. An event far away often has the same number
    /// where the one before has another, and then repeats that one as well.
    #[inline]
    fn nearer(&self, found: Match) -> Option<(usize, Match)> {
        if found.distance < FAR {
            return None;
        }
        (1..=2)
            .map(|literals| (literals, self.near(self.at + literals)))
            .find(|(literals, near)| near.length >= ENOUGH && near.length + literals + 2 >= found.length)
    }

    /// The match of what is at `at` with the event before. Its length is 0 if it has less than a key.
    #[inline]
    fn near(&self, at: usize) -> Match {
        let rest = self.buffer.get(at..).unwrap_or_default();
        let before = at.checked_sub(self.near).filter(|_| self.near > 0);
        let before = before.and_then(|from| self.buffer.get(from..)).unwrap_or_default();
        let is_met = key(rest).is_some_and(|own| key(before) == Some(own));
        Match { length: if is_met { common(rest, before) } else { 0 }, distance: self.near }
    }

    /// Notes where a match may be met again.
    #[inline]
    fn note_match(&mut self, at: usize, length: usize) {
        if length > 2 * NOTED {
            self.note(at, NOTED);
            self.note(at + length - NOTED, NOTED);
        } else {
            self.note(at, length);
        }
    }

    /// Notes so many places from `at` on.
    #[inline]
    fn note(&mut self, at: usize, places: usize) {
        let end = (at + places + KEY - 1).min(self.buffer.len());
        // A stream has as many bytes as a frame: some MB.
        let place = (self.base + at) as u32 + 1;
        self.places.note(self.buffer.get(at..end).unwrap_or_default(), place);
    }
}

/// Fewer bytes cost less as they are than as a match so far away.
#[inline]
fn least(distance: usize) -> usize {
    if distance > 4_096 {
        6
    } else if distance > 256 {
        5
    } else {
        KEY
    }
}

/// How many bytes two texts have in common at their begin; at most as many as a match may have.
#[inline]
fn common(one: &[u8], other: &[u8]) -> usize {
    let one = one.get(..LONGEST).unwrap_or(one);
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    let mut length = 0;
    for (one, other) in ones.iter().zip(others) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let (one, other) = (one.get(length..).unwrap_or_default(), other.get(length..).unwrap_or_default());
    length + one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

impl Places {
    /// Notes each place of `bytes` that has a whole key in them; the first is `place`.
    #[inline]
    fn note(&mut self, bytes: &[u8], place: u32) {
        for (key, place) in bytes.array_windows().zip(place..) {
            let Some(newest) = self.newest.get_mut(hash(u32::from_le_bytes(*key))) else { continue };
            let earlier = std::mem::replace(newest, place);
            if let Some(before) = self.before.get_mut(place as usize % WINDOW) {
                *before = earlier;
            }
        }
    }

    #[inline]
    fn newest(&self, key: u32) -> u32 {
        self.newest.get(hash(key)).copied().unwrap_or_default()
    }

    #[inline]
    fn before(&self, place: u32) -> u32 {
        self.before.get(place as usize % WINDOW).copied().unwrap_or_default()
    }
}

/// Zeros, made where they stay: the stack of a component is small.
fn table<const N: usize>() -> Box<[u32; N]> {
    vec![0; N].try_into().unwrap_or_else(|_| Box::new([0; N]))
}

/// The first bytes, if there are enough.
#[inline]
fn key(rest: &[u8]) -> Option<u32> {
    rest.first_chunk().map(|key| u32::from_le_bytes(*key))
}

#[inline]
fn hash(key: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoder: &mut Repeats, pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.begin();
        pieces.iter().for_each(|piece| encoder.feed(piece, &mut out));
        encoder.finish(&mut out);
        out
    }

    fn noise(bytes: usize) -> Vec<u8> {
        (0..bytes as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn an_inflater_of_others_reads_what_it_writes_however_it_is_fed() {
        let noise = noise(300_000);
        let runs: Vec<u8> =
            (3..=300).flat_map(|length| [vec![b'a'; length], vec![length as u8; 2]].concat()).collect();
        // The same text as far away as may be, and one byte further.
        let far: Vec<u8> = [WINDOW - 40, WINDOW - 39, WINDOW]
            .iter()
            .flat_map(|gap| [&noise[..40], &noise[1_000..1_000 + gap]].concat())
            .chain(noise[..40].iter().copied())
            .collect();
        let long = [&noise[..50_000], &runs].concat().repeat(20);
        for search in [Search { probes: 1, lazy: 0 }, Search { probes: 32, lazy: 64 }] {
            let mut encoder = Repeats::new(search);
            for text in [&b""[..], b"a", b"aaaa", &runs, &far, &noise, &long] {
                for size in [1, 7, 1_000, 1 << 20] {
                    let pieces: Vec<&[u8]> = text.chunks(size).collect();
                    let read = miniz_oxide::inflate::decompress_to_vec_zlib(&encoded(&mut encoder, &pieces));
                    assert!(read.unwrap() == text, "{search:?}, {} bytes in pieces of {size}", text.len());
                    if text.len() > 500_000 {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn bytes_without_order_grow_by_a_header_a_block_at_most() {
        let noise: Vec<u8> = noise(200_000).chunks(4).flat_map(|four| four.first().copied()).collect();
        let out = encoded(&mut Repeats::new(Search { probes: 4, lazy: 0 }), &[&noise]);
        assert!(out.len() < noise.len() + 64, "{} of {}", out.len(), noise.len());
    }

    #[test]
    fn a_number_that_an_event_far_away_has_too_does_not_lead_away_from_the_event_before() {
        let text: String = noise(600).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        let (first, last) = text.split_at(250);
        let events: String = (0..1_000_u32)
            .map(|n| {
                let run = (n / 20 + 1).wrapping_mul(2_654_435_761);
                format!("{{\"{:02}\",{first}{run:08x}{last}}}", n % 20)
            })
            .collect();
        let out = encoded(&mut Repeats::new(Search { probes: 4, lazy: 0 }), &[events.as_bytes()]);
        assert!(out.len() < 6_100, "{} bytes for 1000 events", out.len());
    }

    #[test]
    fn an_event_that_repeats_the_one_before_takes_few_bytes() {
        let common = String::from_utf8(noise(900).iter().map(|byte| b'a' + byte % 26).collect()).unwrap();
        let events: String = (1_000..2_000).map(|n| format!("{{\"id\":\"{n}\",{common}}}")).collect();
        let out = encoded(&mut Repeats::new(Search { probes: 4, lazy: 0 }), &[events.as_bytes()]);
        assert!(out.len() < 1_000 + 1_000 * 14, "{} bytes for 1000 events", out.len());
    }
}
