//! Documents as a person reads them: one row each, no wider than the terminal, nothing that could change the terminal.

use std::env;
use std::io::{self, IsTerminal, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::document::{Document, time_of_day};

/// Columns where `COLUMNS` says nothing.
const USUAL_WIDTH: usize = 120;
/// Below this there is no reading any more: longer rows are the lesser evil.
const LEAST_WIDTH: usize = 72;
/// More rows than this are shown in part.
const MOST_ROWS: usize = 60;
/// So many from the beginning, and as many from the end.
const PART: usize = 20;
const ACTION_WIDTH: usize = 16;
/// As wide as its head; the first eight digits tell activations apart.
const ID_WIDTH: usize = 10;
const ID_DIGITS: usize = 8;
/// Time, action, id and stream with the gaps around them.
const BEFORE_TEXT: usize = 2 + 12 + 2 + ACTION_WIDTH + 2 + ID_WIDTH + 2 + 6 + 2;
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// How documents are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    width: usize,
    colour: bool,
    all: bool,
}

impl Table {
    /// As wide as `COLUMNS` says, coloured on a terminal unless `NO_COLOR` is set.
    pub(crate) fn for_stdout(all: bool) -> Self {
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            width: columns.unwrap_or(USUAL_WIDTH).max(LEAST_WIDTH),
            colour: io::stdout().is_terminal() && !plain,
            all,
        }
    }

    /// The names of the columns.
    pub(crate) fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        self.line(out, ["time (UTC)", "action", "activation", "stream"], "text")
    }

    /// The documents by time; of very many only the first and the last.
    pub(crate) fn rows(&self, out: &mut dyn Write, documents: &[Document]) -> io::Result<()> {
        let mut sorted: Vec<&Document> = documents.iter().collect();
        sorted.sort_by_key(|document| document.instant());
        let hidden = if self.all || sorted.len() <= MOST_ROWS { 0 } else { sorted.len() - 2 * PART };
        for (index, document) in sorted.iter().enumerate() {
            if hidden == 0 || index < PART || index >= PART + hidden {
                self.row(out, document)?;
            } else if index == PART {
                writeln!(out, "  … {hidden} more lines …")?;
            }
        }
        Ok(())
    }

    fn row(&self, out: &mut dyn Write, document: &Document) -> io::Result<()> {
        let stream = document.stream();
        let time = time_of_day(&document.timestamp);
        let id: String = document.faas.execution.chars().take(ID_DIGITS).collect();
        let (before, after) = if self.colour && stream == "stderr" { (RED, PLAIN) } else { ("", "") };
        write!(out, "{before}")?;
        self.line(
            out,
            [&time, &visible(&document.faas.name), &id, stream],
            &format!("{}{after}", self.text(&document.message)),
        )
    }

    /// Text comes last: its width varies, and terminals do not agree on that of every character.
    fn line(&self, out: &mut dyn Write, [time, action, id, stream]: [&str; 4], text: &str) -> io::Result<()> {
        let action = cut(action, ACTION_WIDTH);
        let gap = " ".repeat(ACTION_WIDTH.saturating_sub(action.width()));
        writeln!(out, "  {time:12}  {action}{gap}  {id:ID_WIDTH$}  {stream:6}  {text}")
    }

    fn text(&self, text: &str) -> String {
        cut(&visible(text), self.width.saturating_sub(BEFORE_TEXT))
    }
}

/// `text` with a picture or a number in the place of what a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\0'..='\x1f' => shown.extend(char::from_u32(0x2400 + u32::from(char))),
            '\x7f' => shown.push('␡'),
            // Among them what turns the direction of writing.
            _ if char.is_control()
                || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                shown.extend(char.escape_unicode());
            }
            _ => shown.push(char),
        }
    }
    shown
}

/// `text`, or as much of it as fits with `…` into `width` columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut short = String::new();
    for char in text.chars() {
        let columns = char.width().unwrap_or(0);
        if columns > left {
            break;
        }
        left -= columns;
        short.push(char);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(table: Table, documents: &[(&str, &str)]) -> String {
        let documents: Vec<Document> = documents
            .iter()
            .map(|(time, rest)| {
                let (stream, text) = rest.split_once(": ").unwrap();
                let event = json!({"@timestamp": time, "@metadata": {"_id": "x"}, "message": text, "log": {"iostream": stream},
                    "faas": {"execution": "0123456789abcdef", "name": "hello"}});
                Document::new(&event).unwrap()
            })
            .collect();
        let mut out = Vec::new();
        table.rows(&mut out, &documents).unwrap();
        String::from_utf8(out).unwrap()
    }

    const PLAIN_TABLE: Table = Table { width: 80, colour: false, all: false };

    #[test]
    fn rows_are_sorted_by_time_and_cut_to_the_width() {
        let long = format!("stderr: {}", "山".repeat(40));
        let text = shown(
            PLAIN_TABLE,
            &[("2023-11-14T22:13:20.01Z", "stdout: b"), ("2023-11-14T22:13:20.009Z", &long)],
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "  22:13:20.010  hello             01234567    stdout  b");
        assert!(lines[0].ends_with("山…"), "{text}");
        assert!((79..=80).contains(&lines[0].width()), "{text}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        assert_eq!(visible("\x1b[33mwarn\t\x7f\u{9b}\u{202e}é👋"), "␛[33mwarn␉␡\\u{9b}\\u{202e}é👋");
    }

    #[test]
    fn of_many_rows_the_first_and_last_are_shown_unless_all_are_wanted() {
        let many = vec![("2023-11-14T22:13:20Z", "stdout: x"); MOST_ROWS + 1];
        let text = shown(PLAIN_TABLE, &many);
        assert_eq!(text.lines().count(), 2 * PART + 1);
        assert!(text.contains("\n  … 21 more lines …\n"), "{text}");
        assert_eq!(shown(PLAIN_TABLE, &many[1..]).lines().count(), MOST_ROWS);
        assert_eq!(shown(Table { all: true, ..PLAIN_TABLE }, &many).lines().count(), MOST_ROWS + 1);
    }

    #[test]
    fn only_stderr_is_coloured_and_the_colour_ends_with_the_row() {
        let rows = [("2023-11-14T22:13:20Z", "stdout: x"), ("2023-11-14T22:13:21Z", "stderr: y")];
        let text = shown(Table { colour: true, ..PLAIN_TABLE }, &rows);
        assert_eq!(text.matches(RED).count(), 1);
        assert!(text.ends_with(&format!("y{PLAIN}\n")), "{text:?}");
    }
}
