//! The fields of documents in the shape of the Elastic Common Schema, for the page about events and for index templates.

mod names;

pub(crate) use names::{MESSAGES, NUMBERS, REPLACEABLE, TEXTS, known_as};

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Path, such as `event.id`; a `*` stands for names that loggers or the configuration give.
    pub name: &'static str,
    /// Type in Elasticsearch's terms.
    pub kind: &'static str,
    /// The source of its value.
    pub source: &'static str,
    /// When documents do not have it; empty if they always have it.
    pub absent: &'static str,
}

const fn field(name: &'static str, kind: &'static str, source: &'static str, absent: &'static str) -> Field {
    Field { name, kind, source, absent }
}

const JSON: &str = "unless a [JSON](#json) line sets it";
const RECORD: &str = "if the record does not have it";
const LINES: &str = "in events of activations";
const HEARTBEAT: &str = "unless it is a [heartbeat](#heartbeat)";
const SUMMARIES: &str = "in events of lines";

/// All fields, in the order of their names.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@metadata.beat", "–", "`whiskjack`", ""),
    field("@metadata.version", "–", "version of the forwarder", ""),
    field("@metadata.dataset", "–", "`openwhisk.log`, `openwhisk.activation` or `openwhisk.forwarder`", ""),
    field("@metadata._id", "–", "the event's [id](#ids)", ""),
    field("@timestamp", "date", "time of the line, with nanoseconds; for an activation, its end", ""),
    field("agent.name", "keyword", "full name of the forwarder's action; `whiskjack` for the command", ""),
    field("agent.type", "keyword", "`whiskjack`", ""),
    field("agent.version", "keyword", "version of the forwarder", ""),
    field("data_stream.dataset", "constant_keyword", "`openwhisk.log`, `openwhisk.activation` or `openwhisk.forwarder`", ""),
    field("data_stream.namespace", "constant_keyword", "`events.namespace`", ""),
    field("data_stream.type", "constant_keyword", "`logs`", ""),
    field("ecs.version", "keyword", "`8.11.0`", ""),
    field("error.message", "match_only_text", "the text of `error` in the result of a failed activation, its first 512 bytes; or from a JSON line", "without such a text"),
    field("error.stack_trace", "wildcard", "`stack`, `stack_trace`, `stacktrace`, `exc_info`", JSON),
    field("error.type", "keyword", "name, type, code or status of that error; or a JSON line", "without such a thing"),
    field("event.action", "keyword", "`event.action`", JSON),
    field("event.created", "date", "start of the forwarder's run", ""),
    field("event.dataset", "keyword", "`openwhisk.log`, `openwhisk.activation` or `openwhisk.forwarder`", ""),
    field("event.duration", "long", "duration of the activation, in nanoseconds", RECORD),
    field("event.end", "date", "end of the activation", RECORD),
    field("event.id", "keyword", "the event's [id](#ids)", ""),
    field("event.kind", "keyword", "`event`; `metric` for a heartbeat", ""),
    field("event.module", "keyword", "`openwhisk`", ""),
    field("event.original", "keyword, not indexed", "the entry as the platform has it", "unless `events.original` is true"),
    field("event.outcome", "keyword", "outcome of the activation: `success`, `failure` or `unknown`", ""),
    field("event.sequence", "long", "number of the line in its activation, from 0", LINES),
    field("event.start", "date", "start of the activation", ""),
    field("faas.coldstart", "boolean", "whether a container was started for the activation", RECORD),
    field("faas.execution", "keyword", "the activation's id", ""),
    field("faas.id", "keyword", "full name of the action, `/namespace/[package/]action`", RECORD),
    field("faas.name", "keyword", "the action's name, without its package", ""),
    field("faas.trigger.request_id", "keyword", "the activation of the sequence that the activation is part of", "outside of sequences"),
    field("faas.trigger.type", "keyword", "`other`", "outside of sequences"),
    field("faas.version", "keyword", "version of the action", RECORD),
    field("fields.*", "as configured", "`fields`", "unless configured"),
    field("http.response.status_code", "long", "`http.response.status_code`; other fields of HTTP, URL, client and user likewise", JSON),
    field("labels.*", "keyword", "texts and booleans that have no field of their own", JSON),
    field("log.flags", "keyword", "`truncated` or `mended`, for a line that did not arrive as it was printed, or of which a [JSON](#json) member was cut", "for all others"),
    field("log.iostream", "keyword", "`stdout` or `stderr`", "if the platform does not say it"),
    field("log.level", "keyword", "`level`, `severity` and the like, in lower case", JSON),
    field("log.logger", "keyword", "`logger`, `logger_name`", JSON),
    field("message", "match_only_text", "the line, or the joined lines; for an activation, a sentence", ""),
    field("numeric_labels.*", "double", "numbers that have no field of their own", JSON),
    field("openwhisk.binding", "keyword", "the binding through which the action was invoked", RECORD),
    field("openwhisk.caused_by", "keyword", "`sequence`", "outside of sequences"),
    field("openwhisk.causes", "keyword", "the activations of a sequence, the first 50", "for all others"),
    field("openwhisk.init_time_ms", "long", "time that the container took to start", "unless there was a cold start"),
    field("openwhisk.kind", "keyword", "runtime, such as `nodejs:20`", RECORD),
    field("openwhisk.log_bytes", "long", "bytes of the activation's log", SUMMARIES),
    field("openwhisk.log_incomplete", "boolean", "true if the platform says that it has cut the log or lacks some of it", "if it says nothing"),
    field("openwhisk.log_lines", "long", "lines of the activation's log, those that are left out included", SUMMARIES),
    field("openwhisk.memory_mb", "long", "memory limit of the action", RECORD),
    field("openwhisk.package", "keyword", "the action's package", "for an action without one"),
    field("openwhisk.path", "keyword", "`namespace/[package/]action`", RECORD),
    field("openwhisk.status", "keyword", "`success`, `application error`, `action developer error` or `whisk internal error`", RECORD),
    field("openwhisk.status_code", "long", "`openwhisk.status` as a number, 0 to 3", RECORD),
    field("openwhisk.timed_out", "boolean", "true if the platform ended the activation at its time limit", "for all others"),
    field("openwhisk.timeout_ms", "long", "time limit of the action", RECORD),
    field("openwhisk.wait_time_ms", "long", "time that the activation waited for a container", RECORD),
    field("orchestrator.namespace", "keyword", "the namespace of the activation", ""),
    field("orchestrator.resource.name", "keyword", "the action's name with its package", ""),
    field("orchestrator.resource.type", "keyword", "`action` or `trigger`", ""),
    field("orchestrator.type", "keyword", "`openwhisk`", ""),
    field("process.thread.name", "keyword", "`thread`, `thread_name`", JSON),
    field("service.name", "keyword", "the action's name with its package; with `lines.json.overwrite_keys`, what the line says", ""),
    field("span.id", "keyword", "`span.id`, `span_id`", JSON),
    field("tags", "keyword", "`tags`", "unless configured"),
    field("trace.id", "keyword", "`trace.id`, `trace_id`", JSON),
    field("transaction.id", "keyword", "`transaction.id`", JSON),
    field("whiskjack.acknowledged_lines", "long", "lines that receivers acknowledged in the run", HEARTBEAT),
    field("whiskjack.errors", "long", "things that went wrong in the run", HEARTBEAT),
    field("whiskjack.lag_ms", "long", "time since the oldest start that is not forwarded yet, or else since the run asked", HEARTBEAT),
    field("whiskjack.owed_ranges", "long", "ranges that the next run continues with", HEARTBEAT),
];

