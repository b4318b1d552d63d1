//! Secrets of the configuration that become parameters of the action, and who may read them there.
//!
//! OpenWhisk has no place for secrets. Whether parameters are encrypted is its operator's choice (`whisk.parameter-storage`): all are
//! encrypted or none, and a client can neither ask for encryption nor prevent it. The API shows an encrypted parameter as such, with the
//! name of the cipher under `encryption` (`Parameter.scala` and `ParameterEncryption.scala` of OpenWhisk).

use serde_json::Value;

use crate::origin::Origin;

const INSTEAD: &str = "use one that opens nothing else, or let `whiskjack run` have it: a private key from a file (`--key`), a proxy from the environment";

/// A warning about an API that is spoken to in the clear.
pub(super) fn exposed(origin: &Origin, secret_keys: &[String]) -> String {
    let with = match secret_keys {
        [] => String::new(),
        keys => format!(", and {}", named(keys)),
    };
    format!(
        "warning: the API is asked in the clear ({origin}): anybody between here and the API can take the API key{with}"
    )
}

/// Whether a run would say the same.
pub(super) fn says_that_it_is_exposed(warning: &str) -> bool {
    warning.starts_with("the API is asked in the clear (")
}

/// What will become of them.
pub(super) fn planned(secret_keys: &[String]) -> Option<String> {
    (!secret_keys.is_empty()).then(|| {
        format!(
            "warning: {} would be stored in a parameter of the action; unless the platform encrypts parameters, it can be read with the namespace's API key: {INSTEAD}",
            named(secret_keys)
        )
    })
}

/// What has become of them, by what the API shows of the action.
pub(super) fn stored(secret_keys: &[String], action: &Value) -> String {
    let parameters =
        action.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let cipher_of = |key: &String| {
        let parameter = parameters.iter().find(|parameter| holds(parameter, key))?;
        parameter.get("encryption")?.as_str()
    };
    let ciphers: Option<Vec<&str>> = secret_keys.iter().map(cipher_of).collect();
    let keys = named(secret_keys);
    match ciphers.as_deref() {
        Some([cipher, ..]) => format!("{keys}: stored in a parameter that the platform encrypts ({cipher})"),
        _ => format!(
            "warning: {keys}: stored in the clear in a parameter of the action, where it can be read with the namespace's API key: {INSTEAD}"
        ),
    }
}

/// Whether a parameter has this name, or the name of a group above it.
fn holds(parameter: &Value, key: &str) -> bool {
    let name = parameter.get("key").and_then(Value::as_str);
    name.and_then(|name| key.strip_prefix(name)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn named(keys: &[String]) -> String {
    keys.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_said_of_a_stored_secret_is_what_the_api_shows() {
        let keys = ["logstash.key".to_owned(), "logstash.passphrase".to_owned()];
        let sealed = json!({"key": "logstash", "value": "AAAA", "encryption": "aes-128"});
        let dotted = json!({"key": "logstash.key", "value": "AAAA", "encryption": "aes-256"});
        let clear = json!({"key": "logstash", "value": {"key": "-----BEGIN"}});
        let other = json!({"key": "logs", "value": "x", "encryption": "aes-128"});
        for (parameters, keys, part) in [
            (
                json!([other, sealed]),
                &keys[..],
                "logstash.key and logstash.passphrase: stored in a parameter that the platform encrypts (aes-128)",
            ),
            (json!([dotted]), &keys[..1], "encrypts (aes-256)"),
            (json!([other, clear]), &keys[..], "stored in the clear"),
            (json!([dotted, clear]), &keys[..], "stored in the clear"),
            (json!(null), &keys[..], "stored in the clear"),
        ] {
            let said = stored(keys, &json!({"parameters": parameters}));
            assert!(said.contains(part), "{said}");
            assert_eq!(said.starts_with("warning: "), part == "stored in the clear", "{said}");
        }
    }

    #[test]
    fn what_a_run_says_of_an_exposed_api_is_known() {
        assert!(says_that_it_is_exposed(
            exposed(&Origin::parse("http://h").unwrap(), &[]).trim_start_matches("warning: ")
        ));
        let core = include_str!("../../../src/run/plan/configure.rs");
        assert!(core.contains("\"the API is asked in the clear ("), "the component calls it so");
    }

    #[test]
    fn nothing_is_said_where_there_is_no_secret() {
        assert_eq!(planned(&[]), None);
        assert!(
            planned(&["logstash.key".to_owned()])
                .is_some_and(|said| said.contains("logstash.key would be stored"))
        );
    }
}
