//! The command line.

pub mod deploy;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use whiskjack_config_file::{ConfigFile, Source};

use super::wskprops::{self, WskProps};
use crate::params::ProxyVariables;
use crate::result::{RunResult, Verdict};
use crate::run::{Keeper, RunContext};
use crate::secret::Secret;
use crate::tls::pem;
use whiskjack_settings::Fault;
use whiskjack_settings::text;

/// What `--help` prints.
pub const HELP: &str = "\
whiskjack forwards the logs of OpenWhisk actions to Logstash, without losing a line.

Usage:
  whiskjack run --config FILE [--state FILE] [--ca FILE] [--cert FILE --key FILE [--passphrase-file FILE]]
  whiskjack serve [--port PORT]
  whiskjack deploy --config FILE [OPTIONS]     see whiskjack deploy --help
  whiskjack undeploy [OPTIONS]
  whiskjack --help | --version

Options of `run`:
  --config FILE  the parameters that an action gets, in YAML or JSON. ${NAME}, ${NAME:default} and
                 ${NAME:?message} are filled in from the environment; $${ stands for ${ itself
  --state FILE   keep the checkpoint in this file; without it the platform keeps it,
                 as an annotation of a package in the namespace
  --ca FILE      certificates to trust at the receiver, PEM; instead of `logstash.ca`
  --cert FILE    client certificate and its chain, PEM; instead of `logstash.cert`
  --key FILE     its private key, PEM; instead of `logstash.key`
  --passphrase-file FILE
                 the passphrase of an encrypted key, on one line; instead of `logstash.passphrase`.
                 The environment variable WHISKJACK_PASSPHRASE does the same

`serve` is an OpenWhisk action's container: it answers /init and /run on port 8080.
  --port PORT    listen there instead; 0 for any, which is told on stderr

API host and key come from the environment (__OW_API_HOST, __OW_API_KEY, __OW_NAMESPACE; or wsk's WHISK_APIHOST, WHISK_AUTH), else
from the file that wsk uses: the one named by WSK_CONFIG_FILE, else ~/.wskprops (APIHOST, AUTH, NAMESPACE). A namespace that is not the
key's is an error. The API is asked through the proxy of `api.proxy_url`, else of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, but for NO_PROXY.

The result is one line of JSON on stdout, logs go to stderr.
Exit status: 0 all was forwarded; 1 something failed or is still owed; 2 wrong usage or configuration.

How it is started as an OpenWhisk action:
  no arguments, and a pipe as file descriptor 3
                 ActionLoop: an activation a line of stdin, a result a line of descriptor 3
  no argument or one that begins with { or [, and __OW_ACTIVATION_ID or __OW_ACTION_NAME in the environment
                 dockerskeleton: parameters from the argument, else from stdin; the result on stdout, exit status 0
  serve          the container itself, over HTTP
";

/// Environment variable with the passphrase of an encrypted key.
const PASSPHRASE: &str = "WHISKJACK_PASSPHRASE";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Run once.
    Run(RunOptions),
    /// Be a container, on this port.
    Serve(u16),
    /// Make it an action of the platform, or take it away.
    Deploy(deploy::DeployCommand),
}

/// Files of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// The parameters.
    pub config: PathBuf,
    /// Keeps the checkpoint.
    pub state: Option<PathBuf>,
    /// Certificates to trust at the receiver.
    pub ca: Option<PathBuf>,
    /// Client certificate.
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate.
    pub key: Option<PathBuf>,
    /// Passphrase of the private key.
    pub passphrase_file: Option<PathBuf>,
}

/// Reads the arguments. Errors are sentences that name the argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next().ok_or("nothing to do: say `whiskjack run --config FILE`, or --help")?;
    match command.to_str() {
        Some("--help" | "-h" | "help") => return Ok(Command::Help),
        Some("--version" | "-V") => return Ok(Command::Version),
        Some("run") => {}
        Some("serve") => return parse_serve(arguments),
        Some(name @ ("deploy" | "undeploy")) => return deploy::parse(name, arguments).map(Command::Deploy),
        _ => return Err(format!("{}: no such command; see --help", command.display())),
    }
    let (mut config, mut run) = (None, RunOptions::default());
    while let Some(option) = arguments.next() {
        let slot = match option.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--config") => &mut config,
            Some("--state") => &mut run.state,
            Some("--ca") => &mut run.ca,
            Some("--cert") => &mut run.cert,
            Some("--key") => &mut run.key,
            Some("--passphrase-file") => &mut run.passphrase_file,
            // The argument may hold the passphrase itself.
            Some(text) if text.starts_with("--passphrase") => return Err(passphrase_as_argument()),
            _ => return Err(format!("{}: no such option of `run`; see --help", option.display())),
        };
        let value = arguments.next().ok_or(format!("{}: a file is missing", option.display()))?;
        if slot.replace(PathBuf::from(value)).is_some() {
            return Err(format!("{}: given twice", option.display()));
        }
    }
    run.config = config.ok_or("--config FILE is missing: the parameters, in YAML or JSON")?;
    Ok(Command::Run(run))
}

fn parse_serve(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut port = None;
    while let Some(option) = arguments.next() {
        match option.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--port") => {}
            _ => return Err(format!("{}: no such option of `serve`; see --help", option.display())),
        }
        let value = arguments.next().ok_or("--port: a number is missing")?;
        let number = value.to_str().and_then(|text| text.parse().ok());
        let number = number.ok_or(format!("--port {}: must be a number from 0 to 65535", value.display()))?;
        if port.replace(number).is_some() {
            return Err("--port: given twice".to_owned());
        }
    }
    Ok(Command::Serve(port.unwrap_or(super::serve::PORT)))
}

