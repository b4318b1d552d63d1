//! A scripted platform: it holds one package and the forwarder's own records, and reports the requests.

use super::{BEGIN, MINUTE};
use crate::checkpoint::{Checkpoint, Owed};
use crate::lumberjack::Counts;
use crate::ports::{Clock, Failure, Http, Method, Ports, Request, Response};
use crate::run::forward::{Outcome, Tally};
use crate::run::plan::{CheckpointKeeper, Context, OwnAction, Plan, PlanError, configure, plan};
use crate::run::report::{Report, conclude};
use crate::testing::{self, NoReceiver};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// A platform with one package, and the forwarder's own records.
pub(super) struct Platform {
    pub(super) now: Cell<u64>,
    pub(super) package: RefCell<Option<Value>>,
    /// Its name, as in a path; nothing for whatever is asked for.
    pub(super) named: RefCell<String>,
    /// What a GET of the package sees instead, once.
    pub(super) outdated: RefCell<Option<Option<Value>>>,
    /// What a request for a package is answered with instead, by its method.
    pub(super) foreign: RefCell<Option<(Method, u16, Value)>>,
    /// What a PUT is answered with; 200 is done.
    pub(super) put: Cell<u16>,
    /// How many PUTs meet one of somebody else, and fail for that.
    pub(super) conflicts: Cell<u32>,
    /// By how much a PUT counts the version up: more than one if what is before the API repeats it.
    pub(super) counts_up: Cell<u64>,
    /// How many requests are answered with status 503 from now on.
    pub(super) down: Cell<u32>,
    /// The next random number.
    pub(super) random: Cell<u64>,
    pub(super) list: Cell<u16>,
    /// How long a page of own records takes, in milliseconds.
    pub(super) page_takes: Cell<u64>,
    /// How many activations of the monitored action it counts, whatever the range.
    pub(super) counted: Cell<usize>,
    /// What `GET /` tells.
    pub(super) limits: RefCell<Value>,
    /// Newest first.
    pub(super) records: RefCell<Vec<Value>>,
    pub(super) requests: RefCell<Vec<String>>,
    /// What a list of actions shows, if the key may ask for it; and how often it was asked for, which is not among the requests.
    pub(super) actions: RefCell<Option<Value>>,
    pub(super) asked_for_actions: Cell<u32>,
}

impl Platform {
    pub(super) fn new() -> Self {
        Self {
            now: Cell::new(BEGIN),
            package: RefCell::default(),
            named: RefCell::default(),
            outdated: RefCell::default(),
            foreign: RefCell::default(),
            put: Cell::new(200),
            conflicts: Cell::new(0),
            counts_up: Cell::new(1),
            down: Cell::new(0),
            random: Cell::new(7),
            list: Cell::new(200),
            page_takes: Cell::new(0),
            counted: Cell::new(0),
            limits: RefCell::new(limits(300_000)),
            records: RefCell::default(),
            requests: RefCell::default(),
            actions: RefCell::default(),
            asked_for_actions: Cell::new(0),
        }
    }

    pub(super) fn plan(&self, params: &Value, activation: u32) -> Result<Plan, PlanError> {
        self.plan_as(params, Some(own(activation)), CheckpointKeeper::Platform)
    }

    pub(super) fn plan_as(
        &self,
        params: &Value,
        own: Option<OwnAction>,
        keeper: CheckpointKeeper,
    ) -> Result<Plan, PlanError> {
        let context = Context {
            api_host: Some("https://api".into()),
            authorized: true,
            own_action: own,
            deadline_ms: Some(self.now.get() + 5 * MINUTE),
            keeper,
            memory: None,
        };
        let (config, _) = configure(params.to_string().as_bytes(), &context).unwrap();
        plan(&config, &context, self.ports())
    }

