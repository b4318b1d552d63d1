//! TLS errors in words that a person can act on.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, OtherError};

use super::pins::PinMismatch;
use super::unfit::Unfit;
use super::untrusted::Untrusted;

/// What went wrong, and whether a new connection may do better by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) sentence: String,
    pub(crate) retryable: bool,
}

/// The TLS error inside an I/O error, if there is one.
pub(crate) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

/// Who we are in a conversation: it decides what advice makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The receiver's, which can be told everything there is in `logstash`.
    Receivers(ClientCertificate),
    /// The API's.
    Apis,
}

/// What became of the client certificate so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    /// The server has not asked for one.
    NotAsked,
    /// It has, and there is none.
    Missing,
    /// It has, and got it.
    Shown,
}

impl Client {
    /// Words for an error of the handshake.
    pub(crate) fn handshake(self, error: &io::Error) -> Fault {
        match tls_error(error) {
            Some(error) => self.of_tls(error),
            None => Fault {
                sentence: format!(
                    "the connection broke during the TLS handshake ({}); check that the port is the right one and expects TLS{}",
                    closed(error),
                    self.plain_hint(),
                ),
                retryable: true,
            },
        }
    }

    /// Words for a TLS error at any time.
    pub(crate) fn of_tls(self, error: &Error) -> Fault {
        let sentence = match error {
            Error::InvalidCertificate(error) => self.certificate(error),
            Error::AlertReceived(alert) => return self.alert_received(*alert),
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
                format!("the other side does not speak TLS on this port; check the port{}", self.plain_hint())
            }
            Error::PeerIncompatible(reason) => format!(
                "no common TLS version or cipher with the server ({reason:?}); allow TLS 1.2 or 1.3 on the server{}",
                self.version_hint()
            ),
            Error::NoCertificatesPresented => "the server showed no certificate; give it one".to_owned(),
            other => format!("TLS failed: {other}; check the server's TLS settings"),
        };
        Fault { sentence, retryable: false }
    }

    fn certificate(self, error: &CertificateError) -> String {
        use CertificateError as C;
        let section = self.section();
        match error {
            C::UnknownIssuer => format!(
                "the server's certificate was not issued by an authority that is trusted here; put the CA's certificate in `{section}.ca`"
            ),
            C::ExpiredContext { time, not_after } => format!(
                "the server's certificate has expired, {} ago; renew it on the server",
                duration(time.as_secs().saturating_sub(not_after.as_secs()))
            ),
            C::Expired => "the server's certificate has expired; renew it on the server".to_owned(),
            C::NotValidYetContext { time, not_before } => format!(
                "the server's certificate is not valid yet, for another {}; check the clocks, or wait until it is",
                duration(not_before.as_secs().saturating_sub(time.as_secs()))
            ),
            C::NotValidYet => {
                "the server's certificate is not valid yet; check the clocks, or wait until it is".to_owned()
            }
            C::NotValidForNameContext { expected, presented } if presented.is_empty() => format!(
                "the server's certificate has no subject alternative names, so it is not valid for {}: a common name (CN) is not enough; issue it again with that name",
                expected.to_str()
            ),
            C::NotValidForNameContext { expected, presented } => {
                let offered: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
                format!(
                    "the server's certificate is for {}, not for {}; use one of its names as the host{}",
                    offered.join(", "),
                    expected.to_str(),
                    self.servername_hint(),
                )
            }
            C::NotValidForName => {
                format!(
                    "the server's certificate is for another name; use its name as the host{}",
                    self.servername_hint()
                )
            }
            C::Revoked => "the server's certificate has been revoked; give the server a new one".to_owned(),
            C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
                "the server's certificate is not meant for servers; issue it again for server authentication"
                    .to_owned()
            }
            C::BadSignature => format!(
                "the server's certificate was issued by another CA of the same name; put the one that issued it in `{section}.ca`"
            ),
            C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "the server's certificate has a kind of key or signature that is not supported; issue it again, signed with SHA-256 or \
                 better, for an RSA key with 2048 bits or more, or one on the curve P-256 or P-384"
                    .to_owned()
            }
            C::Other(other) => self.other(other),
            other => format!("the server's certificate cannot be accepted ({other}); check it on the server"),
        }
    }

    /// Errors that rustls has no name for: our own, and those of webpki that it passes on.
    fn other(self, error: &OtherError) -> String {
        let section = self.section();
        if let Some(mismatch) = error.0.downcast_ref::<PinMismatch>() {
            return pin_mismatch(mismatch);
        }
        if let Some(untrusted) = error.0.downcast_ref::<Untrusted>() {
            return untrusted.sentence(section);
        }
        if let Some(unfit) = error.0.downcast_ref::<Unfit>() {
            return unfit.sentence(matches!(self, Self::Receivers(_)));
        }
        let shown = format!("{error:?}");
        if shown.contains("CaUsedAsEndEntity") {
            format!(
                "the server's certificate is self-signed and marked as a CA; put that very certificate in `{section}.ca`"
            )
        } else {
            format!("the server's certificate cannot be accepted ({error}); check it on the server")
        }
    }

    fn alert_received(self, alert: AlertDescription) -> Fault {
        use AlertDescription as A;
        let sentence = match alert {
            alert if is_about_client_certificate(alert) => self.client_certificate(alert),
            A::ProtocolVersion => format!(
                "no common TLS version with the server (alert {alert:?}); allow TLS 1.2 or 1.3 on the server{}",
                self.version_hint()
            ),
            // Servers of TLS 1.2 say this too when they miss a client certificate.
            A::HandshakeFailure | A::InsufficientSecurity => match self {
                Self::Receivers(ClientCertificate::Missing) => self.client_certificate(alert),
                Self::Receivers(ClientCertificate::Shown) => format!(
                    "the server refused the handshake (alert {alert:?}): it may not accept the client certificate in `logstash.cert`; see its log"
                ),
                _ => format!(
                    "no common cipher or kind of key with the server (alert {alert:?}); allow ECDHE with AES-GCM or ChaCha20 on the server, and give it a \
                     certificate for an RSA key, or for one on P-256, P-384 or P-521, or of Ed25519"
                ),
            },
            A::UnrecognisedName => {
                format!(
                    "the server has no certificate for the name of the host; check the host{}",
                    self.servername_hint()
                )
            }
            A::InternalError => {
                return Fault {
                    sentence: format!("the server gave up (alert {alert:?}); see its log"),
                    retryable: true,
                };
            }
            alert => format!("the server ended TLS with alert {alert:?}; see its log"),
        };
        Fault { sentence, retryable: false }
    }

    fn client_certificate(self, alert: AlertDescription) -> String {
        use AlertDescription as A;
        match self {
            Self::Apis => {
                return format!(
                    "the server wants a client certificate (alert {alert:?}), which is not supported for the API; give an address of the API that does not want one"
                );
            }
            Self::Receivers(ClientCertificate::Shown) => {}
            Self::Receivers(_) => {
                return format!(
                    "the server wants a client certificate (alert {alert:?}); put one that it trusts and its key in `logstash.cert` and `logstash.key`"
                );
            }
        }
        let what = match alert {
            A::UnknownCA => "it does not trust the CA that issued it; put one that it trusts in",
            A::CertificateExpired => "it has expired or is not valid yet; put a new one in",
            A::CertificateRevoked => "it has been revoked; put a new one in",
            A::UnsupportedCertificate => "it is not meant for clients; put one for client authentication in",
            _ => "see its log, and put one that it accepts in",
        };
        format!(
            "the server refused the client certificate (alert {alert:?}): {what} `logstash.cert`, with its key in `logstash.key`"
        )
    }

    /// The part of the parameters where the remedy goes.
    fn section(self) -> &'static str {
        match self {
            Self::Receivers(_) => "logstash",
            Self::Apis => "api",
        }
    }

    /// Only the receiver can be told to go without TLS, to check another name, or to speak other versions.
    fn plain_hint(self) -> &'static str {
        match self {
            Self::Receivers(_) => ", or set `logstash.tls` to false if it is meant to be plain",
            Self::Apis => "",
        }
    }

    fn servername_hint(self) -> &'static str {
        match self {
            Self::Receivers(_) => ", or put the name to check in `logstash.servername`",
            Self::Apis => "",
        }
    }

    fn version_hint(self) -> &'static str {
        match self {
            Self::Receivers(_) => ", or widen `logstash.minVersion` and `logstash.maxVersion`",
            Self::Apis => "",
        }
    }
}

