//! From a host name to an open socket: every address of the name gets its chance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wasi::io::poll::Pollable;
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use super::stream::{Socket, now_ns, wait_for};
use crate::address::{families_in_turn, literal};
use crate::fault::{Fault, Peer};

/// An address that has not answered for so long gets company by the next one (RFC 8305, section 5).
const HEAD_START_NS: u64 = 250_000_000;

/// Opens a socket to `host`, by `until_ns` at the latest.
pub(super) fn dial(peer: &Peer, host: &str, port: u16, until_ns: u64) -> Result<Socket, Fault> {
    let addresses = match literal(host) {
        Some(address) => vec![address],
        None => look_up(peer, host, until_ns)?,
    };
    first_to_accept(peer, families_in_turn(addresses, port), until_ns)
}

fn look_up(peer: &Peer, host: &str, until_ns: u64) -> Result<Vec<IpAddr>, Fault> {
    let failed = |code: ErrorCode| match code {
        // What wasmtime says when it was not allowed to look up names; one that does not exist has another code.
        ErrorCode::PermanentResolverFailure | ErrorCode::AccessDenied => peer.lookup_denied(),
        code => peer.unresolved(&format!("the name cannot be resolved ({})", words(code))),
    };
    let answers = resolve_addresses(&instance_network(), host).map_err(failed)?;
    let ready = answers.subscribe();
    let mut addresses = Vec::new();
    loop {
        match answers.resolve_next_address() {
            Ok(Some(address)) => addresses.push(ip(address)),
            Ok(None) if addresses.is_empty() => return Err(peer.unresolved("the name has no address")),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) if now_ns() >= until_ns => {
                return Err(peer.unresolved("the name server did not answer in time"));
            }
            Err(ErrorCode::WouldBlock) => wait_for([&ready].into_iter(), until_ns),
            Err(code) => return Err(failed(code)),
        }
    }
}

/// A connection that is being made. The pollable must go before its socket.
struct Attempt {
    ready: Pollable,
    socket: TcpSocket,
    address: SocketAddr,
}

impl Attempt {
    fn start(address: SocketAddr) -> Result<Self, ErrorCode> {
        let family = match address {
            SocketAddr::V4(_) => IpAddressFamily::Ipv4,
            SocketAddr::V6(_) => IpAddressFamily::Ipv6,
        };
        let socket = create_tcp_socket(family)?;
        socket.start_connect(&instance_network(), socket_address(address))?;
        Ok(Self { ready: socket.subscribe(), socket, address })
    }

    /// None as long as there is no answer.
    fn finish(self) -> Result<Result<Socket, ErrorCode>, Self> {
        match self.socket.finish_connect() {
            Ok((input, output)) => {
                drop(self.ready);
                Ok(Ok(Socket { input, output, socket: self.socket }))
            }
            Err(ErrorCode::WouldBlock) => Err(self),
            Err(code) => Ok(Err(code)),
        }
    }
}

/// Tries one address after the other. One that does not answer goes on trying beside the next ones, up to `until_ns`, so that neither a
/// dead address nor a slow one spoils the rest.
fn first_to_accept(peer: &Peer, addresses: Vec<SocketAddr>, until_ns: u64) -> Result<Socket, Fault> {
    let count = u64::try_from(addresses.len()).unwrap_or(u64::MAX).max(1);
    // With little time left the last one must still get a share of it.
    let head_start = HEAD_START_NS.min(until_ns.saturating_sub(now_ns()) / count);
    let mut waiting = addresses.into_iter();
    let (mut attempts, mut refused, mut denied) = (Vec::new(), Vec::new(), 0_usize);
    let mut refuse = |address: SocketAddr, code: ErrorCode| {
        denied += usize::from(code == ErrorCode::AccessDenied);
        refused.push(format!("{address}: {}", words(code)));
        (denied, refused.len())
    };
    let mut counts = (0, 0);
    loop {
        let next = waiting.next();
        let last = next.is_none();
        if let Some(address) = next {
            match Attempt::start(address) {
                Ok(attempt) => attempts.push(attempt),
                Err(code) => counts = refuse(address, code),
            }
        } else if attempts.is_empty() || now_ns() >= until_ns {
            break;
        }
        if !attempts.is_empty() {
            let turn = if last { until_ns } else { until_ns.min(now_ns().saturating_add(head_start)) };
            wait_for(attempts.iter().map(|attempt: &Attempt| &attempt.ready), turn);
        }
        for attempt in std::mem::take(&mut attempts) {
            let address = attempt.address;
            match attempt.finish() {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(code)) => counts = refuse(address, code),
                Err(attempt) => attempts.push(attempt),
            }
        }
    }
    let silent: Vec<String> = attempts.iter().map(|attempt| attempt.address.to_string()).collect();
    match counts {
        (denied, all) if denied > 0 && denied == all && silent.is_empty() => Err(peer.network_denied()),
        _ => Err(peer.unreachable(&refused, &silent)),
    }
}

fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

fn socket_address(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: address.scope_id(),
            })
        }
    }
}

/// The code as the WIT spells it, in words: `connection refused`.
fn words(code: ErrorCode) -> String {
    code.name().replace('-', " ")
}
