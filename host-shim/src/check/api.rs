//! The API: whether it answers, its identity, and whether it knows the key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, StatusCode};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::{Step, Steps, secured};
use crate::http::Answer;
use crate::net::{self, DialError, Resolver as _, SystemResolver};
use crate::origin::Origin;
use crate::run::{RunContext, Sight, other_namespace};
use crate::tls::sentence::Client;
use crate::tls::{self, Settings, Shown};

/// Time for name, address and handshake together.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clocks that differ by more deserve a look; by more than the second, they must be set.
const APART: Duration = Duration::from_secs(30);
const FAR_APART: Duration = Duration::from_secs(600);
/// Most addresses that are shown of a name.
const SHOWN: usize = 4;

const NAME: &str = "API name";
const ADDRESS: &str = "API address";
const TLS: &str = "API TLS";
const KEY: &str = "API key";
const CLOCK: &str = "clock";

/// Looks at the API, as far as it goes; says whether it knows the key.
pub(super) async fn steps(sight: &Sight<'_>, context: &RunContext, steps: &mut Steps<'_>) -> bool {
    let Some(origin) = sight.origin.clone() else {
        steps.misused(Step::bad(
            NAME,
            "there is no API host; give it in the environment as __OW_API_HOST, or in ~/.wskprops as APIHOST",
        ));
        return false;
    };
    steps.begin("the API");
    let Some(socket) = connected(sight, &origin, steps).await else { return false };
    if origin.is_secure() {
        match handshake(sight, &origin, socket).await {
            Ok(shown) => steps.add(secured(TLS, &shown)),
            Err(message) => {
                steps.add(Step::bad(TLS, format!("{origin}: {message}")));
                return false;
            }
        }
    } else if origin.is_exposed() {
        steps.add(Step::doubtful(
            TLS,
            format!("{origin} is asked in the clear, so anybody between here and the API can take the API key; use https if it can"),
        ));
    }
    key(sight, context, steps).await
}

/// A socket to the API, or to the proxy that takes requests for it.
async fn connected(sight: &Sight<'_>, origin: &Origin, steps: &mut Steps<'_>) -> Option<TcpStream> {
    let (host, port) = (origin.host(), origin.port());
    let name = net::authority(host, port);
    let deadline = Instant::now() + PATIENCE;
    let socket = match &sight.api_proxy {
        Some(proxy) => {
            steps.add(Step::good(NAME, format!("{name}, through {proxy}")));
            match proxy.takes_requests() && !origin.is_secure() {
                true => proxy.dial(&name, deadline).await.map_err(DialError::from),
                false => net::reach(Some(proxy), host, port, deadline).await,
            }
        }
        None => {
            match SystemResolver.addresses(host, port).await {
                Ok(addresses) if !addresses.is_empty() => {
                    let shown: Vec<String> =
                        addresses.iter().take(SHOWN).map(|address| address.ip().to_string()).collect();
                    steps.add(Step::good(NAME, format!("{host} is {}", shown.join(", "))));
                }
                Ok(_) => return unknown(host, "it has no address", steps),
                Err(error) => return unknown(host, &net::plain(&error), steps),
            }
            net::reach(None, host, port, deadline).await
        }
    };
    match socket {
        Ok(socket) => {
            let address = socket.peer_addr().map_or(name, |address| address.to_string());
            steps.add(Step::good(ADDRESS, format!("{address} accepts connections")));
            Some(socket)
        }
        Err(error @ DialError::Proxy(_)) => {
            steps.add(Step::bad(ADDRESS, error.to_string()));
            None
        }
        Err(error) => {
            steps.add(Step::bad(
                ADDRESS,
                format!(
                    "{name}: {error}; check host and port of the API, that it runs, and the firewalls between"
                ),
            ));
            None
        }
    }
}

fn unknown(host: &str, cause: &str, steps: &mut Steps<'_>) -> Option<TcpStream> {
    steps.add(Step::bad(
        NAME,
        format!("the name {host} cannot be resolved ({cause}); check the API host, and the name server"),
    ));
    None
}

async fn handshake(sight: &Sight<'_>, origin: &Origin, socket: TcpStream) -> Result<Shown, String> {
    let (config, _) = tls::client_config(Settings::trusting(sight.api_trust.clone()))
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    let name = ServerName::try_from(origin.host().to_owned())
        .map_err(|_| "the host is not a name that a certificate can hold; check the API host".to_owned())?;
    let limit = Instant::now() + PATIENCE;
    match timeout_at(limit, TlsConnector::from(config).connect(name, socket)).await {
        Ok(Ok(stream)) => Ok(Shown::of(stream.get_ref().1)),
        Ok(Err(error)) => Err(Client::Apis.handshake(&error).sentence),
        Err(_) => {
            Err("the TLS handshake took too long; check that the port expects TLS, or write http:// if \
                       it is meant to be plain"
                .to_owned())
        }
    }
}

/// One question that needs the key; the head of the answer tells the API's time.
async fn key(sight: &Sight<'_>, context: &RunContext, steps: &mut Steps<'_>) -> bool {
    let called = match sight.reach.api.call(Method::GET, "/api/v1/namespaces", None).await {
        Ok(called) => called,
        Err(message) => {
            steps.add(Step::bad(KEY, format!("the API at {message}")));
            return false;
        }
    };
    if let Some(theirs) = called.date {
        steps.add(clock(theirs, SystemTime::now()));
    }
    let answer = Answer::new(&called);
    let all = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
    let own: Vec<String> = all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if answer.status != StatusCode::OK || own.is_empty() {
        let said = answer.refusal();
        let told = if sight.refused.is_so() { context.given.with_key_place(&said) } else { said };
        steps.add(Step::bad(KEY, told));
        return false;
    }
    if let Some(fault) = other_namespace(context, &own) {
        steps.misused(Step::bad(KEY, fault.to_string()));
        return false;
    }
    steps.add(Step::good(KEY, format!("is of the namespace {}", own.join(", "))));
    true
}

/// How far the API's clock is from ours. Its time comes in whole seconds.
fn clock(theirs: SystemTime, ours: SystemTime) -> Step {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let apart = since(theirs).abs_diff(since(ours));
    let direction = if theirs > ours { "behind" } else { "ahead of" };
    let told = format!("this machine is {} s {direction} the API", apart.as_secs());
    match apart {
        apart if apart >= FAR_APART => Step::bad(CLOCK, format!("{told}; set the clock")),
        apart if apart >= APART => Step::doubtful(CLOCK, format!("{told}; set the clock")),
        _ => Step::good(CLOCK, "agrees with the API's"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

    #[test]
    fn clocks_may_differ_a_little_and_a_large_difference_is_told_with_its_direction() {
        let ours = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let step = |seconds: i64| {
            let by = Duration::from_secs(seconds.unsigned_abs());
            clock(if seconds < 0 { ours - by } else { ours + by }, ours)
        };
        assert_eq!([step(0).mark, step(-2).mark, step(29).mark], [Mark::Good; 3]);
        assert_eq!((step(45).mark, step(-3600).mark), (Mark::Doubtful, Mark::Bad));
        assert_eq!(step(45).told, "this machine is 45 s behind the API; set the clock");
        assert_eq!(step(-3600).told, "this machine is 3600 s ahead of the API; set the clock");
    }
}
