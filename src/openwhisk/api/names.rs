//! The names of all actions.

use super::{Api, WHOLE_BODY, read_body};
use crate::ports::Failure;
use serde::Deserialize;

/// Rows of a page; the most that a stock API gives.
const PAGE: usize = 200;
/// Most pages that are asked for.
const MOST_PAGES: usize = 5;

/// A row of the list, as far as it names the action.
#[derive(Deserialize)]
struct Row {
    name: String,
    /// `namespace` or `namespace/package`.
    namespace: String,
}

impl Api<'_> {
    /// The names of all actions of the namespace: `action` or `package/action`. `None` if there are too many to list. It asks for each page
    /// only once, as nothing depends on the answer.
    pub fn action_names(&self) -> Result<Option<Vec<String>>, Failure> {
        let what = "the list of actions";
        let mut names = Vec::new();
        for page in 0..MOST_PAGES {
            let target = format!("/api/v1/namespaces/_/actions?limit={PAGE}&skip={}", page * PAGE);
            let body = read_body(&mut self.get(&target, what)?, WHOLE_BODY)?;
            let rows: Vec<Row> = serde_json::from_slice(&body)
                .map_err(|error| Failure::passing(format!("{what}: {error}")))?;
            let is_last = rows.len() < PAGE;
            names.extend(rows.into_iter().map(|row| match row.namespace.split_once('/') {
                Some((_, package)) => format!("{package}/{}", row.name),
                None => row.name,
            }));
            if is_last {
                return Ok(Some(names));
            }
        }
        Ok(None)
    }
}
