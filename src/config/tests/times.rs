//! Where forwarding begins and ends: `from` and `to`.

use super::*;

#[test]
fn a_first_run_begins_at_milliseconds_or_at_a_time() {
    let from = |from: Value| {
        let params = json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "from": from});
        parse(params).map(|config| config.from).map_err(|faults| faults.to_string())
    };
    for value in [
        json!(1_700_000_000_000_u64),
        json!(1_700_000_000_000.0),
        json!("1700000000000"),
        json!("2023-11-14T22:13:20Z"),
        json!("2023-11-14T23:13:20.000+01:00"),
    ] {
        assert_eq!(from(value.clone()), Ok(Some(1_700_000_000_000)), "{value}");
    }
    assert_eq!((from(json!(0)), from(json!(null))), (Ok(Some(0)), Ok(None)));
    for seconds in [json!(1_700_000_000), json!("1700000000")] {
        let fault = from(seconds).unwrap_err();
        assert!(
            fault.contains(
                "these are seconds: give milliseconds, 1700000000000, or \"2023-11-14T22:13:20.000Z\""
            ),
            "{fault}"
        );
    }
    for value in [
        json!("yesterday"),
        json!(-1),
        json!(1.5),
        json!("2023-02-31T00:00:00Z"),
        json!("2023-11-14"),
        json!(""),
        json!(1_700_000_000_000_000_u64),
    ] {
        let fault = from(value.clone()).unwrap_err();
        assert!(fault.starts_with("from: give milliseconds since 1970"), "{value}: {fault}");
    }
}

#[test]
fn a_first_run_does_not_begin_in_the_future() {
    const NOW: u64 = 1_700_000_000_000;
    let check = |from: u64| {
        parse(json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}, "from": from}))
            .unwrap()
            .check_clock(NOW)
    };
    assert_eq!((check(0), check(NOW), check(NOW + 60_000)), (Ok(()), Ok(()), Ok(())));
    let fault = check(NOW + 86_400_000).unwrap_err().to_string();
    assert!(fault.starts_with("from: 2023-11-15T22:13:20.000Z is in the future"), "{fault}");
}

#[test]
fn forwarding_ends_at_a_time_that_must_be_later_than_its_begin() {
    let parsed = |more: Value| {
        let mut params = json!({"actions": ["a"], "logstash": {"host": "h", "port": 1}});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parse(params).map(|config| (config.from, config.to)).map_err(|faults| faults.to_string())
    };
    assert_eq!(parsed(json!({})), Ok((None, None)));
    assert_eq!(parsed(json!({"to": "2023-11-14T22:13:20Z"})), Ok((None, Some(1_700_000_000_000))));
    assert_eq!(parsed(json!({"from": 5, "to": 6})), Ok((Some(5), Some(6))));
    for (from, to) in [(6, 5), (5, 5)] {
        let fault = parsed(json!({"from": from, "to": to})).unwrap_err();
        assert!(fault.starts_with("to: is not later than `from`"), "{fault}");
    }
    assert!(parsed(json!({"to": "later"})).unwrap_err().starts_with("to: give milliseconds since 1970"));
    assert!(parsed(json!({"to": 1_700_000_000})).unwrap_err().starts_with("to: these are seconds"));
}
