//! Log entries: what `logs` of a record holds, one entry a line of output (facts/openwhisk.md 1.8).

use crate::time;

/// The time an entry begins with, if it has one: `2023-11-14T22:13:20.010000001Z stdout: hi`.
///
/// Entries without a prefix exist: notices of the platform, and whatever a log store puts there.
pub fn entry_time(entry: &str) -> Option<&str> {
    let first = entry.split(' ').next()?;
    time::is_rfc3339_utc(first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_in_every_variant_that_has_one() {
        for (entry, time) in [
            ("2023-11-14T22:13:20.010000001Z stdout: hi", Some("2023-11-14T22:13:20.010000001Z")),
            ("2023-11-14T22:13:20.01000000Z  stderr: two spaces", Some("2023-11-14T22:13:20.01000000Z")),
            ("2023-11-14T22:13:20Z           stderr: no fraction", Some("2023-11-14T22:13:20Z")),
            ("2023-11-14T22:13:20.1Z stdout: not padded", Some("2023-11-14T22:13:20.1Z")),
            ("2023-11-14T22:13:20.5Z no stream", Some("2023-11-14T22:13:20.5Z")),
            ("2023-11-14T22:13:20.010000001Z stdout: ", Some("2023-11-14T22:13:20.010000001Z")),
            ("There was an issue while collecting your logs. Data might be missing.", None),
            ("", None),
        ] {
            assert_eq!(entry_time(entry), time, "{entry}");
        }
    }
}
