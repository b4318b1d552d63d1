//! Acknowledgements in every shape but the usual one.

use super::scene::{SOON, Scene, assert_fair, lines};
use serde_json::json;
use whiskjack_testbed::{Rules, Scripted, ScriptedOptions, Session};

/// One bad connection, and good ones after it.
fn first(script: impl Fn(&mut Session) + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |session| match session.number() {
        1 => script(session),
        _ => session.serve(),
    })
}

/// The rest of eight lines, from `begin` on, was sent again on the second connection, and there was no third.
fn assert_rest(scene: &Scene, receiver: &Scripted, begin: usize) {
    let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
    ran.assert_complete();
    scene.assert_all_arrived(&[receiver]);
    let journal = receiver.journal();
    assert_eq!(journal.connections.len(), 2, "{ran:#?}");
    assert_eq!(journal.texts(1), lines(1..=8));
    assert_eq!(journal.texts(2), lines(begin..=8));
    assert_eq!(ran.lines("acknowledged"), 8);
    assert_eq!(ran.lines("resent"), 9 - begin as u64);
}

fn acked_in_steps(step: usize) {
    let scene = Scene::with_lines(50);
    let receiver = Scripted::start(move |session| {
        while let Some(window) = session.window() {
            (step..=window.events.len()).step_by(step).for_each(|sequence| session.ack(sequence as u32));
        }
    });
    let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
    assert_eq!(ran.assert_complete().lines("sent"), 50);
    scene.assert_all_arrived(&[&receiver]);
    assert_eq!(receiver.journal().connections.len(), 1);
}

sentences! {
    fn h05_an_ack_below_n_and_a_close_leave_only_the_rest_to_be_sent() {
        let receiver = first(|session| {
            session.window();
            session.ack(3);
        });
        assert_rest(&Scene::with_lines(8), &receiver, 4);
    }

    fn h06_an_ack_below_n_and_silence_leave_only_the_rest_to_be_sent() {
        let receiver = first(|session| {
            session.window();
            session.ack(3);
            session.read_to_end();
        });
        assert_rest(&Scene::with_lines(8), &receiver, 4);
    }

    fn h07_acks_one_by_one_are_done_at_n() {
        acked_in_steps(1);
    }

    fn h07_acks_of_every_fifth_of_a_window_are_done_at_n() {
        acked_in_steps(10);
    }

    fn h08_an_ack_below_an_earlier_one_takes_nothing_back() {
        let receiver = first(|session| {
            session.window();
            session.ack(5);
            session.ack(3);
            session.keep_alive();
        });
        assert_rest(&Scene::with_lines(8), &receiver, 6);
    }

    fn h09_an_ack_beyond_the_window_is_a_protocol_error_and_keeps_the_last_valid_one() {
        for beyond in [9, 0x8000_0000, u32::MAX] {
            let receiver = first(move |session| {
                session.window();
                session.ack(2);
                session.ack_as(b'2', beyond);
                // The sender closes: nothing that comes on this connection can be trusted.
                session.read_to_end();
            });
            assert_rest(&Scene::with_lines(8), &receiver, 3);
        }
    }

    fn h09_an_ack_beyond_the_window_is_named_in_the_error() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.window().is_some() {
                session.ack_as(b'2', 4711);
                session.read_to_end();
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        ran.assert_failed(&["4711"]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 8));
        assert_fair(&receiver.settled(SOON));
    }

    fn h10_a_duplicate_of_the_last_ack_does_not_satisfy_the_next_window() {
        let scene = Scene::with_lines(10);
        let receiver = first(|session| {
            session.window();
            // Together: nobody could tell one that comes after the next window from an ack of that.
            session.ack_and(5, b"2A\0\0\0\x05");
            // The next window, if it comes at all on this connection, is not acknowledged.
            session.read_to_end();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"bulk_max_size": 5})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 10);
        scene.assert_all_arrived(&[&receiver]);
        assert_eq!(receiver.journal().texts(2), lines(6..=10));
    }

    fn h11_a_late_ack_is_never_credited_to_a_later_window() {
        let scene = Scene::with_lines(10);
        let rules = Rules { pipelining: true, ..Rules::default() };
        let options = ScriptedOptions { rules, ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, |session| match session.number() {
            1 => {
                // Both windows are there before the first is acknowledged: late, and in two steps.
                session.window();
                session.window();
                session.ack(3);
                session.ack(5);
            }
            _ => session.serve(),
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"bulk_max_size": 5, "pipelining": 2})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 10);
        scene.assert_all_arrived(&[&receiver]);
        let journal = receiver.journal();
        assert_eq!(journal.connections[0].windows.len(), 2, "two windows were under way");
        assert_eq!(journal.texts(2), lines(6..=10));
    }

    fn h12_acks_of_the_other_version_count() {
        for (protocol, version) in [(2, b'1'), (1, b'2')] {
            let scene = Scene::with_lines(8);
            let receiver = Scripted::start(move |session| {
                while let Some(window) = session.window() {
                    session.keep_alive();
                    session.ack_as(version, window.events.len() as u32);
                }
            });
            let ran = scene.run(&Scene::params(receiver.port(), &json!({"protocol": protocol})));
            assert_eq!(ran.assert_complete().lines("acknowledged"), 8);
            let journal = receiver.settled(SOON);
            assert_fair(&journal);
            assert_eq!(journal.texts(1), lines(1..=8));
            assert!(journal.windows().all(|window| window.version == b'0' + protocol));
            assert_eq!(journal.connections.len(), 1);
        }
    }

    fn h32_an_ack_before_the_window_is_sent_credits_nothing_that_was_not_sent() {
        // More than the sockets hold, so that the sender is in the middle of its window.
        let scene = Scene::with_texts(&super::scene::bulky_lines(64, 60_000));
        let receiver = Scripted::with(
            ScriptedOptions { narrow: true, ..ScriptedOptions::default() },
            |session| match session.number() {
                1 => {
                    let header = session.bytes(6);
                    session.ack_as(b'2', u32::from_be_bytes(header[2..].try_into().unwrap()));
                    session.bytes(1000);
                    session.reset();
                }
                _ => session.serve(),
            },
        );
        // Half of it at a time, and bare frames, so that it is really larger than any buffer.
        let params = Scene::params(receiver.port(), &json!({"timeout": "10s", "compression_level": 0}));
        let ran = scene.run(&params);
        assert_eq!(ran.assert_complete().lines("acknowledged"), 64);
        scene.assert_all_arrived(&[&receiver]);
    }

    fn h35_a_receiver_that_stores_nothing_cannot_be_told_apart_and_the_guarantees_say_so() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            // From the header alone: what follows goes nowhere.
            let header = session.bytes(6);
            session.bytes(6);
            session.ack_as(b'2', u32::from_be_bytes(header[2..].try_into().unwrap()));
            session.read_to_end();
        });
        scene.run(&Scene::params(receiver.port(), &json!({}))).assert_complete();
        let page = include_str!("../../../docs/guarantees.md");
        assert!(page.contains("acknowledges before it has stored"), "the page names this limit");
    }
}
