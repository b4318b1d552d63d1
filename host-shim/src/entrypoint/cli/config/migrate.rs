//! The configuration of a forwarder of 2017 in today's keys (docs/moving-from-2017.md).
//!
//! It works as it is, except for options of Node's TLS that cannot be honoured. The check of the configuration knows these options, here as
//! anywhere else: there is no second list.

use serde_json::{Map, Value, json};
use whiskjack_settings::{Fault, nested, text};

use super::yaml;
use crate::run::{RunContext, Shim, runtime};

/// A configuration in today's keys.
#[derive(Debug)]
pub(super) struct Migration {
    /// YAML with comments.
    pub(super) text: String,
    /// What was left out, or is missing: sentences.
    pub(super) left_out: Vec<String>,
}

/// Keys that hold secrets, and the variables that take their place.
const SECRETS: [(&str, &str); 2] = [("key", "LOGSTASH_KEY"), ("passphrase", "LOGSTASH_PASSPHRASE")];

/// Longest line of a comment, in characters.
const WIDTH: usize = 110;

/// A comment for a key, by its path.
type Notes = Vec<(String, String)>;

pub(super) fn migrated(mut params: Map<String, Value>) -> anyhow::Result<Migration> {
    let (shim, runtime) = (Shim::new()?, runtime()?);
    let check = |params: &Map<String, Value>| {
        // Nothing is asked there: it is the parameters that are checked.
        let context =
            RunContext { api_host: Some("https://api.invalid".to_owned()), ..RunContext::default() };
        runtime.block_on(shim.check(Value::Object(params.clone()), &context))
    };
    Ok(with_check(&mut params, &check))
}

/// The same with something that checks.
fn with_check(
    params: &mut Map<String, Value>,
    check: &dyn Fn(&Map<String, Value>) -> Vec<Fault>,
) -> Migration {
    nested::nest(params);
    let mut notes = mend(params);
    let mut left_out = Vec::new();
    for Fault { key, remedy, .. } in check(params) {
        match take(params, &key) {
            Some(_) => notes.push((key.clone(), format!("`{key}` was left out: {remedy}"))),
            None => notes.push((key.clone(), format!("`{key}` is missing: {remedy}"))),
        }
        left_out.push(format!("{key}: {remedy}"));
    }
    // What is left may lack what was taken out.
    for Fault { key, remedy, .. } in check(params) {
        if notes.iter().all(|(noted, _)| *noted != key) {
            notes.push((key.clone(), format!("`{key}` is missing: {remedy}")));
            left_out.push(format!("{key}: {remedy}"));
        }
    }
    hide_secrets(params, &mut notes);
    Migration { text: written(params, &notes), left_out }
}

