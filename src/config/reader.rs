//! Reads values out of the parameters by their path, and collects their faults.

use super::strangers;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use whiskjack_settings::Origin;
use whiskjack_settings::endpoint::{self, whole_number};
use whiskjack_settings::keys::{self, KeyReader};
use whiskjack_settings::nested::{TWICE, nest};
use whiskjack_settings::{Fault, Faults, text};

/// The parameters, and the faults found so far.
pub(super) struct Reader {
    params: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(mut params: Map<String, Value>) -> Self {
        // Neither of the two values is shown: either may be a secret.
        let faults =
            nest(&mut params).into_iter().map(|path| Fault::new(path, &Value::Null, TWICE)).collect();
        Self { params, faults }
    }

    /// The parameters that are read here, each key in its group: those of the host, such as private keys, stay with it.
    pub(super) fn json(&self) -> String {
        let mut params = self.params.clone();
        for (path, _) in keys::used().filter(|(_, reader)| *reader == KeyReader::Host) {
            if let Some((group, name)) = path.split_once('.')
                && let Some(Value::Object(group)) = params.get_mut(group)
            {
                group.remove(name);
            }
        }
        text::json(&Value::Object(params))
    }

    /// Notes on keys that nobody makes use of.
    pub(super) fn ignored(&self) -> Option<String> {
        let names: Vec<String> = self
            .params
            .keys()
            .filter(|name| keys::is_of_platform(name))
            .map(|name| format!("`{name}`"))
            .collect();
        (!names.is_empty()).then(|| format!("ignored, as the platform adds them: {}", names.join(", ")))
    }

    /// Every key must be in the table.
    pub(super) fn refuse_unknown_keys(&mut self) {
        // The value of a key that nobody knows may be anything, a password too; and what stands in the place of a group is a URL with a
        // password, as likely as not: they are not shown.
        let faults = unknown_keys("", &self.params);
        self.faults.extend(faults.into_iter().map(|(path, remedy)| Fault::new(&path, &Value::Null, remedy)));
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Whether nothing wrong was found so far.
    pub(super) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, path: &str, remedy: impl Into<String>) {
        let value = self.get(path).cloned().unwrap_or_default();
        self.fault_at(path, &value, remedy);
    }

    pub(super) fn fault_at(&mut self, path: impl Into<String>, value: &Value, remedy: impl Into<String>) {
        self.faults.push(Fault::new(path, value, remedy));
    }

    pub(super) fn finish(self) -> Result<(), Faults> {
        if self.faults.is_empty() { Ok(()) } else { Err(Faults(self.faults)) }
    }

    /// Reads with `read`; an absent value is a fault too.
    pub(super) fn required<T>(
        &mut self,
        path: &str,
        remedy: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        if !self.has(path) && !self.group_is_odd(path) {
            self.fault(path, remedy);
            return None;
        }
        read(self, path)
    }

    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        self.read(path, "give a text that is not empty", |value| {
            value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(Into::into)
        })
    }

    /// Whether a switch of the host's is off. Its form is for the host to check.
    pub(super) fn is_false(&self, path: &str) -> bool {
        self.get(path) == Some(&Value::Bool(false))
    }

    /// Reads with `read` what holds beside `own`, whose keys take the place of the others. Only what is wrong with them, or with the two together, is
    /// noted, as faults at `place`; what is wrong without them was noted before.
    pub(super) fn beside<T>(
        &mut self,
        place: &str,
        own: Map<String, Value>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut both = Self { params: self.params.clone(), faults: Vec::new() };
        let unknown = unknown_keys("", &own);
        both.faults.extend(unknown.into_iter().map(|(path, remedy)| Fault::new(&path, &Value::Null, remedy)));
        overlay("", &mut both.params, own.clone());
        let value = read(&mut both);
        let alone = Self { params: own, faults: Vec::new() };
        for fault in both.faults {
            let key = fault.key.split('[').next().unwrap_or_default();
            let is_own = alone.get(key).is_some() || alone.group_is_odd(key) || !self.has(key);
            if is_own || !self.faults.contains(&fault) {
                self.faults.push(Fault { key: format!("{place}{}", fault.key), ..fault });
            }
        }
        value
    }

    /// Whether a switch is on, whether that counts or not.
    pub(super) fn is_true(&self, path: &str) -> bool {
        self.get(path) == Some(&Value::Bool(true))
    }

    pub(super) fn integer(&mut self, path: &str, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let remedy = format!("give a whole number from {} to {} ({unit})", range.start(), range.end());
        self.read(path, &remedy, |value| whole_number(value).filter(|number| range.contains(number)))
    }

    /// A switch.
    pub(super) fn switch(&mut self, path: &str) -> Option<bool> {
        let remedy = text::switch(self.get(path).and_then(Value::as_str));
        self.read(path, remedy, Value::as_bool)
    }

    /// A length of time with its unit, in milliseconds.
    pub(super) fn duration(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let remedy = format!(
            "give a time with its unit, from {} to {}, such as \"30s\" (ms, s, m or h): Filebeat means seconds by a bare number, Node.js \
             milliseconds",
            span(*range.start()),
            span(*range.end())
        );
        self.read(path, &remedy, |value| milliseconds(value.as_str()?).filter(|ms| range.contains(ms)))
    }

    /// A port, as a number or as text, as the forwarder of 2017 took it.
    pub(super) fn port(&mut self, path: &str) -> Option<u16> {
        self.read(path, "give a port from 1 to 65535", endpoint::port)
    }

    pub(super) fn origin(&mut self, path: &str) -> Option<Origin> {
        let text = self.text(path)?;
        // Not shown: it may hold a user name and a password.
        Origin::parse(&text).inspect_err(|remedy| self.fault_at(path, &Value::Null, remedy.as_str())).ok()
    }

    pub(super) fn choice<T: Copy>(&mut self, path: &str, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        self.read(path, &format!("give one of {}", names.join(", ")), |value| {
            choices.iter().find(|(name, _)| value.as_str() == Some(name)).map(|(_, choice)| *choice)
        })
    }

    /// A list that must be there.
    pub(super) fn items(&mut self, path: &str, remedy: &str) -> Option<Vec<Value>> {
        self.required(path, remedy, |reader, path| {
            reader.read(path, remedy, |value| value.as_array().filter(|items| !items.is_empty()).cloned())
        })
    }

    /// A list of texts that must be there, each with its index. What is not a text is a fault and left out.
    pub(super) fn texts(&mut self, path: &str, remedy: &str) -> Option<Vec<(usize, String)>> {
        let items = self.items(path, remedy)?;
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push((index, text)),
                other => {
                    let remedy = format!("this item is not a text; {remedy}");
                    self.fault_at(format!("{path}[{index}]"), &other, remedy);
                }
            }
        }
        Some(texts)
    }

    /// A list of texts that may be absent or empty: an entry of `actions` empties that of all so.
    pub(super) fn some_texts(&mut self, path: &str, remedy: &str) -> Vec<(usize, String)> {
        let is_empty = self.get(path).and_then(Value::as_array).is_some_and(Vec::is_empty);
        if !self.has(path) || is_empty { Vec::new() } else { self.texts(path, remedy).unwrap_or_default() }
    }

    /// Reads with `parse`; that it cannot is a fault.
    pub(super) fn read<T>(
        &mut self,
        path: &str,
        remedy: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.get(path)?);
        if parsed.is_none() {
            self.fault(path, remedy);
        }
        parsed
    }

    /// The value at a path. `null` counts as absent.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let outermost = self.params.get(names.next()?)?;
        names.try_fold(outermost, |value, name| value.get(name)).filter(|value| !value.is_null())
    }

    /// Whether the group of `path` is something else than an object, which is a fault already.
    fn group_is_odd(&self, path: &str) -> bool {
        path.rsplit_once('.').and_then(|(group, _)| self.get(group)).is_some_and(|group| !group.is_object())
    }
}

