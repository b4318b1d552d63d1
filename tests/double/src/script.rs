//! What a test has planned for requests: faults, holds, and changes to the world just before an answer.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;

use crate::journal::Request;
use crate::reply::Reply;
use crate::world::World;

/// Which requests something is planned for.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    target: Option<Target>,
    method: Option<String>,
    path_part: Option<String>,
    params: Vec<(String, String)>,
    spare: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    List,
    Count,
    Record,
    Logs,
    Package,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Lists of activations (not counts).
    pub fn list() -> Self {
        Self::of(Target::List)
    }

    /// Counts of activations.
    pub fn count() -> Self {
        Self::of(Target::Count)
    }

    /// Single activation records.
    pub fn record() -> Self {
        Self::of(Target::Record)
    }

    /// Logs of single activations.
    pub fn logs() -> Self {
        Self::of(Target::Logs)
    }

    /// Packages.
    pub fn package() -> Self {
        Self::of(Target::Package)
    }

    fn of(target: Target) -> Self {
        Self { target: Some(target), ..Self::default() }
    }

    /// Only this method, in upper case.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only paths that contain this.
    pub fn path_part(mut self, part: &str) -> Self {
        self.path_part = Some(part.into());
        self
    }

    /// Only requests with this query parameter.
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Spares the first `n` of those that match.
    pub fn after(mut self, n: u64) -> Self {
        self.spare = n;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.target.is_none_or(|target| target_of(request) == Some(target))
            && self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path_part.as_ref().is_none_or(|part| request.path.contains(part))
            && self.params.iter().all(|(name, value)| request.param(name) == Some(value))
    }
}

fn target_of(request: &Request) -> Option<Target> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let counts = matches!(request.param("count"), Some("true" | "yes" | "on" | "1"));
    match segments[..] {
        ["api", "v1", "namespaces", _, "activations"] | ["api", "v1", "namespaces", _, "activations", ""] => {
            Some(if counts { Target::Count } else { Target::List })
        }
        ["api", "v1", "namespaces", _, "activations", _, "logs"] => Some(Target::Logs),
        ["api", "v1", "namespaces", _, "activations", _, ..] => Some(Target::Record),
        ["api", "v1", "namespaces", _, "packages", ..] => Some(Target::Package),
        _ => None,
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub struct Fault(pub(crate) Trouble);

#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Something else answers.
    Instead(Reply),
    /// The true reply, announced in full, then only its first bytes.
    Cut { after: usize, ending: Ending },
    /// No reply at all.
    Silence(Ending),
    /// The true reply, cut to its first bytes, and only these are announced.
    Understated(usize),
    /// The trouble, if the true reply's body is larger than this.
    Over { bytes: usize, trouble: Box<Trouble> },
    /// The true reply, late.
    Delay(Duration),
    /// The true reply, and the connection closes without notice.
    LastOne,
}

/// What happens where a reply breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Close,
    Reset,
    Stall,
}

impl Fault {
    /// A status with the body that the platform, or the nginx in front of it (502, 503, 504: HTML), gives with it.
    pub fn status(status: u16) -> Self {
        let reply = match status {
            429 => Reply::error(429, "Too many requests in the last minute (count: 61, allowed: 60)."),
            401 => Reply::error(401, "The supplied authentication is invalid"),
            403 => {
                Reply::error(403, "The supplied authentication is not authorized to access this resource.")
            }
            404 => Reply::no_resource(),
            409 => Reply::error(409, "Concurrent modification to resource detected."),
            502..=504 => {
                let page = format!(
                    "<html>\r\n<head><title>{status}</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"
                );
                Reply::raw(status, "text/html", page.into_bytes())
            }
            500 => Reply::server_error(),
            _ => Reply::error(status, "A fault that the test asked for."),
        };
        Self(Trouble::Instead(reply))
    }

    /// Any reply: a proxy's HTML with status 200, JSON that is none, …
    pub fn reply(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self(Trouble::Instead(Reply::raw(status, content_type, body.into())))
    }

    /// The platform or a gateway is busy (429, 503), and wants to be left alone for so many seconds.
    pub fn busy(status: u16, retry_after: &str) -> Self {
        Self(Trouble::Instead(Reply::error(status, "Too many requests.").with("retry-after", retry_after)))
    }

