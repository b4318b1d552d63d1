pub(crate) mod kinds;
mod messages;
mod pins;
pub(crate) mod programs;
mod proxies;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::params::HostParams;
use crate::testing::{Authority, Issued, acceptor, lenient_acceptor, self_signed_authority};
use crate::tls::VERSIONS;

/// Accepts one connection and hands it to `serve`. Listening before this returns, so nobody has to wait.
async fn server<F, T>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> (u16, JoinHandle<T>)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, tokio::spawn(async move { serve(listener.accept().await.unwrap().0).await }))
}

/// Asks the system itself, so that the runtime knows no more than before.
fn until_the_system_has_bytes(connection: &Connection) {
    use std::os::fd::AsFd;
    let socket = match &connection.stream {
        Stream::Plain(socket) => socket,
        Stream::Tls(stream) => stream.get_ref().0,
    };
    let socket = std::net::TcpStream::from(socket.as_fd().try_clone_to_owned().unwrap());
    while socket.peek(&mut [0]).is_err() {
        std::thread::yield_now();
    }
}

trait AsyncStream: AsyncWrite + Unpin + Send {}
impl<T: AsyncWrite + Unpin + Send> AsyncStream for T {}

/// Opens a connection the way a run does, from parameters.
async fn open(port: u16, mut logstash: Value) -> Result<Connection, TransportError> {
    let host = logstash.get("host").and_then(Value::as_str).unwrap_or("127.0.0.1").to_owned();
    logstash["host"] = json!(host);
    logstash["port"] = json!(port);
    let params = HostParams::take(json!({ "logstash": logstash }).as_object_mut().unwrap());
    assert!(params.faults.is_empty(), "{:?}", params.faults);
    Connection::open(&params.receivers, &params.security, params.receiver_proxy.as_ref(), &host, port, 5000)
        .await
}

/// A TLS server that goes on reading until the client is done, and says how that ended.
async fn tls_server(
    issued: &Issued,
    clients: Option<&Authority>,
    tls13: bool,
) -> (u16, JoinHandle<io::Result<Vec<u8>>>) {
    let acceptor = acceptor(issued, clients, if tls13 { &VERSIONS[1..] } else { &VERSIONS[..1] });
    server(move |socket| async move {
        let mut stream = acceptor.accept(socket).await?;
        let mut all = Vec::new();
        stream.write_all(b"hello").await?;
        stream.flush().await?;
        stream.read_to_end(&mut all).await?;
        Ok(all)
    })
    .await
}

