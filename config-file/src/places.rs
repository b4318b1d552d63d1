//! The place of a key in the file, and the variables that were filled in.

use std::fmt;

/// The source of parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    name: String,
    places: Vec<(String, usize)>,
    filled: Vec<(String, String)>,
    others: Vec<(&'static str, String)>,
}

impl Source {
    pub(crate) fn new(name: &str, places: Vec<(String, usize)>, filled: Vec<(String, String)>) -> Self {
        Self { name: name.to_owned(), places, filled, others: Vec::new() }
    }

    /// Notes that the value of `key` is not from the file, but from the option `name`.
    pub fn replace(&mut self, key: &'static str, name: String) {
        self.others.push((key, name));
    }

    /// A fault, and before it the place where its key stands.
    pub fn located(&self, key: &str, fault: &dyn fmt::Display) -> String {
        match self.place(key) {
            place if place.is_empty() => fault.to_string(),
            place => format!("{place}: {fault}"),
        }
    }

    /// The file and the lines of a key, such as `--config c.yaml, line 3`; those of its group if the key itself is not there. Empty for a
    /// key that is not from the file, such as a variable of the platform.
    pub fn place(&self, key: &str) -> String {
        if let Some(name) = self.other(key) {
            return name.to_owned();
        }
        let lines = above(key).map(|path| self.lines(path)).find(|lines| !lines.is_empty());
        match lines.unwrap_or_default().as_slice() {
            [] if is_key(key) => self.name.clone(),
            [] => String::new(),
            [line] => format!("{}, line {line}", self.name),
            lines => {
                let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
                format!("{}, lines {}", self.name, lines.join(" and "))
            }
        }
    }

    /// The variable that a key's value is made of, such as `${NAME}`: then the value is not from the file, and must not be shown.
    pub fn variable(&self, key: &str) -> Option<&str> {
        if self.other(key).is_some() {
            return None;
        }
        let is_in = |path: &str| above(path).any(|path| path == key);
        let filled = |path: &str| self.filled.iter().find(|(filled, _)| filled == path);
        let found = above(key).find_map(filled).or_else(|| self.filled.iter().find(|(path, _)| is_in(path)));
        found.map(|(_, variable)| variable.as_str())
    }

    fn other(&self, key: &str) -> Option<&str> {
        let found = |path: &str| self.others.iter().find(|(other, _)| *other == path);
        above(key).find_map(found).map(|(_, name)| name.as_str())
    }

    /// The lines of a key; of a group that is only written as a part of dotted keys, the line of the first of these.
    fn lines(&self, path: &str) -> Vec<usize> {
        let lines: Vec<usize> =
            self.places.iter().filter(|(known, _)| known == path).map(|(_, line)| *line).collect();
        if !lines.is_empty() || path.is_empty() {
            return lines;
        }
        let is_in = |known: &str| known.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.places.iter().find(|(known, _)| is_in(known)).map(|(_, line)| *line).into_iter().collect()
    }
}

/// A path, its group, the group of that.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind(['.', '[']).and_then(|end| path.get(..end)))
}

/// Whether it can be a key of the file, or stands for all of it: not a path, and not a variable of the environment, which has capitals only but for those of proxies.
fn is_key(key: &str) -> bool {
    let is_variable = !key.is_empty() && !key.contains(char::is_lowercase) || key.ends_with("_proxy");
    !is_variable && !key.starts_with("__") && !key.contains(['/', '\\', ','])
}
