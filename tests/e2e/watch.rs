//! `whiskjack watch`: runs again and again between the API double and Elastic's Lumberjack server, while both go up and down.

use crate::support::{ACTIONS, SOON, Scene, arrived, refused_port};
use openwhisk_double::{Activation, Matcher};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};
use whiskjack_testbed::{Live, Receiver, ReceiverOptions};

/// Starts the command with this configuration; further options and variables besides.
fn watch(scene: &Scene, folder: &Path, params: &Value, options: &[&str], variables: &[(&str, &str)]) -> Live {
    let [config, state] = ["config.json", "state"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    std::fs::write(&config, params.to_string()).unwrap();
    let environment = scene.environment();
    let mut env: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.extend(variables);
    let common = ["watch", "--config", &config, "--state", &state, "--every", "1s"];
    Live::start(&[&common[..], options].concat(), &env)
}

fn results(stdout: &str) -> Vec<Value> {
    // The last line may be on its way.
    stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits for a run that ended so.
fn wait_for_run(live: &Live, is_it: impl Fn(&Value) -> bool) {
    let so_far = results(&live.stdout()).len();
    live.wait_for_stdout(SOON, |text| results(text).iter().skip(so_far).any(&is_it));
}

fn add(scene: &Scene, line: &str) {
    scene.api.world().add(Activation::new(ACTIONS[0]).stdout(line));
}

#[test]
fn lines_arrive_once_whatever_goes_down_and_comes_up_again_and_the_end_is_graceful() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let port = receiver.port();
    let mut params = scene.params(port);
    params["logstash"]["backoff"] = json!({"init": "10ms", "max": "20ms"});
    let folder = tempfile::tempdir().unwrap();
    let live = watch(&scene, folder.path(), &params, &[], &[]);
    add(&scene, "one");
    let mut events = receiver.wait_for_events(1, SOON);
    live.wait_for_stdout(SOON, |text| {
        results(text).iter().any(|result| result["lines"]["acknowledged"] == 1)
    });
    drop(receiver);
    add(&scene, "two");
    wait_for_run(&live, |result| !result["error"].is_null());
    let again = || {
        let listen = Some(([127, 0, 0, 1], port).into());
        Receiver::start(ReceiverOptions {
            tls: Some(scene.certificates.server_tls()),
            listen,
            ..ReceiverOptions::default()
        })
    };
    let receiver = again();
    events.extend(receiver.wait_for_events(1, SOON));
    scene.api.refuse_connections(true);
    wait_for_run(&live, |result| !result["error"].is_null());
    scene.api.refuse_connections(false);
    add(&scene, "three");
    receiver.wait_for_events(2, SOON);
    live.terminate();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    events.extend(receiver.events_after(1));
    assert_eq!(arrived(&events), scene.lines());
    assert_eq!(events.len(), 3, "nothing came twice");
    // What it has done is saved.
    let live = watch(&scene, folder.path(), &params, &[], &[]);
    live.wait_for_stdout(SOON, |text| results(text).iter().any(|result| result["lines"]["read"] == 0));
    live.interrupt();
    assert_eq!(live.ended().status.code(), Some(0));
}

#[test]
fn a_service_manager_and_prometheus_are_told_how_it_goes() {
    let scene = Scene::new();
    add(&scene, "one");
    let folder = tempfile::tempdir().unwrap();
    let notify = folder.path().join("notify");
    let manager = UnixDatagram::bind(&notify).unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let variables = [("NOTIFY_SOCKET", notify.to_str().unwrap()), ("WATCHDOG_USEC", "100000")];
    let mut params = scene.params(refused_port());
    params["logstash"]["backoff"] = json!({"init": "10ms", "max": "20ms"});
    let live = watch(&scene, folder.path(), &params, &["--metrics", "127.0.0.1:0"], &variables);
    let hear = |what: &str| {
        let mut bytes = [0; 4096];
        loop {
            let count = manager.recv(&mut bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
            if String::from_utf8_lossy(&bytes[..count]).contains(what) {
                break;
            }
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("STATUS=1 new activation, 0 lines acknowledged, 1 owed");
    let text = live.wait_for_stderr(SOON, |text| text.contains("/metrics"));
    let address = text.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let metrics = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = metrics();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\nwhiskjack_owed 1\n"), "{answer}");
    let value = |answer: &str, name: &str| -> f64 {
        let line = answer.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {answer}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value(&answer, "whiskjack_receiver_errors_total") >= 1.0, "{answer}");
    assert_eq!(value(&answer, "whiskjack_api_errors_total"), 0.0);
    live.terminate();
    hear("STOPPING=1");
    assert_eq!(live.ended().status.code(), Some(0));
}

/// The metrics that it serves, by their names.
fn metrics(live: &Live) -> impl Fn(&str) -> f64 + use<> {
    let text = live.wait_for_stderr(SOON, |text| text.contains("/metrics"));
    let address = text.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    move |name| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let line = answer.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {answer}")).rsplit(' ').next().unwrap().parse().unwrap()
    }
}

#[test]
fn with_a_key_that_is_refused_the_lag_grows_errors_are_counted_and_each_run_says_so() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let wrong = [("__OW_API_KEY", "00000000-0000-4000-8000-000000000000:not-the-key")];
    let params = scene.params(refused_port());
    let live = watch(&scene, folder.path(), &params, &["--metrics", "127.0.0.1:0"], &wrong);
    let value = metrics(&live);
    live.wait_for_stderr(SOON, |text| {
        text.matches("does not accept the API key from __OW_API_KEY").count() >= 2
    });
    assert!(value("whiskjack_api_errors_total") >= 2.0, "a 401 is an error of the API");
    assert!(value("whiskjack_lag_seconds") >= 1.0, "from the begin on");
    assert_eq!(value("whiskjack_last_run_timestamp_seconds"), 0.0);
    // It becomes valid after all.
    scene.api.replace_key(wrong[0].1);
    live.wait_for_stderr(SOON, |text| text.contains("the trouble is over; the last run went well"));
    live.terminate();
    assert_eq!(live.ended().status.code(), Some(0));
}

#[test]
fn with_an_api_that_is_dead_from_the_begin_the_lag_is_that_of_the_checkpoint() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let folder = tempfile::tempdir().unwrap();
    let params = scene.params(receiver.port());
    let first = watch(&scene, folder.path(), &params, &[], &[]);
    wait_for_run(&first, |result| result["checkpoint"] == "saved");
    first.terminate();
    assert_eq!(first.ended().status.code(), Some(0));
    let state = folder.path().join("state");
    let mut saved: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    for source in saved["sources"].as_object_mut().unwrap().values_mut() {
        source["through"] = json!(source["through"].as_u64().unwrap() - 3_600_000);
        source["origin"] = json!(source["origin"].as_u64().unwrap() - 7_200_000);
    }
    std::fs::write(&state, saved.to_string()).unwrap();
    scene.api.refuse_connections(true);
    let live = watch(&scene, folder.path(), &params, &["--metrics", "127.0.0.1:0"], &[]);
    let value = metrics(&live);
    wait_for_run(&live, |result| !result["error"].is_null());
    let told = live.wait_for_stderr(SOON, |text| text.contains("could not be asked"));
    assert!(value("whiskjack_lag_seconds") >= 3600.0 && value("whiskjack_lag_seconds") < 3700.0);
    assert!(value("whiskjack_api_errors_total") >= 1.0);
    wait_for_run(&live, |result| !result["error"].is_null());
    assert_eq!(live.stderr().matches("could not be asked").count(), 1, "told once: {told}");
    live.terminate();
    assert_eq!(live.ended().status.code(), Some(0));
}

#[test]
fn a_configuration_with_faults_ends_it_at_once() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let live = watch(&scene, folder.path(), &json!({"actions": [], "logstash": {"host": "h"}}), &[], &[]);
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("actions") && ended.stderr.contains("logstash.port"), "{ended:?}");
}

#[test]
fn at_a_second_signal_it_ends_at_once_with_0_though_the_api_never_answers() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let params = scene.params(refused_port());
    let _hold = scene.api.hold(Matcher::any());
    let live = watch(&scene, folder.path(), &params, &[], &[]);
    assert!(scene.api.wait_until(SOON, |requests| !requests.is_empty()));
    let told = Instant::now();
    // Two kinds, as two of one kind may count as one.
    live.terminate();
    live.interrupt();
    let ended = live.ended();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}
