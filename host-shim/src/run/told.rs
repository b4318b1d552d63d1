//! Additions of the host to the component's own report.

use serde_json::Value;

use super::Given;
use crate::http::KeyRefused;
use crate::result::RunResult;

/// Says in an error where the key is from, if the API has refused it.
pub(super) fn extend(result: &mut RunResult, given: &Given, refused: &KeyRefused) {
    if let Some(Value::String(error)) = result.object.get_mut("error")
        && refused.is_so()
    {
        *error = given.with_key_place(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_key_is_told_with_its_place_before_what_to_do() {
        let given = Given { api_key: Some("WHISK_AUTH".to_owned()), ..Given::default() };
        let refused = KeyRefused::default();
        let mut other = RunResult::error("a receiver says that this API key is odd");
        extend(&mut other, &given, &refused);
        assert_eq!(
            other.object.get("error").unwrap(),
            "a receiver says that this API key is odd",
            "not the API"
        );
        refused.note(&http::Method::GET, "/api/v1/namespaces/_/activations", http::StatusCode::UNAUTHORIZED);
        let said = "the list: this API key is not accepted; give another";
        let mut result = RunResult::error(said);
        extend(&mut result, &given, &refused);
        assert_eq!(
            result.object.get("error").unwrap(),
            "the list: the API key from WHISK_AUTH is not accepted; give another"
        );
        let mut unnamed = RunResult::error(said);
        extend(&mut unnamed, &Given::default(), &refused);
        assert_eq!(unnamed.object.get("error").unwrap(), said);
    }
}
