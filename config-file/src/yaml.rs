//! YAML 1.2, from the events of `saphyr-parser`.
//!
//! A plain word has its meaning in JSON, so that nothing is guessed: `no`, `on`, `5s`, `1_000` and `2023-11-14` are texts. A number about
//! which versions of YAML disagree (`0777`, `0x1F`) is a fault. So are tags, merge keys and a second document.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Value};

use crate::json::{joined, twice};
use crate::{Document, Fault};

/// Most groups within groups.
const DEPTH: usize = 32;
/// Most bytes that aliases repeat. Each may repeat the one before, so that ten lines would make a billion.
const REPEATED: usize = 1_000_000;

pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| not_yaml(text, &error))?;
        reader.take(event, span)?;
    }
    Ok(Document { value: reader.value.unwrap_or_default(), places: reader.places })
}

fn not_yaml(text: &str, error: &ScanError) -> Fault {
    let number = error.marker().line();
    let line = text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
    let before = text.lines().nth(number.saturating_sub(2)).unwrap_or_default();
    let indented_by_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    let is_bare = |line: &str| line.contains("${") && !line.contains("\"${") && !line.contains("'${");
    let remedy = if indented_by_tab(line) || indented_by_tab(before) {
        "indent it with blanks, not with tabs"
    } else if (is_bare(line) || is_bare(before)) && line.contains(['[', '{']) {
        "put quotes around `${…}` in brackets"
    } else {
        "mend it there or in the line above: look at indentation, quotes, and the blank behind each colon"
    };
    // What the parser says is about the grammar, but for one sentence, which shows a character.
    let why = error.info().split(": `").next().unwrap_or_default();
    Fault::new(Some(number), "", format!("column {} is not YAML ({why}); {remedy}", error.marker().col() + 1))
}

/// Puts values together.
#[derive(Default)]
struct Reader {
    value: Option<Value>,
    documents: usize,
    open: Vec<Group>,
    places: Vec<(String, usize)>,
    /// Values that have a name, with their size in bytes.
    anchors: HashMap<usize, (Value, usize)>,
    repeated: usize,
}

/// A mapping or a sequence that is not at its end.
struct Group {
    path: String,
    anchor: usize,
    held: Held,
    /// Bytes in it so far; each value counts as one more.
    size: usize,
}

enum Held {
    Sequence(Vec<Value>),
    Mapping { members: Map<String, Value>, lines: HashMap<String, usize>, key: Option<String> },
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let line = span.start.line();
        let tag = match &event {
            Event::Scalar(.., tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) => {
                tag.is_some()
            }
            _ => false,
        };
        if tag {
            return Err(self.fault(
                line,
                "tags, which begin with `!`, are not read; put quotes around a text, and leave the tag out",
            ));
        }
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(Fault::new(Some(line), "", "another document begins there, after `---`; give one"))
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                if self.wants_key() {
                    return self.key(&text, plain, line);
                }
                let size = text.len() + 1;
                let value = if plain { word(&text) } else { Ok(Value::String(text.into_owned())) };
                let value = value.map_err(|what| self.fault(line, what))?;
                self.put(value, anchor, size, line);
                Ok(())
            }
            Event::Alias(anchor) => self.repeat(anchor, line),
            Event::SequenceStart(anchor, _) => self.begin(anchor, line, Held::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => {
                let held = Held::Mapping { members: Map::new(), lines: HashMap::new(), key: None };
                self.begin(anchor, line, held)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(group) = self.open.pop() else { return Ok(()) };
                let value = match group.held {
                    Held::Sequence(items) => Value::Array(items),
                    Held::Mapping { members, .. } => Value::Object(members),
                };
                self.put_in(value, group.anchor, group.size);
                Ok(())
            }
        }
    }

    /// A fault of what comes next.
    fn fault(&self, line: usize, what: impl Into<String>) -> Fault {
        Fault::new(Some(line), &self.path(), what)
    }

    /// The path of what comes next.
    fn path(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(Group { path, held: Held::Sequence(items), .. }) => format!("{path}[{}]", items.len()),
            Some(Group { path, held: Held::Mapping { key: Some(key), .. }, .. }) => joined(path, key),
            Some(Group { path, .. }) => path.clone(),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Group { held: Held::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, plain: bool, line: usize) -> Result<(), Fault> {
        if plain && text == "<<" {
            return Err(
                self.fault(line, "`<<`, which merges another group in, is not read; write its keys out")
            );
        }
        let Some(Group { path, held: Held::Mapping { lines, key, .. }, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        if let Some(first) = lines.insert(text.to_owned(), line) {
            return Err(twice(&joined(path, text), first, line));
        }
        *key = Some(text.to_owned());
        self.places.push((self.path(), line));
        Ok(())
    }

    fn begin(&mut self, anchor: usize, line: usize, held: Held) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(self.fault(line, "a group or a list cannot be a key; give a text before the colon"));
        }
        if self.open.len() == DEPTH {
            return Err(self.fault(line, "groups are within groups too deeply; no key needs that"));
        }
        self.note_item(line);
        self.open.push(Group { path: self.path(), anchor, held, size: 1 });
        Ok(())
    }

    fn repeat(&mut self, anchor: usize, line: usize) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(self.fault(line, "an alias cannot be a key; give a text before the colon"));
        }
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(self.fault(line, "an alias stands in what it repeats; write the value out"));
        };
        self.repeated = self.repeated.saturating_add(*size);
        if self.repeated > REPEATED {
            return Err(self.fault(line, "aliases repeat too much; write the values out"));
        }
        let (value, size) = (value.clone(), *size);
        self.put(value, 0, size, line);
        Ok(())
    }

    /// Notes the line of an item, which has no key that has one.
    fn note_item(&mut self, line: usize) {
        if matches!(self.open.last(), Some(Group { held: Held::Sequence(_), .. })) {
            self.places.push((self.path(), line));
        }
    }

    fn put(&mut self, value: Value, anchor: usize, size: usize, line: usize) {
        self.note_item(line);
        self.put_in(value, anchor, size);
    }

    fn put_in(&mut self, value: Value, anchor: usize, size: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let Some(group) = self.open.last_mut() else {
            self.value.get_or_insert(value);
            return;
        };
        group.size = group.size.saturating_add(size);
        match &mut group.held {
            Held::Sequence(items) => items.push(value),
            Held::Mapping { members, key, .. } => {
                if let Some(key) = key.take() {
                    members.insert(key, value);
                }
            }
        }
    }
}

/// What a plain word is.
fn word(text: &str) -> Result<Value, &'static str> {
    const OTHER_BASE: &str = "a number that begins with 0 is octal to some and decimal to others; write it without, or put quotes around a text";
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, is: fn(&u8) -> bool| !digits.is_empty() && digits.bytes().all(|b| is(&b));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if let Some(rest) = digits.strip_prefix('0') {
        let other_base =
            rest.strip_prefix(['x', 'o', 'b']).is_some_and(|rest| all(rest, u8::is_ascii_hexdigit));
        if other_base || all(rest, u8::is_ascii_digit) {
            return Err(OTHER_BASE);
        }
    }
    if digits.starts_with(|c: char| c.is_ascii_digit())
        && let Ok(number @ Value::Number(_)) = serde_json::from_str(text)
    {
        return Ok(number);
    }
    Ok(Value::String(text.to_owned()))
}
