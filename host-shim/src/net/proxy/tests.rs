mod language;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::net::instant_in;
use crate::origin::Origin;
use crate::params::ProxyVariables;

const KEY: &str = "logstash.proxy_url";

fn parse(text: &str) -> Result<Proxy, &'static str> {
    Proxy::parse(text, KEY, Names::Here)
}

#[test]
fn each_form_of_a_proxy_is_understood_and_shown_without_its_user() {
    for (text, shown, names) in [
        ("http://proxy:3128", "http://proxy:3128", Names::There),
        ("proxy:3128", "http://proxy:3128", Names::There),
        (" HTTP://me:hunter2@proxy:3128/ ", "http://proxy:3128", Names::There),
        ("me:hunter2@proxy:3128", "http://proxy:3128", Names::There),
        ("socks5://proxy", "socks5://proxy:1080", Names::Here),
        ("socks5h://me:hunter2@[2001:db8::1]:1081", "socks5h://[2001:db8::1]:1081", Names::There),
        ("socks5://me:p%40ss%3Ahunter2@10.0.0.1:1", "socks5://10.0.0.1:1", Names::Here),
    ] {
        let proxy = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(proxy.to_string(), format!("the proxy {shown} (`{KEY}`)"), "{text}");
        assert_eq!(proxy.names(), names, "{text}");
        assert!(!format!("{proxy:?}").contains("hunter2"), "{proxy:?}");
    }
    assert_eq!(parse("socks5h://p").unwrap().resolving_here().names(), Names::Here);
    assert_eq!(parse("http://p:1").unwrap().resolving_here().names(), Names::Here);
}

#[test]
fn user_and_password_are_decoded_and_secret() {
    let proxy = parse("http://me%40home:p%3A%2Fss@proxy:1").unwrap();
    assert_eq!(proxy.authorization().unwrap(), "Basic bWVAaG9tZTpwOi9zcw==");
    assert!(proxy.authorization().unwrap().is_sensitive());
    assert_eq!(proxy.secrets(), ["p:/ss", "bWVAaG9tZTpwOi9zcw=="].map(Secret::new));
    // A token in place of a user has no password.
    assert_eq!(parse("http://token@proxy:1").unwrap().authorization().unwrap(), "Basic dG9rZW46");
    assert_eq!(parse("http://proxy:1").unwrap().authorization(), None);
    assert_eq!(parse("http://@proxy:1").unwrap().authorization(), None);
}

#[test]
fn what_is_not_a_proxy_says_what_to_do_and_shows_no_password() {
    let long = format!("socks5://me:{}@proxy", "hunter2".repeat(40));
    for (text, part) in [
        ("https://me:hunter2@proxy:3129", "TLS to the proxy itself is not supported"),
        ("socks4://me:hunter2@proxy", "version 5 only"),
        ("socks4a://proxy", "version 5 only"),
        ("ftp://me:hunter2@proxy:1", "the scheme is not that of a proxy"),
        ("http://me:hunter2@proxy", "the port is missing"),
        ("proxy", "the port is missing"),
        ("http://proxy:0", "host and port cannot be read"),
        ("socks5://proxy:70000", "host and port cannot be read"),
        ("http://", "host and port cannot be read"),
        ("http://me:hun ter2@:3128", "host and port cannot be read"),
        ("http://me:hunter2@proxy:3128/pac", "no path"),
        ("http://me:hunter2?@proxy:3128", "no path"),
        ("http://me:hunter2%FF@proxy:3128", "not UTF-8"),
        ("http://me:hunter2%0A@proxy:3128", "control character"),
        ("http://me%3A:hunter2@proxy:3128", "cannot have a colon"),
        ("socks5://me@proxy", "1 to 255 bytes"),
        ("socks5://:hunter2@proxy", "1 to 255 bytes"),
        (&long, "1 to 255 bytes"),
    ] {
        let error = parse(text).map(|proxy| proxy.to_string()).unwrap_err();
        assert!(error.contains(part) && !error.contains("hunter2"), "{text}: {error}");
    }
}

