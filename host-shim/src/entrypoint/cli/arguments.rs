//! The arguments of all commands, and the sentences for those that are not understood.

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use super::{Command, PASSPHRASE, refusal};

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
    let arguments = with_negative_values(arguments);
    match Arguments::try_parse_from([OsString::from("whiskjack")].into_iter().chain(arguments)) {
        Ok(Arguments { command }) => Ok(command),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Command::Print(error.to_string()))
        }
        Err(error) => Err(refusal::told(&error, &command, &<Arguments as clap::CommandFactory>::command())),
    }
}

/// What looks like a negative number is the value of the option before it, and not an option: the option says what is wrong with it.
fn with_negative_values(arguments: Vec<OsString>) -> Vec<OsString> {
    let is_option = |text: &str| text.len() > 2 && text.starts_with("--") && !text.contains('=');
    let is_negative = |text: &str| {
        text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut joined: Vec<OsString> = Vec::with_capacity(arguments.len());
    let mut are_all_values = false;
    for argument in arguments {
        are_all_values |= argument == "--";
        match joined.last_mut().filter(|before| before.to_str().is_some_and(is_option)) {
            Some(option) if !are_all_values && argument.to_str().is_some_and(is_negative) => {
                option.push("=");
                option.push(argument);
            }
            _ => joined.push(argument),
        }
    }
    joined
}
