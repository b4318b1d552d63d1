//! Records that differ from the platform's documentation: entries that are not sound text, bytes that are not UTF-8, missing fields.

use super::random::mixed;
use super::record::Record;
use serde_json::{Value, json};

/// Ways of lacking something, from 1 on.
pub const BARE: u64 = 7;

/// Stands for an entry until the JSON is written.
const MARK: &str = "@@entry ";

/// What an entry is instead of sound text: its JSON, and what may be in its place.
pub struct Bad {
    pub json: Vec<u8>,
    pub mended: Mended,
}

impl Bad {
    /// What it may become.
    pub fn text(&self) -> String {
        match &self.mended {
            Mended::Json(value) => value.to_string(),
            Mended::Around(before, after) => format!("{before}\u{fffd}{after}"),
        }
    }
}

/// What an entry that is no sound text becomes.
pub enum Mended {
    /// This text, something short, and this text.
    Around(String, String),
    /// The text of this JSON.
    Json(Value),
}

/// What is at `index` of a record with bad entries, if it is one of those.
pub fn bad_entry(record: &Record, index: u32) -> Option<Bad> {
    let hash = mixed(record.id as u64 ^ (u64::from(index) << 32));
    if !record.spoiled || !hash.is_multiple_of(3) {
        return None;
    }
    let before = format!("{} stdout: {:032x}#{index} ", record.time(), record.id);
    let after = " and more".to_owned();
    let around = |middle: &[u8]| Bad {
        json: [b"\"", before.as_bytes(), middle, after.as_bytes(), b"\""].concat(),
        mended: Mended::Around(before.clone(), after.clone()),
    };
    let value = |value: Value| Bad { json: value.to_string().into_bytes(), mended: Mended::Json(value) };
    Some(match hash / 3 % 9 {
        0 => around(b"\\ud83d"),
        1 => around(b"\\udca9\\ud83d"),
        2 => around(b"\xe9"),
        3 => around(b"\xff\xfe"),
        4 => around(b"\x01"),
        5 => value(Value::Null),
        6 => value(json!(12.5)),
        7 => value(json!({"a": ["]", {"b": "}"}]})),
        _ => value(json!(true)),
    })
}

/// Whether `line` is what may arrive in place of a bad entry.
pub fn is_mended(mended: &Mended, line: &str) -> bool {
    match mended {
        Mended::Json(value) => serde_json::from_str::<Value>(line).is_ok_and(|line| line == *value),
        Mended::Around(before, after) => line
            .strip_prefix(before.as_str())
            .and_then(|rest| rest.strip_suffix(after.as_str()))
            .is_some_and(|middle| (1..=3).contains(&middle.chars().count())),
    }
}

/// Whether two texts are the same, where nobody knows how many characters are in the place of bad bytes.
pub fn is_alike(one: &str, other: &str) -> bool {
    let sound = |text: &str| {
        text.split(['\u{fffd}', '\u{1}'])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    sound(one) == sound(other)
}

/// The entries of a record for its JSON; bad ones have a mark in their place.
pub fn marked(record: &Record, entries: Vec<String>) -> Vec<String> {
    let mark = |(index, entry): (usize, String)| match bad_entry(record, index as u32) {
        Some(_) => format!("{MARK}{index}"),
        None => entry,
    };
    if record.spoiled { entries.into_iter().enumerate().map(mark).collect() } else { entries }
}

/// The JSON of a record, or of its logs, with bad entries in their places.
pub fn unmarked(record: &Record, json: String) -> Vec<u8> {
    if !record.spoiled {
        return json.into_bytes();
    }
    let begin = format!("\"{MARK}");
    let mut pieces = json.split(begin.as_str());
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (index, rest) = piece.split_once('"').expect("the end of a mark");
        let bad = bad_entry(record, index.parse().expect("an index")).expect("a bad entry");
        bytes.extend(bad.json);
        bytes.extend(rest.as_bytes());
    }
    // Its result is not sound either.
    replaced(bytes, b"@@result", b"caf\xe9 \\ud83d \x02")
}

/// Takes out of the JSON of a record what it need not have.
pub fn strip(record: &Record, json: &mut Value) {
    let fields = json.as_object_mut().expect("an object");
    match record.bare {
        1 => drop(fields.remove("annotations")),
        2 => drop(fields.insert("annotations".into(), Value::Null)),
        3 => {
            if let Some(annotations) = fields["annotations"].as_array_mut() {
                annotations.retain(|annotation| annotation["key"] != "path");
            }
        }
        4 => {
            if let Some(annotations) = fields["annotations"].as_array_mut() {
                let path = annotations.iter_mut().find(|annotation| annotation["key"] == "path");
                path.expect("a path")["value"] = json!(["not", "text"]);
            }
        }
        5 => ["end", "duration"].iter().for_each(|key| drop(fields.remove(*key))),
        6 => drop(fields.insert("end".into(), Value::Null)),
        7 => {
            ["version", "publish", "subject", "response", "duration"]
                .iter()
                .for_each(|key| drop(fields.remove(*key)));
        }
        _ => {}
    }
}

fn replaced(bytes: Vec<u8>, mark: &[u8], by: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) else { return bytes };
    [&bytes[..at], by, &bytes[at + mark.len()..]].concat()
}
