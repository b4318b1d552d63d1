//! The public authorities, and those that somebody names.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{Error, RootCertStore};

use super::{pem, provider};
use crate::os_error;
use crate::said;

/// Where systems keep their authorities; the first that is there counts.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Public roots built in, so that a container without a bundle works, plus what the operator of the machine added to its bundle.
pub(super) fn public() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(system().certificates.iter().cloned());
            Arc::new(roots)
        })
        .clone()
}

/// The authorities of the system, as it was when they were first asked for. What is wrong with variables that name them is told then.
pub(super) fn system() -> &'static System {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let system = System::read(std::env::var_os(FILE), std::env::var_os(FOLDERS));
        for trouble in &system.troubles {
            said::to_stderr(format_args!("whiskjack: {trouble}"));
        }
        system
    })
}

/// As for OpenSSL, a variable names another bundle, and one folders of certificates, with colons between them.
const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// The authorities of the system; none if it has no bundle.
#[derive(Debug, Default)]
pub(super) struct System {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Variables that lead to no certificate. Sentences.
    troubles: Vec<String>,
}

impl System {
    fn read(file: Option<OsString>, folders: Option<OsString>) -> Self {
        let mut system = Self::default();
        match file.filter(|path| !path.is_empty()) {
            Some(path) => system.add(FILE, Path::new(&path), |path| Ok(vec![os_error::bytes(path)?])),
            None => {
                let pem = BUNDLES.iter().find_map(|path| std::fs::read(path).ok());
                system.certificates.extend(pem.iter().flat_map(|pem| certificates(pem)));
            }
        }
        for folder in
            folders.iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty())
        {
            system.add(FOLDERS, &folder, files);
        }
        system
    }

    /// Adds what a variable leads to.
    fn add(&mut self, variable: &str, path: &Path, read: impl Fn(&Path) -> io::Result<Vec<Vec<u8>>>) {
        let shown = path.display();
        match read(path) {
            Ok(files) => {
                let found: Vec<_> = files.iter().flat_map(|pem| certificates(pem)).collect();
                if found.is_empty() {
                    self.troubles
                        .push(format!("{variable}: {shown} holds no certificate in PEM form; {REMEDY}"));
                }
                for certificate in found {
                    // Folders have each file under several names.
                    if !self.certificates.contains(&certificate) {
                        self.certificates.push(certificate);
                    }
                }
            }
            Err(error) => {
                let cause = crate::net::plain(&error);
                self.troubles.push(format!("{variable}: {shown} cannot be read: {cause}; {REMEDY}"));
            }
        }
    }

    /// What is wrong, in one sentence.
    pub(super) fn trouble(&self) -> Option<String> {
        (!self.troubles.is_empty()).then(|| self.troubles.join("; "))
    }
}

const REMEDY: &str = "correct or unset the variable";

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    pem::readable(&String::from_utf8_lossy(pem))
}

/// What is in the files of a folder, as far as they can be read.
fn files(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let entries = std::fs::read_dir(folder)?;
    Ok(entries.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok()).collect())
}

/// These and no others. Errors: one cannot be read as a certificate.
pub(super) fn only(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// Lets through who has a chain to one of the authorities.
pub(super) fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Authority;

    #[test]
    fn a_variable_that_leads_to_no_certificate_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, none) = (folder.path().join("empty.pem"), folder.path().join("none.pem"));
        std::fs::write(&empty, "no certificate\n").unwrap();
        for (path, part) in [
            (&empty, "empty.pem holds no certificate in PEM form; correct or unset the variable"),
            (&none, "none.pem cannot be read: no such file or directory; correct or unset the variable"),
        ] {
            let system = System::read(Some(path.into()), None);
            let trouble = system.trouble().unwrap();
            assert!(trouble.starts_with("SSL_CERT_FILE: /") && trouble.ends_with(part), "{trouble}");
            assert!(system.certificates.is_empty());
        }
        let folders = std::env::join_paths([folder.path(), &none]).unwrap();
        let trouble = System::read(Some("".into()), Some(folders)).trouble().unwrap();
        assert!(
            trouble.contains(" holds no certificate in PEM form") && trouble.contains("; SSL_CERT_DIR: /"),
            "{trouble}"
        );
    }

    #[test]
    fn certificates_of_a_bundle_and_of_folders_count_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other, third] = ["one", "other", "third"].map(Authority::named);
        let bundle = folder.path().join("bundle.crt");
        std::fs::write(&bundle, one.pem() + &other.pem()).unwrap();
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        for (name, authority) in [("a.pem", &third), ("b.0", &third), ("c", &one)] {
            std::fs::write(below.join(name), authority.pem()).unwrap();
        }
        let system = System::read(Some(bundle.into()), Some(below.into()));
        assert_eq!(system.certificates, [&one, &other, &third].map(|authority| authority.der().clone()));
        assert_eq!(system.trouble(), None);
        let default = System::read(None, None);
        assert_eq!(default.trouble(), None);
    }
}
