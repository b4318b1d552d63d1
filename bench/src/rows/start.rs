//! B1: how soon after its start the first request reaches the API.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use openwhisk_double::{Double, Matcher, Options};
use serde_json::{Value, json};

use super::Effort;
use crate::node;
use crate::product::{self, Action, config, now_ms};
use crate::report::{Row, Sense};
use crate::summary::Summary;

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "From before the process is made until its first request is in the API double, over plain HTTP on the loopback interface; the goals \
         are about `whiskjack run`. As action: under ActionLoop with its first activation waiting, and behind the shell that gives it its descriptor \
         for results. All have their parameters in a file or a pipe.",
    );
    let api = Double::start(Options::default());
    // Nobody listens there: it does not get so far.
    let logstash = json!({"host": "127.0.0.1", "port": 9, "tls": false});
    let actions = ["checkout".to_owned()];
    let (mut command, mut action, mut old) = (Vec::new(), Vec::new(), Vec::new());
    let there = node::check();
    for round in 0..effort.times(15) {
        let params = config(&actions, now_ms() - 60_000, logstash.clone(), &format!("start-{round}"));
        // Whoever comes after Node finds colder caches: that meets each of them in turn.
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => command.push(as_command(&api, &params)?),
                1 => action.push(as_action(&api, &params)?),
                _ if there.is_ok() => old.push(as_2017(&api, &actions)?),
                _ => {}
            }
        }
    }
    let (command, action, old) = (Summary::of(command), Summary::of(action), Summary::of(old));
    row.figure("command", "ms", command);
    row.figure("as action", "ms", action);
    there?;
    row.figure("2017 on Node", "ms", old);
    row.goal("sooner", "×", old.median / command.median, Sense::AtLeast, 40.0);
    row.goal("own", "ms", command.median, Sense::AtMost, 8.0);
    Ok(())
}

fn as_command(api: &Double, params: &Value) -> Result<f64> {
    let arrival = first_request(api);
    let began = Instant::now();
    product::run(&api.origin(), api, params, |_| ())?;
    arrival.after(began)
}

fn as_action(api: &Double, params: &Value) -> Result<f64> {
    let arrival = first_request(api);
    let began = Instant::now();
    let mut started = Action::start(&api.origin(), api)?;
    started.run(api, params, Duration::from_secs(5))?;
    arrival.after(began)
}

fn as_2017(api: &Double, actions: &[String]) -> Result<f64> {
    let arrival = first_request(api);
    let started = node::start(api, actions, 0, &json!({"host": "127.0.0.1", "port": 9}), 1)?;
    let seen = arrival.after(started.at);
    started.end()?;
    seen
}

struct Arrival(std::sync::mpsc::Receiver<Instant>);

fn first_request(api: &Double) -> Arrival {
    let (seen, arrival): (Sender<Instant>, _) = channel();
    api.before_next(Matcher::any(), move |_| {
        // Nobody waits any more if the row has failed.
        let _ = seen.send(Instant::now());
    });
    Arrival(arrival)
}

impl Arrival {
    /// Milliseconds from `began` on.
    fn after(self, began: Instant) -> Result<f64> {
        let arrived = self.0.recv_timeout(PATIENCE).context("no request has come")?;
        Ok(arrived.duration_since(began).as_secs_f64() * 1e3)
    }
}
