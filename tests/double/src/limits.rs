//! The platform's answers about its limits.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::options::Limits;

/// Kinds of actions that have an image of the platform's.
pub(crate) const KINDS: [&str; 4] = ["nodejs:20", "python:3.11", "go:1.20", "rust:1.34"];
/// Shortest time limit of an action, in milliseconds.
pub(crate) const MIN_DURATION_MS: u64 = 100;
/// Memory of an action, in megabytes.
pub(crate) const MEMORY_MB: RangeInclusive<u64> = 128..=512;

/// `GET /`: no key needed.
pub(crate) fn info(limits: &Limits) -> Value {
    json!({
        "description": "OpenWhisk",
        "support": {"github": "an invented address", "slack": "an invented address"},
        "api_paths": ["/api/v1"],
        "limits": {
            "actions_per_minute": 60,
            "triggers_per_minute": 60,
            "concurrent_actions": 30,
            "sequence_length": 50,
            "min_action_duration": 100,
            "max_action_duration": limits.max_action_duration_ms,
            "min_action_memory": 128 << 20,
            "max_action_memory": 512 << 20,
            "min_action_logs": 0,
            "max_action_logs": limits.max_action_logs_bytes,
        },
        "runtimes": runtimes(),
    })
}

/// By family, as `nodejs`.
fn runtimes() -> Value {
    let family = |kind: &str| {
        let name = kind.split(':').next().unwrap_or(kind).to_owned();
        (name, json!([{"kind": kind, "default": true, "deprecated": false, "attached": true}]))
    };
    Value::Object(KINDS.into_iter().map(family).collect())
}

/// `GET /api/v1/namespaces/{ns}/limits`: milliseconds and megabytes.
pub(crate) fn of_namespace(limits: &Limits) -> Value {
    json!({
        "invocationsPerMinute": 60,
        "concurrentInvocations": 30,
        "firesPerMinute": 60,
        "minActionTimeout": 100,
        "maxActionTimeout": limits.max_action_duration_ms,
        "minActionMemory": 128,
        "maxActionMemory": 512,
        "minActionLogs": 0,
        "maxActionLogs": limits.max_action_logs_bytes >> 20,
        "minActionConcurrency": 1,
        "maxActionConcurrency": 1,
    })
}
