//! The command line.

mod arguments;
mod backfill;
mod check;
mod completions;
mod config;
pub mod deploy;
mod direct;
mod dry_run;
pub mod ending;
mod meter;
mod packed;
mod progress;
mod refusal;
mod run;
mod serve;
mod session;
pub mod setup;
mod status;
mod tail;
pub mod terminal;
mod times;
mod trouble;
mod values;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use whiskjack_config_file::{ConfigFile, Source};

pub use self::arguments::parse;
pub use self::backfill::BackfillOptions;
pub use self::run::RunOptions;
pub use self::serve::ServeOptions;
pub use self::tail::TailOptions;
pub use self::watch::WatchOptions;
use super::wskprops::{self, WskProps};
use crate::checkpoint;
use crate::os_error;
use crate::output::{Output, OutputFile};
use crate::params::ProxyVariables;
use crate::run::{Keeper, RunContext};
use crate::secret::Secret;
use crate::tls::pem;
use whiskjack_settings::Fault;
use whiskjack_settings::text;

/// Environment variable with the passphrase of an encrypted key.
const PASSPHRASE: &str = "WHISKJACK_PASSPHRASE";

/// The table of all commands. Each is a module, with its options, their help, and its call.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    // Without comments of documentation: they would take the place of the help of the options.
    #[command(skip)]
    Print(String),
    Run(run::RunOptions),
    Tail(tail::TailOptions),
    Watch(watch::WatchOptions),
    Backfill(backfill::BackfillOptions),
    Serve(serve::ServeOptions),
    Deploy(Box<deploy::DeployOptions>),
    Undeploy(deploy::UndeployOptions),
    Setup(setup::SetupOptions),
    Check(Box<check::CheckOptions>),
    Status(status::StatusOptions),
    Config(config::ConfigOptions),
    Completions(completions::CompletionsOptions),
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

/// Does the command of the arguments.
pub fn go(arguments: Vec<OsString>) -> ExitCode {
    match parse(arguments) {
        Ok(command) => command.go(),
        Err(message) => ending::misused(&message),
    }
}

/// The inputs of a command.
#[derive(Debug)]
pub struct Prepared {
    /// The parameters, as an action gets them.
    pub params: Value,
    /// The source of the parameters.
    pub source: Source,
    /// The API, and the place of the checkpoint.
    pub context: RunContext,
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

/// Parameters and context of a command that forwards: to receivers, or to the file of `--output`. Errors are sentences that name the file.
fn prepare(
    config: &Path,
    tls: &TlsFiles,
    state: Option<&Path>,
    output: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, String> {
    let mut prepared = prepare_file(config, Some(tls), state.map(Path::to_owned), environment)?;
    attach_output(output, config, state, &mut prepared)?;
    Ok(prepared)
}

/// Lets the documents go to the file of `--output`, if it is given. It may be none of the command's other files: saving a checkpoint there would
/// take the place of documents that count as acknowledged.
fn attach_output(
    output: Option<&Path>,
    config: &Path,
    state: Option<&Path>,
    prepared: &mut Prepared,
) -> Result<(), String> {
    let (Some(output), Value::Object(params)) = (output, &mut prepared.params) else { return Ok(()) };
    for (option, other) in [("--config", Some(config)), ("--state", state)] {
        apart("--output", output, option, other)?;
    }
    direct::to_output(params);
    // It is opened when the configuration is known to be sound.
    let file = OutputFile::named(output).map_err(|error| error.to_string())?;
    prepared.context.attached.output = Some(Output::new(file));
    Ok(())
}

/// The file of an option must not be that of another one.
fn apart(option: &str, file: &Path, other: &str, other_file: Option<&Path>) -> Result<(), String> {
    match other_file.is_some_and(|other_file| place(other_file) == place(file)) {
        true => Err(format!("{option} {}: is the file of {other}; name another file", file.display())),
        false => Ok(()),
    }
}

/// Where a file is or would be, whatever path leads there.
fn place(path: &Path) -> PathBuf {
    let folder = || Some(whiskjack_settings::folder(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(folder).unwrap_or_else(|| path.to_owned())
}

/// The same for a file; without `tls`, only what the file has in the group `api`.
fn prepare_file(
    config: &Path,
    tls: Option<&TlsFiles>,
    state: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, String> {
    if let Some(state) = &state {
        apart("--state", state, "--config", Some(config))?;
    }
    let name = format!("--config {}", config.display());
    let bytes = os_error::read(&name, config)?;
    let file = match tls {
        Some(_) => whiskjack_config_file::read(&name, &bytes, environment),
        None => whiskjack_config_file::read_group(&name, &bytes, environment, "api"),
    };
    let ConfigFile { mut params, mut source } = file?;
    let texts = match tls {
        Some(files) => tls_texts(files, environment, &mut source)?,
        None => Vec::new(),
    };
    for (name, text) in texts {
        replace(&mut params, "logstash", name, text.into());
    }
    let context = context(state, environment)?;
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
/// names is read, too. What cannot be the file of the checkpoint is refused.
fn context(
    state: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<RunContext, String> {
    state.as_deref().map_or(Ok(()), checkpoint::look)?;
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
    let bytes = os_error::read(place, file)?;
    let text =
        pem::text(bytes).ok_or_else(|| said("is not a text; convert it to PEM with `openssl`".to_owned()))?;
    let text = text.trim_start_matches(text::MARK);
    if text.trim().is_empty() {
        return Err(said("is empty; put into it what the option is for, or name another file".to_owned()));
    }
    Ok(text.to_owned())
}

/// What the TLS options put into `logstash`, by the names of its keys.
fn tls_texts(
    files: &TlsFiles,
    environment: &dyn Fn(&str) -> Option<String>,
    source: &mut Source,
) -> Result<Vec<(&'static str, String)>, String> {
    let mut texts = Vec::new();
    for (option, key, file) in [
        ("--ca", "logstash.ca", &files.ca),
        ("--cert", "logstash.cert", &files.cert),
        ("--key", "logstash.key", &files.key),
        ("--passphrase-file", "logstash.passphrase", &files.passphrase_file),
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
    if files.passphrase_file.is_none()
        && let Some(passphrase) = environment(PASSPHRASE)
    {
        texts.push(("passphrase", passphrase));
        source.replace("logstash.passphrase", PASSPHRASE.to_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests;
