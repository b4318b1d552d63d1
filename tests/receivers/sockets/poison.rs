//! Receivers that cannot take some event, some window, or anything.

use super::scene::{SOON, Scene, assert_only_probes_come_again, lines};
use serde_json::{Value, json};
use whiskjack_testbed::{Rules, Scripted, ScriptedOptions, Session};

/// A receiver that resets on every window with one of these lines in it.
fn allergic(to: &'static [usize]) -> Scripted {
    Scripted::start(move |session: &mut Session| {
        while let Some(window) = session.window() {
            let bad = |event: &Value| {
                to.iter()
                    .any(|number| event["line"].as_str().unwrap().ends_with(&format!(": timber {number}")))
            };
            if window.events.iter().any(bad) {
                return session.reset();
            }
            session.ack(window.events.len() as u32);
        }
    })
}

fn sets_aside(bad: &'static [usize], count: usize) {
    let scene = Scene::with_lines(count);
    let receiver = allergic(bad);
    let params = Scene::params(receiver.port(), &json!({}));
    let ran = scene.run(&params);
    let journal = receiver.settled(SOON);
    assert_eq!(journal.refusals(), [""; 0]);
    assert_only_probes_come_again(&journal);
    let acknowledged = journal.acknowledged();
    assert_eq!(acknowledged.len(), count - bad.len(), "all others arrive: {ran:#?}");
    assert_eq!(ran.lines("acknowledged"), (count - bad.len()) as u64);
    assert_eq!(ran.lines("set_aside"), bad.len() as u64, "{ran:#?}");
    let said = format!("{}{}", ran.result, ran.log);
    for number in bad {
        // The entry's index, from 0, ends its id.
        let id = journal
            .events()
            .iter()
            .filter_map(|event| event["@metadata"]["_id"].as_str().map(str::to_owned))
            .find(|id| id.ends_with(&format!("-{}", number - 1)))
            .expect("it was sent");
        assert!(said.contains(&id), "{id} is not named in {said}");
    }
    let connections = journal.connections.len();
    // Two resets to suspect a window, and two for each half on the way down.
    assert!(connections <= 8 + 24 * bad.len(), "{connections} connections");
    let before = journal.events().len();
    scene.run(&params);
    assert_eq!(receiver.settled(SOON).events().len(), before, "what was set aside is not sent in each run");
}

sentences! {
    fn h27_an_event_that_resets_the_connection_is_set_aside_and_all_others_arrive() {
        sets_aside(&[13], 20);
    }

    fn h27_events_that_reset_the_connection_are_each_set_aside() {
        sets_aside(&[1, 64], 64);
    }

    fn an_activations_own_event_that_resets_the_connection_is_named_by_its_own_id() {
        let scene = Scene::with_lines(3);
        let receiver = Scripted::start(|session: &mut Session| {
            while let Some(window) = session.window() {
                if window.events.iter().any(|event| event["event"]["dataset"] == "openwhisk.activation") {
                    return session.reset();
                }
                session.ack(window.events.len() as u32);
            }
        });
        let mut params = Scene::params(receiver.port(), &json!({}));
        params["events"] = json!({"shape": "ecs", "activations": true});
        let ran = scene.run(&params);
        assert_eq!((ran.lines("acknowledged"), ran.lines("set_aside")), (3, 1), "{ran:#?}");
        let said = format!("{}{}", ran.result, ran.log);
        assert!(said.contains("1 event set aside") && said.contains("-activation"), "{said}");
    }

    fn h28_a_receiver_that_resets_everything_is_given_up_and_nothing_is_set_aside() {
        let scene = Scene::with_lines(64);
        let receiver = Scripted::start(|session| {
            session.window();
            session.reset();
        });
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        ran.assert_failed(&[]);
        assert_eq!((ran.lines("acknowledged"), ran.lines("unacknowledged")), (0, 64));
        assert_eq!(ran.result["lines"]["set_aside"].as_u64().unwrap_or(0), 0, "{ran:#?}");
        let connections = receiver.settled(SOON).connections.len();
        assert!((2..=30).contains(&connections), "{connections} connections");
        let good = Scripted::good();
        scene.run(&Scene::params(good.port(), &json!({}))).assert_complete();
        scene.assert_all_arrived(&[&receiver, &good]);
    }

    fn h29_no_window_is_larger_than_receivers_take() {
        let scene = Scene::with_lines(12_000);
        let receiver = Scripted::good();
        let ran = scene.run(&Scene::params(receiver.port(), &json!({"timeout": "20s"})));
        assert_eq!(ran.assert_complete().lines("sent"), 12_000);
        scene.assert_all_arrived(&[&receiver]);
        let largest = receiver.journal().windows().map(|window| window.events.len()).max();
        assert!(largest <= Some(2048), "{largest:?} events by default");
    }

    fn h29_more_than_receivers_take_is_refused_by_the_configuration() {
        let scene = Scene::with_lines(1);
        let receiver = Scripted::good();
        let output = scene.refused(&Scene::params(receiver.port(), &json!({"bulk_max_size": 10_001})));
        assert!(output.contains("logstash.bulk_max_size") && output.contains("10001"), "{output}");
        assert!(receiver.journal().connections.is_empty());
    }

    fn h29_small_windows_that_are_refused_are_cut_until_they_are_taken() {
        let scene = Scene::with_lines(3);
        let rules = Rules { no_small_windows: true, ..Rules::default() };
        let options = ScriptedOptions { rules, ..ScriptedOptions::default() };
        let receiver = Scripted::with(options, Session::serve);
        let ran = scene.run(&Scene::params(receiver.port(), &json!({})));
        assert_eq!(ran.assert_complete().lines("acknowledged"), 3);
        let warnings = ran.result["warnings"].to_string();
        assert!(warnings.contains("Set `logstash.protocol` to 1, or let Logstash listen with"), "{warnings}");
        let journal = receiver.settled(SOON);
        let mut texts: Vec<String> = (1..=journal.connections.len()).flat_map(|at| journal.texts(at)).collect();
        texts.sort();
        // One of them may have been the probe too.
        texts.dedup();
        assert_eq!(texts, lines(1..=3));
    }
}
