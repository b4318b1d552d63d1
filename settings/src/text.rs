//! Text as people give it: with a byte order mark, with a line end, in quotes.

use serde_json::Value;

/// U+FEFF, which editors put before a text.
pub const MARK: char = '\u{feff}';

/// The text of a file: UTF-8, or UTF-16 if a byte order mark says so, as PowerShell writes it. The function removes the mark; bytes that
/// are not characters become U+FFFD.
pub fn decoded(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(read).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The JSON of a value.
pub fn json(value: &Value) -> String {
    // Not `to_string`, which writes through a formatter: that is all of the writing once more, and once more for `{:#}`.
    serde_json::to_vec(value).ok().and_then(|json| String::from_utf8(json).ok()).unwrap_or_default()
}

/// Changes each text in a value; keys stay.
pub fn change_each(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| change_each(item, change)),
        Value::Object(members) => members.values_mut().for_each(|value| change_each(value, change)),
        _ => {}
    }
}

/// The text without blanks, line ends and invisible characters around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// The text, trimmed, and without quotes around it: Docker's `--env-file` and `.wskprops` treat quotes as a part of the value.
pub fn tidied(text: &str) -> &str {
    let mut text = trimmed(text);
    for (open, close) in [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            text = trimmed(inner);
        }
    }
    text
}

/// An API key: a tidied text of the form `uuid:secret`. The error says what to do, and shows no part of the key.
///
/// The two parts may be any text that a header can hold, as vendors have forms of their own for them (docs/facts/openwhisk.md 3.1).
pub fn api_key(text: &str) -> Result<&str, &'static str> {
    let key = tidied(text);
    let is_quote = |c: char| "\"'“”‘’".contains(c);
    if key.is_empty() {
        return Err("the API key is empty; give it as `uuid:secret`");
    }
    if key.starts_with("Basic ") || key.starts_with("Bearer ") {
        return Err(
            "this is the header of a request, not an API key; give the key as `uuid:secret`, as `wsk property get --auth` shows it",
        );
    }
    if key.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        return Err(
            "the API key has a blank, a line end or an invisible character in it; give `uuid:secret` alone, on one line",
        );
    }
    if key.starts_with(is_quote) || key.ends_with(is_quote) {
        return Err("the API key has a quote at one end; give `uuid:secret` without quotes");
    }
    match key.split_once(':') {
        Some((uuid, secret)) if !uuid.is_empty() && !secret.is_empty() => Ok(key),
        _ => Err(
            "the API key is not of the form `uuid:secret`; give both parts with the colon between them, as `wsk property get --auth` shows it",
        ),
    }
}

/// The remedy for a value in the place of true or false; `text` is the value, if it is a text. YAML 1.2 reads `off` and similar words as
/// texts, which have no quotes that could be left out.
pub fn switch(text: Option<&str>) -> &'static str {
    match text.map(tidied) {
        Some("true" | "false") => "must be true or false, without quotes",
        Some(text) if is_one_of(text, &["true", "on", "yes", "y", "1", "enabled"]) => {
            "must be true or false; write true"
        }
        Some(text) if is_one_of(text, &["false", "off", "no", "n", "0", "disabled"]) => {
            "must be true or false; write false"
        }
        _ => "must be true or false",
    }
}

/// A number of things: `1 line`, `2 lines`.
pub fn many(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Invisible characters that people copy along with a text.
fn is_invisible(c: char) -> bool {
    matches!(c, MARK | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_without_line_ends_blanks_and_quotes_around_it() {
        for text in [
            "u:s",
            "u:s\n",
            "u:s\r\n",
            " u:s\t",
            "\"u:s\"",
            "'u:s'",
            " \"u:s\"\r\n",
            "\" u:s \"",
            "\u{feff}u:s",
            "“u:s”",
            "u:s\u{200b}",
            "\"'u:s'\"",
            "\u{a0}u:s",
        ] {
            assert_eq!(api_key(text), Ok("u:s"), "{text:?}");
        }
    }

    #[test]
    fn keys_of_all_platforms_are_keys() {
        for key in [
            "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:123zO3xZCLrMN6v2BKK1dXYFpXlPkccOFqm12CdAsMgRU4VrNZ9lyGVCGuMDGIwP",
            "dof_v1_0123abcd:x",
            "user:a:b:c",
            "u:pass=word==",
            "ü:é",
            "u:it's",
            "_:\"x\"y",
        ] {
            assert_eq!(api_key(key), Ok(key), "{key}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_with_a_reason_that_does_not_show_it() {
        for (text, reason) in [
            ("", "is empty"),
            (" \"\" \n", "is empty"),
            ("sesame", "not of the form"),
            (":sesame", "not of the form"),
            ("sesame:", "not of the form"),
            ("whisk auth\t\tu:sesame", "a blank"),
            ("u:sesame\nu:sesame", "a line end"),
            ("u:ses\u{200b}ame", "an invisible character"),
            ("u :sesame", "a blank"),
            ("\"u:sesame", "a quote at one end"),
            ("u:sesame'", "a quote at one end"),
            ("Basic dTpzZXNhbWU=", "the header of a request"),
            ("Bearer sesame", "the header of a request"),
        ] {
            let error = api_key(text).unwrap_err();
            assert!(error.contains(reason) && !error.contains("sesame"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_text_in_the_place_of_a_switch_is_told_by_the_word_to_write() {
        for (text, remedy) in [
            (Some("false"), "must be true or false, without quotes"),
            (Some("off"), "must be true or false; write false"),
            (Some("No"), "must be true or false; write false"),
            (Some("on"), "must be true or false; write true"),
            (Some("TRUE"), "must be true or false; write true"),
            (Some("logs.example.com"), "must be true or false"),
            (None, "must be true or false"),
        ] {
            assert_eq!(switch(text), remedy, "{text:?}");
        }
    }

    #[test]
    fn a_file_is_text_with_and_without_a_byte_order_mark_and_also_when_powershell_wrote_it() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let le: Vec<u8> = [0xfeff].into_iter().chain(wide("é=1\r\n")).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = [0xfeff].into_iter().chain(wide("é=1\r\n")).flat_map(u16::to_be_bytes).collect();
        for bytes in ["é=1\r\n".as_bytes(), "\u{feff}é=1\r\n".as_bytes(), &le, &be] {
            assert_eq!(decoded(bytes), "é=1\r\n");
        }
        assert_eq!(decoded(b"# caf\xe9\nA=1"), "# caf\u{fffd}\nA=1");
    }
}
