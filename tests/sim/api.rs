//! The OpenWhisk API as the forwarder sees it: list and count of activations, single records, and packages (docs/facts/openwhisk.md 1 and 10).

use super::demand;
use super::endless;
use super::faults::{self, ApiFault};
use super::package;
use super::platform;
use super::ports::{RunPorts, Sim};
use super::random::mixed;
use super::record::{LogsAt, Record};
use super::trouble::How;
use serde_json::json;
use std::collections::HashMap;
use std::rc::Rc;
use whiskjack::ports::{Body, Failure, Http, Method, Pending, Request, Response};

/// From so many lines on a record is large.
const LARGE: u32 = 5_000;

impl Http for RunPorts {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.enter();
        let sim = &self.sim;
        let fault = faults::of_request(sim);
        let takes = match fault {
            Some(ApiFault::Slow | ApiFault::NoAnswer { .. }) => sim.random.between(3_000, 30_000),
            _ => sim.random.heavy(20, 1_000),
        };
        let undone = matches!(
            fault,
            Some(
                ApiFault::NoAnswer { done: false }
                    | ApiFault::Status { done: false, .. }
                    | ApiFault::Foreign { .. }
            )
        );
        let in_time = self.pass(takes);
        let answer = if undone { Answer::status(500) } else { answer(sim, request) };
        sim.trace(|| format!("{:?} {} → {} {:?}", request.method, request.target, answer.status, fault));
        faults::note(sim, request, fault);
        self.leave();
        match fault {
            Some(ApiFault::NoAnswer { .. }) => Err(Failure::passing("no answer")),
            _ if !in_time => Err(Failure::passing("no answer in time")),
            Some(ApiFault::Status { status, .. }) => Ok(self.respond(Answer::status(status), None)),
            Some(ApiFault::Foreign { status, body }) => Ok(self.respond(Answer::json(status, body), None)),
            Some(ApiFault::Garbage) => {
                let garbage =
                    sim.random.pick(&["<html>hello</html>", "", "{}", "null", "\u{0}", "[[]]", "[{]"]);
                Ok(self.respond(Answer::json(200, garbage), None))
            }
            fault => Ok(self.respond(answer, fault)),
        }
    }

    /// Of questions that are asked at the same time, some are answered later than others that were asked after them.
    fn begin(&self, request: &Request) -> Pending {
        if mixed(self.sim.now.get()).is_multiple_of(2) {
            let (ports, request) = (self.shared(), request.clone());
            return Pending::new(move || ports.send(&request));
        }
        let answer = self.send(request);
        Pending::new(move || answer)
    }
}

impl RunPorts {
    fn respond(&self, answer: Answer, fault: Option<ApiFault>) -> Response {
        let cut = match fault {
            Some(ApiFault::Reset { after }) => Some((after, true)),
            Some(ApiFault::CutOff { after }) => Some((after, false)),
            _ => answer.reset_after.map(|after| (after, true)),
        };
        let piece = self.sim.random.pick(&[60, 1_000, 16_000, 16_000, 65_000]);
        // A large answer in small pieces would take its time.
        let piece = if answer.body.len() > 1 << 20 { 65_000 } else { piece };
        let drips = endless::drips(&self.sim, fault);
        let piece = drips.map_or(piece, |(_, drop)| drop);
        let drip_ms = drips.map_or(0, |(ms, _)| ms);
        let streamed = Streamed { ports: self.shared(), bytes: answer.body, at: 0, piece, drip_ms, cut };
        Response { status: answer.status, retry_after: None, body: Box::new(streamed) }
    }
}

/// An answer, before anything happens to it on its way.
pub struct Answer {
    status: u16,
    body: Vec<u8>,
    /// The connection breaks after so many bytes: the server cannot say the rest.
    reset_after: Option<usize>,
}

impl Answer {
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), reset_after: None }
    }

    /// An error of OpenWhisk.
    pub fn error(status: u16, error: &str) -> Self {
        Self::json(status, json!({"error": error, "code": "k3FvVvZNgzJXEJTRtGcVvZ6cGrKzYlfH"}).to_string())
    }

    fn status(status: u16) -> Self {
        match status {
            502..=504 => Self::json(status, "<html><body>gateway</body></html>"),
            _ => Self::error(status, "There was an internal server error."),
        }
    }

    fn refused(why: &str) -> Self {
        Self::error(400, &format!("The query parameter 'limit' was malformed:\n{why}"))
    }
}

