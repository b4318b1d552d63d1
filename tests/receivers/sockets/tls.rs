//! Receivers that fail before the first frame, or right after the handshake.

use super::scene::{SOON, Scene};
use serde_json::{Value, json};
use std::time::Duration;
use whiskjack_testbed::{
    CertificateFault, Certificates, Receiver, ReceiverOptions, Scripted, ScriptedOptions, Session,
};

fn params(port: u16, certificates: &Certificates) -> Value {
    Scene::params(port, &json!({"host": "localhost", "tls": true, "ca": certificates.ca}))
}

fn assert_wants_certificate(scene: &Scene, port: u16, certificates: &Certificates) {
    let ran = scene.run(&params(port, certificates));
    ran.assert_failed(&["client certificate", "`logstash.cert`"]);
    assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 8));
}

sentences! {
    fn h17_a_close_right_after_the_handshake_hints_at_client_certificates() {
        let scene = Scene::with_lines(8);
        let certificates = Certificates::new();
        let options = ScriptedOptions { tls: Some(certificates.server_config()), ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, Session::close);
        let ran = scene.run(&params(receiver.port(), &certificates));
        ran.assert_failed(&["closed the connection", "client certificate"]);
        assert_eq!(ran.lines("unacknowledged"), 8);
        let connections = receiver.settled(SOON).connections.len();
        assert!((2..=20).contains(&connections), "{connections} connections");
    }

    fn h18_a_missing_client_certificate_is_named_and_not_retried() {
        let scene = Scene::with_lines(8);
        let certificates = Certificates::new();
        let options = ScriptedOptions { tls: Some(certificates.mutual_config()), ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, Session::serve);
        assert_wants_certificate(&scene, receiver.port(), &certificates);
        let journal = receiver.settled(SOON);
        assert_eq!(journal.connections.len(), 1, "another try would end the same way");
        assert!(journal.connections[0].no_tls.is_some(), "{journal:#?}");
    }

    fn h18_elastics_server_refuses_a_missing_client_certificate_in_the_same_words() {
        let scene = Scene::with_lines(8);
        let certificates = Certificates::new();
        let receiver = Receiver::start(ReceiverOptions {
            tls: Some(certificates.mutual_tls()),
            ..ReceiverOptions::default()
        });
        assert_wants_certificate(&scene, receiver.port(), &certificates);
        assert!(receiver.events().is_empty());
    }

    fn h19_a_hello_without_an_answer_ends_in_time_and_says_so() {
        let scene = Scene::with_lines(8);
        let certificates = Certificates::new();
        // Plain, and silent: it reads the hello as if it were anything.
        let receiver = Scripted::start(Session::read_to_end);
        let ran = scene.activate(&params(receiver.port(), &certificates), Duration::from_secs(14));
        ran.assert_failed(&["handshake", "expects TLS"]);
        assert_eq!(ran.lines("unacknowledged"), 8);
    }

    fn h20_a_certificate_that_does_not_hold_is_refused_with_its_reason() {
        for (fault, words) in [
            (CertificateFault::Expired, &["expired"][..]),
            (CertificateFault::NotYetValid, &["not valid yet"]),
            (CertificateFault::WrongName, &["elsewhere.example", "localhost"]),
            (CertificateFault::CommonNameOnly, &["name"]),
            (CertificateFault::SelfSigned, &["`logstash.ca`"]),
        ] {
            let scene = Scene::with_lines(8);
            let certificates = Certificates::new();
            let tls = Some(certificates.faulty_config(fault));
            let receiver = Scripted::with(ScriptedOptions { tls, ..ScriptedOptions::default() }, Session::serve);
            let ran = scene.run(&params(receiver.port(), &certificates));
            ran.assert_failed(words);
            assert_eq!(ran.lines("unacknowledged"), 8, "{fault:?}");
            let journal = receiver.settled(SOON);
            assert_eq!(journal.windows().count(), 0, "{fault:?}");
            assert_eq!(journal.connections.len(), 1, "{fault:?}: another try would end the same way");
        }
    }
}
