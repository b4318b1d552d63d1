//! An API and a receiver in virtual time. Records are made up while they are read, so that none is ever in memory as a whole.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use whiskjack::ports::{
    Body, Clock, Connection, Failure, Http, Ports, Request, Response, Step, Transport, TransportError,
};
use whiskjack::run::plan::{self, CheckpointKeeper, Context};

/// 2023-11-14T22:13:20Z
pub const BEGIN: u64 = 1_700_000_000_000;
pub const MINUTE: u64 = 60_000;
const RUN_MS: u64 = 60_000;
/// A body comes in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// What the API does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Sound,
    /// `502` for it, and for every page with it.
    BadGateway,
    /// Not JSON, not even its id can be seen.
    Broken,
    /// Not JSON, and only its id can be seen.
    Headless,
    /// The list of full records leaves it out, as the API cannot read it; it is counted, and in the list of summaries.
    LeftOut,
    /// There is no such record any more.
    Deleted,
    /// Its lines are in a log store, which says that it cannot give them; or gives them.
    Lost,
    Stored,
    /// They are in a log store, but the first one, a notice of the platform, which is in the record.
    Noticed,
}

/// The line of a record that is a notice.
const NOTICE: &str = "There was an issue while collecting your logs. Data might be missing.";

#[derive(Debug, Clone)]
pub struct Record {
    pub start: u64,
    pub id: u64,
    pub lines: u64,
    /// Characters of a line.
    pub length: usize,
    pub state: State,
}

/// Everything outside of the forwarder.
#[derive(Debug)]
pub struct World {
    now: Cell<u64>,
    pub records: RefCell<Vec<Record>>,
    /// Lines that the receiver takes in a second; 0 if nothing is to be had.
    pub rate: Cell<u64>,
    busy_until: Cell<u64>,
    /// By record, how often each line came.
    pub arrived: RefCell<BTreeMap<u64, Vec<u32>>>,
    kept: RefCell<Option<Vec<u8>>>,
    /// Whether the API cannot show summaries now.
    pub no_summaries: Cell<bool>,
    /// Whether `/logs` is not to be had now.
    pub no_logs: Cell<bool>,
    pub asked: RefCell<Vec<String>>,
    /// Whether the receiver forgets the windows that it has not acknowledged.
    pub forgets: Cell<bool>,
    /// `lines` of the configuration.
    pub lines: RefCell<serde_json::Value>,
}

/// What a run reported.
#[derive(Debug)]
pub struct Ran {
    pub complete: bool,
    pub result: serde_json::Value,
}

impl Ran {
    pub fn error(&self) -> &str {
        self.result["error"].as_str().unwrap_or_default()
    }
}

pub fn record(age_ms: u64, id: u64, lines: u64) -> Record {
    Record { start: BEGIN - age_ms, id, lines, length: 20, state: State::Sound }
}

impl World {
    pub fn new(rate: u64, records: impl IntoIterator<Item = Record>) -> Rc<Self> {
        let mut records: Vec<Record> = records.into_iter().collect();
        records.sort_by_key(|record| std::cmp::Reverse((record.start, record.id)));
        Rc::new(Self {
            now: Cell::new(BEGIN),
            records: RefCell::new(records),
            rate: Cell::new(rate),
            busy_until: Cell::new(0),
            arrived: RefCell::default(),
            kept: RefCell::default(),
            no_summaries: Cell::new(false),
            no_logs: Cell::new(false),
            asked: RefCell::default(),
            forgets: Cell::new(false),
            lines: RefCell::new(serde_json::json!({})),
        })
    }

    pub fn set(&self, id: u64, state: State) {
        self.records.borrow_mut().iter_mut().filter(|record| record.id == id).for_each(|r| r.state = state);
    }

