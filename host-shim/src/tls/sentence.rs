//! TLS errors in words that a person can act on.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

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

/// Words for an error of the handshake. `section` is the part of the parameters where the remedy goes: `logstash` or `api`.
pub(crate) fn handshake(error: &io::Error, section: &str) -> Fault {
    match tls_error(error) {
        Some(error) => of_tls(error, section),
        None => Fault {
            sentence: format!(
                "the connection broke during the TLS handshake ({}); check that the port is the right one and expects TLS{}",
                closed(error),
                plain_hint(section),
            ),
            retryable: true,
        },
    }
}

/// Words for a TLS error at any time.
pub(crate) fn of_tls(error: &Error, section: &str) -> Fault {
    let sentence = match error {
        Error::InvalidCertificate(error) => return certificate(error, section),
        Error::AlertReceived(alert) => return alert_received(*alert, section),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            format!("the other side does not speak TLS on this port; check the port{}", plain_hint(section))
        }
        Error::PeerIncompatible(reason) => format!(
            "no common TLS version or cipher ({reason:?}); allow TLS 1.2 or 1.3 on the server, or widen `{section}.minVersion` and `{section}.maxVersion`"
        ),
        Error::NoCertificatesPresented => "the server showed no certificate; give it one".to_owned(),
        other => format!("TLS failed: {other}; check the server's TLS settings"),
    };
    Fault { sentence, retryable: false }
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

fn certificate(error: &CertificateError, section: &str) -> Fault {
    use CertificateError as C;
    let sentence = match error {
        C::UnknownIssuer => format!(
            "the server's certificate was not issued by an authority that is trusted here; put the CA's certificate in `{section}.ca`"
        ),
        C::Expired | C::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it there".to_owned()
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; check the clocks, or wait until it is".to_owned()
        }
        C::NotValidForNameContext { expected, presented } if presented.is_empty() => format!(
            "the server's certificate has no subject alternative names, so it is not valid for {}; issue it again with that name",
            expected.to_str()
        ),
        C::NotValidForNameContext { expected, presented } => {
            let offered: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
            format!(
                "the server's certificate is for {}, not for {}; use one of its names as the host{}",
                offered.join(", "),
                expected.to_str(),
                servername_hint(section),
            )
        }
        C::NotValidForName => {
            format!(
                "the server's certificate is for another name; use its name as the host{}",
                servername_hint(section)
            )
        }
        C::Revoked => "the server's certificate has been revoked; renew it there".to_owned(),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers; issue it again for server authentication"
                .to_owned()
        }
        C::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => format!(
            "the server's certificate is self-signed and marked as a CA; put that very certificate in `{section}.ca`"
        ),
        C::BadSignature => format!(
            "the server's certificate was issued by another CA of the same name; put the one that issued it in `{section}.ca`"
        ),
        other => format!("the server's certificate was refused ({other}); check it there"),
    };
    Fault { sentence, retryable: false }
}

fn alert_received(alert: AlertDescription, section: &str) -> Fault {
    use AlertDescription as A;
    let sentence = match alert {
        A::CertificateRequired | A::NoCertificate => {
            format!(
                "the server wants a client certificate; put it and its key in `{section}.cert` and `{section}.key`"
            )
        }
        alert if is_about_client_certificate(alert) => format!(
            "the server refused the client certificate, or wants one and got none (alert {alert:?}); put one that it trusts in `{section}.cert` and its key in `{section}.key`"
        ),
        A::ProtocolVersion => format!(
            "no common TLS version (alert {alert:?}); allow TLS 1.2 or 1.3 on the server, or widen `{section}.minVersion` and `{section}.maxVersion`"
        ),
        A::HandshakeFailure | A::InsufficientSecurity => format!(
            "the server refused the handshake (alert {alert:?}): no common cipher, or a client certificate is missing in `{section}.cert` and `{section}.key`"
        ),
        A::UnrecognisedName => {
            format!("the server does not know the name that was asked for{}", servername_hint(section))
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

/// Only the receiver can be told to go without TLS, or to check another name.
fn plain_hint(section: &str) -> &'static str {
    if section == "logstash" { ", or set `logstash.tls` to false if it is meant to be plain" } else { "" }
}

fn servername_hint(section: &str) -> &'static str {
    if section == "logstash" { ", or put the name to check in `logstash.servername`" } else { "" }
}

/// rustls shows names as `DnsName("x")`.
fn bare_name(shown: &str) -> String {
    match (shown.find('"'), shown.rfind('"')) {
        (Some(first), Some(last)) if first < last => shown.get(first + 1..last).unwrap_or(shown).to_owned(),
        _ => shown.to_owned(),
    }
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

    fn said(error: Error) -> String {
        of_tls(&error, "logstash").sentence
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
            (Error::AlertReceived(AlertDescription::BadCertificate), "wants one and got none"),
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
    fn the_api_is_never_told_to_go_without_tls() {
        let error = Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert!(!of_tls(&error, "api").sentence.contains("logstash"));
    }
}
