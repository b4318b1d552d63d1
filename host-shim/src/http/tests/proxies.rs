//! The API behind proxies that we did not write: tinyproxy and microsocks.

use whiskjack_testbed::{OtherProxy, ProxyOptions};

use super::*;
use crate::net::proxy::Names;

/// A name that only a proxy knows which was given these hosts.
const HOSTS: &str = "127.0.0.1\tapi.test\n";
const KNOWS: ProxyOptions<'_> = ProxyOptions { user: None, hosts: Some(HOSTS), only_port: None };
const USER: ProxyOptions<'_> =
    ProxyOptions { user: Some(("me", "hunter2")), hosts: Some(HOSTS), only_port: None };

fn through(url: &str, origin: &Origin, trust: Trust) -> Api {
    let proxy = Some(Proxy::parse(url, "HTTPS_PROXY", Names::Here).unwrap());
    let key = Secret::new("user:secret");
    Api::new(&Pool::default(), &Way { trust, proxy }, Some(origin.clone()), Some(&key), None).unwrap()
}

/// An API over TLS, as `api.test`; and whom to trust.
async fn secure() -> (Origin, Trust) {
    let (origin, authority) = secure_server("api.test").await;
    (origin, Trust::Only(vec![authority.der().clone()]))
}

/// A plain API, as `api.test`, with the heads that it gets.
async fn plain() -> (Origin, UnboundedReceiver<(usize, String)>) {
    let (origin, heads) = server(OK).await;
    (Origin::parse(&format!("http://api.test:{}", origin.port())).unwrap(), heads)
}

async fn answer(api: &Api, origin: &Origin) -> Result<Bytes> {
    get(api, format!("{origin}/path?x=1"), RequestOptions::default()).await
}

#[tokio::test]
async fn an_api_over_tls_is_asked_through_a_tunnel_and_its_certificate_is_checked() {
    let (http, socks) = (OtherProxy::tinyproxy(KNOWS), OtherProxy::microsocks(KNOWS));
    for url in [format!("http://{}", http.address()), format!("socks5h://{}", socks.address())] {
        let (origin, trust) = secure().await;
        assert_eq!(answer(&through(&url, &origin, trust), &origin).await.unwrap(), "{}", "{url}");
        let error = answer(&through(&url, &origin, Trust::Public), &origin).await.unwrap_err();
        assert!(matches!(&error, Error::InternalError(Some(text)) if text.contains("`api.ca`")), "{error:?}");
    }
    assert!(http.log().contains("CONNECT api.test:"), "{}", http.log());
}

#[tokio::test]
async fn an_http_proxy_is_given_requests_to_a_plain_api_whole_and_its_user_with_each() {
    // No tunnel leads anywhere here.
    let proxy = OtherProxy::tinyproxy(ProxyOptions { only_port: Some(443), ..USER });
    let (origin, mut heads) = plain().await;
    let api = through(&format!("http://me:hunter2@{}", proxy.address()), &origin, Trust::Public);
    for _ in 0..2 {
        assert_eq!(answer(&api, &origin).await.unwrap(), "{}");
        let head = heads.recv().await.unwrap().1.to_lowercase();
        assert!(
            head.starts_with("get /path?x=1 http/1.")
                && head.contains("authorization: basic dxnlcjpzzwnyzxq=\r\n"),
            "{head}"
        );
        // The password of the proxy goes no further.
        assert!(!head.contains("proxy-authorization"), "{head}");
    }
    assert!(proxy.log().contains(&format!("GET {origin}/path?x=1 HTTP/1.1")), "{}", proxy.log());
}

#[tokio::test]
async fn a_socks_proxy_that_is_given_as_an_http_proxy_is_told_whether_the_api_is_plain_or_not() {
    let proxy = OtherProxy::microsocks(KNOWS);
    let (secure, trust) = secure().await;
    let (plain, _heads) = plain().await;
    for (origin, trust) in [(secure, trust), (plain, Trust::Public)] {
        let api = through(&format!("http://{}", proxy.address()), &origin, trust);
        let error = answer(&api, &origin).await.unwrap_err();
        let part =
            format!("(`HTTPS_PROXY`) speaks SOCKS 5, not HTTP; give it as socks5://{}", proxy.address());
        let told = matches!(&error, Error::InternalError(Some(text)) if text.contains(&part) && !text.starts_with("passing"));
        assert!(told, "{origin}: {error:?}");
    }
}

