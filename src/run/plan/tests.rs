use super::package::former_package_names;
use super::*;

const PARAMS: &[u8] = br#"{"actions":["a"],"logstash":{"host":"h","port":1}}"#;

fn context() -> Context {
    Context {
        api_host: Some("https://api:443".into()),
        authorized: true,
        own_action: Some("/guest/fwd".into()),
        ..Context::default()
    }
}

#[test]
fn a_missing_key_is_reported_with_its_remedy_beside_the_faults_of_the_configuration() {
    let faults = configure(b"{}", &Context { authorized: false, ..context() }).unwrap_err();
    let text = faults.to_string();
    assert!(text.contains("wsk action update /guest/fwd --annotation provide-api-key true"), "{text}");
    assert!(text.contains("actions: ") && text.contains("logstash: "), "{text}");
}

#[test]
fn a_key_counts_without_what_is_around_it_and_what_is_not_one_is_a_fault_before_any_request() {
    let mut unauthorized = Context { authorized: false, ..context() };
    for text in ["u:sesame", "u:sesame\n", "\"u:sesame\"\r\n"] {
        let (_, _, key) = configure_with_key(PARAMS, &mut unauthorized, text).unwrap();
        assert_eq!(key, "u:sesame", "{text:?}");
    }
    let faults = configure_with_key(PARAMS, &mut unauthorized, "sesame").unwrap_err().to_string();
    assert!(faults.starts_with("__OW_API_KEY: the API key is not of the form"), "{faults}");
    assert!(!faults.contains("sesame"), "{faults}");
    let faults = configure_with_key(PARAMS, &mut unauthorized, "").unwrap_err().to_string();
    assert!(faults.contains("provide-api-key"), "{faults}");
}

#[test]
fn a_configuration_may_begin_with_a_byte_order_mark_and_its_texts_too() {
    let params = "\u{feff}{\"actions\":[\"\u{feff}a\\r\\n\"],\r\n\"logstash\":{\"host\":\"\\ufeffh\\r\\n\",\"port\":1}}\r\n";
    let (config, _) = configure(params.as_bytes(), &context()).unwrap();
    assert_eq!(config.sources[0].name(), "a");
    assert_eq!(config.output.receivers[0].host, "h");
}

#[test]
fn the_configured_api_comes_before_that_of_the_platform_and_one_is_needed() {
    let named = br#"{"actions":["a"],"logstash":{"host":"h","port":1},"api":{"host":"other"}}"#;
    assert_eq!(configure(PARAMS, &context()).unwrap().1.to_string(), "https://api:443");
    assert_eq!(configure(named, &context()).unwrap().1.to_string(), "https://other");
    let faults = configure(PARAMS, &Context { api_host: None, ..context() }).unwrap_err();
    assert!(faults.to_string().contains("api.host"), "{faults}");
}

#[test]
fn an_api_without_tls_is_a_warning_as_one_without_verification_is() {
    let warnings = |host: &str| {
        let context = Context { api_host: Some(host.into()), ..context() };
        configure(PARAMS, &context).unwrap().0.warnings
    };
    assert_eq!(
        warnings("http://172.17.0.1:3233"),
        [
            "the API is asked in the clear (http://172.17.0.1:3233): anybody between here and the API can take the API key"
        ]
    );
    assert!(warnings("http://127.0.0.1:3233").is_empty() && warnings("https://172.17.0.1").is_empty());
}

#[test]
fn time_is_kept_back_for_the_checkpoint() {
    assert_eq!(stop(0, 60_000), 55_000);
    assert_eq!(stop(0, 2_000), 1_500);
    assert_eq!(stop(0, 20_000), 18_000);
}

#[test]
fn the_package_is_named_by_the_configuration_or_after_the_action() {
    let (mut config, _) = configure(PARAMS, &context()).unwrap();
    let of = |config: &Config, own: Option<&str>| {
        let own_action = own.map(|name| OwnAction { name: name.into(), activation: None });
        package_name(config, &Context { own_action, ..context() })
    };
    assert_eq!(of(&config, None), "whiskjack.cli");
    assert_eq!(of(&config, Some("/guest/tools/fwd")), "whiskjack.tools@fwd");
    config.package = Some("logs".into());
    assert_eq!(of(&config, Some("/guest/fwd")), "logs");
}

#[test]
fn packages_of_earlier_forwarders_are_known() {
    let (mut config, _) = configure(PARAMS, &context()).unwrap();
    let of = |config: &Config, name: &str| {
        former_package_names(config, &Context { own_action: Some(name.into()), ..context() })
    };
    assert_eq!(of(&config, "/guest/fwd"), Vec::<String>::new());
    assert_eq!(of(&config, "/guest/tools/fwd"), ["whiskjack.tools.fwd"]);
    assert_eq!(of(&config, "/guest/cli"), ["whiskjack.cli"]);
    config.package = Some("logs".into());
    assert_eq!(of(&config, "/guest/a/b"), ["whiskjack.a@b", "whiskjack.a.b"]);
}
