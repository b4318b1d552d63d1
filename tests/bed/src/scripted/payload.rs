//! The rules for events, from docs/facts/lumberjack.md 2.3 and 2.4: of each, that of the strictest receiver.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Levels of arrays and objects: far below what any parser takes.
const MOST_LEVELS: usize = 64;
/// Characters of one string: Logstash 8.10 endlessly fails on more.
const MOST_CHARACTERS: usize = 20_000_000;
/// Bytes of one event, Graylog's limit.
pub(super) const MOST_BYTES: usize = 16 << 20;

/// Key and value of version 1.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The event in a `J` frame, or the rule that it breaks.
pub(super) fn json_event(payload: &[u8]) -> Result<Value, String> {
    if payload.len() > MOST_BYTES {
        return Err(format!("an event of {} bytes", payload.len()));
    }
    if !(payload.starts_with(b"{") && payload.ends_with(b"}")) {
        return Err("an event that is no object from its first byte to its last".to_owned());
    }
    let mut json = serde_json::Deserializer::from_slice(payload);
    let event = Strict { levels: 0 }
        .deserialize(&mut json)
        .and_then(|event| json.end().map(|()| event))
        .map_err(|error| format!("an event that is not strict JSON: {error}"))?;
    event_fault(&event).map_or(Ok(event), Err)
}

/// The rule that an event of version 2 breaks by its fields, if any.
pub fn event_fault(event: &Value) -> Option<String> {
    let Value::Object(fields) = event else { return Some("an event that is no object".to_owned()) };
    for (key, value) in fields {
        let fault = match key.as_str() {
            key if key.contains(['[', ']']) => Some("brackets are a field reference to Logstash"),
            "@metadata" | "event" | "host" if !value.is_object() => Some("must be an object"),
            "message" if !value.is_string() => Some("must be a string"),
            "beat" if value.is_string() => Some("must not be a string"),
            "tags" if !is_tags(value) => Some("must be a string or a list of strings"),
            "@timestamp" if !value.as_str().is_some_and(is_time) => {
                Some("must be a time with fraction and zone")
            }
            _ => None,
        };
        if let Some(fault) = fault {
            return Some(format!("an event with the key {key:?}: {fault}"));
        }
    }
    None
}

/// The event that a `D` frame's pairs make, or the rule that it breaks.
pub(super) fn pairs_event(pairs: Vec<Pair>) -> Result<Value, String> {
    let mut event = Map::new();
    for (key, value) in pairs {
        let key = String::from_utf8(key).map_err(|_| "a key that is not UTF-8")?;
        let value = String::from_utf8(value).map_err(|_| format!("the value of {key:?} is not UTF-8"))?;
        // IL ends the connection on a time in text, and reads brackets as a field reference.
        if key.is_empty() || key.contains(['[', ']']) || key == "@timestamp" {
            return Err(format!("a pair with the key {key:?}"));
        }
        if event.insert(key.clone(), Value::String(value)).is_some() {
            return Err(format!("the key {key:?} twice"));
        }
    }
    if !event.contains_key("line") {
        return Err("a data frame without `line`".to_owned());
    }
    Ok(Value::Object(event))
}

fn is_tags(value: &Value) -> bool {
    value.is_string() || value.as_array().is_some_and(|tags| tags.iter().all(Value::is_string))
}

/// `2023-11-14T22:13:20.01Z` or with `+00:00`: what also the pickiest receiver (FD) reads.
fn is_time(text: &str) -> bool {
    let Some((whole, rest)) = text.split_once('.') else { return false };
    let shape: String = whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let zone_shape: String = zone.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00"
        && zone.len() < rest.len()
        && matches!(zone_shape.as_str(), "Z" | "+00:00" | "-00:00" | "+0000" | "-0000")
}

/// Reads a value and refuses what some receiver would refuse, lose or read differently.
struct Strict {
    levels: usize,
}

impl Strict {
    fn below<E: Error>(&self) -> Result<Self, E> {
        if self.levels >= MOST_LEVELS {
            return Err(E::custom(format_args!("more than {MOST_LEVELS} levels")));
        }
        Ok(Self { levels: self.levels + 1 })
    }
}

