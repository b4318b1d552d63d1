//! Values of a JSON line that are no objects.

use super::{LONGEST_KEYWORD, quoted};
use crate::fields::{NUMBERS, TEXTS, text_kind};
use crate::time;
use serde_json::Number;
use std::net::IpAddr;

/// A value without inner objects.
pub(super) enum Leaf {
    Text(String),
    Number(Number),
}

impl Leaf {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }

    /// As JSON, if the schema's field of that name takes it, and whether it lacks its end.
    pub(super) fn of_schema(&self, name: &str) -> Option<(String, bool)> {
        if TEXTS.contains(&name) {
            let number;
            let text = match self {
                Self::Text(text) => text,
                Self::Number(value) => {
                    number = value.to_string();
                    &number
                }
            };
            return match text_kind(name) {
                // An index refuses a document with anything else there.
                "ip" => text.parse::<IpAddr>().ok().map(|_| (quoted(text), false)),
                "keyword" => Some(quoted_within(text, LONGEST_KEYWORD)),
                _ => Some((quoted(text), false)),
            };
        }
        match self {
            // No more than the `long` of an index holds.
            Self::Number(number) if NUMBERS.contains(&name) && number.as_i64().is_some_and(|n| n >= 0) => {
                Some((number.to_string(), false))
            }
            _ => None,
        }
    }

    /// As JSON, with at most so many bytes of a text, and whether it lacks its end.
    pub(super) fn json(self, longest: usize) -> (String, bool) {
        match self {
            Self::Number(number) => (number.to_string(), false),
            Self::Text(text) => quoted_within(&text, longest),
        }
    }
}

fn quoted_within(text: &str, longest: usize) -> (String, bool) {
    let (begin, is_cut) = beginning(text, longest);
    (quoted(begin), is_cut)
}

/// At most so many bytes of a text, and no part of a character; and whether that is not all of it.
pub(super) fn beginning(text: &str, longest: usize) -> (&str, bool) {
    (text.get(..text.floor_char_boundary(longest)).unwrap_or(text), text.len() > longest)
}

/// A level in small letters. pino and bunyan write numbers.
pub(super) fn level(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Text(text) if !text.is_empty() && text.len() <= 32 => Some(text.to_ascii_lowercase()),
        Leaf::Text(_) => None,
        Leaf::Number(number) => {
            let names =
                [(10, "trace"), (20, "debug"), (30, "info"), (40, "warn"), (50, "error"), (60, "fatal")];
            names.iter().find(|(level, _)| number.as_u64() == Some(*level)).map(|(_, name)| (*name).into())
        }
    }
}

/// A time as documents have it, if it is one.
pub(super) fn in_utc(text: &str) -> Option<String> {
    if time::is_rfc3339_utc(text) && text.contains('.') { Some(text.into()) } else { time::in_utc(text) }
}
