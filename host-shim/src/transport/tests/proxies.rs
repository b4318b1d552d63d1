//! Receivers behind proxies that we did not write: tinyproxy and microsocks.

use whiskjack_testbed::{OtherProxy, ProxyOptions};

use super::*;

/// A name that only a proxy knows which was given these hosts.
const NAME: &str = "logs.test";
const HOSTS: &str = "127.0.0.1\tlogs.test\n";
const USER: ProxyOptions<'_> =
    ProxyOptions { user: Some(("me", "pass.hunter2")), hosts: None, only_port: None };
const KNOWS: ProxyOptions<'_> = ProxyOptions { user: None, hosts: Some(HOSTS), only_port: None };

/// Both kinds, with the beginnings of their URLs.
fn both(options: ProxyOptions<'_>) -> [(&'static str, OtherProxy); 2] {
    [("http", OtherProxy::tinyproxy(options)), ("socks5", OtherProxy::microsocks(options))]
}

async fn echo() -> u16 {
    let (port, _) = server(|mut socket| async move {
        let mut bytes = [0; 4];
        socket.read_exact(&mut bytes).await.unwrap();
        socket.write_all(&bytes).await.unwrap();
    })
    .await;
    port
}

async fn answers(connection: Result<Connection, TransportError>) {
    let mut connection = connection.unwrap();
    connection.write(b"ping", 5000).await.unwrap();
    let mut read = Vec::new();
    while read.len() < 4 {
        read.extend(connection.read(100, 5000).await.unwrap());
    }
    assert_eq!(read, b"ping");
}

#[tokio::test]
async fn a_receiver_is_reached_through_a_proxy_with_and_without_a_password() {
    for (scheme, proxy) in both(ProxyOptions::default()) {
        let url = format!("{scheme}://{}", proxy.address());
        answers(open(echo().await, json!({"tls": false, "proxy_url": url})).await).await;
        // A user that nobody asks for does no harm.
        let url = format!("{scheme}://me:hunter2@{}", proxy.address());
        answers(open(echo().await, json!({"tls": false, "proxy_url": url})).await).await;
    }
    for (scheme, proxy) in both(USER) {
        let url = format!("{scheme}://me:p%61ss%2Ehunter2@{}", proxy.address());
        answers(open(echo().await, json!({"tls": false, "proxy_url": url})).await).await;
    }
}

#[tokio::test]
async fn a_password_that_is_missing_or_wrong_is_told_and_not_shown() {
    for (scheme, proxy) in both(USER) {
        for (user, part) in [
            ("", "wants a user name and a password; give them"),
            ("me:hunter3@", "does not accept user name and password; check both"),
        ] {
            let url = format!("{scheme}://{user}{}", proxy.address());
            let error = refused(open(1, json!({"tls": false, "proxy_url": url})).await);
            assert!(
                error.message.contains(part) && error.message.contains("`logstash.proxy_url`"),
                "{scheme} {user}: {}",
                error.message
            );
            assert!(
                error.message.contains(&proxy.address()) && !error.message.contains("hunter"),
                "{}",
                error.message
            );
            assert!(!error.retryable, "{}", error.message);
        }
    }
}

#[tokio::test]
async fn a_proxy_of_the_other_kind_is_told_with_its_own_scheme() {
    let [(http, tinyproxy), (socks, microsocks)] = both(ProxyOptions::default());
    for (scheme, proxy, language, own) in [
        (socks, &tinyproxy, "speaks HTTP, not SOCKS 5", http),
        (http, &microsocks, "speaks SOCKS 5, not HTTP", socks),
    ] {
        let url = format!("{scheme}://{}", proxy.address());
        let error = refused(open(1, json!({"tls": false, "proxy_url": url})).await);
        let part = format!("{language}; give it as {own}://{}", proxy.address());
        assert!(error.message.contains(&part) && !error.retryable, "{}", error.message);
    }
}

