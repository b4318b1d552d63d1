//! `whiskjack deploy` and `whiskjack undeploy`: their arguments and their exit status.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use whiskjack_config_file::Source;

use super::ending::{ended, misused, noted};
use super::meter::Meter;
use super::{Prepared, TlsFiles, as_written, located, prepare_file, times, values};
use crate::deploy::{self, DeployError, Deployment, Names, Runtime, Schedule};
use crate::entrypoint::environment;
use crate::result::is_elsewhere;
use crate::run::{RunContext, runtime as tokio_runtime};
use crate::said;

/// Default of `--name`.
pub(super) const NAME: &str = "whiskjack";
/// Default of `--kind`: ActionLoop, so that a warm container keeps its connections.
const KIND: &str = "rust:1.34";
const EVERY_MINUTE: &str = "* * * * *";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// OpenWhisk's own (docs/facts/openwhisk.md 2).
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);
const DEFAULT_MEMORY_MB: u32 = 256;

/// Put this program on OpenWhisk, as an action that an alarm runs
///
/// It makes an action, a trigger with an alarm, and a rule. It may be repeated at any time: it changes what it has made to what the
/// options say.
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(
    group = ArgGroup::new("runtime").args(["kind", "native", "docker"]),
    after_help = "\
API host and key come from the environment or from ~/.wskprops, as for `whiskjack run`. The API is asked through the proxy of
the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), else through that of `api.proxy_url`.
Exit status: 0 deployed, and the first run was good; 1 the API, a step or the first run failed; 2 wrong usage or configuration.

Examples:
  whiskjack deploy --config whiskjack.yaml --dry-run
  whiskjack deploy --config whiskjack.yaml --schedule \"*/5 * * * *\" --timeout 4m
  whiskjack deploy --config whiskjack.yaml --docker you/whiskjack:1"
)]
pub struct DeployOptions {
    /// The action's parameters, in YAML or JSON. ${NAME} is filled in from the environment here and now, as for `whiskjack run`. The file
    /// is checked before anything is changed. What begins with __ is left out
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    place: Place,
    /// When it runs, in UTC: minute, hour, day, month (by name) and weekday; with six fields the first is the second. At most once a minute
    #[arg(long, value_name = "CRON", default_value = EVERY_MINUTE, allow_hyphen_values = true)]
    schedule: String,
    /// Time limit of a run, such as 45s, 5m or 500ms. It must not be longer than the period of the schedule, or runs would overlap.
    /// Default: that period, 60s at most
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Memory of the action
    #[arg(long, value_name = "MB", default_value_t = DEFAULT_MEMORY_MB, value_parser = values::whole::<u32>(1..=1 << 20, "a number of megabytes"))]
    memory: u32,
    /// Runtime of the platform, one that speaks ActionLoop; default rust:1.34
    #[arg(long)]
    kind: Option<String>,
    /// Run in the platform's image for executables, which starts the program anew for each run
    #[arg(long)]
    native: bool,
    /// Run in this image; without --zip the image must contain whiskjack
    #[arg(long, value_name = "IMAGE")]
    docker: Option<String>,
    /// Code with `exec` at its root; default this program
    #[arg(long, value_name = "FILE")]
    zip: Option<PathBuf>,
    #[command(flatten)]
    tls: TlsFiles,
    /// How long to wait for the first run, 0s for not at all; default period, timeout and a minute together
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
}

/// Delete all that `deploy` has made, but not the checkpoint
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  whiskjack undeploy --dry-run
  whiskjack undeploy --name whiskjack --config whiskjack.yaml")]
