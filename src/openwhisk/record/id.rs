//! Activation ids.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// An activation's id: 32 hex digits in lower case, unique over all namespaces (OpenWhisk's ActivationId).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivationId(u128);

/// A text that is not an activation id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an activation id has 32 digits of 0-9 and a-f")]
pub struct BadActivationId;

impl ActivationId {
    /// The least of all ids.
    pub const MIN: Self = Self(u128::MIN);
    /// The greatest of all ids.
    pub const MAX: Self = Self(u128::MAX);

    /// Both ids combined by exclusive or: a step of a digest over many.
    pub fn combined(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// Its bits.
    pub(crate) fn bits(self) -> u128 {
        self.0
    }
}

impl FromStr for ActivationId {
    type Err = BadActivationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !digits {
            return Err(BadActivationId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| BadActivationId)
    }
}

impl fmt::Display for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for ActivationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActivationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_it_was_read() {
        let text = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        assert_eq!(text.parse::<ActivationId>().unwrap().to_string(), text);
    }

    #[test]
    fn dashes_upper_case_signs_and_other_lengths_are_refused() {
        for bad in ["", "0a1b", "0A1B2C3D4E5F60718293A4B5C6D7E8F9", "+a1b2c3d4e5f60718293a4b5c6d7e8f9"] {
            assert_eq!(bad.parse::<ActivationId>(), Err(BadActivationId), "{bad}");
        }
    }
}
