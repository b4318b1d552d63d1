//! The other side is not a Lumberjack receiver, or answers nonsense.

use super::scene::{SOON, Scene, assert_fair};
use serde_json::json;
use whiskjack_testbed::Scripted;

/// What the error says when every window is answered with these bytes.
fn answered_with(bytes: &'static [u8], words: &[&str]) {
    let scene = Scene::with_lines(8);
    let receiver = Scripted::start(move |session| {
        if session.window().is_some() {
            session.send(bytes);
            session.read_to_end();
        }
    });
    let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
    ran.assert_failed(words);
    assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 8));
    let journal = receiver.settled(SOON);
    assert_fair(&journal);
    assert!(journal.connections.len() <= 20, "{} connections", journal.connections.len());
}

sentences! {
    fn h13_another_version_or_type_is_a_protocol_error_with_its_first_bytes() {
        answered_with(b"3A\0\0\0\x08", &["3341", "acknowledgement"]);
        answered_with(b"2W\0\0\0\x08", &["3257", "acknowledgement"]);
        answered_with(b"2J\0\0\0\x08", &["324a", "acknowledgement"]);
        answered_with(b"\0\0\0\0\0\0", &["0000", "acknowledgement"]);
    }

    fn h14_a_web_server_or_a_banner_is_told_from_a_lumberjack_receiver() {
        answered_with(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>", &["HTTP", "not a Lumberjack"]);
        answered_with(b"<html>", &["HTTP", "not a Lumberjack"]);
        answered_with(b"220 mail.example.com ESMTP\r\n", &["not a Lumberjack"]);
        answered_with(b"SSH-2.0-OpenSSH_9.6\r\n", &["not a Lumberjack"]);
    }

    fn h15_a_tls_alert_says_that_the_port_wants_tls() {
        // protocol_version, as OpenSSL, rustls and Go send it to a stranger.
        answered_with(b"\x15\x03\x01\0\x02\x02\x46", &["TLS", "`logstash.tls`"]);
    }

    fn h31_a_flood_of_garbage_is_a_protocol_error() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.window().is_some() {
                while session.send(&[b'x'; 64 * 1024]) {}
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        ran.assert_failed(&["7878", "acknowledgement"]);
        assert_eq!(ran.lines("unacknowledged"), 8);
    }

    fn h31_a_flood_of_signs_of_life_is_a_protocol_error() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.window().is_some() {
                let flood = b"2A\0\0\0\0".repeat(10_000);
                while session.send(&flood) {}
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        ran.assert_failed(&["acknowledgements that acknowledge nothing"]);
        assert_eq!(ran.lines("unacknowledged"), 8);
        assert_fair(&receiver.settled(SOON));
    }

    fn h31_thousands_of_signs_of_life_at_once_are_read_and_the_last_ack_counts() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            while session.window().is_some() {
                session.send(&b"2A\0\0\0\0".repeat(9_000));
                session.ack(8);
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("resent"), 0);
        assert_eq!(ran.result["keep_alives"], 9_000);
        scene.assert_all_arrived(&[&receiver]);
    }
}