pub struct UndeployOptions {
    /// Only the key `api` is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// What both commands need to know.
#[derive(Args, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Name of the action. The trigger is NAME-alarm, the rule NAME-rule
    #[arg(long, default_value = NAME)]
    name: String,
    /// Certificates to trust at the API, PEM; instead of `api.ca`
    #[arg(long, value_name = "FILE")]
    api_ca: Option<PathBuf>,
    /// Check everything, say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What to deploy, where, and where its parameters come from. Errors are sentences that name the option.
fn prepare_up(
    options: &DeployOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Deployment, RunContext, Source), String> {
    let names = names(&options.place)?;
    let schedule = &options.schedule;
    let schedule =
        Schedule::parse(schedule).map_err(|message| format!("--schedule \"{schedule}\": {message}"))?;
    let timeout = match &options.timeout {
        Some(text) => time(text).filter(|time| *time >= SHORTEST_TIMEOUT).ok_or(format!(
            "--timeout {text}: is not a time for a run; give a number with its unit, such as 45s, 5m or 500ms, 100ms at least"
        ))?,
        None => schedule.period().min(DEFAULT_TIMEOUT),
    };
    if timeout > schedule.period() {
        return Err(format!(
            "--timeout: a run may last {} s, but --schedule \"{}\" starts one every {} s, so that runs would overlap; give a shorter \
             time, or a schedule with a longer period",
            timeout.as_secs_f64(),
            schedule.cron(),
            schedule.period().as_secs(),
        ));
    }
    let wait = match &options.wait {
        Some(text) => Some(time(text).ok_or(format!(
            "--wait {text}: is not a time; give a number with its unit, such as 90s or 5m, or 0s for not waiting"
        ))?),
        None => None,
    };
    let runtime = runtime(options)?;
    let prepared = prepare_file(&options.config, Some(&options.tls), None, environment)?;
    let Prepared { params, source, context } = with_api_ca(prepared, &options.place)?;
    let deployment = Deployment {
        names,
        params,
        runtime,
        zip: options.zip.clone(),
        schedule,
        timeout,
        memory_mb: options.memory,
        dry_run: options.place.dry_run,
        wait,
    };
    Ok((deployment, context, source))
}

/// Who runs the code. What can be told of a name by its form is told here; what the platform has, it says itself.
fn runtime(options: &DeployOptions) -> Result<Runtime, String> {
    if options.native {
        return Ok(Runtime::Native);
    }
    if let Some(image) = &options.docker {
        return match is_image(image) {
            true => Ok(Runtime::Image(image.clone())),
            false => Err(format!(
                "--docker {image}: is not the name of an image; give one such as you/whiskjack:1 or registry.example.com/you/whiskjack"
            )),
        };
    }
    let kind = options.kind.as_deref().unwrap_or(KIND);
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    match kind.split_once(':') {
        Some((family, version)) if word(family) && word(version) => Ok(Runtime::Kind(kind.to_owned())),
        None if kind == "blackbox" => {
            Err("--kind blackbox: is the kind of all images; give --docker IMAGE, or --native".to_owned())
        }
        None if kind == "native" => Err("--kind native: is not a kind; give --native".to_owned()),
        _ => {
            Err(format!("--kind {kind}: is not a kind with its version; give one such as {KIND} or go:1.20"))
        }
    }
}

/// Whether it can name an image: `[host[:port]/]path[:tag][@digest]`, the path in small letters.
fn is_image(name: &str) -> bool {
    let (name, digest) = name.split_once('@').map_or((name, None), |(name, digest)| (name, Some(digest)));
    let is_word = |text: &str, more: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let (folders, last) = name.rsplit_once('/').map_or((None, name), |(folders, last)| (Some(folders), last));
    let (last, tag) = last.split_once(':').map_or((last, None), |(last, tag)| (last, Some(tag)));
    let is_part = |part: &str| is_word(part, "._-") && !part.chars().any(|c| c.is_ascii_uppercase());
    // The first may be a host.
    let are_folders = folders.is_none_or(|folders| {
        let mut parts = folders.split('/');
        parts.next().is_some_and(|first| is_word(first, "._-:")) && parts.all(is_part)
    });
    let is_digest = |digest: &str| {
        digest.split_once(':').is_some_and(|(kind, hash)| is_word(kind, "+._-") && is_word(hash, ""))
    };
    are_folders && is_part(last) && tag.is_none_or(|tag| is_word(tag, "._-")) && digest.is_none_or(is_digest)
}

/// What to take away, how to reach the API, whether only to say so, where, and where that comes from.
fn prepare_down(
    options: &UndeployOptions,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Names, Value, bool, RunContext, Source), String> {
    let prepared = match &options.config {
        Some(config) => prepare_file(config, None, None, environment)?,
        None => {
            let context = super::context(None, environment)?;
            Prepared { params: json!({}), source: Source::default(), context }
        }
    };
    let Prepared { params, source, context } = with_api_ca(prepared, &options.place)?;
    Ok((names(&options.place)?, params, options.place.dry_run, context, source))
}

fn names(place: &Place) -> Result<Names, String> {
    Names::new(&place.name).map_err(|message| format!("--name {}: {message}", place.name))
}

/// The same with the certificates of `--api-ca`.
fn with_api_ca(mut prepared: Prepared, place: &Place) -> Result<Prepared, String> {
    if let (Some(file), Some(map)) = (&place.api_ca, prepared.params.as_object_mut()) {
        let option = format!("--api-ca {}", file.display());
        super::replace(map, "api", "ca", super::text_of(&option, file)?.into());
        prepared.source.replace("api.ca", option);
    }
    Ok(prepared)
}

/// A number with its unit.
fn time(text: &str) -> Option<Duration> {
    times::milliseconds(text).map(Duration::from_millis)
}

impl DeployOptions {
    /// Deploys.
    pub(super) fn go(&self) -> ExitCode {
        let (deployment, context, source) = match prepare_up(self, &environment) {
            Ok(prepared) => prepared,
            Err(message) => return misused(&message),
        };
        noted(&context);
        let _meter = Meter::on_terminal(context.attached.doing.clone());
        let mut say = |line: &str| said::to_stdout(line);
        deployed(deploy::up(&deployment, &context, &mut say), &source)
    }
}

impl UndeployOptions {
    /// Takes the action away.
    pub(super) fn go(&self) -> ExitCode {
        let (names, params, dry_run, context, source) = match prepare_down(self, &environment) {
            Ok(prepared) => prepared,
            Err(message) => return misused(&message),
        };
        noted(&context);
        let _meter = Meter::on_terminal(context.attached.doing.clone());
        let mut say = |line: &str| said::to_stdout(line);
        deployed(deploy::down(&names, &params, dry_run, &context, &mut say), &source)
    }
}

/// Does the work of `deploy` or `undeploy`, and says what went wrong.
fn deployed(work: impl Future<Output = Result<(), DeployError>>, source: &Source) -> ExitCode {
    let runtime = match tokio_runtime() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let outcome = runtime.block_on(work);
    // A name server that hangs must not keep the program from ending.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DeployError::Config(mut faults)) => {
            as_written(&mut faults, source);
            faults
                .iter()
                .for_each(|fault| said::to_stderr(format_args!("whiskjack: {}", located(fault, source))));
            match faults.iter().any(|fault| is_elsewhere(&fault.key)) {
                true => misused("nothing was changed"),
                false => misused("the configuration has faults; nothing was changed"),
            }
        }
        Err(DeployError::Misused(message)) => misused(&message),
        Err(error) => ended(Err(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse};
    use super::*;

    fn words(words: &str) -> Result<Command, String> {
        parse(words.split_whitespace().map(std::ffi::OsString::from))
    }

    fn prepared(arguments: &str) -> Result<Deployment, String> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("c");
        std::fs::write(&config, "{\"actions\":[\"a\"]}").unwrap();
        let arguments = format!("deploy --config {} {arguments}", config.display());
        let Command::Deploy(options) = words(&arguments)? else { panic!("{arguments}") };
        prepare_up(&options, &|_| None).map(|(deployment, ..)| deployment)
    }

