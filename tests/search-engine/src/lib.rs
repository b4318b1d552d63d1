//! The files of `deploy/elastic`, `deploy/kibana` and `deploy/opensearch-dashboards`, made from tables: fields from those of the documents
//! ([`whiskjack::events::FIELDS`]), dashboards from [`dashboards`]. `cargo xtask search-engine` tries them on a real OpenSearch.

#![deny(missing_docs)]
#![allow(clippy::indexing_slicing, reason = "not shipped: a panic is how a mistake of ours shows")]

pub mod dashboards;
pub mod files;
pub mod query;
mod saved_objects;
mod templates;

/// A search engine, and its program for dashboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Elasticsearch and Kibana.
    Elastic,
    /// OpenSearch and OpenSearch Dashboards.
    OpenSearch,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Elastic, Self::OpenSearch];
}
