//! Secrets that are known by the name before them: passwords, keys, tokens; and the password in a URL.

use super::{run, run_before};
use std::ops::Range;

/// Ends of names whose values are secrets, without `_` and `-`. docs/events.md lists them.
const NAMES: [&str; 20] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "encryptionkey",
    "signingkey",
    "sessionid",
    "passwords",
    "authorization",
    "credential",
    "credentials",
    "cookie",
];

/// Ends of the names of HTTP heads whose value goes up to the end of the line.
const HEADS: [&str; 2] = ["authorization", "cookie"];

/// Longest index behind a name: `password[0]`, `login[password]`.
const LONGEST_INDEX: usize = 64;
/// Most of them behind one name.
const MOST_INDICES: usize = 4;

pub(super) fn is_secret_name(name: &str) -> bool {
    ends_with(name, &NAMES)
}

/// Letters of the longest of them.
const LONGEST: usize = 13;

/// Whether a name ends so, whatever stands between its letters.
fn ends_with(name: &str, ends: &[&str]) -> bool {
    let (mut letters, mut free) = ([0; LONGEST], LONGEST);
    for byte in name.bytes().rev().filter(u8::is_ascii_alphanumeric) {
        let Some(place) = free.checked_sub(1) else { break };
        if let Some(letter) = letters.get_mut(place) {
            *letter = byte.to_ascii_lowercase();
        }
        free = place;
    }
    ends.iter().any(|end| letters.ends_with(end.as_bytes()))
}

/// The value behind `password=`, `"api_key": "…"` and the like, and in `<password>…</password>`.
pub(super) fn by_sign(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr3(b'=', b':', b'>', bytes.get(at..)?)?;
        let sign = at;
        at += 1;
        let Some(name) = name_before(text, sign, from) else { continue };
        let is_tag = bytes.get(sign) == Some(&b'>');
        if is_tag {
            let end = run(text, at, |c| c != '<');
            if is_begin_of_tag(text.get(..name.start).unwrap_or_default()) && end > at {
                return Some(at..end);
            }
            continue;
        }
        let behind = at + usize::from(bytes.get(at) == Some(&b'>'));
        let start = run(text, behind, |c| c == ' ' || c == '\t');
        let is_colon = bytes.get(sign) == Some(&b':');
        let is_head = text.get(name).is_some_and(|name| ends_with(name, &HEADS));
        let value = value(text, start, is_head, is_colon);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            return Some(value);
        }
    }
}

