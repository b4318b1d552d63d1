//! A panel or a search as the query that its program sends to the engine.

use serde_json::{Map, Value, json};

use crate::dashboards::{Filter, Is, Look, Metric, PERCENTS, Panel, Search};

/// Most values of a field that a panel shows.
pub(crate) fn most(look: Look) -> u32 {
    if look == Look::Table { 100 } else { 10 }
}

/// The body of the panel's search; over time in steps of `interval`, such as `10m`.
///
/// Each metric is the aggregation `m0`, `m1` and so on; outside of it are `by0` and so on, and `time`.
pub fn of_panel(panel: &Panel, interval: &str) -> Value {
    let metrics = panel.metrics.iter().enumerate().filter(|(_, metric)| **metric != Metric::Count);
    let mut inner: Map<String, Value> =
        metrics.map(|(number, metric)| (format!("m{number}"), aggregation(metric))).collect();
    for (number, field) in panel.by.iter().enumerate().rev() {
        let mut by =
            json!({"terms": {"field": field, "size": most(panel.look), "order": {"_count": "desc"}}});
        by["aggs"] = Value::Object(inner);
        inner = Map::from_iter([(format!("by{number}"), by)]);
    }
    if matches!(panel.look, Look::Bars | Look::Lines) {
        let time = json!({
            "date_histogram": {"field": "@timestamp", "fixed_interval": interval, "min_doc_count": 1}, "aggs": inner,
        });
        inner = Map::from_iter([("time".to_owned(), time)]);
    }
    json!({"size": 0, "track_total_hits": true, "query": of_filter(panel.filter), "aggs": inner})
}

/// The body of a saved search, with one more condition.
pub fn of_search(search: &Search, more: Option<(&str, &str)>, size: usize) -> Value {
    let sort: Vec<Value> = search
        .sort
        .iter()
        .map(|(field, last_first)| {
            let order = if *last_first { "desc" } else { "asc" };
            json!({*field: {"order": order, "unmapped_type": "long"}})
        })
        .collect();
    let mut query = of_filter(search.filter);
    if let (Some((field, value)), Some(all)) = (more, query["bool"]["filter"].as_array_mut()) {
        all.push(json!({"term": {field: value}}));
    }
    json!({"size": size, "track_total_hits": true, "query": query, "sort": sort})
}

fn of_filter(filter: Filter) -> Value {
    let conditions: Vec<Value> = filter
        .iter()
        .map(|(field, is)| match is {
            Is::Text(text) => json!({"term": {*field: text}}),
            Is::True => json!({"term": {*field: true}}),
            Is::There => json!({"exists": {"field": field}}),
        })
        .collect();
    json!({"bool": {"filter": conditions}})
}

fn aggregation(metric: &Metric) -> Value {
    match metric {
        Metric::Count => json!({"value_count": {"field": "_index"}}),
        Metric::Max(field) => json!({"max": {"field": field}}),
        Metric::Sum(field) => json!({"sum": {"field": field}}),
        Metric::Percentiles(field) => json!({"percentiles": {"field": field, "percents": PERCENTS}}),
    }
}
