//! Connections that end when they should not.

use super::scene::{SOON, Scene, assert_fair, bulky_lines, lines};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use whiskjack_testbed::{Certificates, Scripted, ScriptedOptions, Session};

fn first(script: impl Fn(&mut Session) + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |session| match session.number() {
        1 => script(session),
        _ => session.serve(),
    })
}

/// Six windows, and a connection that ends after each: were it counted as a failure, the run would give up.
fn ends_after_each_window(options: ScriptedOptions, more: &serde_json::Value, end: fn(&mut Session)) {
    let scene = Scene::with_lines(12);
    let served = AtomicUsize::new(0);
    let receiver = Scripted::with(options, move |session| {
        // The last connections have no window: those who look whether it still stands may find it closed.
        if let Some(window) = session.window() {
            session.ack(window.events.len() as u32);
            served.fetch_add(1, Ordering::SeqCst);
            end(session);
        }
    });
    let mut params = Scene::params(receiver.port(), more);
    params["logstash"]["bulk_max_size"] = json!(2);
    let ran = scene.run(&params);
    ran.assert_complete();
    assert_eq!(ran.lines("acknowledged"), 12);
    let journal = receiver.settled(SOON);
    assert_fair(&journal);
    scene.assert_all_arrived(&[&receiver]);
    assert_eq!(journal.windows().count(), 6);
}

sentences! {
    fn h16_a_receiver_that_closes_at_once_is_tried_again() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.number() > 2 {
                session.serve();
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 8);
        scene.assert_all_arrived_but_probes(&[&receiver]);
        assert_eq!(receiver.journal().connections.len(), 3);
    }

    fn h16_a_receiver_that_always_closes_at_once_is_given_up_with_a_hint() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|_| {});
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        // As a close or as a reset, as the kernel has it: that depends on how much of the window was there already.
        ran.assert_failed(&["the connection", "TLS", "log"]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 8));
        let connections = receiver.settled(SOON).connections.len();
        assert!((2..=20).contains(&connections), "{connections} connections: neither one try nor a storm");
    }

    fn h21_a_reset_in_the_middle_of_a_frame_acknowledges_nothing() {
        let scene = Scene::with_texts(&bulky_lines(64, 60_000));
        let receiver = Scripted::with(
            ScriptedOptions { narrow: true, ..ScriptedOptions::default() },
            |session| match session.number() {
                1 => {
                    session.bytes(5000);
                    session.reset();
                }
                _ => session.serve(),
            },
        );
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "10s"})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 64);
        scene.assert_all_arrived(&[&receiver]);
    }

    fn h22_a_lost_ack_brings_the_same_lines_again_with_the_same_ids() {
        let scene = Scene::with_lines(8);
        let receiver = first(|session| {
            session.window();
            session.reset();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("resent"), 8);
        scene.assert_all_arrived(&[&receiver]);
        let journal = receiver.journal();
        let events = |connection: usize| &journal.connections[connection].windows[0].events;
        assert_eq!(events(0), events(1), "the events are equal to the last field");
    }

    fn h23_acks_after_the_receiver_has_closed_its_own_direction_count() {
        let scene = Scene::with_lines(8);
        let receiver = first(|session| {
            session.window();
            session.ack(5);
            session.finish_writing();
            session.read_to_end();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("resent"), 3);
        scene.assert_all_arrived(&[&receiver]);
        assert_eq!(receiver.journal().texts(2), lines(6..=8));
    }

    fn h23_the_last_ack_together_with_the_end_completes_the_window() {
        let scene = Scene::with_lines(8);
        let receiver = first(|session| {
            session.window();
            session.ack(8);
            session.finish_writing();
            session.read_to_end();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("resent"), 0);
        scene.assert_all_arrived(&[&receiver]);
        assert_eq!(receiver.journal().connections.len(), 1);
    }

    fn h24_the_end_inside_an_ack_discards_that_ack_only() {
        for part in 1..6 {
            let scene = Scene::with_lines(8);
            let receiver = first(move |session| {
                session.window();
                session.ack(2);
                session.send(&b"2A\0\0\0\x08"[..part]);
            });
            scene.run(&Scene::params(receiver.port(), &json!({}))).assert_complete();
            scene.assert_all_arrived(&[&receiver]);
            assert_eq!(receiver.journal().texts(2), lines(3..=8), "{part} bytes of the ack");
        }
    }

    fn h25_a_connection_that_was_closed_between_windows_is_opened_again() {
        ends_after_each_window(ScriptedOptions::default(), &json!({}), Session::close);
    }

    fn h25_a_connection_that_was_reset_between_windows_is_opened_again() {
        ends_after_each_window(ScriptedOptions::default(), &json!({}), |session| {
            // The reset must not overtake the ack.
            session.pause(std::time::Duration::from_millis(20));
            session.reset();
        });
    }

    fn h25_a_tls_connection_that_was_closed_between_windows_is_opened_again() {
        let certificates = Certificates::new();
        let options = ScriptedOptions { tls: Some(certificates.server_config()), ..ScriptedOptions::default() };
        let more = json!({"host": "localhost", "tls": true, "ca": certificates.ca});
        ends_after_each_window(options, &more, Session::close);
    }
}
