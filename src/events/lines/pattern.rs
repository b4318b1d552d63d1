//! Patterns, matched in linear time.

use regex_lite::Regex;

/// A pattern. Most that people write are words: those are looked for as such, which is many times faster.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// One of these texts, anywhere.
    Anywhere(Vec<String>),
    /// One of these texts, at the begin.
    AtBegin(Vec<String>),
    Regex(Regex),
    /// It cannot be read. The configuration has no such pattern.
    Never,
}

/// Characters that mean something in a pattern.
const SPECIAL: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'];

impl Matcher {
    pub(super) fn new(pattern: &str) -> Self {
        let (is_at_begin, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
        let group = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        // `^a|b` is `(^a)|b`.
        let words = group.or_else(|| (!is_at_begin || !rest.contains('|')).then_some(rest));
        let words: Vec<String> =
            words.into_iter().flat_map(|words| words.split('|')).map(Into::into).collect();
        if !words.is_empty() && words.iter().all(|word| !word.is_empty() && !word.contains(SPECIAL)) {
            return if is_at_begin { Self::AtBegin(words) } else { Self::Anywhere(words) };
        }
        Regex::new(pattern).map_or(Self::Never, Self::Regex)
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Anywhere(words) => words.iter().any(|word| text.contains(word)),
            Self::AtBegin(words) => words.iter().any(|word| text.starts_with(word)),
            Self::Regex(regex) => regex.is_match(text),
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_as_the_regular_expression_does() {
        let texts = ["", "a", "ab", "b a", "xab", "DEBUG x", "x DEBUG", "a|b", "(a)", "^a", "a.b"];
        for pattern in [
            "a",
            "^a",
            "a|b",
            "^a|b",
            "^(a|b)",
            "(DEBUG|a)",
            "^(DEBUG)",
            "a.b",
            "()",
            "a||b",
            "^",
            "^^a",
            "(a|b",
        ] {
            let matcher = Matcher::new(pattern);
            let Ok(regex) = Regex::new(pattern) else {
                assert!(matches!(matcher, Matcher::Never), "{pattern}");
                continue;
            };
            for text in texts {
                assert_eq!(matcher.is_match(text), regex.is_match(text), "{pattern} in {text}");
            }
        }
        assert!(matches!(Matcher::new("^(DEBUG|TRACE)"), Matcher::AtBegin(_)));
        assert!(matches!(Matcher::new("health"), Matcher::Anywhere(_)));
    }
}