fn refused(result: Result<Connection, TransportError>) -> TransportError {
    result.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn nobody_but_the_configured_receiver_is_reached() {
    let error = Connection::open(&Receivers::default(), &Security::Plain, None, "127.0.0.1", 1, 100)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!((error.step, error.retryable), (TransportStep::Permit, false));
    assert!(error.message.contains("127.0.0.1:1"), "{}", error.message);
}

#[tokio::test]
async fn plain_bytes_go_both_ways_and_the_end_is_empty() {
    let (port, server) = server(|mut socket| async move {
        let mut bytes = [0; 4];
        socket.read_exact(&mut bytes).await.unwrap();
        socket.write_all(b"pong").await.unwrap();
        bytes
    })
    .await;
    let mut connection = open(port, json!({"tls": false})).await.unwrap();
    connection.write(b"ping", 5000).await.unwrap();
    assert_eq!(server.await.unwrap(), *b"ping");
    assert_eq!(connection.read(2, 5000).await.unwrap(), b"po");
    assert_eq!(connection.read(100, 5000).await.unwrap(), b"ng");
    assert_eq!(connection.read(100, 5000).await.unwrap(), b"");
}

#[tokio::test]
async fn a_silent_receiver_is_a_timeout_and_the_connection_stays_good() {
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let (port, _server) = server(|mut socket| async move {
        gone.await.unwrap();
        socket.write_all(b"late").await.unwrap();
        socket.read_u8().await.ok();
    })
    .await;
    let mut connection = open(port, json!({"tls": false})).await.unwrap();
    let error = connection.read(10, 1).await.unwrap_err();
    assert_eq!((error.step, error.retryable), (TransportStep::Timeout, true));
    go.send(()).unwrap();
    assert_eq!(connection.read(10, 5000).await.unwrap(), b"late");
}

#[tokio::test]
async fn s18_what_the_receiver_says_during_a_write_is_read_meanwhile() {
    const SENT: usize = 16 << 20;
    let (port, server) = server(|mut socket| async move {
        // Acknowledges before it reads: the write cannot end before these bytes are there.
        socket.write_all(b"2A\0\0\0\x01").await.unwrap();
        let mut all = vec![0; SENT];
        socket.read_exact(&mut all).await.unwrap();
        socket
    })
    .await;
    let mut connection = open(port, json!({"tls": false})).await.unwrap();
    connection.write(&vec![7; SENT], 20_000).await.unwrap();
    assert_eq!(&connection.received[..], b"2A\0\0\0\x01");
    drop(server);
}

#[tokio::test]
async fn h1_a_receiver_that_never_reads_is_a_timeout_and_nothing_follows_half_a_frame() {
    let (port, _server) = server(|socket| async move {
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let mut connection = open(port, json!({"tls": false})).await.unwrap();
    let error = connection.write(&vec![7; 64 << 20], 100).await.unwrap_err();
    assert_eq!(error.step, TransportStep::Timeout);
    assert!(connection.write(b"more", 5000).await.is_err());
}

#[tokio::test]
async fn s20_tls_with_the_given_authority_works_and_ends_with_a_goodbye() {
    let authority = Authority::new();
    for tls13 in [false, true] {
        let (port, server) = tls_server(&authority.issue("localhost"), None, tls13).await;
        let mut connection = open(port, json!({"ca": authority.pem(), "host": "localhost"}))
            .await
            .map_err(|e| e.message)
            .unwrap();
        connection.write(b"bytes", 5000).await.unwrap();
        assert_eq!(connection.read(100, 5000).await.unwrap(), b"hello");
        drop(connection);
        // Without a goodbye this would be an error: unexpected end.
        assert_eq!(server.await.unwrap().unwrap(), b"bytes");
    }
}

#[tokio::test]
async fn the_name_to_check_may_be_given() {
    let authority = Authority::new();
    let (port, _server) = tls_server(&authority.issue("logs.example.com"), None, true).await;
    open(port, json!({"ca": authority.pem(), "servername": "logs.example.com"}))
        .await
        .map_err(|e| e.message)
        .unwrap();
}

#[tokio::test]
async fn verification_can_be_turned_off() {
    let (port, _server) = tls_server(&Authority::new().issue("other"), None, true).await;
    open(port, json!({"rejectUnauthorized": false})).await.map_err(|e| e.message).unwrap();
}

#[tokio::test]
async fn a_self_signed_certificate_given_as_the_authority_is_accepted_under_its_own_name_only() {
    let issued = self_signed_authority("localhost");
    let (port, _server) = tls_server(&issued, None, true).await;
    open(port, json!({"ca": issued.cert, "host": "localhost"})).await.map_err(|e| e.message).unwrap();
    let (port, _server) = tls_server(&issued, None, true).await;
    let error = refused(open(port, json!({"ca": issued.cert})).await);
    assert!(error.message.contains("is for localhost, not for 127.0.0.1"), "{}", error.message);
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let authority = Authority::new();
    let client = authority.issue("client");
    let (port, _server) = tls_server(&authority.issue("127.0.0.1"), Some(&authority), true).await;
    let mut connection = open(port, json!({"ca": [authority.pem()], "cert": client.cert, "key": client.key}))
        .await
        .map_err(|e| e.message)
        .unwrap();
    assert_eq!(connection.read(100, 5000).await.unwrap(), b"hello");
}

#[tokio::test(start_paused = true)]
async fn a_read_without_patience_costs_no_time_and_finds_what_has_come() {
    let authority = Authority::new();
    for tls in [false, true] {
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (said, heard) = tokio::sync::oneshot::channel::<()>();
        let acceptor = acceptor(&authority.issue("127.0.0.1"), None, &VERSIONS);
        let (port, _server) = server(move |socket| async move {
            let mut stream: Box<dyn AsyncStream> =
                if tls { Box::new(acceptor.accept(socket).await.unwrap()) } else { Box::new(socket) };
            gone.await.unwrap();
            stream.write_all(b"2A\0\0\0\x07").await.unwrap();
            stream.flush().await.unwrap();
            said.send(()).unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let mut connection = open(port, json!({"tls": tls, "ca": authority.pem()})).await.unwrap();
        let before = Instant::now();
        for _ in 0..100 {
            assert_eq!(connection.read(100, 0).await.unwrap_err().step, TransportStep::Timeout);
        }
        go.send(()).unwrap();
        heard.await.unwrap();
        until_the_system_has_bytes(&connection);
        assert_eq!(connection.read(100, 0).await.unwrap(), b"2A\0\0\0\x07");
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}

#[tokio::test]
async fn s19_bytes_arrive_whole_through_a_tiny_window_and_answers_in_single_bytes() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue("127.0.0.1"), None, &VERSIONS);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let length = sent.len();
    let server = tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut all = vec![0; length];
        for piece in all.chunks_mut(997) {
            stream.read_exact(piece).await.unwrap();
        }
        for byte in b"2A\0\0\0\x07" {
            stream.write_all(&[*byte]).await.unwrap();
            stream.flush().await.unwrap();
        }
        stream.read_u8().await.ok();
        all
    });
    let mut connection = open(port, json!({"ca": authority.pem()})).await.unwrap();
    connection.write(&sent, 20_000).await.unwrap();
    let mut answer = Vec::new();
    while answer.len() < 6 {
        answer.extend(connection.read(100, 5000).await.unwrap());
    }
    assert_eq!(answer, b"2A\0\0\0\x07");
    drop(connection);
    assert!(server.await.unwrap() == sent);
}
