//! Names that documents use already.

/// Fields of documents that no configured field may replace, in either shape.
const TAKEN: [&str; 23] = [
    "@metadata",
    "@timestamp",
    "action",
    "activation",
    "agent",
    "data_stream",
    "ecs",
    "error",
    "event",
    "faas",
    "fields",
    "line",
    "log",
    "message",
    "namespace",
    "labels",
    "numeric_labels",
    "openwhisk",
    "orchestrator",
    "package",
    "sequence",
    "service",
    "tags",
];

/// Whether documents have a field of this name.
pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}