/// More fields that a JSON line may have, with their types: loggers write them under the names of the schema.
pub fn of_loggers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let texts = TEXTS.iter().chain(&REPLACEABLE).map(|name| (*name, text_kind(name)));
    texts.chain(NUMBERS.iter().map(|name| (*name, "long")))
}

/// The names of all fields alone, so that the component does not hold what the page says of them.
const NAMES: [&str; FIELDS.len()] = {
    let mut names = [""; FIELDS.len()];
    let (mut fields, mut places): (&[Field], &mut [&str]) = (FIELDS, &mut names);
    while let (Some((field, more)), Some((place, rest))) = (fields.split_first(), places.split_first_mut()) {
        *place = field.name;
        fields = more;
        places = rest;
    }
    names
};

/// Those of the other shape; `id` is what version 1 has instead of metadata.
const OF_2017: [&str; 7] = ["action", "activation", "id", "line", "namespace", "package", "sequence"];

/// Whether the forwarder, or in the shape `ecs` a JSON line, may fill a field of this name or one below it, so that no configured field may have it.
/// A name with dots stands for objects.
pub(crate) fn is_taken(name: &str, is_ecs: bool) -> bool {
    let top = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let own = top(name);
    let of_loggers = [&TEXTS[..], &NUMBERS, &REPLACEABLE].concat();
    let is_own = |other: &&&str| top(other) == own;
    let mut of_forwarder = NAMES.iter().filter(|name| !of_loggers.contains(name)).chain(&OF_2017);
    of_forwarder.any(|name| is_own(&name)) || is_ecs && of_loggers.iter().any(|name| is_own(&name))
}

/// Fields of Elasticsearch's own, which no document may have at its root.
const METADATA: [&str; 11] = [
    "_doc_count",
    "_field_names",
    "_id",
    "_ignored",
    "_index",
    "_routing",
    "_seq_no",
    "_source",
    "_tier",
    "_type",
    "_version",
];

/// Whether a field of this name, or one below it, would be such a one.
pub(crate) fn is_metadata(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or_default();
    METADATA.contains(&top)
}

/// The type of such a field whose values are texts.
pub(crate) fn text_kind(name: &str) -> &'static str {
    match name {
        "client.ip" | "source.ip" => "ip",
        "error.message" => "match_only_text",
        "error.stack_trace" | "url.full" | "url.original" | "url.path" => "wildcard",
        _ => "keyword",
    }
}