#[tokio::test]
async fn a_plain_api_is_asked_through_a_socks_proxy() {
    let proxy = OtherProxy::microsocks(USER);
    let (origin, mut heads) = plain().await;
    let api = through(&format!("socks5h://me:hunter2@{}", proxy.address()), &origin, Trust::Public);
    assert_eq!(answer(&api, &origin).await.unwrap(), "{}");
    assert!(heads.recv().await.unwrap().1.starts_with("GET /path?x=1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn socks5_resolves_names_here_and_socks5h_at_the_proxy() {
    let proxy = OtherProxy::microsocks(KNOWS);
    let (origin, _heads) = plain().await;
    assert_eq!(
        answer(&through(&format!("socks5h://{}", proxy.address()), &origin, Trust::Public), &origin)
            .await
            .unwrap(),
        "{}"
    );
    let error =
        answer(&through(&format!("socks5://{}", proxy.address()), &origin, Trust::Public), &origin).await;
    let Err(Error::InternalError(Some(sentence))) = error else { panic!("{error:?}") };
    assert!(sentence.contains("write socks5h:// instead of socks5://"), "{sentence}");
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_says_so_for_tunnels_and_for_whole_requests() {
    let (http, socks) = (OtherProxy::tinyproxy(USER), OtherProxy::microsocks(USER));
    let (secure, plain) = (secure().await.0, plain().await.0);
    for (scheme, proxy) in [("http", &http), ("socks5h", &socks)] {
        for origin in [&secure, &plain] {
            for (user, part) in [
                ("", "wants a user name and a password"),
                ("me:hunter3@", "does not accept user name and password"),
            ] {
                let url = format!("{scheme}://{user}{}", proxy.address());
                let error = answer(&through(&url, origin, Trust::Public), origin).await;
                let Err(Error::InternalError(Some(sentence))) = error else {
                    panic!("{scheme} {origin} {user}: {error:?}")
                };
                let named = format!("{scheme}://{} (`HTTPS_PROXY`)", proxy.address());
                assert!(sentence.starts_with(&format!("the proxy {named} {part}")), "{sentence}");
                assert!(!sentence.contains("hunter"), "{sentence}");
            }
        }
    }
}

#[tokio::test]
async fn what_may_pass_at_a_proxy_is_marked_for_the_component_and_not_for_people() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let origin = Origin::parse("https://api.test").unwrap();
    let api = through(&format!("http://{closed}"), &origin, Trust::Public);
    let error = answer(&api, &origin).await;
    let Err(Error::InternalError(Some(sentence))) = error else { panic!("{error:?}") };
    assert!(sentence.starts_with("passing: the proxy http://127.0.0.1:"), "{sentence}");
    let sentence = api.call(http::Method::GET, "/", None).await.unwrap_err();
    assert!(
        sentence
            .starts_with(&format!("{origin}: the proxy http://{closed} (`HTTPS_PROXY`) cannot be reached: ")),
        "{sentence}"
    );
}

#[tokio::test]
async fn the_pool_is_not_kept_for_another_way() {
    let proxy = OtherProxy::microsocks(KNOWS);
    let (origin, mut heads) = plain().await;
    let pool = Pool::default();
    let url = format!("socks5h://{}", proxy.address());
    let by = |named| Some(Proxy::parse(&url, named, Names::Here).unwrap());
    for (proxy, connection) in [(by("ALL_PROXY"), 1), (by("ALL_PROXY"), 1), (by("HTTP_PROXY"), 2)] {
        let api =
            Api::new(&pool, &Way { trust: Trust::Public, proxy }, Some(origin.clone()), None, None).unwrap();
        answer(&api, &origin).await.unwrap();
        assert_eq!(heads.recv().await.unwrap().0, connection);
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_reach_a_plain_api_is_named_in_place_of_the_api() {
    let proxy = OtherProxy::tinyproxy(KNOWS);
    let origin = Origin::parse("http://unknown.test").unwrap();
    let url = format!("http://{}", proxy.address());
    let error = answer(&through(&url, &origin, Trust::Public), &origin).await;
    let Err(Error::InternalError(Some(sentence))) = error else { panic!("{error:?}") };
    let expected =
        format!("passing: the proxy {url} (`HTTPS_PROXY`) could not connect to unknown.test:80 (status 5");
    assert!(sentence.starts_with(&expected), "{sentence}");
}
