//! Networks from which only a proxy leads out: the built binary behind tinyproxy and microsocks, which alone know the names of API and
//! receiver.

use crate::support::{SOON, Scene, arrived};
use serde_json::{Value, json};
use whiskjack_testbed::{
    ActionLoop, ActionLoopOptions, Cli, OtherProxy, Output, ProxyOptions, Receiver, RunContext, action_zip,
    artifacts, zip_of,
};

/// The name of API and receiver in their certificate; who is not told does not know it.
const NAME: &str = "logs.test";
const HOSTS: &str = "127.0.0.1\tlogs.test\n";
const PASSWORD: &str = "hunter2";
const OPTIONS: ProxyOptions<'_> =
    ProxyOptions { user: Some(("me", PASSWORD)), hosts: Some(HOSTS), only_port: None };

/// An API and a receiver, both over TLS, and the two proxies.
struct World {
    scene: Scene,
    receiver: Receiver,
    http: OtherProxy,
    socks: OtherProxy,
}

impl World {
    fn new() -> Self {
        let scene = Scene::over_tls();
        scene.add_activations(2);
        let receiver = scene.receiver();
        let (http, socks) = (OtherProxy::tinyproxy(OPTIONS), OtherProxy::microsocks(OPTIONS));
        Self { scene, receiver, http, socks }
    }

    fn api(&self) -> String {
        format!("https://{NAME}:{}", self.scene.api.address().port())
    }

    fn url(&self, scheme: &str, user: &str) -> String {
        let proxy = if scheme == "http" { &self.http } else { &self.socks };
        format!("{scheme}://{user}{}", proxy.address())
    }

    /// Parameters for a receiver behind this proxy.
    fn params(&self, proxy: &str) -> Value {
        let mut params = self.scene.params(self.receiver.port());
        params["logstash"]["host"] = json!(NAME);
        params["logstash"]["proxy_url"] = json!(proxy);
        params["logstash"]["backoff"] = json!({"init": "10ms", "max": "10ms"});
        params["api"] = json!({"ca": self.scene.certificates.ca});
        params
    }

    /// A run of the command with these variables besides those that name the API.
    #[track_caller]
    fn run(&self, params: &Value, variables: &[(&str, &str)]) -> Output {
        let (api, key) = (self.api(), self.scene.api.key());
        let environment = [&[("__OW_API_HOST", api.as_str()), ("__OW_API_KEY", &key)], variables].concat();
        let output = Cli::run(params, None, &environment);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains("hunter"), "{said}");
        output
    }

    #[track_caller]
    fn assert_all_arrived(&self) {
        assert_eq!(arrived(&self.receiver.wait_for_events(12, SOON)), self.scene.lines());
    }
}

