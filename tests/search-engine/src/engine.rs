//! A real engine in a process of its own, and the requests to it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// How long it may take to start, on a machine that has other work too.
const READY_WITHIN: Duration = Duration::from_secs(300);
/// Its heap.
const HEAP: &str = "-Xmx2g";

/// A running engine. It ends with this value, or with this process.
pub(crate) struct Engine {
    child: Child,
    /// Open as long as it is to live.
    stdin: Option<ChildStdin>,
    /// Its data.
    folder: TempDir,
    url: String,
    agent: ureq::Agent,
}

impl Engine {
    /// Starts the Java program `source` with the libraries of `classpath`.
    pub(crate) fn start(classpath: &str, source: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["config", "data", "logs"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let mut child = Command::new("java")
            .args([HEAP, "-cp", classpath])
            .args([source, folder.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("stderr"))?)
            .spawn()
            .context("java does not start; JDK 17 or later is needed")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("its stdout is ours")?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut engine = Self { child, stdin, folder, url: String::new(), agent };
        let (announce, announced) = mpsc::channel();
        thread::spawn(move || {
            // What it says later does not matter, but must not fill the pipe.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = announce.send(line);
            }
        });
        let port = loop {
            match announced.recv_timeout(READY_WITHIN) {
                Ok(line) => match line.strip_prefix("ready ") {
                    Some(port) => break port.to_owned(),
                    None => continue,
                },
                Err(_) => bail!("the engine is not ready: {}", engine.told()),
            }
        };
        engine.url = format!("http://127.0.0.1:{port}");
        Ok(engine)
    }

    /// What it said on stderr.
    fn told(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Status and answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let body = body.map(ToString::to_string);
        self.send(method, path, "application/json", body.as_deref().unwrap_or_default().as_bytes())
    }

    /// The answer of a request that must succeed.
    pub(crate) fn must(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.ask(method, path, body)?;
        ensure!(status < 300, "{method} {path}: HTTP {status}: {answer}");
        Ok(answer)
    }

    /// The answer to actions and documents in turn, a line each.
    pub(crate) fn bulk(&self, lines: &[u8]) -> Result<Value> {
        let path = "/_bulk?filter_path=errors,items.*.status,items.*._id,items.*.error";
        let (status, answer) = self.send("POST", path, "application/x-ndjson", lines)?;
        ensure!(status < 300, "POST /_bulk: HTTP {status}: {answer}");
        Ok(answer)
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<(u16, Value)> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", kind)
            .body(body.to_vec())?;
        let mut response = self.agent.run(request)?;
        let text = response.body_mut().with_config().limit(512 << 20).read_to_string()?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Lets searches see all that was stored.
    pub(crate) fn refresh(&self) -> Result<()> {
        self.must("POST", "/_refresh", None).map(drop)
    }

    /// How many documents there are.
    pub(crate) fn count(&self, of: &str) -> Result<u64> {
        self.refresh()?;
        self.must("GET", &format!("/{of}/_count"), None)?["count"].as_u64().context("a count")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Nothing of it is kept.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
