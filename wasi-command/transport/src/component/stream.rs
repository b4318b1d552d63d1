//! A socket of WASI as a [`Wire`], in the clear or with TLS on top.

use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::tcp::TcpSocket;

use super::bindings::wasi::tls::types::ClientConnection;
use crate::wire::{Broken, Interest, Wire};

/// How long a goodbye may take.
const GOODBYE_NS: u64 = 200_000_000;

/// An open socket and its two directions. Resources of WASI must go before what they were made from, so the order matters.
pub(super) struct Socket {
    pub(super) input: InputStream,
    pub(super) output: OutputStream,
    pub(super) socket: TcpSocket,
}

/// The two directions of a connection; again in the order in which they must go.
pub(super) struct Stream {
    input: InputStream,
    output: OutputStream,
    tls: Option<ClientConnection>,
    _socket: TcpSocket,
}

impl Stream {
    pub(super) fn plain(Socket { input, output, socket }: Socket) -> Self {
        Self { input, output, tls: None, _socket: socket }
    }

    pub(super) fn secured(
        (tls, input, output): (ClientConnection, InputStream, OutputStream),
        socket: TcpSocket,
    ) -> Self {
        Self { input, output, tls: Some(tls), _socket: socket }
    }

    /// Says goodbye on TLS, and waits a moment for it to go out: with the streams the host gives up what is still on its way.
    pub(super) fn say_goodbye(&mut self) {
        let Some(tls) = &self.tls else { return };
        tls.close_output();
        let until_ns = now_ns().saturating_add(GOODBYE_NS);
        while now_ns() < until_ns && self.output.check_write().is_ok() {
            self.wait(Interest { read: false, write: true }, until_ns);
        }
    }
}

impl Wire for Stream {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, Broken> {
        self.input.read(most as u64).map_err(broken)
    }

    fn room(&mut self) -> Result<usize, Broken> {
        let room = self.output.check_write().map_err(broken)?;
        Ok(usize::try_from(room).unwrap_or(usize::MAX))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.output.write(bytes).map_err(broken)
    }

    fn flush(&mut self) -> Result<(), Broken> {
        self.output.flush().map_err(broken)
    }

    fn wait(&mut self, interest: Interest, until_ns: u64) {
        let read = interest.read.then(|| self.input.subscribe());
        let write = interest.write.then(|| self.output.subscribe());
        wait_for(read.iter().chain(&write), until_ns);
    }

    fn now_ns(&self) -> u64 {
        now_ns()
    }
}

/// Waits until one of them is ready, and until `until_ns` at the latest.
pub(super) fn wait_for<'a>(ready: impl Iterator<Item = &'a Pollable>, until_ns: u64) {
    let time_is_up = monotonic_clock::subscribe_instant(until_ns);
    let mut all: Vec<&Pollable> = ready.collect();
    all.push(&time_is_up);
    poll(&all);
}

pub(super) fn now_ns() -> u64 {
    monotonic_clock::now()
}

fn broken(error: StreamError) -> Broken {
    match error {
        StreamError::Closed => Broken::Closed,
        StreamError::LastOperationFailed(error) => Broken::Failed(plain(&error.to_debug_string())),
    }
}

/// The host's words for an error, without its numbers and causes: `connection-reset (error 14)`, and a page of details at times.
pub(super) fn plain(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" (error ").next().unwrap_or_default();
    line.trim().trim_matches('"').to_owned()
}