fn answer(sim: &Sim, request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if path == "/" {
        return limits(sim);
    }
    let collection = path.strip_prefix("/api/v1/namespaces/_/").expect("the namespace of the key");
    match (request.method, collection.split_once('/')) {
        (Method::Get, None) if collection == "activations" => activations(sim, query),
        // Not every key may list them.
        (Method::Get, None) if collection == "actions" => Answer::error(403, "not yours"),
        (Method::Get, Some(("activations", id))) => {
            let (id, logs_only) = id.strip_suffix("/logs").map_or((id, false), |id| (id, true));
            let id = u128::from_str_radix(id, 16).expect("an activation id");
            by_id(sim, id, logs_only)
        }
        (Method::Get, Some(("packages", name))) => match platform::stranger(sim) {
            Some((status, body)) => Answer::json(status, body),
            None => package::get(sim, &decoded(name)),
        },
        (Method::Put, Some(("packages", name))) => package::put(sim, &decoded(name), query, &request.body),
        _ => panic!("an unexpected request: {request:?}"),
    }
}

/// One record, or its logs.
fn by_id(sim: &Sim, id: u128, logs_only: bool) -> Answer {
    let now = sim.now.get();
    let own = sim.own.borrow();
    let known = sim.world.by_id(id).or_else(|| own.iter().find(|record| record.id == id));
    let Some(record) = known.filter(|record| record.is_visible(now)) else {
        return Answer::error(404, "The requested resource does not exist.");
    };
    match record.poisoned(now) {
        Some(poison) if !poison.by_id => return spoiled(sim, record, poison.how, Vec::new()),
        Some(_) => sim.met.note("poison-by-id"),
        None => {}
    }
    if logs_only && platform::logs_are_down(sim) {
        demand::asked(sim, record, true);
        return Answer::json(502, b"<html>Bad Gateway</html>".to_vec());
    }
    if logs_only { logs(sim, record) } else { Answer::json(200, bytes(sim, record, true)) }
}

/// The logs of one activation. Their own store may get them late, and fail as such stores do: as long as there is a look-back to come.
fn logs(sim: &Sim, record: &Record) -> Answer {
    let (now, settings) = (sim.now.get(), &sim.world.settings);
    let hopeful = now + 20_000 < record.start + settings.lookback_ms(0);
    platform::note(sim, record);
    demand::asked(sim, record, false);
    let lines: Vec<String> = match record.at {
        LogsAt::Nowhere => return own_words("Logs are not available."),
        LogsAt::Api if !sim.quiet.get() && hopeful && sim.random.chance(settings.api_faults) => {
            return own_words("The log message can't be retrieved, no idea why");
        }
        LogsAt::Api if record.has_lines() && record.logs_at <= now => {
            sim.met.note("log-store");
            record.stored()
        }
        LogsAt::Api => Vec::new(),
        LogsAt::Record => record.logs(),
    };
    Answer::json(200, record.bytes_of_logs(lines))
}

