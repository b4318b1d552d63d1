//! `whiskjack-command.wasm` in a stock `wasmtime`, between the API double and Elastic's Lumberjack server.

use crate::support::{ACTIONS, SOON, Scene, arrived, now_ms, refused_port};
use crate::world::{imports_and_exports, is_of_debian, of_any_host_and};
use openwhisk_double::{Activation, Fault, Matcher, Options, Tls};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::time::Duration;
use whiskjack_testbed::{Certificates, Output, Receiver, ReceiverOptions, Stock, artifacts};

/// What the command asks of its host beyond what any has.
const MORE_IMPORTS: &[&str] = &[
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:tls/types",
];

#[test]
fn the_command_imports_wasi_and_nothing_else() {
    let known = of_any_host_and(MORE_IMPORTS);
    let [imports, exports] = imports_and_exports(&artifacts().command());
    if is_of_debian() {
        assert!(imports.iter().all(|import| known.contains(&import.as_str())), "{imports:?}");
    } else {
        assert_eq!(imports, known);
    }
    assert_eq!(exports, ["wasi:cli/run@0.2.12"]);
}

#[test]
fn every_line_arrives_once_and_a_second_run_sends_only_what_is_new() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    scene.add_activations(10);
    let params = plain("localhost", receiver.port());

    let first = run(&scene, &stock, &params);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert_eq!(result(&first)["lines"]["acknowledged"], 60);
    scene.api.world().add(Activation::new(ACTIONS[0]).stdout("one more"));
    let second = run(&scene, &stock, &params);
    assert_eq!(result(&second)["lines"]["acknowledged"], 1, "{second:?}");
    assert_eq!(arrived(&receiver.wait_for_events(61, SOON)), scene.lines());
    let files: Vec<_> =
        std::fs::read_dir(stock.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "configuration and checkpoint, and nothing else: {files:?}");
}

#[test]
fn the_configuration_may_come_from_the_environment_and_the_checkpoint_stay_with_the_platform() {
    let (scene, receiver) = (Scene::new(), plain_receiver());
    scene.add_activations(2);
    let mut env = scene.environment();
    env.push(("WHISKJACK_CONFIG", plain("localhost", receiver.port()).to_string()));
    let once = || checked(&scene, Stock::run_with(&["-S", Stock::GRANTS], &["run"], &env));
    assert_eq!(result(&once())["lines"]["acknowledged"], 12);
    assert_eq!(result(&once())["lines"]["read"], 0);
    let package = scene.api.world().package("whiskjack.cli").expect("the package of the command");
    assert!(package.to_string().contains("whiskjack-checkpoint"), "{package}");
}

#[test]
fn what_went_wrong_is_in_the_result_and_in_the_exit_code_and_the_next_run_delivers() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    scene.add_activations(3);
    let refused = run(&scene, &stock, &plain("127.0.0.1", refused_port()));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(error(&refused).contains("connection refused"), "{refused:?}");

    let mended = run(&scene, &stock, &plain("127.0.0.1", receiver.port()));
    assert_eq!(mended.status.code(), Some(0), "{mended:?}");
    assert_eq!(arrived(&receiver.wait_for_events(18, SOON)), scene.lines());
}

#[test]
fn an_answer_that_breaks_off_is_reported_with_how_far_it_came() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    scene.add_activations(3);
    scene.api.fail_always(Matcher::list(), Fault::truncate_after(100));
    let output = run(&scene, &stock, &plain("127.0.0.1", receiver.port()));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = "broke off in the middle of an answer: it ended after 100 bytes";
    assert!(error(&output).contains(said), "{output:?}");
}