/// Whether a tag's name begins behind this text: `<`, or the prefix of a namespace as in `<wsse:Password>`.
fn is_begin_of_tag(before: &str) -> bool {
    let prefix =
        before.strip_suffix(':').map(|text| text.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    prefix.unwrap_or(before).ends_with('<')
}

/// The name of a secret that ends before the sign at `sign`: maybe in quotes, maybe with an index.
fn name_before(text: &str, sign: usize, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let trim = |upto: usize| {
        from + text.get(from..upto).unwrap_or_default().trim_end_matches([' ', '\t', '"', '\'', '\\']).len()
    };
    let ending_at = |end: usize| {
        let start = run_before(text, end, from, is_part);
        text.get(start..end).filter(|name| is_secret_name(name)).map(|_| start..end)
    };
    let mut end = trim(sign);
    for _ in 0..MOST_INDICES {
        let Some(indexed) = text.get(from..end).and_then(|before| before.strip_suffix(']')) else { break };
        let inner = indexed.as_bytes().iter().rev().take(LONGEST_INDEX).position(|byte| *byte == b'[')?;
        let close = from + indexed.len();
        let open = close - inner - 1;
        if let Some(name) = ending_at(trim(close)).filter(|name| name.start > open) {
            return Some(name);
        }
        end = open;
    }
    ending_at(end)
}

/// The word behind `--password`, if the option's name begins at `at`; and where the name ends.
pub(super) fn of_option(text: &str, at: usize) -> (usize, Option<Range<usize>>) {
    let end = run(text, at, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let start = run(text, end, |c| c == ' ' || c == '\t');
    let is_name = start > end
        && text.get(at..end).is_some_and(is_secret_name)
        && !text.get(start..).is_some_and(|rest| rest.starts_with('-'));
    let value = if is_name { value(text, start, false, false) } else { None };
    (end, value.filter(|value| !value.is_empty()))
}

/// The value that begins at `start`: in quotes, in brackets, or up to a sign that ends values; that of a head goes up to the end of the line.
fn value(text: &str, start: usize, is_head: bool, is_colon: bool) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let quote_at = rest.find(|c| c != '\\')?;
    let quote = rest.get(quote_at..)?.chars().next()?;
    if quote == '"' || quote == '\'' {
        let sign = rest.get(..=quote_at)?;
        let begin = start + sign.len();
        // They end a text that ends with the name and the sign: `{"hint": "password=", "n": 1}`.
        let is_end = |rest: &str| rest.starts_with(",\"") || rest.trim_start_matches(['}', ']']).is_empty();
        if text.get(begin..).is_some_and(is_end) {
            return None;
        }
        return Some(begin..end_of_quoted(text, begin, sign));
    }
    if rest.starts_with(['[', '{']) {
        let end = end_of_brackets(text, start);
        return (end > start + 2).then_some(start..end);
    }
    if is_head && is_colon {
        return Some(start..end_of_head(text, start));
    }
    let end = end_of_word(text, start);
    let word = text.get(start..end)?.to_ascii_lowercase();
    // A scheme and what follows it.
    if ["bearer", "basic", "token", "digest"].contains(&word.as_str()) || is_head {
        let next = run(text, end, |c| c == ' ');
        let behind = run(text, next, |c| !c.is_whitespace() && !"\"'<>".contains(c));
        let is_pair = text.get(next..behind).is_some_and(|word| word.trim_end_matches('=').contains('='));
        return Some(start..if is_head && is_pair { end } else { behind });
    }
    let trimmed = text.get(start..end)?.trim_end_matches([')', ']', '}']);
    Some(start..start + trimmed.len())
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

/// Where a value in brackets ends: behind the one that closes it, or with the text. Those in quotes do not count.
fn end_of_brackets(text: &str, start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['[', '{', ']', '}', '"'])) {
        let place = at + found;
        at = place + 1;
        match text.as_bytes().get(place) {
            Some(b'"') => {
                let escapes = text
                    .get(start..place)
                    .map_or(0, |before| before.len() - before.trim_end_matches('\\').len());
                let sign = text.get(place - escapes..=place).unwrap_or_default();
                at = (end_of_quoted(text, at, sign) + sign.len()).min(text.len());
            }
            Some(b'[' | b'{') => depth += 1,
            _ => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
        }
    }
    text.len()
}

/// Where a text in quotes ends: before the sign that is not escaped, or with the text.
fn end_of_quoted(text: &str, begin: usize, sign: &str) -> usize {
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

/// The password in `scheme://user:password@host`; some write JSON with `\/`.
pub(super) fn of_url(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += memchr::memchr(b':', text.as_bytes().get(at..)?)? + 1;
        let slashes = run(text, at, |c| c == '/' || c == '\\');
        let count = |slashes: &str| slashes.bytes().filter(|byte| *byte == b'/').count();
        if text.get(at..slashes).map(count) != Some(2) {
            continue;
        }
        at = slashes;
        let end = run(text, at, |c| !c.is_whitespace() && !"/?#\"'<>".contains(c));
        let Some((user, _)) = text.get(at..end).and_then(|authority| authority.rsplit_once('@')) else {
            continue;
        };
        if let Some((name, password)) = user.split_once(':').filter(|(_, password)| !password.is_empty()) {
            let start = at + name.len() + 1;
            return Some(start..start + password.len());
        }
    }
}