    /// A redirect, as port 80 gives.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self(Trouble::Instead(Reply::raw(status, "text/html", Vec::new()).with("location", location)))
    }

    /// The connection is reset before any reply.
    pub fn reset() -> Self {
        Self(Trouble::Silence(Ending::Reset))
    }

    /// The connection closes before any reply, as a kept-alive one may.
    pub fn close() -> Self {
        Self(Trouble::Silence(Ending::Close))
    }

    /// No reply ever; the connection stays open.
    pub fn stall() -> Self {
        Self(Trouble::Silence(Ending::Stall))
    }

    /// The connection is reset after `bytes` bytes of the body.
    pub fn reset_after(bytes: usize) -> Self {
        Self(Trouble::Cut { after: bytes, ending: Ending::Reset })
    }

    /// The connection closes after `bytes` bytes of the body, although more were announced.
    pub fn truncate_after(bytes: usize) -> Self {
        Self(Trouble::Cut { after: bytes, ending: Ending::Close })
    }

    /// The `Content-Length` is too small by all but `bytes` bytes: the body ends there as if it were whole.
    pub fn understate_length(bytes: usize) -> Self {
        Self(Trouble::Understated(bytes))
    }

    /// Nothing comes after `bytes` bytes of the body; the connection stays open.
    pub fn stall_after(bytes: usize) -> Self {
        Self(Trouble::Cut { after: bytes, ending: Ending::Stall })
    }

    /// The reply comes late by this.
    pub fn delay(by: Duration) -> Self {
        Self(Trouble::Delay(by))
    }

    /// This fault only for replies with more than `bytes` bytes: as gateways and stores fail on large pages, each in its way.
    pub fn over(self, bytes: usize) -> Self {
        Self(Trouble::Over { bytes, trouble: Box::new(self.0) })
    }

    /// The reply is fine, but the connection closes after it without having said so.
    pub fn close_after_reply() -> Self {
        Self(Trouble::LastOne)
    }
}

/// Holds requests back until it is dropped.
#[derive(Debug)]
pub struct Hold(#[allow(dead_code, reason = "dropping it is what it is for")] watch::Sender<()>);

/// What is planned, in the order it was planned.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<Step>);

#[derive(Debug)]
struct Step {
    matcher: Matcher,
    spare: u64,
    /// None: for good.
    uses: Option<u64>,
    effect: Effect,
}

enum Effect {
    Fault(Fault),
    Hold(watch::Receiver<()>),
    Call(Option<Call>),
}

type Call = Box<dyn FnOnce(&World) + Send>;

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Hold(_) => f.write_str("Hold"),
            Self::Call(_) => f.write_str("Call"),
        }
    }
}

/// What to do with one request.
#[derive(Default)]
pub(crate) struct Orders {
    pub(crate) calls: Vec<Call>,
    pub(crate) holds: Vec<watch::Receiver<()>>,
    pub(crate) fault: Option<Fault>,
}

impl Script {
    pub(crate) fn fault(&mut self, matcher: Matcher, uses: Option<u64>, fault: Fault) {
        self.plan(matcher, uses, Effect::Fault(fault));
    }

    pub(crate) fn hold(&mut self, matcher: Matcher) -> Hold {
        let (hold, held) = watch::channel(());
        self.plan(matcher, None, Effect::Hold(held));
        Hold(hold)
    }

    pub(crate) fn call(&mut self, matcher: Matcher, call: Call) {
        self.plan(matcher, Some(1), Effect::Call(Some(call)));
    }

    pub(crate) fn clear_faults(&mut self) {
        self.0.retain(|step| !matches!(step.effect, Effect::Fault(_)));
    }

    fn plan(&mut self, matcher: Matcher, uses: Option<u64>, effect: Effect) {
        self.0.push(Step { spare: matcher.spare, matcher, uses, effect });
    }

    /// The orders for a request: all calls and holds that match, and the first fault.
    pub(crate) fn orders(&mut self, request: &Request) -> Orders {
        let mut orders = Orders::default();
        for step in self.0.iter_mut().filter(|step| step.matcher.matches(request)) {
            if matches!(step.effect, Effect::Fault(_)) && orders.fault.is_some() {
                continue;
            }
            if step.spare > 0 {
                step.spare -= 1;
                continue;
            }
            step.uses = step.uses.map(|uses| uses - 1);
            match &mut step.effect {
                Effect::Fault(fault) => orders.fault = Some(fault.clone()),
                Effect::Hold(held) => orders.holds.push(held.clone()),
                Effect::Call(call) => orders.calls.extend(call.take()),
            }
        }
        self.0.retain(|step| step.uses != Some(0) && !step.released());
        orders
    }
}

impl Step {
    fn released(&self) -> bool {
        matches!(&self.effect, Effect::Hold(held) if held.has_changed().is_err())
    }
}
