//! The arguments of all commands, and the sentences for those that are not understood.

use std::error::Error as _;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};

use super::PASSPHRASE;
use super::deploy::{DeployOptions, UndeployOptions};
use super::setup::SetupOptions;
use crate::entrypoint::serve;

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print a help or the version.
    Print(String),
    /// Run once.
    Run(RunOptions),
    /// Be a container, on this port.
    Serve(u16),
    /// Make it an action of the platform.
    Deploy(Box<DeployOptions>),
    /// Take the action away.
    Undeploy(UndeployOptions),
    /// Bring templates and dashboards to a search engine.
    Setup(SetupOptions),
}

/// whiskjack forwards the logs of OpenWhisk actions to Logstash, without losing a line
#[derive(Debug, Parser)]
#[command(name = "whiskjack", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Given,
}

#[derive(Debug, Subcommand)]
enum Given {
    Run(RunOptions),
    Serve(ServeOptions),
    Deploy(Box<DeployOptions>),
    Undeploy(UndeployOptions),
    Setup(SetupOptions),
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
  whiskjack run --config whiskjack.yaml --state whiskjack.state
  whiskjack deploy --config whiskjack.yaml --dry-run
  whiskjack deploy --help";

/// Forward once. The result is one line of JSON on stdout, logs go to stderr
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack run --config whiskjack.yaml
  whiskjack run --config whiskjack.yaml --state whiskjack.state --ca ca.pem
  whiskjack run --config whiskjack.yaml --cert client.pem --key client.key --passphrase-file passphrase")]
pub struct RunOptions {
    /// The parameters that an action gets, in YAML or JSON. ${NAME}, ${NAME:default} and ${NAME:?message} are filled in from the
    /// environment; $${ stands for ${ itself
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Keep the checkpoint in this file; without it the platform keeps it, as an annotation of a package in the namespace
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// For the receiver.
    #[command(flatten)]
    pub tls: TlsFiles,
}

/// Files for TLS with the receiver.
#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates to trust at the receiver, PEM; instead of `logstash.ca`
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Client certificate and its chain, PEM; instead of `logstash.cert`
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Its private key, PEM; instead of `logstash.key`
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The passphrase of an encrypted key, on one line; instead of `logstash.passphrase`. The environment variable WHISKJACK_PASSPHRASE
    /// does the same
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Be an OpenWhisk action's container: answer /init and /run over HTTP
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whiskjack serve
  whiskjack serve --port 9000")]
struct ServeOptions {
    /// Listen there; 0 for any, which is told on stderr
    #[arg(long, value_name = "PORT", default_value_t = serve::PORT, value_parser = port)]
    port: u16,
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "must be a number from 0 to 65535")
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
        Ok(Arguments { command: Given::Run(options) }) => Ok(Command::Run(options)),
        Ok(Arguments { command: Given::Serve(options) }) => Ok(Command::Serve(options.port)),
        Ok(Arguments { command: Given::Deploy(options) }) => Ok(Command::Deploy(options)),
        Ok(Arguments { command: Given::Undeploy(options) }) => Ok(Command::Undeploy(options)),
        Ok(Arguments { command: Given::Setup(options) }) => Ok(Command::Setup(options)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Command::Print(error.to_string()))
        }
        Err(error) => Err(refusal(&error, &command)),
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
        ErrorKind::MissingRequiredArgument => {
            "--config FILE is missing: the action's parameters, in YAML or JSON".to_owned()
        }
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
            format!("{argument} {}: {why}", text(ContextKind::InvalidValue))
        }
        ErrorKind::InvalidUtf8 => {
            "an argument is not text; only names of files may be anything else".to_owned()
        }
        _ => "nothing to do: say `whiskjack run --config FILE`, or --help".to_owned(),
    }
}
