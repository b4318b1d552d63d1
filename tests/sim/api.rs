//! The OpenWhisk API as the forwarder sees it: list and count of activations, and a package (facts/openwhisk.md 1 and 10).

use super::faults::{self, ApiFault};
use super::ports::{RunPorts, Sim};
use super::record::{LogsAt, Record};
use super::world::Store;
use serde_json::json;
use std::collections::HashMap;
use std::rc::Rc;
use whiskjack::ports::{Body, Failure, Http, Method, Request, Response};

impl Http for RunPorts {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.enter();
        let sim = &self.sim;
        let fault = faults::of_request(sim);
        let takes = match fault {
            Some(ApiFault::Slow | ApiFault::NoAnswer { .. }) => sim.random.between(3_000, 30_000),
            _ => sim.random.heavy(20, 1_000),
        };
        let done =
            !matches!(fault, Some(ApiFault::NoAnswer { done: false } | ApiFault::Status { done: false, .. }));
        let in_time = self.pass(takes);
        let answer = if done { answer(sim, request) } else { Answer::error(500) };
        sim.trace(|| format!("{:?} {} → {} {:?}", request.method, request.target, answer.status, fault));
        self.leave();
        match fault {
            Some(ApiFault::NoAnswer { .. }) => Err(Failure::passing("no answer")),
            _ if !in_time => Err(Failure::passing("no answer in time")),
            Some(ApiFault::Status { status, .. }) => Ok(self.respond(Answer::error(status), None)),
            Some(ApiFault::Garbage) => {
                let garbage =
                    sim.random.pick(&["<html>hello</html>", "", "{}", "null", "\u{0}", "[[]]", "[{]"]);
                Ok(self.respond(Answer { status: 200, pieces: vec![garbage.into()] }, None))
            }
            fault => Ok(self.respond(answer, fault)),
        }
    }
}

impl RunPorts {
    fn respond(&self, answer: Answer, fault: Option<ApiFault>) -> Response {
        let cut = match fault {
            Some(ApiFault::Reset { after }) => Some((after, true)),
            Some(ApiFault::CutOff { after }) => Some((after, false)),
            _ => None,
        };
        let whole: String = answer.pieces.concat();
        let piece = self.sim.random.pick(&[60, 1_000, 16_000, 16_000, 65_000]);
        let streamed = Streamed { ports: self.shared(), bytes: whole.into_bytes(), at: 0, piece, cut };
        Response { status: answer.status, body: Box::new(streamed) }
    }
}

/// An answer, before anything happens to it on its way.
struct Answer {
    status: u16,
    pieces: Vec<String>,
}

impl Answer {
    fn error(status: u16) -> Self {
        let body = match status {
            502..=504 => "<html><body>gateway</body></html>",
            _ => r#"{"error":"There was an internal server error.","code":"x"}"#,
        };
        Self { status, pieces: vec![body.into()] }
    }

    fn refused(why: &str) -> Self {
        let error = format!("The query parameter 'limit' was malformed:\n{why}");
        Self { status: 400, pieces: vec![json!({"error": error, "code": "x"}).to_string()] }
    }
}

fn answer(sim: &Sim, request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if path == "/" {
        return limits(sim);
    }
    let collection = path.strip_prefix("/api/v1/namespaces/_/").expect("the namespace of the key");
    if let Some(id) = collection.strip_prefix("activations/").and_then(|rest| rest.strip_suffix("/logs")) {
        return logs(sim, u128::from_str_radix(id, 16).expect("an activation id"));
    }
    match (request.method, collection.split('/').next()) {
        (Method::Get, Some("activations")) => activations(sim, query),
        (Method::Get, Some("packages")) => {
            let (status, json) = sim.package();
            Answer { status, pieces: vec![json.to_string()] }
        }
        (Method::Put, Some("packages")) => {
            if sim.world.settings.store == Store::Refused {
                return Answer::error(403);
            }
            if query != "overwrite=true" && sim.kept.borrow().package.is_some() {
                let error = json!({"error": "resource already exists", "code": "x"});
                return Answer { status: 409, pieces: vec![error.to_string()] };
            }
            sim.kept.borrow_mut().put(&request.body, sim.world.settings.shared_package);
            Answer { status: 200, pieces: vec![sim.package().1.to_string()] }
        }
        _ => panic!("an unexpected request: {request:?}"),
    }
}

/// The logs of one activation. Their own store may get them late, and fail as such stores do: as long as there is a look-back to come.
fn logs(sim: &Sim, id: u128) -> Answer {
    let (now, settings) = (sim.now.get(), &sim.world.settings);
    let record = sim.world.by_id(id).filter(|record| record.is_visible(now));
    let Some(record) = record else {
        let error = json!({"error": "The requested resource does not exist.", "code": "x"});
        return Answer { status: 404, pieces: vec![error.to_string()] };
    };
    let hopeful = now + 20_000 < record.start + settings.lookback_ms(0);
    let lines: Vec<String> = match settings.logs {
        LogsAt::Nowhere => vec!["Logs are not available.".into()],
        LogsAt::Api if !sim.quiet.get() && hopeful && sim.random.chance(settings.api_faults) => {
            vec!["The log message can't be retrieved, no idea why".into()]
        }
        LogsAt::Api if record.has_lines() && record.logs_at <= now => {
            (0..record.lines).map(|index| record.line(index)).collect()
        }
        LogsAt::Api => Vec::new(),
        LogsAt::Record => record.logs(),
    };
    Answer { status: 200, pieces: vec![json!({"logs": lines}).to_string()] }
}

/// Limits that ask for the look-back that the world has: twice the duration, 10 s for logs, and what settling takes.
fn limits(sim: &Sim) -> Answer {
    let duration = (sim.world.settings.lookback_ms(sim.now.get()) - 290_000) / 2;
    let limits = json!({"max_action_duration": duration, "max_action_logs": 5 << 20});
    Answer { status: 200, pieces: vec![json!({"description": "OpenWhisk", "limits": limits}).to_string()] }
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
    let as_of = sim.index.as_of(now, &sim.world.settings);
    let name = query.get("name").map(String::as_str);
    let own = sim.own.borrow();
    let mut named = sim.world.named(name);
    if name.is_none_or(|name| name == "fwd") {
        named.extend(own.iter());
        named.sort_by_key(|record| std::cmp::Reverse((record.start, record.id)));
    }
    let begin = named.partition_point(|record| record.start > upto);
    let end = named.partition_point(|record| record.start >= since);
    let mut found = named[begin..end.max(begin)].iter().filter(|record| record.is_visible(as_of));
    let skip = number("skip").unwrap_or(0) as usize;
    if query.get("count").is_some_and(|count| count == "true") {
        let count = found.count().saturating_sub(skip);
        return Answer { status: 200, pieces: vec![format!("{{\"activations\":{count}}}")] };
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
    if docs && (gone || rows.len() as u64 > sim.world.settings.largest_page) {
        return Answer::error(sim.random.pick(&[500, 504]));
    }
    sim.pass(rows.len() as u64 / 4);
    let rows: Vec<String> =
        rows.iter().map(|record| record.json(docs, sim.world.settings.logs).to_string()).collect();
    Answer { status: 200, pieces: vec!["[".into(), rows.join(","), "]".into()] }
}

/// A body that arrives in pieces.
struct Streamed {
    ports: Rc<RunPorts>,
    bytes: Vec<u8>,
    at: usize,
    piece: u64,
    /// After how many bytes it ends, and whether with an error.
    cut: Option<(usize, bool)>,
}

impl Body for Streamed {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.ports.enter();
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
