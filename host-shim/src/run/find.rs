//! Finding activations by their ids.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{Access, Limits, RunContext, Shim, way};
use crate::http::Answer;
use crate::http::KeyRefused;
use crate::params::HostParams;

/// The facts about an activation that forwarding needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// When it began, milliseconds since 1970.
    pub start: u64,
    /// The names that its action has in `actions`.
    pub names: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    start: u64,
    name: String,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Annotation {
    key: String,
    value: Value,
}

impl Shim {
    /// Finds these activations. Errors are sentences that name the activation that the API does not give.
    pub async fn find(
        &self,
        params: Value,
        context: &RunContext,
        ids: &[String],
    ) -> Result<Vec<Record>, String> {
        let Value::Object(mut params) = params else {
            return Err("the parameters are not an object".to_owned());
        };
        let mut host = HostParams::take(&mut params);
        way::find_proxy(&mut host, context);
        let access = Access::of(context, host.names_api, &mut host.faults);
        if let Some(fault) = host.faults.first() {
            return Err(fault.to_string());
        }
        let (limits, permitted) = (Limits::new(None), way::permitted(&host, context));
        let refused = KeyRefused::default();
        let reach = self.reach(&host, permitted, &access, &limits, &refused);
        let api = reach.map_err(|error| error.to_string())?.api;
        let mut found = Vec::new();
        for id in ids {
            let fault = |why: String| format!("--activation {id}: cannot be had: {why}");
            let path = format!("/api/v1/namespaces/_/activations/{id}");
            let answer = api.call(Method::GET, &path, None).await;
            let answer = answer.map_err(|error| fault(format!("the API at {error}")))?;
            match answer.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    return Err(fault(
                        "the API has no such activation; check the id, and whose API key it is".to_owned(),
                    ));
                }
                _ => {
                    let said = Answer::new(&answer).refusal();
                    let told = if refused.is_so() { context.given.with_key_place(&said) } else { said };
                    return Err(fault(told));
                }
            }
            let listed: Listed =
                serde_json::from_slice(&answer.body).map_err(|_| fault(Answer::new(&answer).refusal()))?;
            found.push(Record { id: id.clone(), start: listed.start, names: listed.names() });
        }
        Ok(found)
    }
}

impl Listed {
    /// By its path, and by the binding through which it was invoked.
    fn names(&self) -> Vec<String> {
        let text = |key: &str| {
            let annotation = self.annotations.iter().find(|annotation| annotation.key == key)?;
            annotation.value.as_str()?.split_once('/').map(|(_, rest)| rest.to_owned())
        };
        let bound = text("binding").map(|package| format!("{package}/{}", self.name));
        let own = text("path").unwrap_or_else(|| self.name.clone());
        [Some(own), bound].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_action_is_known_by_its_path_and_by_its_binding() {
        let names = |annotations: Value| {
            let listed: Listed =
                serde_json::from_value(json!({"start": 1, "name": "x", "annotations": annotations})).unwrap();
            listed.names()
        };
        assert_eq!(names(json!([])), ["x"]);
        assert_eq!(names(json!([{"key": "path", "value": "guest/x"}])), ["x"]);
        let bound =
            json!([{"key": "path", "value": "other/lib/x"}, {"key": "binding", "value": "guest/bound"}]);
        assert_eq!(names(bound), ["lib/x", "bound/x"]);
    }
}
