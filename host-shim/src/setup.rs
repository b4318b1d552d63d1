//! Templates, policies, pipelines and dashboards for a search engine: sent over its API, as often as anybody likes.
//!
//! `setup` asks for each thing first. A thing that is as it should be stays untouched, with all that the engine or people have added to it.

mod dashboards;
mod engine;
mod files;

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use self::engine::Engine;
use self::files::Thing;
use crate::doing::Doing;
use crate::http::{Api, Called, Pool, Way, basic};
use crate::origin::Origin;
use crate::params::ProxyVariables;
use crate::result;
use crate::secret::Secret;
use crate::tls::{Trust, pem};

/// The option that names the server of dashboards.
const DASHBOARDS: &str = "--kibana";

/// What to set up.
#[derive(Debug)]
pub struct Setup {
    /// Elasticsearch or OpenSearch.
    pub engine: Origin,
    /// Kibana or OpenSearch Dashboards.
    pub dashboards: Option<Origin>,
    /// For both.
    pub login: Option<Login>,
    /// Certificates to trust, PEM, instead of the public ones.
    pub ca: Option<String>,
    /// The environment's.
    pub proxies: ProxyVariables,
    /// Replace dashboards that are there.
    pub overwrite: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// Learns which step is at hand.
    pub doing: Doing,
}

/// How to log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// `id:key`, or that in base64, as Elasticsearch shows it.
    ApiKey(Secret),
    /// `name:password`.
    Basic(Secret),
}

/// The reason why a setup failed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An option that cannot be right; nothing was changed.
    #[error("{0}")]
    Misused(String),
    /// A step failed.
    #[error("{0}")]
    Failed(String),
}

