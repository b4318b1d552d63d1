//! Activation records as the platform keeps them, and the text of their log lines (docs/facts/openwhisk.md 1.3–1.5, 1.8).

use super::behind;
use super::platform;
use super::random::mixed;
use super::spoiled;
use super::trouble::Poison;
use serde_json::{Value, json};
use std::rc::Rc;
use whiskjack::time::rfc3339;

/// Namespace of every record.
pub const NAMESPACE: &str = "guest@example.com";

/// What left the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A run of an action; the only kind that has log lines.
    Action,
    Sequence,
    Conductor,
    /// A trigger that has the name of an action.
    Trigger,
    /// What the platform writes when an action could not be run at all.
    Fallback,
}

/// Where the platform keeps log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogsAt {
    Record,
    /// In a store that `/logs` asks.
    Api,
    /// Out of reach.
    Nowhere,
}

/// One activation.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: u128,
    /// Name as monitored, and as the API's filter finds it: `action`, `package/action` or `binding/action`.
    pub key: String,
    /// Package of the provider, if it ran through a binding.
    pub bound_to: Option<&'static str>,
    pub kind: Kind,
    pub start: u64,
    pub end: u64,
    /// When the store has it.
    pub visible: u64,
    /// When an operator's job removes it.
    pub deleted: u64,
    pub lines: u32,
    /// When its lines are in their own store, if the platform has one. Its entries are not padded.
    pub logs_at: u64,
    pub padded: bool,
    /// Where its lines are.
    pub at: LogsAt,
    /// Whether the first of them is a notice of the platform, which stands in the record wherever the others are.
    pub notice: bool,
    /// Whether some of its entries are no sound text.
    pub spoiled: bool,
    /// Which of the fields that it need not have it lacks; 0 for none.
    pub bare: u64,
    /// If no page can hold it.
    pub poison: Option<Poison>,
    /// If it is a run of the forwarder itself: its result and its log.
    pub own: Option<Rc<(Value, Vec<String>)>>,
}

impl Record {
    /// A run of the forwarder, or of the forwarder of 2017 before it.
    pub fn of_forwarder(
        id: u128,
        (start, end, visible): (u64, u64, u64),
        own_name: &str,
        result: Value,
        log: &[String],
    ) -> Self {
        let log = log.iter().map(|line| format!("{:<30} stdout: {line}", rfc3339(end))).collect();
        Self {
            id,
            key: own_name.into(),
            bound_to: None,
            kind: Kind::Action,
            start,
            end,
            visible,
            deleted: u64::MAX,
            lines: 0,
            logs_at: visible,
            padded: true,
            at: LogsAt::Record,
            notice: false,
            spoiled: false,
            bare: 0,
            poison: None,
            own: Some(Rc::new((result, log))),
        }
    }