fn sound<E: Error>(text: &str) -> Result<(), E> {
    if text.chars().count() >= MOST_CHARACTERS {
        return Err(E::custom("a string of 20 million characters or more"));
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        let value = i64::try_from(value).map_err(|_| E::custom("an integer over 63 bits"))?;
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(E::custom("an integer over 63 bits"));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        sound(text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.below()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.is_empty() {
                return Err(A::Error::custom("an empty key"));
            }
            let value = entries.next_value_seed(self.below()?)?;
            if object.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("the key {key:?} twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(payload: &[u8]) -> Option<String> {
        json_event(payload).err()
    }

    #[test]
    fn a_plain_event_is_taken_as_it_is() {
        let text = br#"{"@timestamp":"2023-11-14T22:13:20.01Z","@metadata":{"_id":"a"},"line":"\u0000\ud83d\ude00","n":[1,-2.5,null,true],"":{}}"#;
        assert!(refusal(text).unwrap().contains("an empty key"));
        let text = &text[..text.len() - 7];
        let event = json_event(&[text, b"}"].concat()).unwrap();
        assert_eq!(event["line"], "\0😀");
        assert_eq!(json_event(b"{}").unwrap(), serde_json::json!({}));
    }

    #[test]
    fn what_some_receiver_refuses_or_reads_differently_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        let cases: &[(&[u8], &str)] = &[
            (b"", "no object"),
            (b"[{}]", "no object"),
            (b"1", "no object"),
            (b"null", "no object"),
            (b"{}\n", "no object"),
            (b"\xef\xbb\xbf{}", "no object"),
            (b"{}{}", "trailing"),
            (b"{\"a\":\"\xff\"}", "not strict JSON"),
            (b"{\"a\":\"\xc0\x80\"}", "not strict JSON"),
            (b"{\"a\":\"\xed\xa0\x80\"}", "not strict JSON"),
            (b"{\"a\":\"\\ud800\"}", "not strict JSON"),
            (b"{\"a\":\"\n\"}", "not strict JSON"),
            (b"{\"a\":NaN}", "not strict JSON"),
            (b"{\"a\":1e400}", "out of range"),
            (b"{\"a\":123456789012345678901234567890}", "63 bits"),
            (b"{\"a\":18446744073709551615}", "63 bits"),
            (deep.as_bytes(), "64 levels"),
            (b"{\"a\":1,\"a\":2}", "twice"),
            (b"{\"a\":{\"b\":1,\"b\":2}}", "twice"),
            (b"{\"a[b]\":1}", "field reference"),
            (b"{\"beat\":\"x\"}", "must not be a string"),
            (b"{\"message\":{}}", "must be a string"),
            (b"{\"@metadata\":1}", "must be an object"),
            (b"{\"event\":\"x\"}", "must be an object"),
            (b"{\"host\":\"x\"}", "must be an object"),
            (b"{\"tags\":{}}", "list of strings"),
            (b"{\"@timestamp\":\"2023-11-14T22:13:20Z\"}", "fraction"),
            (b"{\"@timestamp\":\"2023-11-14T22:13:20.01\"}", "zone"),
        ];
        for (payload, part) in cases {
            let text = String::from_utf8_lossy(payload);
            let refusal = refusal(payload).unwrap_or_else(|| panic!("{text} was taken"));
            assert!(refusal.contains(part), "{text}: {refusal}");
        }
    }

    #[test]
    fn pairs_make_an_event_with_a_line_and_each_key_once() {
        let event = |pairs: &[(&[u8], &[u8])]| {
            pairs_event(pairs.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
        };
        assert_eq!(
            event(&[(b"line", b"hi"), (b"a.b", b"")]).unwrap(),
            serde_json::json!({"line": "hi", "a.b": ""})
        );
        for pairs in [
            &[(&b"a"[..], &b"b"[..])][..],
            &[(b"line", b"\xff")],
            &[(b"line", b"a"), (b"line", b"b")],
            &[(b"line", b"a"), (b"", b"b")],
            &[(b"line", b"a"), (b"[a]", b"b")],
            &[(b"line", b"a"), (b"@timestamp", b"2023-11-14T22:13:20.01Z")],
        ] {
            event(pairs).unwrap_err();
        }
    }
}
