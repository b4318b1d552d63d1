//! JSON of loggers that no test can run here, written after their documentation: message, level and error are known in each.

use super::json::{json_rules, parsed};
use super::*;

/// A line, its message and level, type and message of its error, and its logger.
type Layout = (&'static str, [&'static str; 5]);

const LAYOUTS: [Layout; 13] = [
    // log4j2: JsonLayout, JsonTemplateLayout for Logstash.
    (
        r#"{"instant":{"epochSecond":1796036400,"nanoOfSecond":1},"thread":"main","level":"ERROR","loggerName":"shop.Pay","message":"failed","thrown":{"message":"no money","name":"a.B","extendedStackTrace":[]}}"#,
        ["failed", "error", "a.B", "no money", "shop.Pay"],
    ),
    (
        r#"{"@version":1,"message":"failed","@timestamp":"2026-11-30T12:00:00.123+0100","level":"ERROR","logger_name":"shop.Pay","exception":{"exception_class":"a.B","exception_message":"no money","stacktrace":"a.B"}}"#,
        ["failed", "error", "a.B", "no money", "shop.Pay"],
    ),
    // Quarkus.
    (
        r#"{"level":"ERROR","loggerName":"shop.Pay","message":"failed","threadName":"main","exception":{"refId":1,"exceptionType":"a.B","message":"no money"}}"#,
        ["failed", "error", "a.B", "no money", "shop.Pay"],
    ),
    // Bunyan.
    (
        r#"{"name":"shop","level":50,"err":{"message":"no money","name":"E","stack":"E: no money"},"msg":"failed","time":"2026-11-30T12:00:00.123Z","v":0}"#,
        ["failed", "error", "E", "no money", ""],
    ),
    // Serilog: compact with and without a rendered message, and its JsonFormatter.
    (
        r#"{"@t":"2026-11-30T12:00:00.1234567Z","@mt":"Order {Id}","@m":"Order 1","@l":"Error","@x":"A.B: no money\n at x","Id":1,"SourceContext":"Shop.Pay"}"#,
        ["Order 1", "error", "", "", "Shop.Pay"],
    ),
    (
        r#"{"@t":"2026-11-30T12:00:00.1234567Z","@mt":"Order {Id}","Id":1}"#,
        ["Order {Id}", "information", "", "", ""],
    ),
    (
        r#"{"Timestamp":"2026-11-30T12:00:00+01:00","Level":"Warning","MessageTemplate":"Order {Id}","RenderedMessage":"Order 1","Exception":"A.B: no money"}"#,
        ["Order 1", "warning", "", "A.B: no money", ""],
    ),
    // The console of .NET.
    (
        r#"{"EventId":0,"LogLevel":"Error","Category":"Shop.Pay","Message":"failed","State":{"Message":"failed","{OriginalFormat}":"failed"}}"#,
        ["failed", "error", "", "", ""],
    ),
    // logrus, and tracing of Rust.
    (r#"{"error":"no money","level":"warning","msg":"failed"}"#, ["failed", "warning", "", "no money", ""]),
    (
        r#"{"level":"ERROR","fields":{"message":"failed","error":"no money"},"target":"shop::pay"}"#,
        ["failed", "error", "", "no money", ""],
    ),
    // Monolog, of Laravel.
    (
        r#"{"message":"failed","context":{"exception":{"class":"A","message":"no money"}},"level":400,"level_name":"ERROR","channel":"production"}"#,
        ["failed", "error", "A", "no money", ""],
    ),
    // structlog and loguru of Python.
    (r#"{"event":"paid","level":"info","order":4000}"#, ["paid", "info", "", "", ""]),
    (
        r#"{"text":"12:00 | ERROR | failed\n","record":{"level":{"name":"ERROR","no":40},"message":"failed"}}"#,
        ["failed", "error", "", "", ""],
    ),
];

#[test]
fn the_layouts_of_other_loggers_have_message_level_and_error() {
    for (line, expected) in LAYOUTS {
        let read = parsed(line, &json_rules()).unwrap();
        let text = |pointer: &str| read.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let paths = ["/message", "/level", "/rest/error/type", "/rest/error/message", "/log/logger"];
        assert_eq!(paths.map(text), expected, "{line}");
    }
}

#[test]
fn of_several_members_that_may_be_the_message_the_best_known_one_is_and_the_others_stay() {
    let read = parsed(
        r#"{"event":"paid","Message":"b","msg":"a","fields":{"message":"c"},"message":null}"#,
        &json_rules(),
    );
    let read = read.unwrap();
    assert_eq!(read["message"], "a");
    assert_eq!(read["rest"]["labels"], json!({"event": "paid", "Message": "b", "fields_message": "c"}));
    let of_ecs = r#"{"event":{"action":"paid"},"level":"info"}"#;
    assert_eq!(parsed(of_ecs, &json_rules()).unwrap()["message"], of_ecs);
    let own = Json { message_key: Some("text".into()), ..json_rules() };
    assert_eq!(parsed(r#"{"text":"a","msg":"b"}"#, &own).unwrap()["message"], "a");
    assert_eq!(parsed(r#"{"msg":"b"}"#, &own).unwrap()["message"], r#"{"msg":"b"}"#);
}

#[test]
fn an_exception_that_is_one_text_is_a_trace_if_it_has_several_lines() {
    let error = |line: &str| parsed(line, &json_rules()).unwrap()["rest"]["error"].clone();
    assert_eq!(error(r#"{"msg":"m","exception":"E: x\n  at y"}"#), json!({"stack_trace": "E: x\n  at y"}));
    assert_eq!(error(r#"{"msg":"m","exception":"E: x"}"#), json!({"message": "E: x"}));
}
