//! Output of the usual libraries for logging: the programs in `tests/loggers`, and their output.

use super::json::{json_rules, parsed};
use super::*;

/// The documents of these lines, with stack traces joined and JSON read: message, level and the other fields of those that are JSON.
fn read(stream: &str, printed: &str) -> Vec<Value> {
    let lines = Lines { json: Some(json_rules()), ..multiline(By::Auto) };
    let treatment = Treatment::new(&lines);
    let mut reading = Reading::new(&treatment, None, 0, true);
    let mut seen = Vec::new();
    let mut take = |document: Document<'_>| {
        let (_, message) = document.line.behind(document.line.time());
        seen.push(match document.parsed {
            Some(_) => parsed(&message.text(), &json_rules()).unwrap(),
            None => json!({"message": message.text()}),
        });
        true
    };
    for (index, line) in printed.lines().enumerate() {
        assert!(reading.entry(index, entry(stream, line).as_str().into(), &mut take));
    }
    assert!(reading.finish(&mut take));
    seen
}

/// Of each document its level and message.
fn levels_and_messages(documents: &[Value]) -> Vec<(&str, &str)> {
    fn text<'d>(document: &'d Value, name: &str) -> &'d str {
        document[name].as_str().unwrap_or_default()
    }
    documents.iter().map(|document| (text(document, "level"), text(document, "message"))).collect()
}

/// Type and message of the error, and that the stack trace has all of these.
#[track_caller]
fn assert_error(document: &Value, kind: Option<&str>, message: Option<&str>, in_trace: &[&str]) {
    let error = &document["rest"]["error"];
    assert_eq!((error["type"].as_str(), error["message"].as_str()), (kind, message), "{document:#}");
    let trace = error["stack_trace"].as_str().unwrap_or_default();
    assert!(in_trace.iter().all(|part| trace.contains(part)), "{document:#}");
}

#[test]
fn log4j2_with_its_ecs_layout() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/java/ecs.txt"));
    assert_eq!(
        levels_and_messages(&documents),
        [("info", "refunded"), ("error", "it failed"), ("warn", "done, with errors")]
    );
    let failed = &documents[1];
    assert_error(
        failed,
        Some("java.lang.IllegalStateException"),
        Some("order 4001 is not refunded"),
        &[
            "java.lang.IllegalStateException: order",
            "\n\tat Refund.main(",
            "\nCaused by: java.io.IOException: no",
        ],
    );
    assert_eq!(failed["time"], "2026-11-29T21:17:28.685Z");
    assert_eq!(failed["log"], json!({"logger": "shop.Refund"}));
    assert_eq!(failed["rest"]["process"], json!({"thread": {"name": "main"}}));
    assert_eq!(failed["rest"]["labels"], json!({"order": "4000"}));
}

#[test]
fn log4j2_with_a_pattern_joins_message_trace_and_causes() {
    let printed = include_str!("../../../../tests/loggers/java/plain.txt");
    let messages: Vec<Value> =
        read("stderr", printed).iter().map(|document| document["message"].clone()).collect();
    let lines: Vec<&str> = printed.lines().collect();
    let (last, others) = lines.split_last().unwrap();
    assert_eq!(messages, [json!(lines[0]), json!(others[1..].join("\n")), json!(last)]);
    assert!(messages[1].as_str().unwrap().contains("\nCaused by: java.io.IOException"));
}

#[test]
fn ecs_logging_for_python() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/python/ecs.py.txt"));
    assert_eq!(levels_and_messages(&documents), [("info", "paid"), ("error", "it failed")]);
    assert_eq!(documents[0]["time"], "2026-11-29T21:17:05.492Z");
    assert_eq!(
        documents[0]["log"],
        json!({"logger": "shop", "origin": {"file": {"line": 12, "name": "ecs.py"}, "function": "<module>"}})
    );
    let rest = &documents[0]["rest"];
    assert_eq!(rest["trace"], json!({"id": "4bf92f3577b34da6"}));
    assert_eq!((&rest["numeric_labels"]["order"], &rest["process"]["pid"]), (&json!(4000), &json!(3529)));
    assert_error(&documents[1], Some("KeyError"), Some("'order 4001'"), &["raise KeyError"]);
}

#[test]
fn python_json_logger() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/python/json_logger.py.txt"));
    assert_eq!(levels_and_messages(&documents), [("info", "paid"), ("error", "it failed")]);
    let causes =
        ["ZeroDivisionError: division by zero\n\nThe above exception was", "\nKeyError: 'order 4001'"];
    assert_error(&documents[1], None, None, &causes);
    assert_eq!(documents[0]["rest"]["labels"], json!({"name": "shop", "asctime": "2026-11-29 21:17:06,259"}));
}

#[test]
fn pino() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/node/pino.js.txt"));
    assert_eq!(levels_and_messages(&documents), [("info", "paid"), ("warn", "slow"), ("error", "it failed")]);
    assert_eq!(documents[0]["rest"]["labels"]["customer_group"], "new");
    assert_error(
        &documents[2],
        Some("TypeError"),
        Some("order 4001 is not paid: Expected property name or '}' in JSON at position 1"),
        &["TypeError: order 4001 is not paid\n    at ", "\ncaused by: SyntaxError: "],
    );
}

#[test]
fn pino_with_the_format_of_ecs() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/node/ecs-pino.js.txt"));
    assert_eq!(levels_and_messages(&documents), [("info", "paid"), ("error", "it failed")]);
    let message = "Expected property name or '}' in JSON at position 1";
    assert_error(&documents[1], Some("SyntaxError"), Some(message), &["    at JSON.parse (<anonymous>)\n"]);
    // What the forwarder says by itself stays.
    let labels = &documents[1]["rest"]["labels"];
    assert_eq!((&labels["service_name"], &labels["event_dataset"]), (&json!("shop"), &json!("shop")));
    assert_eq!(labels["host_hostname"], "host");
}

#[test]
fn winston() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/node/winston.js.txt"));
    let failed = "it failed: order 4001 is not paid";
    assert_eq!(
        levels_and_messages(&documents),
        [("info", "paid"), ("error", failed), ("error", "order 4001 is not paid")]
    );
    for document in &documents[1..] {
        assert_error(document, None, None, &["TypeError: order 4001 is not paid\n    at "]);
        assert_eq!(document["rest"]["labels"]["service"], "shop");
    }
}

#[test]
fn slog() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/go/logger-slog.txt"));
    assert_eq!(
        levels_and_messages(&documents),
        [("info", "paid"), ("error", "it failed"), ("warn", "once more")]
    );
    assert_eq!(
        documents[0]["log"],
        json!({"origin": {"function": "main.main", "file": {"name": "/action/logger-slog/main.go", "line": 13}}})
    );
    // `err` and `error` mean the same.
    assert_error(&documents[1], None, Some("order 4001 is not paid: no money"), &[]);
    assert_error(&documents[2], None, Some("no money"), &[]);
}

#[test]
fn zap() {
    let documents = read("stdout", include_str!("../../../../tests/loggers/go/logger-zap.txt"));
    assert_eq!(levels_and_messages(&documents), [("info", "paid"), ("error", "it failed")]);
    assert_error(&documents[1], None, Some("order 4001 is not paid: no money"), &["main.main\n\t/action/"]);
    assert_eq!(documents[1]["log"], json!({"logger": "shop"}));
    assert_eq!(documents[1]["rest"]["labels"], json!({"caller": "logger-zap/main.go:21"}));
}
