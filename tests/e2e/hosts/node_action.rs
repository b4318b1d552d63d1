//! The action that `examples/node` makes, in the platform's runtime for Node.js.

use crate::support::{ACTIONS, Scene, now_ms};
use openwhisk_double::Activation;
use whiskjack_testbed::hosts::NodeRuntime;
use whiskjack_testbed::{RunContext, artifacts};

#[test]
fn the_action_for_node_is_small_and_keeps_its_checkpoint_on_the_platform() {
    let bytes = std::fs::metadata(artifacts().node_action()).unwrap().len();
    assert!(bytes < 1 << 20, "{bytes} bytes");
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let context = || RunContext { api_key: Some(scene.api.key()), ..RunContext::default() };
    let params = scene.params(receiver.port());
    let first = NodeRuntime::start(&scene.api.origin()).run(&params, &context());
    assert_eq!(first["lines"]["acknowledged"], 12, "{first}");
    scene.api.world().add(Activation::new(ACTIONS[0]).start(now_ms() - 10).duration(5).stdout("one more"));
    // In another container, which knows nothing of the first.
    let second = NodeRuntime::start(&scene.api.origin()).run(&params, &context());
    assert_eq!(second["lines"]["sent"], 1, "{second}");
    assert!(scene.api.world().package("whiskjack.whiskjack").is_some());
}

#[test]
fn the_action_for_node_without_a_key_says_how_to_get_one() {
    let scene = Scene::new();
    let result = NodeRuntime::start(&scene.api.origin()).run(&scene.params(1), &RunContext::default());
    assert!(result["error"].as_str().unwrap().contains("provide-api-key"), "{result}");
    assert!(scene.api.requests().is_empty());
}
