//! Pages of records are cut into records, and lines begin with their time or not.

use crate::any::{bytes, cases, cut, object, text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use whiskjack::record::{SplitError, Splitter, entry_time};
use whiskjack::time::{is_rfc3339_utc, rfc3339};

/// The elements that came before the error, if there is one.
fn split(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), SplitError>) {
    let (mut splitter, mut elements) = (Splitter::default(), Vec::new());
    let mut feed = |piece: &&[u8]| {
        splitter.feed(piece, |row| {
            elements.push(row.json.to_vec());
            Ok::<(), SplitError>(())
        })
    };
    let fed = pieces.iter().try_for_each(&mut feed);
    let result = fed.and_then(|()| splitter.finish());
    (elements, result)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn any_array_of_objects_comes_out_of_the_splitter_however_it_is_cut(
        objects in vec(object(), 0..8), pretty: bool, cuts in vec(any::<Index>(), 0..20)
    ) {
        let body = if pretty { serde_json::to_vec_pretty(&objects) } else { serde_json::to_vec(&objects) };
        let body = body.unwrap();
        let (elements, result) = split(&cut(&body, &cuts));
        let read: Vec<Value> = elements.iter().map(|element| serde_json::from_slice(element).unwrap()).collect();
        prop_assert_eq!(result, Ok(()));
        // The numbers were written once already, so they are what can be read again.
        let written: Vec<Value> = serde_json::from_slice(&body).unwrap();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn any_bytes_are_split_alike_however_they_are_cut(body in bytes(), cuts in vec(any::<Index>(), 0..20)) {
        prop_assert_eq!(split(&cut(&body, &cuts)), split(&[&body]));
    }
}

/// RFC 3339 with 0–9 fraction digits, as the platform writes it.
fn time() -> impl Strategy<Value = String> {
    (0..4_102_444_800_000u64, "[0-9]{0,9}").prop_map(|(ms, fraction)| {
        let whole = &rfc3339(ms)[..19];
        if fraction.is_empty() { format!("{whole}Z") } else { format!("{whole}.{fraction}Z") }
    })
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn the_time_of_a_line_is_found_with_and_without_padding_and_stream(
        time in time(), padded: bool, stream in select(vec!["", "stdout: ", "stderr: "]), message in text()
    ) {
        let columns = if padded { 30 } else { 0 };
        let entry = format!("{time:<columns$} {stream}{message}");
        prop_assert_eq!(entry_time(&entry), Some(time.as_str()));
    }

    #[test]
    fn a_line_without_a_time_has_none(entry in prop_oneof![
        Just("There was an issue while collecting your logs. Data might be missing.".to_owned()),
        Just("Logs are not available.".to_owned()),
        "[0-9a-f]{32}",
        object().prop_map(|rule| rule.to_string()),
        (time(), "[a-z+]{1,3}").prop_map(|(time, more)| time + &more),
        (time(), text()).prop_map(|(time, message)| format!(" {time} {message}")),
    ]) {
        prop_assert_eq!(entry_time(&entry), None);
    }

    #[test]
    fn what_is_taken_for_a_time_is_one_and_begins_the_line(
        entry in prop_oneof![any::<String>(), r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.é]{0,12}Z?[ \PC]{0,4}"]
    ) {
        if let Some(time) = entry_time(&entry) {
            prop_assert!(is_rfc3339_utc(time));
            prop_assert_eq!(entry.split(' ').next(), Some(time));
        }
    }
}
