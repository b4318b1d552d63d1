//! Whether the API has refused the key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, StatusCode};

/// Set once the API has refused the key. Copies are one and the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRefused(Arc<AtomicBool>);

impl KeyRefused {
    /// Notes an answer, and says whether it refuses the key. A key that may read and not write, or not list actions, is good enough for a run.
    pub(crate) fn note(&self, method: &Method, path: &str, status: StatusCode) -> bool {
        let may_be_without = method != Method::GET || path.ends_with("/actions");
        let refuses =
            status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN && !may_be_without;
        if refuses {
            self.0.store(true, Ordering::Relaxed);
        }
        refuses
    }

    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_refused_by_401_and_where_it_reads_also_by_403() {
        for (method, path, status, refused) in [
            (Method::GET, "/api/v1/namespaces/_/activations", 401, true),
            (Method::PUT, "/api/v1/namespaces/_/packages/p", 401, true),
            (Method::GET, "/api/v1/namespaces/_/activations", 403, true),
            (Method::PUT, "/api/v1/namespaces/_/packages/p", 403, false),
            (Method::GET, "/api/v1/namespaces/_/actions", 403, false),
            (Method::GET, "/api/v1/namespaces/_/activations", 500, false),
        ] {
            let noted = KeyRefused::default();
            let said = noted.clone().note(&method, path, StatusCode::from_u16(status).unwrap());
            assert_eq!((said, noted.is_so()), (refused, refused), "{method} {path} {status}");
        }
    }
}