fn passphrase_as_argument() -> String {
    format!(
        "--passphrase: everybody on this machine can read the command line; put the passphrase into a file and give \
         --passphrase-file FILE, or into the environment as {PASSPHRASE}"
    )
}

/// What a command works with.
#[derive(Debug)]
pub struct Prepared {
    /// The parameters, as an action gets them.
    pub params: Value,
    /// Where they come from.
    pub source: Source,
    /// The API, and where the checkpoint is kept.
    pub context: RunContext,
}

/// Parameters and context of a run. Errors are sentences that name the file.
pub fn prepare(run: &RunOptions, environment: &dyn Fn(&str) -> Option<String>) -> Result<Prepared, String> {
    prepare_group(run, environment, None)
}

/// The same; with a `group`, only what the file has in that.
fn prepare_group(
    run: &RunOptions,
    environment: &dyn Fn(&str) -> Option<String>,
    group: Option<&str>,
) -> Result<Prepared, String> {
    let name = format!("--config {}", run.config.display());
    let bytes = std::fs::read(&run.config).map_err(|error| format!("{name}: {error}"))?;
    let file = match group {
        None => whiskjack_config_file::read(&name, &bytes, environment),
        Some(group) => whiskjack_config_file::read_group(&name, &bytes, environment, group),
    };
    let ConfigFile { mut params, mut source } = file?;
    let texts = match group {
        None => tls_texts(run, environment, &mut source)?,
        Some(_) => Vec::new(),
    };
    for (name, text) in texts {
        replace(&mut params, "logstash", name, text.into());
    }
    let context = context(run.state.clone(), environment)?;
    Ok(Prepared { params: Value::Object(params), source, context })
}

/// Faults with what the file shows in the place of a variable's value, which the file's readers may not know.
pub fn as_written(faults: &mut [Fault], source: &Source) {
    for fault in faults.iter_mut().filter(|fault| !fault.value.is_empty()) {
        if let Some(variable) = source.variable(&fault.key) {
            fault.value = variable.to_owned();
        }
    }
}

/// A fault with the place where its key stands.
pub fn located(fault: &Fault, source: &Source) -> String {
    source.located(&fault.key, fault)
}

