//! The sentences for arguments that are not understood: the option or command with its value, what is wrong, and what to do. The parser of an
//! option's value says the last two of them (`values.rs`, `times.rs`).

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::terminal::harmless;

/// What is wrong with the arguments of `command`, the first of them, and what to do.
pub(super) fn told(error: &clap::Error, command: &str, all: &clap::Command) -> String {
    let text = |kind| texts(error, kind).into_iter().next().unwrap_or_default();
    // Without the name of its value.
    let option = |kind| text(kind).split([' ', '=']).next().unwrap_or_default().to_owned();
    let instead = |kind, otherwise: String| match texts(error, kind).first() {
        Some(known) => format!("did you mean `{known}`?"),
        None => otherwise,
    };
    let argument = option(ContextKind::InvalidArg);
    let said = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let remedy = instead(ContextKind::SuggestedSubcommand, commands(command, all));
            format!("{}: no such command; {remedy}", text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument => {
            let what =
                if argument.starts_with('-') { "no such option of" } else { "one argument too many for" };
            let remedy = instead(ContextKind::SuggestedArg, format!("see `whiskjack {command} --help`"));
            format!("{argument}: {what} `{command}`; {remedy}")
        }
        ErrorKind::MissingRequiredArgument => missing(&texts(error, ContextKind::InvalidArg), command),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if !command.is_empty() =>
        {
            format!("{command}: does not say what is wanted; {}", commands(command, all))
        }
        ErrorKind::ArgumentConflict if text(ContextKind::InvalidArg) == text(ContextKind::PriorArg) => {
            format!("{argument}: is given twice; give it once")
        }
        ErrorKind::ArgumentConflict => {
            let other = option(ContextKind::PriorArg);
            format!("{argument} and {other}: exclude each other; give one of them")
        }
        ErrorKind::InvalidValue => {
            format!("{argument}: a value is missing; give one, or leave the option out")
        }
        ErrorKind::TooManyValues => format!("{argument}: takes no value; leave it out"),
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{} {}: {why}", argument.trim_matches(['<', '>']), text(ContextKind::InvalidValue))
        }
        ErrorKind::InvalidUtf8 => {
            "an argument: is not text; only names of files may be anything else".to_owned()
        }
        _ => "nothing to do: say `whiskjack run --config FILE`, or --help".to_owned(),
    };
    harmless(&said)
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The commands that there are below `command`, or where to see all of them.
fn commands(command: &str, all: &clap::Command) -> String {
    let found = all.find_subcommand(command).filter(|found| found.has_subcommands());
    match found {
        None => "`whiskjack --help` lists all commands".to_owned(),
        Some(found) => {
            let names = found.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help");
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            format!("give one of {}, see `whiskjack {command} --help`", names.join(", "))
        }
    }
}

/// What is to be given.
fn missing(arguments: &[String], command: &str) -> String {
    let argument = arguments.first().map(String::as_str).unwrap_or_default();
    match (argument.split([' ', '=']).next().unwrap_or_default(), command) {
        ("--from", _) => {
            "--from TIME: is missing; give where the range begins, such as 2026-11-29T14:00:00Z or 2h"
        }
        ("--dry-run", _) => "--limit: is for --dry-run; give that too, or leave it out",
        ("<SHELL>", _) => "SHELL: is missing; give bash, zsh or fish",
        (_, "config") => "--config FILE: is missing; give the file of the old configuration",
        _ => "--config FILE: is missing; give the file of the action's parameters, in YAML or JSON",
    }
    .to_owned()
}
