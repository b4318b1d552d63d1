//! The ways OpenWhisk starts the forwarder, besides ActionLoop: a process for each run (`dockerskeleton`), and the container itself.

use crate::support::{SOON, Scene, arrived};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;
use whiskjack_testbed::{
    ActionLoop, ActionLoopOptions, Container, DockerSkeleton, RunContext, action_zip, artifacts, zip_of,
};

fn context(scene: &Scene) -> RunContext {
    RunContext { api_key: Some(scene.api.key()), ..RunContext::default() }
}

/// The action in a container of `dockerskeleton`.
fn skeleton(scene: &Scene) -> DockerSkeleton {
    let container = DockerSkeleton::start(&[("__OW_API_HOST", &scene.api.origin())]);
    let (status, body) = container.init(&action_zip(&artifacts().whiskjack()));
    assert_eq!(status, 200, "{body}");
    container
}

/// The action as its own container, initialized.
fn container(scene: &Scene) -> Container {
    let container =
        Container::start(&[artifacts().whiskjack().into()], &[("__OW_API_HOST", &scene.api.origin())]);
    // What the first activation leaves behind goes stale.
    let (status, body) = container.init(&[("__OW_API_KEY", "stale:key"), ("__OW_NAMESPACE", "guest")]);
    assert_eq!((status, body), (200, json!({"ok": true})));
    container
}

/// Two runs, of which the second sends what is new.
fn forwards_all_and_then_what_is_new(run: impl Fn(&Scene, &Value) -> (u16, Value), scene: &Scene) {
    scene.add_activations(10);
    let receiver = scene.receiver();
    let params = scene.params(receiver.port());
    let (status, result) = run(scene, &params);
    assert_eq!((status, &result["lines"]["acknowledged"]), (200, &json!(60)), "{result}");
    assert_eq!(result["error"], Value::Null);

    scene.add_activations(1);
    let (status, result) = run(scene, &params);
    assert_eq!((status, &result["lines"]["acknowledged"]), (200, &json!(6)), "{result}");
    assert_eq!(arrived(&receiver.wait_for_events(66, SOON)), scene.lines());
    assert_eq!(receiver.events().len(), 66, "nothing came twice");
}

#[test]
fn under_dockerskeleton_every_line_arrives_once() {
    let scene = Scene::new();
    let container = skeleton(&scene);
    forwards_all_and_then_what_is_new(|scene, params| container.run(params, &context(scene)), &scene);
    let log = container.log();
    assert_eq!(log.lines().count(), 2, "a line a run, and no result among them: {log}");
    assert!(!scene.shows_key(&log), "{log}");
}

#[test]
fn under_dockerskeleton_parameters_of_any_size_arrive() {
    let scene = Scene::new();
    let container = skeleton(&scene);
    let receiver = scene.receiver();
    // The last argument that fits, the first that does not, and more than the platform allows unless told otherwise.
    for size in [131_071, 131_072, 1 << 20, 3 << 20] {
        scene.add_activations(1);
        let mut params = scene.params(receiver.port());
        params["__ow_headers"] = json!("");
        // As Python writes it: with a space after each comma and colon, and other scripts escaped.
        let bare = python_json_length(&params);
        params["__ow_headers"] = json!("x".repeat(size - bare));
        assert_eq!(python_json_length(&params), size);
        let (status, result) = container.run(&params, &context(&scene));
        assert_eq!((status, &result["lines"]["acknowledged"]), (200, &json!(6)), "{size}: {result}");
    }
}