#[tokio::test]
async fn a_receiver_that_the_proxy_does_not_reach_is_told_from_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    for (scheme, proxy) in both(ProxyOptions::default()) {
        let url = format!("{scheme}://{}", proxy.address());
        let error = refused(open(closed, json!({"tls": false, "proxy_url": url})).await);
        let target = format!("127.0.0.1:{closed}");
        assert!(error.message.contains(&format!("{target} (")) && error.retryable, "{}", error.message);
        let name = "no-such-host.invalid";
        let error = refused(open(5044, json!({"tls": false, "proxy_url": url, "host": name})).await);
        assert!(
            error.message.contains("no-such-host.invalid:5044 (") && error.retryable,
            "{}",
            error.message
        );
    }
    let proxy = OtherProxy::tinyproxy(ProxyOptions { only_port: Some(443), ..ProxyOptions::default() });
    let url = format!("http://{}", proxy.address());
    let error = refused(open(closed, json!({"tls": false, "proxy_url": url})).await);
    assert!(
        error.message.contains("(status 403); let its rules permit that") && !error.retryable,
        "{}",
        error.message
    );
}

#[tokio::test]
async fn the_proxy_resolves_names_unless_the_configuration_says_otherwise() {
    for (scheme, proxy) in both(KNOWS) {
        let url = format!("{scheme}://{}", proxy.address());
        answers(open(echo().await, json!({"tls": false, "proxy_url": url, "host": NAME})).await).await;
        let here = json!({"tls": false, "proxy_url": url, "host": NAME, "proxy_use_local_resolver": true});
        let error = refused(open(1, here).await);
        assert_eq!(error.step, TransportStep::Resolve);
        assert!(error.message.contains("cannot be resolved here"), "{}", error.message);
        assert!(error.message.contains("`logstash.proxy_use_local_resolver`"), "{}", error.message);
    }
    // The other way round: a proxy that knows no name at all, and a name that is known here.
    let blind = ProxyOptions { hosts: Some(""), ..ProxyOptions::default() };
    for (scheme, proxy) in both(blind) {
        let url = format!("{scheme}://{}", proxy.address());
        let here =
            json!({"tls": false, "proxy_url": url, "host": "localhost", "proxy_use_local_resolver": true});
        answers(open(echo().await, here).await).await;
    }
}

#[tokio::test]
async fn tls_goes_through_the_tunnel_and_the_name_is_checked_as_ever() {
    let authority = Authority::new();
    for (scheme, proxy) in both(KNOWS) {
        let params = |name: &str| {
            let url = format!("{scheme}://{}", proxy.address());
            json!({"ca": authority.pem(), "proxy_url": url, "host": NAME, "servername": name})
        };
        let (port, server) = tls_server(&authority.issue(NAME), None, true).await;
        let mut connection = open(port, params("")).await.unwrap();
        assert_eq!(connection.read(5, 5000).await.unwrap(), b"hello");
        drop(connection);
        server.await.unwrap().unwrap();

        let (port, _server) = tls_server(&authority.issue("other.test"), None, true).await;
        let error = refused(open(port, params("")).await);
        assert_eq!(error.step, TransportStep::Handshake);
        assert!(error.message.contains(NAME) && error.message.contains("other.test"), "{}", error.message);
        let (port, _server) = tls_server(&authority.issue("other.test"), None, true).await;
        assert_eq!(open(port, params("other.test")).await.unwrap().read(5, 5000).await.unwrap(), b"hello");
    }
}

#[tokio::test]
async fn the_proxy_itself_is_nobody_that_the_component_may_reach() {
    let proxy = OtherProxy::microsocks(ProxyOptions::default());
    let (host, port) = proxy
        .address()
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.parse().unwrap()))
        .unwrap();
    let url = format!("socks5://{}", proxy.address());
    let mut params = json!({"logstash": {"host": NAME, "port": 5044, "proxy_url": url, "proxy_use_local_resolver": false}});
    let host_params = HostParams::take(params.as_object_mut().unwrap());
    assert_eq!(params, json!({"logstash": {"host": NAME, "port": 5044}}));
    let way = host_params.receiver_proxy.as_ref();
    let error =
        refused(Connection::open(&host_params.receivers, &Security::Plain, way, &host, port, 5000).await);
    assert_eq!(error.step, TransportStep::Permit);
}
