//! Blocks of deflate: tokens, counted and written with codes that fit them.

use super::WINDOW;
use super::prefix_codes::{Code, codes, lengths};
use miniz_oxide::{MZ_ADLER32_INIT, mz_adler32_oxide};

/// Tokens of a block, at most. More make a worse fit, fewer more codes to tell.
const TOKENS: usize = 16 << 10;
/// zlib's header: deflate with a window of 32 KiB, no dictionary (RFC 1950, 2.2).
const HEADER: [u8; 2] = [0x78, 0x01];
/// Symbols for literals, the end of a block and lengths.
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
/// Symbols for the lengths of codes.
const LENGTHS: usize = 19;
const END: usize = 256;
/// In this order a block tells the lengths of the codes for lengths (RFC 1951, 3.2.7).
const ORDER: [usize; LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A literal, or a copy of what was before: its length above the lower 16 bits, its distance in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    #[inline]
    pub(super) fn literal(byte: u8) -> Self {
        Self(u32::from(byte))
    }

    /// `length` is 3 to 258, `distance` 1 to 32768.
    #[inline]
    pub(super) fn copy(length: usize, distance: usize) -> Self {
        Self(((length as u32) << 16) | (distance as u32 - 1))
    }

    #[inline]
    fn parts(self) -> Result<(usize, usize), usize> {
        match self.0 >> 16 {
            0 => Err(self.0 as usize),
            length => Ok((length as usize, (self.0 & 0xFFFF) as usize + 1)),
        }
    }
}

/// The blocks of a stream.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    begun: bool,
    checksum: u32,
    tokens: Vec<Token>,
    /// Bytes that the tokens stand for.
    bytes: usize,
    bits: Bits,
}

impl Blocks {
    pub(super) fn begin(&mut self) {
        self.tokens.clear();
        (self.begun, self.checksum, self.bytes, self.bits) = (false, MZ_ADLER32_INIT, 0, Bits::default());
    }

    /// Takes bytes into the checksum. Before the first, it writes the stream's header.
    pub(super) fn check(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&HEADER);
        }
        self.checksum = mz_adler32_oxide(self.checksum, bytes);
    }

    /// Adds a token for so many bytes of `buffer`, which end at `end`.
    #[inline]
    pub(super) fn add(&mut self, token: Token, bytes: usize, buffer: &[u8], end: usize, out: &mut Vec<u8>) {
        self.tokens.push(token);
        self.bytes += bytes;
        if self.tokens.len() == TOKENS {
            self.flush(buffer.get(..end).unwrap_or_default(), false, out);
        }
    }

    /// Writes the last block and the checksum.
    pub(super) fn finish(&mut self, buffer: &[u8], out: &mut Vec<u8>) {
        self.flush(buffer, true, out);
        self.bits.align(out);
        out.extend_from_slice(&self.checksum.to_be_bytes());
    }

    fn flush(&mut self, buffer: &[u8], last: bool, out: &mut Vec<u8>) {
        let block = Block::of(&self.tokens);
        let stored = buffer.len().checked_sub(self.bytes).filter(|_| self.bytes <= WINDOW);
        match stored.and_then(|begin| buffer.get(begin..)) {
            Some(bytes) if 8 * bytes.len() + 40 < block.bits() => self.store(bytes, last, out),
            _ => block.write(&self.tokens, last, &mut self.bits, out),
        }
        self.tokens.clear();
        self.bytes = 0;
    }

    /// Writes bytes as they are.
    fn store(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        self.bits.put(u64::from(last), 3, out);
        self.bits.align(out);
        let length = bytes.len() as u16;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(bytes);
    }
}

/// How a block's tokens are written.
struct Block {
    literals: Vec<Code>,
    distances: Vec<Code>,
    /// What tells these codes: symbols, with their further bits.
    told: Vec<(u8, u8)>,
    lengths: Vec<Code>,
    /// How many of [`ORDER`] are told.
    ordered: usize,
    /// Bits of all tokens.
    body: usize,
}

impl Block {
    fn of(tokens: &[Token]) -> Self {
        let (mut literals, mut distances) = ([0_u32; LITERALS], [0_u32; DISTANCES]);
        let mut extra = 0;
        let count = |counts: &mut [u32], symbol: usize| {
            if let Some(count) = counts.get_mut(symbol) {
                *count += 1;
            }
        };
        for token in tokens {
            match token.parts() {
                Err(byte) => count(&mut literals, byte),
                Ok((length, distance)) => {
                    let (length, distance) = (length_symbol(length), distance_symbol(distance));
                    count(&mut literals, length.symbol);
                    count(&mut distances, distance.symbol);
                    extra += (length.bits + distance.bits) as usize;
                }
            }
        }
        count(&mut literals, END);
        let (literal_lengths, distance_lengths) = (lengths(&literals, 15), lengths(&distances, 15));
        let cost = |counts: &[u32], lengths: &[u8]| -> usize {
            counts.iter().zip(lengths).map(|(count, length)| *count as usize * usize::from(*length)).sum()
        };
        let body = extra + cost(&literals, &literal_lengths) + cost(&distances, &distance_lengths);
        let told = tell(&literal_lengths, &distance_lengths);
        let mut counts = [0_u32; LENGTHS];
        told.iter().for_each(|(symbol, _)| count(&mut counts, usize::from(*symbol)));
        let length_lengths = lengths(&counts, 7);
        let is_used = |symbol: &usize| length_lengths.get(*symbol).is_some_and(|length| *length > 0);
        let ordered = ORDER.iter().rposition(is_used).map_or(4, |last| (last + 1).max(4));
        Self {
            literals: codes(&literal_lengths),
            distances: codes(&distance_lengths),
            told,
            lengths: codes(&length_lengths),
            ordered,
            body,
        }
    }