/// Whether an alert after the handshake speaks about the client's certificate: under TLS 1.3 that is when the client learns of it.
pub(crate) fn is_about_client_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::CertificateRequired
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::NoCertificate
    )
}

fn pin_mismatch(mismatch: &PinMismatch) -> String {
    match mismatch {
        PinMismatch::Leaf(seen) => format!(
            "the server's certificate is not the one in `logstash.leaf_sha256`, its SHA-256 fingerprint is {seen}; if that is right, pin it instead"
        ),
        PinMismatch::Authority(seen) if seen.is_empty() => {
            "the server's certificate was not issued by the CA in `logstash.ca_sha256`, and the server shows no CA along with it; pin \
             the CA that issued it, and put that CA's certificate in `logstash.ca`"
                .to_owned()
        }
        PinMismatch::Authority(seen) => format!(
            "the server's certificate was not issued by the CA in `logstash.ca_sha256`, the CAs that it shows have the SHA-256 \
             fingerprints {}; if one of these is right, pin it instead",
            seen.join(", ")
        ),
    }
}

/// A time span, in the largest unit that fits.
fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// rustls shows names as `DnsName("x")` and `IpAddress(x)`.
fn bare_name(shown: &str) -> String {
    let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(shown).trim_matches('"').to_owned()
}

