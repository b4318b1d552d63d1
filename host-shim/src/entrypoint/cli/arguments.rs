//! The arguments of all commands, and the sentences for those that are not understood.

use std::error::Error as _;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use super::backfill::BackfillOptions;
use super::check::CheckOptions;
use super::completions::CompletionsOptions;
use super::config::ConfigOptions;
use super::deploy::{DeployOptions, UndeployOptions};
use super::run::RunOptions;
use super::serve::ServeOptions;
use super::setup::SetupOptions;
use super::status::StatusOptions;
use super::tail::TailOptions;
use super::watch::WatchOptions;
use super::{PASSPHRASE, ending};

/// The table of all commands. Each is a file beside this one, with its options, their help, and its call.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    // Without comments of documentation: they would take the place of the help of the options.
    #[command(skip)]
    Print(String),
    Run(RunOptions),
    Tail(TailOptions),
    Watch(WatchOptions),
    Backfill(BackfillOptions),
    Serve(ServeOptions),
    Deploy(Box<DeployOptions>),
    Undeploy(UndeployOptions),
    Setup(SetupOptions),
    Check(Box<CheckOptions>),
    Status(StatusOptions),
    Config(ConfigOptions),
    Completions(CompletionsOptions),
}

impl Command {
    /// Does the command.
    pub fn go(self) -> ExitCode {
        match self {
            Self::Print(text) => ending::ended(ending::print(&text)),
            Self::Run(options) => options.go(),
            Self::Tail(options) => options.go(),
            Self::Watch(options) => options.go(),
            Self::Backfill(options) => options.go(),
            Self::Serve(options) => options.go(),
            Self::Deploy(options) => options.go(),
            Self::Undeploy(options) => options.go(),
            Self::Setup(options) => options.go(),
            Self::Check(options) => options.go(),
            Self::Status(options) => options.go(),
            Self::Config(options) => options.go(),
            Self::Completions(options) => options.go(),
        }
    }
}

/// whiskjack forwards the logs of OpenWhisk actions to Logstash, without losing a line
#[derive(Debug, Parser)]
#[command(name = "whiskjack", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
API host and key come from the environment (__OW_API_HOST, __OW_API_KEY, __OW_NAMESPACE; or wsk's WHISK_APIHOST, WHISK_AUTH), else
from the file that wsk uses: the one named by WSK_CONFIG_FILE, else ~/.wskprops (APIHOST, AUTH, NAMESPACE). A namespace that is not the
key's is an error. The API is asked through the proxy of `api.proxy_url`, else of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
but for NO_PROXY.

Exit status: 0 all was forwarded; 1 something failed or is still owed; 2 wrong usage or configuration.

How it is started as an OpenWhisk action:
  no arguments, and a pipe as file descriptor 3
                 ActionLoop: an activation a line of stdin, a result a line of descriptor 3
  no argument or one that begins with { or [, and __OW_ACTIVATION_ID or __OW_ACTION_NAME in the environment
                 dockerskeleton: parameters from the argument, else from stdin; the result on stdout, exit status 0
  serve          the container itself, over HTTP

Examples:
  whiskjack config example > whiskjack.yaml
  whiskjack check --config whiskjack.yaml
  whiskjack run --config whiskjack.yaml --state whiskjack.state
  whiskjack deploy --config whiskjack.yaml --dry-run
  whiskjack status --max-lag 10m
  whiskjack deploy --help";

/// All arguments, for what is made from them.
#[cfg(test)]
pub(super) fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Reads the arguments. Errors are sentences that name the argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // The argument may hold the passphrase itself.
    let is_passphrase =
        |text: &str| text.starts_with("--passphrase") && text.split('=').next() != Some("--passphrase-file");
    if arguments.iter().any(|argument| argument.to_str().is_some_and(is_passphrase)) {
        return Err(format!(
            "--passphrase: everybody on this machine can read the command line; put the passphrase into a file and give \
             --passphrase-file FILE, or into the environment as {PASSPHRASE}"
        ));
    }
    let command = arguments.first().map(|command| command.display().to_string()).unwrap_or_default();
    match Arguments::try_parse_from([OsString::from("whiskjack")].into_iter().chain(arguments)) {
        Ok(Arguments { command }) => Ok(command),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Command::Print(error.to_string()))
        }
        Err(error) => Err(refusal(&error, &command)),
    }
}

/// What is to be given.
fn missing(argument: &str) -> String {
    match argument {
        "--from" => {
            "--from TIME is missing: where the range begins, such as 2026-11-29T14:00:00Z or 2h".to_owned()
        }
        "--dry-run" => "--limit: is for --dry-run; give that too, or leave it out".to_owned(),
        _ => "--config FILE is missing: the action's parameters, in YAML or JSON".to_owned(),
    }
}

/// What is wrong, and what to do.
fn refusal(error: &clap::Error, command: &str) -> String {
    let texts = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    let text = |kind| texts(kind).into_iter().next().unwrap_or_default();
    // Without the name of its value.
    let option = |kind| text(kind).split([' ', '=']).next().unwrap_or_default().to_owned();
    let instead = |kind, otherwise: String| match texts(kind).first() {
        Some(known) => format!("did you mean `{known}`?"),
        None => otherwise,
    };
    let argument = option(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidSubcommand => format!(
            "{}: no such command; {}",
            text(ContextKind::InvalidSubcommand),
            instead(ContextKind::SuggestedSubcommand, "see --help".to_owned())
        ),
        ErrorKind::UnknownArgument => format!(
            "{argument}: no such option of `{command}`; {}",
            instead(ContextKind::SuggestedArg, format!("see `whiskjack {command} --help`"))
        ),
        ErrorKind::MissingRequiredArgument
            if texts(ContextKind::InvalidArg).iter().any(|name| name == "<SHELL>") =>
        {
            "SHELL is missing: give bash, zsh or fish".to_owned()
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if command == "config" =>
        {
            "config: say what is wanted: `schema`, `example` or `migrate`; see `whiskjack config --help`"
                .to_owned()
        }
        ErrorKind::MissingRequiredArgument => missing(&argument),
        ErrorKind::ArgumentConflict if text(ContextKind::InvalidArg) == text(ContextKind::PriorArg) => {
            format!("{argument}: given twice")
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} and {} exclude each other; give one of them", option(ContextKind::PriorArg))
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
            "an argument is not text; only names of files may be anything else".to_owned()
        }
        _ => "nothing to do: say `whiskjack run --config FILE`, or --help".to_owned(),
    }
}
