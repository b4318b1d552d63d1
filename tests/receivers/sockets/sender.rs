//! Points of the sender's checklist that only the whole forwarder can show: sockets, TLS, checkpoint and result.

use super::scene::{SOON, Scene, assert_fair, bulky_lines, lines};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use whiskjack_testbed::{CertificateFault, Certificates, Scripted, ScriptedOptions, Session};

/// A receiver with this certificate, or the authority's own if there is no fault.
fn secured(certificates: &Certificates, fault: Option<CertificateFault>) -> Scripted {
    let config =
        fault.map_or_else(|| certificates.server_config(), |fault| certificates.faulty_config(fault));
    Scripted::with(ScriptedOptions { tls: Some(config), ..ScriptedOptions::default() }, Session::serve)
}

fn error_of(port: u16, more: &Value) -> String {
    let scene = Scene::with_lines(1);
    let ran = scene.run(&Scene::params(port, more));
    assert_eq!(ran.lines("unacknowledged"), 1);
    ran.assert_failed(&[]).error().to_owned()
}

sentences! {
    fn s19_a_window_that_leaves_in_hundreds_of_short_writes_arrives_whole() {
        let scene = Scene::with_texts(&bulky_lines(8, 60_000));
        // Some 500 KB through a kernel that takes some ten at a time, each only after the last was read.
        let options = ScriptedOptions { narrow: true, ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, Session::serve);
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "10s"})));
        assert_eq!(ran.assert_complete().lines("sent"), 8);
        scene.assert_all_arrived(&[&receiver]);
        assert!(receiver.journal().windows().map(|window| window.bytes).max() > Some(300_000));
    }

    fn s20_nothing_is_half_closed_and_tls_says_goodbye_after_the_last_ack() {
        let scene = Scene::with_lines(8);
        let certificates = Certificates::new();
        let ends = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ends);
        let options = ScriptedOptions { tls: Some(certificates.server_config()), ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, move |session| {
            session.window();
            // A client that is done with writing, but not with reading, shows itself here.
            let early = session.ended_within(Duration::from_millis(200));
            session.ack(8);
            let clean = session.ended_cleanly();
            seen.lock().unwrap().push((early, clean));
        });
        let more = json!({"host": "localhost", "tls": true, "ca": certificates.ca});
        scene.run(&Scene::params(receiver.port(), &more)).assert_complete();
        receiver.settled(SOON);
        assert_eq!(*ends.lock().unwrap(), [(false, true)]);
    }

    fn s29_tls_is_the_default_and_what_weakens_it_is_explicit_and_in_the_result() {
        // A plain receiver gets a TLS hello, and no line.
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&bytes);
        let plain = Scripted::start(move |session| {
            let first = session.bytes(3);
            seen.lock().unwrap().push(first);
        });
        error_of(plain.port(), &json!({"tls": null}));
        plain.settled(SOON);
        let hellos = bytes.lock().unwrap().clone();
        assert!(!hellos.is_empty() && hellos.iter().all(|first| first.starts_with(&[0x16, 3])), "{hellos:?}");

        // Names are verified, and a CA of one's own is needed for a certificate of one's own.
        let certificates = Certificates::new();
        let receiver = secured(&certificates, None);
        error_of(receiver.port(), &json!({"host": "localhost", "tls": null}));
        error_of(receiver.port(), &json!({"host": "localhost", "tls": null, "ca": certificates.other_ca}));
        let scene = Scene::with_lines(8);
        let more = json!({"host": "localhost", "tls": null, "ca": certificates.ca});
        let ran = scene.run(&Scene::params(receiver.port(), &more));
        assert_eq!(ran.assert_complete().result.get("warnings"), None, "{ran:#?}");

        let anything = secured(&certificates, Some(CertificateFault::SelfSigned));
        let scene = Scene::with_lines(8);
        let more = json!({"host": "localhost", "tls": null, "rejectUnauthorized": false});
        let ran = scene.run(&Scene::params(anything.port(), &more));
        ran.assert_complete();
        assert!(ran.result["warnings"].to_string().contains("rejectUnauthorized"), "{ran:#?}");
    }

    fn s30_every_cause_of_a_tls_failure_has_a_message_of_its_own() {
        let certificates = Certificates::new();
        let with_ca = json!({"host": "localhost", "tls": true, "ca": certificates.ca});
        let faults = [
            CertificateFault::Expired,
            CertificateFault::NotYetValid,
            CertificateFault::WrongName,
            CertificateFault::CommonNameOnly,
        ];
        let mut messages: Vec<String> = faults
            .iter()
            .map(|fault| error_of(secured(&certificates, Some(*fault)).port(), &with_ca))
            .collect();
        let mut other_ca = with_ca.clone();
        other_ca["ca"] = json!(certificates.other_ca);
        messages.push(error_of(secured(&certificates, None).port(), &other_ca));
        let mutual = ScriptedOptions { tls: Some(certificates.mutual_config()), ..ScriptedOptions::default() };
        messages.push(error_of(Scripted::with(mutual, Session::serve).port(), &with_ca));
        // A plain receiver to a TLS client, as a Beats input closes on a hello; and a TLS receiver to a plain client.
        messages.push(error_of(Scripted::start(|session| session.reset()).port(), &with_ca));
        let speaks = Scripted::start(|session| {
            session.bytes(3);
            session.send(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        messages.push(error_of(speaks.port(), &with_ca));
        messages.push(error_of(secured(&certificates, None).port(), &json!({})));
        let without_place: Vec<&str> =
            messages.iter().map(|message| message.split_once(": ").map_or(&**message, |(_, rest)| rest)).collect();
        for (at, message) in without_place.iter().enumerate() {
            assert!(!without_place[..at].contains(message), "twice: {message}");
            assert!(message.len() > 30, "{message}: that helps nobody");
        }
    }

    fn s32_the_checkpoint_moves_over_acknowledged_lines_only() {
        let scene = Scene::with_lines(4);
        scene.add(&lines(5..=8));
        scene.add(&lines(9..=12));
        // The first window is acknowledged, the second in part, and then no more.
        let bad = Scripted::start(|session| {
            if session.number() == 1 {
                session.window();
                session.ack(4);
                session.window();
                session.ack(2);
            }
        });
        let ran = scene.run(&Scene::params(bad.port(), &json!({"bulk_max_size": 4})));
        ran.assert_failed(&[]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (6, 6));
        let good = Scripted::good();
        scene.run(&Scene::params(good.port(), &json!({}))).assert_complete();
        let (first, second) = (bad.settled(SOON), good.settled(SOON));
        // The checkpoint knows how many entries of an activation are acknowledged.
        assert_eq!(second.events().len(), 6, "{second:#?}");
        let [whole, part] = [0, 1].map(|window| first.connections[0].windows[window].events.clone());
        let done: Vec<Value> = [&whole[..], &part[..2]].concat();
        assert!(second.events().iter().all(|event| !done.contains(event)), "what was acknowledged is not sent again");
        let mut all: Vec<Value> = [done, second.events()].concat();
        all.sort_by_key(|event| event["line"].to_string());
        all.dedup();
        assert_eq!(all.len(), 12);
    }

    fn s33_the_result_accounts_for_every_line() {
        let scene = Scene::with_lines(10);
        let receiver = Scripted::start(|session| {
            if session.number() == 1 {
                session.window();
                session.keep_alive();
                session.pause(Duration::from_millis(100));
                session.ack(4);
                return;
            }
            session.serve();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        ran.assert_complete();
        let counts = ["read", "sent", "resent", "acknowledged", "unacknowledged"].map(|key| ran.lines(key));
        assert_eq!(counts, [10, 16, 6, 10, 0], "{ran:#?}");
        assert_eq!(ran.result["keep_alives"], 1);
        assert!(ran.result["waited_ms"].as_u64() >= Some(90), "{ran:#?}");
        assert_fair(&receiver.settled(SOON));

        // And it does not call it a success when something is left.
        scene.add(&lines(11..=14));
        let bad = Scripted::start(|session| {
            session.window();
            if session.number() == 1 {
                session.ack(1);
            }
        });
        let ran = scene.run(&Scene::params(bad.port(), &json!({})));
        ran.assert_failed(&[]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (1, 3), "{ran:#?}");
    }
}
