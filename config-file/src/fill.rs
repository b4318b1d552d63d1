//! `${NAME}` and its variants, as in Beats, in the texts of a file.
//!
//! | written | becomes |
//! |---|---|
//! | `${NAME}` | the value of the variable; a fault if it is not set |
//! | `${NAME:default}` | the default if it is not set; it may hold variables again, and `$}` for a brace |
//! | `${NAME:?message}` | the same; a fault with the message if it is not set |
//! | `$${` | `${` |
//!
//! A variable that is empty counts as not set. The value of a variable is not searched for other variables. A value that is one variable,
//! or its default, and is empty in the end counts as not given.

use serde_json::Value;

use crate::Fault;
use crate::forms::{Form, form};
use crate::json::joined;

/// How deep defaults may stand in defaults.
const DEPTH: usize = 8;

/// Fills a value.
pub(crate) struct Filling<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    places: &'a [(String, usize)],
    pub(crate) faults: Vec<Fault>,
    /// Path of each value that was filled, and the first variable in it.
    pub(crate) filled: Vec<(String, String)>,
}

impl<'a> Filling<'a> {
    pub(crate) fn new(
        environment: &'a dyn Fn(&str) -> Option<String>,
        places: &'a [(String, usize)],
    ) -> Self {
        Self { environment, places, faults: Vec::new(), filled: Vec::new() }
    }

    /// Fills the texts of the value at `path`.
    pub(crate) fn fill(&mut self, value: &mut Value, path: &str) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    self.fill(value, &joined(path, key));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter_mut().enumerate() {
                    self.fill(value, &format!("{path}[{index}]"));
                }
            }
            Value::String(text) if text.contains("${") => match expand(text, self.environment, 0) {
                Ok((filled, None)) => *value = Value::String(filled),
                Ok((filled, Some(variable))) => {
                    let whole = one_reference(text);
                    *value = if whole && filled.is_empty() { Value::Null } else { typed(filled, form(path)) };
                    self.filled.push((path.to_owned(), format!("${{{variable}}}")));
                }
                Err(what) => {
                    let line = self.places.iter().find(|(known, _)| known == path).map(|(_, line)| *line);
                    self.faults.push(Fault::new(line, path, what));
                }
            },
            _ => {}
        }
    }
}

/// A text where a number, a switch or a list belongs, if it can be read as that. The check of the configuration refuses the rest.
fn typed(text: String, form: Form) -> Value {
    let trimmed = text.trim();
    match form {
        Form::Number => match serde_json::from_str(trimmed) {
            Ok(number @ Value::Number(_)) => number,
            _ => Value::String(text),
        },
        Form::Switch => match trimmed {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        Form::List => match serde_json::from_str(trimmed) {
            Ok(list @ Value::Array(_)) => list,
            _ => trimmed.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        },
        Form::Text => Value::String(text),
    }
}

/// Fills a text. Also returns the first variable in it, if there is one.
fn expand(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<(String, Option<String>), String> {
    if depth > DEPTH {
        return Err("variables are within the defaults of others too deeply; give fewer".into());
    }
    // Only in a default does a brace need an escape.
    let literal = |text: &str| if depth > 0 { text.replace("$}", "}") } else { text.to_owned() };
    let (mut filled, mut first, mut rest) = (String::new(), None, text);
    while let Some((before, inside)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(&literal(before));
            filled.push_str("${");
            rest = inside;
            continue;
        }
        filled.push_str(&literal(before));
        let (reference, after) = split_at_end(inside)
            .ok_or("`${` has no `}`; close it, or write `$${` for the two characters themselves")?;
        let (name, value) = resolve(reference, environment, depth)?;
        filled.push_str(&value);
        first.get_or_insert(name);
        rest = after;
    }
    filled.push_str(&literal(rest));
    Ok((filled, first))
}

/// Whether a text is `${…}` and nothing else.
fn one_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(split_at_end).is_some_and(|(_, after)| after.is_empty())
}

/// What stands before the brace that ends a reference, and behind it.
fn split_at_end(inside: &str) -> Option<(&str, &str)> {
    let (mut open, mut before) = (1_usize, ' ');
    for (at, c) in inside.char_indices() {
        match (before, c) {
            ('$', '{') => open += 1,
            ('$', '}') => {}
            (_, '}') => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        before = c;
    }
    None
}

/// The name in a reference, and what it stands for.
fn resolve(
    reference: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<(String, String), String> {
    let (name, rest) = match reference.split_once(':') {
        Some((name, rest)) => (name, Some(rest)),
        None => (reference, None),
    };
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(is_letter) || !name.chars().all(|c| is_letter(c) || c.is_ascii_digit()) {
        return Err(
            "`${…}` does not name a variable; give letters, digits and `_` between the braces, such as `${LOGSTASH_HOST}`, or write `$${` for the \
             two characters themselves"
                .into(),
        );
    }
    if rest.is_some_and(|rest| rest.starts_with(['-', '+', '='])) {
        return Err(format!(
            "`${{{name}:…}}` is written as for a shell; a default follows the colon at once, such as `${{{name}:default}}`"
        ));
    }
    let value = environment(name).filter(|value| !value.is_empty());
    let value = match (value, rest) {
        (Some(value), _) => value,
        (None, None) => {
            return Err(format!(
                "the variable {name} is not set; set it, or give a default, such as `${{{name}:default}}`"
            ));
        }
        (None, Some(rest)) => match rest.strip_prefix('?') {
            Some(message) => {
                let message = if message.trim().is_empty() { "set it" } else { message.trim() };
                return Err(format!("the variable {name} is not set; {message}"));
            }
            None => expand(rest, environment, depth + 1)?.0,
        },
    };
    Ok((name.to_owned(), value))
}
