//! The container itself (`--docker`): it answers the invoker's requests over HTTP (docs/facts/openwhisk.md 3.1).
//!
//! | request | answer |
//! |---|---|
//! | `POST /init`, the first | 200; its `env` is the environment from now on |
//! | `POST /init` again | 403 |
//! | `POST /run` | 200 with the result, even if it has the key `error`; one run at a time |
//! | anything else, or a body that is not JSON | a status of 400 or above, with an object that has the key `error` |
//!
//! If a run is stuck, the invoker gets the answer of a failed run, on a connection that then ends; a new process takes over the port and
//! the environment.
//!
//! Answers have a Content-Length. The program marks the end of logs on stdout and stderr after each run, before its answer, and after an
//! `/init` that failed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Notify};

use super::{activation, successor};
use crate::os_error;
use crate::run::{RunContext, Runner, Stuck, runtime};
use crate::said;

/// The port at which the invoker expects a container.
pub const PORT: u16 = 8080;

/// How the platform finds the end of a run's logs.
const END_OF_LOGS: &[u8] = b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n";

/// Largest body: the code of an action may have 48 MiB, and comes as base64. Parameters are 1 MiB at most, unless an operator allows more.
const LARGEST: usize = 64 << 20;

const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// So long the answer of a run that is stuck may take to leave.
const LAST_ANSWER: Duration = Duration::from_millis(500);

/// The variable of a process that takes the place of another, whose port is its stdin and whose environment from `/init` is its own.
const SUCCESSOR: &str = "__WHISKJACK_SUCCESSOR";

/// Serves the platform on a port until the process is told to end. If a run is stuck, a new process takes the place of this one.
pub fn run(runner: Runner, port: u16) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        // Whoever is told where it listens may end it at once.
        let told = told_to_end().context("cannot listen for signals")?;
        let (listener, environment) = match handed_over(&super::environment) {
            Some(listener) => {
                (listener.context("cannot listen where the last process did")?, Some(HashMap::new()))
            }
            None => {
                let deaf = |error| anyhow::anyhow!("--port {port}: {}", os_error::deaf(&error));
                (listen(port).await.map_err(deaf)?, None)
            }
        };
        if port == 0 && environment.is_none() {
            said::to_stderr(format_args!("whiskjack: listening on port {}", listener.local_addr()?.port()));
        }
        let run = move |params, context| {
            let runner = runner.clone();
            async move {
                let result = tokio::task::spawn_blocking(move || runner.run(params, context));
                result.await.unwrap_or(Err(Stuck)).map(|result| result.object)
            }
        };
        tokio::select! {
            handover = serve(listener, environment, run) => Err(handover?.hand_over())
                .context("the program cannot start again after a run that was stopped"),
            () = told => Ok(()),
        }
    });
    runtime.shutdown_background();
    served
}

/// Listens on all addresses, of IPv6 too where there is such a thing. Port 0 means any.
async fn listen(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await,
    }
}

/// Serves the platform until a run is stuck. `environment` is what `/init` gave to a process before this one. `run` answers an activation.
async fn serve<R, F>(
    listener: TcpListener,
    environment: Option<HashMap<String, String>>,
    run: R,
) -> io::Result<Handover>
where
    R: Fn(Value, RunContext) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Map<String, Value>, Stuck>> + Send + 'static,
{
    let container = Arc::new(Container {
        run,
        mark: mark_end_of_logs,
        init: Mutex::new(environment),
        stuck: Notify::new(),
        answered: Notify::new(),
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = container.stuck.notified() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Of one connection, which is gone already; or there are too many, and another must end first.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        tokio::spawn(container.clone().serve_connection(stream));
    }
    // The platform may have hung up.
    tokio::time::timeout(LAST_ANSWER, container.answered.notified()).await.ok();
    let environment = container.init.lock().await.take().unwrap_or_default();
    Ok(Handover { listener: listener.into_std()?, environment })
}

/// What the next process needs to go on in the place of this one.
#[derive(Debug)]
struct Handover {
    listener: std::net::TcpListener,
    environment: HashMap<String, String>,
}

impl Handover {
    /// Starts the next process. Returns only if that fails.
    fn hand_over(self) -> io::Error {
        successor::replace(|command| {
            // No other variable could be looked up.
            let fit = self.environment.into_iter().filter(|(name, value)| {
                !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
            });
            // Connections that come meanwhile wait there.
            command.envs(fit).env(SUCCESSOR, "1").stdin(OwnedFd::from(self.listener));
        })
    }
}

/// The port of the process before this one, if there was one: as stdin, the only place that safe code can take a descriptor from.
fn handed_over(environment: &dyn Fn(&str) -> Option<String>) -> Option<io::Result<TcpListener>> {
    environment(SUCCESSOR)?;
    let listener = io::stdin().as_fd().try_clone_to_owned().map(std::net::TcpListener::from);
    Some(listener.and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }))
}

/// Ends when the process is told to. The first process of a container has no handler but its own: without one, the signal is lost.
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

fn mark_end_of_logs() {
    // Whoever reads them is gone if this fails.
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    stdout.write_all(END_OF_LOGS).and_then(|()| stdout.flush()).ok();
    stderr.write_all(END_OF_LOGS).ok();
}

/// What is known between two requests.
struct Container<R> {
    run: R,
    mark: fn(),
    /// The environment that `/init` gave, once it did. Locked for as long as a request takes.
    init: Mutex<Option<HashMap<String, String>>>,
    /// A run is stuck: nothing more is served.
    stuck: Notify,
    /// Its answer has left.
    answered: Notify,
}