impl Login {
    fn header(&self) -> Result<HeaderValue, SetupError> {
        let text = match self {
            Self::Basic(pair) => basic(pair),
            Self::ApiKey(key) if key.expose().contains(':') => basic(key).replacen("Basic", "ApiKey", 1),
            Self::ApiKey(key) => format!("ApiKey {}", key.expose()),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            SetupError::Misused(
                "the API key: has characters that no key has; give `id:key`, or it in base64".to_owned(),
            )
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn secrets(&self) -> Vec<Secret> {
        let (Self::ApiKey(text) | Self::Basic(text)) = self;
        let parts = text.expose().split_once(':');
        let parts = parts.into_iter().map(|(_, secret)| Secret::new(secret));
        let header = self.header().ok();
        let sent =
            header.iter().filter_map(|value| value.to_str().ok()).filter_map(|text| text.split_once(' '));
        let sent: Vec<Secret> = sent.map(|(_, encoded)| Secret::new(encoded)).collect();
        parts.chain([text.clone()]).chain(sent).collect()
    }
}

/// Sets up; `say` gets a line for people about each thing. Must be called on a tokio runtime.
pub async fn up(setup: &Setup, say: &mut dyn FnMut(&str)) -> Result<(), SetupError> {
    let secrets = setup.login.as_ref().map(Login::secrets).unwrap_or_default();
    let mut say = |line: &str| say(&result::without(line, &secrets));
    let done = all(setup, &mut say).await;
    done.map_err(|error| match error {
        SetupError::Misused(text) => SetupError::Misused(result::without(&text, &secrets)),
        SetupError::Failed(text) => SetupError::Failed(result::without(&text, &secrets)),
    })
}

async fn all(setup: &Setup, say: &mut dyn FnMut(&str)) -> Result<(), SetupError> {
    let server = Server::reach(setup, &setup.engine, "--elasticsearch")?;
    let dashboards = match &setup.dashboards {
        Some(origin) => Some(Server::reach(setup, origin, DASHBOARDS)?),
        None => None,
    };
    setup.doing.begin("the servers");
    let (engine, version) = Engine::of(&server).await?;
    // All that can be wrong with the arguments shows before anything is changed.
    if let Some(dashboards) = &dashboards {
        dashboards::find(dashboards).await?;
    }
    say(&format!("{engine} {version} at {}", setup.engine));
    for origin in [Some(&setup.engine), setup.dashboards.as_ref()].into_iter().flatten() {
        if setup.login.is_some() && origin.is_exposed() {
            say(&format!("{origin}: everybody on the way can read the login; use https"));
        }
    }
    let mut changed_template = false;
    let things = files::things(engine);
    let imports = dashboards.as_ref().map_or(0, |_| files::dashboards(engine).len());
    setup.doing.count(things.len() + 1 + imports);
    for thing in things {
        setup.doing.begin(format!("{} {}", thing.kind, thing.name));
        let outcome = put(&server, &thing, setup.dry_run).await?;
        changed_template |= thing.is_template() && outcome == Outcome::Changed;
        say(&format!("{} {}: {}", thing.kind, thing.name, outcome.said(setup.dry_run)));
    }
    setup.doing.begin("the data streams");
    if changed_template {
        for stream in engine::streams(&server).await? {
            say(&format!(
                "data stream {stream}: has the old fields until it begins a new index; let it do so with POST /{stream}/_rollover"
            ));
        }
    }
    match dashboards {
        Some(server) => dashboards::import(&server, engine, setup, say).await,
        None => Ok(()),
    }
}

/// A server, and the option that names it.
struct Server {
    api: Api,
    origin: Origin,
    option: &'static str,
    logs_in: bool,
}

/// Its answer.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl Server {
    fn reach(setup: &Setup, origin: &Origin, option: &'static str) -> Result<Self, SetupError> {
        let trust = match &setup.ca {
            None => Trust::Public,
            Some(text) => Trust::Only(pem::certificates(text).map_err(|_| {
                SetupError::Misused("--ca: has no certificate that can be read; give PEM".to_owned())
            })?),
        };
        let proxy = setup.proxies.to(origin).map_err(|fault| SetupError::Misused(fault.to_string()))?;
        let api = Api::new(&Pool::default(), &Way { trust, proxy }, Some(origin.clone()), None, None);
        let mut api = api.map_err(|error| SetupError::Failed(error.to_string()))?;
        if let Some(login) = &setup.login {
            api = api.with(AUTHORIZATION, login.header()?);
        }
        Ok(Self { api, origin: origin.clone(), option, logs_in: setup.login.is_some() })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, SetupError> {
        self.answer(&self.api, method, path, body.map(|body| body.to_string().into_bytes())).await
    }

    async fn answer(
        &self,
        api: &Api,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, SetupError> {
        let called = api.call(method, path, body.map(Into::into)).await;
        // There is no configuration here.
        let in_words = |error: String| error.replace("in `api.ca`", "into the file of `--ca`");
        let Called { status, body, .. } =
            called.map_err(|error| SetupError::Failed(format!("{} {}", self.option, in_words(error))))?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    fn failed(&self, what: &str) -> SetupError {
        SetupError::Failed(format!("{} {}: {what}", self.option, self.origin))
    }

    /// What it should be.
    fn program(&self) -> &'static str {
        match self.option {
            DASHBOARDS => "Kibana or OpenSearch Dashboards",
            _ => "Elasticsearch or OpenSearch",
        }
    }

    /// Why it would not.
    fn refusal(&self, what: &dyn fmt::Display, answer: &Answer) -> SetupError {
        let status = answer.status.as_u16();
        let error = answer.body.get("error").unwrap_or(&answer.body);
        let reason = error.get("reason").or(answer.body.get("message")).unwrap_or(error);
        let said = reason
            .as_str()
            .map_or_else(|| format!("HTTP {status}"), |text| format!("{text} (HTTP {status})"));
        let remedy = match status {
            401 if self.logs_in => "check the API key, or the user and the password",
            401 => "give an API key or a user with --api-key-file, or --user and --password-file",
            403 => "give a key or user that may manage templates, pipelines, policies and saved objects",
            300..=399 => "it leads elsewhere: give the address that it leads to",
            404 | 405 | 501 => {
                let program = self.program();
                return self.failed(&format!(
                    "{what}: {said}; check that this is the address of {program}, with its path"
                ));
            }
            408 | 429 | 500..=599 => "try again in a while",
            _ => "see the log of the server",
        };
        self.failed(&format!("{what}: {said}; {remedy}"))
    }
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Changed,
    Unchanged,
    /// It is there, and for people to fill.
    Left,
    /// The engine does not know such things.
    Unknown,
}

impl Outcome {
    fn said(self, dry_run: bool) -> &'static str {
        match (self, dry_run) {
            (Self::Created, false) => "created",
            (Self::Created, true) => "would be created",
            (Self::Changed, false) => "changed",
            (Self::Changed, true) => "would be changed",
            (Self::Unchanged, _) => "unchanged",
            (Self::Left, _) => "left as it is",
            (Self::Unknown, _) => {
                "left out: this engine does not have index state management; delete old indices in another way"
            }
        }
    }
}

/// Brings a thing there, unless it is there already.
async fn put(server: &Server, thing: &Thing, dry_run: bool) -> Result<Outcome, SetupError> {
    let found = server.ask(Method::GET, thing.path, None).await?;
    let mut path = thing.path.to_owned();
    let outcome = match found.status {
        StatusCode::NOT_FOUND => Outcome::Created,
        StatusCode::OK if thing.is_for_people => return Ok(Outcome::Left),
        StatusCode::OK => {
            let stored = found.body.pointer(thing.stored).unwrap_or(&Value::Null);
            if holds(stored, &thing.body) {
                return Ok(Outcome::Unchanged);
            }
            // Policies of OpenSearch are changed only by those who have seen the last change.
            let number = |name: &str| found.body.get(name).and_then(Value::as_u64);
            if let (Some(sequence), Some(term)) = (number("_seq_no"), number("_primary_term")) {
                path = format!("{path}?if_seq_no={sequence}&if_primary_term={term}");
            }
            Outcome::Changed
        }
        StatusCode::BAD_REQUEST if found.body.to_string().contains("no handler found") => {
            return Ok(Outcome::Unknown);
        }
        _ => return Err(server.refusal(&format!("{} {}", thing.kind, thing.name), &found)),
    };
    if !dry_run {
        let answer = server.ask(Method::PUT, &path, Some(&thing.body)).await?;
        if !answer.status.is_success() {
            return Err(server.refusal(&format!("{} {}", thing.kind, thing.name), &answer));
        }
    }
    Ok(outcome)
}

/// Whether all that is wanted is there, whatever else is. Engines store numbers and flags as texts.
fn holds(stored: &Value, wanted: &Value) -> bool {
    match (stored, wanted) {
        (Value::Object(stored), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| match stored.get(name) {
                Some(stored) => holds(stored, value),
                // What is empty is not shown.
                None => value.as_object().is_some_and(serde_json::Map::is_empty),
            })
        }
        (Value::Array(stored), Value::Array(wanted)) => {
            stored.len() == wanted.len()
                && stored.iter().zip(wanted).all(|(stored, wanted)| holds(stored, wanted))
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => false,
        (stored, wanted) => scalar(stored) == scalar(wanted),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
