//! The component's edge: the WIT world on one side, sockets of WASI on the other.

mod bindings;
mod dial;
mod stream;
mod tls;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use self::bindings::exports::whiskjack::forwarder::{control, transport as wit};
use self::stream::Stream;
use crate::address::bare;
use crate::connection::Connection;
use crate::fault::{Fault, Peer, Step};

struct Component;

#[allow(unsafe_code, reason = "generated: the functions that the host calls")]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

thread_local! {
    static CHANNEL: RefCell<control::Channel> = const { RefCell::new(control::Channel::Tls(None)) };
    static OPEN: RefCell<Vec<Weak<RefCell<Connection<Stream>>>>> = const { RefCell::new(Vec::new()) };
}

impl control::Guest for Component {
    fn choose(channel: control::Channel) {
        CHANNEL.set(channel);
    }

    fn say_goodbye() {
        let open = OPEN.take();
        open.iter()
            .filter_map(Weak::upgrade)
            .for_each(|connection| connection.borrow_mut().wire_mut().say_goodbye());
    }
}

impl wit::Guest for Component {
    type Connection = Open;
}

/// An open connection. Dropping it says goodbye on TLS and closes both directions at once.
struct Open(Rc<RefCell<Connection<Stream>>>);

impl wit::GuestConnection for Open {
    fn connect(host: String, port: u16, timeout_ms: u64) -> Result<wit::Connection, wit::TransportError> {
        let opened = open(bare(&host), port, timeout_ms).map_err(error)?;
        let opened = Rc::new(RefCell::new(opened));
        OPEN.with_borrow_mut(|open| {
            open.retain(|connection| connection.strong_count() > 0);
            open.push(Rc::downgrade(&opened));
        });
        Ok(wit::Connection::new(Self(opened)))
    }

    fn write(&self, bytes: Vec<u8>, timeout_ms: u64) -> Result<(), wit::TransportError> {
        self.0.borrow_mut().write(&bytes, timeout_ms).map_err(error)
    }

    fn read(&self, max_bytes: u32, timeout_ms: u64) -> Result<Vec<u8>, wit::TransportError> {
        self.0.borrow_mut().read(max_bytes, timeout_ms).map_err(error)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.borrow_mut().wire_mut().say_goodbye();
    }
}

fn open(host: &str, port: u16, timeout_ms: u64) -> Result<Connection<Stream>, Fault> {
    let until_ns = stream::now_ns().saturating_add(timeout_ms.saturating_mul(1_000_000));
    let channel = CHANNEL.with_borrow(Clone::clone);
    let name = match &channel {
        control::Channel::Plain => None,
        control::Channel::Tls(name) => Some(name.as_deref().unwrap_or(host)),
    };
    let peer = Peer::new(host, port, name.is_some());
    let socket = dial::dial(&peer, host, port, until_ns)?;
    let wire = match name {
        None => Stream::plain(socket),
        Some(name) => tls::secure(&peer, socket, name, until_ns)?,
    };
    Ok(Connection::new(wire, peer, name.is_some()))
}

fn error(fault: Fault) -> wit::TransportError {
    let step = match fault.step {
        Step::Permit => wit::TransportStep::Permit,
        Step::Resolve => wit::TransportStep::Resolve,
        Step::Connect => wit::TransportStep::Connect,
        Step::Handshake => wit::TransportStep::Handshake,
        Step::Write => wit::TransportStep::Write,
        Step::Read => wit::TransportStep::Read,
        Step::Timeout => wit::TransportStep::Timeout,
    };
    wit::TransportError { step, retryable: fault.retryable, message: fault.message }
}