/// Why a request gets no result.
struct Refused(StatusCode, String);

impl<R, F> Container<R>
where
    R: Fn(Value, RunContext) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Map<String, Value>, Stuck>> + Send + 'static,
{
    async fn serve_connection(self: Arc<Self>, stream: TcpStream) {
        let is_last = AtomicBool::new(false);
        let service = service_fn(|request| {
            // On a task of its own: when the platform hangs up, the run still saves what it did.
            let answer = tokio::spawn(self.clone().answer(request));
            let is_last = &is_last;
            async move {
                let answer = answer.await.unwrap_or_else(|_| lost());
                is_last.fetch_or(answer.headers().contains_key(CONNECTION), Ordering::Relaxed);
                Ok::<_, Infallible>(answer)
            }
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        if is_last.load(Ordering::Relaxed) {
            self.answered.notify_one();
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        match (request.method(), path.as_str()) {
            (&Method::POST, "/init") => self.init(request.into_body()).await,
            (&Method::POST, "/run") => self.run(request.into_body()).await,
            (_, "/init" | "/run") => {
                let mut answer =
                    refused(Refused(StatusCode::METHOD_NOT_ALLOWED, format!("{path} wants POST")));
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                answer
            }
            _ => refused(Refused(StatusCode::NOT_FOUND, "there are only /init and /run".to_owned())),
        }
    }

    async fn init(&self, body: Incoming) -> Response<Full<Bytes>> {
        let mut init = self.init.lock().await;
        let environment = match read(body).await {
            // The platform's own words: it looks for them.
            Ok(_) if init.is_some() => {
                Err(Refused(StatusCode::FORBIDDEN, "Cannot initialize the action more than once.".to_owned()))
            }
            Ok(body) => environment(&body),
            Err(refusal) => Err(refusal),
        };
        match environment {
            Ok(environment) => {
                *init = Some(environment);
                reply(StatusCode::OK, &json!({"ok": true}))
            }
            Err(refusal) => {
                (self.mark)();
                refused(refusal)
            }
        }
    }

    async fn run(&self, body: Incoming) -> Response<Full<Bytes>> {
        let init = self.init.lock().await;
        let answer = match (init.as_ref(), read(body).await) {
            (_, Err(refusal)) => refused(refusal),
            (None, Ok(_)) => refused(Refused(
                StatusCode::FORBIDDEN,
                "the action is not initialized; POST /init first".to_owned(),
            )),
            (Some(init), Ok(body)) => {
                let environment = |name: &str| init.get(name).cloned().or_else(|| super::environment(name));
                match activation::of_body(&body, &environment) {
                    Ok((params, context)) => match (self.run)(params, context).await {
                        Ok(result) => reply(StatusCode::OK, &Value::Object(result)),
                        Err(stuck) => self.last_reply(&stuck),
                    },
                    // To the platform a faulty call of ours is a failed activation, but no broken container.
                    Err(message) if is_object(&body) => {
                        reply(StatusCode::OK, &Value::Object(activation::failure(message)))
                    }
                    Err(message) => refused(Refused(StatusCode::BAD_REQUEST, message)),
                }
            }
        };
        (self.mark)();
        answer
    }

    /// The answer of a run that is stuck. Its connection ends, so that the next request comes by a new one.
    fn last_reply(&self, stuck: &Stuck) -> Response<Full<Bytes>> {
        let mut answer = reply(StatusCode::OK, &Value::Object(activation::failure(stuck.to_string())));
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        self.stuck.notify_one();
        answer
    }
}

fn is_object(body: &[u8]) -> bool {
    matches!(serde_json::from_slice(body), Ok(Value::Object(_)))
}

/// The variables of the body of `/init`. The platform sends texts; anything else is taken as it is written.
fn environment(body: &[u8]) -> Result<HashMap<String, String>, Refused> {
    let bad = |message: &str| Refused(StatusCode::BAD_REQUEST, message.to_owned());
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
        return Err(bad("the body of /init is not a JSON object"));
    };
    let mut value = match body.remove("value") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(value)) => value,
        Some(_) => return Err(bad("`value` of /init is not a JSON object")),
    };
    if value.get("code").and_then(Value::as_str).is_some_and(|code| !code.is_empty()) {
        return Err(bad(
            "this image is the forwarder itself and takes no code; create the action with --docker IMAGE alone",
        ));
    }
    let variables = match value.remove("env") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(_) => return Err(bad("`value.env` of /init is not a JSON object")),
    };
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let variables = variables.into_iter().map(|(name, value)| (name, text(value)));
    Ok(variables.filter(|(_, value)| !value.is_empty()).collect())
}

async fn read(body: Incoming) -> Result<Bytes, Refused> {
    let too_large =
        || Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {LARGEST} bytes"));
    // What is announced is believed: there is no need to read it all first.
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    match Limited::new(body, LARGEST).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Refused(StatusCode::BAD_REQUEST, "the body ended early".to_owned())),
    }
}

fn refused(Refused(status, message): Refused) -> Response<Full<Bytes>> {
    reply(status, &Value::Object(activation::failure(message)))
}

/// A run that ended without an answer: it cannot be known how far it came.
fn lost() -> Response<Full<Bytes>> {
    refused(Refused(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the run ended early; the next one goes on from there".to_owned(),
    ))
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