/// The proxy that these variables name for an API.
fn found(variables: &[(&str, &str)], api: &str) -> Option<String> {
    let environment = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let proxy = ProxyVariables::read(&environment).to(&Origin::parse(api).unwrap());
    proxy.unwrap_or_else(|fault| panic!("{fault}")).map(|proxy| proxy.host)
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme_small_letters_first() {
    let all = [
        ("https_proxy", "s:1"),
        ("HTTPS_PROXY", "S:1"),
        ("http_proxy", "h:1"),
        ("HTTP_PROXY", "H:1"),
        ("all_proxy", "a:1"),
        ("ALL_PROXY", "A:1"),
    ];
    let (secure, plain) = ("https://api.example.com", "http://api.example.com");
    for (from, expected_secure, expected_plain) in [
        (0, Some("s"), Some("h")),
        (1, Some("S"), Some("h")),
        (2, Some("a"), Some("h")),
        (3, Some("a"), Some("H")),
        (4, Some("a"), Some("a")),
        (5, Some("A"), Some("A")),
        (6, None, None),
    ] {
        assert_eq!(found(&all[from..], secure).as_deref(), expected_secure, "from {from}");
        assert_eq!(found(&all[from..], plain).as_deref(), expected_plain, "from {from}");
    }
    let cgi = [("HTTP_PROXY", "H:1"), ("HTTPS_PROXY", "S:1"), ("REQUEST_METHOD", "GET")];
    assert_eq!((found(&cgi, plain), found(&cgi, secure).as_deref()), (None, Some("S")));
}

#[test]
fn hosts_of_no_proxy_and_this_machine_are_reached_without() {
    let direct =
        |list: &str, api: &str| found(&[("ALL_PROXY", "proxy:1"), ("NO_PROXY", list)], api).is_none();
    for (list, api) in [
        ("*", "https://api.example.com"),
        ("example.com", "https://example.com"),
        ("example.com", "https://API.Example.com"),
        (".example.com", "https://api.example.com"),
        (".example.com", "https://example.com"),
        ("*.example.com", "https://api.example.com"),
        ("EXAMPLE.com.", "https://api.example.com."),
        ("other.org, example.com", "https://api.example.com"),
        ("other.org example.com", "https://api.example.com"),
        ("example.com:8443", "https://api.example.com:8443"),
        ("10.1.2.3", "https://10.1.2.3"),
        ("10.0.0.0/8", "https://10.1.2.3:8443"),
        ("10.1.2.3:443", "https://10.1.2.3"),
        ("2001:db8::1", "https://[2001:db8::1]"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("2001:db8::/32", "https://[2001:db8::1]"),
        ("", "https://localhost"),
        ("", "http://127.0.0.1:3233"),
        ("", "http://127.8.8.8"),
        ("", "https://[::1]"),
    ] {
        assert!(direct(list, api), "{list:?} {api}");
    }
    for (list, api) in [
        ("", "https://api.example.com"),
        ("example.com", "https://notexample.com"),
        ("api.example.com", "https://example.com"),
        ("example.com:8443", "https://example.com"),
        ("example.com:port", "https://example.com"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ("10.0.0.0/8", "https://11.1.2.3"),
        ("10.0.0.0/8", "https://ten.example.com"),
        ("localhost", "https://localhost.example.com"),
    ] {
        assert!(!direct(list, api), "{list:?} {api}");
    }
    assert_eq!(found(&[("ALL_PROXY", "p:1"), ("no_proxy", "a"), ("NO_PROXY", "b")], "https://a"), None);
}

#[test]
fn a_variable_that_is_not_a_proxy_is_a_fault_only_where_it_counts() {
    let environment = |name: &str| (name == "HTTPS_PROXY").then(|| "me:hunter2@proxy".to_owned());
    let variables = ProxyVariables::read(&environment);
    let fault = variables.to(&Origin::parse("https://api").unwrap()).unwrap_err();
    assert_eq!(fault.key, "HTTPS_PROXY");
    assert!(fault.remedy.contains("the port is missing"), "{fault}");
    assert!(!format!("{fault} {fault:?} {variables:?}").contains("hunter2"), "{fault:?}");
    assert_eq!(variables.to(&Origin::parse("http://api").unwrap()), Ok(None));
    assert_eq!(variables.to(&Origin::parse("https://localhost").unwrap()), Ok(None));
}

/// Serves one connection after the other.
async fn listening<F, T>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = T> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            serve(socket).await;
        }
    });
    port
}

