//! OpenWhisk's ActionLoop: for each activation one line in and one line out, in one process.
//!
//! | what | where |
//! |---|---|
//! | activation | a line of stdin: `{"value":{…},"namespace":…,"action_name":…,"activation_id":…,"deadline":…,"api_key":…}` |
//! | result | a line of descriptor 3: a JSON object |
//! | readiness | a line `{"ok":true}` of descriptor 3 first, only if `__OW_WAIT_FOR_ACK` is set: other proxies would take it for a result |
//! | logs | stderr; the proxy marks their end itself |

use std::fs::File;
use std::io::{self, BufRead, Write};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::{activation, successor};
use crate::run::{RunContext, Runner, Stuck};

/// Why no more activations are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Stdin is at its end.
    Input,
    /// A run is stuck, and has been answered. Another process must serve what comes, which is on stdin still: the proxy waits for
    /// an answer before it sends more.
    Stuck,
}

/// The variable of a proxy that waits for the action to be ready.
const WAIT_FOR_ACK: &str = "__OW_WAIT_FOR_ACK";

/// Serves this process's activations; results go to a pipe. If a run is stuck, a new process takes the place of this one.
pub fn run(runner: &Runner, results: File) -> anyhow::Result<()> {
    let run = |params, context| runner.run(params, context).map(|result| result.object);
    match serve(io::stdin().lock(), results, &super::environment, run)
        .context("the ActionLoop proxy is gone")?
    {
        Ended::Input => Ok(()),
        Ended::Stuck => {
            let error = successor::replace(|command| {
                // The proxy would take it for a result if the new process said that it is ready.
                command.env_remove(WAIT_FOR_ACK);
            });
            Err(error).context("the program cannot start again after a run that was stopped")
        }
    }
}

/// Serves activations. `run` answers one.
fn serve(
    input: impl BufRead,
    mut output: impl Write,
    environment: &dyn Fn(&str) -> Option<String>,
    mut run: impl FnMut(Value, RunContext) -> Result<Map<String, Value>, Stuck>,
) -> io::Result<Ended> {
    if environment(WAIT_FOR_ACK).is_some() {
        answer(&mut output, &json!({"ok": true}))?;
    }
    for line in input.split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let result = match activation::of_body(&line, environment) {
            Ok((params, context)) => run(params, context),
            Err(message) => Ok(activation::failure(message)),
        };
        let (result, is_stuck) = match result {
            Ok(result) => (result, false),
            Err(stuck) => (activation::failure(stuck.to_string()), true),
        };
        answer(&mut output, &Value::Object(result))?;
        if is_stuck {
            return Ok(Ended::Stuck);
        }
    }
    Ok(Ended::Input)
}

/// One write: the proxy reads up to the line's end, and a line in pieces would only wake it more often.
fn answer(output: &mut impl Write, result: &Value) -> io::Result<()> {
    output.write_all(format!("{result}\n").as_bytes())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn lines(input: &str, environment: &[(&str, &str)]) -> (Vec<Value>, Vec<(Value, RunContext)>) {
        let variables: std::collections::HashMap<String, String> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (mut output, mut runs) = (Vec::new(), Vec::new());
        serve(input.as_bytes(), &mut output, &|name| variables.get(name).cloned(), |params, context| {
            runs.push((params, context));
            Ok(Map::from_iter([("run".to_owned(), Value::from(runs.len()))]))
        })
        .unwrap();
        let output = String::from_utf8(output).unwrap();
        (output.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), runs)
    }

    #[test]
    fn each_line_is_an_activation_with_its_own_context() {
        let (answers, runs) = lines(
            "{\"value\":{\"a\":1},\"api_key\":\" u:one\\r\\n\",\"deadline\":\"1700000000000\",\"namespace\":\"guest\"}\n\
             {\"value\":{\"a\":2},\"api_key\":\"u:two\",\"deadline\":1700000000001,\"api_host\":\"http://line\"}\n",
            &[("__OW_API_HOST", "https://environment"), ("__OW_API_KEY", "u:zero")],
        );
        assert_eq!(answers, [json!({"run": 1}), json!({"run": 2})]);
        let (params, first) = &runs[0];
        assert_eq!((params, first.deadline_ms), (&json!({"a": 1}), Some(1_700_000_000_000)));
        assert_eq!(first.api_key, Some(Secret::new("u:one")));
        assert_eq!(first.api_host.as_deref(), Some("https://environment"));
        let (_, second) = &runs[1];
        assert_eq!((second.deadline_ms, second.namespace.as_deref()), (Some(1_700_000_000_001), None));
        assert_eq!(second.api_host.as_deref(), Some("http://line"));
    }

    #[test]
    fn readiness_is_said_only_to_a_proxy_that_waits_for_it() {
        assert_eq!(lines("", &[("__OW_WAIT_FOR_ACK", "true")]).0, [json!({"ok": true})]);
        assert!(lines("", &[]).0.is_empty());
    }

    #[test]
    fn the_key_of_the_environment_serves_only_when_the_line_has_none() {
        let (_, runs) = lines("{\"value\":{}}\n", &[("__OW_API_KEY", "u:zero")]);
        assert_eq!(runs[0].1.api_key, Some(Secret::new("u:zero")));
    }

    #[test]
    fn a_line_without_usable_parameters_is_answered_with_a_clear_error_and_the_next_one_is_served() {
        let (answers, runs) =
            lines("{\"api_key\":\"u:s\"}\n{\"value\":[1]}\nnonsense\n{\"value\":{}}\n", &[]);
        assert_eq!(runs.len(), 1);
        for (answer, part) in answers.iter().zip(["no parameters", "an array", "not a JSON object"]) {
            assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
        }
        assert_eq!(answers[3], json!({"run": 1}));
    }

    #[test]
    fn a_stuck_run_is_answered_and_nothing_is_served_behind_it() {
        let mut output = Vec::new();
        let input = b"{\"value\":{}}\n{\"value\":{}}\n";
        let ended = serve(&input[..], &mut output, &|_| None, |_, _| Err(Stuck)).unwrap();
        assert_eq!(ended, Ended::Stuck);
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output, format!("{}\n", json!({"error": Stuck.to_string()})));
    }
}
