//! Names whose values are secrets.

/// Ends of names whose values are secrets, without `_` and `-`. docs/events.md lists them.
const NAMES: [&str; 20] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "encryptionkey",
    "signingkey",
    "sessionid",
    "passwords",
    "authorization",
    "credential",
    "credentials",
    "cookie",
];

/// Ends of the names of HTTP heads whose value goes up to the end of the line.
pub(super) const HEADS: [&str; 2] = ["authorization", "cookie"];

/// The meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its value is a secret.
    Secret,
    /// It has an `s` behind the name of a secret: its value is one, or several, or their count.
    Secrets,
}

impl Meaning {
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::of_member("", name)
    }

    /// Of a member's name in the object that stands under `above`: `{"api": {"key": …}}`.
    pub(super) fn of_member(above: &str, name: &str) -> Option<Self> {
        // Last letters of all of them: most names end otherwise.
        let last = name.bytes().rev().find(u8::is_ascii_alphanumeric)?.to_ascii_lowercase();
        if !b"detnyls".contains(&last) {
            return None;
        }
        match name_letters(name.bytes().rev().chain(above.bytes().rev().take(LONGEST_ABOVE))) {
            letters if ends_so(&letters, &NAMES) => Some(Self::Secret),
            [singular @ .., b's'] if ends_so(&singular, &NAMES) => Some(Self::Secrets),
            _ => None,
        }
    }

    /// Of an item of a list: the next one may be the secret.
    pub(super) fn of_item(item: &str) -> Option<Self> {
        if item == "-p" { Some(Self::Secret) } else { Self::of(item) }
    }

    /// Whether a value of that text is none.
    pub(super) fn spares(self, value: &str) -> bool {
        let is_of_count = |byte: u8| byte.is_ascii_digit() || b".,_/%".contains(&byte);
        self == Self::Secrets && value.len() <= LONGEST_COUNT && value.bytes().all(is_of_count)
    }
}

/// Digits of the largest number that may be a count.
const LONGEST_COUNT: usize = 12;

/// Letters of the longest of the names, and an `s`.
const LONGEST: usize = 14;
/// So many bytes of the name above one count, whatever they are.
const LONGEST_ABOVE: usize = 64;

/// Whether a name ends so, whatever stands between its letters.
pub(super) fn ends_with(name: &str, ends: &[&str]) -> bool {
    ends_so(&name_letters(name.bytes().rev()), ends)
}

fn ends_so(letters: &[u8], ends: &[&str]) -> bool {
    let is_last = |end: &str| end.as_bytes().last() == letters.last();
    ends.iter().any(|end| is_last(end) && letters.ends_with(end.as_bytes()))
}

/// The last letters and digits of a name that is given from its end on, small.
fn name_letters(reversed: impl Iterator<Item = u8>) -> [u8; LONGEST] {
    let (mut letters, mut free) = ([0; LONGEST], LONGEST);
    for byte in reversed.filter(u8::is_ascii_alphanumeric) {
        let Some(place) = free.checked_sub(1) else { break };
        if let Some(letter) = letters.get_mut(place) {
            *letter = byte.to_ascii_lowercase();
        }
        free = place;
    }
    letters
}
