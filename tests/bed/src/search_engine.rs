//! An Elasticsearch and a Kibana with nothing in them, on one port. They answer `whiskjack setup`, and remember what it asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET` or another.
    pub method: String,
    /// With its parameters.
    pub path: String,
    /// Nothing if it had none, or none of JSON.
    pub body: Option<Value>,
}

/// Status and body of an answer.
type Answer = (u16, Value);

/// An answer to a method and a path; nothing for the usual one.
type Script = dyn Fn(&str, &str) -> Option<Answer> + Send + Sync;

/// The running double. It lives as long as the process.
#[derive(Debug)]
pub struct EmptyEngine {
    address: SocketAddr,
    journal: Arc<Mutex<Vec<Asked>>>,
}

impl EmptyEngine {
    /// Starts it. It takes all it is given, and finds nothing.
    pub fn start() -> Self {
        Self::answering(|_, _| None)
    }

    /// Starts one that has some answers of its own.
    pub fn answering(script: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let journal = Arc::default();
        let kept = Arc::clone(&journal);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (journal, script) = (Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || serve(stream, &*script, &journal));
            }
        });
        Self { address, journal }
    }

    /// Its address as a URL.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.journal.lock().expect("no thread panics").clone()
    }
}

/// Answers on a connection until the client closes it.
fn serve(mut stream: TcpStream, script: &Script, journal: &Mutex<Vec<Asked>>) -> Option<()> {
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
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut words = first.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let usual = || match (method, path) {
            ("GET", "/") => (200, json!({"version": {"number": "8.17.0"}})),
            ("GET", "/api/status") => (200, json!({"name": "kibana"})),
            ("PUT", _) => (200, json!({"acknowledged": true})),
            ("POST", _) => (200, json!({"success": true, "successCount": 1})),
            _ => (404, json!({"status": 404})),
        };
        let (status, answer) = script(method, path).unwrap_or_else(usual);
        let body = serde_json::from_slice(&body).ok();
        journal.lock().ok()?.push(Asked { method: method.to_owned(), path: path.to_owned(), body });
        let answer = answer.to_string();
        write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).ok()?;
    }
}
