//! What a result says besides the component's own report.

use serde_json::Value;

use super::Given;
use crate::result::RunResult;

/// Adds where a key is from that the API refused.
pub(super) fn extend(result: &mut RunResult, given: &Given) {
    if let Some(Value::String(error)) = result.object.get_mut("error")
        && let Some(place) = given.of_refused_key(error)
    {
        error.truncate(error.trim_end_matches('.').len());
        error.push_str("; ");
        error.push_str(&place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_key_is_told_with_its_place_behind_what_the_api_said() {
        let given = Given { api_key: Some("WHISK_AUTH".to_owned()), ..Given::default() };
        for said in ["the list: HTTP 401, not valid.", "the list: HTTP 401, not valid"] {
            let mut refused = RunResult::error(said);
            extend(&mut refused, &given);
            assert_eq!(
                refused.object.get("error").unwrap(),
                "the list: HTTP 401, not valid; the API key is from WHISK_AUTH"
            );
        }
        let mut other = RunResult::error("the list: HTTP 500, in trouble.");
        extend(&mut other, &given);
        assert_eq!(other.object.get("error").unwrap(), "the list: HTTP 500, in trouble.");
    }
}