/// Writes in today's way what today is written in another one, and notes it.
fn mend(params: &mut Map<String, Value>) -> Notes {
    let mut notes = Notes::new();
    let mut note = |key: &str, text: String| notes.push((key.to_owned(), text));
    if let Some(ms) = params.get("from").and_then(Value::as_u64) {
        let seconds = std::time::Duration::from_secs(ms / 1000);
        if let Ok(date) = pkcs8::der::DateTime::from_unix_duration(seconds) {
            let time = format!("{}.{:03}Z", date.to_string().trim_end_matches('Z'), ms % 1000);
            params.insert("from".to_owned(), time.into());
            note("from", format!("It was {ms}, milliseconds since 1970."));
        }
    }
    if let Some(Value::Object(logstash)) = params.get_mut("logstash") {
        if let Some(port) =
            logstash.get("port").and_then(Value::as_str).and_then(|port| port.trim().parse::<u16>().ok())
        {
            logstash.insert("port".to_owned(), port.into());
        }
        if let Some(ms) = logstash.get("timeout").and_then(Value::as_u64) {
            let time = if ms % 1000 == 0 { format!("{}s", ms / 1000) } else { format!("{ms}ms") };
            logstash.insert("timeout".to_owned(), time.into());
            note(
                "logstash.timeout",
                format!("It was {ms}, without a unit: how long the receiver may be silent."),
            );
        }
        if let Some(old) = logstash.get("minVersion").and_then(Value::as_str).map(str::to_owned)
            && ["TLSv1", "TLSv1.1"].contains(&old.as_str())
        {
            logstash.insert("minVersion".to_owned(), "TLSv1.2".into());
            note("logstash.minVersion", format!("It was {old}, which counts as TLSv1.2."));
        }
        if logstash
            .get("rejectUnauthorized")
            .is_some_and(|value| text::switch(value.as_str()) == "false" || *value == json!(false))
        {
            note(
                "logstash.rejectUnauthorized",
                "Anybody between here and the receiver can read the logs. Better give `ca`, the certificate of the receiver's authority."
                    .to_owned(),
            );
        }
    }
    let events = params.entry("events").or_insert_with(|| json!({}));
    if let Value::Object(events) = events
        && !events.contains_key("shape")
    {
        events.insert("shape".to_owned(), "2017".into());
        note(
            "events.shape",
            "The fields of 2017: line, activation, action, namespace. `ecs` has more, with other names; change searches and dashboards first."
                .to_owned(),
        );
    }
    notes
}

/// Takes a key out, by its path.
fn take(params: &mut Map<String, Value>, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => params.remove(path),
        Some((group, rest)) => take(params.get_mut(group)?.as_object_mut()?, rest),
    }
}

/// Puts variables into the place of secrets: the text goes to a terminal or a file.
fn hide_secrets(params: &mut Map<String, Value>, notes: &mut Notes) {
    let Some(Value::Object(logstash)) = params.get_mut("logstash") else { return };
    // `{pem, passphrase}` is in one what are two keys.
    if let Some(Value::Object(key)) = logstash.get("key")
        && let Some(passphrase) = key.get("passphrase").cloned()
    {
        logstash.entry("passphrase").or_insert(passphrase);
    }
    for (name, variable) in SECRETS {
        if logstash.contains_key(name) {
            logstash.insert(name.to_owned(), Variable::of(variable));
            notes.push((
                format!("logstash.{name}"),
                format!("A secret, which is not shown here: put it into the environment as {variable}, or give it in a file (`--{}`).",
                    if name == "key" { "key" } else { "passphrase-file" }),
            ));
        }
    }
}

/// A reference that is to stand in the text as it is.
struct Variable;

impl Variable {
    const MARK: &str = "\u{0}";

    fn of(name: &str) -> Value {
        format!("{}{name}", Self::MARK).into()
    }

    fn read(value: &Value) -> Option<&str> {
        value.as_str()?.strip_prefix(Self::MARK)
    }
}

/// The configuration as text: `actions` and `logstash` first, then the rest, each with its notes.
fn written(params: &Map<String, Value>, notes: &Notes) -> String {
    let mut out = String::from(
        "# Made from a configuration of the forwarder of 2017. Check it: whiskjack check --config FILE\n",
    );
    let first = ["actions", "from", "logstash"];
    let order = first.into_iter().filter(|key| params.contains_key(*key));
    let rest = params.keys().map(String::as_str).filter(|key| !first.contains(key));
    let mut told = Vec::new();
    for key in order.chain(rest) {
        out.push('\n');
        if let Some(value) = params.get(key) {
            entry(key, key, value, 0, notes, &mut told, &mut out);
        }
    }
    // Of keys that are there no more, nor their groups.
    notes.iter().filter(|(path, _)| !told.contains(path)).for_each(|(_, note)| comment(note, 0, &mut out));
    out
}

