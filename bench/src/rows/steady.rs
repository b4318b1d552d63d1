//! B8: the cost of a minute without new activations.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use openwhisk_double::{Activation, Double, Options};
use serde_json::{Value, json};

use super::Effort;
use crate::product::{Action, config, now_ms};
use crate::receiver::Receiver;
use crate::relay::Relay;
use crate::report::{Row, Sense};
use crate::summary::Summary;

pub(super) const LATENCY: Duration = Duration::from_millis(30);
pub(super) const ACTIONS: usize = 10;
const HUNDRED: usize = 100;
/// Activations of each action that the look-back holds: all of them forwarded in an earlier run.
pub(super) const KNOWN: i64 = 5;
/// Of a hundred actions each has one: in a quiet namespace most have none.
const OF_HUNDRED: i64 = 1;
/// From so much time after the first run on, a list of the whole namespace tells of all that a count of an action tells of.
const APART: Duration = Duration::from_secs(96);
/// The platform's default limit of a run.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "An action under ActionLoop, each of the ten with five activations in the look-back that are known already, and a minute after the first run, so that a list of the namespace takes the place of counts. \
         The checkpoint is in the package store, saved less than 170 s ago, so that a run which finds nothing writes nothing; the platform keeps a record of each run. Bytes are those of API requests and answers, heads included. Depth: what 30 ms more for each \
         answer add to the run, in what they add to one request on an open connection (timers are late by a millisecond or so), to the nearest whole number. Warm: the process has run before; cold: it is a new one, its start included in both times. \
         A hundred: as many actions with one known activation each.",
    );
    let hundred = thread::spawn(|| -> Result<f64> {
        let mut quiet = Quiet::start(HUNDRED, OF_HUNDRED)?;
        quiet.run()?;
        quiet.api.forget_requests();
        quiet.run()?;
        Ok(quiet.api.requests().len() as f64)
    });
    let mut quiet = Quiet::start(ACTIONS, KNOWN)?;
    quiet.run()?;
    let (mut at_once, mut late, mut requests, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut one, mut one_late) = (Vec::new(), Vec::new());
    let (mut cold, mut cold_late) = (Vec::new(), Vec::new());
    let mut connection = BufReader::new(TcpStream::connect(quiet.relay.address())?);
    connection.get_ref().set_nodelay(true)?;
    for _ in 0..effort.times(15) {
        quiet.api.set_latency(Duration::ZERO);
        at_once.push(quiet.run()?);
        one.push(round_trip(&mut connection)?);
        quiet.api.set_latency(LATENCY);
        one_late.push(round_trip(&mut connection)?);
        quiet.api.forget_requests();
        let before = quiet.relay.bytes();
        late.push(quiet.run()?);
        let after = quiet.relay.bytes();
        requests.push(quiet.api.requests().len() as f64);
        bytes.push((after.0 + after.1 - before.0 - before.1) as f64 / 1e3);
    }
    for _ in 0..effort.times(5) {
        quiet.api.set_latency(Duration::ZERO);
        cold.push(quiet.run_cold()?);
        quiet.api.set_latency(LATENCY);
        cold_late.push(quiet.run_cold()?);
    }
    let hundred = hundred.join().map_err(|_| anyhow::anyhow!("the thread of a hundred failed"))??;
    let (at_once, late, requests) = (Summary::of(at_once), Summary::of(late), Summary::of(requests));
    row.figure("requests", "", requests);
    row.figure("bytes", "KB", Summary::of(bytes));
    row.figure("run", "ms", late);
    row.figure("with an API that answers at once", "ms", at_once);
    let (one, one_late) = (Summary::of(one), Summary::of(one_late));
    let trip = one_late.median - one.median;
    let depth = (late.median - at_once.median) / trip;
    let of_cold = (Summary::of(cold_late).median - Summary::of(cold).median) / trip;
    row.figure("what that adds, in round trips", "", Summary::exact(depth));
    row.figure("cold", "", Summary::exact(of_cold));
    // A whole number by its nature; what is beside it is the time that many answers at once take to read.
    row.goal("round trips deep", "", depth.round(), Sense::AtMost, 1.0);
    row.goal("cold", "", of_cold.round(), Sense::AtMost, 2.0);
    row.goal("requests", "", requests.median, Sense::AtMost, 12.0);
    row.goal("of a hundred actions", "", hundred, Sense::AtMost, 30.0);
    Ok(())
}

/// Milliseconds of one small request, the API's limits.
fn round_trip(connection: &mut BufReader<TcpStream>) -> Result<f64> {
    let began = Instant::now();
    connection.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: api\r\n\r\n")?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        ensure!(connection.read_line(&mut line)? > 0, "the API closed the connection");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    connection.read_exact(&mut vec![0; length])?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// A warm action in a namespace in which nothing is new.
pub(super) struct Quiet {
    pub(super) api: Double,
    relay: Relay,
    action: Action,
    params: Value,
    /// Nobody needs it after the first run.
    _receiver: Receiver,
}

impl Quiet {
    /// With so many monitored actions, of which so many activations each are known.
    pub(super) fn start(actions: usize, known: i64) -> Result<Self> {
        let api = Double::start(Options::default());
        let names: Vec<String> = (0..actions).map(|n| format!("quiet-{n}")).collect();
        let now = now_ms();
        for name in &names {
            let old = |n| Activation::new(name).start(now - 240_000 + n * 30_000).duration(50).stdout("done");
            api.world().add_all((0..known).map(old));
        }
        let receiver = Receiver::plain()?;
        let logstash = json!({"host": "localhost", "port": receiver.port(), "tls": false});
        let relay = Relay::start(api.address())?;
        let origin = format!("http://{}", relay.address());
        let params = config(&names, now - 300_000, logstash, "steady");
        let mut action = Action::start(&origin, &api)?;
        let first = action.run(&api, &params, LIMIT)?.0;
        ensure!(first["activations"] == json!(actions as i64 * known), "the first run forwards all: {first}");
        let mut quiet = Self { api, relay, action, params, _receiver: receiver };
        thread::sleep(APART);
        // It writes, as it looks for the records of earlier runs once more.
        quiet.run()?;
        Ok(quiet)
    }

    /// Milliseconds of the first run of a process, its start included.
    fn run_cold(&mut self) -> Result<f64> {
        let began = Instant::now();
        self.action = Action::start(&format!("http://{}", self.relay.address()), &self.api)?;
        self.run()?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }

    /// Milliseconds of a run.
    pub(super) fn run(&mut self) -> Result<f64> {
        let began = now_ms();
        let (result, wall) = self.action.run(&self.api, &self.params, LIMIT)?;
        ensure!(result["activations"] == 0 && result.get("error").is_none(), "nothing is new: {result}");
        self.api.world().add(Activation::new("whiskjack").start(began).duration(wall.as_millis() as i64));
        Ok(wall.as_secs_f64() * 1e3)
    }
}
