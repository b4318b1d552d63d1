//! The ways to start the program, and how it distinguishes them.
//!
//! | arguments | also | entry point |
//! |---|---|---|
//! | none | descriptor 3 is a pipe | [`actionloop`]: OpenWhisk's images that speak ActionLoop (Rust, Go, base) |
//! | none, or one that begins with `{` or `[` | `__OW_ACTIVATION_ID` or `__OW_ACTION_NAME` is set | [`oneshot`]: OpenWhisk's `dockerskeleton` (`--native`) |
//! | `serve …` | | [`serve`]: the container itself (`--docker`) |
//! | any other | | [`cli`] |
//! | anything else | | an error that says what to do |
//!
//! The rules are tried in this order. ActionLoop actions find the same variables in their environment, so descriptor 3 comes first;
//! `dockerskeleton` hands on no descriptor but the first three. Both give stdin something to read, so with a terminal at stdin neither is
//! meant.

pub mod actionloop;
mod activation;
pub mod cli;
pub mod oneshot;
mod results;
pub mod serve;
mod successor;
mod wskprops;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::IsTerminal;

/// How the program was started.
#[derive(Debug)]
pub enum EntryPoint {
    /// As an ActionLoop action; results go to this pipe.
    ActionLoop(File),
    /// As an action that runs once, with these parameters, or those on stdin.
    OneShot(Option<OsString>),
    /// By a person or a program with a command.
    CommandLine,
}

/// The surroundings that count besides the arguments.
#[derive(Debug)]
pub struct Surroundings {
    /// Descriptor 3, if it is a pipe. With arguments the program does not look at it.
    pub results: Option<File>,
    /// Whether the environment has the variables that OpenWhisk gives each activation.
    pub is_activation: bool,
    /// Whether stdin is a terminal.
    pub is_terminal: bool,
}

impl Surroundings {
    /// Those of this process, as far as they count with these arguments.
    pub fn of_process(arguments: &[OsString]) -> Self {
        Self {
            results: arguments.is_empty().then(results::pipe).flatten(),
            is_activation: ["__OW_ACTIVATION_ID", "__OW_ACTION_NAME"]
                .iter()
                .any(|name| environment(name).is_some()),
            is_terminal: std::io::stdin().is_terminal(),
        }
    }
}

/// Picks the entry point by the rules above. Errors are sentences; they never show an argument that may be parameters.
pub fn choose(arguments: &[OsString], surroundings: Surroundings) -> Result<EntryPoint, String> {
    let Surroundings { results, is_activation, is_terminal } = surroundings;
    match arguments {
        [] => match results {
            Some(_) if is_terminal => Err(
                "descriptor 3 is a pipe, as for an ActionLoop action, but stdin is a terminal; activations come by stdin, a line \
                 each. To forward once, say `whiskjack run --config FILE`"
                    .to_owned(),
            ),
            Some(pipe) => Ok(EntryPoint::ActionLoop(pipe)),
            None if is_activation && is_terminal => Err(
                "the environment is that of an OpenWhisk activation, but stdin is a terminal; parameters come as the only argument \
                 or by stdin. To forward once, say `whiskjack run --config FILE`"
                    .to_owned(),
            ),
            None if is_activation => Ok(EntryPoint::OneShot(None)),
            None => Err(
                "nothing to do: say `whiskjack run --config FILE`, or --help. As an OpenWhisk action it needs a pipe as \
                 descriptor 3 (ActionLoop), or __OW_ACTIVATION_ID in the environment (dockerskeleton)"
                    .to_owned(),
            ),
        },
        [parameters] if looks_like_json(parameters) => match is_activation {
            true => Ok(EntryPoint::OneShot(Some(parameters.clone()))),
            false => Err(
                "the argument looks like parameters, which only OpenWhisk's dockerskeleton gives so, with __OW_ACTIVATION_ID in the \
                 environment. Everybody on this machine can read the command line: put them into a file and say \
                 `whiskjack run --config FILE`"
                    .to_owned(),
            ),
        },
        [first, ..] if looks_like_json(first) => Err(
            "parameters as an argument must be the only one; put them into a file and say `whiskjack run --config FILE`".to_owned(),
        ),
        _ => Ok(EntryPoint::CommandLine),
    }
}

fn looks_like_json(argument: &OsStr) -> bool {
    matches!(argument.as_encoded_bytes().trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Looks up a variable of the environment; empty ones count as absent, except that of [`wskprops`], where an empty value has a meaning.
pub fn environment(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    match name {
        // A path need not be text. It is named as far as it is.
        wskprops::NAMED => Some(value.to_string_lossy().into_owned()),
        _ => value.into_string().ok().filter(|value| !value.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry point by name, or the error, for words, a pipe as descriptor 3, an activation's environment, and a terminal.
    fn chosen(words: &[&str], [pipe, is_activation, is_terminal]: [bool; 3]) -> String {
        let results = pipe.then(|| File::open("/dev/null").unwrap());
        let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        match choose(&arguments, Surroundings { results, is_activation, is_terminal }) {
            Ok(EntryPoint::ActionLoop(_)) => "actionloop".to_owned(),
            Ok(EntryPoint::OneShot(parameters)) => format!("one-shot {parameters:?}"),
            Ok(EntryPoint::CommandLine) => "command".to_owned(),
            Err(message) => message,
        }
    }

    #[test]
    fn each_way_of_starting_has_one_face() {
        let (no, yes) = (false, true);
        for (words, surroundings, entry_point) in [
            (&[][..], [yes, no, no], "actionloop"),
            (&[], [yes, yes, no], "actionloop"),
            (&[], [no, yes, no], "one-shot None"),
            (&["{\"a\":1}"], [no, yes, no], "one-shot Some(\"{\\\"a\\\":1}\")"),
            (&["{\"a\":1}"], [yes, yes, yes], "one-shot Some(\"{\\\"a\\\":1}\")"),
            (&[" [1]"], [no, yes, no], "one-shot Some(\" [1]\")"),
            (&["{ no JSON"], [no, yes, no], "one-shot Some(\"{ no JSON\")"),
            (&["run", "--config", "c"], [yes, yes, no], "command"),
            (&["serve"], [yes, yes, no], "command"),
            (&[""], [no, yes, no], "command"),
        ] {
            assert_eq!(chosen(words, surroundings), entry_point, "{words:?} {surroundings:?}");
        }
    }

    #[test]
    fn what_no_rule_covers_is_told_with_what_to_do_and_without_the_argument() {
        let (no, yes) = (false, true);
        for (words, surroundings, part) in [
            (&[][..], [no, no, no], "nothing to do"),
            (&[], [no, no, yes], "nothing to do"),
            (&[], [yes, no, yes], "descriptor 3 is a pipe"),
            (&[], [no, yes, yes], "stdin is a terminal"),
            (&["{\"key\":\"sesame\"}"], [no, no, no], "everybody on this machine"),
            (&["{\"key\":\"sesame\"}", "more"], [no, yes, no], "must be the only one"),
        ] {
            let message = chosen(words, surroundings);
            assert!(message.to_lowercase().contains(part), "{words:?} {surroundings:?}: {message}");
            assert!(message.contains("`whiskjack run --config FILE`"), "{message}");
            assert!(!message.contains("sesame"), "{message}");
        }
    }
}
