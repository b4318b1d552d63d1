//! Mends entries that are not sound text: every entry becomes a line.

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The text of an entry, and whether that is all it was. Of a string what it stands for, with U+FFFD for each byte that is not UTF-8 and each
/// half of a surrogate pair; of any other JSON value its text. The end of a string may be missing.
pub(super) fn mended(json: &[u8]) -> (Box<str>, bool) {
    match json.strip_prefix(b"\"") {
        Some(inside) => {
            let (text, sound) = string(inside);
            (text.into(), sound)
        }
        None => (String::from_utf8_lossy(json).into(), false),
    }
}

/// What stands between the quotes; `rest` ends with the second one, or was cut off before.
fn string(mut rest: &[u8]) -> (String, bool) {
    let (mut text, mut sound) = (String::with_capacity(rest.len()), true);
    while let Some(at) = memchr::memchr2(b'\\', b'"', rest) {
        let (plain, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        sound &= push(plain, &mut text);
        let Some(escape) = behind.strip_prefix(b"\\") else { return (text, sound) };
        let (c, length) = escaped(escape);
        sound &= c.is_none_or(|c| c != REPLACEMENT && length > 0);
        text.extend(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    // The string was cut off: perhaps inside of a character.
    let whole = match std::str::from_utf8(rest) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => rest.len(),
    };
    sound &= push(rest.get(..whole).unwrap_or_default(), &mut text);
    (text, sound)
}

/// Adds what needs no escape; says whether it was as it should be.
fn push(plain: &[u8], text: &mut String) -> bool {
    let read = String::from_utf8_lossy(plain);
    text.push_str(&read);
    matches!(read, std::borrow::Cow::Borrowed(_)) && plain.iter().all(|byte| *byte >= b' ')
}

/// The character that an escape stands for, and how many bytes it takes behind the backslash. None if it was cut off.
fn escaped(escape: &[u8]) -> (Option<char>, usize) {
    let plain = match escape.first() {
        None => return (None, 0),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'"') => '"',
        Some(b'/') => '/',
        Some(b'\\') => '\\',
        Some(b'u') => return unicode(escape),
        // No such escape: the backslash was meant.
        Some(_) => return (Some('\\'), 0),
    };
    (Some(plain), 1)
}

/// `uXXXX`, and what follows it if the two are a pair.
fn unicode(escape: &[u8]) -> (Option<char>, usize) {
    if escape.len() < 5 {
        return (None, escape.len());
    }
    let unit = |at: usize| {
        let digits = escape.get(at..at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some(first) = unit(1) else { return (Some(REPLACEMENT), 1) };
    let second = escape.get(5..7).filter(|begin| begin == b"\\u").and_then(|_| unit(7));
    let pair = char::decode_utf16([first].into_iter().chain(second)).next();
    match pair {
        Some(Ok(c)) => (Some(c), if c.len_utf16() == 2 { 11 } else { 5 }),
        _ => (Some(REPLACEMENT), 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_sound_text_is_mended_and_the_rest_of_it_stays() {
        for (json, text) in [
            (&br#""half a pair: \ud83d!""#[..], "half a pair: \u{fffd}!"),
            (br#""\uDC4B\ud83d\ud83d\udc4b\u0041""#, "\u{fffd}\u{fffd}👋A"),
            (b"\"caf\xe9 \xff\xfe \\n\"", "caf\u{fffd} \u{fffd}\u{fffd} \n"),
            (b"\"raw \x01\x1b[0m\ttab\"", "raw \u{1}\u{1b}[0m\ttab"),
            (br#""\x \u00g0 \"""#, "\\x \u{fffd}00g0 \""),
            (b"null", "null"),
            (b"-1.5e3", "-1.5e3"),
            (br#"{"a": ["b"]}"#, r#"{"a": ["b"]}"#),
            (b"[\"caf\xe9\"]", "[\"caf\u{fffd}\"]"),
        ] {
            assert_eq!(mended(json), (text.into(), false), "{}", String::from_utf8_lossy(json));
        }
    }

    #[test]
    fn a_string_that_was_cut_off_ends_with_its_last_whole_character() {
        let json = "\"aé\\n👋\\u00e9\\ud83d\\udc4b\"";
        let whole = "aé\n👋é👋";
        for cut in 1..json.len() {
            let (text, _) = mended(&json.as_bytes()[..cut]);
            assert!(whole.starts_with(text.trim_end_matches(REPLACEMENT)), "cut at {cut}: {text}");
            // Of a pair that was cut in its middle, one half is seen.
            assert!(text.matches(REPLACEMENT).count() <= 1 && !text.starts_with(REPLACEMENT));
        }
        assert_eq!(mended(json.as_bytes()), (whole.into(), true));
    }
}