    /// Bits of all of it.
    fn bits(&self) -> usize {
        let told = self.told.iter().map(|(symbol, _)| {
            let code = self.lengths.get(usize::from(*symbol)).map_or(0, |code| code.length);
            usize::from(code) + further(*symbol) as usize
        });
        17 + 3 * self.ordered + told.sum::<usize>() + self.body
    }

    fn write(&self, tokens: &[Token], last: bool, bits: &mut Bits, out: &mut Vec<u8>) {
        bits.put(u64::from(last) | 2 << 1, 3, out);
        bits.put((LITERALS - 257) as u64, 5, out);
        bits.put((DISTANCES - 1) as u64, 5, out);
        bits.put((self.ordered - 4) as u64, 4, out);
        for symbol in ORDER.iter().take(self.ordered) {
            bits.put(self.lengths.get(*symbol).map_or(0, |code| u64::from(code.length)), 3, out);
        }
        for (symbol, more) in &self.told {
            bits.code(&self.lengths, usize::from(*symbol), out);
            bits.put(u64::from(*more), further(*symbol), out);
        }
        for token in tokens {
            match token.parts() {
                Err(byte) => bits.code(&self.literals, byte, out),
                Ok((length, distance)) => {
                    let (length, distance) = (length_symbol(length), distance_symbol(distance));
                    bits.code(&self.literals, length.symbol, out);
                    bits.put(length.more, length.bits, out);
                    bits.code(&self.distances, distance.symbol, out);
                    bits.put(distance.more, distance.bits, out);
                }
            }
        }
        bits.code(&self.literals, END, out);
    }
}

/// Bits behind a symbol for lengths of codes.
fn further(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// The lengths of codes as symbols, with their further bits: runs are told in short.
fn tell(literals: &[u8], distances: &[u8]) -> Vec<(u8, u8)> {
    let all: Vec<u8> = literals.iter().chain(distances).copied().collect();
    let mut told = Vec::new();
    for run in all.chunk_by(|one, other| one == other) {
        let (Some(length), mut rest) = (run.first().copied(), run.len()) else { continue };
        if length > 0 {
            told.push((length, 0));
            rest -= 1;
        }
        while rest > 0 {
            let (symbol, least, most) = match length {
                0 if rest > 10 => (18, 11, 138),
                0 => (17, 3, 10),
                _ => (16, 3, 6),
            };
            let taken = rest.min(most);
            match taken.checked_sub(least) {
                Some(more) => told.push((symbol, more as u8)),
                None => told.extend(std::iter::repeat_n((length, 0), taken)),
            }
            rest -= taken;
        }
    }
    told
}

/// A symbol, and the bits that follow it.
struct Symbol {
    symbol: usize,
    more: u64,
    bits: u32,
}

/// The symbol for a length of 3 to 258 (RFC 1951, 3.2.5).
#[inline]
fn length_symbol(length: usize) -> Symbol {
    let length = length as u32 - 3;
    match length {
        255 => Symbol { symbol: 285, more: 0, bits: 0 },
        0..8 => Symbol { symbol: 257 + length as usize, more: 0, bits: 0 },
        _ => {
            let bits = length.ilog2() - 2;
            let symbol = 257 + (4 * bits + (length >> bits)) as usize;
            Symbol { symbol, more: u64::from(length & ((1 << bits) - 1)), bits }
        }
    }
}

/// The symbol for a distance of 1 to 32768.
#[inline]
fn distance_symbol(distance: usize) -> Symbol {
    let distance = distance as u32 - 1;
    match distance {
        0..4 => Symbol { symbol: distance as usize, more: 0, bits: 0 },
        _ => {
            let bits = distance.ilog2() - 1;
            let symbol = (2 * bits + (distance >> bits)) as usize;
            Symbol { symbol, more: u64::from(distance & ((1 << bits) - 1)), bits }
        }
    }
}

/// Bits on their way into bytes, the lowest first.
#[derive(Debug, Default)]
struct Bits {
    held: u64,
    count: u32,
}

impl Bits {
    /// Adds at most 16 bits.
    #[inline]
    fn put(&mut self, bits: u64, count: u32, out: &mut Vec<u8>) {
        self.held |= bits << self.count;
        self.count += count;
        if self.count >= 32 {
            out.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    #[inline]
    fn code(&mut self, codes: &[Code], symbol: usize, out: &mut Vec<u8>) {
        if let Some(code) = codes.get(symbol) {
            self.put(u64::from(code.bits), u32::from(code.length), out);
        }
    }

    /// Fills the last byte up.
    fn align(&mut self, out: &mut Vec<u8>) {
        while self.count > 0 {
            out.push(self.held as u8);
            self.held >>= 8;
            self.count = self.count.saturating_sub(8);
        }
    }
}