#[test]
fn faults_of_all_parts_are_listed_at_once_and_nothing_is_asked() {
    let (scene, stock) = (Scene::new(), Stock::new());
    let params = json!({
        "actoins": ["a"],
        "logstash": {"port": 0, "ca": "hidden", "cert": "hidden", "key": "hidden", "rejectUnauthorized": false},
        "api": {"rejectUnauthorized": false},
    });
    let output = run(&scene, &stock, &params);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for expected in [
        "actoins: there is no such key; did you mean `actions`?",
        "logstash.port: give a port from 1 to 65535 (it is 0)",
        "logstash.ca: cannot be honoured: a stock wasmtime trusts public certificate authorities only",
        "logstash.cert: cannot be honoured",
        "logstash.key: cannot be honoured",
        "logstash.rejectUnauthorized: cannot be honoured",
        "api.rejectUnauthorized: cannot be honoured",
    ] {
        let count =
            output.stderr.lines().filter(|line| line.contains(&format!(", line 1: {expected}"))).count();
        assert_eq!(count, 1, "{expected} in:\n{}", output.stderr);
    }
    assert!(
        !format!("{output:?}").contains("hidden") && !output.stderr.contains("__OW_API_KEY"),
        "{output:?}"
    );
    assert!(scene.api.requests().is_empty());

    let without = stock.run(&plain("localhost", 5044), &[]);
    for flag in ["--env __OW_API_HOST", "--env __OW_API_KEY"] {
        assert!(error(&without).contains(flag), "{without:?}");
    }
}

#[test]
fn what_wasmtime_was_not_told_to_grant_is_named_with_its_flag() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    scene.add_activations(1);
    let granted = |grants: &str, host: &str| {
        checked(&scene, stock.run_granted(grants, &plain(host, receiver.port()), &scene.environment()))
    };
    let denied = granted("http,tls,allow-ip-name-lookup", "localhost");
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    assert!(error(&denied).contains("-S inherit-network"), "{denied:?}");
    let nameless = granted("http,tls,inherit-network", "localhost");
    assert!(error(&nameless).contains("-S allow-ip-name-lookup"), "{nameless:?}");
    // An address needs no lookup.
    let address = granted("http,tls,inherit-network", "127.0.0.1");
    assert_eq!(result(&address)["lines"]["acknowledged"], 6, "{address:?}");
}

#[test]
fn a_folder_that_wasmtime_does_not_show_is_named_with_its_flag() {
    let (scene, stock) = (Scene::new(), Stock::new());
    let config = stock.configure(&plain("localhost", 5044));
    let arguments = [OsStr::new("run"), OsStr::new("--config"), config.as_os_str()];
    let output = Stock::run_with(&["-S", Stock::GRANTS], &arguments, &scene.environment());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("--dir FOLDER"), "{output:?}");

    let flags =
        [OsStr::new("-S"), OsStr::new(Stock::GRANTS), OsStr::new("--dir"), stock.folder().as_os_str()];
    let arguments = [&arguments[..], &["--state", "/elsewhere/state.json"].map(OsStr::new)].concat();
    let output = Stock::run_with(&flags, &arguments, &scene.environment());
    assert!(
        error(&output).contains("--state /elsewhere/state.json") && error(&output).contains("--dir FOLDER")
    );
}

#[test]
fn an_interface_that_wasmtime_was_not_told_to_offer_is_named_by_wasmtime_itself() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    let params = plain("127.0.0.1", receiver.port());
    for (grants, interface) in
        [("tls,inherit-network", "`wasi:http/types@"), ("http,inherit-network", "`wasi:tls/types@")]
    {
        let output = stock.run_granted(grants, &params, &scene.environment());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let sentence = format!("component imports instance {interface}");
        assert!(output.stderr.contains(&sentence), "{output:?}");
    }
}

#[test]
fn a_receiver_with_a_certificate_of_a_private_authority_is_refused_with_what_to_do() {
    let (scene, stock) = (Scene::new(), Stock::new());
    scene.add_activations(1);
    let receiver = scene.receiver();
    let params = json!({"actions": ACTIONS, "logstash": {"host": "localhost", "port": receiver.port()}});
    let output = run(&scene, &stock, &params);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for part in ["UnknownIssuer", "public certificate authorities only", "`whiskjack` binary", "stunnel"] {
        assert!(error(&output).contains(part), "{part}: {output:?}");
    }
    assert!(receiver.events().is_empty());

    let output = run(&scene, &stock, &plain("localhost", receiver.port()));
    assert!(error(&output).contains("take `logstash.tls` out of the configuration"), "{output:?}");
}

