//! The form in which `tail` shows documents.

use std::io::{self, Write as _};

use serde_json::Value;

use super::super::terminal::{Style, Terminal, harmless};
use crate::output::{Refusal, Sink};
use crate::said;

/// The newest come first, so documents wait until a look is over, and are put in order then: so many of them at most, or so many bytes.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;

/// Digits of an activation's id that are shown.
const DIGITS: usize = 8;

/// Documents on their way to the screen.
#[derive(Debug)]
pub(super) struct View {
    terminal: Terminal,
    /// With what puts them in order.
    waiting: Vec<(String, u64, Vec<u8>)>,
    bytes: usize,
    /// In the order in which they were met, which gives each its colour.
    actions: Vec<String>,
}

impl View {
    pub(super) fn new(terminal: Terminal) -> Self {
        Self { terminal, waiting: Vec::new(), bytes: 0, actions: Vec::new() }
    }

    /// Shows what waits, the oldest first.
    pub(super) fn show(&mut self) -> io::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        waiting.sort();
        let mut text = String::new();
        for (_, _, document) in &waiting {
            match serde_json::from_slice(document) {
                Ok(document) if !self.terminal.json => self.write(&document, &mut text),
                _ => text.push_str(&String::from_utf8_lossy(document)),
            }
            text.push('\n');
        }
        said::aside(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        })
    }

    /// `14:16:04.418 shop/checkout 0a1b2c3d order 4000: paid`
    fn write(&mut self, document: &Value, out: &mut String) {
        let text = |path: &str| document.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let action = text("/service/name").to_owned();
        let colour = self.colour(&action);
        let paint = |style: Style, text: &str| self.terminal.paint(style, text);
        let time = text("/@timestamp").get(11..23).unwrap_or_default();
        let activation = text("/faas/execution").get(..DIGITS).unwrap_or_default();
        let mut lines = text("/message").lines();
        let first = harmless(lines.next().unwrap_or_default());
        let folded = lines.count();
        let is_activation = text("/event/dataset") == "openwhisk.activation";
        let first = match (is_activation, text("/log/iostream"), text("/log/level")) {
            (true, _, _) | (_, _, "error" | "fatal" | "critical") => paint(Style::Bad, &first),
            (_, "stderr", _) | (_, _, "warn" | "warning") => paint(Style::Doubtful, &first),
            _ => first,
        };
        let shown = [
            paint(Style::Faint, time),
            paint(colour, &harmless(&action)),
            paint(Style::Faint, activation),
            first,
        ];
        out.push_str(&shown.join(" "));
        if is_activation && !text("/error/message").is_empty() {
            out.push_str(&format!(": {}", paint(Style::Bad, &harmless(text("/error/message")))));
        }
        if folded > 0 {
            let more = if folded == 1 { "line" } else { "lines" };
            out.push_str(&paint(Style::Faint, &format!(" (+{folded} {more})")));
        }
    }

    fn colour(&mut self, action: &str) -> Style {
        let place = self.actions.iter().position(|known| known == action).unwrap_or_else(|| {
            self.actions.push(action.to_owned());
            self.actions.len() - 1
        });
        Style::Of(place)
    }
}

/// What puts a document in order: its time, then its number in the activation. An activation's own document follows its lines.
fn order(document: &[u8]) -> (String, u64) {
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    let time = document.get("@timestamp").and_then(Value::as_str).unwrap_or_default();
    let number = document.pointer("/event/sequence").and_then(Value::as_u64).unwrap_or(u64::MAX);
    // Fractions of a second differ in length, and `Z` sorts behind digits.
    (time.trim_end_matches('Z').to_owned(), number)
}

impl Sink for View {
    fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal> {
        for document in documents {
            let (time, number) = order(document);
            self.bytes += document.len();
            self.waiting.push((time, number, document.to_vec()));
        }
        if self.waiting.len() < MOST && self.bytes < MOST_BYTES {
            return Ok(());
        }
        self.show().map_err(|error| Refusal { message: crate::net::plain(&error), retryable: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(colours: bool, document: &Value) -> String {
        let mut out = String::new();
        View::new(Terminal { json: false, colours }).write(document, &mut out);
        out
    }

    fn document(message: &str) -> Value {
        json!({
            "@timestamp": "2026-11-29T14:16:04.418000001Z", "message": message, "service": {"name": "shop/checkout"},
            "faas": {"execution": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}, "log": {"iostream": "stdout"}, "event": {"sequence": 3}
        })
    }

    #[test]
    fn a_line_has_its_time_action_and_activation_before_it() {
        assert_eq!(shown(false, &document("paid")), "14:16:04.418 shop/checkout 0a1b2c3d paid");
        let coloured = "\x1b[2m14:16:04.418\x1b[0m \x1b[36mshop/checkout\x1b[0m \x1b[2m0a1b2c3d\x1b[0m paid";
        assert_eq!(shown(true, &document("paid")), coloured);
    }

    #[test]
    fn a_trace_is_folded_and_a_terminal_obeys_no_line() {
        let trace = document("Error: \x1b[2Jno money\n    at pay\n    at run");
        assert_eq!(
            shown(false, &trace),
            "14:16:04.418 shop/checkout 0a1b2c3d Error: \\u{1b}[2Jno money (+2 lines)"
        );
    }

    #[test]
    fn an_activation_that_failed_is_told_with_its_error() {
        let mut failed = document("shop/checkout: application error after 120 ms");
        failed["event"]["dataset"] = json!("openwhisk.activation");
        failed["error"] = json!({"message": "no money"});
        assert!(shown(false, &failed).ends_with("shop/checkout: application error after 120 ms: no money"));
    }

    #[test]
    fn documents_are_in_order_of_their_time_and_then_of_their_number() {
        let key = |time: &str, number: Option<u64>| {
            order(json!({"@timestamp": time, "event": {"sequence": number}}).to_string().as_bytes())
        };
        let second = key("2026-11-29T14:16:04.000Z", Some(9));
        assert!(second < key("2026-11-29T14:16:04.0001Z", Some(0)));
        assert!(
            second < key("2026-11-29T14:16:04.000Z", Some(10))
                && second < key("2026-11-29T14:16:04.000Z", None)
        );
    }
}