/// What the platform says in place of lines: that is sound.
fn own_words(text: &str) -> Answer {
    Answer::json(200, format!(r#"{{"logs":["{text}"]}}"#).into_bytes())
}

/// What comes instead of a page, or a record, that the API cannot give; `before` is what was sent of the page before that.
fn spoiled(sim: &Sim, record: &Record, how: How, before: Vec<u8>) -> Answer {
    let kind = match record.poison.map(|poison| poison.until) {
        _ if record.deleted < u64::MAX => "poison-deleted",
        Some(u64::MAX) => "poison-forever",
        _ => "poison-until",
    };
    sim.met.note(kind);
    match how {
        How::Status(status) => Answer::status(status),
        How::LeftOut => Answer::status(500),
        How::Reset => {
            let bytes = bytes(sim, record, true);
            let body = [before, bytes[..bytes.len() / 2].to_vec()].concat();
            Answer { status: 200, reset_after: Some(body.len()), body }
        }
        How::Broken => Answer::json(200, broken(sim, record)),
    }
}

/// A record that is no JSON.
fn broken(sim: &Sim, record: &Record) -> Vec<u8> {
    sim.met.note("poison-json");
    format!(r#"{{"activationId":"{:032x}","start" {} "name" hello}}"#, record.id, record.start).into_bytes()
}

/// The JSON of a record, kept if it is large.
fn bytes(sim: &Sim, record: &Record, docs: bool) -> Vec<u8> {
    let make = || record.bytes(docs);
    if !docs || record.lines < LARGE {
        return make();
    }
    sim.met.note("large-record");
    sim.large.borrow_mut().entry(record.id).or_insert_with(make).clone()
}

/// Limits that ask for the look-back that the world has: twice the duration, 10 s for logs, and what settling takes.
fn limits(sim: &Sim) -> Answer {
    if let Some((status, body)) = platform::silence(sim) {
        return Answer::json(status, body);
    }
    let duration = (sim.lookback_ms() - 290_000) / 2;
    let limits = json!({"max_action_duration": duration, "max_action_logs": 5 << 20});
    Answer::json(200, json!({"description": "OpenWhisk", "limits": limits}).to_string())
}

fn activations(sim: &Sim, query: &str) -> Answer {
    let query: HashMap<&str, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key, decoded(value)))
        .collect();
    let number = |key: &str| query.get(key).map(|text| text.parse::<u64>().expect("a number"));
    let (since, upto) = (number("since").expect("since"), number("upto").expect("upto"));
    let now = sim.now.get();
    let name = query.get("name").map(String::as_str);
    let index = if name.is_some() { &sim.index } else { &sim.index_of_all };
    let as_of = index.as_of(now, &sim.world.settings);
    let own = sim.own.borrow();
    let mut named = sim.world.named(name);
    if name.is_none_or(|name| name == sim.own_name.get()) {
        named.extend(own.iter());
        named.sort_by_key(|record| std::cmp::Reverse((record.start, record.id)));
    }
    let begin = named.partition_point(|record| record.start > upto);
    let end = named.partition_point(|record| record.start >= since);
    let mut found = named[begin..end.max(begin)].iter().filter(|record| record.is_visible(as_of));
    let skip = number("skip").unwrap_or(0) as usize;
    if query.get("count").is_some_and(|count| count == "true") {
        let count = found.count().saturating_sub(skip);
        return Answer::json(200, format!("{{\"activations\":{count}}}"));
    }
    let (limit, most) = (number("limit").expect("limit") as usize, sim.world.settings.site_limit);
    if limit > most {
        return Answer::refused(&format!(
            "The value '{limit}' is not in the range of 0 to {most} for activations."
        ));
    }
    let docs = query["docs"] == "true";
    let rows: Vec<&&Record> = found.by_ref().skip(skip).take(limit).collect();
    let gone = rows.iter().any(|record| !record.is_visible(now));
    if docs && rows.len() as u64 > sim.world.settings.largest_page {
        sim.met.note("small-page");
        return Answer::status(sim.random.pick(&[500, 504]));
    }
    if docs && gone {
        return Answer::status(sim.random.pick(&[500, 504]));
    }
    sim.pass(rows.len() as u64 / 4);
    note(sim, &rows, since);
    let mut body = b"[".to_vec();
    for record in &rows {
        let poisoned = record.poisoned(now).filter(|_| docs);
        if poisoned.is_some_and(|poison| poison.how == How::LeftOut) {
            sim.met.note("left-out");
            continue;
        }
        if body.len() > 1 {
            body.push(b',');
        }
        match poisoned {
            Some(poison) if poison.how == How::Broken => {
                body.extend(spoiled(sim, record, poison.how, Vec::new()).body)
            }
            Some(poison) => return spoiled(sim, record, poison.how, body),
            None => body.extend(bytes(sim, record, docs)),
        }
    }
    body.push(b']');
    Answer::json(200, body)
}

/// Notes which kinds of trouble a page holds.
fn note(sim: &Sim, rows: &[&&Record], since: u64) {
    for record in rows {
        let met = [
            (record.visible > record.start + 60_000 && since < record.visible - 60_000, "late"),
            (record.spoiled, "bad-entry"),
            (record.spoiled, "bad-result"),
            ((1..=2).contains(&record.bare), "no-annotations"),
            ((3..=4).contains(&record.bare), "no-path"),
            ((5..=6).contains(&record.bare), "no-end"),
        ];
        met.iter().filter(|(met, _)| *met).for_each(|(_, kind)| sim.met.note(kind));
    }
}

/// A body that arrives in pieces.
struct Streamed {
    ports: Rc<RunPorts>,
    bytes: Vec<u8>,
    at: usize,
    piece: u64,
    /// Time before each piece.
    drip_ms: u64,
    /// After how many bytes it ends, and whether with an error.
    cut: Option<(usize, bool)>,
}

impl Body for Streamed {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.ports.enter();
        self.ports.pass(self.drip_ms);
        let all = self.bytes.len();
        let end = self.cut.map_or(all, |(after, _)| after.min(all));
        if self.at == end {
            let broken = self.cut.is_some_and(|(_, error)| error);
            return if broken { Err(Failure::passing("the connection was reset")) } else { Ok(None) };
        }
        let length = self.ports.sim.random.between(1, self.piece) as usize;
        let begin = self.at;
        self.at = (begin + length).min(end);
        Ok(Some(self.bytes[begin..self.at].to_vec()))
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            bytes
                .push(u8::from_str_radix(&text[text.len() - tail.len()..][..2], 16).expect("two hex digits"));
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
