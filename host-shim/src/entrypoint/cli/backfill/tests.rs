use super::super::{Command, parse};
use super::*;
use crate::run::Record;

fn options(words: &str) -> Result<BackfillOptions, String> {
    match parse(words.split_whitespace().map(Into::into))? {
        Command::Backfill(options) => Ok(options),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_range_needs_a_begin_and_its_checkpoint_is_named_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let given = options("backfill --config c --from 2026-11-29 --to 2026-11-29T14:00Z a b/*").unwrap();
    let range = given.range().unwrap().unwrap();
    assert_eq!(range.state, PathBuf::from("whiskjack-backfill-20261129T000000Z-20261129T140000Z.state"));
    assert_eq!((range.from, given.actions), (1_795_910_400_000, vec!["a".to_owned(), "b/*".to_owned()]));
    assert!(options("backfill --config c").unwrap_err().starts_with("--from TIME: is missing; "));
    let early =
        options("backfill --config c --from 2026-11-29 --to 2026-11-28").unwrap().range().unwrap_err();
    assert!(early.starts_with("--to: 2026-11-28T00:00:00Z is not later than --from, 2026-11-29"), "{early}");
    let state = folder.path().join("s");
    std::fs::write(
        &state,
        json!({"version": 3, "sources": {"a": {"origin": 1_000, "through": 2_000}}}).to_string(),
    )
    .unwrap();
    assert_eq!(fits(&state, 1_000), Ok(()));
    assert!(fits(&state, 999).unwrap_err().contains("holds what has begun at 1970-01-01T00:00:01Z (1000)"));
}

#[test]
fn activations_are_named_by_their_ids_alone() {
    let id = "0A1B2C3D4E5F60718293a4b5c6d7e8f9";
    let given = options(&format!("backfill --config c --activation {id}")).unwrap();
    assert_eq!((given.activation.as_slice(), given.range()), (&[id.to_ascii_lowercase()][..], Ok(None)));
    assert!(options("backfill --config c --activation 12").unwrap_err().contains("32 hexadecimal digits"));
    let both = options(&format!("backfill --config c --from 2h --activation {id}")).unwrap_err();
    assert!(both.contains("exclude each other"), "{both}");
}

#[test]
fn activations_are_owed_to_the_action_that_they_are_of() {
    let record = |id: &str, names: &[&str]| Record {
        id: id.to_owned(),
        start: 5,
        names: names.iter().map(ToString::to_string).collect(),
    };
    let records = [record("b", &["shop/checkout"]), record("a", &["lib/x", "bound/x"])];
    let Value::Object(params) = json!({"actions": ["shop/checkout", {"name": "bound/x"}]}) else { panic!() };
    let (keeper, _) = owing(&records, &params).unwrap();
    let text = format!("{keeper:?}");
    assert!(matches!(keeper, Keeper::Memory(_)), "{text}");
    let Value::Object(others) = json!({"actions": ["other"]}) else { panic!() };
    let error = owing(&records, &others).unwrap_err().to_string();
    assert_eq!(error, "--activation b: is of `shop/checkout`, which `actions` does not name; name it there");
}

#[test]
fn a_slower_rate_makes_smaller_windows_and_leaves_smaller_ones() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.json");
    for (logstash, expected) in [(json!({}), 100), (json!({"bulk_max_size": 10}), 10)] {
        std::fs::write(&config, json!({"actions": ["a"], "logstash": logstash}).to_string()).unwrap();
        let words = format!("backfill --config {} --from 2h --rate 100 --workers 3", config.display());
        let prepared =
            prepare(&options(&words).unwrap(), &|name| (name == "WSK_CONFIG_FILE").then(String::new))
                .unwrap();
        let logstash = &prepared.params["logstash"];
        assert_eq!((&logstash["bulk_max_size"], &logstash["worker"]), (&json!(expected), &json!(3)));
    }
}
