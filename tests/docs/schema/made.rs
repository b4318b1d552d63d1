//! The schema, made from the table of keys: each key's form says what its value is. A form that is not known here is an error.

use super::patterns;
use serde_json::{Map, Value, json};
use whiskjack::config::{KEYS, Key, KeyReader};

/// What stands in `logstash.key`, which is no group of keys but takes dots as one.
const IN_KEY: [&str; 2] = ["logstash.key.pem", "logstash.key.passphrase"];

/// The schema as a file, with a line for each key and each rule.
pub(crate) fn text() -> String {
    let Value::Object(schema) = schema() else { unreachable!() };
    let lines: Vec<String> = schema
        .iter()
        .map(|(name, value)| {
            let held: Vec<String> = match value {
                Value::Object(members) if members.len() > 1 => {
                    members.iter().map(|(name, value)| format!("    {}: {value}", json!(name))).collect()
                }
                Value::Array(items) => items.iter().map(|item| format!("    {item}")).collect(),
                _ => return format!("  {}: {value}", json!(name)),
            };
            let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
            format!("  {}: {open}\n{}\n  {close}", json!(name), held.join(",\n"))
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn schema() -> Value {
    let mut definitions = Map::from_iter([
        (
            "variable".to_owned(),
            json!({"type": "string", "pattern": "\\$\\{", "description": "Filled in from the environment, in a file of --config only"}),
        ),
        ("text".to_owned(), json!({"type": ["string", "null"]})),
    ]);
    for key in keys() {
        definitions.insert(key.path.to_owned(), definition(key));
    }
    let mut properties = members("");
    for key in KEYS.iter().filter(|key| key.reader == KeyReader::Ignored) {
        properties.insert(key.path.to_owned(), json!({"description": key.meaning}));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "whiskjack",
        "description": "Configuration of the forwarder. Made from settings/src/keys.rs by `WHISKJACK_UPDATE=1 cargo test --test docs schema`; a test compares them.",
        "type": "object",
        "properties": properties,
        "patternProperties": {"^__": true},
        "additionalProperties": false,
        "allOf": rules(),
        "$defs": definitions,
    })
}

fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.reader != KeyReader::Ignored)
}

/// What may stand in a group: each key by the rest of its path, and each group within.
fn members(group: &str) -> Map<String, Value> {
    let mut members = Map::new();
    let mut add = |path: &str, definition: Value| {
        let Some(rest) = path.strip_prefix(group) else { return };
        for (end, _) in rest.match_indices('.') {
            let name = &rest[..end];
            if !keys().any(|key| key.path == format!("{group}{name}")) && !members.contains_key(name) {
                let within = format!("{group}{name}.");
                members.insert(name.to_owned(), json!({
                    "type": ["object", "null"], "properties": self::members(&within), "additionalProperties": false,
                }));
            }
        }
        members.insert(rest.to_owned(), definition);
    };
    for key in keys() {
        let mut definition = json!({"$ref": format!("#/$defs/{}", key.path)});
        // A word, or keys below it.
        if key.path.starts_with(group)
            && keys().any(|other| other.path.strip_prefix(key.path).is_some_and(|rest| rest.starts_with('.')))
        {
            let within = json!({"type": "object", "properties": self::members(&format!("{}.", key.path)), "additionalProperties": false});
            definition = json!({"anyOf": [definition, within]});
        }
        add(key.path, definition);
    }
    IN_KEY.iter().for_each(|path| add(path, json!({"$ref": "#/$defs/text"})));
    members
}