#[test]
fn an_api_with_a_certificate_of_a_private_authority_is_refused_too() {
    let certificates = Certificates::new();
    let tls = Some(Tls::new(&certificates.server_certificate, &certificates.server_key));
    let (scene, stock) = (Scene::with(Options { tls, ..Options::default() }), Stock::new());
    let output = run(&scene, &stock, &plain("localhost", 5044));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for part in ["TLS", "public certificate authorities only", "`whiskjack` binary"] {
        assert!(error(&output).contains(part), "{part}: {output:?}");
    }
}

#[test]
fn tls_to_a_receiver_that_does_not_speak_it_ends_in_time_and_says_so() {
    let (scene, stock, receiver) = (Scene::new(), Stock::new(), plain_receiver());
    scene.add_activations(1);
    let params = json!({"actions": ACTIONS, "logstash": {"host": "localhost", "port": receiver.port(), "timeout": "1s",
        "backoff": {"init": "10ms", "max": "20ms"}}});
    let output = run(&scene, &stock, &params);
    assert!(error(&output).contains("TLS"), "{output:?}");
}

#[test]
fn a_second_run_on_the_same_checkpoint_is_refused() {
    let (scene, stock) = (Scene::new(), Stock::new());
    let lease = stock.folder().join("state.json.lease");
    std::fs::write(&lease, format!("{} other\n", now_ms() + 60_000)).unwrap();
    let output = run(&scene, &stock, &plain("localhost", 5044));
    assert!(error(&output).contains("is in use by another run"), "{output:?}");
    assert!(lease.exists() && !stock.state().exists());
}

#[test]
fn the_checkpoint_is_saved_while_a_long_run_lasts() {
    let (scene, stock) = (Scene::new(), Stock::new());
    for number in 0..80 {
        let start = now_ms() - 60_000 + number * 100;
        scene
            .api
            .world()
            .add(Activation::new(ACTIONS[0]).start(start).stdout("five\nlines\nof\nan\nactivation"));
    }
    // Five lines at a time, each third of a second: half a minute for all.
    let ack_delay = Duration::from_millis(330);
    let receiver = Receiver::start(ReceiverOptions { ack_delay, ..ReceiverOptions::default() });
    let mut params = plain("127.0.0.1", receiver.port());
    params["logstash"]["bulk_max_size"] = json!(5);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| run(&scene, &stock, &params));
        while !stock.state().exists() {
            assert!(!run.is_finished(), "nothing was saved before the end: {:?}", run.join());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(receiver.events().len() < 400 && stock.folder().join("state.json.lease").exists());
        let output = run.join().unwrap();
        assert_eq!(result(&output)["lines"]["acknowledged"], 400, "{output:?}");
    });
    assert!(!stock.folder().join("state.json.lease").exists());
}

#[test]
fn the_page_about_hosts_has_the_flags_that_are_tested() {
    let page = include_str!("../../docs/hosts.md");
    assert!(page.contains(&format!("wasmtime run -S {}", Stock::GRANTS)));
}

fn run(scene: &Scene, stock: &Stock, params: &Value) -> Output {
    checked(scene, stock.run(params, &scene.environment()))
}

fn checked(scene: &Scene, output: Output) -> Output {
    assert!(!scene.shows_key(&output.stdout) && !scene.shows_key(&output.stderr), "{output:?}");
    output
}

fn result(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn error(output: &Output) -> String {
    result(output)["error"].as_str().unwrap_or_else(|| panic!("no error: {output:?}")).to_owned()
}

/// The parameters for a plain receiver.
fn plain(host: &str, port: u16) -> Value {
    json!({"actions": ACTIONS, "logstash": {"host": host, "port": port, "tls": false}})
}

fn plain_receiver() -> Receiver {
    Receiver::start(ReceiverOptions::default())
}
