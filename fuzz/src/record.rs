//! Any bytes as the API's list come out of the splitter alike however they are cut; each piece that it treats as a record is read, or
//! refused without its text.

use crate::script::Script;
use serde_json::{Map, Value};
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::{
    ActivationId, Record, SplitError, Splitter, Summary, UnreadableRecord, entry_time,
};
use whiskjack::time::is_rfc3339_utc;

/// The first byte says how the rest is cut. The rest is the list.
pub fn try_with(bytes: &[u8]) {
    let (piece, body) = (1 + Script::new(bytes).below(16) as usize, bytes.get(1..).unwrap_or_default());
    let (elements, result) = split([body]);
    assert_eq!(split(body.chunks(piece)), (elements.clone(), result));
    if let Ok(list) = serde_json::from_slice::<Vec<Map<String, Value>>>(body) {
        let read = elements.iter().map(|element| serde_json::from_slice(element).unwrap());
        assert_eq!(read.collect::<Vec<Map<String, Value>>>(), list);
    }
    assert!(elements.iter().map(Vec::len).sum::<usize>() <= body.len());
    elements.iter().for_each(|element| read(element));
    // As one record, also when it is none.
    read(body);
}

/// The elements that came before the error, if there is one.
fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Result<(), SplitError>) {
    let (mut splitter, mut elements) = (Splitter::default(), Vec::new());
    let fed = pieces.into_iter().try_for_each(|piece| {
        splitter.feed(piece, |row| {
            elements.push(row.json.to_vec());
            Ok::<(), SplitError>(())
        })
    });
    let result = fed.and_then(|()| splitter.finish());
    (elements, result)
}

fn read(json: &[u8]) {
    if let Err(error) = Summary::parse(json) {
        shows_no_text(&error);
    }
    let record = match Record::parse(json) {
        Ok(record) => record,
        Err(error) => return shows_no_text(&error),
    };
    let _ = record.may_have_lines_elsewhere();
    let events = Events::of(&record, &Form::new(Protocol::V2));
    for (index, line) in record.entries().enumerate() {
        let entry = line.text();
        if let Some(time) = entry_time(&entry) {
            assert!(is_rfc3339_utc(time) && entry.split(' ').next() == Some(time), "{entry}");
        }
        let mut json = Vec::new();
        assert!(events.write(Document::plain(index, line), &mut json));
        let event: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(event["line"], *entry);
    }
}

fn shows_no_text(error: &UnreadableRecord) {
    assert!(error.id == "unknown" || error.id.parse::<ActivationId>().is_ok(), "{error}");
    let words = error.reason.split(|c: char| c.is_ascii_digit()).collect::<String>();
    let known = ["a field is missing or of the wrong type", "it ends too early", "it is not valid JSON"];
    assert!(known.iter().any(|known| words.starts_with(known)) && words.len() < 80, "{error}");
}
