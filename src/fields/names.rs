//! The fields of the schema that a JSON line may fill, and the loggers' names for them.

/// Fields of the schema that loggers write, and whose values are texts.
pub(crate) const TEXTS: [&str; 31] = [
    "client.ip",
    "error.code",
    "error.id",
    "error.message",
    "error.stack_trace",
    "error.type",
    "event.action",
    "event.code",
    "event.reason",
    "http.request.id",
    "http.request.method",
    "http.version",
    "log.logger",
    "log.origin.file.name",
    "log.origin.function",
    "process.name",
    "process.thread.name",
    "source.ip",
    "span.id",
    "trace.id",
    "transaction.id",
    "url.domain",
    "url.full",
    "url.original",
    "url.path",
    "url.query",
    "user.email",
    "user.id",
    "user.name",
    "user_agent.original",
    "url.scheme",
];

/// Those whose values are whole numbers.
pub(crate) const NUMBERS: [&str; 7] = [
    "http.request.body.bytes",
    "http.response.body.bytes",
    "http.response.status_code",
    "log.origin.file.line",
    "process.pid",
    "process.thread.id",
    "url.port",
];

/// The forwarder's own fields that a logger may replace.
pub(crate) const REPLACEABLE: [&str; 9] = [
    "data_stream.dataset",
    "data_stream.namespace",
    "event.dataset",
    "service.environment",
    "service.id",
    "service.name",
    "service.node.name",
    "service.type",
    "service.version",
];

/// The usual loggers' names for fields of the schema, compared without regard to case.
const OTHER_NAMES: [(&str, &str); 33] = [
    ("level", "log.level"),
    ("severity", "log.level"),
    ("levelname", "log.level"),
    ("lvl", "log.level"),
    ("loglevel", "log.level"),
    ("level_name", "log.level"),
    ("record.level.name", "log.level"),
    ("@l", "log.level"),
    ("logger", "log.logger"),
    ("logger_name", "log.logger"),
    ("loggername", "log.logger"),
    ("sourcecontext", "log.logger"),
    ("thread_name", "process.thread.name"),
    ("thread", "process.thread.name"),
    ("threadname", "process.thread.name"),
    ("pid", "process.pid"),
    ("stack", "error.stack_trace"),
    ("stack_trace", "error.stack_trace"),
    ("stacktrace", "error.stack_trace"),
    ("exc_info", "error.stack_trace"),
    ("@x", "error.stack_trace"),
    ("trace_id", "trace.id"),
    ("span_id", "span.id"),
    ("error", "error.message"),
    ("err", "error.message"),
    ("fields.error", "error.message"),
    ("thrown.message", "error.message"),
    ("thrown.name", "error.type"),
    ("context.exception.message", "error.message"),
    ("context.exception.class", "error.type"),
    // Where slog says that a line was printed.
    ("source.file", "log.origin.file.name"),
    ("source.function", "log.origin.function"),
    ("source.line", "log.origin.file.line"),
];

/// The usual loggers' names for the message, the first one that a line has. An event of structlog is a text.
pub(crate) const MESSAGES: [&str; 10] = [
    "message",
    "msg",
    "@m",
    "Message",
    "RenderedMessage",
    "fields.message",
    "record.message",
    "event",
    "@mt",
    "MessageTemplate",
];

/// Members of the objects `err`, `error` and `exception`, as pino, bunyan, log4j2, Quarkus and others write them.
const OF_ERROR: [(&str, &str); 9] = [
    ("exception_class", "error.type"),
    ("exceptionType", "error.type"),
    ("exception_message", "error.message"),
    ("stacktrace", "error.stack_trace"),
    ("type", "error.type"),
    ("name", "error.type"),
    ("code", "error.code"),
    ("message", "error.message"),
    ("stack", "error.stack_trace"),
];

/// The name of the schema for one that a logger has.
pub(crate) fn known_as(path: &str) -> &str {
    if let Some((group, member)) = path.split_once('.')
        && matches!(group, "err" | "error" | "exception")
    {
        let known = OF_ERROR.iter().find(|(name, _)| *name == member);
        return known.map_or(path, |(_, known)| *known);
    }
    let known = OTHER_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(path));
    known.map_or(path, |(_, known)| *known)
}
