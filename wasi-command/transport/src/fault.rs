//! An error of a connection: the step, whether another connection may succeed, and a sentence that names the flag or key to set.

use crate::address::authority;

/// As `transport-step` in `wit/transport.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The host denies it.
    Permit,
    /// The name has no address.
    Resolve,
    /// No address accepted the connection.
    Connect,
    /// TLS was refused by one of the two.
    Handshake,
    /// Bytes could not be written.
    Write,
    /// Bytes could not be read.
    Read,
    /// Time ran out.
    Timeout,
}

/// As `transport-error` in `wit/transport.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The step that failed.
    pub step: Step,
    /// Whether a new connection may succeed without any change.
    pub retryable: bool,
    /// Names the receiver, the error and the remedy.
    pub message: String,
}

/// A receiver, and whether it is spoken to over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    name: String,
    tls: bool,
}

impl Peer {
    /// The receiver at `host:port`.
    pub fn new(host: &str, port: u16, tls: bool) -> Self {
        Self { name: authority(host, port), tls }
    }

    /// A fault of this receiver.
    pub fn fault(&self, step: Step, retryable: bool, what: &str) -> Fault {
        let prefix = match step {
            Step::Permit => "not permitted",
            Step::Resolve => "name not resolved",
            Step::Connect => "not connected",
            Step::Handshake => "no TLS",
            Step::Write => "not sent",
            Step::Read => "no answer",
            Step::Timeout => "timed out",
        };
        Fault { step, retryable, message: format!("{}: {prefix}: {what}", self.name) }
    }

    /// The host lets nobody out.
    pub fn network_denied(&self) -> Fault {
        let what = "the host denies the network; start it with `wasmtime run -S inherit-network`";
        self.fault(Step::Permit, false, what)
    }

    /// The host answers no questions about names.
    pub fn lookup_denied(&self) -> Fault {
        let what = "the host does not look up names; start it with `wasmtime run -S allow-ip-name-lookup`, or give an IP address in \
                    `logstash.host`";
        self.fault(Step::Permit, false, what)
    }

    /// The name has no address, for a reason in the host's words.
    pub fn unresolved(&self, cause: &str) -> Fault {
        self.fault(Step::Resolve, true, &format!("{cause}; check `logstash.host` and the name server"))
    }

    /// Every address that answered refused, or none answered at all.
    pub fn unreachable(&self, refused: &[String], silent: &[String]) -> Fault {
        if refused.is_empty() {
            let what = format!(
                "no address answered in time ({}); check `logstash.host`, `logstash.port` and the firewalls between",
                silent.join(", ")
            );
            return self.fault(Step::Timeout, true, &what);
        }
        let mut what = refused.join(", ");
        if !silent.is_empty() {
            what += &format!("; no answer in time from {}", silent.join(", "));
        }
        what += "; check that the receiver runs and that a firewall lets this host through";
        self.fault(Step::Connect, true, &what)
    }

    /// The TLS handshake failed, for a reason in the host's words.
    pub fn no_tls(&self, cause: &str) -> Fault {
        let known = REFUSALS.iter().find(|(words, _)| words.iter().any(|word| cause.contains(word)));
        let (retryable, remedy) = match known {
            Some((_, remedy)) => (false, *remedy),
            None => (true, "check that the port expects TLS, and see the receiver's log"),
        };
        self.fault(Step::Handshake, retryable, &format!("{cause}: {remedy}"))
    }

    /// The receiver took the connection, and left the handshake unanswered.
    pub fn handshake_timeout(&self) -> Fault {
        let what = "accepted the connection but left the TLS handshake unanswered; check that the port expects TLS, or set \
                    `logstash.tls` to false if it is meant to be plain";
        self.fault(Step::Timeout, true, what)
    }

    /// It answered a plain connection with a TLS alert.
    pub fn wants_tls(&self) -> Fault {
        let what = "it answered in TLS: this port wants it; take `logstash.tls` out of the configuration";
        self.fault(Step::Handshake, false, what)
    }

