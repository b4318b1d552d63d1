//! A stored activation, and its three forms: summary, full record, `/result`.

use serde_json::{Map, Value, json};

use crate::activation::{Activation, Entry, Kind, Status};
use crate::log;

/// An activation as the store keeps it.
#[derive(Debug, Clone)]
pub struct Record {
    /// 32 lower-case hex digits.
    pub id: String,
    /// The invoking namespace.
    pub namespace: String,
    /// Simple name of the action or trigger.
    pub name: String,
    /// Package of the action.
    pub package: Option<String>,
    /// Milliseconds since 1970.
    pub start: i64,
    /// Milliseconds since 1970; the start for triggers.
    pub end: i64,
    /// When it was or will be written, milliseconds since 1970.
    pub visible_at: i64,
    /// The log entries that the record itself carries.
    pub logs: Vec<String>,
    pub(crate) binding: Option<String>,
    pub(crate) owner: String,
    pub(crate) corrupt: bool,
    elsewhere: Option<Vec<String>>,
    full: Map<String, Value>,
    summary: String,
    // Rendered once: a page of records is then a matter of copying.
    rendered: String,
}

impl Record {
    /// Fixes what the builder left open.
    pub(crate) fn new(activation: Activation, namespace: String, id: String, now: i64) -> Self {
        let end_known = activation.kind != Kind::Trigger;
        let duration = if end_known { activation.duration } else { 0 };
        let start = activation.start.unwrap_or(now - duration);
        let owner = activation.owner.clone().unwrap_or_else(|| namespace.clone());
        let facts = Facts { a: &activation, namespace: &namespace, owner: &owner, id: &id, start, duration };
        let (full, summary) = (facts.full(), facts.summary().to_string());
        let logs = entries(&activation.entries, start, duration);
        let mut record = Self {
            start,
            end: start + duration,
            visible_at: activation.visible_at.unwrap_or(start + duration),
            logs,
            owner,
            corrupt: activation.corrupt,
            full,
            summary,
            rendered: String::new(),
            elsewhere: activation.elsewhere,
            name: activation.name,
            package: activation.package,
            binding: activation.binding,
            id,
            namespace,
        };
        record.render();
        record
    }

    /// What the list shows without `docs`.
    pub(crate) fn summary(&self) -> &str {
        &self.summary
    }

    /// What `docs=true` and GET by id show.
    pub(crate) fn full(&self) -> &str {
        &self.rendered
    }

    /// What `/result` shows.
    pub(crate) fn response(&self) -> &Value {
        &self.full["response"]
    }

    /// What `/logs` shows: the record's entries, or those of a log store of its own.
    pub(crate) fn served_logs(&self) -> &[String] {
        self.elsewhere.as_deref().unwrap_or(&self.logs)
    }

    /// Takes the log entries away, as operators do with old records.
    pub(crate) fn blank(&mut self) {
        self.logs.clear();
        self.render();
    }

    fn render(&mut self) {
        let mut full = self.full.clone();
        full.insert("logs".into(), json!(self.logs));
        self.rendered = Value::Object(full).to_string();
    }
}

/// Entries spread over the run, each at a time of its own.
fn entries(entries: &[Entry], start: i64, duration: i64) -> Vec<String> {
    let render = |(index, entry): (usize, &Entry)| match entry {
        Entry::Raw(text) => text.clone(),
        Entry::Line { offset_ms, stream, message } => {
            let ms = start + (*offset_ms).min(duration);
            let within = (index as i128 * 7919 + 104_729) % 1_000_000;
            log::entry(i128::from(ms) * 1_000_000 + within, stream, message)
        }
    };
    entries.iter().enumerate().map(render).collect()
}

struct Facts<'a> {
    a: &'a Activation,
    namespace: &'a str,
    owner: &'a str,
    id: &'a str,
    start: i64,
    duration: i64,
}

impl Facts<'_> {
    fn summary(&self) -> Value {
        let mut fields = self.common();
        if self.a.kind != Kind::Trigger {
            fields.insert("end".into(), json!(self.start + self.duration));
            // The database view computes it, so that a sequence shows its whole time here.
            fields.insert("duration".into(), json!(self.duration));
            fields.insert("statusCode".into(), json!(self.a.status as u8));
        }
        Value::Object(fields)
    }

    fn full(&self) -> Map<String, Value> {
        let mut fields = self.common();
        let subject = self.a.subject.clone().unwrap_or_else(|| format!("{}@example.com", self.namespace));
        fields.insert("subject".into(), json!(subject));
        if self.a.kind != Kind::Trigger {
            fields.insert("end".into(), json!(self.start + self.duration));
            fields.insert("duration".into(), json!(self.a.component_time.unwrap_or(self.duration)));
        }
        fields.insert("response".into(), self.response());
        fields.extend(self.a.extra.clone());
        fields
    }

    fn common(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("namespace".into(), json!(self.namespace));
        fields.insert("name".into(), json!(self.a.name));
        fields.insert("version".into(), json!(self.a.version));
        fields.insert("publish".into(), json!(false));
        fields.insert("annotations".into(), self.annotations());
        fields.insert("activationId".into(), json!(self.id));
        fields.insert("start".into(), json!(self.start));
        if let Some(cause) = &self.a.cause {
            fields.insert("cause".into(), json!(cause));
        }
        fields
    }

    fn response(&self) -> Value {
        let status = match self.a.status {
            Status::Success => "success",
            Status::ApplicationError => "application error",
            Status::DeveloperError => "action developer error",
            Status::WhiskError => "whisk internal error",
        };
        let mut response = Map::new();
        response.insert("status".into(), json!(status));
        response.insert("success".into(), json!(self.a.status == Status::Success));
        if let Some(result) = &self.a.result {
            response.insert("result".into(), result.clone());
            if self.a.sized {
                response.insert("size".into(), json!(result.to_string().len()));
            }
        }
        Value::Object(response)
    }

    fn annotations(&self) -> Value {
        let a = self.a;
        let mut all: Vec<(String, Value)> = Vec::new();
        let mut add = |key: &str, value: Value| all.push((key.into(), value));
        if a.kind != Kind::Trigger {
            add("path", json!(self.path()));
            add("kind", json!(a.runtime));
        }
        if let Some(binding) = &a.binding {
            add("binding", json!(format!("{}/{binding}", self.namespace)));
        }
        if matches!(a.kind, Kind::Action | Kind::Sequence | Kind::Conductor) {
            add("waitTime", json!(37));
            add("limits", json!({"concurrency": 1, "logs": 10, "memory": 256, "timeout": 60_000}));
        }
        match a.kind {
            Kind::Action => add("timeout", json!(a.timed_out)),
            Kind::Sequence | Kind::Conductor => add("topmost", json!(a.cause.is_none())),
            Kind::Trigger | Kind::Fallback => {}
        }
        if a.kind == Kind::Conductor {
            add("conductor", json!(true));
        }
        if let Some(init) = a.init_time {
            add("initTime", json!(init));
        }
        if a.cause.is_some() {
            add("causedBy", json!("sequence"));
        }
        all.extend(a.annotations.iter().cloned());
        all.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    }

    fn path(&self) -> String {
        let package = self.a.package.iter();
        let segments = [self.owner].into_iter().chain(package.map(String::as_str)).chain([&*self.a.name]);
        segments.collect::<Vec<_>>().join("/")
    }
}
