//! The command line and the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use whiskjack_config_file::ConfigFile;

use whiskjack_settings::{Fault, text};

/// The text of `--help`.
pub const HELP: &str = "\
whiskjack forwards the logs of OpenWhisk actions to Logstash, without losing a line.

Usage:
  wasmtime run -S http,tls,inherit-network,allow-ip-name-lookup --dir . --env __OW_API_HOST --env __OW_API_KEY \\
    whiskjack-command.wasm run --config FILE [--state FILE]
  wasmtime run -S http,tls whiskjack-command.wasm --help | --version

Options:
  --config FILE  the parameters that an action gets, in YAML or JSON; without it they are taken from the
                 environment variable WHISKJACK_CONFIG. ${NAME}, ${NAME:default} and ${NAME:?message} are
                 filled in from variables named with --env; $${ stands for ${ itself
  --state FILE   keep the checkpoint in this file; without it the platform keeps it,
                 as an annotation of a package in the namespace

API host and key come from the environment: __OW_API_HOST, __OW_API_KEY, __OW_NAMESPACE.
wasmtime shows the program only the folders named with --dir and the variables named with --env.

TLS trusts public certificate authorities only and shows no client certificate, to the receiver and to the API:
that is all a stock wasmtime can do. The `whiskjack` binary can do more.

The result is one line of JSON on stdout, logs go to stderr.
Exit status: 0 all was forwarded; 1 something failed or is still owed, or the usage or configuration is wrong.
";

/// Environment variable with the parameters.
pub const CONFIG: &str = "WHISKJACK_CONFIG";

/// Environment variable with the API key, and the key of the fault when there is none.
pub const KEY: &str = "__OW_API_KEY";

/// The command that the arguments name.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Run once.
    Run(Files),
}

/// Files of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The parameters, if they are in a file.
    pub config: Option<PathBuf>,
    /// Keeps the checkpoint.
    pub state: Option<PathBuf>,
}

/// Reads the arguments, without the program's name. Errors are sentences that name the argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next().ok_or("nothing to do: say `run --config FILE`, or --help")?;
    match command.to_str() {
        Some("--help" | "-h" | "help") => return Ok(Command::Help),
        Some("--version" | "-V") => return Ok(Command::Version),
        Some("run") => {}
        _ => {
            return Err(format!(
                "{}: no such command; there is only `run`, see --help (options of wasmtime stand before the .wasm file)",
                command.display()
            ));
        }
    }
    let mut files = Files::default();
    while let Some(option) = arguments.next() {
        let slot = match option.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--config") => &mut files.config,
            Some("--state") => &mut files.state,
            Some("--ca" | "--cert" | "--key") => {
                return Err(format!(
                    "{}: a stock wasmtime trusts public certificate authorities only and shows no client certificate; use the \
                     `whiskjack` binary",
                    option.display()
                ));
            }
            // The argument may hold the passphrase itself.
            Some(text) if text.starts_with("--passphrase") => {
                return Err(
                    "--passphrase: a stock wasmtime shows no client certificate; use the `whiskjack` binary"
                        .into(),
                );
            }
            _ => return Err(format!("{}: no such option of `run`; see --help", option.display())),
        };
        let value = arguments
            .next()
            .ok_or(format!("{}: a file is missing; give one, or leave the option out", option.display()))?;
        if slot.replace(PathBuf::from(value)).is_some() {
            return Err(format!("{}: is given twice; give it once", option.display()));
        }
    }
    Ok(Command::Run(files))
}

/// The parameters, from the file or from the environment. Errors are sentences that name it.
pub fn params(files: &Files, environment: &dyn Fn(&str) -> Option<String>) -> Result<ConfigFile, String> {
    let (text, place) = match &files.config {
        Some(file) => {
            let place = format!("--config {}", file.display());
            let text = std::fs::read(file).map_err(|error| format!("{place}: {}", unreadable(&error)))?;
            (text, place)
        }
        None => {
            let text = environment(CONFIG).ok_or(format!(
                "--config FILE is missing: the parameters, in YAML or JSON; or give them in the environment, `wasmtime run --env {CONFIG}`"
            ))?;
            (text.into_bytes(), CONFIG.to_owned())
        }
    };
    whiskjack_config_file::read(&place, &text, environment)
}

