//! The core's ports, natively: HTTP over plain sockets, with its bytes counted; a receiver that takes everything; the double's clock.

use openwhisk_double::{Clock as DoubleClock, Double};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;
use whiskjack::ports::{
    Body, Clock, Connection, Failure, Http, Method, Pending, Ports, Request, Response, Step, Transport,
    TransportError,
};

/// What went to the API and back, heads included.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    pub requests: u64,
    pub sent: u64,
    pub received: u64,
    /// Round trips of which each had to wait for the one before.
    pub depth: u64,
}

pub struct Native {
    address: SocketAddr,
    key: String,
    clock: DoubleClock,
    traffic: Cell<Traffic>,
    /// Time, in round trips.
    trips: Rc<Cell<u64>>,
}

impl Native {
    pub fn new(api: &Double) -> Self {
        let clock = api.world().clock().clone();
        Self { address: api.address(), key: api.key(), clock, traffic: Cell::default(), trips: Rc::default() }
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports { clock: self, http: self, transport: self }
    }

    pub fn traffic(&self) -> Traffic {
        Traffic { depth: self.trips.get(), ..self.traffic.get() }
    }

    /// One request on a connection of its own.
    fn exchange(&self, request: &Request) -> std::io::Result<Vec<u8>> {
        use base64::Engine as _;
        let method = if request.method == Method::Get { "GET" } else { "PUT" };
        let key = base64::engine::general_purpose::STANDARD.encode(&self.key);
        let mut bytes = format!(
            "{method} {} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\nauthorization: Basic {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            request.target,
            self.address,
            request.body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&request.body);
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(&bytes)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let Traffic { requests, sent, received, depth } = self.traffic.get();
        self.traffic.set(Traffic {
            requests: requests + 1,
            sent: sent + bytes.len() as u64,
            received: received + answer.len() as u64,
            depth,
        });
        Ok(answer)
    }
}

impl Http for Native {
    fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.begin(request).wait()
    }

    fn begin(&self, request: &Request) -> Pending {
        let (answer, trips, arrives) = (self.answer(request), self.trips.clone(), self.trips.get() + 1);
        Pending::new(move || {
            trips.set(trips.get().max(arrives));
            answer
        })
    }
}

impl Native {
    fn answer(&self, request: &Request) -> Result<Response, Failure> {
        let answer = self.exchange(request).map_err(|error| Failure::passing(error.to_string()))?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Ok(Response { status, retry_after: None, body: Box::new(Whole(Some(answer[end + 4..].to_vec()))) })
    }
}

struct Whole(Option<Vec<u8>>);

impl Body for Whole {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.take())
    }
}

impl Clock for Native {
    fn now_ms(&self) -> u64 {
        self.clock.now() as u64
    }
    fn sleep_ms(&self, ms: u64) {
        self.clock.advance(ms as i64);
    }
    fn random(&self) -> u64 {
        7
    }
}

impl Transport for Native {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        Ok(Box::new(Line::default()))
    }
}

/// Acknowledges each window as a whole.
#[derive(Default)]
struct Line(VecDeque<u8>);

impl Connection for Line {
    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), TransportError> {
        assert_eq!(&bytes[..2], b"2W");
        self.0.extend(b"2A".iter().chain(&bytes[2..6]));
        Ok(())
    }

    fn read(&mut self, max: u32, _: u64) -> Result<Vec<u8>, TransportError> {
        if self.0.is_empty() {
            return Err(TransportError { step: Step::Timeout, retryable: true, message: "silence".into() });
        }
        let most = self.0.len().min(max as usize);
        Ok(self.0.drain(..most).collect())
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, sent, received, depth } = self;
        write!(f, "{requests} requests, {depth} deep, {sent} bytes sent, {received} bytes received")
    }
}
