//! Set-ups that are broken, each in one place.

use super::Setup;
use crate::support::refused_port;
use openwhisk_double::{Double, Fault, Matcher, Options, Tls};
use serde_json::json;
use whiskjack_testbed::{CertificateFault, Scripted, ScriptedOptions, Session};

/// What is broken, the exit status, and parts of the last line.
pub(super) type Broken = (&'static str, fn(&mut Setup), i32, &'static [&'static str]);

/// A certificate that has something wrong.
fn faulty(setup: &mut Setup, fault: CertificateFault) {
    let tls = Some(setup.scene.certificates.faulty_config(fault));
    setup
        .send_to(Scripted::with(ScriptedOptions { tls, ..ScriptedOptions::default() }, Session::serve), true);
}

pub(super) const BROKEN: &[Broken] = &[
    (
        "the environment's proxy is none",
        |setup| {
            setup.set("__OW_API_HOST", "http://openwhisk.example.com");
            setup.set("HTTP_PROXY", "gopher://proxy");
        },
        2,
        &["HTTP_PROXY"],
    ),
    (
        "nobody listens at the proxy to the API",
        |setup| {
            setup.set("__OW_API_HOST", "https://openwhisk.example.com");
            setup.set("HTTPS_PROXY", &format!("http://127.0.0.1:{}", refused_port()));
        },
        1,
        &["API address: ", "the proxy http://127.0.0.1:"],
    ),
    (
        "the file of --state would not be used",
        |setup| {
            setup.params["checkpoint"] = json!({"store": "package"});
            setup.options.extend(["--state".to_owned(), "s.json".to_owned()]);
        },
        2,
        &["checkpoint.store"],
    ),
    (
        "a key is misspelt",
        |setup| setup.params["actoins"] = json!(["a"]),
        2,
        &["actoins", "did you mean `actions`?"],
    ),
    (
        "the port is none",
        |setup| setup.params["logstash"]["port"] = json!(0),
        2,
        &["logstash.port", "1 to 65535"],
    ),
    (
        "there is no receiver",
        |setup| _ = setup.params.as_object_mut().unwrap().remove("logstash"),
        2,
        &["logstash"],
    ),
    ("the file is not YAML", |setup| setup.params = json!("a: 1\n b: 2"), 2, &["is not YAML"]),
    (
        "a private key is none",
        |setup| setup.params["logstash"]["key"] = json!("no PEM"),
        2,
        &["logstash.key"],
    ),
    (
        "the proxy to receivers is none",
        |setup| setup.params["logstash"]["proxy_url"] = json!("gopher://p"),
        2,
        &["logstash.proxy_url"],
    ),
    (
        "there is no key",
        |setup| setup.environment.retain(|(name, _)| *name != "__OW_API_KEY"),
        2,
        &["API: ", "there is no API key"],
    ),
    (
        "there is no host",
        |setup| setup.environment.retain(|(name, _)| *name != "__OW_API_HOST"),
        2,
        &["API: ", "there is no API host"],
    ),
    ("the key is half a key", |setup| setup.set("__OW_API_KEY", "half"), 2, &["__OW_API_KEY"]),
    (
        "the API's name does not exist",
        |setup| setup.set("__OW_API_HOST", "https://no-such-host.invalid"),
        1,
        &["API name: the name no-such-host.invalid cannot be resolved"],
    ),
    (
        "nobody listens at the API's port",
        |setup| setup.set("__OW_API_HOST", &format!("http://127.0.0.1:{}", refused_port())),
        1,
        &["API address: ", "connection refused"],
    ),
    (
        "the API speaks no TLS",
        |setup| {
            let origin = setup.scene.api.origin().replace("http://", "https://");
            setup.set("__OW_API_HOST", &origin);
        },
        1,
        &["API TLS: "],
    ),
    (
        "the API's authority is not known",
        |setup| {
            let certificates = &setup.scene.certificates;
            let tls = Tls::new(certificates.server_certificate.clone(), certificates.server_key.clone());
            let api = Double::start(Options { tls: Some(tls), ..Options::default() });
            setup.set("__OW_API_HOST", &api.origin());
            setup.others.push(Box::new(api));
        },
        1,
        &["API TLS: ", "put the CA's certificate in `api.ca`"],
    ),
    (
        "the key is another one",
        |setup| setup.set("__OW_API_KEY", "00000000-0000-0000-0000-000000000000:wrong"),
        1,
        &[
            "API key: the API key from __OW_API_KEY is not accepted",
            "HTTP 401",
            "; give the right one as __OW_API_KEY",
        ],
    ),
    (
        "the API's address is that of a receiver",
        |setup| {
            let receiver = Scripted::start(Session::close);
            setup.set("__OW_API_HOST", &format!("http://127.0.0.1:{}", receiver.port()));
            setup.others.push(Box::new(receiver));
        },
        1,
        &[
            "API key: the API at http://127.0.0.1:",
            "it closed the connection before it answered; check that host",
        ],
    ),
    (
        "the API's address is that of something that does not speak HTTP",
        |setup| {
            let other = Scripted::start(|session| {
                session.send(b"2A\0\0\0\x01");
                session.hang();
            });
            setup.set("__OW_API_HOST", &format!("http://127.0.0.1:{}", other.port()));
            setup.others.push(Box::new(other));
        },
        1,
        &["API key: the API at http://127.0.0.1:", "it does not answer in HTTP; check that host"],
    ),
    (
        "the file of --state holds something else",
        |setup| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("other");
            std::fs::write(&file, "hello").unwrap();
            setup.options.extend(["--state".to_owned(), file.display().to_string()]);
            setup.others.push(Box::new(folder));
        },
        1,
        &["checkpoint: in --state /", "/other: it is damaged", "; repair it, or set `on_missing_state`"],
    ),
    (
        "a variable of the file is not set",
        |setup| setup.params["logstash"]["host"] = json!("${NOT_SET_HERE}"),
        2,
        &["configuration: --config ", "logstash.host: the variable NOT_SET_HERE is not set; set it"],
    ),
    (
        "nothing of that name can be redacted",
        |setup| setup.params["lines"] = json!({"redact": ["phone"]}),
        2,
        &["lines.redact[0]: nothing has this name", "`email`, `ip`, `bearer`", "(it is \"phone\")"],
    ),
    (
        "something else answers for the API",
        |setup| setup.scene.api.fail_always(Matcher::any(), Fault::reply(200, "text/html", "<html>")),
        1,
        &["API key: ", "is not an answer of the OpenWhisk API"],
    ),
    (
        "the API is down",
        |setup| setup.scene.api.fail_always(Matcher::any(), Fault::status(503)),
        1,
        &["API key: ", "HTTP 503"],
    ),
    (
        "another namespace is named",
        |setup| setup.set("__OW_NAMESPACE", "elsewhere"),
        2,
        &["API key: ", "is not the namespace of the API key"],
    ),
    (
        "the key may not read activations",
        |setup| {
            setup.scene.api.fail_always(Matcher::any().path_part("activations"), Fault::status(403));
        },
        1,
        &["right to read activations: ", "403"],
    ),
    (
        "the key may not write packages",
        |setup| setup.scene.api.fail_always(Matcher::package().method("PUT"), Fault::status(403)),
        1,
        &["right to write the package: ", "--state FILE"],
    ),
    (
        "the checkpoint is damaged",
        |setup| {
            setup.scene.ask_api(
                "PUT",
                "_/packages/whiskjack.cli",
                r#"{"annotations":[{"key":"whiskjack-checkpoint","value":{"version":3}}]}"#,
            );
        },
        1,
        &["checkpoint: ", "it is damaged"],
    ),
    (
        "no action has the name",
        |setup| setup.params["actions"] = json!(["shop/check ou"]),
        1,
        &["actions: shop/check ou: ", "did you mean `shop/check out`?"],
    ),
    (
        "no action matches the pattern",
        |setup| setup.params["actions"] = json!(["nothing-*"]),
        1,
        &["actions: nothing-*: ", "no action matches this pattern"],
    ),
    (
        "nobody listens at the receiver's port",
        |setup| setup.params["logstash"]["port"] = refused_port().into(),
        1,
        &["receiver localhost:", ": address: ", "refused"],
    ),
    (
        "the receiver's name does not exist",
        |setup| setup.params["logstash"]["host"] = json!("no-such-host.invalid"),
        1,
        &["receiver no-such-host.invalid:", ": name: "],
    ),
    (
        "the receiver's authority is not known",
        |setup| setup.params["logstash"]["ca"] = json!(setup.scene.certificates.other_ca),
        1,
        &[": TLS: ", "logstash.ca"],
    ),
    (
        "the receiver's certificate has expired",
        |setup| faulty(setup, CertificateFault::Expired),
        1,
        &[": TLS: ", "has expired"],
    ),
    (
        "the receiver's certificate is for another name",
        |setup| faulty(setup, CertificateFault::WrongName),
        1,
        &[": TLS: ", "is for elsewhere.example"],
    ),
    (
        "the receiver wants a client certificate",
        |setup| {
            let tls = Some(setup.scene.certificates.mutual_config());
            let receiver =
                Scripted::with(ScriptedOptions { tls, ..ScriptedOptions::default() }, Session::serve);
            setup.send_to(receiver, true);
        },
        1,
        &["receiver localhost:", "`logstash.cert`"],
    ),
    (
        "the receiver speaks no TLS",
        |setup| setup.send_to(Scripted::good(), true),
        1,
        &[": TLS: ", "`logstash.tls`"],
    ),
    (
        "the receiver speaks TLS, and the configuration says that it does not",
        |setup| {
            setup.params["logstash"]["tls"] = json!(false);
            setup.params["logstash"].as_object_mut().unwrap().remove("ca");
            setup.options.clear();
        },
        1,
        &["receiver localhost:", "logstash.tls"],
    ),
    (
        "the receiver is a web server",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.bytes(6);
                    session.send(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                }),
                false,
            )
        },
        1,
        &[": Lumberjack: it answers in HTTP, not Lumberjack"],
    ),
    (
        "the receiver closes at the begin of a window",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.bytes(6);
                    session.close();
                }),
                false,
            )
        },
        1,
        &[": Lumberjack: ", "closed the connection before it answered"],
    ),
    (
        "the receiver never acknowledges",
        |setup| {
            setup.send_to(
                Scripted::start(|session| {
                    session.window();
                    session.hang();
                }),
                false,
            );
            setup.params["logstash"]["timeout"] = json!("500ms");
            setup.options = vec!["--send".to_owned()];
        },
        1,
        &[": test document: "],
    ),
    (
        "one of two receivers is down",
        |setup| {
            let (up, down) = (setup.receiver.port(), refused_port());
            let ca = setup.scene.certificates.ca.clone();
            setup.params["logstash"] =
                json!({"hosts": [format!("localhost:{up}"), format!("localhost:{down}")], "ca": ca});
        },
        1,
        &["receiver localhost:", "refused"],
    ),
];
