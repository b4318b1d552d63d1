//! The result of a handshake, for people: the version, and the server's certificate.

use rustls::pki_types::UnixTime;
use rustls::{ClientConnection, ProtocolVersion};

use super::certificate::{Certificate, called, day};

const SECONDS_A_DAY: u64 = 24 * 3600;

/// A secure connection, as people want to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// For example `TLS 1.3`.
    pub(crate) version: &'static str,
    /// Who issued the server's certificate. Nobody vouches for this text.
    pub(crate) issuer: String,
    /// Its last day, and how many whole days are left until then; none if it cannot be read, negative if that is over.
    pub(crate) until: Option<(String, i64)>,
}

impl Shown {
    /// Of a connection after its handshake.
    pub(crate) fn of(connection: &ClientConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        };
        let leaf = connection.peer_certificates().and_then(<[_]>::first);
        let certificate = leaf.and_then(|der| Certificate::parse(der));
        Self {
            version,
            issuer: certificate.as_ref().map_or_else(String::new, |own| called(own.issuer)),
            until: certificate.and_then(|own| own.until(UnixTime::now())),
        }
    }
}

impl Certificate<'_> {
    /// Its last day, and the whole days until then.
    fn until(&self, now: UnixTime) -> Option<(String, i64)> {
        let (_, last) = self.validity?;
        let seconds = i128::from(last.unix_duration().as_secs()) - i128::from(now.as_secs());
        Some((day(last), i64::try_from(seconds.div_euclid(i128::from(SECONDS_A_DAY))).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_counted_whole_and_below_zero_when_they_are_over() {
        let mut params = rcgen::CertificateParams::new(["logs".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2027, 3, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let certificate = Certificate::parse(der.der()).unwrap();
        let end = Duration::from_secs(1_803_945_600);
        let left = |now: Duration| certificate.until(UnixTime::since_unix_epoch(now)).unwrap();
        assert_eq!(left(end - Duration::from_secs(3 * SECONDS_A_DAY + 5)), ("2027-03-02".to_owned(), 3));
        assert_eq!(left(end - Duration::from_secs(5)).1, 0);
        assert_eq!(left(end + Duration::from_secs(5)).1, -1);
    }
}
