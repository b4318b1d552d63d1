//! What a result says besides the component's own report.

use serde_json::Value;

use super::Given;
use crate::result::{RunResult, Verdict};

/// Adds what only the host knows: where a key is from that the API refused, and warnings about its own part of the parameters.
pub(super) fn extend(result: &mut RunResult, given: &Given, warnings: Vec<String>) {
    if let Some(Value::String(error)) = result.object.get_mut("error")
        && let Some(place) = given.of_refused_key(error)
    {
        error.truncate(error.trim_end_matches('.').len());
        error.push_str("; ");
        error.push_str(&place);
    }
    // Nothing was done with parameters that are wrong.
    if result.verdict == Verdict::InvalidConfig || warnings.is_empty() {
        return;
    }
    let list = result.object.entry("warnings").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.extend(warnings.into_iter().map(Value::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(text: &str) -> RunResult {
        RunResult::report(text.as_bytes(), true, true, &[])
    }

    #[test]
    fn a_refused_key_is_told_with_its_place_behind_what_the_api_said() {
        let given = Given { api_key: Some("WHISK_AUTH".to_owned()), ..Given::default() };
        for said in ["the list: HTTP 401, not valid.", "the list: HTTP 401, not valid"] {
            let mut refused = RunResult::error(said);
            extend(&mut refused, &given, Vec::new());
            assert_eq!(
                refused.object.get("error").unwrap(),
                "the list: HTTP 401, not valid; the API key is from WHISK_AUTH"
            );
        }
        let mut other = RunResult::error("the list: HTTP 500, in trouble.");
        extend(&mut other, &given, Vec::new());
        assert_eq!(other.object.get("error").unwrap(), "the list: HTTP 500, in trouble.");
    }

    #[test]
    fn warnings_of_the_host_stand_behind_those_of_the_component_and_make_no_failure() {
        let warned = |text: &str| {
            let mut result = result(text);
            extend(&mut result, &Given::default(), vec!["ours".to_owned()]);
            assert_eq!(result.verdict, Verdict::Complete);
            serde_json::to_string(result.object.get("warnings").unwrap()).unwrap()
        };
        assert_eq!(warned("{\"warnings\":[\"theirs\"]}"), "[\"theirs\",\"ours\"]");
        assert_eq!(warned("{}"), "[\"ours\"]");
        let mut result = result("{}");
        extend(&mut result, &Given::default(), Vec::new());
        assert!(result.object.is_empty());
    }
}