/// Why `logs.example.com:5044` is not reached through a proxy that says one thing after the other, each after something was said to it.
async fn refusal(scheme_and_user: &str, says: &'static [&'static [u8]]) -> ProxyFault {
    let port = listening(move |mut socket| async move {
        for piece in says {
            if !matches!(socket.read(&mut [0; 1024]).await, Ok(1..)) {
                return;
            }
            socket.write_all(piece).await.unwrap();
        }
        // Until the other side has read it.
        let _ = socket.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let proxy = Proxy::parse(&format!("{scheme_and_user}127.0.0.1:{port}"), KEY, Names::There).unwrap();
    let fault = through(&proxy, "logs.example.com", 5044, instant_in(5000)).await.map(drop).unwrap_err();
    let sentence = fault.to_string();
    assert!(sentence.starts_with(&proxy.to_string()) && sentence.contains("; "), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
    fault
}

#[tokio::test]
async fn each_refusal_of_a_socks_proxy_has_a_sentence_of_its_own() {
    let rows: [(&[&[u8]], bool, &str); 9] = [
        (&[b"\x05\0", b"\x05\x01\0\x01\0\0\0\0\0\0"], true, "(code 1); see its log"),
        (&[b"\x05\0", b"\x05\x02\0\x01\0\0\0\0\0\0"], false, "(code 2); let its rules permit that"),
        (
            &[b"\x05\0", b"\x05\x03\0\x01\0\0\0\0\0\0"],
            true,
            "has no way to the network of logs.example.com:5044 (code 3)",
        ),
        (
            &[b"\x05\0", b"\x05\x04\0\x01\0\0\0\0\0\0"],
            true,
            "does not reach logs.example.com:5044 (code 4); check that the proxy can resolve the name; if only this host knows it, set \
             `logstash.proxy_use_local_resolver` to true",
        ),
        (
            &[b"\x05\0", b"\x05\x05\0\x01\0\0\0\0\0\0"],
            true,
            "was refused a connection by logs.example.com:5044 (code 5); check the port",
        ),
        (&[b"\x05\0", b"\x05\x06\0\x01\0\0\0\0\0\0"], true, "(code 6); check the proxy's routes"),
        (&[b"\x05\0", b"\x05\x07\0\x01\0\0\0\0\0\0"], false, "(code 7); give another proxy"),
        (&[b"\x05\0", b"\x05\x08\0\x01\0\0\0\0\0\0"], false, "(code 8); give an address of IPv4"),
        (
            &[b"\x05\xff"],
            false,
            "wants a user name and a password; give them before its host, as socks5://user:password@host:port",
        ),
    ];
    for (says, retryable, part) in rows {
        let fault = refusal("socks5://", says).await;
        assert!(fault.to_string().contains(part), "{fault}");
        assert_eq!((fault.retryable, fault.step), (retryable, Step::Connect), "{fault}");
    }
    let user = "socks5://me:hunter2@";
    let fault = refusal(user, &[b"\x05\x02", b"\x01\x01"]).await;
    assert!(fault.to_string().contains("does not accept user name and password; check both"), "{fault}");
    let fault = refusal(user, &[b"\x05\xff"]).await;
    assert!(fault.to_string().contains("wants another way to log in"), "{fault}");
    const STRANGERS: [&[&[u8]]; 2] = [&[b"\x05\0", b"nonsense\0\0"], &[b"\x05\0", b"\x05\x09\0\x01"]];
    for says in STRANGERS {
        let fault = refusal("socks5://", says).await;
        assert!(
            fault.to_string().contains("does not speak SOCKS 5; check its port, and its scheme"),
            "{fault}"
        );
        assert!(!fault.retryable, "{fault}");
    }
}

#[tokio::test]
async fn each_refusal_of_an_http_proxy_has_a_sentence_of_its_own() {
    let rows: [(&str, &[&[u8]], bool, &str); 9] = [
        (
            "http://",
            &[b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"],
            false,
            "wants a user name and a password; give them before its host, as http://user:password@host:port",
        ),
        (
            "http://me:hunter2@",
            &[b"HTTP/1.0 407 No\r\nProxy-Authenticate: Digest realm=\"x\"\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"],
            false,
            "does not accept user name and password; check both, with : @ / % in them written as %3A %40 %2F %25",
        ),
        (
            "http://me:hunter2@",
            &[b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate, NTLM\r\n\r\n"],
            false,
            "wants another way to log in than user name and password (Basic, status 407)",
        ),
        ("http://", &[b"HTTP/1.1 403 Filtered\r\n\r\n"], false, "refuses to connect to logs.example.com:5044 (status 403); let its rules"),
        ("http://", &[b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n"], false, "(status 302); let its rules"),
        ("http://", &[b"HTTP/1.1 502 Bad Gateway\r\n\r\n"], true, "could not connect to logs.example.com:5044 (status 502); check"),
        ("http://", &[b"HTTP/1.1 504 Gateway Timeout\r\n\r\n"], true, "(status 504); check that the proxy can resolve the name"),
        ("http://", &[b"SSH-2.0-OpenSSH_9.6\r\n"], false, "does not speak HTTP; check its port, and its scheme"),
        (
            "http://",
            &[b"HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-OpenSSH_9.6\r\n"],
            false,
            "connected to logs.example.com:5044, which spoke first; check the port",
        ),
    ];
    for (user, says, retryable, part) in rows {
        let fault = refusal(user, says).await;
        assert!(fault.to_string().contains(part), "{fault}");
        assert_eq!((fault.retryable, fault.step), (retryable, Step::Connect), "{fault}");
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_up_is_named() {
    let port = listening(|mut socket| async move { socket.read(&mut [0; 1024]).await }).await;
    for (scheme, language) in [("http", "HTTP"), ("socks5h", "SOCKS 5")] {
        let proxy = parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let fault = through(&proxy, "logs.example.com", 5044, instant_in(5000)).await.map(drop).unwrap_err();
        let expected = format!(
            "{proxy} closed the connection before it answered; check that it speaks {language} and lets this host in"
        );
        assert_eq!((fault.to_string(), fault.retryable), (expected, true));
    }
}

#[tokio::test]
async fn a_silent_proxy_takes_no_longer_than_the_time_given_and_the_connection_ends_with_who_waits() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let port = listening(move |mut socket| {
        let ended = ended.clone();
        async move {
            let mut all = Vec::new();
            socket.read_to_end(&mut all).await.ok();
            ended.send(()).unwrap();
        }
    })
    .await;
    for scheme in ["http", "socks5h"] {
        let proxy = parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let opened = through(&proxy, "logs.example.com", 5044, instant_in(100));
        // Generous, as the machine may be busy.
        let opened = tokio::time::timeout(Duration::from_secs(20), opened).await.expect("the time given");
        let fault = opened.map(drop).unwrap_err();
        assert_eq!((fault.step, fault.retryable), (Step::Timeout, true));
        assert!(
            fault
                .to_string()
                .starts_with(&format!("{proxy} did not connect to logs.example.com:5044 in time; ")),
            "{fault}"
        );
        ends.recv().await.unwrap();
        // Whoever gives up waiting ends it, too.
        let waiting = through(&proxy, "logs.example.com", 5044, instant_in(60_000));
        tokio::time::timeout(Duration::from_millis(100), waiting).await.map(drop).unwrap_err();
        ends.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named_with_its_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let proxy = parse(&format!("socks5h://me:hunter2@127.0.0.1:{port}")).unwrap();
    let fault = through(&proxy, "logs.example.com", 5044, instant_in(5000)).await.map(drop).unwrap_err();
    let expected = format!(
        "the proxy socks5h://127.0.0.1:{port} (`{KEY}`) cannot be reached: connection refused; check its host and port, \
         and that it runs"
    );
    assert_eq!((fault.to_string(), fault.step), (expected, Step::Connect));
    let proxy = parse("http://no-such-proxy.invalid:3128").unwrap();
    let fault = through(&proxy, "logs.example.com", 5044, instant_in(5000)).await.map(drop).unwrap_err();
    assert_eq!(fault.step, Step::Resolve);
    assert!(fault.to_string().contains("the name no-such-proxy.invalid cannot be resolved"), "{fault}");
}

#[tokio::test]
async fn a_name_that_must_be_resolved_here_and_cannot_is_told_with_the_way_to_have_the_proxy_do_it() {
    for (named, remedy) in [
        (KEY, "take `logstash.proxy_use_local_resolver` out of the configuration"),
        ("ALL_PROXY", "write socks5h:// instead of socks5://"),
    ] {
        let proxy = Proxy::parse("socks5://127.0.0.1:1", named, Names::Here).unwrap();
        let fault =
            through(&proxy, "no-such-host.invalid", 443, instant_in(5000)).await.map(drop).unwrap_err();
        assert_eq!(fault.step, Step::Resolve);
        let sentence = fault.to_string();
        assert!(
            sentence.starts_with("the name of no-such-host.invalid:443 cannot be resolved here (")
                && sentence.ends_with(remedy),
            "{fault}"
        );
    }
}
