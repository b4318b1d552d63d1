//! S30: what each TLS failure is called. `cargo test -p whiskjack-host --lib messages -- --nocapture` prints all of it.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};

use super::*;

const HANDSHAKE: (TransportStep, bool) = (TransportStep::Handshake, false);
/// The step is the same, but a new connection may do better.
const BROKEN_HANDSHAKE: (TransportStep, bool) = (TransportStep::Handshake, true);
const BROKEN: (TransportStep, bool) = (TransportStep::Read, true);

/// Opens a connection, writes a window and waits for an answer. One of these must fail.
pub(super) async fn failure(port: u16, logstash: Value) -> TransportError {
    let mut connection = match open(port, logstash).await {
        Ok(connection) => connection,
        Err(error) => return error,
    };
    if let Err(error) = connection.write(b"2W\0\0\0\x012J\0\0\0\x01\0\0\0\x02{}", 5000).await {
        return error;
    }
    match connection.read(100, 5000).await {
        Ok(bytes) => panic!("it went well: {bytes:?}"),
        Err(error) => error,
    }
}

/// Prints the row of the table and checks it.
pub(super) async fn row(
    what: &str,
    port: u16,
    logstash: Value,
    (step, retryable): (TransportStep, bool),
    part: &str,
) {
    let error = failure(port, logstash).await;
    println!("| {what} | {} |", error.message.replace(&port.to_string(), "PORT"));
    assert!(error.message.contains(part), "{what}: {}", error.message);
    assert_eq!((error.step, error.retryable), (step, retryable), "{what}: {}", error.message);
}