#[test]
fn api_and_receiver_are_reached_through_proxies_that_alone_know_their_names() {
    for (to_api, to_receiver) in [("http", "socks5"), ("socks5h", "http")] {
        let world = World::new();
        let (api, receiver) = (world.url(to_api, "me:hunter2@"), world.url(to_receiver, "me:hunter2@"));
        let output = world.run(&world.params(&receiver), &[("HTTPS_PROXY", &api)]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        world.assert_all_arrived();
        let port = if to_api == "http" { world.scene.api.address().port() } else { world.receiver.port() };
        assert!(world.http.log().contains(&format!("CONNECT {NAME}:{port}")), "{}", world.http.log());
    }
}

#[test]
fn the_configuration_names_the_proxy_to_the_api_before_the_environment_does() {
    let world = World::new();
    let mut params = world.params(&world.url("socks5", "me:hunter2@"));
    params["api"]["proxy_url"] = json!(world.url("http", "me:hunter2@"));
    let output = world.run(&params, &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    world.assert_all_arrived();
}

#[test]
fn an_action_goes_through_the_proxy_of_its_containers_environment() {
    let world = World::new();
    let (api, proxy) = (world.api(), world.url("socks5h", "me:hunter2@"));
    let container = ActionLoop::start(ActionLoopOptions::default());
    let environment = [("__OW_API_HOST", api.as_str()), ("ALL_PROXY", &proxy)];
    let (status, body) = container.init(&action_zip(&artifacts().whiskjack()), &environment);
    assert_eq!(status, 200, "{body}");
    let context = RunContext { api_key: Some(world.scene.api.key()), ..RunContext::default() };
    let (status, result) = container.run(&world.params(&world.url("http", "me:hunter2@")), &context);
    assert_eq!(status, 200, "{result}");
    assert_eq!(result["lines"]["acknowledged"], 12, "{result}");
    world.assert_all_arrived();
    let said = format!("{result}{}", container.log());
    assert!(!said.contains(PASSWORD), "{said}");
}

#[test]
fn deploying_goes_through_the_proxy_too() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let (api, key) = (world.api(), world.scene.api.key());
    let zip = folder.path().join("code.zip");
    std::fs::write(&zip, zip_of(&[("exec", b"#!/bin/sh\n")])).unwrap();
    let [config_file, zip_file] = [&config, &zip].map(|file| file.to_str().unwrap());
    let arguments = ["deploy", "--config", config_file, "--zip", zip_file, "--wait", "0s"];
    for (variable, in_config) in
        [("HTTPS_PROXY", None), ("UNRELATED", Some(world.url("socks5h", "me:hunter2@")))]
    {
        let mut params = world.params(&world.url("socks5", "me:hunter2@"));
        params["api"]["proxy_url"] = json!(in_config);
        std::fs::write(&config, params.to_string()).unwrap();
        let proxy = world.url("http", "me:hunter2@");
        let environment = [("__OW_API_HOST", api.as_str()), ("__OW_API_KEY", &key), (variable, &proxy)];
        let output = Cli::call(&arguments, &environment);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(!format!("{output:?}").contains(PASSWORD), "{output:?}");
    }
    assert!(world.scene.api.world().action("whiskjack").is_some());
}

#[test]
fn a_proxy_that_refuses_is_named_with_what_to_do_and_nothing_is_lost() {
    let world = World::new();
    let good = world.url("http", "me:hunter2@");
    let (wrong_api, none_api) = (world.url("http", "me:hunter3@"), world.url("socks5h", ""));
    let mistaken_api = format!("socks5h://me:hunter2@{}", world.http.address());
    for (api, part) in [
        (&wrong_api, "`HTTPS_PROXY`) does not accept user name and password; check both"),
        (&none_api, "`HTTPS_PROXY`) wants a user name and a password; give them before its host"),
        (&mistaken_api, "`HTTPS_PROXY`) speaks HTTP, not SOCKS 5; give it as http://127.0.0.1:"),
    ] {
        let output = world.run(&world.params(&good), &[("HTTPS_PROXY", api)]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.contains(part), "{output:?}");
    }
    let params = world.params(&world.url("socks5", "me:hunter3@"));
    let output = world.run(&params, &[("HTTPS_PROXY", &good)]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        output.stdout.contains("`logstash.proxy_url`) does not accept user name and password"),
        "{output:?}"
    );
    let output = world.run(&world.params(&world.url("socks5", "me:hunter2@")), &[("HTTPS_PROXY", &good)]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    world.assert_all_arrived();
}

#[test]
fn a_proxy_that_cannot_be_read_is_a_fault_before_anything_is_sent() {
    let world = World::new();
    let params = world.params("socks4://me:hunter2@proxy:1080");
    let output = world.run(&params, &[("https_proxy", "http://me:hunter2@proxy")]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for part in
        ["logstash.proxy_url: SOCKS is supported in version 5 only", "https_proxy: the port is missing"]
    {
        assert!(output.stdout.contains(part), "{part}: {output:?}");
    }
    // The variable is not the file's.
    assert!(
        output.stderr.lines().any(|line| line.starts_with("whiskjack: https_proxy: the port")),
        "{output:?}"
    );
    assert!(world.scene.api.requests().is_empty());
}

#[test]
fn what_no_proxy_lists_and_the_machine_itself_are_reached_without_a_proxy() {
    let world = World::new();
    let mut params = world.params("");
    params["logstash"]["host"] = json!("localhost");
    // Nobody listens there.
    let dead = [("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "other.org,.test")];
    let output = world.run(&params, &dead);
    assert!(output.stdout.contains("its name is not known"), "nobody but the proxy knows it: {output:?}");
    let local = format!("https://localhost:{}", world.scene.api.address().port());
    params["api"]["host"] = json!(local);
    let output = world.run(&params, &dead[..1]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    world.assert_all_arrived();
}
