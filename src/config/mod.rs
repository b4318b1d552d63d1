//! The configuration: a JSON object, the action's parameters. Parsed once into types that carry the rules; all faults at once.

mod documents;
mod lines;
mod output;
mod reader;
mod start;
mod strangers;
mod unreached;

pub use documents::{Documents, Namespace, Shape, Style, Summaries, is_stream_name};
pub use lines::{By, Channel, Json, Lines, Multiline, Redaction, Secret};
pub use output::Output;
pub(crate) use strangers::distance;
pub(crate) use whiskjack_settings::text::api_key;
pub use whiskjack_settings::{Endpoint, Fault, Faults, KEYS, Key, KeyReader, Origin};

use crate::checkpoint::LogPlace;
use crate::openwhisk::source::{Entry, Selection, Source};
use documents::Chosen;
use reader::Reader;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use whiskjack_settings::nested::{TWICE, nest};

/// A checked configuration. TLS options are not in it: they are the host's. From instance to instance it goes as it was given, and is read
/// again: that takes no code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Given")]
pub struct Config {
    given: Given,
    /// Monitored actions, each once, in the order given.
    pub sources: Vec<Source>,
    /// Where a first run begins: records that start after this time, milliseconds since 1970.
    pub from: Option<u64>,
    /// Where forwarding ends: records that start up to this time, milliseconds since 1970.
    pub to: Option<u64>,
    /// Where the lines go, and how.
    pub output: Output,
    /// The documents that receivers get.
    pub documents: Documents,
    /// How far back a run looks for records that became visible late, in milliseconds; `None` leaves it to the platform's limits.
    pub lookback_ms: Option<u64>,
    /// Where log lines are; `None` to find out.
    pub logs: Option<LogPlace>,
    /// Origin of the API, if the configuration names one.
    pub api_host: Option<Origin>,
    /// Where the checkpoint is kept; `None` leaves it to the host.
    pub store: Option<Store>,
    /// Package whose annotation holds the checkpoint; `None` for a name made from the forwarder's own.
    pub package: Option<String>,
    /// What to do when the checkpoint is lost or unreadable.
    pub on_missing_state: OnMissingState,
    /// Whether each run sends a document about itself.
    pub heartbeat: bool,
    /// How much to log.
    pub log_level: LogLevel,
    /// Warnings about the configuration that are not faults.
    pub warnings: Vec<String>,
}

/// What a configuration is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    params: String,
    own_action: Option<String>,
}

impl TryFrom<Given> for Config {
    type Error = Faults;

    fn try_from(Given { params, own_action }: Given) -> Result<Self, Faults> {
        Self::parse(params.as_bytes(), own_action.as_deref())
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.given.serialize(serializer)
    }
}

/// Where the checkpoint is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// In an annotation of a package.
    Package,
    /// In the results of the forwarder's own activations.
    Activation,
    /// By the host: a file of the command line's `--state`.
    Host,
}

/// What to do when there should be a checkpoint but none can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissingState {
    /// Begin anew with the look-back: some lines may come twice, older ones are not sent.
    Lookback,
    /// Begin anew at `from`.
    From,
    /// End with an error until somebody decides.
    Fail,
}

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// One line for each run.
    Info,
    /// Also what each slice did.
    Debug,
}

impl Config {
    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name() == name)
    }

    /// Parses parameters. `own_action` is the forwarder's full name if known: it is never monitored.
    pub fn parse(params: &[u8], own_action: Option<&str>) -> Result<Self, Faults> {
        let params = match serde_json::from_slice(params.strip_prefix(b"\xef\xbb\xbf").unwrap_or(params)) {
            Ok(Value::Object(params)) => params,
            Ok(_) => return Err(Faults::one("", &Value::Null, "give the parameters as a JSON object")),
            Err(error) => {
                let remedy = format!(
                    "give the parameters as a JSON object; line {}, column {} is not JSON",
                    error.line(),
                    error.column()
                );
                return Err(Faults::one("", &Value::Null, remedy));
            }
        };
        let mut reader = Reader::new(params);
        let given = Given { params: reader.json(), own_action: own_action.map(str::to_owned) };
        reader.refuse_unknown_keys();
        let mut warnings = Vec::new();
        let (sources, chosen, spare) = sources(&mut reader, own_action, &mut warnings);
        let output = Output::read(&mut reader, &mut warnings);
        let documents = Documents::read(&mut reader, chosen, spare, &mut warnings);
        if reader.is_false("logstash.tls") {
            warnings.push("`logstash.tls` is false: the logs go to the receiver in the clear".into());
        }
        // Without TLS there is nothing to verify.
        let unverified = reader.is_false("logstash.rejectUnauthorized") && !reader.is_false("logstash.tls");
        if unverified && reader.has("logstash.leaf_sha256") {
            warnings.push("`logstash.rejectUnauthorized` is false: nothing but `logstash.leaf_sha256` is checked of the receiver's certificate".into());
        } else if unverified {
            warnings.push("`logstash.rejectUnauthorized` is false: anybody between here and the receiver can read the logs".into());
        }
        if reader.is_false("api.rejectUnauthorized") {
            warnings.push(
                "`api.rejectUnauthorized` is false: anybody between here and the API can take the API key"
                    .into(),
            );
        }
        let from = start::read(&mut reader, "from");
        let mut config = Self {
            given,
            sources,
            output,
            documents,
            from,
            to: start::read_end(&mut reader, from),
            lookback_ms: reader
                .integer("lookback_minutes", 1..=1440, "minutes")
                .map(|minutes| minutes * 60_000),
            logs: reader
                .choice(
                    "logs",
                    &[("auto", None), ("record", Some(LogPlace::Record)), ("api", Some(LogPlace::Api))],
                )
                .flatten(),
            api_host: reader.origin("api.host"),
            store: reader.choice(
                "checkpoint.store",
                &[("package", Store::Package), ("activation", Store::Activation), ("host", Store::Host)],
            ),
            package: reader.text("checkpoint.package"),
            on_missing_state: reader
                .choice(
                    "on_missing_state",
                    &[
                        ("lookback", OnMissingState::Lookback),
                        ("from", OnMissingState::From),
                        ("fail", OnMissingState::Fail),
                    ],
                )
                .unwrap_or(OnMissingState::Lookback),
            heartbeat: reader.switch("monitoring.heartbeat").unwrap_or(false),
            log_level: reader
                .choice("log_level", &[("info", LogLevel::Info), ("debug", LogLevel::Debug)])
                .unwrap_or(LogLevel::Info),
            warnings,
        };
        if config.on_missing_state == OnMissingState::From && !reader.has("from") {
            reader.fault("on_missing_state", "`from` is not given: give it, or choose `lookback` or `fail`");
        }
        if config.log_level == LogLevel::Debug {
            config.warnings.extend(reader.ignored());
        }
        reader.finish().map(|()| config)
    }
}

