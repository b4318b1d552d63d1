//! The outline of a record that arrives in pieces: the members of the object, and the elements of its `logs` one by one. It keeps only a
//! key.
//!
//! It works on bytes, not on text: a value that is not sound JSON comes out like any other, as long as quotes and brackets are in order.

use super::nesting::{Nesting, SplitError};

/// Longer keys are none of those that somebody looks for; in bytes.
const LONGEST_KEY: usize = 32;

/// Takes the bytes of one object and hands on what they are part of.
#[derive(Debug, Default)]
pub(super) struct Outline {
    place: Place,
    kind: Kind,
    nesting: Nesting,
    key: Vec<u8>,
    in_logs: bool,
    /// The array was met. Another one of that name is a member like any other.
    met_logs: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeObject,
    /// Behind the bracket that opens the object.
    FirstKey,
    NextKey,
    InKey,
    Colon,
    /// Behind the bracket that opens `logs`.
    FirstEntry,
    NextValue,
    InValue,
    BehindValue,
    BehindObject,
}

#[derive(Debug, Default, Clone, Copy)]
enum Kind {
    #[default]
    Scalar,
    Text,
    Nested,
}

/// What bytes are part of. A value may come in several pieces, the last of them empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'b> {
    /// Of the value of the member with this key.
    Member { bytes: &'b [u8], last: bool },
    /// The array `logs` begins.
    Logs,
    /// Of an element of `logs`.
    Entry { bytes: &'b [u8], last: bool },
}

/// What a step came to.
enum Step {
    Nothing,
    Logs,
    Value { last: bool },
}

impl Outline {
    /// Takes the next bytes. Hands on each part, with the key of the member, until `part` returns `false`; says whether it did not.
    pub(super) fn feed<'b>(
        &mut self,
        bytes: &'b [u8],
        mut part: impl FnMut(&[u8], Part<'b>) -> bool,
    ) -> Result<bool, SplitError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, step) = self.step(rest)?;
            let (bytes, behind) = rest.split_at_checked(taken).unwrap_or((rest, &[]));
            rest = behind;
            let go_on = match step {
                Step::Nothing => true,
                Step::Logs => part(&self.key, Part::Logs),
                Step::Value { last } if self.in_logs => part(&self.key, Part::Entry { bytes, last }),
                Step::Value { last } => part(&self.key, Part::Member { bytes, last }),
            };
            if !go_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says whether the object was complete.
    pub(super) fn finish(&self) -> Result<(), SplitError> {
        if self.place == Place::BehindObject { Ok(()) } else { Err(SplitError::CutOff) }
    }

    /// How many of the bytes the next step takes.
    fn step(&mut self, rest: &[u8]) -> Result<(usize, Step), SplitError> {
        match self.place {
            Place::InValue => return Ok(self.value(0, rest)),
            Place::InKey => return Ok((self.key(rest), Step::Nothing)),
            Place::BehindObject => return Ok((rest.len(), Step::Nothing)),
            _ => {}
        }
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let Some(byte) = rest.first().filter(|_| blank == 0) else { return Ok((blank, Step::Nothing)) };
        let (place, step) = match (self.place, byte) {
            (Place::BeforeObject, b'{') => (Place::FirstKey, Step::Nothing),
            (Place::FirstKey | Place::NextKey, b'"') => {
                self.nesting = Nesting::in_string();
                self.key.clear();
                (Place::InKey, Step::Nothing)
            }
            (Place::Colon, b':') => (Place::NextValue, Step::Nothing),
            (Place::BehindValue, b',') if self.in_logs => (Place::NextValue, Step::Nothing),
            (Place::BehindValue, b',') => (Place::NextKey, Step::Nothing),
            (Place::FirstEntry | Place::BehindValue, b']') if self.in_logs => {
                self.in_logs = false;
                (Place::BehindValue, Step::Nothing)
            }
            (Place::FirstKey | Place::BehindValue, b'}') if !self.in_logs => {
                (Place::BehindObject, Step::Nothing)
            }
            (Place::NextValue, b'[') if !self.met_logs && self.key == b"logs" => {
                (self.in_logs, self.met_logs) = (true, true);
                (Place::FirstEntry, Step::Logs)
            }
            (Place::NextValue | Place::FirstEntry, byte) if !matches!(byte, b',' | b':' | b'}' | b']') => {
                (self.kind, self.nesting) = match byte {
                    b'"' => (Kind::Text, Nesting::in_string()),
                    b'{' | b'[' => (Kind::Nested, Nesting::in_brackets()),
                    _ => (Kind::Scalar, Nesting::default()),
                };
                return Ok(self.value(1, rest));
            }
            _ => return Err(SplitError::NotAnObject),
        };
        self.place = place;
        Ok((1, step))
    }

    /// Goes on in a value, of which the first `known` bytes of `bytes` are known to be.
    fn value(&mut self, known: usize, bytes: &[u8]) -> (usize, Step) {
        let rest = bytes.get(known..).unwrap_or_default();
        let end = match self.kind {
            Kind::Nested => self.nesting.end(rest),
            Kind::Text => self.nesting.end_of_string(rest),
            Kind::Scalar => {
                rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n'))
            }
        };
        self.place = if end.is_some() { Place::BehindValue } else { Place::InValue };
        (end.map_or(bytes.len(), |end| known + end), Step::Value { last: end.is_some() })
    }

    /// Goes on in a key.
    fn key(&mut self, bytes: &[u8]) -> usize {
        let end = self.nesting.end_of_string(bytes);
        let of_key = bytes.get(..end.map_or(bytes.len(), |end| end.saturating_sub(1))).unwrap_or_default();
        let room = (LONGEST_KEY + 1).saturating_sub(self.key.len());
        self.key.extend(of_key.iter().take(room));
        if end.is_some() {
            self.place = Place::Colon;
            if self.key.contains(&b'\\') {
                let quoted = [b"\"", self.key.as_slice(), b"\""].concat();
                self.key = serde_json::from_slice::<String>(&quoted).unwrap_or_default().into_bytes();
            }
        }
        end.unwrap_or(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries in angles, other values behind their key.
    fn outline(pieces: &[&[u8]]) -> Result<Vec<String>, SplitError> {
        let (mut outline, mut seen, mut partial) = (Outline::default(), Vec::new(), String::new());
        for piece in pieces {
            outline.feed(piece, |key, part| {
                let (bytes, last, entry) = match part {
                    Part::Logs => {
                        seen.push("logs".to_owned());
                        return true;
                    }
                    Part::Member { bytes, last } => (bytes, last, false),
                    Part::Entry { bytes, last } => (bytes, last, true),
                };
                partial.push_str(std::str::from_utf8(bytes).unwrap());
                if last {
                    let value = std::mem::take(&mut partial);
                    let key = String::from_utf8_lossy(key);
                    seen.push(if entry { format!("<{value}>") } else { format!("{key} {value}") });
                }
                true
            })?;
        }
        outline.finish().map(|()| seen)
    }

    const RECORD: &str = r#" { "a" :1,"b":[{"logs":["no"]}] , "lo\u0067s":[ "x]\"" ,{"y":[1]},null , 2 ],"c":{},"logs":["z"]} "#;
    const PARTS: [&str; 9] = [
        "a 1",
        r#"b [{"logs":["no"]}]"#,
        "logs",
        r#"<"x]\"">"#,
        r#"<{"y":[1]}>"#,
        "<null>",
        "<2>",
        "c {}",
        r#"logs ["z"]"#,
    ];

    #[test]
    fn members_and_entries_are_found_however_the_record_is_cut() {
        for cut in 0..=RECORD.len() {
            let (head, tail) = RECORD.as_bytes().split_at(cut);
            assert_eq!(outline(&[head, tail]).unwrap(), PARTS, "cut at {cut}");
        }
        let single: Vec<&[u8]> = RECORD.as_bytes().chunks(1).collect();
        assert_eq!(outline(&single).unwrap(), PARTS);
    }

    #[test]
    fn every_proper_prefix_is_reported_as_cut_off_and_what_is_no_object_is_refused() {
        let record = RECORD.trim_end();
        for cut in 0..record.len() {
            assert_eq!(outline(&[&record.as_bytes()[..cut]]), Err(SplitError::CutOff), "cut at {cut}");
        }
        for body in ["[]", "1", "{1}", r#"{"a" 1}"#, r#"{"a":1 2}"#, r#"{"logs":[1,]}"#, r#"{"logs":[1}"#] {
            assert_eq!(outline(&[body.as_bytes()]), Err(SplitError::NotAnObject), "{body}");
        }
    }

    #[test]
    fn an_object_without_members_has_no_parts() {
        assert_eq!(outline(&[b"{}"]).unwrap(), Vec::<String>::new());
        assert_eq!(outline(&[br#"{"logs":[]}"#]).unwrap(), ["logs"]);
    }
}
