//! Monitored sources: the names of actions, as configured and as records carry them.

use crate::record::Record;

/// A monitored action: `action` in the default package, or `package/action`; a binding's name serves as package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    package: Option<String>,
    action: String,
}

/// Longest entity name that OpenWhisk takes, in bytes (EntityName in OpenWhisk's core).
const LONGEST_NAME: usize = 256;

impl Source {
    /// Parses a configured name. The error says what is wrong and what to do.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.starts_with('/') {
            return Err(
                "leave the namespace out: `action` or `package/action`; the namespace is that of the API key"
                    .into(),
            );
        }
        let (package, action) = match name.split_once('/') {
            Some((package, action)) => (Some(package), action),
            None => (None, name),
        };
        for part in package.into_iter().chain([action]) {
            check_name(part)?;
        }
        Ok(Self { package: package.map(Into::into), action: action.into() })
    }

    /// The name as configured, and as the API's `name` filter takes it.
    pub fn name(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.action),
            None => self.action.clone(),
        }
    }

    /// Whether `record` is of this action. The API's filter is exact with some stores only (facts/openwhisk.md 1.2), and it also finds
    /// triggers of that name.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        if record.name != self.action {
            return false;
        }
        let path = record.annotation_text("path").unwrap_or_default();
        let mut parts = path.split('/').skip(1);
        let package = match (parts.next(), parts.next()) {
            (Some(package), Some(_)) => Some(package),
            _ => None,
        };
        let binding = record.annotation_text("binding");
        let bound_as = binding.as_deref().and_then(|binding| binding.rsplit('/').next());
        match &self.package {
            None => package.is_none() && !path.is_empty(),
            Some(wanted) => package == Some(wanted) || bound_as == Some(wanted),
        }
    }

    /// Whether this is the action with the full name `/namespace/[package/]action`.
    pub fn is(&self, full_name: &str) -> bool {
        let without_namespace = full_name.trim_start_matches('/').split_once('/').map(|(_, rest)| rest);
        without_namespace == Some(&self.name())
    }
}

/// The rule of OpenWhisk's EntityName: word characters, and inside also `@`, `.`, `-` and space.
fn check_name(name: &str) -> Result<(), String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inner = |c: char| word(c) || matches!(c, '@' | '.' | '-' | '&' | ' ');
    if name.is_empty() {
        return Err("an empty name: give `action` or `package/action`".into());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("longer than {LONGEST_NAME} characters, which OpenWhisk does not allow"));
    }
    if name.contains(['*', '?']) {
        return Err("patterns are not supported: list the actions by name".into());
    }
    match name.chars().find(|&c| !inner(c)) {
        Some(c) => Err(format!("no action has {c:?} in its name: give `action` or `package/action`")),
        None if !name.starts_with(word) || name.ends_with(' ') => {
            Err("a name begins with a letter, digit or _ and does not end with a space".into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, path: &str, binding: Option<&str>) -> String {
        let binding = binding.map_or(String::new(), |b| format!(r#",{{"key":"binding","value":"{b}"}}"#));
        format!(
            r#"{{"activationId":"00000000000000000000000000000001","namespace":"guest","name":"{name}","start":1,"end":2,
            "annotations":[{{"key":"path","value":"{path}"}}{binding}],"logs":[]}}"#
        )
    }

    fn matches(source: &str, name: &str, path: &str, binding: Option<&str>) -> bool {
        let json = record(name, path, binding);
        Source::parse(source).unwrap().matches(&Record::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn names_with_dashes_dots_ats_and_spaces_are_taken() {
        for name in ["a", "my-action", "v1.2", "me@home", "two words", "pkg/my action", "R & D/x_1"] {
            assert_eq!(Source::parse(name).unwrap().name(), name);
        }
    }

    #[test]
    fn names_that_openwhisk_cannot_have_are_refused_with_the_reason() {
        for (name, reason) in [
            ("", "empty"),
            ("/guest/a", "leave the namespace out"),
            ("pkg/", "empty"),
            ("a/b/c", "'/'"),
            ("pkg/*", "patterns"),
            ("ümlaut", "'ü'"),
            (" a", "begins"),
        ] {
            let error = Source::parse(name).unwrap_err();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn a_record_matches_by_package_and_by_binding_and_not_by_a_longer_name() {
        assert!(matches("hello", "hello", "guest/hello", None));
        assert!(!matches("hello", "hello", "guest/pkg/hello", None));
        assert!(!matches("hello", "hello-world", "guest/hello-world", None));
        assert!(matches("pkg/hello", "hello", "guest/pkg/hello", None));
        assert!(matches("mine/hello", "hello", "provider/pkg/hello", Some("guest/mine")));
        assert!(!matches("other/hello", "hello", "provider/pkg/hello", Some("guest/mine")));
    }

    #[test]
    fn a_source_knows_its_full_name() {
        let source = Source::parse("pkg/a").unwrap();
        assert!(source.is("/guest/pkg/a"));
        assert!(!source.is("/guest/a"));
    }
}
