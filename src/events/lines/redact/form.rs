//! Secrets that are known by their own form.

use super::{find_ignoring_case, run, run_before};
use std::net::Ipv6Addr;
use std::ops::Range;

/// An address with a domain of two parts or more.
pub(super) fn email(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr(b'@', bytes.get(at..)?)?;
        let start = run_before(text, at, from, |c| c.is_alphanumeric() || "._%+-'".contains(c));
        // `\n` of JSON stands before it: that letter is not its own.
        let is_escape = |c: char| "nrtbf".contains(c);
        let escaped = bytes.get(..start).is_some_and(|before| before.ends_with(b"\\"))
            && text.get(start..at).is_some_and(|name| name.starts_with(is_escape));
        let start = start + usize::from(escaped);
        let end = run(text, at + 1, |c| c.is_alphanumeric() || ".-".contains(c));
        let domain = text.get(at + 1..end).unwrap_or_default().trim_end_matches(['.', '-']);
        let top = domain.rsplit('.').next().unwrap_or_default();
        if start < at && domain.contains('.') && top.chars().count() >= 2 {
            return Some(start..at + 1 + domain.len());
        }
        at += 1;
    }
}

/// Most characters that an address with a port has.
const LONGEST_ADDRESS: usize = 64;

/// Addresses of both versions.
pub(super) fn ips(text: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    // Not inside of a word.
    let is_bare = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(at) = text.get(start..).and_then(|rest| rest.find(is_part)) {
        start += at;
        let end = run(text, start, is_part);
        let before = is_bare(text.get(..start).and_then(|before| before.chars().next_back()));
        let after = is_bare(text.get(end..).and_then(|after| after.chars().next()));
        let token = text.get(start..end).unwrap_or_default();
        match version_6(token).filter(|_| before && after) {
            Some(range) => found.push(start + range.start..start + range.end),
            None => version_4(token, start, before, after, &mut found),
        }
        start = end;
    }
    found
}

/// An address of version 6, as a run of hexadecimal digits, dots and colons.
fn version_6(token: &str) -> Option<Range<usize>> {
    if token.len() > LONGEST_ADDRESS || token.bytes().filter(|byte| *byte == b':').count() < 2 {
        return None;
    }
    let candidates = [token, token.trim_end_matches(['.', ':']), token.trim_matches('.')];
    let sound = candidates.iter().find(|one| one.len() > 2 && one.parse::<Ipv6Addr>().is_ok())?;
    let start = token.find(sound)?;
    Some(start..start + sound.len())
}

/// Those of version 4 in such a run that begins at `begin`: four numbers; a port may follow.
fn version_4(token: &str, begin: usize, bare_before: bool, bare_after: bool, found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    for part in token.split(':') {
        let numbers = part.trim_matches('.');
        let place = start + part.len() - part.trim_start_matches('.').len();
        let is_first = place == 0;
        let is_last = place + numbers.len() == token.len();
        let octets = numbers.split('.');
        let sound = octets.clone().take(5).count() == 4
            && octets.into_iter().all(|octet| octet.len() <= 3 && octet.parse::<u8>().is_ok());
        if sound && (bare_before || !is_first) && (bare_after || !is_last) {
            found.push(begin + place..begin + place + numbers.len());
        }
        start += part.len() + 1;
    }
}

/// What follows `Bearer`.
pub(super) fn bearer(text: &str, from: usize) -> Option<Range<usize>> {
    behind(text, from, b"bearer", |_| true)
}

/// What follows `Basic`, which begins many sentences.
pub(super) fn basic(text: &str, from: usize) -> Option<Range<usize>> {
    behind(text, from, b"basic", |token| !token.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.'))
}

/// Shortest token behind such a word.
const SHORTEST_TOKEN: usize = 6;

fn behind(text: &str, from: usize, word: &[u8], is_token: impl Fn(&str) -> bool) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    let mut at = from;
    loop {
        at = find_ignoring_case(text, at, word)? + word.len();
        let mut start = run(text, at, |c| " \t:=\"'\\".contains(c));
        if text.get(start..).is_some_and(|rest| rest.starts_with("%20")) {
            start += 3;
        }
        let end = run(text, start, is_part);
        let token = text.get(start..end).unwrap_or_default();
        if start > at && token.len() >= SHORTEST_TOKEN && is_token(token) {
            return Some(start..end);
        }
    }
}

/// Three parts or more of base64 with dots between them, of which the first begins as `{"` does.
pub(super) fn jwt(text: &str, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut at = from;
    loop {
        at += text.get(at..)?.find("eyJ")?;
        let head = run(text, at, is_part);
        let body = head + 1;
        let dot = |at: usize| text.as_bytes().get(at) == Some(&b'.');
        let end = run(text, body, is_part);
        if dot(head) && dot(end) && end > body {
            // One that is encrypted has five parts.
            let mut last = run(text, end + 1, is_part);
            while dot(last) && run(text, last + 1, is_part) > last + 1 {
                last = run(text, last + 1, is_part);
            }
            return Some(at..last);
        }
        // What begins later in the same word ends where this one ends.
        at = head.max(at + 3);
    }
}
