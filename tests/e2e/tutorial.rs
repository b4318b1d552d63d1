//! The tutorial's commands, one after the other as a reader gives them, except those that build and those that start containers: with an
//! engine that has nothing in it, the API double, and go-lumber in the place of Logstash.

use crate::support::{SOON, Scene};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use whiskjack_testbed::{Receiver, ReceiverOptions, artifacts};

/// What is asked of the engine and of its dashboards: first lines.
type Journal = Arc<Mutex<Vec<String>>>;

/// An Elasticsearch and a Kibana with nothing in them, on one port. They live as long as the test.
fn engine() -> (SocketAddr, Journal) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let journal = Journal::default();
    let asked = Arc::clone(&journal);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let asked = Arc::clone(&asked);
            thread::spawn(move || serve(stream, &asked));
        }
    });
    (address, journal)
}

/// Answers on a connection until the client closes it.
fn serve(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.to_ascii_lowercase();
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let (status, body) = match first.split(' ').collect::<Vec<_>>()[..] {
            ["GET", "/", ..] => (200, json!({"version": {"number": "8.17.0"}})),
            ["GET", "/api/status", ..] => (200, json!({"name": "kibana"})),
            ["PUT", ..] => (200, json!({"acknowledged": true})),
            ["POST", ..] => (200, json!({"success": true, "successCount": 1})),
            _ => (404, json!({"status": 404})),
        };
        asked.lock().ok()?.push(first.trim_end().to_owned());
        let body = body.to_string();
        write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

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
    let (address, journal) = engine();
    let folder = tempfile::tempdir().unwrap();
    let configurations = blocks(&page, "yaml");
    let [config] = &configurations[..] else { panic!("one configuration") };
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();

    let mut outputs = Vec::new();
    for block in blocks(&page, "sh") {
        // The addresses of the reader's own things.
        let script = block
            .replace("http://localhost:9200", &format!("http://{address}"))
            .replace("http://localhost:5601", &format!("http://{address}"))
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
    assert!(journal.lock().unwrap().iter().any(|first| first.starts_with("POST /api/saved_objects/_import")));
    let result: Value = serde_json::from_str(run).unwrap();
    // All actions: lines, and a document of each activation.
    let lines = result["lines"]["acknowledged"].as_u64().unwrap();
    assert!(lines >= 30, "{result}");
    let events = receiver.wait_for_events(usize::try_from(lines).unwrap(), SOON);
    assert!(events.iter().all(|event| event.event["ecs"]["version"] == "8.11.0"));
    assert!(deploy.contains("whiskjack"), "{deploy}");
    assert!(scene.api.world().action("whiskjack").is_none(), "a dry run makes nothing");
}
