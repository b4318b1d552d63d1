//! Receivers that take their time, or all of it.

use super::scene::{SOON, Scene, assert_fair, bulky_lines, lines};
use serde_json::json;
use std::time::{Duration, Instant};
use whiskjack_testbed::{Scripted, ScriptedOptions, Session};

fn narrow() -> ScriptedOptions {
    ScriptedOptions { narrow: true, ..ScriptedOptions::default() }
}

/// More than sockets swallow, whatever the level of compression.
fn bulky() -> Scene {
    Scene::with_texts(&bulky_lines(64, 60_000))
}

fn acks_after(time: Duration) -> Scripted {
    Scripted::start(move |session| {
        while let Some(window) = session.window() {
            session.pause(time);
            session.ack(window.events.len() as u32);
        }
    })
}

sentences! {
    fn h01_a_receiver_that_never_reads_times_out_and_another_connection_gets_all() {
        let scene = bulky();
        let receiver = Scripted::with(narrow(), |session| match session.number() {
            1 => session.hang(),
            _ => session.serve(),
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "1500ms"})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 64);
        let journal = receiver.journal();
        assert_fair(&journal);
        assert_eq!(journal.acknowledged().len(), 64);
        assert_eq!(journal.connections.len(), 2);
    }

    fn h01_a_receiver_that_never_reads_leaves_all_unacknowledged() {
        let scene = bulky();
        let receiver = Scripted::with(narrow(), Session::hang);
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        // The sender or the host says so, whoever notices first.
        ran.assert_failed(&["overloaded"]);
        assert_eq!(ran.lines("acknowledged"), 0);
        assert!(ran.lines("unacknowledged") > 0, "{ran:#?}");
        // Nothing is forgotten: a receiver that reads gets all of it in the next run.
        let good = Scripted::good();
        scene.run(&Scene::params(good.port(), &json!({"timeout": "10s"}))).assert_complete();
        scene.assert_all_arrived(&[&good]);
    }

    fn h02_a_receiver_that_never_acks_times_out_and_another_connection_gets_all() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| match session.number() {
            1 => session.read_to_end(),
            _ => session.serve(),
        });
        let began = Instant::now();
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("resent"), 8);
        scene.assert_all_arrived(&[&receiver]);
        assert_eq!(receiver.journal().connections.len(), 2);
        assert!(began.elapsed() >= Duration::from_millis(600), "it gave up before its timeout");
    }

    fn h03_keep_alives_for_ever_end_with_the_deadline_and_are_called_a_stall() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.window().is_some() {
                session.ack(2);
                while session.send(b"2A\0\0\0\0") && session.pause(Duration::from_millis(50)) {}
            }
        });
        let limit = Duration::from_secs(8);
        let began = Instant::now();
        let ran = scene.activate(&Scene::params(receiver.port(), &json!({})), limit);
        assert!(began.elapsed() < limit + Duration::from_secs(5), "it took {:?}", began.elapsed());
        ran.assert_failed(&["stalled"]);
        assert!(ran.result["keep_alives"].as_u64() > Some(10), "{ran:#?}");
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (2, 6));
        assert_fair(&receiver.journal());

        // The checkpoint knows how many entries of the activation are acknowledged: the next run goes on from there.
        let good = Scripted::good();
        scene.activate(&Scene::params(good.port(), &json!({})), Duration::from_secs(60)).assert_complete();
        assert_eq!(good.settled(SOON).texts(1), lines(3..=8));
    }

    fn h04_an_ack_a_byte_at_a_time_is_life_and_an_ack() {
        let scene = Scene::with_lines(8);
        let receiver = Scripted::start(|session| {
            if session.window().is_some() {
                for byte in b"2A\0\0\0\x08" {
                    // Each byte in time, all of them not.
                    session.pause(Duration::from_millis(250));
                    session.send(&[*byte]);
                }
                session.read_to_end();
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "1s"})));
        assert_eq!(ran.assert_complete().lines("resent"), 0);
        assert_eq!(receiver.settled(SOON).connections.len(), 1);
    }

    fn h26_a_receiver_that_reads_a_byte_at_a_time_gets_its_window() {
        let scene = Scene::with_texts(&bulky_lines(16, 2_000));
        let receiver = Scripted::with(narrow(), |session| {
            let mut window = Vec::new();
            while let [byte] = session.bytes(1)[..] {
                window.push(byte);
                // The length of the compressed frame is in the second header.
                let length =
                    window.get(8..12).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()) as usize);
                if length.is_some_and(|length| window.len() == 12 + length) {
                    session.ack_as(b'2', u32::from_be_bytes(window[2..6].try_into().unwrap()));
                    window.clear();
                }
            }
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "10s"})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 16);
        assert_eq!((ran.lines("resent"), receiver.settled(SOON).connections.len()), (0, 1));
    }

    fn h26_a_receiver_that_reads_too_slowly_times_out() {
        let scene = bulky();
        let receiver = Scripted::with(narrow(), |session| match session.number() {
            1 => while session.bytes(1).len() == 1 && session.pause(Duration::from_millis(20)) {},
            _ => session.serve(),
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "1500ms"})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 64);
        assert_eq!(receiver.journal().acknowledged().len(), 64);
    }

    fn h30_a_late_ack_is_waited_for_with_a_raised_timeout() {
        let scene = Scene::with_lines(8);
        let receiver = acks_after(Duration::from_millis(1500));
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "10s"})));
        assert_eq!(ran.assert_complete().lines("resent"), 0);
        scene.assert_all_arrived(&[&receiver]);
        assert_eq!(receiver.journal().connections.len(), 1);
    }

    fn h30_a_late_ack_without_keep_alives_is_a_timeout_that_says_so() {
        let scene = Scene::with_lines(8);
        let receiver = acks_after(Duration::from_millis(1500));
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "300ms"})));
        ran.assert_failed(&["0.3 s", "`logstash.timeout`"]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 8));
    }
}
