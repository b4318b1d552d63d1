//! The handover from instance to instance of the component, through the host: a run's plan, its slices and their outcomes.
//!
//! Both ends are the same component, so the bytes need not describe themselves: with `postcard`'s encoding, reading and writing take a
//! quarter of the code that JSON takes. It names no fields, so none may be left out (`skip_serializing_if`). A value with an encoding of
//! its own, because others read it too, keeps that encoding ([`as_json`]).

use serde::{Serialize, de::DeserializeOwned};

/// The bytes are not from this component, or not from this build of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the host handed over bytes that are not of this component ({0}); hand on what it gave, as it is and to the same build"
)]
pub struct Foreign(postcard::Error);

/// As bytes, for `read` in another instance.
pub fn write(value: &impl Serialize) -> Vec<u8> {
    // Memory is all that it could fail for. Empty bytes are refused by `read`.
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Reads what `write` wrote.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Foreign> {
    postcard::from_bytes(bytes).map_err(Foreign)
}

/// For `#[serde(with = "…")]`: a value whose encoding is JSON, whatever it is a part of.
pub mod as_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

    /// Writes the value's JSON.
    pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_vec(value).map_err(ser::Error::custom)?;
        serializer.serialize_bytes(&json)
    }

    /// Reads it from its JSON.
    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let json = <&[u8]>::deserialize(deserializer)?;
        serde_json::from_slice(json).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{Checkpoint, SourceState};
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Handed {
        #[serde(with = "as_json")]
        checkpoint: Checkpoint,
        after: Option<String>,
    }

    #[test]
    fn what_leaves_out_empty_fields_is_handed_over_as_json_among_what_is_not() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.sources.insert("a".into(), SourceState::new(7));
        let handed = Handed { checkpoint, after: Some("it".into()) };
        assert_eq!(read::<Handed>(&write(&handed)).unwrap(), handed);
    }

    #[test]
    fn bytes_of_others_are_refused_and_not_shown() {
        for bytes in [&b""[..], b"{\"key\":\"secret\"}", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
            let error = read::<Handed>(bytes).unwrap_err().to_string();
            assert!(error.contains("not of this component") && !error.contains("secret"), "{error}");
            assert!(error.contains("; hand on"), "it says what to do: {error}");
        }
    }
}
