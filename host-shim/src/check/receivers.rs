//! The receivers: whether they answer, their identity, and whether they speak Lumberjack.
//!
//! The check knocks with the head of a window, `2W 00000001`, and nothing after it (docs/facts/lumberjack.md 1.3, 2.2): it holds no event,
//! so a receiver can neither forward it nor block a queue with it, and forgets it when the connection ends. Logstash's beats input answers
//! with a sign of life after 5 s; go-lumber, the lumberjack input, Vector and fluentd wait for the event in silence. A server that is not
//! Lumberjack closes, or answers in its own protocol. An idle connection would show nothing: all of them wait in silence.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Step, Steps, secured, told};
use crate::component::{Reach, Subject};
use crate::net;
use crate::params::Security;
use crate::run::Sight;
use crate::transport::Connection;
use crate::transport::interface::{TransportError, TransportStep};

/// Begins the names of the steps.
const RECEIVER: &str = "receiver ";
/// Time to be reached.
const CONNECT_MS: u64 = 10_000;
/// Time for a sign of life: the beats input sends one for each 5 s.
const ALIVE: Duration = Duration::from_millis(6_000);
/// Begin of a window of one, without its event.
const WINDOW: [u8; 6] = [b'2', b'W', 0, 0, 0, 1];

pub(super) async fn steps(sight: &Sight<'_>, send: bool, steps: &mut Steps<'_>) {
    steps.begin("the receivers");
    // All at once, told in the order of the configuration: each may take seconds.
    let mut looks = JoinSet::new();
    for (place, (host, port)) in sight.reach.receivers.each().enumerate() {
        let (reach, host) = (sight.reach.clone(), host.to_owned());
        looks.spawn(async move { (place, looked(&reach, &host, port, !send).await) });
    }
    let mut found = looks.join_all().await;
    found.sort_by_key(|(place, _)| *place);
    let all_are_there = found.iter().all(|(_, found)| found.iter().all(|step| step.mark != super::Mark::Bad));
    found.into_iter().flat_map(|(_, found)| found).for_each(|step| steps.add(step));
    if send && all_are_there {
        sent(sight, steps).await;
    }
}

async fn looked(reach: &Reach, host: &str, port: u16, knock: bool) -> Vec<Step> {
    let name = format!("{RECEIVER}{}", net::authority(host, port));
    let opened =
        Connection::open(&reach.receivers, &reach.security, reach.proxy.as_ref(), host, port, CONNECT_MS)
            .await;
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(error) => return vec![refused(&name, &error)],
    };
    let way = match (&reach.proxy, connection.peer_address()) {
        (Some(proxy), _) => format!("is reached through {proxy}"),
        (None, Some(address)) => format!("{address} accepts connections"),
        (None, None) => "accepts connections".to_owned(),
    };
    let mut steps = vec![Step::good(format!("{name}: address"), way)];
    match (&reach.security, connection.shown()) {
        (Security::Tls { .. }, Some(shown)) => steps.push(secured(&format!("{name}: TLS"), &shown)),
        _ => steps.push(Step::doubtful(
            format!("{name}: TLS"),
            "there is none (`logstash.tls: false`), so the logs go to the receiver in the clear; take that key out if the receiver speaks TLS",
        )),
    }
    if knock {
        steps.push(knocked_at(&name, &mut connection).await);
    }
    steps
}

/// What went wrong, under the name of the step that did, which begins with the receiver's as the sentence does.
fn refused(name: &str, error: &TransportError) -> Step {
    let step = match error.step {
        TransportStep::Resolve => "name",
        TransportStep::Handshake => "TLS",
        TransportStep::Connect | TransportStep::Permit | TransportStep::Timeout => "address",
        TransportStep::Write | TransportStep::Read => "Lumberjack",
    };
    Step::bad(format!("{name}: {step}"), without_name(name, &error.message))
}

