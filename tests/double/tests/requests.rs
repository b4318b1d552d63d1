//! Routes, keys, headers and errors (checklist 1–6, 15, 29).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use openwhisk_double::{Activation, Double, Matcher, Options, RequestIds};
use serde_json::json;
use support::{PATIENCE, ask, authorization, double, get, raw};

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn with_hello() -> Double {
    let double = double();
    double.world().add(Activation::new("hello").id(ID).stdout("hi"));
    double
}

#[test]
fn list_record_logs_and_result_are_served_with_or_without_a_trailing_slash() {
    let double = with_hello();
    for path in ["_/activations", "_/activations/", "guest/activations"] {
        assert_eq!(get(&double, path).json()[0]["activationId"], ID, "{path}");
    }
    for path in [format!("_/activations/{ID}"), format!("_/activations/{ID}/")] {
        assert_eq!(get(&double, &path).json()["activationId"], ID, "{path}");
    }
    let logs = get(&double, &format!("_/activations/{ID}/logs")).json();
    assert_eq!(logs["logs"].as_array().unwrap().len(), 1);
    let result = get(&double, &format!("_/activations/{ID}/result")).json();
    assert_eq!(result["status"], "success");
    assert_eq!(get(&double, &format!("_/activations/{ID}/logs/")).status, 404);
    assert_eq!(get(&double, &format!("_/activations/{ID}/else")).status, 404);
}

#[test]
fn another_namespace_is_forbidden() {
    let double = with_hello();
    let answer = get(&double, "other/activations");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.error(), "The supplied authentication is not authorized to access 'other'.");
    let answer = get(&double, &format!("other/activations/{ID}"));
    assert_eq!(
        answer.error(),
        format!("The supplied authentication is not authorized to access 'other/{ID}'.")
    );
}

#[test]
fn namespaces_with_special_characters_are_reached_percent_encoded() {
    let double =
        Double::start(Options { namespace: "jane doe@example.com_R&D".into(), ..Options::default() });
    double.world().add(Activation::new("hello"));
    let answer = get(&double, "jane%20doe%40example.com_R%26D/activations");
    assert_eq!(answer.json()[0]["namespace"], "jane doe@example.com_R&D");
    assert_eq!(get(&double, "%2Fbad/activations").error(), "The namespace contains illegal characters.");
}

#[test]
fn each_key_sees_its_own_namespace_only() {
    let double = with_hello();
    let key = "11111111-1111-4222-8333-444444444444:another-invented-secret";
    double.world().add_namespace("neighbour", key);
    double.world().add(Activation::new("theirs").namespace("neighbour"));
    let answer = raw(
        &double,
        "GET",
        "/api/v1/namespaces/_/activations",
        &[("Authorization", &authorization(key))],
        b"",
    );
    let rows = answer.unwrap().json();
    assert_eq!(support::column(&rows, "name"), ["theirs"]);
    assert_eq!(support::column(&support::list(&double, ""), "name"), ["hello"]);
}

#[test]
fn missing_and_wrong_keys_get_different_texts_and_the_challenge() {
    let double = with_hello();
    let path = "/api/v1/namespaces/_/activations";
    let none = raw(&double, "GET", path, &[], b"").unwrap();
    assert_eq!(
        (none.status, none.error()),
        (401, "The resource requires authentication, which was not supplied with the request".to_owned())
    );
    let wrong = [
        authorization("00000000-1111-4222-8333-444444444444:guess"),
        authorization("nobody:guess"),
        "Basic ???".into(),
        "Bearer abc".into(),
        "Basic".into(),
    ];
    for header in wrong {
        let answer = raw(&double, "GET", path, &[("Authorization", &header)], b"").unwrap();
        assert_eq!(
            (answer.status, answer.error()),
            (401, "The supplied authentication is invalid".to_owned())
        );
        let challenge = "Basic realm=\"OpenWhisk secure realm\",charset=UTF-8";
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
    }
}

#[test]
fn a_replaced_key_is_refused() {
    let double = with_hello();
    let old = authorization(&double.key());
    double.replace_key("22222222-1111-4222-8333-444444444444:new-invented-secret");
    let path = "/api/v1/namespaces/_/activations";
    assert_eq!(raw(&double, "GET", path, &[("Authorization", &old)], b"").unwrap().status, 401);
    assert_eq!(get(&double, "_/activations").status, 200);
}

