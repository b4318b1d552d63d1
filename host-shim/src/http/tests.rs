mod proxies;

use bytes::Bytes;
use http_body_util::Empty;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::testing::{Authority, acceptor};
use crate::tls::VERSIONS;

/// Answers every request with `response`, and passes on the head of each with the number of its connection.
async fn server(response: &'static [u8]) -> (Origin, UnboundedReceiver<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heads) = unbounded_channel();
    tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            connections += 1;
            let sender = sender.clone();
            tokio::spawn(async move {
                while let Some(head) = head(&mut socket).await {
                    sender.send((connections, head)).unwrap();
                    socket.write_all(response).await.unwrap();
                    // A response without a full body ends with the connection.
                    if !response.ends_with(b"{}") {
                        break;
                    }
                }
            });
        }
    });
    (Origin::parse(&format!("http://127.0.0.1:{port}")).unwrap(), heads)
}

/// Answers every connection over TLS with [`OK`], with a certificate for `name` of this authority.
async fn secure_server(name: &str) -> (Origin, Authority) {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue(name), None, &VERSIONS);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("https://{name}:{}", listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            stream.read_u8().await.unwrap();
            stream.write_all(OK).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (origin, authority)
}

async fn head(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(socket.read_u8().await.ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn api(origin: &Origin, trust: &Trust) -> Api {
    let way = Way::direct(trust.clone());
    Api::new(&Pool::default(), &way, Some(origin.clone()), Some(&Secret::new("user:secret")), None).unwrap()
}

async fn get(api: &Api, url: String, options: RequestOptions) -> Result<Bytes> {
    let body: WasiBody = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = http::Request::get(url).body(body).unwrap();
    Ok(api.clone().send(request, options).await?.into_body().collect().await?.to_bytes())
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[tokio::test]
async fn requests_share_a_connection_and_carry_the_hosts_authorization() {
    let (origin, mut heads) = server(OK).await;
    let api = api(&origin, &Trust::Public);
    for path in ["/one?a=1", "/two"] {
        assert_eq!(get(&api, format!("{origin}{path}"), RequestOptions::default()).await.unwrap(), "{}");
        let (connection, head) = heads.recv().await.unwrap();
        assert_eq!(connection, 1);
        assert!(head.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains("authorization: basic dxnlcjpzzwnyzxq=\r\n"), "{head}");
        assert!(head.contains(concat!("user-agent: whiskjack/", env!("CARGO_PKG_VERSION"))), "{head}");
    }
}

#[tokio::test]
async fn no_other_origin_is_reached() {
    let (origin, mut heads) = server(OK).await;
    let api = api(&origin, &Trust::Public);
    for url in
        [format!("https://127.0.0.1:{}/", origin.port()), format!("http://localhost:{}/", origin.port())]
    {
        let error = get(&api, url.clone(), RequestOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied), "{url}: {error:?}");
    }
    assert!(heads.try_recv().is_err());
}

#[test]
fn the_component_cannot_set_an_authorization_of_its_own() {
    let origin = Origin::parse("http://localhost").unwrap();
    let forbidden = api(&origin, &Trust::Public).forbidden_header_filter();
    assert!(forbidden(&AUTHORIZATION));
    assert!(forbidden(&http::header::HOST));
    assert!(!forbidden(&http::header::ACCEPT));
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_code() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed =
        Origin::parse(&format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    drop(listener);
    let error = get(&api(&closed, &Trust::Public), closed.to_string(), RequestOptions::default()).await;
    assert!(matches!(error, Err(Error::ConnectionRefused)), "{error:?}");

    let nowhere = Origin::parse("http://no-such-host.invalid").unwrap();
    let error = get(&api(&nowhere, &Trust::Public), nowhere.to_string(), RequestOptions::default()).await;
    assert!(matches!(error, Err(Error::DnsError { .. })), "{error:?}");

    let (origin, _heads) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), RequestOptions::default()).await;
    assert!(matches!(error, Err(Error::HttpResponseIncomplete)), "{error:?}");

    let (origin, _heads) = server(b"").await;
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), RequestOptions::default()).await;
    assert!(matches!(error, Err(Error::ConnectionTerminated)), "{error:?}");

    let (origin, _heads) = server(b"SSH-2.0-OpenSSH\r\n\r\n").await;
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), RequestOptions::default()).await;
    assert!(matches!(error, Err(Error::HttpProtocolError)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_explained_and_a_given_authority_is_trusted() {
    let (origin, authority) = secure_server("localhost").await;
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), RequestOptions::default()).await;
    let Err(Error::InternalError(Some(sentence))) = error else { panic!("{error:?}") };
    assert!(sentence.contains("`api.ca`"), "{sentence}");
    let mut params = serde_json::json!({"api": {"ca": authority.pem()}});
    let trust = crate::params::HostParams::take(params.as_object_mut().unwrap()).api_trust;
    assert_eq!(
        get(&api(&origin, &trust), origin.to_string(), RequestOptions::default()).await.unwrap(),
        "{}"
    );
}