#[tokio::test]
async fn h20_a_certificate_that_cannot_be_trusted_is_refused_with_its_reason() {
    let authority = Authority::new();
    let expired = authority.issue_with("127.0.0.1", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let early = authority.issue_with("127.0.0.1", |params| params.not_before = date_time_ymd(2999, 1, 1));
    let nameless = authority.issue_with("x", |params| params.subject_alt_names.clear());
    let clients = authority.issue_with("127.0.0.1", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let elsewhere = authority.issue_with("other.example.com", |params| {
        params.subject_alt_names.push(rcgen::SanType::IpAddress("10.0.0.7".parse().unwrap()));
    });
    let (good, ca) = (authority.issue("127.0.0.1"), authority.pem());
    let self_signed = self_signed_authority("127.0.0.1");
    for (what, issued, ca, part) in [
        (
            "unknown CA",
            &good,
            Authority::named("Other CA").pem(),
            "put the CA's certificate in `logstash.ca`",
        ),
        ("another CA of the same name", &good, Authority::new().pem(), "another CA of the same name"),
        ("self-signed", &self_signed, ca.clone(), "put that very certificate in `logstash.ca`"),
        ("expired", &expired, ca.clone(), "has expired"),
        ("not yet valid", &early, ca.clone(), "not valid yet"),
        ("name mismatch", &elsewhere, ca.clone(), "is for other.example.com, 10.0.0.7, not for 127.0.0.1"),
        ("no SAN", &nameless, ca.clone(), "no subject alternative names"),
        ("not for servers", &clients, ca.clone(), "not meant for servers"),
    ] {
        for tls13 in [false, true] {
            let (port, _server) = tls_server(issued, None, tls13).await;
            let what = format!("{what}, TLS 1.{}", if tls13 { 3 } else { 2 });
            row(&what, port, json!({ "ca": ca }), HANDSHAKE, part).await;
        }
    }
}

#[tokio::test]
async fn a_chain_that_lacks_an_issuer_or_has_one_out_of_date_is_told_with_the_issuers_name() {
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(2999, 1, 1);
    let root = Authority::named("Root CA");
    let (middle, old) = (root.subordinate("Middle CA"), root.subordinate_with("Old CA", expired));
    let new = root.subordinate_with("New CA", early);
    let chain = |authority: &Authority| {
        let Issued { cert, key } = authority.issue("127.0.0.1");
        Issued { cert: cert + &authority.pem(), key }
    };
    let other = Authority::named("Other CA").pem();
    for (what, issued, ca, part) in [
        (
            "intermediate certificate not sent",
            middle.issue("127.0.0.1"),
            root.pem(),
            "the chain that the server sends lacks the issuer `Middle CA`; if that is an intermediate CA, let the server send its \
             certificate too (the full chain)",
        ),
        ("root not trusted", chain(&middle), other, "lacks the issuer `Root CA`; "),
        (
            "intermediate certificate expired",
            chain(&old),
            root.pem(),
            "the certificate of a CA above the server's (`Old CA`) expired on 2020-01-01; let the server send the certificate that \
             replaced it",
        ),
        (
            "intermediate certificate not yet valid",
            chain(&new),
            root.pem(),
            "the certificate of a CA above the server's (`New CA`) is not valid before 2999-01-01; check the clocks",
        ),
    ] {
        let (port, _server) = tls_server(&issued, None, true).await;
        row(what, port, json!({ "ca": ca }), HANDSHAKE, part).await;
    }
    let (port, _server) = tls_server(&chain(&middle), None, true).await;
    open(port, json!({ "ca": root.pem() })).await.unwrap();
}

#[tokio::test]
async fn a_root_that_has_expired_is_trusted_all_the_same() {
    let root = Authority::named_with("Old Root", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let (port, _server) = tls_server(&root.issue("127.0.0.1"), None, true).await;
    open(port, json!({ "ca": root.pem() })).await.unwrap();
}

#[tokio::test]
async fn h18_a_client_certificate_that_is_missing_or_refused_is_a_handshake_error_whenever_it_shows() {
    let (authority, other) = (Authority::new(), Authority::named("Other CA"));
    let issued = authority.issue("127.0.0.1");
    let stranger = other.issue("client");
    let expired = authority.issue_with("client", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let server_only = authority.issue_with("client", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for tls13 in [false, true] {
        let version = if tls13 { "TLS 1.3" } else { "TLS 1.2" };
        let (port, _server) = tls_server(&issued, Some(&authority), tls13).await;
        let what = format!("client certificate wanted, {version}");
        let params = json!({"ca": authority.pem()});
        row(&what, port, params, HANDSHAKE, "wants a client certificate").await;
        for (what, client, part) in [
            ("of an unknown CA", &stranger, "does not trust the CA that issued it"),
            ("that has expired", &expired, "has expired"),
            ("not for clients", &server_only, "server refused the client certificate"),
        ] {
            let (port, _server) = tls_server(&issued, Some(&authority), tls13).await;
            let what = format!("client certificate {what}, {version}");
            let params = json!({"ca": authority.pem(), "cert": client.cert, "key": client.key});
            row(&what, port, params, HANDSHAKE, part).await;
        }
    }
}

#[tokio::test]
async fn versions_that_do_not_overlap_are_told() {
    let authority = Authority::new();
    for (tls13, limit, version) in [(false, "minVersion", "TLSv1.3"), (true, "maxVersion", "TLSv1.2")] {
        let (port, _server) = tls_server(&authority.issue("127.0.0.1"), None, tls13).await;
        let what = format!("version mismatch, {limit} {version}");
        let params = json!({"ca": authority.pem(), limit: version});
        row(&what, port, params, HANDSHAKE, "no common TLS version").await;
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told_apart() {
    let (port, _server) = server(|mut socket| async move {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    row("TLS to a plain port that answers", port, json!({}), HANDSHAKE, "does not speak TLS").await;

    // Nothing was read of the hello, so the kernel resets the connection.
    let (port, _server) = server(|socket| async move {
        socket.peek(&mut [0]).await.unwrap();
        drop(socket);
    })
    .await;
    row("TLS to a plain port that resets", port, json!({}), BROKEN_HANDSHAKE, "reset").await;

    let (port, _server) = server(|mut socket| async move {
        socket.read_buf(&mut BytesMut::with_capacity(65536)).await.unwrap();
    })
    .await;
    row("TLS to a plain port that closes", port, json!({}), BROKEN_HANDSHAKE, "closed by the other side")
        .await;
}

#[tokio::test]
async fn h15_a_port_that_wants_tls_is_told_apart() {
    let acceptor = acceptor(&Authority::new().issue("127.0.0.1"), None, &VERSIONS);
    let plain = json!({"tls": false});
    let (port, _server) = server(move |socket| async move {
        acceptor.accept(socket).await.map(|_| ()).unwrap_err();
    })
    .await;
    row("plain to a TLS port that sends an alert", port, plain.clone(), HANDSHAKE, "this port wants it")
        .await;

    let (port, _server) = server(|socket| async move {
        socket.peek(&mut [0]).await.unwrap();
        drop(socket);
    })
    .await;
    row("plain to a port that resets", port, plain.clone(), BROKEN, "if the port wants TLS").await;

    let (port, _server) = server(|mut socket| async move {
        socket.read_buf(&mut BytesMut::with_capacity(65536)).await.unwrap();
    })
    .await;
    row("plain to a port that closes", port, plain, BROKEN, "if the port wants TLS").await;
}

#[tokio::test]
async fn h17_a_receiver_that_closes_right_after_the_handshake_may_want_a_client_certificate() {
    let authority = Authority::new();
    let client = authority.issue("client");
    let params = json!({"ca": authority.pem()});
    let showing = json!({"ca": authority.pem(), "cert": client.cert, "key": client.key});
    for (what, asks, params, part) in [
        ("closed after the handshake", false, &params, "it asked for no client certificate"),
        (
            "closed after it asked for a client certificate",
            true,
            &params,
            "put one and its key in `logstash.cert`",
        ),
        ("closed after it got a client certificate", true, &showing, "may not accept the client certificate"),
    ] {
        let asked_by = asks.then_some(&authority);
        let acceptor = lenient_acceptor(&authority.issue("127.0.0.1"), asked_by);
        let (port, _server) = server(move |socket| async move {
            let mut stream = acceptor.accept(socket).await.unwrap();
            stream.shutdown().await.ok();
            // What the client sends is read, so that nothing is reset.
            stream.read_to_end(&mut Vec::new()).await.ok();
        })
        .await;
        row(what, port, params.clone(), BROKEN, part).await;
    }
}

#[tokio::test(start_paused = true)]
async fn h19_s31_a_hello_that_is_never_answered_is_a_timeout_below_the_receivers_ten_seconds() {
    let (port, _server) = server(|socket| async move {
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let began = Instant::now();
    let mut logstash = json!({"host": "127.0.0.1", "port": port});
    let params = HostParams::take(json!({"logstash": logstash.take()}).as_object_mut().unwrap());
    let error = Connection::open(&params.receivers, &params.security, None, "127.0.0.1", port, 60_000)
        .await
        .map(|_| ())
        .unwrap_err();
    println!("| handshake never answered | {} |", error.message.replace(&port.to_string(), "PORT"));
    assert_eq!((error.step, error.retryable), (TransportStep::Timeout, true));
    assert!(error.message.contains("left the TLS handshake unanswered"), "{}", error.message);
    assert_eq!(began.elapsed().as_secs(), 9);
}