    /// One run of a minute, at the next full minute.
    pub fn run(self: &Rc<Self>) -> Ran {
        let minutes = (self.now.get() - BEGIN).div_ceil(MINUTE);
        self.now.set(BEGIN + minutes.max(1) * MINUTE);
        self.asked.borrow_mut().clear();
        let context = Context {
            api_host: Some("https://api".into()),
            authorized: true,
            deadline_ms: Some(self.now.get() + RUN_MS),
            keeper: CheckpointKeeper::Host(self.kept.borrow().clone()),
            ..Context::default()
        };
        let params = format!(
            r#"{{"actions":["hello"],"from":{},"logstash":{{"host":"logstash","port":5044}},"lookback_minutes":20,"lines":{}}}"#,
            BEGIN - 24 * 60 * MINUTE,
            self.lines.borrow()
        );
        let (config, _) = plan::configure(params.as_bytes(), &context).unwrap();
        let outside = Outside(self.clone());
        let ports = Ports { clock: &outside, http: &outside, transport: &outside };
        let report = whiskjack::run::run(&config, &context, ports).unwrap();
        *self.kept.borrow_mut() = report.checkpoint.or(self.kept.take());
        let result = serde_json::from_slice(&report.result).unwrap();
        println!("{} ms: {result}", self.now.get() - BEGIN);
        Ran { complete: report.complete, result }
    }

    /// How many different lines of a record came, and how many came again.
    pub fn came(&self, id: u64) -> (u64, u64) {
        let arrived = self.arrived.borrow();
        let Some(lines) = arrived.get(&id) else { return (0, 0) };
        let all: u64 = lines.iter().map(|times| u64::from(*times)).sum();
        let different = lines.iter().filter(|times| **times > 0).count() as u64;
        (different, all - different)
    }

    pub fn all_came_once(&self) -> bool {
        self.records.borrow().iter().all(|record| self.came(record.id) == (record.lines, 0))
    }
}

struct Outside(Rc<World>);

impl Clock for Outside {
    fn now_ms(&self) -> u64 {
        self.0.now.get()
    }
    fn sleep_ms(&self, ms: u64) {
        self.0.now.set(self.0.now.get() + ms);
    }
    fn random(&self) -> u64 {
        7
    }
}

/// A body that is made up while it is read.
struct Made(Box<dyn Iterator<Item = String>>);

