//! Secrets in tags: `<password>…</password>`.

use super::name::Meaning;
use super::run;
use std::ops::Range;

/// Longest tag, in bytes.
const LONGEST_TAG: usize = 256;
/// Longest content with tags in it, in bytes.
const LONGEST_CONTENT: usize = 2 << 10;

/// The content behind the tag that ends at `sign`, if the tag is named as a secret. It may have attributes, and a prefix as in `<wsse:Password>`.
pub(super) fn content(text: &str, sign: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let nearest = sign.saturating_sub(LONGEST_TAG);
    let open = nearest + memchr::memrchr(b'<', bytes.get(nearest..sign)?)? + 1;
    let end = run(text, open, |c| c.is_ascii_alphanumeric() || "_-.:".contains(c));
    let name = text.get(open..end)?;
    let meaning = Meaning::of(name)?;
    if !text.get(end..sign).is_some_and(is_attributes) {
        return None;
    }
    let begin = sign + 1;
    let end = end_of_content(text, begin, name);
    text.get(begin..end)
        .filter(|content| !content.trim().is_empty() && !meaning.spares(content))
        .map(|_| begin..end)
}

fn end_of_content(text: &str, begin: usize, name: &str) -> usize {
    let rest = text.get(begin..).unwrap_or_default();
    let near = rest.get(..rest.floor_char_boundary(LONGEST_CONTENT)).unwrap_or_default();
    if let Some(end) = near.find(&["</", name, ">"].concat()) {
        return begin + end;
    }
    match rest.trim_start().starts_with("<![CDATA[") {
        true => rest.find("]]>").map_or(text.len(), |end| begin + end + "]]>".len()),
        false => run(text, begin, |c| c != '<'),
    }
}

/// Whether this may stand between the name of a tag and its end. One that ends with `/` has no content.
fn is_attributes(text: &str) -> bool {
    let mut quote = None;
    for byte in text.bytes() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'>', None) => return false,
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    quote.is_none() && !text.ends_with('/') && (text.is_empty() || text.starts_with(char::is_whitespace))
}
