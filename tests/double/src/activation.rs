//! Builds activations, of every kind that leaves a record.

use serde_json::{Map, Value, json};

/// An activation to be added to a world. Unless told otherwise it is a warm, successful 50 ms run of a Node.js action
/// that ends now and becomes visible when it ends.
#[derive(Debug, Clone)]
pub struct Activation {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) package: Option<String>,
    pub(crate) binding: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) runtime: String,
    pub(crate) version: String,
    pub(crate) id: Option<String>,
    pub(crate) start: Option<i64>,
    pub(crate) duration: i64,
    pub(crate) component_time: Option<i64>,
    pub(crate) visible_at: Option<i64>,
    pub(crate) init_time: Option<i64>,
    pub(crate) timed_out: bool,
    pub(crate) cause: Option<String>,
    pub(crate) status: Status,
    pub(crate) result: Option<Value>,
    pub(crate) sized: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) elsewhere: Option<Vec<String>>,
    pub(crate) annotations: Vec<(String, Value)>,
    pub(crate) extra: Map<String, Value>,
    pub(crate) corrupt: bool,
    cursor: i64,
}

/// What was activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Action,
    Sequence,
    Conductor,
    Trigger,
    Fallback,
}

/// How an activation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The action returned a result.
    Success,
    /// The action returned an error.
    ApplicationError,
    /// The action crashed, timed out or did not start.
    DeveloperError,
    /// The platform failed.
    WhiskError,
}

/// One log entry, its time still relative to the start.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Line { offset_ms: i64, stream: &'static str, message: String },
    Raw(String),
}

