//! Which keys are not texts. A variable only holds text, and where a text belongs it stays one, whatever it looks like: a passphrase of digits is
//! not a number.

use whiskjack_settings::keys;

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, or anything else that a variable gives as text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Texts, with commas between them.
    List,
}

/// What the value of the key at `path` is, as the table of keys says it. Numbers have their range there, or `milliseconds`.
pub fn form(path: &str) -> Form {
    match keys::form(path).unwrap_or_default() {
        "boolean" => Form::Switch,
        form if form.starts_with("array of ") => Form::List,
        form if form.starts_with(|c: char| c.is_ascii_digit()) || form.starts_with("milliseconds") => {
            Form::Number
        }
        _ => Form::Text,
    }
}
