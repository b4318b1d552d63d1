//! Any bytes as parameters are a configuration that keeps its own rules, or faults with a remedy each; and no secret is in their text.

use serde_json::Value;
use whiskjack::config::{Config, Endpoint, Faults, Origin};

/// Put in the place of every secret.
const SECRET: &str = "hunter2";
/// Keys of which nothing may be shown, wherever they stand.
const SECRET_KEYS: [&str; 4] = ["passphrase", "key", "cert", "ca"];
const OWN_ACTION: &str = "whiskjack/forwarder";

/// Tries them as parameters, and as text of a receiver and of an API host.
pub fn try_with(bytes: &[u8]) {
    check(Config::parse(bytes, None));
    if let Ok(mut params) = serde_json::from_slice(bytes) {
        hide(&mut params, false);
        let params = serde_json::to_vec(&params).unwrap();
        for own in [None, Some(OWN_ACTION)] {
            let parsed = Config::parse(&params, own);
            assert_eq!(parsed, Config::parse(&params, own));
            let said =
                format!("{parsed:?} {}", parsed.as_ref().map_or_else(Faults::to_string, |_| String::new()));
            assert!(!said.contains(SECRET), "{said}");
            check(parsed);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        addresses(text);
    }
}

/// Every text below a secret key, and where there is none a text in its place, becomes the secret.
fn hide(value: &mut Value, secret: bool) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| hide(value, secret)),
        Value::Object(members) => {
            for (name, value) in members {
                hide(value, secret || SECRET_KEYS.contains(&name.as_str()));
            }
        }
        leaf if secret => *leaf = SECRET.into(),
        _ => {}
    }
}

fn check(parsed: Result<Config, Faults>) {
    let config = match parsed {
        Ok(config) => config,
        Err(faults) => {
            assert!(!faults.0.is_empty() && faults.0.iter().all(|fault| !fault.remedy.is_empty()));
            return;
        }
    };
    let (output, sending) = (&config.output, &config.output.sending);
    assert!(!config.sources.is_empty() && !output.receivers.is_empty());
    let names: Vec<String> = config.sources.iter().map(|source| source.name()).collect();
    assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
    let receivers = &output.receivers;
    assert!(receivers.iter().enumerate().all(|(at, one)| !receivers[..at].contains(one)), "{receivers:?}");
    assert!(receivers.iter().all(|receiver| receiver.port > 0 && !receiver.host.is_empty()));
    assert!((1..=16).contains(&output.worker) && (1..=10_000).contains(&sending.window_events));
    assert!((1..=2).contains(&sending.in_flight) && sending.compression_level <= 9);
    assert!((100..=3_600_000).contains(&sending.timeout_ms) && sending.ttl_ms <= 86_400_000);
    assert!(config.lookback_ms.is_none_or(|ms| (60_000..=86_400_000).contains(&ms)));
    if let Some(host) = &config.api_host {
        assert_eq!(Origin::parse(&host.to_string()).as_ref(), Ok(host));
    }
}

/// What is read is written so that it is read again.
fn addresses(text: &str) {
    if let Ok(receiver) = Endpoint::parse(text, 5044) {
        assert_eq!(Endpoint::parse(&receiver.to_string(), 1), Ok(receiver));
    }
    if let Ok(origin) = Origin::parse(text) {
        assert_eq!(Origin::parse(&origin.to_string()), Ok(origin));
    }
}
