//! Proxies that speak another protocol than that of their scheme.

use tokio::io::{AsyncBufReadExt, BufReader};

use super::*;

#[tokio::test]
async fn a_proxy_that_answers_in_another_language_is_told_with_its_own_scheme() {
    const HTTP: &[&[u8]] = &[b"HTTP/1.1 400 Bad Request\r\n\r\n"];
    let fault = refusal("socks5://", HTTP).await;
    let place = fault.to_string().rsplit("//").next().unwrap().to_owned();
    assert!(
        fault.to_string().ends_with(&format!("speaks HTTP, not SOCKS 5; give it as http://{place}")),
        "{fault}"
    );
    assert!(!fault.retryable && place.starts_with("127.0.0.1:"), "{fault}");
    let fault = refusal("http://", &[b"\x05\xff"]).await;
    assert!(
        fault.to_string().contains("speaks SOCKS 5, not HTTP; give it as socks5://127.0.0.1:"),
        "{fault}"
    );
    assert!(!fault.retryable, "{fault}");
}

#[tokio::test]
async fn a_proxy_that_expects_tls_is_told_as_such() {
    let acceptor = crate::testing::acceptor(
        &crate::testing::Authority::new().issue("proxy"),
        None,
        &crate::tls::VERSIONS,
    );
    let port = listening(move |socket| acceptor.clone().accept(socket)).await;
    for scheme in ["http", "socks5h"] {
        let proxy = parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let fault = through(&proxy, "logs.example.com", 5044, instant_in(5000)).await.map(drop).unwrap_err();
        assert!(fault.to_string().contains("expects TLS on this port") && !fault.retryable, "{fault}");
    }
}

#[tokio::test]
async fn a_proxy_that_waits_for_the_rest_of_a_greeting_is_told_long_before_its_time_is_up() {
    // As tinyproxy: it reads lines, and a greeting of SOCKS has no end of line.
    let port = listening(|socket| async move {
        tokio::spawn(async move {
            let mut lines = BufReader::new(socket);
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line).await.is_ok() && line.ends_with(b"\n") {
                lines.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await.ok();
            }
        });
    })
    .await;
    let proxy = parse(&format!("socks5h://127.0.0.1:{port}")).unwrap();
    let waited = through(&proxy, "logs.example.com", 5044, instant_in(600_000));
    let waited = tokio::time::timeout(Duration::from_secs(60), waited).await.expect("long before");
    let fault = waited.map(drop).unwrap_err();
    assert!(fault.to_string().contains("speaks HTTP, not SOCKS 5"), "{fault}");
}

#[tokio::test]
async fn an_http_proxy_that_takes_its_time_to_reach_the_target_is_waited_for() {
    // Nobody else is answered before the one that came first: it has asked for a tunnel.
    let (greeted, mut greetings) = tokio::sync::mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let mut others = Vec::new();
        for _ in 0..2 {
            others.push(listener.accept().await.unwrap());
            greeted.send(()).unwrap();
        }
        first.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        first.read_to_end(&mut Vec::new()).await.ok();
    });
    through(&proxy, "logs.example.com", 5044, instant_in(60_000)).await.map(drop).unwrap();
    assert_eq!((greetings.recv().await, greetings.recv().await), (Some(()), Some(())));
}
