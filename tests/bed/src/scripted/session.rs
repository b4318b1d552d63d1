//! One connection of a scripted receiver, as its script sees it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use super::journal::Window;
use super::wire::{Refusal, Rules, read_window};
use super::{Common, ScriptedOptions};

/// A TLS handshake may take as long; beyond it the peer has forgotten us.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How often a waiting script looks whether its test is over.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One connection. What it cannot do any more because the client is gone, it leaves undone: a script goes on to its end.
pub struct Session {
    number: usize,
    stream: Stream,
    rules: Rules,
    version: Option<u8>,
    /// Windows that are not wholly acknowledged, oldest first: index and size.
    open: Vec<(usize, u32)>,
    common: Arc<Common>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Gone,
}

impl Session {
    /// Makes a session of an accepted socket. `None` if there is no TLS; the journal then says why.
    pub(super) fn open(
        number: usize,
        socket: TcpStream,
        options: &ScriptedOptions,
        common: Arc<Common>,
    ) -> Option<Self> {
        let stream = match &options.tls {
            None => Stream::Plain(socket),
            Some(config) => match handshake(socket, ServerConnection::new(Arc::clone(config)).unwrap()) {
                Ok(stream) => Stream::Tls(Box::new(stream)),
                Err(error) => {
                    common.journal.change(|journal| {
                        journal.connections[number - 1].no_tls = Some(error.to_string());
                    });
                    return None;
                }
            },
        };
        let rules = options.rules;
        Some(Self { number, stream, rules, version: None, open: Vec::new(), common })
    }

    /// Which connection of the receiver it is, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Acknowledges every window at once until the client is gone: a good receiver.
    pub fn serve(&mut self) {
        while let Some(window) = self.window() {
            self.ack(window.events.len() as u32);
        }
    }

    /// The next whole window. `None` when the client has closed the connection, or has broken a rule: then it was reset.
    pub fn window(&mut self) -> Option<Window> {
        let (rules, version) = (self.rules, self.version);
        match read_window(&mut Timed::new(self), rules, version) {
            Ok(window) => {
                self.version = Some(window.version);
                let (at, size) = (self.number - 1, window.events.len() as u32);
                self.common.journal.change(|journal| {
                    let windows = &mut journal.connections[at].windows;
                    windows.push(window.clone());
                    self.open.push((windows.len() - 1, size));
                    journal.order.push((at, windows.len() - 1));
                });
                Some(window)
            }
            Err(Refusal::Rule(rule)) => {
                self.refuse(rule);
                None
            }
            Err(Refusal::Closed | Refusal::Cut(_)) => None,
        }
    }