/// A sentence about a receiver, without its name before it.
fn without_name<'s>(name: &str, sentence: &'s str) -> &'s str {
    let address = name.strip_prefix(RECEIVER).unwrap_or(name);
    sentence.strip_prefix(address).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(sentence)
}

async fn knocked_at(name: &str, connection: &mut Connection) -> Step {
    let lumberjack = format!("{name}: Lumberjack");
    let limit = Instant::now() + ALIVE;
    let left = || u64::try_from(limit.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(0);
    let written = connection.write(&WINDOW, left()).await;
    let answer = match written {
        Ok(()) => connection.read(64, left().max(1)).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(bytes) if is_ack(&bytes) => Step::good(lumberjack, "answers with a sign of life"),
        Ok(bytes) if bytes.is_empty() => Step::bad(
            lumberjack,
            "closes the connection at the begin of a window; check that the port speaks Lumberjack (Beats), and see the receiver's log",
        ),
        Ok(bytes) => Step::bad(
            lumberjack,
            format!(
                "it answers {}, not Lumberjack; give host and port of a Beats or Lumberjack input",
                language(&bytes)
            ),
        ),
        Err(error) if error.step == TransportStep::Timeout => Step::good(
            lumberjack,
            "waits for an event, as a receiver does; --send sends one and waits for its acknowledgement",
        ),
        Err(error) => refused(name, &error),
    }
}

fn is_ack(bytes: &[u8]) -> bool {
    matches!(bytes, [b'1' | b'2', b'A', ..])
}

/// What a stranger speaks. None of its bytes are shown.
fn language(bytes: &[u8]) -> &'static str {
    let begins = |text: &str| bytes.starts_with(text.as_bytes());
    match () {
        () if begins("HTTP/") || begins("<") => "in HTTP",
        () if begins("SSH-") => "in SSH",
        () if begins("220") => "as a mail or file server",
        () if begins("-ERR") || begins("+") => "as Redis or a mail server",
        () => "in another protocol",
    }
}

/// A document for each receiver, by the component.
async fn sent(sight: &Sight<'_>, steps: &mut Steps<'_>) {
    steps.begin("the acknowledgement of each test document");
    let Some(found) = told(sight, Subject::Receivers, "test document", steps).await else { return };
    for receiver in found.get("receivers").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| receiver.get(key).and_then(Value::as_str);
        let of = format!("{RECEIVER}{}", text("receiver").unwrap_or_default());
        let name = format!("{of}: test document");
        steps.add(match (receiver.get("acknowledged"), text("problem")) {
            (Some(Value::Bool(true)), _) => {
                let id = found.get("activation").and_then(Value::as_str).unwrap_or_default();
                Step::good(name, format!("acknowledged; it says that it is a test, of activation {id}"))
            }
            (_, problem) => Step::bad(
                name,
                without_name(&of, problem.unwrap_or("is not acknowledged; see the receiver's log")),
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_named_once_in_what_is_said_of_it() {
        let error = |message: &str| TransportError {
            step: TransportStep::Connect,
            retryable: true,
            message: message.to_owned(),
        };
        for (message, told) in [
            (
                "[::1]:1: not connected: connection refused; start it",
                "not connected: connection refused; start it",
            ),
            ("another sentence; do so", "another sentence; do so"),
        ] {
            let step = refused("receiver [::1]:1", &error(message));
            assert_eq!((step.name.as_str(), step.told.as_str()), ("receiver [::1]:1: address", told));
        }
    }

    #[test]
    fn a_stranger_is_told_by_its_language_and_an_ack_by_its_frame() {
        for (bytes, expected) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "in HTTP"),
            (b"SSH-2.0-OpenSSH", "in SSH"),
            (b"220 mail", "as a mail or file server"),
            (b"-ERR unknown command", "as Redis or a mail server"),
            (b"\0\0", "in another protocol"),
        ] {
            assert_eq!((language(bytes), is_ack(bytes)), (expected, false));
        }
        assert!(is_ack(b"2A\0\0\0\0") && is_ack(b"1A\0\0\0\x01") && !is_ack(b"2W"));
    }
}
