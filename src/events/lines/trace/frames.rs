//! How frames of Java, Node.js and .NET look.

use super::signs::{begins_with_digit, is_number};

/// A frame of Java, Node.js or .NET, or a line that stands between such frames.
pub(super) fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    if text.len() == line.len() {
        return text.starts_with("--- End of stack trace from ");
    }
    match text.as_bytes().first() {
        Some(b'a') => text.strip_prefix("at ").is_some_and(is_place_of_frame),
        Some(b'.') => is_more(text),
        Some(b'-') => text.starts_with("--- End of "),
        _ => false,
    }
}

/// A frame of Node.js that stands deeper than those of an error which is in nothing else.
pub(super) fn is_inner_frame(line: &str) -> bool {
    line.starts_with("     ") && is_frame(line)
}

/// `... 12 more`.
pub(super) fn is_more(text: &str) -> bool {
    text.strip_prefix("... ").is_some_and(begins_with_digit)
}

/// `x.Y.z(Y.java:1)`, `f (/index.js:1:2)`, `/index.js:1:2`, `Shop.Pay.Run(String x) in Pay.cs:line 3`.
fn is_place_of_frame(text: &str) -> bool {
    let text = text.strip_suffix(" {").or_else(|| text.strip_suffix(',')).unwrap_or(text).trim_end();
    let Some((name, arguments)) = text.split_once('(') else {
        return is_place_of_script(text.strip_prefix("async ").unwrap_or(text));
    };
    let own = ["async ", "new "].iter().fold(name, |name, word| name.strip_prefix(word).unwrap_or(name));
    if name.ends_with(' ') {
        let inner = arguments.strip_suffix(')').unwrap_or_default();
        return has_line_and_column(inner)
            || matches!(inner, "<anonymous>" | "native")
            || inner.starts_with("wasm://")
            || inner.starts_with("index ")
            || arguments.contains("] in ");
    }
    !own.contains(' ') && (own.contains('.') || own.starts_with("lambda_method")) && arguments.contains(')')
}

/// `/index.js:1:2`, `bundle.js:1:2`, `[eval]:1:2`, `REPL1:1:2`, `wasm://wasm/5e5b:wasm-function[3]:0x45`. A time is not one.
fn is_place_of_script(text: &str) -> bool {
    let is_name = || {
        let file = text.rsplitn(3, ':').nth(2).unwrap_or_default();
        !text.contains(' ')
            && (text.starts_with(|c: char| c == '[' || c.is_alphabetic()) || file.ends_with("js"))
    };
    text == "<anonymous>"
        || text.starts_with("wasm://")
        || has_line_and_column(text) && (text.contains(['/', '\\', '<']) || is_name())
}

/// It ends with `:3:14`.
fn has_line_and_column(text: &str) -> bool {
    let mut parts = text.rsplit(':');
    let (column, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    is_number(column) && is_number(line) && parts.next().is_some()
}
