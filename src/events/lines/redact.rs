//! Secrets, made unreadable: those that are known by their form, and text that patterns match.

use crate::config::{Redaction, Secret};
use regex_lite::{NoExpand, Regex};
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::ops::Range;

/// Makes secrets unreadable: too much rather than too little.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    known: Vec<Secret>,
    patterns: Vec<(Regex, String)>,
}

impl Redactor {
    /// As configured.
    pub(super) fn new(redactions: &[Redaction]) -> Self {
        let mut redactor = Self::default();
        for redaction in redactions {
            match redaction {
                Redaction::Known(secret) => redactor.known.push(*secret),
                Redaction::Pattern { pattern, with } => {
                    redactor.patterns.extend(Regex::new(pattern).ok().map(|regex| (regex, with.clone())));
                }
            }
        }
        // Values of names and what follows `Bearer` first: they may be of any form.
        crate::sorted::sort_by_key(&mut redactor.known, |secret| {
            !matches!(secret, Secret::Key | Secret::Bearer)
        });
        redactor
    }

    /// Whether nothing is a secret.
    pub fn is_idle(&self) -> bool {
        self.known.is_empty() && self.patterns.is_empty()
    }

    /// The text without secrets; `None` if it has none.
    pub fn redact(&self, text: &str) -> Option<String> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.known {
            if let Some(cleaner) = replace(&clean, *secret) {
                clean = Cow::Owned(cleaner);
            }
        }
        for (regex, with) in &self.patterns {
            if let Cow::Owned(cleaner) = regex.replace_all(&clean, NoExpand(with)) {
                clean = Cow::Owned(cleaner);
            }
        }
        match clean {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        }
    }

    /// The sign that replaces the value of a member of that name, if the whole value is a secret.
    pub fn hides(&self, name: &str) -> Option<&'static str> {
        (self.known.contains(&Secret::Key) && is_secret_name(name)).then_some("[key]")
    }
}

/// The text with all of one kind replaced; `None` if there are none.
fn replace(text: &str, secret: Secret) -> Option<String> {
    let mut clean = String::new();
    let mut rest = 0;
    while let Some(Range { start, end }) = find(text, rest, secret) {
        clean.push_str(text.get(rest..start)?);
        clean.push('[');
        clean.push_str(secret.name());
        clean.push(']');
        rest = end;
    }
    if rest == 0 {
        return None;
    }
    clean.push_str(text.get(rest..)?);
    Some(clean)
}

/// The next secret of that kind from `from` on.
fn find(text: &str, from: usize, secret: Secret) -> Option<Range<usize>> {
    match secret {
        Secret::Email => email(text, from),
        Secret::Ip => ip(text, from),
        Secret::Bearer => bearer(text, from),
        Secret::Jwt => jwt(text, from),
        Secret::Card => card(text, from),
        Secret::Key => key(text, from),
    }
}

/// The end of what begins at `from` and consists of such characters.
fn run(text: &str, from: usize, is_part: impl Fn(char) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.find(|c| !is_part(c)).unwrap_or(rest.len())
}

/// The begin of what ends at `upto` and consists of such characters.
fn run_before(text: &str, upto: usize, from: usize, is_part: impl Fn(char) -> bool) -> usize {
    let before = text.get(from..upto).unwrap_or_default();
    from + before.trim_end_matches(is_part).len()
}

fn email(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr(b'@', bytes.get(at..)?)?;
        let start = run_before(text, at, from, |c| c.is_alphanumeric() || "._%+-'".contains(c));
        let end = run(text, at + 1, |c| c.is_alphanumeric() || ".-".contains(c));
        let domain = text.get(at + 1..end).unwrap_or_default().trim_end_matches(['.', '-']);
        let top = domain.rsplit('.').next().unwrap_or_default();
        if start < at && domain.contains('.') && top.chars().count() >= 2 {
            return Some(start..at + 1 + domain.len());
        }
        at += 1;
    }
}

fn ip(text: &str, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut start = from;
    loop {
        let rest = text.get(start..)?;
        start += rest.find(is_part)?;
        let end = run(text, start, is_part);
        // Not inside of a word.
        let is_bare = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        let token = text.get(start..end).unwrap_or_default();
        if let Some(found) = address(token, is_bare(before), is_bare(after)) {
            return Some(start + found.start..start + found.end);
        }
        start = end;
    }
}

/// Where in a run of hexadecimal digits, dots and colons there is an address.
fn address(token: &str, bare_before: bool, bare_after: bool) -> Option<Range<usize>> {
    let trimmed = token.trim_end_matches(['.', ':']);
    if token.bytes().filter(|byte| *byte == b':').count() >= 2 && bare_before && bare_after {
        for candidate in [token, trimmed, token.trim_matches('.')] {
            if candidate.len() > 2 && candidate.parse::<Ipv6Addr>().is_ok() {
                let start = token.find(candidate).unwrap_or(0);
                return Some(start..start + candidate.len());
            }
        }
    }
    // Four numbers; a port may follow.
    let mut start = 0;
    for part in token.split(':') {
        let numbers = part.trim_matches('.');
        let place = start + part.len() - part.trim_start_matches('.').len();
        let is_first = place == 0;
        let is_last = place + numbers.len() == token.len();
        let octets: Vec<&str> = numbers.split('.').collect();
        let sound =
            octets.len() == 4 && octets.iter().all(|octet| octet.len() <= 3 && octet.parse::<u8>().is_ok());
        if sound && (bare_before || !is_first) && (bare_after || !is_last) {
            return Some(place..place + numbers.len());
        }
        start += part.len() + 1;
    }
    None
}

