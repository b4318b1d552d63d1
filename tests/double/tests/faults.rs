//! Faults on request (checklist 26, 28).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use openwhisk_double::{Activation, Double, Fault, Matcher};
use support::{PATIENCE, ask, double, get, list};

fn with_text() -> Double {
    let double = double();
    double.world().add(Activation::new("hello").stdout(&"x".repeat(3_000)));
    double
}

fn failure(double: &Double) -> ErrorKind {
    ask(double, "GET", "_/activations?docs=true", b"").expect_err("a broken reply").kind()
}

#[test]
fn a_status_comes_once_with_the_body_of_its_sender() {
    let double = with_text();
    for (status, content_type) in [
        (429, "application/json"),
        (500, "application/json"),
        (502, "text/html"),
        (503, "text/html"),
        (504, "text/html"),
    ] {
        double.fail_next(Matcher::any(), Fault::status(status));
        let answer = get(&double, "_/activations");
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(content_type)));
        assert_eq!(answer.header("retry-after"), None);
        assert_eq!(get(&double, "_/activations").status, 200);
    }
}

#[test]
fn any_body_can_be_served() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::reply(200, "text/html", "<p>log in first</p>"));
    assert_eq!(get(&double, "_/activations").body, b"<p>log in first</p>");
    double.fail_next(Matcher::any(), Fault::reply(200, "application/json", "[{"));
    assert_eq!(get(&double, "_/activations").body, b"[{");
    double.fail_next(Matcher::any(), Fault::redirect(308, "https://localhost/"));
    let redirect = get(&double, "_/activations");
    assert_eq!((redirect.status, redirect.header("location")), (308, Some("https://localhost/")));
}

#[test]
fn connections_are_reset_or_closed_before_a_reply() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::reset());
    double.fail_next(Matcher::any(), Fault::close());
    assert_eq!(failure(&double), ErrorKind::ConnectionReset);
    assert_eq!(failure(&double), ErrorKind::UnexpectedEof);
    assert_eq!(double.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [None, None]);
    list(&double, "");
}

#[test]
fn bodies_break_off_where_they_are_told() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::truncate_after(100));
    assert_eq!(failure(&double), ErrorKind::UnexpectedEof);
    double.fail_next(Matcher::any(), Fault::reset_after(100));
    assert_eq!(failure(&double), ErrorKind::ConnectionReset);
}

#[test]
fn a_stalled_body_leaves_the_connection_open() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::stall_after(100));
    let mut stream = TcpStream::connect(double.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let key = support::authorization(&double.key());
    let path = "/api/v1/namespaces/_/activations?docs=true";
    write!(stream, "GET {path} HTTP/1.1\r\nHost: double\r\nAuthorization: {key}\r\n\r\n").unwrap();
    let mut text = Vec::new();
    let body = loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk).unwrap();
        assert_ne!(read, 0, "closed");
        text.extend_from_slice(&chunk[..read]);
        let end = text.windows(4).position(|window| window == b"\r\n\r\n");
        let body = end.map_or(0, |end| text.len() - end - 4);
        if body >= 100 {
            break body;
        }
    };
    assert_eq!(body, 100);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let silence = stream.read(&mut [0; 1]).unwrap_err().kind();
    assert!(matches!(silence, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence:?}");
}

#[test]
fn a_connection_may_close_after_a_reply_without_notice() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::close_after_reply());
    let mut stream = TcpStream::connect(double.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: double\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with('}'), "{text}");
    assert!(!text.to_lowercase().contains("connection: close"), "{text}");
}

#[test]
fn a_late_reply_is_the_true_one() {
    let double = with_text();
    double.fail_next(Matcher::any(), Fault::delay(Duration::from_millis(40)));
    let before = std::time::Instant::now();
    list(&double, "");
    assert!(before.elapsed() >= Duration::from_millis(40));
}

#[test]
fn connections_are_kept_alive() {
    let double = with_text();
    let mut stream = TcpStream::connect(double.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: double\r\n\r\n").unwrap();
    assert_eq!(support::read_one(&mut stream).unwrap().status, 200);
    let second = support::exchange(&mut stream, "GET", "/", &[], b"");
    assert!(second.is_ok(), "{second:?}");
    assert_eq!(double.requests().len(), 2);
}

#[test]
fn faults_can_be_limited_to_one_action_and_to_later_requests() {
    let double = with_text();
    double.fail_always(Matcher::list().param("name", "hello"), Fault::status(403));
    assert_eq!(get(&double, "_/activations?name=other").status, 200);
    assert_eq!(get(&double, "_/activations?name=hello").status, 403);
    assert_eq!(get(&double, "_/activations?name=hello&count=true").status, 200);
    double.clear_faults();
    double.fail_times(Matcher::any().after(2), 2, Fault::status(401));
    let statuses: Vec<u16> = (0..5).map(|_| get(&double, "_/activations?name=hello").status).collect();
    assert_eq!(statuses, [200, 200, 401, 401, 200]);
}

#[test]
fn a_length_that_is_too_short_ends_the_body_as_if_it_were_whole() {
    let double = with_text();
    double.fail_next(Matcher::list(), Fault::understate_length(100));
    let answer = get(&double, "_/activations?docs=true");
    assert_eq!((answer.status, answer.body.len(), answer.header("content-length")), (200, 100, Some("100")));
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
}

#[test]
fn connections_are_refused_and_idle_ones_end_until_it_listens_again() {
    let double = with_text();
    let mut idle = TcpStream::connect(double.address()).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(idle, "GET / HTTP/1.1\r\nHost: double\r\n\r\n").unwrap();
    assert_eq!(support::read_one(&mut idle).unwrap().status, 200);
    for _ in 0..3 {
        double.refuse_connections(true);
        assert_eq!(TcpStream::connect(double.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        double.refuse_connections(false);
        list(&double, "");
    }
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0, "it was closed");
}

#[test]
fn large_pages_can_fail_in_any_way_while_small_ones_succeed() {
    let double = with_text();
    double.world().add(Activation::new("hello").stdout(&"y".repeat(3_000)));
    double.fail_always(Matcher::list(), Fault::status(504).over(5_000));
    assert_eq!(get(&double, "_/activations?docs=true").status, 504);
    assert_eq!(get(&double, "_/activations?docs=true&limit=1").status, 200);
    double.clear_faults();
    double.fail_always(Matcher::list(), Fault::reset_after(100).over(5_000));
    assert_eq!(failure(&double), ErrorKind::ConnectionReset);
    assert_eq!(list(&double, "docs=true&limit=1").as_array().unwrap().len(), 1);
}
