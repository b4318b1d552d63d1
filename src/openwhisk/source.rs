//! Monitored sources: the names of the configuration, and the records that belong to them.

mod pattern;

use crate::openwhisk::record::Record;
use pattern::Pattern;

/// The target of one question: an action by its name, or the whole namespace, of which some actions are selected here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One action.
    Action(Action),
    /// All actions of a selection: the API cannot filter by pattern.
    Namespace(Selection),
}

/// A monitored action: `action` in the default package, or `package/action`; a binding's name serves as package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    package: Option<String>,
    action: String,
}

/// Actions selected by names and patterns, without those that are excluded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    chosen: Vec<Pattern>,
    excluded: Vec<Pattern>,
}

/// One entry of the configuration's `actions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An action by its name.
    Action(Action),
    /// A pattern: `*`, `package/*`, `report-*`.
    Pattern(Pattern),
    /// `!` and a name or pattern: not these.
    Exclusion(Pattern),
}

/// Name of the source that is the whole namespace. No action has it.
pub const NAMESPACE: &str = "*";

/// Longest entity name that OpenWhisk takes, in bytes (EntityName in OpenWhisk's core).
const LONGEST_NAME: usize = 256;

impl Source {
    /// The source's name: the action's, as configured, or `*`.
    pub fn name(&self) -> String {
        match self {
            Self::Action(action) => action.name(),
            Self::Namespace(_) => NAMESPACE.into(),
        }
    }

    /// The filter for the API; `None` for the whole namespace.
    pub fn filter(&self) -> Option<String> {
        match self {
            Self::Action(action) => Some(action.name()),
            Self::Namespace(_) => None,
        }
    }

    /// The entries of `actions` that choose among the namespace; none for a single action.
    pub fn entries(&self) -> Vec<String> {
        match self {
            Self::Action(_) => Vec::new(),
            Self::Namespace(selection) => selection.entries(),
        }
    }

    /// Whether `record` is of this source. The API's filter is exact with some stores only (docs/facts/openwhisk.md 1.2), and it also finds
    /// triggers of that name.
    ///
    /// A record that does not name its package, for want of a `path`, counts by its simple name, as a line too many is better than a lost
    /// one: a single action takes it, as the API's filter has selected it; in a selection, an entry takes it by the part after the package
    /// (`pkg/*` takes all), and an exclusion keeps it out by its own name (`!pkg/name`, `!name`) or a pattern without a package (`!na*`),
    /// but not `!pkg/*`.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        if record.is_trigger() {
            return false;
        }
        let place = Place::of(record);
        match self {
            Self::Action(action) => place.is(action),
            Self::Namespace(selection) => selection.takes(&place),
        }
    }
}

impl Source {
    /// Whether an activation of the action `name` is of this source. `path` and `binding` are those of its record, if it has them.
    pub fn chooses(&self, name: &str, path: Option<&str>, binding: Option<&str>) -> bool {
        let place = Place::new(Some(name), path, binding);
        match self {
            Self::Action(action) => place.is(action),
            Self::Namespace(selection) => selection.takes(&place),
        }
    }

    /// Whether `record` is of a trigger that this source names, or chooses as it chooses actions without a package.
    pub fn matches_trigger(&self, record: &Record<'_>) -> bool {
        record.is_trigger()
            && match self {
                Self::Action(action) => action.package.is_none() && *action.action == *record.name,
                Self::Namespace(selection) => selection.chooses(&record.name),
            }
    }
}

impl Entry {
    /// Parses an entry of `actions`. The error says what is wrong and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(excluded) = text.strip_prefix('!') {
            return check(excluded, true).map(|()| Self::Exclusion(Pattern::new(excluded)));
        }
        if text.contains('*') {
            return check(text, true).map(|()| Self::Pattern(Pattern::new(text)));
        }
        Action::parse(text).map(Self::Action)
    }
}

impl Entry {
    /// Its selection; `None` if it excludes.
    pub fn source(&self) -> Option<Source> {
        match self {
            Self::Action(action) => Some(Source::Action(action.clone())),
            Self::Pattern(_) => Some(Source::Namespace(Selection::new([self.clone()], None))),
            Self::Exclusion(_) => None,
        }
    }

    /// Whether it chooses, or excludes, each action that the other one does.
    pub fn covers(&self, other: &Self) -> bool {
        // A star of the other one stands for any text, and only a star matches that.
        Pattern::new(&self.name()).matches(&other.name())
    }

    /// The name or pattern.
    pub fn name(&self) -> String {
        match self {
            Self::Action(action) => action.name(),
            Self::Pattern(pattern) | Self::Exclusion(pattern) => pattern.to_string(),
        }
    }
}

impl Action {
    /// Parses a name. The error says what is wrong and what to do.
    pub fn parse(name: &str) -> Result<Self, String> {
        check(name, false)?;
        let (package, action) = match name.split_once('/') {
            Some((package, action)) => (Some(package.into()), action),
            None => (None, name),
        };
        Ok(Self { package, action: action.into() })
    }

    /// The name as configured.
    pub fn name(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.action),
            None => self.action.clone(),
        }
    }

    /// Whether this is the action with the full name `/namespace/[package/]action`.
    pub fn is(&self, full_name: &str) -> bool {
        without_namespace(full_name) == Some(&self.name())
    }
}

