//! The tutorial's commands, one after the other as a reader gives them, except those that build and those that start containers: with an
//! engine that has nothing in it, the API double, and go-lumber in the place of Logstash.

use crate::support::{SOON, Scene};
use serde_json::Value;
use std::process::Command;
use whiskjack_testbed::{EmptyEngine, Receiver, ReceiverOptions, artifacts};

/// The blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_commands_of_the_tutorial_do_what_it_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md")).unwrap();
    let scene = Scene::new();
    scene.add_activations(5);
    let receiver = Receiver::start(ReceiverOptions::default());
    let engine = EmptyEngine::start();
    let folder = tempfile::tempdir().unwrap();
    let configurations = blocks(&page, "yaml");
    let [config] = &configurations[..] else { panic!("one configuration") };
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();

    let mut outputs = Vec::new();
    for block in blocks(&page, "sh") {
        // The addresses of the reader's own things.
        let script = block
            .replace("http://localhost:9200", &engine.origin())
            .replace("http://localhost:5601", &engine.origin())
            .replace("https://openwhisk.example.com", &scene.api.origin())
            .replace("uuid:secret", &scene.api.key());
        let path = format!("{}:{}", artifacts().directory().display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-e", "-c", &script])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("LOGSTASH_HOST", "127.0.0.1")
            .env("LOGSTASH_PORT", receiver.port().to_string())
            .envs(scene.environment())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{script}\n{output:?}");
        outputs.push(String::from_utf8(output.stdout).unwrap());
    }

    let [setup, run, deploy] = &outputs[..] else { panic!("{outputs:?}") };
    assert!(setup.contains("index template whiskjack-streams: created"), "{setup}");
    assert!(engine.asked().iter().any(|asked| asked.path.starts_with("/api/saved_objects/_import")));
    let result: Value = serde_json::from_str(run).unwrap();
    // All actions: lines, and a document of each activation.
    let lines = result["lines"]["acknowledged"].as_u64().unwrap();
    assert!(lines >= 30, "{result}");
    let events = receiver.wait_for_events(usize::try_from(lines).unwrap(), SOON);
    assert!(events.iter().all(|event| event.event["ecs"]["version"] == "8.11.0"));
    assert!(deploy.contains("whiskjack"), "{deploy}");
    assert!(scene.api.world().action("whiskjack").is_none(), "a dry run makes nothing");
}
