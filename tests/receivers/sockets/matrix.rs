//! Elastic's server in every way it can be spoken to, and zlib by others.

use super::scene::{SOON, Scene, lines};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use whiskjack_testbed::{
    Certificates, Receiver, ReceiverOptions, ReceiverVersion, Scripted, inflate_with_python,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    Tls,
    Mutual,
}

/// Two windows to a receiver that speaks this version only.
fn takes(protocol: u8, security: Security) {
    let scene = Scene::with_lines(300);
    let certificates = Certificates::new();
    let (tls, more) = match security {
        Security::Plain => (None, json!({})),
        Security::Tls => (
            Some(certificates.server_tls()),
            json!({"host": "localhost", "tls": true, "ca": certificates.ca}),
        ),
        Security::Mutual => (
            Some(certificates.mutual_tls()),
            json!({"host": "localhost", "tls": true, "ca": certificates.ca,
                "cert": certificates.client_certificate, "key": certificates.client_key}),
        ),
    };
    let version = if protocol == 1 { ReceiverVersion::V1 } else { ReceiverVersion::V2 };
    let receiver = Receiver::start(ReceiverOptions { tls, version, ..ReceiverOptions::default() });
    let mut params = Scene::params(receiver.port(), &more);
    params["logstash"]["timeout"] = json!("10s");
    params["logstash"]["bulk_max_size"] = json!(200);
    if protocol == 1 {
        params["logstash"]["protocol"] = json!(1);
    }
    let ran = scene.run(&params);
    assert_eq!(ran.assert_complete().lines("acknowledged"), 300);
    let events = receiver.wait_for_events(300, SOON);
    let texts: Vec<&str> = events
        .iter()
        .map(|event| event.event["line"].as_str().unwrap().split_once(": ").unwrap().1)
        .collect();
    assert_eq!(texts, lines(1..=300));
    assert_eq!(events.iter().map(|event| event.window).max(), Some(2));
    if protocol == 1 {
        let flat = |event: &Value| event.as_object().unwrap().values().all(Value::is_string);
        assert!(events.iter().all(|event| flat(&event.event)), "strings only");
    }
}

sentences! {
    fn elastics_server_takes_version_1_plain() {
        takes(1, Security::Plain);
    }

    fn elastics_server_takes_version_1_over_tls() {
        takes(1, Security::Tls);
    }

    fn elastics_server_takes_version_1_over_mutual_tls() {
        takes(1, Security::Mutual);
    }

    fn elastics_server_takes_version_2_plain() {
        takes(2, Security::Plain);
    }

    fn elastics_server_takes_version_2_over_tls() {
        takes(2, Security::Tls);
    }

    fn elastics_server_takes_version_2_over_mutual_tls() {
        takes(2, Security::Mutual);
    }

    fn pythons_zlib_inflates_each_window_to_exactly_n_frames() {
        for (protocol, kind) in [(1, 'D'), (2, 'J')] {
            for level in [1, 3, 6, 9] {
                let scene = Scene::with_lines(500);
                let seen = Arc::new(Mutex::new(Vec::new()));
                let bytes = Arc::clone(&seen);
                // Keeps each window as it is on the wire.
                let receiver = Scripted::start(move |session| {
                    loop {
                        let mut window = session.bytes(12);
                        if window.len() < 12 {
                            return;
                        }
                        let number = |at: usize| u32::from_be_bytes(window[at..at + 4].try_into().unwrap());
                        let (count, length) = (number(2), number(8));
                        window.extend(session.bytes(length as usize));
                        bytes.lock().unwrap().extend(window);
                        session.ack_as(b'2', count);
                    }
                });
                let more = json!({"bulk_max_size": 200, "compression_level": level, "protocol": protocol});
                let ran = scene.run(&Scene::params(receiver.port(), &more));
                assert_eq!(ran.assert_complete().lines("acknowledged"), 500);
                let windows = inflate_with_python(&seen.lock().unwrap());
                assert_eq!(windows.iter().map(|window| window.announced).collect::<Vec<_>>(), [200, 200, 100]);
                for window in windows {
                    let expected: Vec<(char, u32)> =
                        (1..=window.announced).map(|sequence| (kind, sequence)).collect();
                    assert_eq!((window.left, window.frames), (0, expected), "level {level}");
                }
            }
        }
    }
}