impl Body for Made {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut piece = Vec::new();
        while piece.len() < PIECE {
            let Some(next) = self.0.next() else { break };
            piece.extend_from_slice(next.as_bytes());
        }
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn answer(status: u16, body: impl Iterator<Item = String> + 'static) -> Response {
    Response { status, retry_after: None, body: Box::new(Made(Box::new(body))) }
}

fn text(status: u16, body: impl Into<String>) -> Response {
    answer(status, std::iter::once(body.into()))
}

fn not_found() -> Response {
    text(404, r#"{"error":"The requested resource does not exist.","code":"x"}"#)
}

impl Record {
    fn head(&self) -> String {
        format!(
            r#"{{"activationId":"{:032x}","annotations":[{{"key":"path","value":"guest/hello"}},{{"key":"limits","value":{{"logs":10}}}}],"end":{},"name":"hello","namespace":"guest","start":{}"#,
            self.id,
            self.start + 1,
            self.start
        )
    }

    fn entries(&self) -> impl Iterator<Item = String> + 'static {
        let filler = "x".repeat(self.length);
        let first = u64::from(self.state == State::Noticed);
        (first..self.lines).map(move |n| format!("{}\"{n} {filler}\"", if n > first { "," } else { "" }))
    }

    fn full(&self) -> Box<dyn Iterator<Item = String>> {
        let head = std::iter::once(format!("{},\"logs\":[", self.head()));
        match self.state {
            State::Broken => Box::new(std::iter::once(r#"{"activationId" oh}"#.to_owned())),
            State::Headless => {
                Box::new(std::iter::once(format!("{{\"activationId\":\"{:032x}\" oh}}", self.id)))
            }
            State::Lost | State::Stored => Box::new(head.chain(std::iter::once("]}".into()))),
            State::Noticed => Box::new(head.chain(std::iter::once(format!("\"{NOTICE}\"]}}")))),
            _ => Box::new(head.chain(self.entries()).chain(std::iter::once("]}".into()))),
        }
    }
}

impl Http for Outside {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        let world = &self.0;
        world.now.set(world.now.get() + 5);
        world.asked.borrow_mut().push(request.target.clone());
        if request.target == "/" {
            return Ok(text(404, "no"));
        }
        let Some(path) = request.target.strip_prefix("/api/v1/namespaces/_/activations") else {
            return Ok(not_found());
        };
        if let Some(id) = path.strip_prefix('/') {
            let (id, logs) = id.strip_suffix("/logs").map_or((id, false), |id| (id, true));
            let id = u64::from_str_radix(id, 16).unwrap();
            let records = world.records.borrow();
            let found = records.iter().find(|record| record.id == id && record.state != State::Deleted);
            let Some(record) = found else { return Ok(not_found()) };
            return Ok(match (record.state, logs) {
                (_, true) if world.no_logs.get() => text(502, "<html>"),
                (State::BadGateway | State::LeftOut, _) => text(502, "<html>"),
                (State::Lost, true) => {
                    text(200, r#"{"logs":["The log message can't be retrieved, no index"]}"#)
                }
                (_, true) => {
                    let logs = std::iter::once("{\"logs\":[".to_owned());
                    answer(200, logs.chain(record.entries()).chain(std::iter::once("]}".into())))
                }
                _ => answer(200, record.full()),
            });
        }
        Ok(world.list(path))
    }
}

impl World {
    fn list(&self, query: &str) -> Response {
        let number = |name: &str| -> u64 {
            let mut pairs = query.split(['?', '&']);
            pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap().parse().unwrap()
        };
        let (since, upto) = (number("since"), number("upto"));
        let records = self.records.borrow();
        let inside = records
            .iter()
            .filter(|record| (since..=upto).contains(&record.start) && record.state != State::Deleted);
        if query.contains("count=true") {
            return text(200, format!(r#"{{"activations":{}}}"#, inside.count()));
        }
        let page: Vec<Record> =
            inside.skip(number("skip") as usize).take(number("limit") as usize).cloned().collect();
        if !query.contains("docs=true") && self.no_summaries.get() {
            return text(502, "<html>");
        }
        if !query.contains("docs=true") {
            let rows: Vec<String> = page.iter().map(|record| format!("{}}}", record.head())).collect();
            return text(200, format!("[{}]", rows.join(",")));
        }
        if page.iter().any(|record| record.state == State::BadGateway) {
            return text(502, "<html>");
        }
        let readable = page.into_iter().filter(|record| record.state != State::LeftOut);
        let rows = readable.enumerate().flat_map(|(n, record)| {
            std::iter::once(if n > 0 { ",".to_owned() } else { String::new() }).chain(record.full())
        });
        answer(200, std::iter::once("[".to_owned()).chain(rows).chain(std::iter::once("]".into())))
    }
}

impl Transport for Outside {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        if self.0.rate.get() == 0 {
            self.0.now.set(self.0.now.get() + 100);
            return Err(TransportError { step: Step::Connect, retryable: true, message: "refused".into() });
        }
        Ok(Box::new(Line { world: self.0.clone(), acks: VecDeque::new(), arriving: Vec::new() }))
    }
}

/// Takes so many lines a second, and acknowledges each window when all of it is taken.
struct Line {
    world: Rc<World>,
    /// When a window is taken, its events, and their frames if they do not count before.
    acks: VecDeque<(u64, u32, Vec<u8>)>,
    /// Of the window that is arriving.
    arriving: Vec<u8>,
}

impl Connection for Line {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        self.arriving.extend_from_slice(bytes);
        let number = |at: usize| u32::from_be_bytes(self.arriving[at..at + 4].try_into().unwrap());
        assert_eq!((&self.arriving[..2], &self.arriving[6..8]), (&b"2W"[..], &b"2C"[..]));
        let events = number(2);
        if self.arriving.len() < 12 + number(8) as usize {
            return Ok(());
        }
        let frames = miniz_oxide::inflate::decompress_to_vec_zlib(&self.arriving[12..]).unwrap();
        self.arriving.clear();
        let frames = if self.world.forgets.get() { frames } else { self.world.take_all(&frames) };
        let begin = self.world.busy_until.get().max(self.world.now.get());
        let done = begin + u64::from(events) * 1000 / self.world.rate.get();
        self.world.busy_until.set(done);
        self.acks.push_back((done, events, frames));
        Ok(())
    }

    fn read(&mut self, _: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        let now = self.world.now.get();
        match self.acks.pop_front_if(|(done, ..)| *done <= now + timeout_ms) {
            Some((done, events, frames)) => {
                self.world.take_all(&frames);
                self.world.now.set(done.max(now));
                Ok([&b"2A"[..], &events.to_be_bytes()].concat())
            }
            _ => {
                self.world.now.set(now + timeout_ms);
                Err(TransportError { step: Step::Timeout, retryable: true, message: "silence".into() })
            }
        }
    }
}

impl World {
    /// Takes the events of these frames; nothing is left of them.
    fn take_all(&self, frames: &[u8]) -> Vec<u8> {
        let mut rest = frames;
        while !rest.is_empty() {
            assert_eq!(&rest[..2], b"2J");
            let length = u32::from_be_bytes(rest[6..10].try_into().unwrap()) as usize;
            self.take(&rest[10..10 + length]);
            rest = &rest[10 + length..];
        }
        Vec::new()
    }

    /// Notes an event by its id, and the entries that it joins by their texts.
    fn take(&self, event: &[u8]) {
        const KEY: &[u8] = b"\"_id\":\"";
        let begin = event.windows(KEY.len()).position(|window| window == KEY).unwrap() + KEY.len();
        let end = begin + event[begin..].iter().position(|byte| *byte == b'"').unwrap();
        let id = std::str::from_utf8(&event[begin..end]).unwrap();
        let (mut parts, index) =
            (id.split('-').skip(1), id.rsplit('-').next().unwrap().parse::<usize>().unwrap());
        let record = u64::from_str_radix(parts.next().unwrap(), 16).unwrap();
        let noticed = |known: &Record| known.id == record && known.state == State::Noticed;
        let first = match index == 0 && self.records.borrow().iter().any(noticed) {
            true => format!("\"line\":\"{NOTICE}"),
            false => format!("\"line\":\"{index} "),
        };
        let text = event[end..].windows(first.len()).position(|window| window == first.as_bytes());
        let text = &event[end + text.unwrap_or_else(|| panic!("{id}"))..];
        let mut arrived = self.arrived.borrow_mut();
        let lines = arrived.entry(record).or_default();
        let joined = text.windows(2).filter(|bytes| bytes == b"\\n").count();
        lines.resize(lines.len().max(index + 1 + joined), 0);
        for n in 1..=joined {
            let next = format!("\\n{} ", index + n);
            assert!(text.windows(next.len()).any(|window| window == next.as_bytes()), "{id} and {n} more");
            lines[index + n] += 1;
        }
        lines[index] += 1;
    }
}

/// Counts what the thread has in use.
struct Counting;

thread_local! {
    static IN_USE: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

/// Begins to measure; then says what was in use at most since, in bytes.
pub fn peak_since_last() -> usize {
    let (now, peak) = IN_USE.get();
    IN_USE.set((now, now));
    (peak - now.min(peak)).unsigned_abs()
}

fn note(bytes: isize) {
    // A thread that ends counts no more.
    IN_USE
        .try_with(|in_use| {
            let (now, peak) = in_use.get();
            in_use.set((now + bytes, peak.max(now + bytes)));
        })
        .ok();
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its nature")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