/// What is wrong with the keys in a group: path and remedy.
fn unknown_keys(prefix: &str, group: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in group {
        let path = format!("{prefix}{name}");
        match value {
            _ if keys::is_key(&path) && !(value.is_object() && keys::is_group(&path))
                || prefix.is_empty() && keys::is_of_platform(name) => {}
            Value::Object(inner)
                if keys::is_group(&path) || !inner.is_empty() && strangers::is_group(&path) =>
            {
                found.extend(unknown_keys(&format!("{path}."), inner));
            }
            Value::Null if keys::is_group(&path) => {}
            _ if keys::is_group(&path) => {
                let remedy = object_for(&path).into();
                found.push((path, remedy));
            }
            _ => {
                let remedy = strangers::why_unknown(&path);
                found.push((if path.is_empty() { "\"\"".into() } else { path }, remedy));
            }
        }
    }
    found
}

/// Puts `own` into the place of what is there, key by key.
fn overlay(group: &str, params: &mut Map<String, Value>, own: Map<String, Value>) {
    for (name, value) in own {
        let path = format!("{group}{name}");
        match (params.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(own)) if keys::is_group(&path) => {
                overlay(&format!("{path}."), there, own);
            }
            (_, value) => {
                params.insert(name, value);
            }
        }
    }
}

/// What to give in the place of a group that is not an object.
fn object_for(group: &str) -> &'static str {
    match group {
        "logstash" => "give an object, such as {\"host\": \"logstash.example.com\", \"port\": 5044}",
        "logstash.backoff" => "give an object, such as {\"init\": \"1s\", \"max\": \"60s\"}",
        "checkpoint" => "give an object, such as {\"store\": \"package\"}",
        "lines" => "give an object, such as {\"multiline\": \"auto\"}",
        "lines.json" => "give an object, such as {\"message_key\": \"msg\"}",
        "lines.multiline" => "give an object, such as {\"pattern\": \"^ \"}",
        "events" => "give an object, such as {\"shape\": \"ecs\"}",
        "api" => "give an object, such as {\"host\": \"https://openwhisk.example.com\"}",
        "monitoring" => "give an object, such as {\"heartbeat\": true}",
        _ => "give an object",
    }
}

/// Units of time, in milliseconds, the longest first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A number with its unit, in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.trim_end().parse::<u64>().ok()?.checked_mul(*factor)
}

/// Milliseconds in the largest unit that keeps them whole.
pub(super) fn span(ms: u64) -> String {
    let whole = UNITS.iter().find(|(_, factor)| ms >= *factor && ms.is_multiple_of(*factor));
    whole.map_or("0s".into(), |(unit, factor)| format!("{}{unit}", ms / factor))
}
