//! Reasons why a connection through a proxy failed, with remedies.

use http::StatusCode;
use tokio_socks::Error as SocksError;

use super::language::Language;
use super::{Names, Proxy, ProxyFault, Step};
use crate::net::{DialError, authority, plain};

/// A proxy, and what it is asked for: the subject of all sentences.
pub(super) struct Asked<'a> {
    pub(super) proxy: &'a Proxy,
    /// `host:port`
    pub(super) target: &'a str,
}

impl Asked<'_> {
    pub(super) fn unreachable(&self, error: &DialError) -> ProxyFault {
        let step = match error {
            DialError::Resolve { .. } => Step::Resolve,
            DialError::Timeout { .. } => Step::Timeout,
            DialError::Connect { .. } | DialError::Proxy(_) => Step::Connect,
        };
        let what = format!("cannot be reached: {error}; check its host and port, and that it runs");
        ProxyFault { step, ..self.fault(true, &what) }
    }

    pub(super) fn unresolved(&self, cause: &str) -> ProxyFault {
        let Self { proxy, target } = self;
        let remedy = match proxy.named {
            "logstash.proxy_url" => "take `logstash.proxy_use_local_resolver` out of the configuration",
            _ => "write socks5h:// instead of socks5://",
        };
        let sentence = format!(
            "the name of {target} cannot be resolved here ({cause}); to have {proxy} resolve it, {remedy}"
        );
        ProxyFault { step: Step::Resolve, retryable: true, sentence, of_target: false, foreign: false }
    }

    pub(super) fn silent(&self) -> ProxyFault {
        let (language, target) = (self.language(), self.target);
        let what = format!(
            "did not connect to {target} in time; check that it speaks {language}, and that no firewall behind it stops the connection"
        );
        ProxyFault { step: Step::Timeout, ..self.fault(true, &what) }
    }

    pub(super) fn closed(&self) -> ProxyFault {
        let language = self.language();
        let what = format!(
            "closed the connection before it answered; check that it speaks {language} and lets this host in"
        );
        ProxyFault { foreign: true, ..self.fault(true, &what) }
    }

    pub(super) fn stranger(&self) -> ProxyFault {
        let language = self.language();
        let what = format!(
            "does not speak {language}; check its port, and its scheme: http:// for HTTP, socks5:// for SOCKS 5"
        );
        ProxyFault { foreign: true, ..self.fault(false, &what) }
    }

    /// It speaks another language than that of its scheme.
    pub(super) fn mistaken(&self, language: Language) -> ProxyFault {
        let (own, place) = (self.language(), authority(&self.proxy.host, self.proxy.port));
        let what = match language {
            Language::Http => format!("speaks HTTP, not {own}; give it as http://{place}"),
            Language::Socks => format!("speaks SOCKS 5, not {own}; give it as socks5://{place}"),
            Language::Tls => {
                "expects TLS on this port, and TLS to the proxy itself is not supported; give a port without TLS, or another proxy"
                    .to_owned()
            }
        };
        self.fault(false, &what)
    }

    pub(super) fn broke(&self, error: &std::io::Error) -> ProxyFault {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.closed(),
            _ => ProxyFault {
                foreign: true,
                ..self.fault(true, &format!("broke the connection ({}); see its log", plain(error)))
            },
        }
    }

    /// The other side spoke before it was spoken to.
    pub(super) fn too_early(&self) -> ProxyFault {
        let target = self.target;
        self.fault(
            false,
            &format!("connected to {target}, which spoke first; check the port: neither TLS nor Lumberjack begins so"),
        )
    }

    /// An answer other than success; `offered` is its `Proxy-Authenticate`.
    pub(super) fn status(&self, status: StatusCode, offered: &str) -> ProxyFault {
        let (target, number) = (self.target, status.as_u16());
        match number {
            // tinyproxy says 401 where a password is wrong.
            401 | 407 => self.login(offered),
            408 | 429 | 500.. => ProxyFault {
                of_target: true,
                ..self.fault(
                    true,
                    &format!(
                        "could not connect to {target} (status {number}); check that the proxy can resolve the name, and the port, and see its log"
                    ),
                )
            },
            _ => ProxyFault {
                // Servers for TLS answer so to requests without it.
                foreign: number == 400,
                ..self.fault(
                    false,
                    &format!("refuses to connect to {target} (status {number}); let its rules permit that"),
                )
            },
        }
    }

    /// HTTP's 407.
    pub(super) fn login(&self, offered: &str) -> ProxyFault {
        let schemes: Vec<&str> = offered.split(',').filter_map(|one| one.split_whitespace().next()).collect();
        let basic = schemes.is_empty() || schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
        match self.proxy.user {
            _ if !basic => self.fault(
                false,
                "wants another way to log in than user name and password (Basic, status 407); let it permit that",
            ),
            None => self.anonymous(),
            Some(_) => self.wrong_password(),
        }
    }

    pub(super) fn socks(&self, error: &SocksError) -> ProxyFault {
        let target = self.target;
        let of_target = |what: String| ProxyFault { of_target: true, ..self.fault(true, &what) };
        match error {
            SocksError::Io(error) => self.broke(error),
            SocksError::GeneralSocksServerFailure => {
                of_target(format!("failed to connect to {target} (code 1); see its log for the reason"))
            }
            SocksError::ConnectionNotAllowedByRuleset => {
                let what = format!("refuses to connect to {target} (code 2); let its rules permit that");
                self.fault(false, &what)
            }
            SocksError::NetworkUnreachable => of_target(format!(
                "has no way to the network of {target} (code 3); check the address, and the proxy's routes"
            )),
            SocksError::HostUnreachable => of_target(format!(
                "does not reach {target} (code 4); check that the proxy can resolve the name{}",
                self.names()
            )),
            SocksError::ConnectionRefused => of_target(format!(
                "was refused a connection by {target} (code 5); check the port, and that a program listens there"
            )),
            SocksError::TtlExpired => of_target(format!(
                "lost its packets on the way to {target} (code 6); check the proxy's routes"
            )),
            SocksError::CommandNotSupported => {
                self.fault(false, "does not make connections (code 7); give another proxy")
            }
            SocksError::AddressTypeNotSupported => ProxyFault {
                of_target: true,
                ..self.fault(
                    false,
                    &format!("does not take an address such as {target} (code 8); {}", self.other_address()),
                )
            },
            SocksError::AuthorizationRequired => self.anonymous(),
            SocksError::NoAcceptableAuthMethods if self.proxy.user.is_none() => self.anonymous(),
            SocksError::NoAcceptableAuthMethods => self
                .fault(false, "wants another way to log in than user name and password; let it permit that"),
            SocksError::PasswordAuthFailure(_) => self.wrong_password(),
            SocksError::InvalidTargetAddress(_) => self.fault(
                false,
                &format!("cannot be asked for {target}: the name is too long for SOCKS; give an address"),
            ),
            _ => self.stranger(),
        }
    }

    fn anonymous(&self) -> ProxyFault {
        let scheme = self.proxy.scheme;
        let what = format!(
            "wants a user name and a password; give them before its host, as {scheme}://user:password@host:port"
        );
        self.fault(false, &what)
    }

    fn wrong_password(&self) -> ProxyFault {
        self.fault(
            false,
            "does not accept user name and password; check both, with : @ / % in them written as %3A %40 %2F %25",
        )
    }

    fn names(&self) -> &'static str {
        match (self.proxy.names(), self.proxy.named) {
            (Names::Here, _) => "",
            (Names::There, "logstash.proxy_url") => {
                "; if only this host knows it, set `logstash.proxy_use_local_resolver` to true"
            }
            (Names::There, _) => {
                "; if only this host knows it, and the proxy is one for SOCKS 5, write socks5://"
            }
        }
    }

    fn other_address(&self) -> &'static str {
        match self.proxy.names() {
            Names::Here => "give a name or an address of IPv4, or have the proxy resolve the name",
            Names::There => "give an address of IPv4",
        }
    }

    fn language(&self) -> &'static str {
        if self.proxy.takes_requests() { "HTTP" } else { "SOCKS 5" }
    }

    fn fault(&self, retryable: bool, what: &str) -> ProxyFault {
        let sentence = format!("{} {what}", self.proxy);
        ProxyFault { step: Step::Connect, retryable, sentence, of_target: false, foreign: false }
    }
}
