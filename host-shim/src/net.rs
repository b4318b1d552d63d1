//! TCP: from a host name to an open socket, and the byte stream on top of it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

/// Why no socket could be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the name {name} cannot be resolved ({cause})")]
    Resolve { name: String, cause: String },
    #[error("{cause}")]
    Connect { kind: io::ErrorKind, cause: String },
    #[error("no address answered in time ({tried})")]
    Timeout { tried: String },
}

/// Opens a socket to the first address of `host` that accepts, by `deadline` at the latest.
///
/// Each address gets an equal share of the time that is left, so that one that never answers does not starve the next.
pub(crate) async fn dial(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, DialError> {
    let addresses = resolve(host, port, deadline).await?;
    let mut refusal: Option<(io::ErrorKind, String)> = None;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in &addresses {
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Windows are written in one piece: waiting for more to send only delays their acknowledgement.
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Ok(Err(error)) => refusal = Some((error.kind(), format!("{address}: {}", plain(&error)))),
            Err(_) => {}
        }
    }
    match refusal {
        Some((kind, cause)) => Err(DialError::Connect { kind, cause }),
        None => Err(DialError::Timeout {
            tried: addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }),
    }
}

async fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, DialError> {
    let fault = |cause: String| DialError::Resolve { name: host.to_owned(), cause };
    match timeout_at(deadline, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(addresses)) => match addresses.collect::<Vec<_>>() {
            none if none.is_empty() => Err(fault("it has no address".to_owned())),
            addresses => Ok(addresses),
        },
        Ok(Err(error)) => Err(fault(plain(&error))),
        Err(_) => Err(fault("the name server did not answer in time".to_owned())),
    }
}

/// The error in words, without the operating system's number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

/// `host:port`, with brackets around an IPv6 address.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The instant that lies `milliseconds` ahead; a year for anything longer.
pub(crate) fn instant_in(milliseconds: u64) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + Duration::from_millis(milliseconds).min(YEAR)
}

/// Bytes in the clear or over TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Says goodbye on TLS, as far as the socket takes it at once. The socket itself stays open in both directions until dropped.
    pub(crate) fn send_close_notify(&mut self) {
        if let Stream::Tls(stream) = self {
            let (socket, tls) = stream.get_mut();
            tls.send_close_notify();
            while tls.wants_write() {
                match tls.write_tls(&mut WriteNow(socket)) {
                    Ok(count) if count > 0 => {}
                    _ => break,
                }
            }
        }
    }
}

/// Writes what the socket takes without waiting.
struct WriteNow<'a>(&'a TcpStream);

impl io::Write for WriteNow<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_a_refused_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = dial("127.0.0.1", port, instant_in(5000)).await.unwrap_err();
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

    #[test]
    fn an_ipv6_address_is_shown_in_brackets() {
        assert_eq!(authority("::1", 5044), "[::1]:5044");
        assert_eq!(authority("logstash", 5044), "logstash:5044");
    }
}
