//! Values as YAML for people.

use serde_json::Value;

/// The value of a key, behind its colon: with a line end behind it, and indented by so many spaces where it takes several lines.
pub(super) fn value(value: &Value, indent: usize) -> String {
    let margin = " ".repeat(indent);
    match value {
        Value::Array(all) if !all.is_empty() && all.iter().all(|one| !one.is_object() && !one.is_array()) => {
            let lines: Vec<String> =
                all.iter().map(|one| format!("{margin}-{}", self::value(one, indent + 2))).collect();
            format!("\n{}", lines.concat())
        }
        // Such as a certificate.
        Value::String(text) if text.trim_end_matches('\n').contains('\n') && is_plain(text) => {
            let lines: Vec<String> = text.lines().map(|line| format!("{margin}{line}\n")).collect();
            // Without the sign of "keep", a block ends with one line end.
            let sign = if text.ends_with('\n') { "|" } else { "|-" };
            format!(" {sign}\n{}", lines.concat())
        }
        Value::String(text) if is_word(text) => format!(" {text}\n"),
        // JSON is YAML. What looks like a variable is none.
        Value::String(text) => format!(" {}\n", Value::from(text.replace("${", "$${"))),
        other => format!(" {other}\n"),
    }
}

/// Whether a text of several lines can stand as it is in a block.
fn is_plain(text: &str) -> bool {
    !text.contains("${")
        && !text.ends_with("\n\n")
        && text.lines().all(|line| !line.starts_with([' ', '\t']) && !line.chars().any(char::is_control))
}

/// Whether a text means itself without quotes.
fn is_word(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic();
    text.starts_with(is_letter)
        && text.chars().all(|c| is_letter(c) || c.is_ascii_digit() || "._-/".contains(c))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str())
}

/// The text in lines of at most so many characters, unless a word is longer.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_read_as_it_was_whatever_it_looks_like() {
        for one in [
            json!("logs.example.com"),
            json!("yes"),
            json!("5044"),
            json!("a: b # c"),
            json!("${NOT_A_VARIABLE}"),
            json!("-----BEGIN-----\nMII=\n-----END-----\n"),
            json!("one\ntwo"),
            json!(" indented\ntwo"),
            json!(["a", "*", "!shop/x", "1"]),
            json!([]),
            json!([{"name": "a"}]),
            json!({"a": {"b": [1, null]}}),
            json!(1.5),
            json!(null),
            json!(""),
        ] {
            let text = format!("group:\n  key:{}", value(&one, 4));
            let read = whiskjack_config_file::read("c", text.as_bytes(), &|_| None)
                .unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(read.params["group"]["key"], one, "{text}");
        }
    }

    #[test]
    fn lines_are_filled_with_whole_words() {
        assert_eq!(wrapped("one two three-and-more", 7), ["one two", "three-and-more"]);
    }
}