impl Activation {
    /// An action's run.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of(Kind::Action, name.into())
    }

    /// A sequence: its log entries are its components' ids.
    pub fn sequence(name: impl Into<String>) -> Self {
        Self::of(Kind::Sequence, name.into()).runtime("sequence")
    }

    /// The primary record of a conductor action: its log entries are ids, too.
    pub fn conductor(name: impl Into<String>) -> Self {
        Self::of(Kind::Conductor, name.into()).runtime("sequence")
    }

    /// A fired trigger: no end, no duration, no annotations.
    pub fn trigger(name: impl Into<String>) -> Self {
        Self::of(Kind::Trigger, name.into()).version("0.0.1").no_size()
    }

    /// What is recorded when an action could not be run at all: no duration, no logs, hardly an annotation.
    pub fn fallback(name: impl Into<String>) -> Self {
        Self::of(Kind::Fallback, name.into())
            .runtime("unknown")
            .duration(0)
            .status(Status::WhiskError)
            .result(json!({"error": "Failed to provision resources to run the action."}))
    }

    fn of(kind: Kind, name: String) -> Self {
        Self {
            kind,
            name,
            package: None,
            binding: None,
            namespace: None,
            owner: None,
            subject: None,
            runtime: "nodejs:20".into(),
            version: "0.0.3".into(),
            id: None,
            start: None,
            duration: 50,
            component_time: None,
            visible_at: None,
            init_time: None,
            timed_out: false,
            cause: None,
            status: Status::Success,
            result: Some(json!({"ok": true})),
            sized: true,
            entries: Vec::new(),
            elsewhere: None,
            annotations: Vec::new(),
            extra: Map::new(),
            corrupt: false,
            cursor: 0,
        }
    }

    /// The action's package.
    pub fn package(mut self, package: impl Into<String>) -> Self {
        self.package = Some(package.into());
        self
    }

    /// The package binding it was invoked through.
    pub fn binding(mut self, binding: impl Into<String>) -> Self {
        self.binding = Some(binding.into());
        self
    }

    /// The invoking namespace, if it is not the world's first.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The namespace that owns the action, if it is not the invoking one.
    pub fn owner(mut self, namespace: impl Into<String>) -> Self {
        self.owner = Some(namespace.into());
        self
    }

    /// Who invoked it.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The `kind` annotation, as `nodejs:20` or `blackbox`.
    pub fn runtime(mut self, kind: impl Into<String>) -> Self {
        self.runtime = kind.into();
        self
    }

    /// The action's version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// 32 lower-case hex digits. Otherwise the world gives one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// When it started, in milliseconds since 1970.
    pub fn start(mut self, ms: i64) -> Self {
        self.start = Some(ms);
        self
    }

    /// How long it ran, in milliseconds.
    pub fn duration(mut self, ms: i64) -> Self {
        self.duration = ms;
        self
    }

    /// What a sequence's full record gives as `duration`: the time of its components, in milliseconds.
    pub fn component_time(mut self, ms: i64) -> Self {
        self.component_time = Some(ms);
        self
    }

    /// When the record is written, in milliseconds since 1970.
    pub fn visible_at(mut self, ms: i64) -> Self {
        self.visible_at = Some(ms);
        self
    }

    /// A cold start: the container took this many milliseconds to get ready.
    pub fn cold(mut self, init_ms: i64) -> Self {
        self.init_time = Some(init_ms);
        self
    }

    /// It ran into its time limit.
    pub fn timed_out(mut self) -> Self {
        self.timed_out = true;
        self.status(Status::DeveloperError)
    }

    /// It is a component of the sequence or composition with this id.
    pub fn cause(mut self, id: impl Into<String>) -> Self {
        self.cause = Some(id.into());
        self
    }

    /// How it ended.
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// What it returned: usually an object, but an array is legal as well.
    pub fn result(mut self, result: Value) -> Self {
        self.result = Some(result);
        self
    }

    /// The record has no `response.result`.
    pub fn no_result(mut self) -> Self {
        self.result = None;
        self.no_size()
    }

    /// The record has no `response.size`.
    pub fn no_size(mut self) -> Self {
        self.sized = false;
        self
    }

    /// The next lines are written this many milliseconds after the start.
    pub fn at(mut self, offset_ms: i64) -> Self {
        self.cursor = offset_ms;
        self
    }

    /// Lines on stdout, one entry each.
    pub fn stdout(self, text: &str) -> Self {
        self.lines("stdout", text)
    }

    /// Lines on stderr, one entry each.
    pub fn stderr(self, text: &str) -> Self {
        self.lines("stderr", text)
    }

    fn lines(mut self, stream: &'static str, text: &str) -> Self {
        for message in text.split('\n') {
            let entry = Entry::Line { offset_ms: self.cursor, stream, message: message.into() };
            self.entries.push(entry);
            self.cursor += 1;
        }
        self
    }

    /// An entry as it is, without time or stream.
    pub fn raw_log(mut self, entry: impl Into<String>) -> Self {
        self.entries.push(Entry::Raw(entry.into()));
        self
    }

    /// A component of a sequence: its id becomes an entry.
    pub fn component(self, id: impl Into<String>) -> Self {
        self.raw_log(id)
    }

    /// A rule that a trigger fired, and the activation that came of it.
    pub fn rule(self, rule: &str, action: &str, id: &str) -> Self {
        let fired =
            json!({"rule": rule, "action": action, "statusCode": 0, "success": true, "activationId": id});
        self.raw_log(fired.to_string())
    }

    /// A rule that a trigger found inactive.
    pub fn inactive_rule(self, rule: &str, action: &str) -> Self {
        let error = format!("Rule '{rule}' is inactive, action '{action}' was not activated.");
        let idle = json!({"rule": rule, "action": action, "statusCode": 1, "success": false, "error": error});
        self.raw_log(idle.to_string())
    }

    /// What `/logs` returns, from a log store of its own; the record's `logs` stays as built (usually empty).
    pub fn logs_elsewhere<S: Into<String>>(mut self, entries: impl IntoIterator<Item = S>) -> Self {
        self.elsewhere = Some(entries.into_iter().map(Into::into).collect());
        self
    }

    /// One more annotation.
    pub fn annotation(mut self, key: impl Into<String>, value: Value) -> Self {
        self.annotations.push((key.into(), value));
        self
    }

    /// A field that today's servers do not send.
    pub fn extra(mut self, field: impl Into<String>, value: Value) -> Self {
        self.extra.insert(field.into(), value);
        self
    }

    /// The stored document cannot be parsed: pages of full records leave it out without a word.
    pub fn corrupt(mut self) -> Self {
        self.corrupt = true;
        self
    }
}
