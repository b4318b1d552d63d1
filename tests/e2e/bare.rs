//! The static binary needs no other file: every entry point runs in a root that holds only the binary, and forwards over TLS to a receiver
//! that it knows by name. The files for name lookup are added as Docker adds them.

use crate::support::{SOON, Scene, arrived};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use whiskjack_testbed::{
    ActionLoop, ActionLoopOptions, Container, DockerSkeleton, Jail, NameServer, Receiver, RunContext, zip_of,
};

/// The receiver's name, which the machine's own files and name servers do not know.
const NAME: &str = "logs.test";
/// What Docker writes into `/etc/hosts`, with one more name.
const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\tlogs.test\n";

/// An API over TLS with some lines, a receiver over TLS, and the parameters between them.
struct World {
    scene: Scene,
    receiver: Receiver,
    params: Value,
}

impl World {
    fn new() -> Self {
        let scene = Scene::over_tls();
        scene.add_activations(2);
        let receiver = scene.receiver();
        let mut params = scene.params(receiver.port());
        params["logstash"]["host"] = json!(NAME);
        // Names that nobody knows are tried again, too.
        params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
        params["api"] = json!({"ca": scene.certificates.ca});
        Self { scene, receiver, params }
    }

    /// The API by its address: where there is no `/etc/hosts`, nobody knows `localhost`.
    fn api_host(&self) -> String {
        format!("https://{}", self.scene.api.address())
    }

    fn context(&self) -> RunContext {
        RunContext { api_key: Some(self.scene.api.key()), ..RunContext::default() }
    }

    /// One run all by itself, as dockerskeleton starts it.
    fn run(&self, jail: &Jail) -> Value {
        let (program, arguments) = jail.command().split_first().unwrap();
        let output = Command::new(program)
            .args(arguments)
            .arg(self.params.to_string())
            .env_clear()
            .envs([("__OW_ACTIVATION_ID", "0".repeat(32)), ("__OW_API_HOST", self.api_host())])
            .envs([("__OW_API_KEY", self.scene.api.key()), ("__OW_NAMESPACE", self.scene.api.namespace())])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    fn assert_all_arrived(&self, result: &Value) {
        assert_eq!(result["lines"]["acknowledged"], 12, "{result}");
        assert_eq!(arrived(&self.receiver.wait_for_events(12, SOON)), self.scene.lines());
    }
}

/// A root with the binary and the addresses of names, and nothing else.
fn jail_with_hosts() -> Jail {
    let jail = Jail::new();
    jail.put("/etc/hosts", HOSTS);
    assert_eq!(jail.files(), [PathBuf::from("etc/hosts"), PathBuf::from("whiskjack")]);
    jail
}

#[test]
fn as_an_action_loop() {
    let (jail, world) = (jail_with_hosts(), World::new());
    let container =
        ActionLoop::start(ActionLoopOptions { wait_for_ack: true, ..ActionLoopOptions::default() });
    let zip = zip_of(&[("exec", jail.script().as_bytes())]);
    let (status, body) = container.init(&zip, &[("__OW_API_HOST", &world.api_host())]);
    assert_eq!(status, 200, "{body}\n{}", container.log());
    let (status, result) = container.run(&world.params, &world.context());
    assert_eq!(status, 200, "{result}");
    world.assert_all_arrived(&result);
}

#[test]
fn as_a_process_for_each_run() {
    let (jail, world) = (jail_with_hosts(), World::new());
    let container = DockerSkeleton::start(&[("__OW_API_HOST", &world.api_host())]);
    assert_eq!(container.init(&zip_of(&[("exec", jail.script().as_bytes())])).0, 200);
    // By stdin, too.
    let mut params = world.params.clone();
    params["payload"] = json!("x".repeat(200_000));
    let (status, result) = container.run(&params, &world.context());
    assert_eq!(status, 200, "{result}");
    world.assert_all_arrived(&result);
}

#[test]
fn as_the_container_itself() {
    let (jail, world) = (jail_with_hosts(), World::new());
    let container = Container::start(jail.command(), &[("__OW_API_HOST", &world.api_host())]);
    assert_eq!(container.init(&[]).0, 200);
    let (status, result) = container.run(&world.params, &world.context());
    assert_eq!(status, 200, "{result}");
    world.assert_all_arrived(&result);
}

#[test]
fn as_a_command() {
    let (jail, world) = (jail_with_hosts(), World::new());
    jail.put("/config.json", &world.params.to_string());
    let (program, arguments) = jail.command().split_first().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .args(["run", "--config", "/config.json", "--state", "/state.json"])
        .env_clear()
        .envs([("__OW_API_HOST", world.api_host()), ("__OW_API_KEY", world.scene.api.key())])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    world.assert_all_arrived(&serde_json::from_slice(&output.stdout).unwrap());
    assert!(jail.files().contains(&PathBuf::from("state.json")));
}

#[test]
fn as_the_image_of_the_dockerfile() {
    let dockerfile = include_str!("../../deploy/Dockerfile");
    let instruction = |name: &str| {
        let mut found = dockerfile.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let argument = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(found.next(), None, "one {name}");
        argument
    };
    assert_eq!(instruction("FROM"), "scratch");
    // What a root of this test holds, and where.
    assert_eq!(instruction("ARG"), "BINARY=whiskjack");
    assert_eq!(instruction("COPY"), "${BINARY} /whiskjack");
    assert_eq!(instruction("EXPOSE"), "8080");
    let entry_point: Vec<String> = serde_json::from_str(instruction("ENTRYPOINT")).unwrap();
    assert_eq!(entry_point, ["/whiskjack", "serve"]);

    let jail = Jail::new();
    let container = Container::start(&jail.command_as(instruction("USER")), &[]);
    assert_eq!(container.init(&[]).0, 200);
}

#[test]
fn a_name_server_is_asked_where_docker_has_put_one_in() {
    let (jail, world, names) = (Jail::new(), World::new(), NameServer::start(NAME));
    jail.put("/etc/resolv.conf", &names.resolv_conf());
    world.assert_all_arrived(&world.run(&jail));
    assert!(names.asked().iter().any(|name| name == NAME), "{:?}", names.asked());
}

#[test]
fn a_name_that_the_name_server_does_not_know_is_named() {
    let (jail, world, names) = (Jail::new(), World::new(), NameServer::start("another.test"));
    jail.put("/etc/resolv.conf", &names.resolv_conf());
    let result = world.run(&jail);
    let error = result["error"].as_str().unwrap();
    assert!(error.contains("logs.test cannot be resolved"), "{error}");
}

#[test]
fn without_any_file_addresses_serve_and_names_are_errors() {
    let (jail, mut world) = (Jail::new(), World::new());
    assert_eq!(jail.files(), [PathBuf::from("whiskjack")]);
    // The resolver then asks port 53 of the machine itself, for longer than this.
    world.params["logstash"]["timeout"] = json!("1s");
    world.params["logstash"]["host"] = json!("localhost");
    let result = world.run(&jail);
    let error = result["error"].as_str().unwrap();
    assert!(error.contains("localhost cannot be resolved"), "{error}");

    world.params["logstash"]["host"] = json!("127.0.0.1");
    world.assert_all_arrived(&world.run(&jail));
}