/// One source for each action; or, as soon as there is a pattern, one for the whole namespace, so that no record belongs to two sources.
/// Also what each entry selects, and what entries say that select nothing: its faults are told all the same.
fn sources(
    reader: &mut Reader,
    own_action: Option<&str>,
    warnings: &mut Vec<String>,
) -> (Vec<Source>, Vec<Chosen>, Vec<Own>) {
    let (mut entries, mut chosen): (Vec<Entry>, Vec<Chosen>) = (Vec::new(), Vec::new());
    let mut spare = Vec::new();
    let names = names(reader, &mut spare);
    let given = names.is_some();
    for (index, name, own) in names.into_iter().flatten() {
        match Entry::parse(&name) {
            Ok(Entry::Action(action)) if own_action.is_some_and(|own| action.is(own)) => {
                warnings.push(format!("`actions` lists `{name}`, this forwarder itself: it is left out"));
                spare.extend(own.map(|own| (index, own)));
            }
            Ok(entry) if entries.contains(&entry) => {
                warnings.push(format!("`actions` lists `{name}` twice"));
                spare.extend(own.map(|own| (index, own)));
            }
            Ok(Entry::Exclusion(_)) if own.is_some() => {
                reader.fault_at(
                    format!("actions[{index}]"),
                    &Value::String(name),
                    "an exclusion has no lines: give its name alone",
                );
            }
            Ok(entry) => {
                chosen.extend(entry.source().map(|source| Chosen {
                    index,
                    source,
                    own,
                    entry: entry.clone(),
                }));
                entries.push(entry);
            }
            Err(remedy) => {
                reader.fault_at(format!("actions[{index}]"), &Value::String(name), remedy);
                spare.extend(own.map(|own| (index, own)));
            }
        }
    }
    warnings.extend(unreached::warnings(&entries, &chosen));
    let excluding = entries.iter().any(|entry| matches!(entry, Entry::Exclusion(_)));
    if entries.iter().any(|entry| matches!(entry, Entry::Pattern(_))) {
        return (vec![Source::Namespace(Selection::new(entries, own_action))], chosen, spare);
    }
    if excluding {
        reader.fault(
            "actions",
            "an exclusion (`!name`) needs a pattern (`*`, `package/*`) that it makes an exception of",
        );
    } else if given && entries.is_empty() && reader.is_sound() {
        reader.fault("actions", "name at least one action other than this forwarder");
    }
    let action = |entry| if let Entry::Action(action) = entry { Some(Source::Action(action)) } else { None };
    (entries.into_iter().filter_map(action).collect(), chosen, spare)
}

/// An entry of `actions`: its place there, its name, and what is done for it alone.
type Named = (usize, String, Option<Map<String, Value>>);

/// The keys of an entry of `actions` besides its name, and its place there.
type Own = (usize, Map<String, Value>);

/// The entries of `actions`; in `spare` those without a name.
fn names(reader: &mut Reader, spare: &mut Vec<Own>) -> Option<Vec<Named>> {
    const REMEDY: &str = "give the names of the actions to monitor, such as [\"my-action\", \"package/action\", \"package/*\"]";
    let items = reader.items("actions", REMEDY)?;
    let mut names = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Value::String(name) => names.push((index, name, None)),
            Value::Object(mut own) => {
                for path in nest(&mut own) {
                    reader.fault_at(format!("actions[{index}].{path}"), &Value::Null, TWICE);
                }
                match own.remove("name") {
                    Some(Value::String(name)) => names.push((index, name, Some(own))),
                    other => {
                        reader.fault_at(
                            format!("actions[{index}].name"),
                            &other.unwrap_or_default(),
                            "give the name of an action or a pattern, such as \"package/*\"",
                        );
                        spare.push((index, own));
                    }
                }
            }
            other => {
                let remedy = format!("this item is not a text; {REMEDY}");
                reader.fault_at(format!("actions[{index}]"), &other, remedy);
            }
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests;
