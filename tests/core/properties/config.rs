//! Any parameters give a configuration or faults, and faults show no secret.

use super::any::{bytes, cases, text, value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use whiskjack::config::{Config, KEYS};

/// In every value that must not be shown.
const SECRET: &str = "hunter2";

/// A value under a name that says it is secret, on its own or deep inside.
fn secret() -> impl Strategy<Value = Value> {
    let name =
        select(vec!["key", "passphrase", "password", "secret", "token", "api_key", "authorization", "pfx"]);
    let held = prop_oneof![
        Just(json!(SECRET)),
        text().prop_map(|text| json!(format!("{SECRET}{text}"))),
        Just(json!([SECRET])),
        Just(json!({"value": SECRET})),
    ];
    let group = (name, held).prop_map(|(name, held)| json!({ name: held }));
    group.prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| json!([inner])),
            (text(), inner).prop_map(|(name, inner)| json!({ name: inner }))
        ]
    })
}

/// Keys that exist, with values that are right, wrong, or hold a secret where none belongs.
fn params() -> impl Strategy<Value = Value> {
    let paths: Vec<&str> =
        KEYS.iter().flat_map(|key| [key.path, key.path.split('.').next().unwrap()]).collect();
    let path = prop_oneof![4 => select(paths).prop_map(str::to_owned), 1 => text()];
    let plain = prop_oneof![
        value(),
        Just(json!("localhost")),
        Just(json!(["a", "b/c"])),
        (0..70_000u32).prop_map(Value::from)
    ];
    vec((path, prop_oneof![plain, secret()]), 0..12).prop_map(|pairs| {
        let mut params = Map::new();
        for (path, value) in pairs {
            match path.split_once('.') {
                // Every other one is written with its dots.
                Some(_) if params.len() % 2 == 1 => _ = params.insert(path, value),
                Some((group, name)) => match params.entry(group).or_insert_with(|| json!({})) {
                    Value::Object(group) => _ = group.insert(name.into(), value),
                    odd => *odd = value,
                },
                None => _ = params.insert(path, value),
            }
        }
        Value::Object(params)
    })
}

/// Faults have a remedy each, and none shows a secret.
fn check_parse(json: &[u8], own_action: Option<&str>) -> Result<(), TestCaseError> {
    if let Err(faults) = Config::parse(json, own_action) {
        prop_assert!(!faults.0.is_empty() && faults.0.iter().all(|fault| !fault.remedy.is_empty()));
        let shown = format!("{faults} {faults:?}");
        prop_assert!(!shown.contains(SECRET), "{}", shown);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_parameters_are_a_configuration_or_faults_that_show_no_secret(
        params in prop_oneof![params(), value(), secret()], own in any::<Option<String>>()
    ) {
        check_parse(&serde_json::to_vec(&params).unwrap(), own.as_deref())?;
    }

    #[test]
    fn any_bytes_for_parameters_are_faults(bytes in bytes()) {
        check_parse(&bytes, None)?;
    }
}