fn closed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "closed by the other side".to_owned(),
        _ => crate::net::plain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVERS: Client = Client::Receivers(ClientCertificate::Missing);

    fn said(error: Error) -> String {
        RECEIVERS.of_tls(&error).sentence
    }

    #[test]
    fn each_cause_has_its_own_sentence_with_a_remedy() {
        let cases = [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "put the CA's certificate in `logstash.ca`",
            ),
            (Error::InvalidCertificate(CertificateError::Expired), "has expired"),
            (Error::InvalidCertificate(CertificateError::NotValidYet), "not valid yet"),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "`logstash.cert` and `logstash.key`",
            ),
            (Error::AlertReceived(AlertDescription::BadCertificate), "wants a client certificate"),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), "no common TLS version"),
            (Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), "does not speak TLS"),
        ];
        for (error, part) in cases {
            let sentence = said(error.clone());
            assert!(sentence.contains(part), "{error:?}: {sentence}");
        }
    }

    #[test]
    fn a_wrong_name_shows_the_names_expected_and_offered() {
        let sentence = said(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("logs.example.com").unwrap(),
            presented: vec!["DnsName(\"logstash.internal\")".to_owned()],
        }));
        assert!(sentence.contains("for logstash.internal, not for logs.example.com"), "{sentence}");
        assert!(sentence.contains("logstash.servername"), "{sentence}");
    }

    #[test]
    fn advice_depends_on_whether_a_client_certificate_is_shown() {
        let showing = Client::Receivers(ClientCertificate::Shown);
        for (alert, part) in [
            (AlertDescription::UnknownCA, "does not trust the CA"),
            (AlertDescription::CertificateExpired, "has expired"),
            (AlertDescription::CertificateRevoked, "revoked"),
            (AlertDescription::UnsupportedCertificate, "not meant for clients"),
            (AlertDescription::HandshakeFailure, "may not accept the client certificate"),
        ] {
            let sentence = showing.of_tls(&Error::AlertReceived(alert)).sentence;
            assert!(sentence.contains(part), "{alert:?}: {sentence}");
            let sentence = said(Error::AlertReceived(alert));
            assert!(sentence.contains("wants a client certificate"), "{alert:?}: {sentence}");
        }
    }

    #[test]
    fn a_time_span_is_told_in_the_largest_unit_that_fits() {
        for (seconds, told) in [(1, "1 second"), (130, "2 minutes"), (7200, "2 hours"), (200_000, "2 days")] {
            assert_eq!(duration(seconds), told);
        }
    }

    #[test]
    fn the_api_is_told_nothing_that_only_the_receiver_can_be_told() {
        for error in [
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            Error::AlertReceived(AlertDescription::ProtocolVersion),
            Error::AlertReceived(AlertDescription::CertificateRequired),
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            Error::InvalidCertificate(CertificateError::NotValidForName),
        ] {
            let sentence = Client::Apis.of_tls(&error).sentence;
            assert!(!sentence.contains("logstash") && !sentence.contains("api.cert"), "{sentence}");
        }
    }
}