#[test]
fn errors_carry_the_request_id_as_their_code() {
    let double = with_hello();
    let ask = |double: &Double, id| {
        let key = authorization(&double.key());
        let headers = [("Authorization", &*key), ("X-Request-ID", id)];
        raw(double, "GET", "/api/v1/namespaces/other/activations", &headers, b"").unwrap()
    };
    let echoed = ask(&double, "mine");
    assert_eq!(echoed.header("x-request-id"), Some("mine"));
    assert_eq!(echoed.json()["code"], "mine");
    assert_ne!(ask(&double, "sid_mine").header("x-request-id"), Some("sid_mine"));

    let behind_nginx = Double::start(Options { request_ids: RequestIds::Overwrite, ..Options::default() });
    let answer = ask(&behind_nginx, "mine");
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(answer.json()["code"], id);
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
}

#[test]
fn other_methods_types_and_routes_are_refused_in_json() {
    let double = with_hello();
    let posted = ask(&double, "POST", "_/activations", b"").unwrap();
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET")));
    let key = authorization(&double.key());
    let headers = [("Authorization", &*key), ("Accept", "text/html")];
    let html = raw(&double, "GET", "/api/v1/namespaces/_/activations", &headers, b"").unwrap();
    assert_eq!(html.status, 406);
    assert!(html.error().starts_with("Resource representation is only available with these types:\n"));
    for path in ["/nowhere", "/api/v1/namespaces//activations"] {
        let lost = raw(&double, "GET", path, &[("Authorization", &key)], b"").unwrap();
        let bad_namespace = path.contains("//");
        assert_eq!(lost.status, if bad_namespace { 400 } else { 404 }, "{path}");
        assert_eq!(lost.header("content-type"), Some("application/json"));
        assert!(!lost.error().is_empty());
    }
}

#[test]
fn bad_ids_are_400_and_unknown_ones_404() {
    let double = with_hello();
    let error = |id: &str| {
        let answer = get(&double, &format!("_/activations/{id}"));
        (answer.status, answer.error())
    };
    assert_eq!(error("abc"), (400, "Activation id length is 3 but must be 32.".into()));
    let dashed = "0a1b2c3d-e5f60718293a4b5c6d7e8f9f";
    assert_eq!(error(&dashed[..32]), (400, "The activation id is not valid.".into()));
    assert_eq!(error(&ID.to_uppercase()), (400, "The activation id is not valid.".into()));
    assert_eq!(error(&ID.replace('0', "1")), (404, "The requested resource does not exist.".into()));
}

#[test]
fn limits_are_told_without_a_key_and_per_namespace() {
    let double = double();
    let info = raw(&double, "GET", "/", &[], b"").unwrap().json();
    assert_eq!(info["limits"]["max_action_duration"], 300_000);
    assert_eq!(info["limits"]["max_action_logs"], 10 << 20);
    assert_eq!(get(&double, "_/limits").json()["maxActionTimeout"], 300_000);
}

#[test]
fn requests_are_journalled_decoded_with_their_replies() {
    let double = with_hello();
    let answer = get(&double, "_/activations?name=shop%2Fsend%20mail&since=1&since=2&x=a+b");
    let requests = double.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((&*request.method, &*request.path), ("GET", "/api/v1/namespaces/_/activations"));
    assert_eq!(request.param("name"), Some("shop/send mail"));
    assert_eq!(request.param("x"), Some("a b"));
    assert_eq!(request.param("since"), Some("1"));
    assert_eq!(request.query.len(), 4);
    assert_eq!(request.header("authorization"), Some(&*authorization(&double.key())));
    assert_eq!((request.status, request.reply_bytes), (Some(200), answer.body.len()));
    double.forget_requests();
    assert!(double.requests().is_empty());
}

#[test]
fn parallel_requests_are_counted() {
    let double = with_hello();
    get(&double, "_/activations");
    get(&double, "_/activations");
    assert_eq!(double.max_parallel_requests(), 1);
    let hold = double.hold(Matcher::list());
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3).map(|_| scope.spawn(|| get(&double, "_/activations").status)).collect();
        assert!(double.wait_until(PATIENCE, |requests| requests.len() == 5));
        drop(hold);
        let answers: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        assert_eq!(answers, [200; 3]);
    });
    assert_eq!(double.max_parallel_requests(), 3);
    assert_eq!(json!(double.requests().len()), 5);
}