    pub(super) fn ports(&self) -> Ports<'_> {
        Ports { clock: self, http: self, transport: &NoReceiver }
    }

    pub(super) fn conclude(&self, plan: &Plan, covered: &[Owed], last: bool) -> (Report, Value) {
        self.conclude_after(plan, covered, 0, last)
    }

    /// The same, where the receiver has acknowledged so many lines.
    pub(super) fn conclude_after(
        &self,
        plan: &Plan,
        covered: &[Owed],
        lines: u64,
        last: bool,
    ) -> (Report, Value) {
        let sending = Counts { acknowledged: lines, ..Counts::default() };
        let tally = Tally { lines, sending, ..Tally::default() };
        let outcome =
            |owed: &Owed| Outcome { source: "a".into(), covered: Some(*owed), tally, ..Outcome::default() };
        let outcomes: Vec<Outcome> = covered.iter().map(outcome).collect();
        let report = conclude(self.ports(), plan, &outcomes, last);
        let result = serde_json::from_slice(&report.result).unwrap();
        (report, result)
    }

    /// A whole run that does all its work, and its record.
    pub(super) fn run(&self, params: &Value, activation: u32) -> Value {
        let plan = self.plan(params, activation).unwrap();
        let work = plan.work.get("a").cloned().unwrap_or_default();
        let (_, result) = self.conclude(&plan, &work, true);
        self.records.borrow_mut().insert(0, record(self.now.get(), &result, json!([])));
        self.now.set(self.now.get() + MINUTE);
        result
    }

    pub(super) fn annotation(&self, key: &str) -> Option<Value> {
        let package = self.package.borrow();
        let found = package.as_ref()?["annotations"].as_array()?.iter().find(|pair| pair["key"] == key);
        found.map(|pair| pair["value"].clone())
    }

    /// Takes an annotation out.
    pub(super) fn forget(&self, key: &str) {
        let mut package = self.package.borrow_mut();
        package.as_mut().unwrap()["annotations"].as_array_mut().unwrap().retain(|pair| pair["key"] != key);
    }

    pub(super) fn stored(&self) -> Checkpoint {
        Checkpoint::decode(self.annotation("whiskjack-checkpoint").unwrap().to_string().as_bytes()).unwrap()
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        if request.target == "/" {
            self.requests.borrow_mut().push("GET /".into());
            return (200, self.limits.borrow().clone());
        }
        let target = request.target.strip_prefix("/api/v1/namespaces/_/").unwrap();
        if target.starts_with("actions?") {
            self.asked_for_actions.set(self.asked_for_actions.get() + 1);
            let refusal = (403, json!({"error": "no", "code": "x"}));
            return self.actions.borrow().clone().map_or(refusal, |actions| (200, actions));
        }
        let asked = if request.method == Method::Put { "PUT" } else { "GET" };
        self.requests.borrow_mut().push(format!("{asked} {target}"));
        let error = json!({"error": "no", "code": "x"});
        if let Some(left) = self.down.get().checked_sub(1) {
            self.down.set(left);
            return (503, error);
        }
        if !target.starts_with("packages/") {
            let own = target.starts_with("activations?name=fwd&");
            let records = if own { self.records.borrow().clone() } else { Vec::new() };
            let number = |key: &str| -> u64 {
                let value =
                    target.split(['?', '&']).find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
                value.unwrap_or("0").parse().unwrap()
            };
            let range = number("since")..=number("upto");
            let mut records: Vec<Value> = records;
            records.retain(|record| range.contains(&record["start"].as_u64().unwrap()));
            return match self.list.get() {
                200 if target.ends_with("count=true") => {
                    let count = if own { records.len() } else { self.counted.get() };
                    (200, json!({"activations": count}))
                }
                200 => {
                    let (skip, limit) = (number("skip") as usize, number("limit") as usize);
                    self.now.set(self.now.get() + self.page_takes.get());
                    (200, records.into_iter().skip(skip).take(limit).collect())
                }
                status => (status, error),
            };
        }
        if let Some((method, status, body)) = &*self.foreign.borrow()
            && *method == request.method
        {
            return (*status, body.clone());
        }
        let named = target.trim_start_matches("packages/").split('?').next().unwrap();
        if !self.named.borrow().is_empty() && *self.named.borrow() != named {
            return (404, error);
        }
        let mut package = self.package.borrow_mut();
        if request.method == Method::Get {
            let seen = self.outdated.take().unwrap_or_else(|| package.clone());
            return seen.map_or((404, error), |package| (200, package));
        }
        if self.put.get() != 200 {
            return (self.put.get(), error);
        }
        if let Some(left) = self.conflicts.get().checked_sub(1) {
            self.conflicts.set(left);
            return (409, error);
        }
        if package.is_some() && !target.ends_with("?overwrite=true") {
            return (409, error);
        }
        let mut written: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(written.as_object().unwrap().len(), 1, "what else a package holds is left out, and stays");
        let patch = package.as_ref().map_or(0, |old| {
            old["version"].as_str().unwrap().rsplit('.').next().unwrap().parse::<u64>().unwrap()
        });
        written["version"] = json!(format!("0.0.{}", patch + self.counts_up.get()));
        *package = Some(written.clone());
        (200, written)
    }
}

impl Clock for Platform {
    fn now_ms(&self) -> u64 {
        self.now.get()
    }
    fn sleep_ms(&self, ms: u64) {
        self.now.set(self.now.get() + ms);
    }
    fn random(&self) -> u64 {
        self.random.replace(self.random.get() + 1)
    }
}

impl Http for Platform {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let (status, json) = self.answer(request);
        Ok(testing::answer(status, json.to_string()))
    }
}

pub(super) fn limits(max_action_duration: u64) -> Value {
    json!({"description": "OpenWhisk", "limits": {"max_action_duration": max_action_duration, "max_action_logs": 10 << 20}})
}

fn own(activation: u32) -> OwnAction {
    OwnAction { name: "/guest/fwd".into(), activation: Some(format!("{activation:032x}")) }
}

pub(super) fn record(start: u64, result: &Value, logs: Value) -> Value {
    json!({"activationId": format!("{start:032x}"), "namespace": "guest", "name": "fwd", "start": start, "end": start,
        "annotations": [{"key": "path", "value": "guest/fwd"}], "logs": logs, "response": {"result": result}})
}

pub(super) fn marks(start: u64, lines: &[&str]) -> Value {
    let logs: Vec<String> =
        lines.iter().map(|line| format!("2023-11-14T22:13:20.01Z stdout: {line}")).collect();
    record(start, &json!({}), json!(logs))
}
