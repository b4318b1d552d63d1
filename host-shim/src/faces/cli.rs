//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::wskprops::WskProps;
use crate::result::{RunResult, Verdict};
use crate::run::{Keeper, RunContext};
use crate::secret::Secret;

/// What `--help` prints.
pub const HELP: &str = "\
whiskjack forwards the logs of OpenWhisk actions to Logstash, without losing a line.

Usage:
  whiskjack run --config FILE [--state FILE]
  whiskjack --help | --version

Options:
  --config FILE  the parameters, a JSON object as the action gets it
  --state FILE   keep the checkpoint in this file; without it the platform keeps it,
                 as an annotation of a package in the namespace

API host and key come from the environment (__OW_API_HOST, __OW_API_KEY, __OW_NAMESPACE), else from the file
that wsk uses: the one named by WSK_CONFIG_FILE, else ~/.wskprops (APIHOST, AUTH, NAMESPACE).

The result is one line of JSON on stdout, logs go to stderr.
Exit status: 0 all was forwarded; 1 something failed or is still owed; 2 wrong usage or configuration.

Started without arguments and with a pipe as file descriptor 3, whiskjack is an OpenWhisk action: it reads one
activation per line from stdin and writes one result per line to descriptor 3 (ActionLoop).
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Run once.
    Run {
        /// File with the parameters.
        config: PathBuf,
        /// File that keeps the checkpoint.
        state: Option<PathBuf>,
    },
}

/// Reads the arguments. Errors are sentences that name the argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next().ok_or("nothing to do: say `whiskjack run --config FILE`, or --help")?;
    match command.to_str() {
        Some("--help" | "-h" | "help") => return Ok(Command::Help),
        Some("--version" | "-V") => return Ok(Command::Version),
        Some("run") => {}
        _ => return Err(format!("{}: no such command; there is only `run`, see --help", command.display())),
    }
    let (mut config, mut state) = (None, None);
    while let Some(option) = arguments.next() {
        let slot = match option.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--config") => &mut config,
            Some("--state") => &mut state,
            _ => return Err(format!("{}: no such option of `run`; see --help", option.display())),
        };
        let value = arguments.next().ok_or(format!("{}: a file is missing", option.display()))?;
        if slot.replace(PathBuf::from(value)).is_some() {
            return Err(format!("{}: given twice", option.display()));
        }
    }
    let config = config.ok_or("--config FILE is missing: the parameters, a JSON object")?;
    Ok(Command::Run { config, state })
}

/// Parameters and context of a run. Errors are sentences that name the file.
pub fn prepare(
    config: &Path,
    state: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Value, RunContext), String> {
    let text = std::fs::read(config).map_err(|error| format!("--config {}: {error}", config.display()))?;
    // The place is enough: the text around it may hold a key.
    let params: Value = serde_json::from_slice(&text).map_err(|error| {
        format!("--config {}: no JSON (line {}, column {})", config.display(), error.line(), error.column())
    })?;
    if !params.is_object() {
        return Err(format!("--config {}: must hold a JSON object", config.display()));
    }
    let props = WskProps::load(environment)?;
    let context = RunContext {
        api_host: environment("__OW_API_HOST").or(props.api_host),
        api_key: environment("__OW_API_KEY").map(Secret::new).or(props.key),
        namespace: environment("__OW_NAMESPACE").or(props.namespace),
        checkpoint: state.map_or(Keeper::Platform, Keeper::File),
        ..RunContext::default()
    };
    Ok((params, context))
}

/// The exit status for a result.
pub fn status(result: &RunResult) -> u8 {
    match result.verdict {
        Verdict::Complete => 0,
        Verdict::Incomplete => 1,
        Verdict::InvalidConfig => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, String> {
        parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_run_needs_a_configuration_and_may_have_a_state_file() {
        assert_eq!(
            parse_words("run --state s --config c"),
            Ok(Command::Run { config: "c".into(), state: Some("s".into()) })
        );
        assert!(parse_words("run").unwrap_err().contains("--config FILE is missing"));
    }

    #[test]
    fn an_argument_that_is_not_understood_is_named() {
        for (words, part) in [
            ("", "nothing to do"),
            ("send", "send: no such command"),
            ("run --key secret", "--key: no such option"),
            ("run --config", "--config: a file is missing"),
            ("run --config a --config b", "--config: given twice"),
        ] {
            assert!(parse_words(words).unwrap_err().contains(part), "{words}");
        }
    }

    #[test]
    fn the_environment_comes_before_the_file_of_wsk() {
        let folder = tempfile::tempdir().unwrap();
        let (config, props) = (folder.path().join("c"), folder.path().join("p"));
        std::fs::write(&config, "{\"actions\":[\"a\"]}").unwrap();
        std::fs::write(&props, "APIHOST=file\nAUTH=u:file\nNAMESPACE=guest\n").unwrap();
        let environment = |name: &str| match name {
            "WSK_CONFIG_FILE" => Some(props.display().to_string()),
            "__OW_API_HOST" => Some("http://environment".to_owned()),
            _ => None,
        };
        let (params, context) = prepare(&config, None, &environment).unwrap();
        assert_eq!(params, serde_json::json!({"actions": ["a"]}));
        assert_eq!(context.api_host.as_deref(), Some("http://environment"));
        assert_eq!(context.api_key, Some(Secret::new("u:file")));
        assert_eq!(context.namespace.as_deref(), Some("guest"));
    }

    #[test]
    fn a_configuration_that_is_no_json_object_is_named_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("c");
        std::fs::write(&config, "{\"key\": hidden}").unwrap();
        let message = prepare(&config, None, &|_| None).unwrap_err();
        assert!(message.contains("no JSON (line 1") && !message.contains("hidden"), "{message}");
    }
}