fn python_json_length(value: &Value) -> usize {
    let text = value.to_string();
    let script = "import json, sys; print(len(json.dumps(json.load(sys.stdin))))";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn under_dockerskeleton_a_failure_is_a_result_too() {
    let scene = Scene::new();
    let container = skeleton(&scene);
    for (params, part) in [
        (json!({}), "actions"),
        (json!([1, 2]), "the parameters are an array"),
        (json!({"actions": ["a"], "logstash": {"host": "localhost", "port": 1, "hoost": "sesame"}}), "hoost"),
    ] {
        let (status, result) = container.run(&params, &context(&scene));
        assert_eq!(status, 200, "{result}");
        assert!(result["error"].as_str().unwrap().contains(part), "{result}");
    }
    // In a new container: this proxy keeps the key of one run for the next.
    let (status, result) = skeleton(&scene).run(&scene.params(1), &RunContext::default());
    assert!(status == 200 && result["error"].as_str().unwrap().contains("provide-api-key"), "{result}");
}

/// What the binary does when it is started so, with nothing on stdin: status, stdout, stderr.
fn started(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = Command::new(artifacts().whiskjack())
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_activation_that_has_no_usable_parameters_ends_well_and_says_why_on_stdout_alone() {
    let activation = [("__OW_ACTIVATION_ID", "0123"), ("__OW_API_KEY", "u:sesame")];
    for (arguments, part) in [
        (&[][..], "stdin is empty"),
        (&["{\"logstash\": sesame"], "not JSON: the argument, line 1"),
        (&["[]"], "an array"),
    ] {
        let (status, stdout, stderr) = started(arguments, &activation);
        assert_eq!((status, stderr.as_str()), (Some(0), ""));
        let result: Value = serde_json::from_str(&stdout).unwrap();
        assert!(result["error"].as_str().unwrap().contains(part), "{result}");
        assert!(!stdout.contains("sesame"), "{stdout}");
    }
}

#[test]
fn what_is_neither_a_command_nor_an_activation_is_refused_with_what_to_do() {
    for (arguments, environment, part) in [
        (&[][..], &[][..], "nothing to do"),
        // An empty variable is none.
        (&[], &[("__OW_ACTIVATION_ID", "")], "nothing to do"),
        (&["{\"key\":\"sesame\"}"], &[("__OW_API_KEY", "u:k")], "__OW_ACTIVATION_ID"),
        (&["{\"key\":\"sesame\"}", "{}"], &[("__OW_ACTIVATION_ID", "0")], "the only one"),
        (&["forward"], &[("__OW_ACTIVATION_ID", "0")], "forward: no such command"),
    ] {
        let (status, stdout, stderr) = started(arguments, environment);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(part) && !stderr.contains("sesame"), "{stderr}");
    }
}

#[test]
fn an_action_loop_whose_environment_looks_like_an_activation_stays_one() {
    let scene = Scene::new();
    let receiver = scene.receiver();
    let container = ActionLoop::start(ActionLoopOptions::default());
    // As since 2020: the first activation's context is in the environment.
    let environment = [
        ("__OW_API_HOST", scene.api.origin()),
        ("__OW_ACTIVATION_ID", "0".repeat(32)),
        ("__OW_ACTION_NAME", "/guest/w".into()),
    ];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(container.init(&action_zip(&artifacts().whiskjack()), &environment).0, 200);
    scene.add_activations(1);
    assert_eq!(scene.run(&container, &scene.params(receiver.port()))["lines"]["acknowledged"], 6);
}

#[test]
fn as_a_container_every_line_arrives_once_and_each_run_has_its_own_key() {
    let scene = Scene::new();
    let container = container(&scene);
    forwards_all_and_then_what_is_new(|scene, params| container.run(params, &context(scene)), &scene);
    let [stdout, stderr] = container.logs();
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 2), "{stderr}");
    assert_eq!(container.ends(), [2, 2], "one for each run on each stream, and none for the successful init");
    assert!(!scene.shows_key(&stderr), "{stderr}");
}

