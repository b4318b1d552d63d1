//! Numbers of payment cards: those of a known issuer, with the issuer's length and the right check digit.

use std::ops::{Range, RangeInclusive};

/// Digits of a card's number.
const FEWEST_DIGITS: usize = 13;
const MOST_DIGITS: usize = 19;

/// A word between hyphens is a part of a UUID or another digest if it is hexadecimal and has so many letters and digits.
const SHORTEST_HEX: usize = 4;
/// Longest such word that is looked at, in bytes.
const LONGEST_HEX: usize = 64;

/// First digits, from and to, of an issuer's cards, and how many digits they have. docs/events.md lists them.
type Issuer = (u32, u32, RangeInclusive<usize>);

#[rustfmt::skip]
const ISSUERS: [Issuer; 22] = [
    (4, 4, 13..=13), (4, 4, 16..=16), (4, 4, 19..=19),                    // Visa
    (51, 55, 16..=16), (2221, 2720, 16..=16),                             // Mastercard
    (34, 34, 15..=15), (37, 37, 15..=15),                                 // American Express
    (6011, 6011, 16..=19), (644, 649, 16..=19), (65, 65, 16..=19),        // Discover
    (300, 305, 14..=19), (36, 36, 14..=19), (38, 39, 14..=19),            // Diners Club
    (3528, 3589, 16..=19),                                                // JCB
    (62, 62, 16..=19),                                                    // UnionPay
    (5018, 5018, 13..=19), (5020, 5020, 13..=19), (5038, 5038, 13..=19),  // Maestro
    (5893, 5893, 13..=19), (6304, 6304, 13..=19), (6759, 6759, 13..=19), (6761, 6763, 13..=19),
];

/// Numbers of cards, in groups of digits with single blanks or hyphens between them.
pub(super) fn cards(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        at += next;
        let (mut groups, mut start) = (Vec::new(), at);
        loop {
            while is_digit(at) {
                at += 1;
            }
            groups.push(start..at);
            if !matches!(bytes.get(at), Some(b' ' | b'-')) || !is_digit(at + 1) {
                break;
            }
            at += 1;
            start = at;
        }
        cards_of(text, &groups, &mut found);
    }
    found
}

/// Those that begin and end with a group. Of several numbers that overlap, nobody knows which one is a card's.
fn cards_of(text: &str, groups: &[Range<usize>], found: &mut Vec<Range<usize>>) {
    let mut hit: Option<Range<usize>> = None;
    for (index, first) in groups.iter().enumerate() {
        if let Some(over) = hit.take_if(|hit| first.start >= hit.end) {
            found.push(over);
        }
        let mut digits = Vec::new();
        for group in groups.iter().skip(index) {
            if digits.len() + group.len() > MOST_DIGITS {
                break;
            }
            let own = text.as_bytes().get(group.clone()).unwrap_or_default();
            digits.extend(own.iter().map(|byte| byte - b'0'));
            if is_card(&digits) && is_free_before(text, first.start) && is_free_behind(text, group.end) {
                hit = Some(match hit {
                    Some(hit) => hit.start..hit.end.max(group.end),
                    None => first.start..group.end,
                });
            }
        }
    }
    found.extend(hit);
}

fn is_card(digits: &[u8]) -> bool {
    let is_of = |(from, to, lengths): &Issuer| {
        let count = from.ilog10() as usize + 1;
        let first = digits.iter().take(count).fold(0, |all, digit| all * 10 + u32::from(*digit));
        lengths.contains(&digits.len()) && (*from..=*to).contains(&first)
    };
    (FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len()) && ISSUERS.iter().any(is_of) && is_luhn(digits)
}

/// Whether a number may begin here: not within a word or a UUID, and not behind a decimal point.
fn is_free_before(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let mut last = before.chars().rev();
    match last.next() {
        Some('.') => last.next().is_some_and(char::is_alphabetic),
        Some('-') => {
            let near = before.as_bytes().get(..at - 1).unwrap_or_default();
            !is_hex(near.iter().rev())
        }
        // `\n` of JSON stands before it: that letter is no word's.
        Some('n' | 'r' | 't' | 'b' | 'f') => last.next() == Some('\\'),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    }
}

/// Whether a number may end here.
fn is_free_behind(text: &str, at: usize) -> bool {
    let behind = text.get(at..).unwrap_or_default();
    let mut next = behind.chars();
    match next.next() {
        Some('.') => !next.next().is_some_and(|c| c.is_ascii_digit()),
        Some('-') => !is_hex(next.as_str().as_bytes().iter()),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    }
}

/// Whether the word between hyphens that these bytes begin with is hexadecimal, and not of digits alone.
fn is_hex<'b>(bytes: impl Iterator<Item = &'b u8>) -> bool {
    let (mut count, mut letters) = (0, 0);
    for byte in bytes.take(LONGEST_HEX).take_while(|byte| byte.is_ascii_alphanumeric()) {
        if !byte.is_ascii_hexdigit() {
            return false;
        }
        count += 1;
        letters += usize::from(byte.is_ascii_alphabetic());
    }
    count >= SHORTEST_HEX && letters > 0
}

/// The check digit of card numbers.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(*digit);
            if index % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}