impl Selection {
    /// The selection of the entries together; it never has the forwarder itself, by its full name.
    pub fn new(entries: impl IntoIterator<Item = Entry>, own_action: Option<&str>) -> Self {
        let mut selection = Self::default();
        for entry in entries {
            match entry {
                Entry::Action(action) => selection.chosen.push(Pattern::new(&action.name())),
                Entry::Pattern(pattern) => selection.chosen.push(pattern),
                Entry::Exclusion(pattern) => selection.excluded.push(pattern),
            }
        }
        selection.excluded.extend(own_action.and_then(without_namespace).map(Pattern::new));
        selection
    }

    fn takes(&self, place: &Place) -> bool {
        let Self { chosen, excluded } = self;
        if !place.is_known() {
            let name = place.name.as_deref();
            return chosen.iter().any(|pattern| name.is_none_or(|name| pattern.may_mean(name)))
                && !excluded.iter().any(|pattern| name.is_some_and(|name| pattern.means(name)));
        }
        let any = |patterns: &[Pattern]| {
            place.names().any(|name| patterns.iter().any(|pattern| pattern.matches(&name)))
        };
        any(chosen) && !any(excluded)
    }

    /// Whether it chooses the action of that name.
    pub fn chooses(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        any(&self.chosen) && !any(&self.excluded)
    }

    /// The entries that make this selection again.
    pub fn entries(&self) -> Vec<String> {
        let excluded = self.excluded.iter().map(|pattern| format!("!{pattern}"));
        self.chosen.iter().map(ToString::to_string).chain(excluded).collect()
    }
}

/// Where a record's action is: its name, its package, and what the package was bound as.
struct Place {
    /// `None` if nothing tells it.
    name: Option<String>,
    /// `None` if nothing tells whether there is one.
    package: Option<Option<String>>,
    bound_as: Option<String>,
}

impl Place {
    fn of(record: &Record<'_>) -> Self {
        let (path, binding) = (record.annotation_text("path"), record.annotation_text("binding"));
        let name = Some(&*record.name).filter(|_| !record.is_unnamed);
        Self::new(name, path.as_deref(), binding.as_deref())
    }

    fn new(name: Option<&str>, path: Option<&str>, binding: Option<&str>) -> Self {
        let of_path = path.filter(|path| !path.is_empty()).map(|path| {
            let mut parts = path.split('/').skip(1);
            match (parts.next(), parts.next()) {
                (Some(package), Some(_)) => Some(package.to_owned()),
                _ => None,
            }
        });
        // A name is simple, but if it is not, it tells the package as well.
        let (of_name, name) = match name.map(|name| (name, name.rsplit_once('/'))) {
            Some((_, Some((before, name)))) => (before.rsplit('/').next().map(str::to_owned), Some(name)),
            Some((name, None)) => (None, Some(name)),
            None => (None, None),
        };
        let package = of_path.or(of_name.map(Some));
        let bound_as = binding.and_then(|binding| binding.rsplit('/').next()).map(Into::into);
        Self { name: name.map(Into::into), package, bound_as }
    }

    fn is(&self, action: &Action) -> bool {
        let bound = action.package.is_some() && self.bound_as == action.package;
        self.name.as_ref().is_none_or(|name| *name == action.action)
            && self.package.as_ref().is_none_or(|package| *package == action.package || bound)
    }

    /// Whether something tells under which name it can be found.
    fn is_known(&self) -> bool {
        self.name.is_some() && (self.package.is_some() || self.bound_as.is_some())
    }

    /// The names that somebody may know it by.
    fn names(&self) -> impl Iterator<Item = String> {
        let name = self.name.as_deref().unwrap_or_default();
        let own = self.package.as_ref().map(|package| match package {
            Some(package) => format!("{package}/{name}"),
            None => name.to_owned(),
        });
        let bound = self.bound_as.as_ref().map(|bound_as| format!("{bound_as}/{name}"));
        own.into_iter().chain(bound)
    }
}

fn without_namespace(full_name: &str) -> Option<&str> {
    full_name.trim_start_matches('/').split_once('/').map(|(_, rest)| rest)
}

/// Checks a name or a pattern.
fn check(name: &str, pattern: bool) -> Result<(), String> {
    if name.starts_with('/') {
        return Err(
            "leave the namespace out: `action` or `package/action`; the namespace is that of the API key"
                .into(),
        );
    }
    name.splitn(2, '/').try_for_each(|part| check_part(part, pattern))
}

/// The rule of OpenWhisk's EntityName: word characters, and inside also `@`, `.`, `-`, `&` and space.
fn check_part(name: &str, pattern: bool) -> Result<(), String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || (pattern && c == '*');
    let inner = |c: char| word(c) || matches!(c, '@' | '.' | '-' | '&' | ' ');
    if name.is_empty() {
        return Err("an empty name: give `action` or `package/action`".into());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("longer than {LONGEST_NAME} characters, which OpenWhisk does not allow"));
    }
    match name.chars().find(|&c| !inner(c)) {
        Some(c) => Err(format!(
            "no action has {c:?} in its name: give `action`, `package/action`, or a pattern with `*`"
        )),
        None if !name.starts_with(word) || name.ends_with(' ') => {
            Err("a name begins with a letter, digit or _ and does not end with a space".into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