    #[test]
    fn without_options_it_runs_each_minute_for_a_minute() {
        let deployment = prepared("").unwrap();
        assert_eq!(deployment.names, Names::new("whiskjack").unwrap());
        assert_eq!(deployment.schedule.cron(), "* * * * *");
        assert_eq!((deployment.timeout, deployment.memory_mb), (Duration::from_secs(60), 256));
        assert_eq!(deployment.runtime, Runtime::Kind("rust:1.34".to_owned()));
        assert_eq!((deployment.wait, deployment.dry_run), (None, false));
    }

    #[test]
    fn options_say_what_to_make() {
        let deployment =
            prepared("--name n --timeout 500ms --memory 512 --native --wait 0s --dry-run").unwrap();
        assert_eq!(deployment.names.trigger, "n-alarm");
        assert_eq!((deployment.timeout, deployment.memory_mb), (Duration::from_millis(500), 512));
        assert_eq!(deployment.runtime, Runtime::Native);
        assert_eq!((deployment.wait, deployment.dry_run), (Some(Duration::ZERO), true));
    }

    #[test]
    fn undeploying_reads_how_to_reach_the_api_and_wants_no_variable_of_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (config, ca) = (folder.path().join("c"), folder.path().join("ca"));
        let text = "actions: ${ACTIONS}\nlogstash: {host: l, passphrase: '${PASSPHRASE}'}\napi.ca: old\napi: {proxy_url: '${PROXY}'}\n";
        std::fs::write(&config, text).unwrap();
        std::fs::write(&ca, "\u{feff}CA\n").unwrap();
        let down = |arguments: &str, environment: &dyn Fn(&str) -> Option<String>| {
            let arguments = format!("undeploy --config {} {arguments}", config.display());
            let Command::Undeploy(options) = words(&arguments).unwrap() else { panic!("{arguments}") };
            prepare_down(&options, environment).map(|(_, params, ..)| params)
        };
        let proxy = |name: &str| match name {
            "PROXY" => Some("http://proxy:3128".to_owned()),
            "WHISKJACK_PASSPHRASE" => Some("sesame".to_owned()),
            _ => None,
        };
        let params = down(&format!("--api-ca {}", ca.display()), &proxy).unwrap();
        assert_eq!(params, json!({"api": {"proxy_url": "http://proxy:3128", "ca": "CA\n"}}));
        assert!(
            down("", &|_| None).unwrap_err().contains("line 4: api.proxy_url: the variable PROXY is not set")
        );
        for (bytes, part) in
            [(&b""[..], "is empty"), (&[0x30, 0x82, 0xff], "is not a text; convert it to PEM")]
        {
            std::fs::write(&ca, bytes).unwrap();
            let message = down(&format!("--api-ca {}", ca.display()), &proxy).unwrap_err();
            assert!(message.starts_with("--api-ca ") && message.contains(part), "{message}");
        }
    }

    #[test]
    fn an_argument_that_is_not_understood_is_named() {
        for (arguments, part) in [
            ("--kind a --native", "exclude each other"),
            ("--memory much", "--memory much: is not a number of megabytes; give "),
            ("--memory 0", "--memory 0: is not a number"),
            ("--memory 256MB", "--memory 256MB: is not a number"),
            ("--kind rust", "--kind rust: is not a kind with its version; give one such as rust:1.34"),
            ("--kind rust:", "--kind rust:: is not a kind"),
            ("--kind rust:1.34:2", "is not a kind"),
            ("--kind blackbox", "give --docker IMAGE, or --native"),
            ("--kind native", "give --native"),
            ("--docker https://hub/x", "--docker https://hub/x: is not the name of an image"),
            ("--docker Me/", "is not the name of an image; give one such as you/whiskjack:1"),
            ("--docker me/WhiskJack", "is not the name of an image"),
            ("--docker me//whiskjack", "is not the name of an image"),
            ("--docker me/whiskjack@1", "is not the name of an image"),
            ("--timeout 60", "--timeout 60: is not a time for a run; give a number with its unit"),
            ("--timeout 61s", "a run may last 61 s, but --schedule \"* * * * *\" starts one every 60 s"),
            ("--wait soon", "--wait soon: is not a time"),
            ("--timeout 99ms", "100ms at least"),
            ("--name a/b", "--name a/b: cannot be a name; give "),
            ("--schedule hourly", "--schedule \"hourly\": has 1 field; give five"),
            ("--state s", "--state: no such option of `deploy`"),
            ("--native --native", "--native: is given twice"),
            ("--zip", "--zip: a value is missing"),
            ("--dry-run=yes", "--dry-run: takes no value"),
            ("--memry 5", "--memry: no such option of `deploy`; did you mean `--memory`?"),
            ("--passphrase=sesame", "put the passphrase into a file"),
        ] {
            let message = prepared(arguments).unwrap_err();
            assert!(message.contains(part) && !message.contains("sesame"), "{arguments}: {message}");
        }
        for image in
            ["whiskjack", "me/whiskjack:1", "localhost:5000/me/x", "Hub.example.com/a/b/c:v1.0@sha256:00ff"]
        {
            let deployment = prepared(&format!("--docker {image}")).unwrap();
            assert_eq!(deployment.runtime, Runtime::Image(image.to_owned()));
        }
        assert!(words("deploy").unwrap_err().contains("--config FILE: is missing; give "));
        assert!(words("undeploy --zip f").unwrap_err().contains("no such option of `undeploy`"));
        for command in ["deploy", "undeploy"] {
            let help = words(&format!("{command} --help"));
            assert!(matches!(&help, Ok(Command::Print(text)) if text.contains("Examples:")), "{help:?}");
        }
    }
}
