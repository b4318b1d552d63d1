//! Values behind the names of secrets: words, texts in quotes, lists, objects, and wrappers of them such as `Some("…")`.

use super::name::{HEADS, ends_with};
use super::run;
use std::ops::Range;

/// Longest name of a wrapper, in bytes.
const LONGEST_WRAPPER: usize = 128;
/// Longest content of one whose text is not in quotes, in bytes.
const LONGEST_WRAPPED: usize = 512;

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// A name of HTTP whose value may go up to the end of the line, and a colon.
    Head,
    /// Such a name, and another sign.
    HeadSign,
    /// Another name.
    Name,
}

impl Before {
    /// For this name before a colon, or before another sign.
    pub(super) fn of(name: &str, is_colon: bool) -> Self {
        match ends_with(name, &HEADS) {
            true if is_colon => Self::Head,
            true => Self::HeadSign,
            false => Self::Name,
        }
    }
}

/// The value that begins at `start`: in quotes, in brackets, or up to a sign that ends values; that of a head goes up to the end of the line.
pub(super) fn value(text: &str, start: usize, before: Before) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    if let Some(sign) = quote(rest) {
        let begin = start + sign.len();
        return (!is_end(text, begin)).then(|| begin..end_of_quoted(text, begin, sign));
    }
    if rest.starts_with(['[', '{']) {
        let end = end_of_brackets(text, start).unwrap_or(text.len());
        return (end > start + 2).then_some(start..end);
    }
    let wrapped = end_of_wrapper(text, start);
    if before == Before::Head {
        return Some(start..end_of_head(text, start).max(wrapped.unwrap_or_default()));
    }
    if let Some(end) = wrapped {
        return Some(start..end);
    }
    let end = end_of_word(text, start);
    let word = text.get(start..end)?;
    // A scheme and what follows it.
    let schemes = ["bearer", "basic", "token", "digest"];
    let is_head = before == Before::HeadSign;
    if is_head || schemes.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
        let next = run(text, end, |c| c == ' ');
        if let Some(quoted) = quoted(text, next).filter(|_| next > end) {
            return Some(start..quoted);
        }
        let behind = run(text, next, |c| !c.is_whitespace() && !"\"'<>".contains(c));
        let is_pair = text.get(next..behind).is_some_and(|word| word.trim_end_matches('=').contains('='));
        return Some(start..if is_head && is_pair { end } else { behind });
    }
    let trimmed = word.trim_end_matches([')', ']', '}']);
    Some(start..start + trimmed.len())
}

/// A quotation mark at the begin of a text, with what escapes it.
pub(super) fn quote(text: &str) -> Option<&str> {
    let at = text.find(|c| c != '\\')?;
    text.get(..=at).filter(|sign| sign.ends_with(['"', '\'']))
}

/// Whether the quotation mark before `begin` ends a text that ends with a name and a sign: `{"hint": "password=", "n": 1}`.
fn is_end(text: &str, begin: usize) -> bool {
    let rest = text.get(begin..).unwrap_or_default();
    let next = rest.strip_prefix(',').map(|rest| rest.trim_start_matches(' '));
    next.is_some_and(|next| next.starts_with(['"', '\''])) || rest.trim_start_matches(['}', ']']).is_empty()
}

/// The end of the text in quotes that begins at `start`, behind its last quotation mark.
fn quoted(text: &str, start: usize) -> Option<usize> {
    let sign = quote(text.get(start..)?)?;
    let begin = start + sign.len();
    (!is_end(text, begin)).then(|| (end_of_quoted(text, begin, sign) + sign.len()).min(text.len()))
}

/// Where a value ends that is in a wrapper: `Some("…")`, `b'…'`, `Just "…"`, `Secret { … }`, `${…}`, `<Buffer …>`, `<<"…">>`.
fn end_of_wrapper(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..text.floor_char_boundary(start + LONGEST_WRAPPER))?;
    let signs = run(rest, 0, |c| "&@$#*%!".contains(c));
    let begin =
        signs + rest.get(signs..).and_then(|rest| rest.strip_prefix("new ")).map_or(0, |_| "new ".len());
    let name_end =
        begin + rest.get(begin..)?.find(|c: char| !c.is_ascii_alphanumeric() && !"_.:".contains(c))?;
    let (name, behind) = rest.split_at_checked(name_end)?;
    let at = start + name_end;
    let is_constructor = || name.starts_with(|c: char| c.is_ascii_uppercase());
    match behind.as_bytes() {
        [b'(' | b'[' | b'{', ..] => end_of_wrapped(text, at),
        [b' ', b'{', ..] if is_constructor() => end_of_wrapped(text, at + 1),
        [b' ', b'"' | b'\'' | b'\\', ..] if is_constructor() => quoted(text, at + 1),
        [b'"' | b'\'' | b'\\', ..] if is_prefix(name) => quoted(text, at),
        [b'<', b'<' | b'A'..=b'Z', ..] if matches!(name, "" | "#") => end_of_angles(text, at),
        _ => None,
    }
}