#[tokio::test]
async fn without_verification_an_api_with_a_certificate_of_any_content_is_asked() {
    use crate::transport::tests::{kinds, programs::Files};
    let Some((files, shown)) = kinds::odd_certificates() else { return };
    let files: &Files = &files;
    for (what, cert, key) in shown {
        for version in ["-tls1_2", "-tls1_3"] {
            let program = kinds::shows(files, &cert, key, &[version, "-www"]);
            let origin = Origin::parse(&format!("https://127.0.0.1:{}", program.port)).unwrap();
            let answer =
                get(&api(&origin, &Trust::Anybody), format!("{origin}/"), RequestOptions::default()).await;
            let answer = answer.map_err(|error| format!("{what}, {version}: {error:?}")).unwrap();
            assert!(answer.starts_with(b"<HTML>"), "{what}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn waiting_has_an_end_for_the_answer_and_within_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin =
        Origin::parse(&format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    let soon = Some(Duration::from_millis(50));
    let options = RequestOptions { first_byte_timeout: soon, ..RequestOptions::default() };
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), options).await;
    assert!(matches!(error, Err(Error::HttpResponseTimeout)), "{error:?}");
    drop(listener);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin =
        Origin::parse(&format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        head(&mut socket).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    });
    let options = RequestOptions { between_bytes_timeout: soon, ..RequestOptions::default() };
    let error = get(&api(&origin, &Trust::Public), origin.to_string(), options).await;
    assert!(matches!(error, Err(Error::ConnectionReadTimeout)), "{error:?}");
}

/// The time in which somebody waits is all that counts, so the test is as fast as its limits are short.
#[tokio::test]
async fn a_body_that_trickles_or_does_not_end_has_an_end_without_a_deadline() {
    let short = Duration::from_millis(100);
    for (piece, limits) in [
        (&b"["[..], Limits { grace: short, ..Limits::default() }),
        (&[b' '; 4096], Limits { grace: short, whole: 2 * short, ..Limits::default() }),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin =
            Origin::parse(&format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
        let trickling = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            head(&mut socket).await;
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n").await.unwrap();
            // Until the other side has had enough.
            while socket.write_all(piece).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let mut api = api(&origin, &Trust::Public);
        api.body = limits;
        let error = get(&api, origin.to_string(), RequestOptions::default()).await;
        assert!(matches!(error, Err(Error::ConnectionReadTimeout)), "{error:?}");
        trickling.await.unwrap();
    }
}

#[tokio::test]
async fn the_pool_is_kept_while_trust_stays_the_same() {
    let (origin, mut heads) = server(OK).await;
    let pool = Pool::default();
    for (trust, connection) in [(Trust::Public, 1), (Trust::Public, 1), (Trust::Anybody, 2)] {
        let api = Api::new(&pool, &Way::direct(trust), Some(origin.clone()), None, None).unwrap();
        get(&api, origin.to_string(), RequestOptions::default()).await.unwrap();
        assert_eq!(heads.recv().await.unwrap().0, connection);
    }
}