    /// Up to `count` bytes, uninterpreted: fewer when the client is gone.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = Timed::new(self).take(count as u64).read_to_end(&mut bytes);
        bytes
    }

    /// Acknowledges `sequence` of the oldest window that is not wholly acknowledged, in the version of its frames. The last ack of a
    /// window refuses a client that went on, or away, before it.
    pub fn ack(&mut self, sequence: u32) {
        self.ack_and(sequence, &[]);
    }

    /// The same, and more bytes with it in one write: what comes in one segment is read at once.
    pub fn ack_and(&mut self, sequence: u32, more: &[u8]) {
        let done = self.open.first().is_some_and(|&(_, size)| sequence >= size);
        if done && !self.rules.pipelining && self.went_on() {
            return;
        }
        if let Some(&(window, size)) = self.open.first() {
            let at = self.number - 1;
            // Before it leaves: what a client was told is safe can be read here.
            self.common.journal.change(|journal| {
                let window = &mut journal.connections[at].windows[window];
                window.acknowledged = window.acknowledged.max(sequence.min(size));
            });
        }
        if done {
            self.open.remove(0);
        }
        let ack = ack(self.version.unwrap_or(b'2'), sequence);
        self.send(&[&ack, more].concat());
    }

    /// An ack of any version and number. The journal credits nothing.
    pub fn ack_as(&mut self, version: u8, sequence: u32) {
        self.send(&ack(version, sequence));
    }

    /// What Logstash sends while it is busy: always of version 2.
    pub fn keep_alive(&mut self) {
        self.ack_as(b'2', 0);
    }

    /// Any bytes. False when the client is gone.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        sent.is_ok()
    }

    /// Does nothing for a while. False when the test is over.
    pub fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.common.stopped.load(Ordering::SeqCst) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(LOOK_EVERY));
        }
        false
    }

    /// Reads and forgets what comes until the client closes the connection.
    pub fn read_to_end(&mut self) {
        self.ended_cleanly();
    }

    /// Whether the client ends its side within this time; what it sends meanwhile is forgotten.
    pub fn ended_within(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut buffer = [0; 1024];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            match self.read_some(&mut buffer, Some(left)) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Reads and forgets what comes to the end: whether that is a proper one, with a goodbye if there is TLS.
    pub fn ended_cleanly(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.read_some(&mut buffer, None) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Neither reads nor writes until the test is over.
    pub fn hang(&mut self) {
        while self.pause(Duration::from_secs(1)) {}
    }

    /// Says goodbye as far as TLS has it, and closes: with FIN, or with RST if bytes are unread, as every system does.
    pub fn close(&mut self) {
        let mut stream = std::mem::replace(&mut self.stream, Stream::Gone);
        if let Stream::Tls(stream) = &mut stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        self.common.forget(self.number);
    }

    /// Closes with RST.
    pub fn reset(&mut self) {
        if let Some(socket) = self.socket() {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        self.stream = Stream::Gone;
        self.common.forget(self.number);
    }

    /// Closes our direction only; the client can go on sending.
    pub fn finish_writing(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        if let Some(socket) = self.socket() {
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    fn refuse(&mut self, rule: String) {
        let at = self.number - 1;
        self.common.journal.change(|journal| journal.connections[at].refusal = Some(rule));
        self.reset();
    }

    /// Whether there is something after the window, which must not be.
    fn went_on(&mut self) -> bool {
        let mut buffer = [0; 1024];
        match self.read_some(&mut buffer, Some(Duration::from_millis(1))) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                false
            }
            Ok(count @ 1..) => {
                self.refuse(format!("{count} bytes or more before the last window was acknowledged"));
                true
            }
            // A client that has given up; whether it half-closed only cannot be seen from here.
            Ok(0) | Err(_) => {
                self.close();
                true
            }
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Plain(socket) => Some(socket),
            Stream::Tls(stream) => Some(&stream.sock),
            Stream::Gone => None,
        }
    }

    fn read_some(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        let socket = self.socket().ok_or(io::ErrorKind::NotConnected)?;
        socket.set_read_timeout(timeout)?;
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Reads a session with one deadline for all of a window, which begins with its first byte.
struct Timed<'a> {
    session: &'a mut Session,
    /// Unknown before the first byte: a client may be idle as long as it likes.
    until: Option<Instant>,
}

impl<'a> Timed<'a> {
    fn new(session: &'a mut Session) -> Self {
        Self { session, until: None }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let count = self.session.read_some(buffer, left)?;
        self.until.get_or_insert_with(|| Instant::now() + self.session.rules.within);
        Ok(count)
    }
}

fn ack(version: u8, sequence: u32) -> [u8; 6] {
    let [a, b, c, d] = sequence.to_be_bytes();
    [version, b'A', a, b, c, d]
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn handshake(
    mut socket: TcpStream,
    mut tls: ServerConnection,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    socket.set_read_timeout(Some(HANDSHAKE_WITHIN))?;
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(&mut socket) {
            // The alert that says why.
            let _ = tls.write_tls(&mut socket);
            return Err(error);
        }
    }
    while tls.wants_write() {
        tls.write_tls(&mut socket)?;
    }
    Ok(StreamOwned::new(tls, socket))
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("number", &self.number).finish_non_exhaustive()
    }
}
