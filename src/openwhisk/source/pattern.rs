//! Patterns of names: `*` stands for any text without a slash.

use std::fmt;

/// A name in which `*` stands for any number of characters, but not for `/`: `*` is every action of the default package, `*/*` every
/// packaged one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes a checked name or pattern.
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the pattern describes `name`.
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern_parts = self.0.split('/');
        let mut parts = name.split('/');
        loop {
            match (pattern_parts.next(), parts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) if part_matches(pattern, part) => {}
                _ => return false,
            }
        }
    }

    /// Whether a name without a package may be meant: whatever the package is.
    pub(super) fn may_mean(&self, simple_name: &str) -> bool {
        part_matches(self.last_part(), simple_name)
    }

    /// Whether a name without a package is meant: by its own name, or by a pattern of the default package.
    pub(super) fn means(&self, simple_name: &str) -> bool {
        let last = self.last_part();
        if last == self.0 { part_matches(last, simple_name) } else { last == simple_name }
    }

    fn last_part(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// The pieces between the stars must come in order: the first at the begin, the last at the end.
fn part_matches(pattern: &str, part: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut left) = part.strip_prefix(begin) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    true
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_without_a_slash() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("*", "pkg/a", false),
            ("*/*", "pkg/a", true),
            ("pkg/*", "pkg/a b", true),
            ("pkg/*", "other/a", false),
            ("report-*", "report-", true),
            ("report-*", "my-report-1", false),
            ("*-v*", "report-v2", true),
            ("*-v*", "report", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }
}
