//! A small HTTP client that hides nothing: one request per connection, errors as they come.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openwhisk_double::{Clock, Double, Options};
use serde_json::Value;

/// 2023-11-14T22:13:20Z
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A double whose clock stands at [`NOW`].
pub(crate) fn double() -> Double {
    Double::start(Options { clock: Clock::fixed(NOW), ..Options::default() })
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().expect("an error object").to_owned()
    }
}

pub(crate) fn authorization(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(key))
}

/// GET with the double's key, below `/api/v1/namespaces/`.
pub(crate) fn get(double: &Double, path: &str) -> Answer {
    ask(double, "GET", path, b"").unwrap()
}

/// The list as JSON, of the key's namespace.
pub(crate) fn list(double: &Double, query: &str) -> Value {
    let answer = get(double, &format!("_/activations?{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// One field of every row.
pub(crate) fn column(rows: &Value, field: &str) -> Vec<Value> {
    rows.as_array().expect("a list").iter().map(|row| row[field].clone()).collect()
}

/// Any method with the double's key, below `/api/v1/namespaces/`.
pub(crate) fn ask(double: &Double, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
    let authorization = authorization(&double.key());
    let path = format!("/api/v1/namespaces/{path}");
    raw(double, method, &path, &[("Authorization", &authorization)], body)
}

/// Exactly this request.
pub(crate) fn raw(
    double: &Double,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(double.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(&mut stream, method, path, headers, body)
}

/// One request over an open stream, which is read to its end.
pub(crate) fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: double\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(request.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

/// Reads one reply of a connection that stays open.
pub(crate) fn read_one(stream: &mut impl Read) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..read]);
        match parse(&bytes) {
            Err(error) if read > 0 && error.kind() == io::ErrorKind::UnexpectedEof => {}
            done => return done,
        }
    }
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let answer = Answer { status: status.ok_or_else(cut)?, headers, body: bytes[end + 4..].to_vec() };
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| answer.body.len() < length) {
        return Err(cut());
    }
    Ok(answer)
}
