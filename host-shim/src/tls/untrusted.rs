//! The end of a certificate's chain that leads to no trusted issuer.
//!
//! A server has to show the certificates of all CAs between its own and one that its clients know. Browsers fetch a missing certificate
//! from elsewhere, so such a server seems to be right; OpenSSL, Node.js and whiskjack refuse it. Without the missing certificate nobody can
//! tell whether it belongs to an intermediate CA, or to the CA that should be trusted.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error, OtherError};

use super::certificate::{Certificate, called};

/// A chain without a trusted end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not trusted: {end:?}")]
pub(crate) struct Untrusted {
    end: End,
    /// What is wrong with the system's authorities, if those count here.
    bundle: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The server's certificate was issued by nobody else.
    SelfSigned,
    /// The chain is whole, up to this CA.
    Ca(String),
    /// The server shows no certificate of this issuer.
    Missing(String),
}

impl Untrusted {
    /// None if the server's certificate cannot be read.
    pub(super) fn of(
        leaf: &CertificateDer<'_>,
        shown: &[CertificateDer<'_>],
        bundle: Option<String>,
    ) -> Option<Self> {
        let leaf = Certificate::parse(leaf)?;
        let shown: Vec<Certificate<'_>> = shown.iter().filter_map(|one| Certificate::parse(one)).collect();
        let mut last = &leaf;
        // No more steps than certificates: two may name each other as issuer.
        for _ in 0..=shown.len() {
            if last.issuer == last.subject {
                break;
            }
            match shown.iter().find(|above| above.subject == last.issuer) {
                Some(above) => last = above,
                None => return Some(Self { end: End::Missing(called(last.issuer)), bundle }),
            }
        }
        let end = if std::ptr::eq(last, &leaf) { End::SelfSigned } else { End::Ca(called(last.subject)) };
        Some(Self { end, bundle })
    }

    pub(super) fn into_error(self) -> Error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }

    /// What is wrong, and what to do; `section` is the part of the parameters for this server.
    pub(super) fn sentence(&self, section: &str) -> String {
        const NOT: &str = "the server's certificate was not issued by an authority that is trusted here";
        let said = match &self.end {
            End::SelfSigned => format!(
                "{NOT}, it is self-signed; if it is the right one, put that very certificate in `{section}.ca`"
            ),
            End::Ca(name) => {
                format!("{NOT}: its chain ends at {name}; put the CA's certificate in `{section}.ca`")
            }
            End::Missing(issuer) => format!(
                "{NOT}: the chain that the server sends lacks the issuer {issuer}; if that is an intermediate CA, let the server send its \
                 certificate too (the full chain), else put the CA's certificate in `{section}.ca`"
            ),
        };
        match &self.bundle {
            Some(trouble) => format!("{said}. Besides, {trouble}"),
            None => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;
    use crate::testing::{Authority, self_signed_authority};

    fn sentence(leaf: &str, shown: &[&Authority], bundle: Option<&str>) -> String {
        let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
        let shown: Vec<_> = shown.iter().map(|authority| authority.der().clone()).collect();
        Untrusted::of(&leaf, &shown, bundle.map(str::to_owned)).unwrap().sentence("api")
    }

    #[test]
    fn the_first_issuer_that_the_server_does_not_show_is_named() {
        let root = Authority::named("Root");
        let middle = root.subordinate("Middle");
        let low = middle.subordinate("Low`\n");
        let leaf = low.issue("logs").cert;
        for (shown, part) in [
            (&[][..], "lacks the issuer `Low`; if that is an intermediate CA, let the server send"),
            (&[&root], "lacks the issuer `Low`; "),
            (&[&low], "lacks the issuer `Middle`; "),
            (&[&middle, &low], "lacks the issuer `Root`; "),
            (&[&low, &root, &middle], "its chain ends at `Root`; put the CA's certificate in `api.ca`"),
        ] {
            let said = sentence(&leaf, shown, None);
            assert!(said.contains(part) && said.contains("`api.ca`"), "{said}");
        }
    }

    #[test]
    fn a_self_signed_certificate_is_told_as_such() {
        let said = sentence(&self_signed_authority("logs").cert, &[], None);
        assert!(
            said.ends_with(
                "it is self-signed; if it is the right one, put that very certificate in `api.ca`"
            ),
            "{said}"
        );
    }

    #[test]
    fn what_is_wrong_with_the_systems_authorities_is_told_along() {
        let leaf = Authority::new().issue("logs").cert;
        assert!(sentence(&leaf, &[], Some("x: is odd")).ends_with("`api.ca`. Besides, x: is odd"));
    }
}
