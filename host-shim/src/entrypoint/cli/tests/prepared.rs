//! How a command finds configuration, API and key.

use super::*;

#[test]
fn the_environment_comes_before_the_file_of_wsk() {
    let folder = tempfile::tempdir().unwrap();
    let (config, props) = (folder.path().join("c"), folder.path().join("p"));
    std::fs::write(&config, "{\"actions\":[\"a\"]}").unwrap();
    std::fs::write(&props, "APIHOST=file\nAUTH=u:file\nNAMESPACE=guest\n").unwrap();
    let environment = |name: &str| match name {
        "WSK_CONFIG_FILE" => Some(props.display().to_string()),
        "__OW_API_HOST" => Some("http://environment".to_owned()),
        _ => None,
    };
    let Prepared { params, context, .. } =
        RunOptions { config, ..RunOptions::default() }.prepare(&environment).unwrap();
    assert_eq!(params, serde_json::json!({"actions": ["a"]}));
    assert_eq!(context.api_host.as_deref(), Some("http://environment"));
    assert_eq!(context.api_key, Some(Secret::new("u:file")));
    assert_eq!(context.namespace.as_deref(), Some("guest"));
}

#[test]
fn the_key_counts_without_what_is_around_it_and_each_value_is_known_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let props = folder.path().join("p");
    std::fs::write(&props, "# mine\nexport AUTH=\"u:file\" # key\n").unwrap();
    let file = props.display().to_string();
    let context = |variables: &[(&str, &str)]| {
        let environment = |name: &str| {
            let all = variables.iter().find(|(known, _)| *known == name);
            all.map(|(_, value)| (*value).to_owned())
                .or_else(|| (name == "WSK_CONFIG_FILE").then(|| file.clone()))
        };
        context(None, &environment).unwrap()
    };
    let of_file = context(&[]);
    assert_eq!((of_file.api_host, of_file.api_key), (None, Some(Secret::new("u:file"))));
    assert_eq!(of_file.given.api_host, Some(format!("{file}, APIHOST")));
    assert_eq!(of_file.given.api_key, Some(format!("{file}, line 2, AUTH")));
    let of_wsk = context(&[("WHISK_AUTH", "u:wsk\r\n"), ("WHISK_APIHOST", "wsk")]);
    assert_eq!((of_wsk.api_host.as_deref(), of_wsk.api_key), (Some("wsk"), Some(Secret::new("u:wsk"))));
    assert_eq!(of_wsk.given.api_key.as_deref(), Some("WHISK_AUTH"));
    let of_platform = context(&[("__OW_API_KEY", "'u:platform'\n"), ("WHISK_AUTH", "u:wsk")]);
    assert_eq!(of_platform.api_key, Some(Secret::new("u:platform")));
    assert_eq!(of_platform.given.api_key.as_deref(), Some("__OW_API_KEY"));
}

#[test]
fn a_configuration_may_begin_with_a_byte_order_mark_and_have_the_line_ends_of_windows() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c");
    let text = "{\r\n\"from\": 2\r\n}\r\n";
    let wide = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [format!("\u{feff}{text}").into_bytes(), wide] {
        std::fs::write(&config, bytes).unwrap();
        let run = RunOptions { config: config.clone(), ..RunOptions::default() };
        assert_eq!(run.prepare(&|_| None).unwrap().params, json!({"from": 2}));
    }
}

