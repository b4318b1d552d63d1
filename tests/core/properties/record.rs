//! Pages of records are cut into records, and lines begin with their time or not.

use super::any::{bytes, cases, cut, object, text, value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use whiskjack::openwhisk::record::{EntryReader, Record, SplitError, Splitter, Summary, entry_time};
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

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const START: u64 = 1_700_000_000_000;

/// What a record has in place of a member that is not as it should be: nothing, or any value.
fn odd() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![Just(None), Just(Some(Value::Null)), value().prop_map(Some)]
}

/// Texts as the reader finds them in these pieces, each with whether it was mended.
fn read_entries(pieces: &[&[u8]]) -> Result<Vec<(String, bool)>, SplitError> {
    let (mut reader, mut entries) = (EntryReader::default(), Vec::new());
    for piece in pieces {
        reader.feed(piece, |index, line| {
            assert_eq!(index, entries.len());
            entries.push((line.text().into_owned(), line.is_mended()));
            true
        })?;
    }
    reader.finish().map(|content| {
        assert_eq!(content.entries, entries.len());
        entries
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn whatever_is_odd_about_a_record_its_lines_arrive(
        field in select(vec!["namespace", "name", "end", "annotations", "response", "path", "kind", "limits"]), odd in odd(), bad in vec(value(), 0..3)
    ) {
        let mut annotations = serde_json::json!({"path": "guest/hello", "kind": "nodejs:20", "limits": {"logs": 10}});
        let logs: Vec<Value> = [Value::from("one")].into_iter().chain(bad).chain([Value::from("two")]).collect();
        let mut record = serde_json::json!({"activationId": ID, "namespace": "guest", "name": "hello", "start": START, "end": START + 52, "logs": &logs});
        let members = if annotations.get(field).is_some() { &mut annotations } else { &mut record };
        match odd.clone() {
            Some(value) => members[field] = value,
            None => drop(members.as_object_mut().unwrap().remove(field)),
        }
        if field != "annotations" {
            let list = annotations.as_object().unwrap().iter().map(|(key, value)| serde_json::json!({"key": key, "value": value}));
            record["annotations"] = list.collect::<Vec<_>>().into();
        }
        let json = record.to_string();
        let read = Record::parse(json.as_bytes()).unwrap();
        prop_assert_eq!(Summary::parse(json.as_bytes()).unwrap().start, START);
        let lines: Vec<(String, bool)> = read.entries().map(|line| (line.text().into_owned(), line.is_mended())).collect();
        let expected: Vec<(String, bool)> = logs.iter().map(|entry| match entry {
            Value::String(text) => (text.clone(), false),
            other => (other.to_string(), true),
        }).collect();
        prop_assert_eq!(&lines, &expected);
    }

    #[test]
    fn entries_are_the_same_in_a_record_that_is_read_whole_and_in_one_that_arrives_in_pieces(
        objects in vec(object(), 0..2), entries in vec(prop_oneof![value().prop_map(|value| value.to_string().into_bytes()), bytes().prop_map(|bytes| {
            // Anything between quotes that does not end the string.
            let inside = bytes.into_iter().filter(|byte| !matches!(byte, b'"' | b'\\'));
            [b'"'].into_iter().chain(inside).chain([b'"']).collect()
        }), Just(br#""\ud83d\u00e9""#.to_vec())], 0..5), cuts in vec(any::<Index>(), 0..20)
    ) {
        let head = format!(r#"{{"x":{},"activationId":"{ID}","start":{START},"end":{START},"logs":["#, serde_json::to_string(&objects).unwrap());
        let json = [head.as_bytes(), &entries.join(&b','), b"],\"logs\":[7]}"].concat();
        let record = Record::parse(&json).unwrap();
        let whole: Vec<(String, bool)> = record.entries().map(|line| (line.text().into_owned(), line.is_mended())).collect();
        prop_assert_eq!(whole.len(), entries.len());
        prop_assert_eq!(read_entries(&cut(&json, &cuts)), Ok(whole));
    }

    #[test]
    fn any_bytes_hold_the_same_entries_however_they_are_cut(body in bytes(), cuts in vec(any::<Index>(), 0..20)) {
        prop_assert_eq!(read_entries(&cut(&body, &cuts)).ok(), read_entries(&[&body]).ok());
        let logs = [br#"{"logs":"#, body.as_slice(), b"}"].concat();
        prop_assert_eq!(read_entries(&cut(&logs, &cuts)).ok(), read_entries(&[&logs]).ok());
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
