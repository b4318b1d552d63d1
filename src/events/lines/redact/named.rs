//! Secrets that are known by the name before them: passwords, keys, tokens; and the password in a URL.

use super::name::Meaning;
use super::value::{Before, quote, value};
use super::{run, run_before, tag};
use std::ops::Range;

/// Longest index behind a name: `password[0]`, `login[password]`.
const LONGEST_INDEX: usize = 64;
/// Most of them behind one name.
const MOST_INDICES: usize = 4;

/// The value behind `password=`, `"api_key": "…"` and the like, and in `<password>…</password>`.
pub(super) fn by_sign(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr3(b'=', b':', b'>', bytes.get(at..)?)?;
        let sign = at;
        at += 1;
        if bytes.get(sign) == Some(&b'>') {
            if let Some(content) = tag::content(text, sign) {
                return Some(content);
            }
            continue;
        }
        let Some((name, meaning)) = name_before(text, sign, from) else { continue };
        // `=>`, `:=`, `==`.
        let behind = at + usize::from(matches!(bytes.get(at), Some(b'>' | b'=')));
        let start = run(text, behind, |c| c == ' ' || c == '\t');
        let before = Before::of(name, bytes.get(sign) == Some(&b':'));
        if let Some(value) = value(text, start, before).filter(|value| is_one(text, value, meaning)) {
            return Some(value);
        }
    }
}

/// Whether the value is a secret.
fn is_one(text: &str, value: &Range<usize>, meaning: Meaning) -> bool {
    text.get(value.clone()).is_some_and(|value| !value.is_empty() && !meaning.spares(value))
}

/// The name of a secret that ends before the sign at `sign`: maybe in quotes, maybe with an index.
fn name_before(text: &str, sign: usize, from: usize) -> Option<(&str, Meaning)> {
    let trim = |upto: usize| {
        from + text.get(from..upto).unwrap_or_default().trim_end_matches([' ', '\t', '"', '\'', '\\']).len()
    };
    let ending_at = |end: usize| {
        let start = run_before(text, end, from, is_of_name);
        let name = text.get(start..end)?;
        Meaning::of(name).map(|meaning| (start, name, meaning))
    };
    let mut end = trim(sign);
    for _ in 0..MOST_INDICES {
        let Some(indexed) = text.get(from..end).and_then(|before| before.strip_suffix(']')) else { break };
        let inner = indexed.as_bytes().iter().rev().take(LONGEST_INDEX).position(|byte| *byte == b'[')?;
        let close = from + indexed.len();
        let open = close - inner - 1;
        if let Some((_, name, meaning)) = ending_at(trim(close)).filter(|(start, ..)| *start > open) {
            return Some((name, meaning));
        }
        end = open;
    }
    ending_at(end).map(|(_, name, meaning)| (name, meaning))
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

/// The word behind `--password`, if the option's name begins at `at`; and where the name ends. In a list, quotes and a comma may stand between.
pub(super) fn of_option(text: &str, at: usize) -> (usize, Option<Range<usize>>) {
    let end = run(text, at, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let Some(meaning) = text.get(at..end).and_then(Meaning::of) else { return (end, None) };
    let behind = end + text.get(end..).and_then(quote).map_or(0, str::len);
    let start = run(text, behind, |c| " \t,".contains(c));
    let value = if start > behind { item(text, start) } else { None };
    (end, value.filter(|value| is_one(text, value, meaning)))
}

/// The item of a list behind the name of a secret: `["password", "…"]`, `['-p', '…']`, `{password, "…"}`.
pub(super) fn of_item(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr(b',', bytes.get(at..)?)?;
        let comma = at;
        at += 1;
        let Some(meaning) = name_of_item(text.get(..comma).unwrap_or_default()) else { continue };
        let start = run(text, at, |c| " \t".contains(c));
        let begins = ["\"", "'", "\\", "b'", "b\"", "<<"];
        let is_text =
            text.get(start..).is_some_and(|rest| begins.iter().any(|begin| rest.starts_with(begin)));
        let item = if is_text { item(text, start) } else { None };
        if let Some(item) = item.filter(|item| is_one(text, item, meaning)) {
            return Some(item);
        }
    }
}

/// The meaning of the item that ends with this text: in quotes, or the first one of a list.
fn name_of_item(before: &str) -> Option<Meaning> {
    let bare = before.trim_end_matches(['"', '\'']);
    let is_quoted = bare.len() < before.len();
    let bare = bare.trim_end_matches('\\');
    let start = run_before(
        bare,
        bare.len(),
        bare.floor_char_boundary(bare.len().saturating_sub(LONGEST_ITEM)),
        is_of_name,
    );
    let (list, name) = bare.split_at_checked(start)?;
    let meaning = Meaning::of_item(name).filter(|_| is_quoted || !name.starts_with('-'))?;
    if !is_quoted {
        let list = list.strip_suffix(':').unwrap_or(list);
        return list.ends_with(['[', '(', '{']).then_some(meaning);
    }
    let list = list.strip_suffix(['"', '\''])?.trim_end_matches('\\');
    let list = list.strip_suffix('b').unwrap_or(list).trim_end_matches(' ');
    list.ends_with(['[', '(', '{', ',']).then_some(meaning)
}

/// Longest name of an item, in bytes.
const LONGEST_ITEM: usize = 64;

/// The item of a list that begins at `start`, if it is not the name of a member.
fn item(text: &str, start: usize) -> Option<Range<usize>> {
    let item = value(text, start, Before::Name)?;
    if text.get(item.clone()).is_some_and(|item| item.starts_with('-')) {
        return None;
    }
    let sign = text.get(start..item.start).unwrap_or_default();
    let behind = text.get(item.end..).unwrap_or_default();
    let is_name = !sign.is_empty()
        && behind.strip_prefix(sign).is_some_and(|behind| behind.trim_start_matches(' ').starts_with(':'));
    (!is_name).then_some(item)
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