#[test]
fn a_container_is_initialized_once_and_no_run_comes_before() {
    let scene = Scene::new();
    let container = Container::start(&[artifacts().whiskjack().into()], &[]);
    let (status, body) = container.run(&scene.params(1), &RunContext::default());
    assert_eq!((status, body), (403, json!({"error": "the action is not initialized; POST /init first"})));
    for (body, part) in [
        (json!([1]), "the body of /init is not a JSON object"),
        (json!({"value": 1}), "`value` of /init"),
        (json!({"value": {"env": []}}), "`value.env` of /init"),
        (json!({"value": {"code": "exports.main = 1", "binary": false}}), "takes no code"),
    ] {
        let (status, answer) = container.init_with(&body);
        assert!(status == 400 && answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
    assert_eq!(container.init(&[]).0, 200, "what failed may be tried again");
    let (status, body) = container.init(&[]);
    assert_eq!((status, body), (403, json!({"error": "Cannot initialize the action more than once."})));
    assert_eq!(container.ends(), [6, 6], "each run and each failed init");
}

#[test]
fn a_container_answers_bad_requests_with_a_clear_error_and_goes_on() {
    let scene = Scene::new();
    let container = container(&scene);
    // To the platform parameters that cannot be used are a failed activation, a body that is none a broken call.
    let (status, body) = container.run_with(&json!({"value": [1]}));
    assert!(status == 200 && body["error"].as_str().unwrap().contains("an array"), "{body}");
    let (status, body) = container.run_with(&json!("no object"));
    assert!(status == 400 && body["error"].as_str().unwrap().contains("not a JSON object"), "{body}");
    for (request, answer) in [
        ("GET /run HTTP/1.1\r\nhost: c\r\nconnection: close\r\n\r\n", "HTTP/1.1 405 "),
        ("POST /stop HTTP/1.1\r\nhost: c\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 404 "),
        (
            "POST /run HTTP/1.1\r\nhost: c\r\nconnection: close\r\ncontent-length: 3\r\n\r\n{{{",
            "HTTP/1.1 400 ",
        ),
        (
            "POST /run HTTP/1.1\r\nhost: c\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n",
            "HTTP/1.1 413 ",
        ),
        ("no HTTP at all\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let text = asked(&container, request);
        assert!(text.starts_with(answer), "{request}: {text}");
        assert!(text.contains("\r\ncontent-length: "), "{text}");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let is_http = request.contains("HTTP/1.1");
        assert!(!is_http || serde_json::from_str::<Value>(body).unwrap()["error"].is_string(), "{text}");
    }
    let receiver = scene.receiver();
    scene.add_activations(1);
    assert_eq!(container.run(&scene.params(receiver.port()), &context(&scene)).1["lines"]["acknowledged"], 6);
}

/// The answer to a request, byte by byte.
fn asked(container: &Container, request: &str) -> String {
    let mut stream = TcpStream::connect(container.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_container_takes_large_parameters_and_one_run_at_a_time() {
    let scene = Scene::new();
    scene.add_activations(2);
    let receiver = scene.receiver();
    let container = container(&scene);
    let mut params = scene.params(receiver.port());
    params["payload"] = json!("x".repeat(3 << 20));
    scene.api.set_latency(Duration::from_millis(100));
    // Without turns, the second would find the first one's lease and end without having read anything.
    let results = std::thread::scope(|scope| {
        let runs = [(), ()].map(|()| scope.spawn(|| container.run(&params, &context(&scene)).1));
        runs.map(|run| run.join().unwrap())
    });
    assert!(
        results.iter().all(|result| result["skipped"].is_null() && result["error"].is_null()),
        "{results:?}"
    );
    assert_eq!(arrived(&receiver.wait_for_events(12, SOON)), scene.lines());
}

#[test]
fn a_run_goes_on_when_the_platform_has_hung_up() {
    let scene = Scene::new();
    scene.add_activations(5);
    let receiver = scene.receiver();
    let container = container(&scene);
    scene.api.set_latency(Duration::from_millis(50));
    let body = json!({"value": scene.params(receiver.port()), "api_key": scene.api.key()}).to_string();
    let mut stream = TcpStream::connect(container.address()).unwrap();
    write!(stream, "POST /run HTTP/1.1\r\nhost: c\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    assert!(scene.api.wait_until(SOON, |requests| !requests.is_empty()));
    drop(stream);
    assert_eq!(arrived(&receiver.wait_for_events(30, SOON)), scene.lines());
}

#[test]
fn a_container_ends_when_it_is_told_to() {
    let mut container = Container::start(&[artifacts().whiskjack().into()], &[]);
    assert_eq!(container.stop(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken =
        std::net::TcpListener::bind("[::]:0").or_else(|_| std::net::TcpListener::bind("0.0.0.0:0")).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (status, _, stderr) = started(&["serve", "--port", &port], &[]);
    assert_eq!(status, Some(1));
    let told =
        format!("--port {port}: another program listens there; give another port, or end that program");
    assert!(stderr.contains(&told), "{stderr}");
}

#[test]
fn a_go_image_wants_its_own_text_in_the_zip() {
    let zip = |text: &[u8]| {
        zip_of(&[("exec", &std::fs::read(artifacts().whiskjack()).unwrap()), ("exec.env", text)])
    };
    let go = |text| {
        ActionLoop::start(ActionLoopOptions {
            wait_for_ack: true,
            execution_env: Some(text),
            ..ActionLoopOptions::default()
        })
    };
    assert_eq!(
        go("openwhisk/action-golang-v1.20").init(&zip(b"openwhisk/action-golang-v1.20\n"), &[]).0,
        200
    );
    // So one zip cannot serve two versions of Go.
    assert_eq!(
        go("openwhisk/action-golang-v1.22").init(&zip(b"openwhisk/action-golang-v1.20\n"), &[]).0,
        502
    );
}
