//! Secrets, made unreadable: those that are known by their form, and text that patterns match.

mod block;
mod card;
mod colour;
mod form;
mod key_block;
mod name;
mod named;
mod tag;
mod value;

pub(super) use key_block::KeyBlock;

use crate::config::{Redaction, Secret};
use colour::Plain;
use name::Meaning;
use regex_lite::{NoExpand, Regex};
use serde_json::Value;
use std::borrow::Cow;
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
        let is_coloured = !self.known.is_empty() && colour::is_in(text);
        for secret in &self.known {
            let cleaner =
                if is_coloured { replace_coloured(&clean, *secret) } else { replace(&clean, *secret) };
            if let Some(cleaner) = cleaner {
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

    /// The sign that replaces the value of a member of that name below that other one, if the whole value is a secret.
    pub(super) fn hides(&self, above: &str, name: &str, value: &Value) -> Option<&'static str> {
        let meaning = self.hides_keys().then(|| Meaning::of_member(above, name)).flatten()?;
        let is_one = match value {
            Value::String(text) => !meaning.spares(text),
            Value::Number(_) => meaning == Meaning::Secret,
            _ => true,
        };
        is_one.then_some(KEY)
    }

    /// The same for an item of a list, behind that one.
    pub(super) fn hides_behind(&self, before: &Value, item: &Value) -> Option<&'static str> {
        let name = before.as_str().filter(|_| self.hides_keys())?;
        let is_option = |item: &Value| item.as_str().is_some_and(|item| item.starts_with('-'));
        Meaning::of_item(name).filter(|_| !is_option(item)).map(|_| KEY)
    }

    fn hides_keys(&self) -> bool {
        self.known.contains(&Secret::Key)
    }
}

/// In place of passwords and keys.
const KEY: &str = "[key]";

/// The text with all of one kind replaced; `None` if there are none.
fn replace(text: &str, secret: Secret) -> Option<String> {
    with_signs(text, text, secret, Range::clone)
}

/// The same for a text with colours: none stands between a name and its value, but each is the edge of a word.
fn replace_coloured(text: &str, secret: Secret) -> Option<String> {
    if matches!(secret, Secret::Key | Secret::Bearer) {
        let plain = Plain::of(text);
        return with_signs(text, &plain.text, secret, |found| plain.in_whole(found));
    }
    with_signs(text, &colour::blanked(text), secret, Range::clone)
}

/// Replaces the secrets found in `seen`, each at its place in `text`.
fn with_signs(
    text: &str,
    seen: &str,
    secret: Secret,
    place: impl Fn(&Range<usize>) -> Range<usize>,
) -> Option<String> {
    let found = find(seen, secret);
    if found.is_empty() {
        return None;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = 0;
    for found in found {
        let quote = missing_quote(seen, found.start);
        let Range { start, end } = place(&found);
        for part in [text.get(rest..start)?, quote, "[", secret.name(), "]", quote] {
            clean.push_str(part);
        }
        rest = end;
    }
    clean.push_str(text.get(rest..)?);
    Some(clean)
}

/// A member of an object whose value is not in quotes, such as `{"token":1}`, shall stay one that can be read.
fn missing_quote(text: &str, start: usize) -> &'static str {
    let before = text.get(..start).unwrap_or_default().trim_end_matches(' ');
    match before.strip_suffix("\":").map(|before| before.ends_with('\\')) {
        Some(true) => "\\\"",
        Some(false) => "\"",
        None => "",
    }
}

/// The secrets of that kind, in order; none begins in another one.
fn find(text: &str, secret: Secret) -> Vec<Range<usize>> {
    match secret {
        Secret::Email => all(text, [form::email]),
        Secret::Ip => form::ips(text),
        Secret::Bearer => all(text, [form::bearer, form::basic]),
        Secret::Jwt => all(text, [form::jwt]),
        Secret::Card => card::cards(text),
        Secret::Key if is_bare(text) => Vec::new(),
        Secret::Key => all(text, [named::by_sign, named::of_item, named::of_url, block::behind_dashes]),
    }
}

/// Whether a text is short and has no sign by which keys are found: most names and values in JSON.
fn is_bare(text: &str) -> bool {
    text.len() <= SHORT && !text.bytes().any(|byte| b"=:>,-".contains(&byte))
}

/// Longest text that is looked at byte by byte, in bytes.
const SHORT: usize = 32;

/// Finds the first secret that begins at this place or behind it.
type Finder = fn(&str, usize) -> Option<Range<usize>>;

/// What any of them finds. Each goes once over the text: one that has found something far ahead is asked again behind that only.
fn all<const N: usize>(text: &str, finders: [Finder; N]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut next = finders.map(|finder| (finder, finder(text, 0)));
    let first = |next: &[(Finder, Option<Range<usize>>)]| {
        next.iter().filter_map(|(_, found)| found.clone()).min_by_key(|found| found.start)
    };
    while let Some(range) = first(&next) {
        for (finder, ahead) in &mut next {
            if ahead.as_ref().is_some_and(|ahead| ahead.start < range.end) {
                *ahead = finder(text, range.end);
            }
        }
        found.push(range);
    }
    found
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

fn find_ignoring_case(text: &str, from: usize, word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut at = from;
    loop {
        let rest = text.as_bytes().get(at..)?;
        at += memchr::memchr2(first, first.to_ascii_uppercase(), rest)?;
        let found = text.as_bytes().get(at..at + word.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            return Some(at);
        }
        at += 1;
    }
}
