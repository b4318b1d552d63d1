//! Faults of one call.

use super::ports::Sim;
use whiskjack::ports::{Method, Request};

/// What a gateway, a load balancer or a captive portal says in OpenWhisk's place.
pub const FOREIGN: &[(u16, &str)] = &[
    (404, r#"{"status":404,"error":"Not Found"}"#),
    (
        404,
        r#"{"timestamp":"2023-11-14T22:13:20.000+00:00","status":404,"error":"Not Found","path":"/api/v1"}"#,
    ),
    (404, r#"{"message":"no Route matched with those values"}"#),
    (404, r#"{"error":"x"}"#),
    (404, "404 page not found\n"),
    (404, "<html><body>nginx</body></html>"),
    (404, r#"{"code":"x"}"#),
    (404, "{}"),
    (403, r#"{"message":"Forbidden"}"#),
    (403, r#"{"error":"access denied"}"#),
    (403, "<html><body>firewall</body></html>"),
    (401, r#"{"message":"Unauthorized"}"#),
    (401, r#"{"error":"Unauthorized"}"#),
    (409, r#"{"message":"conflict"}"#),
    (409, "<html></html>"),
    (400, r#"{"error":"bad request"}"#),
    (200, "<!doctype html><title>Log in</title>"),
    (200, "{}"),
    (200, "[]"),
    (200, "null"),
    (200, r#"{"status":"ok"}"#),
    (200, r#"{"error":"x"}"#),
    (204, ""),
];

/// What happens to a request to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// No answer; what the request was to do is done, or not.
    NoAnswer { done: bool },
    /// An error of the controller (JSON) or of the gateway (HTML); what the request was to do is done, or not.
    Status { status: u16, done: bool },
    /// The body breaks off with an error after some bytes.
    Reset { after: usize },
    /// The body ends after some bytes as if it were whole.
    CutOff { after: usize },
    /// 200, and something that is no answer.
    Garbage,
    /// Something that is not OpenWhisk answers in its place.
    Foreign { status: u16, body: &'static str },
    /// It comes, but late.
    Slow,
}

/// What happens to a connection to the receiver, or to the window that is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportFault {
    /// The connection, or the write, fails at once; nothing arrives.
    Refused,
    /// As `Refused`, after the whole time that was given.
    TimedOut,
    /// The write fails although everything arrived.
    WrittenAndFailed,
    /// The receiver closes without taking anything.
    Dropped,
    /// The receiver takes everything and closes.
    TakenAndClosed,
    /// The receiver takes some, says so, and closes.
    PartlyAndClosed,
    /// The receiver takes some, says less, and is silent from then on.
    PartlyAndSilent,
    /// The receiver takes everything and shows life, but does not say so in time.
    KeptAlive,
    /// The answer is not Lumberjack.
    Garbage,
    /// More is acknowledged than there is.
    Beyond,
}

/// What goes wrong with the next request, if anything.
pub fn of_request(sim: &Sim) -> Option<ApiFault> {
    let settings = &sim.world.settings;
    if sim.quiet.get() {
        return None;
    }
    let trouble = &sim.world.trouble;
    let gateway = trouble.gateway.filter(|time| within(&[*time], sim.now.get())).is_some();
    if gateway || trouble.foreign > 0 && sim.luck.chance(trouble.foreign) {
        if gateway {
            sim.met.note("gateway");
        }
        let (status, body) = sim.luck.pick(FOREIGN);
        return Some(ApiFault::Foreign { status, body });
    }
    if within(&settings.api_down, sim.now.get()) {
        return Some(random_outage(sim));
    }
    sim.random.chance(settings.api_faults).then(|| {
        let done = sim.random.chance(500);
        let after = sim.random.heavy(300, 100_000) as usize;
        match sim.random.below(8) {
            0 => ApiFault::NoAnswer { done },
            1 => ApiFault::Status { status: sim.random.pick(&[429, 500, 500, 502, 503, 504]), done },
            2 => ApiFault::Status { status: sim.random.pick(&[401, 403, 409]), done: false },
            3 | 4 => ApiFault::Reset { after },
            5 => ApiFault::CutOff { after },
            6 => ApiFault::Garbage,
            _ => ApiFault::Slow,
        }
    })
}

/// Notes what was handed out.
pub fn note(sim: &Sim, request: &Request, fault: Option<ApiFault>) {
    let kind = match fault {
        None => return,
        Some(ApiFault::NoAnswer { done: true }) if request.method == Method::Put => "put-unanswered",
        Some(ApiFault::NoAnswer { .. }) => "no-answer",
        Some(ApiFault::Status { .. }) => "status",
        Some(ApiFault::Reset { .. }) => "reset",
        Some(ApiFault::CutOff { .. }) => "cut-off",
        Some(ApiFault::Garbage) => "garbage",
        Some(ApiFault::Foreign { .. }) if request.target.contains("/packages/") => "foreign-package",
        Some(ApiFault::Foreign { .. }) => "foreign",
        Some(ApiFault::Slow) => "slow-api",
    };
    sim.met.note(kind);
}

/// What goes wrong with the next connection, if anything.
pub fn of_connect(sim: &Sim) -> Option<TransportFault> {
    let settings = &sim.world.settings;
    let down = within(&settings.receiver_down, sim.now.get());
    (!sim.quiet.get() && (down || sim.random.chance(settings.transport_faults)))
        .then(|| sim.random.pick(&[TransportFault::Refused, TransportFault::TimedOut]))
}

/// What goes wrong with the next window, if anything.
pub fn of_window(sim: &Sim) -> Option<TransportFault> {
    use TransportFault::*;
    let settings = &sim.world.settings;
    let down = within(&settings.receiver_down, sim.now.get());
    (!sim.quiet.get() && (down || sim.random.chance(settings.transport_faults))).then(|| {
        let all =
            [WrittenAndFailed, TakenAndClosed, PartlyAndClosed, PartlyAndSilent, KeptAlive, Garbage, Beyond];
        let none = [Refused, TimedOut, Dropped];
        if down { sim.random.pick(&none) } else { sim.random.pick(&[all.as_slice(), &none].concat()) }
    })
}

fn random_outage(sim: &Sim) -> ApiFault {
    match sim.random.below(3) {
        0 => ApiFault::NoAnswer { done: false },
        1 => ApiFault::Status { status: 503, done: false },
        _ => ApiFault::Status { status: 500, done: false },
    }
}

fn within(times: &[(u64, u64)], now: u64) -> bool {
    times.iter().any(|(since, upto)| (*since..=*upto).contains(&now))
}
