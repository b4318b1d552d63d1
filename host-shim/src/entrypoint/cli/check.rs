//! `whiskjack check`: its arguments and its output.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use whiskjack_config_file::Source;

use super::ending::{self, ended, noted, print};
use super::meter::Meter;
use super::terminal::{Speech, Style, Terminal, harmless};
use super::{Prepared, TlsFiles, as_written, located, prepare_file};
use crate::check::{Asked, Mark, Step, check};
use crate::checkpoint;
use crate::deploy::Names;
use crate::entrypoint::environment;
use crate::run::{Shim, Unseen, runtime};
use crate::said;

/// Check a configuration, the API, what is selected there, and the receivers, and change nothing
///
/// Each step is told with what to do if it fails. The last line names the first cause of trouble.
#[derive(Args, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Without --send the receivers get no event: it knocks with the begin of a window, which each of them forgets. With --send each gets one
document that says that it is a test, and must acknowledge it.
Exit status: 0 nothing is wrong; 1 something is; 2 wrong usage or configuration, in an option, a file or a variable.

Examples:
  whiskjack check --config whiskjack.yaml
  whiskjack check --config whiskjack.yaml --send
  whiskjack check --config whiskjack.yaml --name whiskjack
  whiskjack check --json")]
pub struct CheckOptions {
    /// The parameters that an action gets, in YAML or JSON, as for `whiskjack run`. Without it only the API is checked
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file that `whiskjack run` keeps the checkpoint in
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Check for the deployed action of this name, whose checkpoint is its own, and not for the command
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Send one test document to each receiver
    #[arg(long)]
    send: bool,
    /// For the receiver.
    #[command(flatten)]
    tls: TlsFiles,
    #[command(flatten)]
    speech: Speech,
}

impl CheckOptions {
    /// Checks.
    pub(super) fn go(&self) -> ExitCode {
        let terminal = Terminal::of_stdout(self.speech, &environment);
        ended(match self.prepare() {
            Ok(prepared) => self.checked(prepared, terminal),
            Err(message) => refused(message, terminal),
        })
    }

    fn prepare(&self) -> Result<Prepared, String> {
        let mut prepared = match &self.config {
            Some(config) => prepare_file(config, Some(&self.tls), self.state.clone(), &environment)?,
            None => {
                let context = super::context(self.state.clone(), &environment)?;
                Prepared { params: Value::Null, source: Source::default(), context }
            }
        };
        self.state.as_deref().map_or(Ok(()), checkpoint::foresee)?;
        if let Some(name) = &self.name {
            let names = Names::new(name).map_err(|message| format!("--name {name}: {message}"))?;
            let namespace = prepared.context.namespace.as_deref().unwrap_or("_");
            prepared.context.action_name = Some(format!("/{namespace}/{}", names.action));
        }
        Ok(prepared)
    }

    fn checked(&self, prepared: Prepared, terminal: Terminal) -> anyhow::Result<u8> {
        let (shim, runtime) = (Shim::new()?, runtime()?);
        let Prepared { params, source, context } = prepared;
        noted(&context);
        let asked = Asked { params: self.config.as_ref().map(|_| params), send: self.send };
        let mut steps = Vec::new();
        let mut say = |step: Step| {
            if !terminal.json {
                said::to_stdout(shown(&step, terminal));
            }
            steps.push(step);
        };
        let meter = Meter::on_terminal(context.attached.doing.clone());
        let outcome = runtime.block_on(check(&shim, &asked, &context, &mut say));
        drop(meter);
        // A name server that hangs must not keep the program from ending.
        runtime.shutdown_background();
        let status = match outcome {
            // As everywhere: what is wrong with what was given is another status than what is wrong elsewhere.
            Ok(false) => 2,
            Ok(true) => u8::from(steps.iter().any(|step| step.mark == Mark::Bad)),
            Err(Unseen::Failed(message)) => {
                say(Step { name: "check".to_owned(), mark: Mark::Bad, told: message });
                1
            }
            Err(Unseen::Config(mut faults)) => {
                as_written(&mut faults, &source);
                for fault in &faults {
                    let told = located(fault, &source);
                    say(Step { name: "configuration".to_owned(), mark: Mark::Bad, told });
                }
                2
            }
        };
        finish(&steps, status, terminal)?;
        Ok(status)
    }
}

/// What cannot be read is told like any other fault of the configuration.
fn refused(message: String, terminal: Terminal) -> anyhow::Result<u8> {
    let name = if message.starts_with("--state ") { "checkpoint" } else { "configuration" };
    let step = Step { name: name.to_owned(), mark: Mark::Bad, told: message };
    if !terminal.json {
        said::to_stdout(shown(&step, terminal));
    }
    finish(&[step], 2, terminal)?;
    Ok(2)
}

/// The last word: the first cause of trouble.
fn finish(steps: &[Step], status: u8, terminal: Terminal) -> anyhow::Result<()> {
    let bad: Vec<&Step> = steps.iter().filter(|step| step.mark == Mark::Bad).collect();
    let cause = bad.first().map(|step| format!("{}: {}", step.name, step.told));
    if terminal.json {
        let steps: Vec<Value> = steps
            .iter()
            .map(|step| json!({"step": step.name, "state": word(step.mark), "told": step.told}))
            .collect();
        let told = json!({"ok": status == 0, "cause": cause, "steps": steps});
        print(&format!("{told}\n"))?;
        // As for the other commands: a log shows it where nobody reads the result.
        if let Some(cause) = cause {
            said::to_stderr(format_args!("whiskjack: {cause}"));
        }
        return Ok(());
    }
    let last = match cause {
        Some(cause) => {
            let more = match bad.len() {
                0 | 1 => String::new(),
                all => format!(" (and {} more above)", all - 1),
            };
            terminal.paint(Style::Bad, &format!("{}{more}", harmless(&cause)))
        }
        None => terminal.paint(Style::Good, "nothing is wrong"),
    };
    ending::print(&format!("\n{last}\n"))?;
    Ok(())
}

fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "good",
        Mark::Doubtful => "doubtful",
        Mark::Bad => "bad",
    }
}

/// A step for people: a sign, its name, what there is to say, and what to do on a line of its own.
fn shown(step: &Step, terminal: Terminal) -> String {
    let (sign, style) = match step.mark {
        Mark::Good => ("✓", Style::Good),
        Mark::Doubtful => ("!", Style::Doubtful),
        Mark::Bad => ("✗", Style::Bad),
    };
    let told = harmless(&step.told);
    let (what, remedy) = match told.rsplit_once("; ").filter(|_| step.mark != Mark::Good) {
        Some((what, remedy)) => (what, Some(remedy)),
        None => (told.as_str(), None),
    };
    let sign = terminal.paint(style, sign);
    let name = terminal.paint(Style::Strong, &harmless(&step.name));
    match remedy {
        Some(remedy) => format!("{sign} {name}: {what}\n  → {remedy}"),
        None => format!("{sign} {name}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_its_sign_and_its_remedy_on_a_line_of_its_own() {
        let step = |mark, told: &str| Step { name: "API key".to_owned(), mark, told: told.to_owned() };
        let plain = Terminal::default();
        assert_eq!(
            shown(&step(Mark::Good, "is of guest; and more"), plain),
            "✓ API key: is of guest; and more"
        );
        assert_eq!(
            shown(&step(Mark::Bad, "is wrong; give another"), plain),
            "✗ API key: is wrong\n  → give another"
        );
        let colours = Terminal { colours: true, ..plain };
        assert!(shown(&step(Mark::Doubtful, "x\u{1b}[2J"), colours).ends_with(": x\\u{1b}[2J"));
    }
}