#[test]
fn tls_files_take_the_place_of_what_the_configuration_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut run = RunOptions {
        config: file("c", b"{\"logstash\":{\"host\":\"l\",\"ca\":\"old\"}}"),
        tls: TlsFiles {
            ca: Some(file("ca", b"CA\n")),
            cert: Some(file("cert", b"CERT")),
            key: Some(file("key", b"KEY")),
            ..TlsFiles::default()
        },
        ..RunOptions::default()
    };
    let environment =
        |name: &str| (name == "WHISKJACK_PASSPHRASE").then(|| "from the environment".to_owned());
    let mut expected = json!({"host": "l", "ca": "CA\n", "cert": "CERT", "key": "KEY", "passphrase": "from the environment"});
    assert_eq!(run.prepare(&environment).unwrap().params["logstash"], expected);

    run.tls.passphrase_file = Some(file("passphrase", b"\xef\xbb\xbf open sesame \r\n"));
    expected["passphrase"] = json!(" open sesame ");
    let several = RunOptions {
        tls: TlsFiles { passphrase_file: Some(file("several", b"one\ntwo\n")), ..TlsFiles::default() },
        config: run.config.clone(),
        ..RunOptions::default()
    };
    let refused = several.prepare(&|_| None).unwrap_err();
    assert!(
        refused.ends_with("has several lines; put the passphrase alone into it, on one line"),
        "{refused}"
    );
    assert_eq!(run.prepare(&environment).unwrap().params["logstash"], expected);

    run.config = file("c", b"{}");
    assert_eq!(run.prepare(&environment).unwrap().params["logstash"]["key"], "KEY");

    for (bytes, part) in [(&b""[..], "is empty"), (&[0x30, 0x82, 0xff], "is not a text")] {
        run.tls.key = Some(file("key", bytes));
        let message = run.prepare(&environment).unwrap_err();
        assert!(message.starts_with("--key ") && message.contains(part), "{message}");
    }
    run.tls.key = Some(folder.path().join("nowhere"));
    assert!(run.prepare(&environment).unwrap_err().contains("nowhere"));
}

#[test]
fn tls_files_take_the_place_of_dotted_keys_and_of_an_empty_group_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for (config, expected) in [
        (
            json!({"logstash.ca": "old", "logstash": {"key.pem": "old", "host": "l"}, "logstash.key.passphrase": "old"}),
            json!({"logstash": {"host": "l", "ca": "CA", "key": "KEY"}}),
        ),
        (
            json!({"logstash.host": "l", "logstash.key": {"pem": "old"}, "logstash.caption": 1}),
            json!({"logstash.host": "l", "logstash.caption": 1, "logstash": {"ca": "CA", "key": "KEY"}}),
        ),
        (json!({"logstash": null}), json!({"logstash": {"ca": "CA", "key": "KEY"}})),
        (json!({"logstash": "l:5044"}), json!({"logstash": "l:5044"})),
    ] {
        let run = RunOptions {
            config: file("c", &config.to_string()),
            tls: TlsFiles {
                ca: Some(file("ca", "CA")),
                key: Some(file("key", "KEY")),
                ..TlsFiles::default()
            },
            ..RunOptions::default()
        };
        assert_eq!(run.prepare(&|_| None).unwrap().params, expected, "{config}");
    }
}

/// What comes of a configuration in a file of this name.
fn prepared(name: &str, text: &str) -> Result<Prepared, String> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join(name);
    std::fs::write(&config, text).unwrap();
    let environment = |name: &str| (name == "PORT").then(|| "5044 hidden".to_owned());
    RunOptions { config, ..RunOptions::default() }.prepare(&environment)
}

#[test]
fn a_file_of_wsk_that_nobody_needs_is_not_read_unless_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    // Not readable.
    std::fs::create_dir(folder.path().join(".wskprops")).unwrap();
    let context = |variables: &[(&str, &str)]| {
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            found.or((name == "HOME").then_some(home.as_str())).map(str::to_owned)
        };
        context(None, &environment)
    };
    let (host, key) = (("WHISK_APIHOST", "h"), ("__OW_API_KEY", "u:s"));
    assert_eq!(context(&[host, key]).unwrap().given.api_key.as_deref(), Some("__OW_API_KEY"));
    for variables in [&[host][..], &[key], &[], &[host, key, ("WSK_CONFIG_FILE", "/no/props")]] {
        assert!(context(variables).unwrap_err().contains("cannot be read"), "{variables:?}");
    }
}

#[test]
fn the_namespace_of_a_file_counts_beside_its_own_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p").display().to_string();
    std::fs::write(&file, "AUTH=u:s\nNAMESPACE=team\n").unwrap();
    let context = |variables: &[(&str, &str)]| {
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            found.or((name == "WSK_CONFIG_FILE").then_some(file.as_str())).map(str::to_owned)
        };
        let context = context(None, &environment).unwrap();
        (context.namespace, context.given.namespace)
    };
    let some = |name: &str, place: &str| (Some(name.to_owned()), Some(place.to_owned()));
    assert_eq!(context(&[]), some("team", &format!("{file}, line 2, NAMESPACE")));
    assert_eq!(context(&[("WHISK_AUTH", "u:s")]), (None, None));
    assert_eq!(context(&[("__OW_NAMESPACE", "own")]), some("own", "__OW_NAMESPACE"));
}