/// What an entry of `actions` may have besides its name, and the name.
fn of_some() -> Map<String, Value> {
    let of_some = |name: &&String| {
        let first = name.split('.').next().unwrap_or_default();
        ["lines", "fields", "fields_under_root", "tags"].contains(&first)
            || name.as_str() == "events.activations"
    };
    let all = members("");
    let mut some: Map<String, Value> = all
        .iter()
        .filter(|(name, _)| of_some(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let activations = json!({"activations": {"$ref": "#/$defs/events.activations"}});
    some.insert(
        "events".into(),
        json!({"type": ["object", "null"], "properties": activations, "additionalProperties": false}),
    );
    some.insert("name".into(), json!({"type": "string", "pattern": patterns::action_but_no_exclusion()}));
    some
}

fn definition(key: &Key) -> Value {
    let mut definition = json!({"description": format!("{} ({})", key.meaning, key.form)});
    if let Some(default) = default(key) {
        definition["default"] = default;
    }
    let mut value = value(key.form);
    // `null` counts as absent.
    definition["anyOf"] = match value.as_array_mut() {
        Some(ways) => ways.drain(..).collect(),
        None => json!([value]),
    };
    let ways = definition["anyOf"].as_array_mut().unwrap();
    ways.extend([json!({"type": "null"}), json!({"$ref": "#/$defs/variable"})]);
    definition
}

fn default(key: &Key) -> Option<Value> {
    let text = key.default.trim_matches('`');
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(_) if key.form.starts_with("time") || choices(key.form).contains(&text) => Some(json!(text)),
        Err(_) => None,
    }
}

/// The words in quotes, if a form is nothing else.
fn choices(form: &str) -> Vec<&str> {
    let (words, between): (Vec<_>, Vec<_>) = form.split('`').enumerate().partition(|(at, _)| at % 2 == 1);
    let only = between.iter().all(|(_, text)| ["", ", ", " or "].contains(text));
    if only { words.into_iter().map(|(_, word)| word).collect() } else { Vec::new() }
}

/// What a value of this form is; an array of ways.
fn value(form: &str) -> Value {
    let texts = |pattern: String| json!({"type": "string", "pattern": pattern});
    let or_list = |item: Value| json!([item, {"type": "array", "items": item, "minItems": 1}]);
    let absent = json!({"const": ""});
    let pem = json!({"type": "string"});
    match form {
        "array of names, or of objects with a name" => {
            let named = json!({"type": "object", "required": ["name"], "additionalProperties": false, "properties": of_some()});
            let item = json!({"anyOf": [texts(patterns::action()), named]});
            let chosen = json!({"anyOf": [texts("^[^!]".into()), {"type": "object"}]});
            json!({"type": "array", "minItems": 1, "items": item, "contains": chosen})
        }
        "array of `host:port`" => {
            json!({"type": "array", "minItems": 1, "items": texts(patterns::endpoint(true))})
        }
        "milliseconds since 1970, or RFC 3339" => json!([
            {"type": "integer", "minimum": 0, "maximum": 253_402_300_799_999_u64, "not": {"minimum": 100_000_000, "exclusiveMaximum": 100_000_000_000_u64}},
            texts(patterns::instant()),
        ]),
        "name or IP address, or `host:port`" => texts(patterns::endpoint(true)),
        "name or IP address" => json!([texts(patterns::endpoint(false)), absent]),
        "1–65535" => {
            json!([{"type": "integer", "minimum": 1, "maximum": 65535}, texts(patterns::whole(&format!("\\+?{}", patterns::number(1, 65_535))))])
        }
        "boolean" => json!({"type": "boolean"}),
        "PEM" | "PEM, or array of PEM" => json!([pem, {"type": "array", "items": pem}]),
        "PEM, or {\"pem\", \"passphrase\"}" => {
            let key = json!({
                "type": "object", "required": ["pem"], "additionalProperties": false,
                "properties": {"pem": pem, "passphrase": {"$ref": "#/$defs/text"}},
            });
            json!([pem, key, {"type": "array", "items": {"anyOf": [pem, key]}, "minItems": 1, "maxItems": 1}])
        }
        "text" => pem,
        "object" => json!({"type": "object"}),
        "array of texts" => json!({"type": "array", "items": texts("\\S".into())}),
        "array of regular expressions" => json!({"type": "array", "items": texts("^.+$".into())}),
        "regular expression" => texts("\\S".into()),
        "boolean or `failed`" => json!({"enum": [true, false, "failed"]}),
        "`stdout` or `stderr`, or array of them" => or_list(json!({"enum": ["stdout", "stderr"]})),
        "`auto` or false" => json!({"enum": ["auto", false]}),
        "array of redactions" => {
            let pattern = json!({"type": "object", "required": ["pattern"], "additionalProperties": false,
                "properties": {"pattern": texts("^.+$".into()), "with": {"type": "string"}}});
            json!({"type": "array", "items": {"anyOf": [{"enum": ["email", "ip", "bearer", "jwt", "card", "key"]}, pattern]}})
        }
        "`2017` or `ecs`" => json!({"enum": ["2017", 2017, "ecs"]}),
        "name" => texts("\\S".into()),
        "lower-case name" => {
            json!({"type": "string", "pattern": "^[^A-Z\\s\\\\/*?\"<>|,#:-]+$", "maxLength": 100})
        }
        "origin or host, with a path if a gateway has one" => texts(patterns::origin()),
        "URL" => texts(patterns::proxy()),
        "fingerprint, or array of them" => match or_list(texts(patterns::fingerprint())) {
            Value::Array(ways) => ways.into_iter().chain([absent]).collect(),
            other => other,
        },
        "`TLSv1.2` or `TLSv1.3`" => {
            json!({"enum": ["TLSv1.2", "TLSv1.3", "TLSv1", "TLSv1.0", "TLSv1.1", ""]})
        }
        form if !choices(form).is_empty() => json!({"enum": choices(form)}),
        form => match range(form) {
            Some((least, most)) => json!({"type": "integer", "minimum": least, "maximum": most}),
            None => {
                let (least, most) = form
                    .strip_prefix("time, ")
                    .and_then(|range| range.split_once('–'))
                    .unwrap_or_else(|| panic!("say in {} what is a value of the form {form}", file!()));
                texts(patterns::time(patterns::milliseconds(least), patterns::milliseconds(most)))
            }
        },
    }
}

/// `1–10,000`, `1 or 2`.
fn range(form: &str) -> Option<(u64, u64)> {
    let form = form.replace(',', "");
    let (least, most) = form.split_once('–').or_else(|| form.split_once(" or "))?;
    Some((least.parse().ok()?, most.parse().ok()?))
}

/// What must hold between keys.
fn rules() -> Vec<Value> {
    let given = || json!({"not": {"enum": [null, ""]}});
    let any = |path: &str, is: Value| Value::Array(ways(path).iter().map(|way| holds(way, &is)).collect());
    let has = |path: &str| json!({"anyOf": any(path, given())});
    let is = |path: &str, value: Value| json!({"anyOf": any(path, json!({"const": value}))});
    let one_of = |path: &str, list: &[&str]| json!({"anyOf": any(path, json!({"enum": list}))});
    let not_both = |a: Value, b: Value| json!({"not": {"allOf": [a, b]}});
    let implies = |a: Value, b: Value| json!({"if": a, "then": b});
    let pattern =
        |pattern: &str| json!({"anyOf": any("logstash.host", json!({"type": "string", "pattern": pattern}))});
    let entry = |pattern: &str| json!({"properties": {"actions": {"type": "array", "contains": {"type": "string", "pattern": pattern}}}});
    let mut rules = vec![
        has("actions"),
        json!({"anyOf": [has("logstash.host"), has("logstash.hosts")]}),
        not_both(has("logstash.host"), has("logstash.hosts")),
        json!({"anyOf": [has("logstash.hosts"), has("logstash.port"), pattern("^[^:]*:[0-9]+\\s*$|\\]:[0-9]+\\s*$|\\$\\{")]}),
        implies(entry("^!"), entry("^[^!]*\\*|\\$\\{")),
        implies(is("on_missing_state", json!("from")), has("from")),
        not_both(is("logstash.protocol", json!(1)), is("logstash.pipelining", json!(2))),
        not_both(is("logstash.minVersion", json!("TLSv1.3")), is("logstash.maxVersion", json!("TLSv1.2"))),
        json!({"not": one_of("logstash.maxVersion", &["TLSv1", "TLSv1.0", "TLSv1.1"])}),
        implies(has("logstash.cert"), json!({"anyOf": [has("logstash.key"), has(IN_KEY[0])]})),
        implies(json!({"anyOf": [has("logstash.key"), has(IN_KEY[0])]}), has("logstash.cert")),
        implies(
            json!({"anyOf": any("events.namespace", json!({"type": "string", "pattern": "^(?!.*\\$\\{).+$"}))}),
            is("events.shape", json!("ecs")),
        ),
        implies(is("events.original", json!(true)), is("events.shape", json!("ecs"))),
        not_both(is("events.package", json!(true)), is("events.shape", json!("ecs"))),
        not_both(is("events.sequence", json!(true)), is("events.shape", json!("ecs"))),
        not_both(
            is("logstash.tls", json!(false)),
            json!({"anyOf": [has("logstash.ca_sha256"), has("logstash.leaf_sha256")]}),
        ),
        not_both(is("logstash.rejectUnauthorized", json!(false)), has("logstash.ca_sha256")),
    ];
    for path in keys().map(|key| key.path).chain(IN_KEY) {
        let ways = ways(path);
        for (at, way) in ways.iter().enumerate() {
            for other in &ways[at + 1..] {
                let given = json!({"not": {"type": "null"}});
                rules.push(not_both(holds(way, &given), holds(other, &given)));
            }
        }
    }
    rules
}

/// The ways to write a path: at each of its dots, dotted or nested.
fn ways(path: &str) -> Vec<Vec<String>> {
    match path.rsplit_once('.') {
        None => vec![vec![path.to_owned()]],
        Some((group, name)) => ways(group)
            .into_iter()
            .flat_map(|way| {
                let mut dotted = way.clone();
                let last = dotted.pop().unwrap();
                dotted.push(format!("{last}.{name}"));
                [[way, vec![name.to_owned()]].concat(), dotted]
            })
            .collect(),
    }
}

/// That what is written in this way is there, and is so.
fn holds(way: &[String], is: &Value) -> Value {
    match way.split_first() {
        None => is.clone(),
        Some((name, rest)) => {
            json!({"type": "object", "required": [name], "properties": {name: holds(rest, is)}})
        }
    }
}