/// Whether a name stands before texts in quotes: `b'…'`, `r#"…"`, `&"…"`, `@"…"`.
fn is_prefix(name: &str) -> bool {
    !name.is_empty() && name.len() <= 2 && name.bytes().all(|byte| b"bBruURfFLNE&@$#*".contains(&byte))
}

/// The end of a wrapper whose bracket is at `open`; `None` if it is a part of a word.
fn end_of_wrapped(text: &str, open: usize) -> Option<usize> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_.:&@$#*%!({[ \t\r\n".contains(c);
    let near = text.get(open..text.floor_char_boundary(open + LONGEST_WRAPPED))?;
    let inner = near.find(|c| !is_inner(c)).unwrap_or(near.len());
    if inner <= LONGEST_WRAPPER && near.get(inner..).and_then(quote).is_some() || open + inner == text.len() {
        return Some(end_of_brackets(text, open).unwrap_or(text.len()));
    }
    let line = near.split(['\n', '\r']).next().unwrap_or_default();
    end_of_brackets(line, 0).map(|end| open + end)
}

/// The end of `<Buffer …>`, `#<Secret @value="…">` and `<<"…">>`.
fn end_of_angles(text: &str, open: usize) -> Option<usize> {
    let line = text.get(open..text.floor_char_boundary(open + LONGEST_WRAPPED))?;
    let line = line.split(['\n', '\r']).next().unwrap_or_default();
    end_of_nested(line, 0, ['<'; 3], ['>'; 3]).map(|end| open + end)
}

/// The end of a value without quotes. A comma is a part of it, unless a blank or the next name follows.
fn end_of_word(text: &str, start: usize) -> usize {
    let mut end = start;
    loop {
        end = run(text, end, |c| !c.is_whitespace() && !",;&\"'<>".contains(c));
        let Some(rest) = text.get(end..).and_then(|rest| rest.strip_prefix(',')) else { return end };
        let next = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if next.len() == rest.len() || next.starts_with(['=', ':']) {
            return end;
        }
        end = text.len() - next.len();
    }
}

/// The end of the line, or of the quotes in which the head stands; not of those behind a `=`, as in `Digest response="…"`.
fn end_of_head(text: &str, start: usize) -> usize {
    let mut at = start;
    loop {
        let end = run(text, at, |c| !"\n\r\"'".contains(c));
        let before = text.get(start..end).unwrap_or_default();
        let bare = before.trim_end_matches('\\');
        let sign = text.get(start + bare.len()..end + 1).unwrap_or_default();
        if !sign.ends_with(['"', '\'']) || !bare.ends_with('=') {
            // Two letters that stand for the end of a line in JSON.
            let escaped = ["\\n", "\\r"].iter().filter_map(|sign| before.find(sign)).min();
            return escaped.map_or(start + bare.trim_end().len(), |escaped| start + escaped);
        }
        at = (end_of_quoted(text, end + 1, sign) + sign.len()).min(text.len());
    }
}

/// Where a value in brackets ends: behind the one that closes it. Those in quotes do not count.
fn end_of_brackets(text: &str, start: usize) -> Option<usize> {
    end_of_nested(text, start, ['[', '{', '('], [']', '}', ')'])
}

fn end_of_nested(text: &str, start: usize, open: [char; 3], close: [char; 3]) -> Option<usize> {
    let (mut depth, mut at, mut closes) = (0_usize, start, true);
    let is_sign = |c: char| open.contains(&c) || close.contains(&c) || c == '"' || c == '\'';
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(is_sign)) {
        let place = at + found;
        at = place + 1;
        match text.as_bytes().get(place).map(|byte| char::from(*byte)) {
            Some(mark @ ('"' | '\'')) => {
                let before = text.get(start..place).unwrap_or_default();
                let bare = before.trim_end_matches('\\');
                // An apostrophe is none, and what does not close is one.
                if mark == '\'' && !(closes && begins_text(bare)) {
                    continue;
                }
                let sign = text.get(start + bare.len()..=place).unwrap_or_default();
                let end = end_of_quoted(text, at, sign);
                if end < text.len() {
                    at = end + sign.len();
                } else if mark == '\'' {
                    closes = false;
                } else {
                    return None;
                }
            }
            Some(sign) if open.contains(&sign) => depth += 1,
            _ => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
        }
    }
    None
}

/// Whether a quotation mark behind this text may begin another one: not within a word, but `b'…'`.
fn begins_text(before: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric();
    let bare = before.strip_suffix(['b', 'u', 'r']).unwrap_or(before);
    !before.ends_with(is_letter) || !bare.ends_with(is_letter) && bare.len() < before.len()
}

/// Where a text in quotes ends: before the sign that is not escaped, or with the text.
pub(super) fn end_of_quoted(text: &str, begin: usize, sign: &str) -> usize {
    let mut at = begin;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(sign)) {
        let place = at + found;
        let escapes = text
            .get(begin..place)
            .unwrap_or_default()
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        // Two of them stand for one.
        let doubled = sign == "'" && text.get(place + 1..).is_some_and(|rest| rest.starts_with(sign));
        if escapes % 2 == 0 && !doubled {
            return place;
        }
        at = place + sign.len() + usize::from(doubled);
    }
    text.len()
}
