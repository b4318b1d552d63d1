//! Additions of the host to the component's own report.

use serde_json::Value;

use super::Given;
use crate::http::KeyRefused;
use crate::result::RunResult;

/// Adds to an error where the key is from, if the API has refused it.
pub(super) fn extend(result: &mut RunResult, given: &Given, refused: &KeyRefused) {
    if let Some(Value::String(error)) = result.object.get_mut("error")
        && let Some(place) = given.of_refused_key().filter(|_| refused.is_so())
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
        let refused = KeyRefused::default();
        let mut other = RunResult::error("a receiver says HTTP 401.");
        extend(&mut other, &given, &refused);
        assert_eq!(other.object.get("error").unwrap(), "a receiver says HTTP 401.", "not the API");
        refused.note(&http::Method::GET, "/api/v1/namespaces/_/activations", http::StatusCode::UNAUTHORIZED);
        for said in ["the list: not valid.", "the list: not valid"] {
            let mut result = RunResult::error(said);
            extend(&mut result, &given, &refused);
            assert_eq!(
                result.object.get("error").unwrap(),
                "the list: not valid; the API key is from WHISK_AUTH"
            );
        }
        let mut unnamed = RunResult::error("the list: not valid.");
        extend(&mut unnamed, &Given::default(), &refused);
        assert_eq!(unnamed.object.get("error").unwrap(), "the list: not valid.");
    }
}
