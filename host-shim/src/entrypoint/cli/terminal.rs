//! How a command speaks: to a person on a terminal, or in JSON to a program.
//!
//! | stdout is | `--json` | output |
//! |---|---|---|
//! | a terminal | no | text for people, in colours unless `NO_COLOR` is set or `TERM` is `dumb` |
//! | a terminal | yes | JSON |
//! | anything else | – | JSON |

use std::io::IsTerminal;

use clap::Args;

/// The option of each command that can write both forms.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speech {
    /// Write JSON, also on a terminal; it is written by itself where stdout is not a terminal
    #[arg(long)]
    pub json: bool,
}

/// The reader of stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// A program reads: JSON and nothing else.
    pub json: bool,
    /// A person reads, and sees colours.
    pub colours: bool,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It deserves a look.
    Doubtful,
    /// It is there for the sake of completeness.
    Faint,
    /// It heads what follows.
    Strong,
    /// One of several things with different colours; any number has a colour.
    Of(usize),
}

/// Colours for [`Style::Of`]: those that are read well on dark and on light.
const SEVERAL: [&str; 6] = ["36", "35", "34", "33", "32", "96"];

impl Style {
    /// The code of ECMA-48, "select graphic rendition".
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Doubtful => "33",
            Self::Faint => "2",
            Self::Strong => "1",
            Self::Of(which) => SEVERAL.get(which % SEVERAL.len()).copied().unwrap_or("0"),
        }
    }
}

impl Terminal {
    /// For this process's stdout.
    pub fn of_stdout(speech: Speech, environment: &dyn Fn(&str) -> Option<String>) -> Self {
        Self::of(std::io::stdout().is_terminal(), speech, environment)
    }

    /// For a stdout that is a terminal or not.
    fn of(is_terminal: bool, speech: Speech, environment: &dyn Fn(&str) -> Option<String>) -> Self {
        // As https://no-color.org has it: set and not empty. `environment` takes an empty variable for none.
        let plain = environment("NO_COLOR").is_some() || environment("TERM").as_deref() == Some("dumb");
        let json = speech.json || !is_terminal;
        Self { json, colours: !json && !plain }
    }

    /// The text in its colour, if there are colours.
    pub fn paint(self, style: Style, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[{}m{text}\x1b[0m", style.code()),
            false => text.to_owned(),
        }
    }
}

/// A foreign text without control characters that a terminal would obey: they become `\u{1b}` and the like, except tabs.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() && c != '\t' {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(is_terminal: bool, json: bool, variables: &[(&str, &str)]) -> Terminal {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Terminal::of(is_terminal, Speech { json }, &environment)
    }

    #[test]
    fn a_program_reads_json_and_a_person_text_unless_json_is_asked_for() {
        for (is_terminal, json, expected) in
            [(true, false, false), (true, true, true), (false, false, true), (false, true, true)]
        {
            assert_eq!(terminal(is_terminal, json, &[]).json, expected, "{is_terminal} {json}");
        }
    }

    #[test]
    fn colours_are_for_people_who_want_them() {
        assert_eq!(terminal(true, false, &[]).paint(Style::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(terminal(true, false, &[("TERM", "xterm")]).paint(Style::Of(7), "x"), "\x1b[35mx\x1b[0m");
        for plain in [
            terminal(true, false, &[("NO_COLOR", "1")]),
            terminal(true, false, &[("TERM", "dumb")]),
            terminal(true, true, &[]),
            terminal(false, false, &[]),
        ] {
            assert_eq!(plain.paint(Style::Bad, "x"), "x");
        }
    }

    #[test]
    fn a_terminal_obeys_no_text_of_others() {
        assert_eq!(harmless("a\tb\x1b[2J\r\u{9b}ä"), "a\tb\\u{1b}[2J\\u{d}\\u{9b}ä");
    }
}
