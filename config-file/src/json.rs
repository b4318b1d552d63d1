//! JSON by `serde_json`, which gives no line numbers: a second pass over sound JSON finds the lines of the keys.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Document, Fault};

/// The reason why a text was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// It may be YAML.
    NotJson(Fault),
    /// It is JSON, but a key is given twice.
    Twice(Fault),
}

pub(crate) fn parse(text: &str) -> Result<Document, Error> {
    let value: Value = serde_json::from_str(text).map_err(|error| Error::NotJson(not_json(text, &error)))?;
    let places = Keys::of(text).map_err(Error::Twice)?;
    Ok(Document { value, places })
}

fn not_json(text: &str, error: &serde_json::Error) -> Fault {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let remedy = if line.trim_start().starts_with(['#', '/']) {
        "JSON has no comments, YAML has: give the file a name that ends with .yaml, and let comments begin with `#`"
    } else if line.contains("${") && !line.contains("\"${") {
        "put quotes around `${…}`; where a number belongs it becomes one"
    } else {
        "mend it, or let the file's name end with .yaml if it is YAML"
    };
    // What the parser says is about the grammar; it shows nothing of the text.
    let said = error.to_string();
    let why = said.split(" at line ").next().unwrap_or_default();
    Fault::new(Some(error.line()), "", format!("column {} is not JSON ({why}); {remedy}", error.column()))
}

/// What to do about a key that stands in the same group twice.
pub(crate) fn twice(path: &str, first: usize, second: usize) -> Fault {
    Fault::new(Some(second), path, format!("it is given in line {first} already; give it once"))
}

/// Finds the keys of a text that is JSON.
#[derive(Default)]
struct Keys {
    places: Vec<(String, usize)>,
    /// Of the groups that are open.
    open: Vec<Group>,
    line: usize,
}

/// An object or an array.
struct Group {
    path: String,
    /// Lines of an object's keys; `None` for an array.
    keys: Option<HashMap<String, usize>>,
    /// The path of what comes next.
    next: String,
    /// Items of an array so far.
    items: usize,
    /// Whether a text is a key.
    wants_key: bool,
    /// Whether what comes is an item's begin.
    wants_item: bool,
}

impl Keys {
    fn of(text: &str) -> Result<Vec<(String, usize)>, Fault> {
        let mut keys = Self { line: 1, ..Self::default() };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let mut length = c.len_utf8();
            if !c.is_ascii_whitespace() && !matches!(c, ']' | ',') {
                keys.item();
            }
            match c {
                '\n' => keys.line += 1,
                '{' | '[' => keys.begin(c == '{'),
                '}' | ']' => _ = keys.open.pop(),
                ',' => keys.comma(),
                '"' => {
                    length = quoted(rest);
                    keys.text(rest.get(..length).unwrap_or_default())?;
                }
                _ => {}
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(keys.places)
    }

    fn begin(&mut self, is_object: bool) {
        let path = self.open.last().map(|group| group.next.clone()).unwrap_or_default();
        let mut group = Group {
            next: String::new(),
            path,
            keys: is_object.then(HashMap::new),
            items: 0,
            wants_key: is_object,
            wants_item: !is_object,
        };
        if !is_object {
            group.next = format!("{}[0]", group.path);
        }
        self.open.push(group);
    }

    fn comma(&mut self) {
        let Some(group) = self.open.last_mut() else { return };
        if group.keys.is_some() {
            group.wants_key = true;
        } else {
            group.items += 1;
            group.next = format!("{}[{}]", group.path, group.items);
            group.wants_item = true;
        }
    }

    /// Notes the line where an array's item begins.
    fn item(&mut self) {
        if let Some(group) = self.open.last_mut().filter(|group| group.wants_item) {
            group.wants_item = false;
            self.places.push((group.next.clone(), self.line));
        }
    }

    fn text(&mut self, quoted: &str) -> Result<(), Fault> {
        let Some(group) = self.open.last_mut().filter(|group| group.wants_key) else { return Ok(()) };
        let Some(keys) = &mut group.keys else { return Ok(()) };
        let key: String = serde_json::from_str(quoted).unwrap_or_default();
        group.next = joined(&group.path, &key);
        group.wants_key = false;
        if let Some(first) = keys.insert(key, self.line) {
            return Err(twice(&group.next, first, self.line));
        }
        self.places.push((group.next.clone(), self.line));
        Ok(())
    }
}

/// The path of a key in a group.
pub(crate) fn joined(group: &str, key: &str) -> String {
    if group.is_empty() { key.to_owned() } else { format!("{group}.{key}") }
}

/// How long the quoted text is that `rest` begins with.
fn quoted(rest: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}