fn bearer(text: &str, from: usize) -> Option<Range<usize>> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    ["bearer ", "basic "]
        .iter()
        .filter_map(|word| {
            let mut at = from;
            loop {
                at = find_ignoring_case(text, at, word)? + word.len();
                let start = run(text, at, |c| c == ' ');
                let end = run(text, start, is_token);
                let token = text.get(start..end).unwrap_or_default();
                // `Basic` begins many sentences.
                let is_plain =
                    *word == "basic " && token.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.');
                if token.len() >= 6 && !is_plain {
                    return Some(start..end);
                }
            }
        })
        .min_by_key(|found| found.start)
}

fn jwt(text: &str, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut at = from;
    loop {
        at += text.get(at..)?.find("eyJ")?;
        let head = run(text, at, is_part);
        let body = head + 1;
        let dot = |at: usize| text.as_bytes().get(at) == Some(&b'.');
        let end = run(text, body, is_part);
        if dot(head) && dot(end) && end > body {
            return Some(at..run(text, end + 1, is_part));
        }
        // What begins later in the same word ends where this one ends.
        at = head.max(at + 3);
    }
}

/// Digits of a card's number.
const FEWEST_DIGITS: usize = 13;
const MOST_DIGITS: usize = 19;

fn card(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        // The run: digits, with single blanks or hyphens between them.
        let (mut groups, mut end) = (vec![at], at);
        loop {
            while is_digit(end) {
                end += 1;
            }
            if matches!(bytes.get(end), Some(b' ' | b'-')) && is_digit(end + 1) {
                groups.push(end + 1);
                end += 1;
            } else {
                break;
            }
        }
        let ends: Vec<usize> = groups.iter().skip(1).map(|group| group - 1).chain([end]).collect();
        // Of several numbers that overlap, nobody knows which one is a card's.
        let mut hit: Option<Range<usize>> = None;
        for (index, start) in groups.iter().enumerate() {
            if hit.as_ref().is_some_and(|hit| *start >= hit.end) {
                break;
            }
            let (mut digits, mut upto) = (Vec::new(), *start);
            for end in ends.iter().skip(index) {
                let more = bytes.get(upto..*end)?.iter().filter(|byte| byte.is_ascii_digit());
                digits.extend(more.map(|byte| byte - b'0'));
                upto = *end;
                if digits.len() > MOST_DIGITS {
                    break;
                }
                if digits.len() >= FEWEST_DIGITS && is_luhn(&digits) {
                    let begin = hit.as_ref().map_or(*start, |hit| hit.start);
                    hit = Some(begin..hit.map_or(*end, |hit| hit.end.max(*end)));
                }
            }
        }
        if hit.is_some() {
            return hit;
        }
        at = end;
    }
}

/// The check sum of card numbers.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(*digit);
            if index % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// Ends of names whose values are secrets, without `_` and `-`.
const NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
];

fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().any(|end| name.ends_with(end))
}

/// The value behind `password=`, `"api_key": "…"` and the like; the password in a URL; a private key.
fn key(text: &str, from: usize) -> Option<Range<usize>> {
    let found = [named(text, from), of_url(text, from), pem(text, from)];
    found.into_iter().flatten().min_by_key(|found| found.start)
}

fn named(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'=' | b':'))?;
        let sign = at;
        at += 1;
        let behind = if text.get(at..).is_some_and(|rest| rest.starts_with('>')) { at + 1 } else { at };
        let before = text.get(from..sign).unwrap_or_default().trim_end_matches([' ', '"', '\'', '\\']);
        let name_at =
            run_before(text, from + before.len(), from, |c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if !is_secret_name(text.get(name_at..from + before.len()).unwrap_or_default()) {
            continue;
        }
        let start = run(text, behind, |c| c == ' ');
        if let Some(value) = value(text, start).filter(|value| !value.is_empty()) {
            return Some(value);
        }
    }
}

/// The value that begins at `start`: quoted, or up to a blank or a sign that ends values.
fn value(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let quote_at = rest.find(|c| c != '\\')?;
    let quote = rest.get(quote_at..)?.chars().next()?;
    if quote == '"' || quote == '\'' {
        let sign = rest.get(..=quote_at)?;
        let begin = start + sign.len();
        return Some(begin..end_of_quoted(text, begin, sign));
    }
    let end = run(text, start, |c| !c.is_whitespace() && !",;&\"'<>".contains(c));
    let word = text.get(start..end)?.to_ascii_lowercase();
    // A scheme and what follows it.
    if ["bearer", "basic", "token", "digest"].contains(&word.as_str()) {
        let next = run(text, end, |c| c == ' ');
        let end = run(text, next, |c| !c.is_whitespace() && !"\"'<>".contains(c));
        return Some(start..end);
    }
    let trimmed = text.get(start..end)?.trim_end_matches([')', ']', '}']);
    Some(start..start + trimmed.len())
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
        if escapes % 2 == 0 {
            return place;
        }
        at = place + sign.len();
    }
    text.len()
}

/// The password in `scheme://user:password@host`.
fn of_url(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find("://")? + 3;
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

/// A private key in PEM, or as much of it as there is.
fn pem(text: &str, from: usize) -> Option<Range<usize>> {
    const END: &str = "-----END ";
    let mut at = from;
    loop {
        at += text.get(at..)?.find("-----BEGIN ")? + 11;
        let label = run(text, at, |c| c.is_ascii_uppercase() || c == ' ');
        if text.get(at..label).is_some_and(|label| label.ends_with("PRIVATE KEY")) {
            let begin = run(text, label, |c| c == '-');
            let end = text.get(begin..).and_then(|rest| rest.find(END)).map_or(text.len(), |end| begin + end);
            if end > begin {
                return Some(begin..end);
            }
        }
    }
}

fn find_ignoring_case(text: &str, from: usize, word: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    let found = bytes.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes()));
    found.map(|found| from + found)
}