/// API host, key and namespace, from the environment, else from the file of `wsk`. If the environment has host and key, only a file that it
/// names is read, too.
fn context(
    state: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<RunContext, String> {
    let of_environment =
        |names: &[&'static str]| names.iter().find_map(|name| Some((*name, environment(name)?)));
    let api_host = of_environment(&["__OW_API_HOST", "WHISK_APIHOST"]);
    let api_key = of_environment(&["__OW_API_KEY", "WHISK_AUTH"]);
    let namespace = of_environment(&["__OW_NAMESPACE"]);
    let props = match api_host.is_some() && api_key.is_some() && environment(wskprops::NAMED).is_none() {
        true => WskProps::default(),
        false => WskProps::load(environment)?,
    };
    let mut given = props.places();
    // The namespace of the file goes with the key of the file.
    let of_file = if api_key.is_none() { props.namespace() } else { None };
    if of_file.is_none() {
        given.namespace = None;
    }
    for (place, found) in
        [(&mut given.api_host, &api_host), (&mut given.api_key, &api_key), (&mut given.namespace, &namespace)]
    {
        if let Some((name, _)) = found {
            *place = Some((*name).to_owned());
        }
    }
    let value = |found: Option<(&str, String)>| found.map(|(_, value)| value);
    Ok(RunContext {
        api_host: value(api_host).or_else(|| props.api_host()),
        api_key: value(api_key).map_or_else(|| props.key(), |key| Secret::key(&key)),
        namespace: value(namespace).or(of_file),
        checkpoint: state.map_or(Keeper::Platform, Keeper::File),
        given,
        proxies: ProxyVariables::read(environment),
        ..RunContext::default()
    })
}

/// Gives a key of a group another value, however the file has written it: nested, or with dots.
fn replace(params: &mut Map<String, Value>, group: &str, name: &str, value: Value) {
    remove(params, &format!("{group}.{name}"));
    let place = params.entry(group).or_insert(Value::Null);
    if place.is_null() {
        *place = json!({});
    }
    // What is not an object is for the check of the configuration to name.
    if let Value::Object(members) = place {
        members.insert(name.to_owned(), value);
    }
}

/// Takes a key out, and what is in it.
fn remove(params: &mut Map<String, Value>, path: &str) {
    let rest = |start: &str| Some(path.strip_prefix(start)?.strip_prefix('.')?.to_owned());
    params.retain(|key, _| !key.strip_prefix(path).is_some_and(|end| end.is_empty() || end.starts_with('.')));
    for (key, value) in params {
        if let (Some(rest), Value::Object(inner)) = (rest(key), value) {
            remove(inner, &rest);
        }
    }
}

/// The text in the file of an option. Errors are sentences that begin with both.
fn text_of(place: &str, file: &Path) -> Result<String, String> {
    let said = |what: String| format!("{place}: {what}");
    let bytes = std::fs::read(file).map_err(|error| said(error.to_string()))?;
    let text =
        pem::text(bytes).ok_or_else(|| said("is not a text; convert it to PEM with `openssl`".to_owned()))?;
    let text = text.trim_start_matches(text::MARK);
    if text.trim().is_empty() {
        return Err(said("is empty".to_owned()));
    }
    Ok(text.to_owned())
}

/// What the TLS options put into `logstash`, by the names of its keys.
fn tls_texts(
    run: &RunOptions,
    environment: &dyn Fn(&str) -> Option<String>,
    source: &mut Source,
) -> Result<Vec<(&'static str, String)>, String> {
    let mut texts = Vec::new();
    for (option, key, file) in [
        ("--ca", "logstash.ca", &run.ca),
        ("--cert", "logstash.cert", &run.cert),
        ("--key", "logstash.key", &run.key),
        ("--passphrase-file", "logstash.passphrase", &run.passphrase_file),
    ] {
        let Some(file) = file else { continue };
        let name = key.trim_start_matches("logstash.");
        let place = format!("{option} {}", file.display());
        let mut text = text_of(&place, file)?;
        if name == "passphrase" {
            // An editor ends the line; a passphrase does not.
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
            if text.contains(['\r', '\n']) {
                return Err(format!(
                    "{place}: has several lines; put the passphrase alone into it, on one line"
                ));
            }
        }
        texts.push((name, text));
        source.replace(key, place);
    }
    if run.passphrase_file.is_none()
        && let Some(passphrase) = environment(PASSPHRASE)
    {
        texts.push(("passphrase", passphrase));
        source.replace("logstash.passphrase", PASSPHRASE.to_owned());
    }
    Ok(texts)
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
mod tests;