fn entry(
    path: &str,
    name: &str,
    value: &Value,
    indent: usize,
    notes: &Notes,
    told: &mut Vec<String>,
    out: &mut String,
) {
    let margin = " ".repeat(indent);
    for (_, note) in notes.iter().filter(|(noted, _)| noted == path) {
        comment(note, indent, out);
        told.push(path.to_owned());
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push_str(&format!("{margin}{name}:\n"));
            for (member, value) in members {
                entry(&format!("{path}.{member}"), member, value, indent + 2, notes, told, out);
            }
            // What was taken out of this group.
            let inside = |noted: &String| noted.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
            for (noted, note) in notes {
                if inside(noted) && !told.contains(noted) {
                    comment(note, indent + 2, out);
                    told.push(noted.clone());
                }
            }
        }
        value => match Variable::read(value) {
            Some(variable) => out.push_str(&format!("{margin}{name}: ${{{variable}}}\n")),
            None => out.push_str(&format!("{margin}{name}:{}", yaml::value(value, indent + 2))),
        },
    }
}

fn comment(text: &str, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    yaml::wrapped(text, WIDTH - indent).iter().for_each(|line| out.push_str(&format!("{margin}# {line}\n")));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Migrates with these faults of the keys that are there.
    fn migrated(params: Value, faults: &[(&str, &str)]) -> (String, Vec<String>, Value) {
        let check = |params: &Map<String, Value>| {
            let is_there = |path: &str| take(&mut params.clone(), path).is_some();
            let there = faults.iter().filter(|(key, _)| is_there(key));
            there
                .map(|(key, remedy)| Fault {
                    key: (*key).to_owned(),
                    value: String::new(),
                    remedy: (*remedy).to_owned(),
                })
                .collect()
        };
        let mut params = params.as_object().unwrap().clone();
        let Migration { text, left_out } = with_check(&mut params, &check);
        let environment = |name: &str| Some(format!("value of {name}"));
        let read = whiskjack_config_file::read("c", text.as_bytes(), &environment);
        let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
        (text, left_out, Value::Object(read.params))
    }

    #[test]
    fn the_sample_of_2017_says_the_same_in_todays_keys() {
        let old = json!({"actions": ["sample_action"], "from": 0, "logstash": {"host": "localhost", "port": "5000", "rejectUnauthorized": false}});
        let (text, left_out, read) = migrated(old, &[]);
        assert_eq!(
            read,
            json!({"actions": ["sample_action"], "from": "1970-01-01T00:00:00.000Z", "events": {"shape": "2017"},
                "logstash": {"host": "localhost", "port": 5000, "rejectUnauthorized": false}}),
            "{text}"
        );
        assert!(left_out.is_empty());
        assert!(
            text.contains("# It was 0, milliseconds since 1970.\nfrom: ")
                && text.contains("Better give `ca`"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_honoured_is_a_comment_that_says_why() {
        let old =
            json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "ciphers": "X", "timeout": 1500}});
        let (text, left_out, read) = migrated(old, &[("logstash.ciphers", "cannot be chosen; leave it out")]);
        assert!(
            text.contains("  # `logstash.ciphers` was left out: cannot be chosen; leave it out\n"),
            "{text}"
        );
        assert_eq!(left_out, ["logstash.ciphers: cannot be chosen; leave it out"]);
        assert_eq!(read["logstash"], json!({"host": "h", "port": 1, "timeout": "1500ms"}));
    }

    #[test]
    fn secrets_become_variables_and_are_shown_nowhere() {
        let old = json!({"actions": ["a"], "logstash": {"host": "h", "port": 1, "cert": "-----BEGIN C-----\nx\n-----END C-----\n",
            "key": {"pem": "PRIVATE", "passphrase": "sesame"}}});
        let (text, _, read) = migrated(old, &[]);
        assert!(!text.contains("PRIVATE") && !text.contains("sesame"), "{text}");
        assert_eq!(read["logstash"]["key"], "value of LOGSTASH_KEY");
        assert_eq!(read["logstash"]["passphrase"], "value of LOGSTASH_PASSPHRASE");
        assert_eq!(read["logstash"]["cert"], "-----BEGIN C-----\nx\n-----END C-----\n");
    }
}