/// The API key as it is sent, and what is wrong with it. Without one it is for the forwarder to say what is missing.
pub fn api_key(environment: &dyn Fn(&str) -> Option<String>) -> (Option<String>, Option<Fault>) {
    let given = environment(KEY);
    let Some(given) = given.as_deref().map(text::tidied).filter(|given| !given.is_empty()) else {
        return (None, None);
    };
    let fault = text::api_key(given).err().map(|remedy| Fault {
        key: KEY.to_owned(),
        value: String::new(),
        remedy: remedy.to_owned(),
    });
    (Some(given.to_owned()), fault)
}

/// Why a file could not be opened, with the flag that shows a stock host's guest a folder.
pub fn unreadable(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error ").next().unwrap_or_default();
    format!("{words}; is its folder named with `wasmtime run --dir FOLDER`?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse_words(words: &str) -> Result<Command, String> {
        parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_run_may_have_a_configuration_and_a_state_file() {
        let files = |config: Option<&str>, state: Option<&str>| Files {
            config: config.map(PathBuf::from),
            state: state.map(PathBuf::from),
        };
        assert_eq!(parse_words("run --state s --config c"), Ok(Command::Run(files(Some("c"), Some("s")))));
        assert_eq!(parse_words("run"), Ok(Command::Run(files(None, None))));
        assert_eq!(parse_words("run --help"), Ok(Command::Help));
    }

    #[test]
    fn an_argument_that_is_not_understood_is_named() {
        for (words, part) in [
            ("", "nothing to do"),
            ("send", "send: no such command"),
            ("run --token secret", "--token: no such option"),
            ("run --ca c", "--ca: a stock wasmtime"),
            ("run --passphrase=sesame", "--passphrase: a stock wasmtime"),
            ("run --config", "--config: a file is missing"),
            ("run --config a --config b", "--config: is given twice; give it once"),
        ] {
            let message = parse_words(words).unwrap_err();
            assert!(message.contains(part) && !message.contains("sesame"), "{words}: {message}");
        }
    }

    #[test]
    fn the_api_key_counts_without_line_end_and_quotes_and_what_is_not_one_is_a_fault_before_any_request() {
        let read = |key: &'static str| api_key(&move |name: &str| (name == KEY).then(|| key.to_owned()));
        assert_eq!(read("\"u:sesame\"\r\n"), (Some("u:sesame".to_owned()), None));
        assert_eq!(read(" \n"), (None, None));
        let fault = read("sesame").1.unwrap().to_string();
        assert!(fault.starts_with("__OW_API_KEY: ") && !fault.contains("sesame"), "{fault}");
    }

    #[test]
    fn a_configuration_may_begin_with_a_byte_order_mark_and_have_the_line_ends_of_windows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c");
        let files = Files { config: Some(file.clone()), state: None };
        let text = "{\r\n\"from\":2\r\n}\r\n";
        let wide = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [format!("\u{feff}{text}").into_bytes(), wide] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(json!(params(&files, &|_| None).unwrap().params), json!({"from": 2}));
        }
    }

    #[test]
    fn the_file_comes_before_the_environment_and_neither_is_shown_when_it_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c");
        let environment = |name: &str| (name == CONFIG).then(|| "{\"from\":1}".to_owned());
        let mut files = Files { config: Some(file.clone()), state: None };
        assert!(params(&files, &environment).unwrap_err().contains("--dir"));
        std::fs::write(&file, "{\"key\": hidden}").unwrap();
        let message = params(&files, &environment).unwrap_err();
        assert!(message.contains("line 1: column 9 is not JSON") && !message.contains("hidden"), "{message}");
        std::fs::write(&file, "# ours\nfrom: ${FROM:2}").unwrap();
        assert_eq!(params(&files, &environment).unwrap().params["from"], json!(2));
        std::fs::write(&file, "from: ${FROM}").unwrap();
        assert!(
            params(&files, &environment).unwrap_err().contains("line 1: from: the variable FROM is not set")
        );
        files.config = None;
        assert_eq!(params(&files, &environment).unwrap().params["from"], json!(1));
        assert!(params(&files, &|_| None).unwrap_err().contains("--config FILE is missing"));
        assert!(params(&files, &|_| Some("1".to_owned())).unwrap_err().contains("does not hold keys"));
    }
}
