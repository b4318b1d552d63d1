//! A line as a JSON object, within limits.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longest line that is read, in bytes.
const LARGEST: usize = 256 << 10;
/// Most members, those of inner objects included.
const MOST_MEMBERS: usize = 256;
/// Objects within objects.
const DEEPEST: usize = 16;

/// The object, and whether it was mended. The error says why it is not read.
pub(super) fn read(text: &str) -> Result<(Map<String, Value>, bool), String> {
    if text.len() > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    let (object, is_mended) = match serde_json::from_slice(text.as_bytes()) {
        Ok(object) => (object, false),
        Err(error) => {
            let whole = with_whole_characters(text);
            let object =
                serde_json::from_str(&with_numbers_in_quotes(&whole)).map_err(|_| fault(text, &error))?;
            (object, matches!(whole, Cow::Owned(_)))
        }
    };
    let mut members = 0;
    if !is_within(&object, 1, &mut members) {
        return Err(format!(
            "it has more than {MOST_MEMBERS} members, or more than {DEEPEST} objects in each other"
        ));
    }
    Ok((object, is_mended))
}

/// Why the text is not read. The error of a text that can be mended may be that of another place.
fn fault(text: &str, error: &serde_json::Error) -> String {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(error) => format!("column {} is not JSON", error.column()),
        Ok(_) if text.ends_with('}') => "it has too many lists or objects in each other".into(),
        Ok(_) => format!("column {} is not JSON", error.column()),
    }
}

fn is_within(object: &Map<String, Value>, depth: usize, members: &mut usize) -> bool {
    *members += object.len();
    *members <= MOST_MEMBERS
        && depth <= DEEPEST
        && object
            .values()
            .all(|value| value.as_object().is_none_or(|inner| is_within(inner, depth + 1, members)))
}

/// The same with U+FFFD for each half of a surrogate pair, as JavaScript writes one if it has cut a text within a character.
fn with_whole_characters(text: &str) -> Cow<'_, str> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let (mut whole, mut rest, mut at) = (String::new(), 0, 0);
    while let Some(found) = text.get(at..).and_then(|text| text.find('\\')) {
        let place = at + found;
        at = place + 2;
        let length = match (unit(place), unit(place + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                whole.push_str(text.get(rest..place).unwrap_or_default());
                whole.push_str("\\ufffd");
                rest = place + 6;
                6
            }
            _ => continue,
        };
        at = place + length;
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(text.get(rest..).unwrap_or_default());
    Cow::Owned(whole)
}

/// The same with quotes around each number that is larger than a `f64` can be: a label takes it as it is written.
fn with_numbers_in_quotes(text: &str) -> Cow<'_, str> {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let (mut quoted, mut rest, mut at) = (String::new(), 0, 0);
    while let Some(found) =
        text.get(at..).and_then(|text| text.find(|c: char| c == '"' || c.is_ascii_digit()))
    {
        let place = at + found;
        if text.get(place..).is_some_and(|text| text.starts_with('"')) {
            at = end_of_text(text, place + 1);
            continue;
        }
        let start = place - usize::from(text.get(..place).is_some_and(|before| before.ends_with('-')));
        let length = text.get(place..).and_then(|text| text.find(|c| !is_of_number(c)));
        at = length.map_or(text.len(), |length| place + length);
        let number = text.get(start..at).unwrap_or_default();
        let is_number = serde_json::from_str::<IgnoredAny>(number).is_ok();
        if is_number && number.parse::<f64>().is_ok_and(f64::is_infinite) {
            quoted.extend([text.get(rest..start).unwrap_or_default(), "\"", number, "\""]);
            rest = at;
        }
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(text.get(rest..).unwrap_or_default());
    Cow::Owned(quoted)
}

/// Where the text in quotes ends that begins at `begin`, behind its quotation mark.
fn end_of_text(text: &str, begin: usize) -> usize {
    let mut at = begin;
    while let Some(found) = text.get(at..).and_then(|text| text.find(['"', '\\'])) {
        at += found + 1;
        if text.get(..at).is_some_and(|before| before.ends_with('"')) {
            return at;
        }
        // The escaped one may be of several bytes.
        at += text.get(at..).and_then(|text| text.chars().next()).map_or(0, char::len_utf8);
    }
    text.len()
}