    /// A run of an action that printed one line and was visible when it began.
    pub fn of_action(id: u128, key: &str, start: u64, deleted: u64) -> Self {
        let forwarder = Self::of_forwarder(id, (start, start, start), "fwd", Value::Null, &[]);
        Self { key: key.into(), deleted, lines: 1, own: None, ..forwarder }
    }

    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }

    /// Whether it holds lines that must arrive.
    pub fn has_lines(&self) -> bool {
        self.kind == Kind::Action && self.lines > 0
    }

    pub fn is_visible(&self, at: u64) -> bool {
        self.visible <= at && at < self.deleted
    }

    /// One more line, before all others.
    pub fn begin_with_notice(&mut self) {
        if !self.notice {
            self.lines += 1;
        }
        (self.notice, self.spoiled) = (true, false);
    }

    /// The entry at `index`. Some are equal within a record.
    pub fn line(&self, index: u32) -> String {
        if self.notice && index == 0 {
            return platform::notice(self.id, &self.time());
        }
        let hash = mixed(self.id as u64 ^ u64::from(index));
        let tail = match hash % 16 {
            0 => return format!("{} stderr: the same again", self.time()),
            1 if !self.notice => {
                return "There was an issue while collecting your logs. Data might be missing.".into();
            }
            2 => "\t\"quoted\" \\ ]}{[".into(),
            3 => "\u{1b}[31mred\u{1b}[0m 🪵 \u{1}".into(),
            4 if hash % 512 < 16 => "x".repeat(16_000),
            _ => String::new(),
        };
        format!("{} stdout: {:032x}#{index}{tail}", self.time(), self.id)
    }

    pub fn time(&self) -> String {
        let time = rfc3339(self.end);
        if self.padded { format!("{time:<30}") } else { time }
    }

    /// Whether a page that holds it fails, and whether it can be had by its id then.
    pub fn poisoned(&self, at: u64) -> Option<Poison> {
        self.poison.filter(|poison| at < poison.until)
    }

    /// What the list shows of it, as bytes.
    pub fn bytes(&self, docs: bool) -> Vec<u8> {
        let mut json = self.json(docs);
        spoiled::strip(self, &mut json);
        spoiled::unmarked(self, json.to_string())
    }

    /// What `/logs` answers when the entries are these.
    pub fn bytes_of_logs(&self, entries: Vec<String>) -> Vec<u8> {
        spoiled::unmarked(self, json!({"logs": spoiled::marked(self, entries)}).to_string())
    }

    fn json(&self, docs: bool) -> Value {
        let mut json = json!({"activationId": format!("{:032x}", self.id), "namespace": NAMESPACE, "name": self.name(), "version": "0.0.1",
            "publish": false, "start": self.start, "annotations": self.annotations()});
        if self.kind != Kind::Trigger {
            json["end"] = self.end.into();
            json["duration"] = (self.end - self.start).into();
        }
        if let Some(own) = self.own.as_ref().filter(|_| docs) {
            let status = match own.0["error"].as_str() {
                Some(behind::TIMED_OUT | behind::DIED) => "action developer error",
                Some(_) => "application error",
                None => "success",
            };
            json["response"] = json!({"status": status, "success": status == "success", "result": own.0});
            json["logs"] = own.1.clone().into();
        } else if docs {
            json["subject"] = NAMESPACE.into();
            json["response"] =
                json!({"status": "success", "success": true, "result": {"logs": ["no", {"a": "]}"}]}});
            let own = if self.notice { vec![self.line(0)] } else { Vec::new() };
            let inline = self.at == LogsAt::Record || self.kind != Kind::Action;
            json["logs"] = if inline { spoiled::marked(self, self.logs()) } else { own }.into();
            if self.spoiled {
                json["response"]["result"]["text"] = "@@result".into();
            }
        } else if self.kind != Kind::Trigger {
            json["statusCode"] = 0.into();
        }
        json
    }

    /// What its own store has of it.
    pub fn stored(&self) -> Vec<String> {
        let left_out = self.notice && !platform::is_in_store(self.id);
        let lines = u32::from(left_out)..self.lines;
        // Where there is nothing but a notice, there is nothing.
        if self.notice && self.lines == 1 {
            Vec::new()
        } else {
            lines.map(|index| self.line(index)).collect()
        }
    }

    /// What `logs` of the record holds where it is the place for that.
    pub fn logs(&self) -> Vec<String> {
        match self.kind {
            Kind::Action => (0..self.lines).map(|index| self.line(index)).collect(),
            Kind::Sequence | Kind::Conductor => {
                (0..self.lines).map(|n| format!("{:032x}", self.id ^ u128::from(n))).collect()
            }
            Kind::Trigger => {
                vec![r#"{"rule":"guest/r","action":"guest/a","statusCode":0,"success":true}"#.into()]
            }
            Kind::Fallback => Vec::new(),
        }
    }

    fn annotations(&self) -> Value {
        if self.kind == Kind::Trigger {
            return json!([]);
        }
        let path = match (self.bound_to, self.name()) {
            (Some(package), name) => format!("provider/{package}/{name}"),
            (None, _) => format!("{NAMESPACE}/{}", self.key),
        };
        let kind = match self.kind {
            Kind::Sequence => "sequence",
            Kind::Fallback => "unknown",
            _ => "nodejs:20",
        };
        let mut annotations =
            vec![json!({"key": "path", "value": path}), json!({"key": "kind", "value": kind})];
        if let (Some(_), Some((binding, _))) = (self.bound_to, self.key.split_once('/')) {
            annotations.push(json!({"key": "binding", "value": format!("{NAMESPACE}/{binding}")}));
        }
        if self.kind == Kind::Conductor {
            annotations.push(json!({"key": "conductor", "value": true}));
        }
        if self.kind == Kind::Action {
            annotations
                .push(json!({"key": "limits", "value": {"timeout": 60_000, "memory": 256, "logs": 10}}));
            let timed_out = self.own.as_ref().is_some_and(|own| own.0["error"] == behind::TIMED_OUT);
            annotations.push(json!({"key": "timeout", "value": timed_out}));
        }
        annotations.into()
    }
}
