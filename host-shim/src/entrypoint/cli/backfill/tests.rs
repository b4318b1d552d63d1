use super::super::{Command, parse};
use super::*;

pub(super) fn options(words: &str) -> Result<BackfillOptions, String> {
    match parse(words.split_whitespace().map(Into::into))? {
        Command::Backfill(options) => Ok(options),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_range_needs_a_begin() {
    let given = options("backfill --config c --from 2026-11-28 a b/*").unwrap();
    assert_eq!(
        (given.from.unwrap().ms, given.actions),
        (1_795_824_000_000, vec!["a".to_owned(), "b/*".to_owned()])
    );
    assert!(options("backfill --config c").unwrap_err().starts_with("--from TIME: is missing; "));
}

#[test]
fn activations_are_named_by_their_ids_alone() {
    let id = "0A1B2C3D4E5F60718293a4b5c6d7e8f9";
    let given = options(&format!("backfill --config c --activation {id}")).unwrap();
    let range = given.range(&RunContext::default());
    assert_eq!((given.activation.as_slice(), range), (&[id.to_ascii_lowercase()][..], Ok(None)));
    assert!(options("backfill --config c --activation 12").unwrap_err().contains("32 hexadecimal digits"));
    let both = options(&format!("backfill --config c --from 2h --activation {id}")).unwrap_err();
    assert!(both.contains("exclude each other"), "{both}");
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
