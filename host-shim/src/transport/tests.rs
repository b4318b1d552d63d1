use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::params::HostParams;
use crate::testing::{Authority, Issued, acceptor, self_signed_authority};
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

/// Opens a connection the way a run does, from parameters.
async fn open(port: u16, mut logstash: Value) -> Result<Connection, TransportError> {
    let host = logstash.get("host").and_then(Value::as_str).unwrap_or("127.0.0.1").to_owned();
    logstash["host"] = json!(host);
    logstash["port"] = json!(port);
    let params = HostParams::take(json!({ "logstash": logstash }).as_object_mut().unwrap());
    assert!(params.faults.is_empty(), "{:?}", params.faults);
    Connection::open(params.receiver.as_ref(), &params.security, &host, port, 5000).await
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
    let error = Connection::open(None, &Security::Plain, "127.0.0.1", 1, 100).await.map(|_| ()).unwrap_err();
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
async fn what_the_receiver_says_during_a_write_is_read_meanwhile() {
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
async fn a_receiver_that_never_reads_is_a_timeout_and_nothing_follows_half_a_frame() {
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
async fn tls_with_the_given_authority_works_and_ends_with_a_goodbye() {
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
async fn a_certificate_that_cannot_be_trusted_is_refused_with_its_reason() {
    let authority = Authority::new();
    let expired =
        authority.issue_with("127.0.0.1", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early =
        authority.issue_with("127.0.0.1", |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1));
    let nameless = authority.issue_with("x", |params| params.subject_alt_names.clear());
    let (good, ca) = (authority.issue("127.0.0.1"), authority.pem());
    for (issued, ca, part) in [
        (&good, Authority::named("Other CA").pem(), "put the CA's certificate in `logstash.ca`"),
        (&good, Authority::new().pem(), "another CA of the same name"),
        (&expired, ca.clone(), "has expired"),
        (&early, ca.clone(), "not valid yet"),
        (&nameless, ca.clone(), "no subject alternative names"),
        (&authority.issue("other.example.com"), ca, "is for other.example.com, not for 127.0.0.1"),
    ] {
        let (port, _server) = tls_server(issued, None, true).await;
        let error = refused(open(port, json!({ "ca": ca })).await);
        assert_eq!((error.step, error.retryable), (TransportStep::Handshake, false));
        assert!(error.message.contains(part), "{}", error.message);
        assert!(error.message.contains(&port.to_string()), "{}", error.message);
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
async fn a_missing_client_certificate_is_a_handshake_error_whenever_it_shows() {
    let authority = Authority::new();
    let issued = authority.issue("127.0.0.1");
    let (port, _server) = tls_server(&issued, Some(&authority), false).await;
    let error = refused(open(port, json!({"ca": authority.pem()})).await);
    assert_eq!((error.step, error.retryable), (TransportStep::Handshake, false));
    assert!(error.message.contains("logstash.cert"), "{}", error.message);

    // Under TLS 1.3 the client's side of the handshake ends before the server has looked.
    let (port, _server) = tls_server(&issued, Some(&authority), true).await;
    let mut connection = open(port, json!({"ca": authority.pem()})).await.map_err(|e| e.message).unwrap();
    let error = match connection.write(b"bytes", 5000).await {
        Ok(()) => connection.read(100, 5000).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!((error.step, error.retryable), (TransportStep::Handshake, false));
    assert!(error.message.contains("logstash.cert"), "{}", error.message);
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

#[tokio::test]
async fn a_port_without_tls_is_told_apart() {
    let (port, _server) = server(|mut socket| async move {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        socket.read_u8().await.ok();
        std::future::pending::<()>().await;
    })
    .await;
    let error = refused(open(port, json!({})).await);
    assert_eq!(error.step, TransportStep::Handshake);
    assert!(error.message.contains("does not speak TLS"), "{}", error.message);
}

#[tokio::test]
async fn versions_that_do_not_overlap_are_told() {
    let authority = Authority::new();
    let (port, _server) = tls_server(&authority.issue("127.0.0.1"), None, false).await;
    let error = refused(open(port, json!({"ca": authority.pem(), "minVersion": "TLSv1.3"})).await);
    assert!(error.message.contains("no common TLS version"), "{}", error.message);
}