    /// It asked for a client certificate, and there is none to show.
    pub fn wants_certificate(&self) -> Fault {
        let what = "it wants a client certificate, which `wasi:tls` cannot show: use the `whiskjack` binary with `logstash.cert` and \
                    `logstash.key`, or a TLS proxy on this machine (stunnel, socat) with `logstash.tls` false";
        self.fault(Step::Handshake, false, what)
    }

    /// A connection that broke; `heard` if it had said anything before.
    pub fn broken(&self, step: Step, cause: &str, heard: bool) -> Fault {
        if cause.contains("CertificateRequired") || cause.contains("BadCertificate") {
            return self.wants_certificate();
        }
        let what = match heard {
            true => format!("broke the connection ({cause}); see the receiver's log if this repeats"),
            false => format!("broke the connection ({cause}) before it answered; {}", self.silence()),
        };
        self.fault(step, true, &what)
    }

    /// A receiver that left without a word.
    pub fn left_silently(&self) -> Fault {
        self.fault(Step::Read, true, &format!("closed the connection before it answered; {}", self.silence()))
    }

    fn silence(&self) -> &'static str {
        match self.tls {
            false => {
                "if the port wants TLS, take `logstash.tls` out of the configuration; else check that it speaks Lumberjack (Beats), and \
                 see the receiver's log"
            }
            true => {
                "the TLS handshake went well: it may want a client certificate, which `wasi:tls` cannot show; else check that the port \
                 speaks Lumberjack (Beats), and see the receiver's log"
            }
        }
    }
}

/// Words of `rustls`, which is behind wasmtime's `wasi:tls`, and what to do. The draft hands over a text only; one that is not here is told
/// as it is.
const REFUSALS: &[(&[&str], &str)] = &[
    (
        &["UnknownIssuer", "CaUsedAsEndEntity"],
        "the stock wasmtime command trusts public certificate authorities only: use the `whiskjack` binary and `logstash.ca`, or a TLS \
         proxy on this machine (stunnel, socat) with `logstash.tls` false",
    ),
    (
        &["NotValidForName", "not valid for name"],
        "put the name that the receiver's certificate has into `logstash.servername`",
    ),
    (&["Expired", "expired"], "the receiver needs a new certificate, or one of the two clocks is wrong"),
    (&["server name"], "set `logstash.servername` to a name that a certificate can hold"),
    (
        &["InvalidMessage", "corrupt"],
        "the port does not seem to speak TLS; set `logstash.tls` to false if it is meant to be plain",
    ),
    (&["certificate"], "see the receiver's certificate"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_receiver_the_step_and_the_flag_or_key() {
        let peer = Peer::new("logs.example.com", 5044, true);
        for (fault, step, parts) in [
            (
                peer.network_denied(),
                Step::Permit,
                ["logs.example.com:5044: not permitted", "inherit-network"],
            ),
            (peer.lookup_denied(), Step::Permit, ["not permitted", "allow-ip-name-lookup"]),
            (peer.no_tls("invalid peer certificate: UnknownIssuer"), Step::Handshake, ["no TLS", "public"]),
            (
                peer.no_tls("certificate not valid for name \"a\""),
                Step::Handshake,
                ["no TLS", "logstash.servername"],
            ),
            (
                peer.broken(Step::Read, "received fatal alert: CertificateRequired", false),
                Step::Handshake,
                ["client certificate", "`whiskjack` binary"],
            ),
        ] {
            assert_eq!((fault.step, fault.retryable), (step, false), "{fault:?}");
            for part in parts {
                assert!(fault.message.contains(part), "{part}: {fault:?}");
            }
        }
    }

    #[test]
    fn addresses_that_refused_and_that_were_silent_are_both_told() {
        let peer = Peer::new("::1", 1, false);
        let fault = peer.unreachable(&["[::1]:1: refused".to_owned()], &["10.0.0.1:1".to_owned()]);
        assert_eq!(fault.step, Step::Connect);
        assert!(
            fault
                .message
                .starts_with("[::1]:1: not connected: [::1]:1: refused; no answer in time from 10.0.0.1:1")
        );
        assert_eq!(peer.unreachable(&[], &["10.0.0.1:1".to_owned()]).step, Step::Timeout);
    }
}
