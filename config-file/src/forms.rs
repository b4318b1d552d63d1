//! The keys that are not texts. A variable holds only text, and stays text if its key takes a text, whatever it looks like: a passphrase of
//! digits is not a number.

use whiskjack_settings::keys;

/// The form of a key's value.
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

/// The form of the value of the key at `path`, from the table of keys. Numbers have their range there, or `milliseconds`.
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
