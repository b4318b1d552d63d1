//! `whiskjack-command.wasm` in the `wasmtime` that everybody has, between the API double and Elastic's Lumberjack server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

mod support;

use openwhisk_double::Activation;
use serde_json::{Value, json};
use support::{ACTIONS, SOON, Scene, arrived, refused_port};
use whiskjack_testbed::{Output, Receiver, ReceiverOptions, Scripted, Stock, artifacts};
use wit_component::DecodedWasm;

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

/// The parameters for a plain receiver.
fn plain(host: &str, port: u16) -> Value {
    json!({"actions": ACTIONS, "logstash": {"host": host, "port": port, "tls": false}})
}

fn plain_receiver() -> Receiver {
    Receiver::start(ReceiverOptions::default())
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
