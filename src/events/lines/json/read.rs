//! A line as a JSON object, within limits.

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
            let fault = |_| format!("column {} is not JSON", error.column());
            (serde_json::from_slice(with_whole_characters(text).as_bytes()).map_err(fault)?, true)
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