#[test]
fn a_configuration_may_be_yaml_with_comments_and_variables() {
    let text = "# ours\nactions: [a]\nlogstash:\n  host: ${HOST:logs}   # a default\n  port: 5044\n";
    let params = prepared("c.yaml", text).unwrap().params;
    assert_eq!(params, json!({"actions": ["a"], "logstash": {"host": "logs", "port": 5044}}));
}

#[test]
fn a_configuration_that_cannot_be_read_is_named_with_its_line_without_being_shown() {
    for (name, text, part) in [
        ("c", "{\"key\": hidden}", "c: line 1: column 9 is not JSON"),
        ("c.yaml", "a: 1\n b: hidden", "c.yaml: line 2: column 3 is not YAML"),
        ("c", "a: [1]\nlogstash: {key: '${KEY}'}", "c: line 2: logstash.key: the variable KEY is not set"),
        ("c", "[1]", "c: it does not hold keys"),
    ] {
        let message = prepared(name, text).unwrap_err();
        assert!(message.starts_with("--config ") && message.contains(part), "{message}");
        assert!(!message.contains("hidden"), "{message}");
    }
}

#[test]
fn a_fault_names_the_line_of_its_key_and_shows_a_variable_instead_of_its_value() {
    let Prepared { mut source, .. } =
        prepared("c", "actions: [a]\nlogstash:\n  host: h\n  port: ${PORT}\n  worker: 99\n").unwrap();
    source.replace("logstash.key", "--key k.pem".to_owned());
    let fault = |key: &str, value: &str| Fault {
        key: key.to_owned(),
        value: value.to_owned(),
        remedy: "mend it".to_owned(),
    };
    let mut faults = [
        fault("logstash.port", "\"5044 hidden\""),
        fault("logstash.worker", "99"),
        fault("logstash.key", ""),
        fault("logstash.hosts", ""),
        fault("api.host", ""),
        fault("HTTPS_PROXY", ""),
        fault("all_proxy", ""),
        fault("WHISK_APIHOST", ""),
        fault("__OW_API_KEY", ""),
        fault("/home/me/.wskprops, line 2, AUTH", ""),
    ];
    as_written(&mut faults, &source);
    let said: Vec<String> = faults.iter().map(|fault| located(fault, &source)).collect();
    let expected = [
        "c, line 4: logstash.port: mend it (it is ${PORT})",
        "c, line 5: logstash.worker: mend it (it is 99)",
        "--key k.pem: logstash.key: mend it",
        "c, line 2: logstash.hosts: mend it",
        "c: api.host: mend it",
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.ends_with(expected), "{said}\n{expected}");
    }
    // What is not the file's is headed by its own name.
    let others =
        ["HTTPS_PROXY", "all_proxy", "WHISK_APIHOST", "__OW_API_KEY", "/home/me/.wskprops, line 2, AUTH"];
    assert_eq!(said[5..], others.map(|other| format!("{other}: mend it")));
}

#[test]
fn documents_do_not_go_into_the_file_of_the_configuration_or_of_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let [config, state, other] = ["c.yaml", "s", "out.jsonl"].map(|name| folder.path().join(name));
    std::fs::write(&config, "actions: [hello]\n").unwrap();
    let prepared = |output: PathBuf| {
        let options = RunOptions {
            config: config.clone(),
            state: Some(state.clone()),
            output: Some(output),
            ..RunOptions::default()
        };
        options.prepare(&|_| None).map(|_| ())
    };
    let name = folder.path().file_name().unwrap();
    for (output, option) in [
        (config.clone(), "--config"),
        (state.clone(), "--state"),
        (folder.path().join("..").join(name).join("s"), "--state"),
    ] {
        let fault = prepared(output).unwrap_err();
        assert!(fault.ends_with(&format!(": is the file of {option}; name another file")), "{fault}");
        assert!(!state.exists());
    }
    assert_eq!(prepared(other), Ok(()));
}
