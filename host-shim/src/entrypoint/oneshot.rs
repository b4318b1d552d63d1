//! OpenWhisk's `dockerskeleton` (`--native`): a process for each activation.
//!
//! | what | where |
//! |---|---|
//! | parameters | the only argument, or all of stdin: the proxy gives no argument above 131,071 characters |
//! | context | the environment: `__OW_API_HOST`, `__OW_API_KEY`, `__OW_DEADLINE` and so on |
//! | result | the last line of stdout, a JSON object; nothing else goes there |
//! | failures | are results too, with the key `error`; the proxy ignores the exit status, so it is 0 |
//! | logs | stderr |

use std::ffi::OsStr;
use std::io::Read;

use serde_json::{Map, Value};

use super::activation;
use crate::run::RunContext;

/// Runs the activation and returns its result. The error of `run` says why it cannot run at all.
pub fn answer(
    argument: Option<&OsStr>,
    input: impl Read,
    environment: &dyn Fn(&str) -> Option<String>,
    run: impl FnOnce(Value, RunContext) -> anyhow::Result<Map<String, Value>>,
) -> Map<String, Value> {
    let params = match argument {
        Some(argument) => parse(argument.as_encoded_bytes(), "the argument"),
        None => read(input).and_then(|bytes| parse(&bytes, "stdin")),
    };
    let result = params.map(|params| run(params, activation::of_environment(environment)));
    match result {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => activation::failure(format!("{error:#}")),
        Err(message) => activation::failure(message),
    }
}

fn read(mut input: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the parameters cannot be read from stdin: {error}"))?;
    Ok(bytes)
}

/// Errors say where the fault is; they never show the text, which may hold keys.
fn parse(text: &[u8], place: &str) -> Result<Value, String> {
    if text.trim_ascii().is_empty() {
        return Err(format!(
            "there are no parameters: {place} is empty; the action must be started by OpenWhisk's dockerskeleton"
        ));
    }
    let value = serde_json::from_slice(text).map_err(|error| {
        format!("the parameters are not JSON: {place}, line {}, column {}", error.line(), error.column())
    })?;
    activation::parameters(Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::secret::Secret;

    /// The result, and what was run.
    fn answered(argument: Option<&str>, input: &str) -> (Value, Option<(Value, RunContext)>) {
        let environment = |name: &str| {
            let value = match name {
                "__OW_API_HOST" => "https://api:443",
                "__OW_API_KEY" => "\"u:sesame\"\r\n",
                "__OW_NAMESPACE" => "guest",
                "__OW_ACTION_NAME" => "/guest/whiskjack",
                "__OW_ACTIVATION_ID" => "0123",
                "__OW_DEADLINE" => "1700000000000",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let mut seen = None;
        let result = answer(argument.map(OsStr::new), input.as_bytes(), &environment, |params, context| {
            seen = Some((params, context));
            Ok(Map::from_iter([("done".to_owned(), json!(true))]))
        });
        (Value::Object(result), seen)
    }

    #[test]
    fn the_argument_comes_before_stdin_and_the_context_is_the_environments() {
        let (result, seen) = answered(Some("{\"a\":1}"), "{\"a\":2}");
        let (params, context) = seen.unwrap();
        assert_eq!((result, params), (json!({"done": true}), json!({"a": 1})));
        assert_eq!(context.api_host.as_deref(), Some("https://api:443"));
        assert_eq!(context.api_key, Some(Secret::new("u:sesame")));
        assert_eq!(context.namespace.as_deref(), Some("guest"));
        assert_eq!(context.action_name.as_deref(), Some("/guest/whiskjack"));
        assert_eq!(
            (context.activation_id.as_deref(), context.deadline_ms),
            (Some("0123"), Some(1_700_000_000_000))
        );
    }

    #[test]
    fn without_an_argument_all_of_stdin_is_the_parameters() {
        let text = format!("{{\n\"a\":\"{}\"}}", "x".repeat(2 << 20));
        let (params, _) = answered(None, &text).1.unwrap();
        assert_eq!(params["a"].as_str().unwrap().len(), 2 << 20);
    }

    #[test]
    fn what_cannot_be_used_is_a_result_with_an_error_that_does_not_show_it() {
        for (argument, input, part) in [
            (None, "", "stdin is empty"),
            (None, "{\"key\": sesame}", "not JSON: stdin, line 1"),
            (Some("{\"key\": sesame}"), "{}", "not JSON: the argument, line 1"),
            (Some("[\"sesame\"]"), "", "an array"),
            (None, "\"sesame\"", "no parameters"),
        ] {
            let (result, seen) = answered(argument, input);
            let error = result["error"].as_str().unwrap();
            assert!(error.contains(part) && !error.contains("sesame") && seen.is_none(), "{error}");
        }
    }

    #[test]
    fn a_program_that_cannot_run_says_so_in_the_result() {
        let result = answer(None, &b"{}"[..], &|_| None, |_, _| Err(anyhow::anyhow!("no component")));
        assert_eq!(Value::Object(result), json!({"error": "no component"}));
    }
}
