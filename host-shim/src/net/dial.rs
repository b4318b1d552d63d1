//! From a host name to an open socket: every address of the name gets its chance.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::fault::ProxyFault;
use super::plain;

/// An address that has not answered for so long gets company by the next one (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Most addresses told in an error.
const TOLD: usize = 4;

/// Why no socket could be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the name {name} cannot be resolved ({cause})")]
    Resolve { name: String, cause: String },
    /// At least one address refused; the last refusal's kind.
    #[error("{cause}")]
    Connect { kind: io::ErrorKind, cause: String },
    #[error("no address answered in time ({tried})")]
    Timeout { tried: String },
    /// It was to go through a proxy.
    #[error(transparent)]
    Proxy(ProxyFault),
}

/// Knows the addresses of names.
pub(crate) trait Resolver {
    /// All addresses of `host`, best first, with `port`.
    fn addresses(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// The operating system's resolver. It is asked at each connect: an address may change while a container sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemResolver;

impl Resolver for SystemResolver {
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// Opens a socket to `host`, by `deadline` at the latest.
pub(crate) async fn dial(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, DialError> {
    dial_with(&SystemResolver, host, port, deadline).await
}

/// As [`dial`], with the addresses of another resolver.
pub(crate) async fn dial_with(
    resolver: &impl Resolver,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, DialError> {
    let fault = |cause: String| DialError::Resolve { name: host.to_owned(), cause };
    let addresses = match timeout_at(deadline, resolver.addresses(host, port)).await {
        Ok(Ok(addresses)) if addresses.is_empty() => return Err(fault("it has no address".to_owned())),
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(fault(plain(&error))),
        Err(_) => return Err(fault("the name server did not answer in time".to_owned())),
    };
    first_to_accept(addresses, deadline).await.map_err(|error| error.of(&super::authority(host, port)))
}

impl DialError {
    /// Without the address, where that is the name itself, which stands before it.
    fn of(self, name: &str) -> Self {
        match self {
            Self::Connect { kind, cause } => {
                let own = cause.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
                Self::Connect { kind, cause: own.unwrap_or(&cause).to_owned() }
            }
            Self::Timeout { tried } if tried == name => Self::Timeout { tried: "the only one".to_owned() },
            other => other,
        }
    }
}

/// Tries one address after the other. One that does not answer goes on trying beside the next ones, up to the deadline, so that
/// neither a dead address nor a slow one spoils the rest.
async fn first_to_accept(addresses: Vec<SocketAddr>, deadline: Instant) -> Result<TcpStream, DialError> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    // With little time left the last one must still get a share of it.
    let head_start = HEAD_START.min(deadline.saturating_duration_since(Instant::now()) / count);
    let mut silent = Vec::new();
    let mut refusals: Vec<(io::ErrorKind, String)> = Vec::new();
    let mut waiting = families_in_turn(addresses);
    let mut attempts = JoinSet::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            silent.push(address);
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let turn = if waiting.is_empty() { deadline } else { deadline.min(Instant::now() + head_start) };
        match timeout_at(turn, attempts.join_next()).await {
            Ok(Some(Ok((_, Ok(stream))))) => {
                // Windows are written in one piece: waiting for more to send only delays their acknowledgement.
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Ok(Some(Ok((address, Err(error))))) => {
                silent.retain(|other| *other != address);
                refusals.push((error.kind(), format!("{address}: {}", plain(&error))));
            }
            // Attempts are never cancelled and do not panic.
            Ok(Some(Err(_))) => {}
            Ok(None) if waiting.is_empty() => break,
            Ok(None) => {}
            Err(_) if Instant::now() >= deadline => break,
            Err(_) => {}
        }
    }
    let silent: Vec<String> = silent.iter().map(ToString::to_string).collect();
    match refusals.last() {
        None => Err(DialError::Timeout { tried: told(&silent) }),
        Some((kind, _)) => {
            let refused: Vec<String> = refusals.iter().map(|(_, cause)| cause.clone()).collect();
            let cause = match silent.is_empty() {
                true => told(&refused),
                false => format!("{}; no answer in time from {}", told(&refused), told(&silent)),
            };
            Err(DialError::Connect { kind: *kind, cause })
        }
    }
}

/// IPv6 and IPv4 by turns, beginning with the kind that the resolver thinks best: where one of the two leads nowhere, it does so
/// for all addresses of its kind.
fn families_in_turn(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = VecDeque::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

fn told(items: &[String]) -> String {
    let shown: Vec<&str> = items.iter().take(TOLD).map(String::as_str).collect();
    match items.len().saturating_sub(TOLD) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;
    use crate::net::instant_in;

    /// Answers with one list after the other.
    struct Scripted(Mutex<VecDeque<Vec<SocketAddr>>>);

    impl Scripted {
        fn new(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Self {
            Self(Mutex::new(answers.into_iter().collect()))
        }
    }

    impl Resolver for Scripted {
        async fn addresses(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.lock().unwrap().pop_front().unwrap_or_default())
        }
    }

    async fn live() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    async fn refusing() -> SocketAddr {
        live().await.1
    }

    /// An address that neither accepts nor refuses: its queue is full, so the kernel drops what else comes.
    async fn dead() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            queue.push(stream);
        }
        (address, listener, queue)
    }

    async fn reached(resolver: &Scripted, timeout_ms: u64) -> Result<SocketAddr, DialError> {
        dial_with(resolver, "logs.example.com", 1, instant_in(timeout_ms))
            .await
            .map(|stream| stream.peer_addr().unwrap())
    }

    #[tokio::test]
    async fn h34_of_a_dead_and_a_live_address_the_live_one_is_reached_within_the_connect_timeout() {
        let (_listener, live) = live().await;
        let (dead, _full, _queue) = dead().await;
        for (addresses, timeout_ms) in
            [(vec![dead, live], 2000), (vec![live, dead], 2000), (vec![dead, refusing().await, live], 200)]
        {
            assert_eq!(reached(&Scripted::new([addresses]), timeout_ms).await.unwrap(), live);
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_again_at_each_connect() {
        let ((_one, first), (_other, second)) = (live().await, live().await);
        let resolver = Scripted::new([vec![first], vec![second], vec![]]);
        assert_eq!(reached(&resolver, 5000).await.unwrap(), first);
        assert_eq!(reached(&resolver, 5000).await.unwrap(), second);
        let error = reached(&resolver, 5000).await.unwrap_err();
        assert_eq!(error.to_string(), "the name logs.example.com cannot be resolved (it has no address)");
    }

    #[tokio::test]
    async fn every_address_that_failed_is_told() {
        let (one, other) = (refusing().await, refusing().await);
        let (dead, _full, _queue) = dead().await;
        let error = reached(&Scripted::new([vec![one, dead, other]]), 300).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{one}: connection refused, {other}: connection refused; no answer in time from {dead}")
        );
        let error = reached(&Scripted::new([vec![dead]]), 100).await.unwrap_err();
        assert_eq!(error.to_string(), format!("no address answered in time ({dead})"));
    }

    #[test]
    fn families_take_turns() {
        let parse =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = families_in_turn(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]));
        assert_eq!(mixed, parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]));
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_a_refused_connection() {
        let address = refusing().await;
        let error = dial("127.0.0.1", address.port(), instant_in(5000)).await.unwrap_err();
        assert!(
            matches!(error, DialError::Connect { kind: io::ErrorKind::ConnectionRefused, .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_named() {
        let error = dial("no-such-host.invalid", 1, instant_in(5000)).await.unwrap_err();
        assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
    }
}
