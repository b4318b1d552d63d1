//! The numbers that a panel must show, calculated from the world, beside those that the engine shows.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use whiskjack_search_engine::dashboards::{Is, Look, Metric, PERCENTS, Panel};

use crate::world::Row;

/// Compares an answer to the panel's query with what is true of the rows. Returns how many numbers were compared.
pub(crate) fn compare(panel: &Panel, step_ms: u64, answer: &Value, rows: &[Row<'_>]) -> Result<usize> {
    let rows: Vec<&Row<'_>> =
        rows.iter().filter(|row| panel.filter.iter().all(|(field, is)| holds(row, field, *is))).collect();
    ensure!(!rows.is_empty(), "the world has nothing to show");
    let total = answer["hits"]["total"]["value"].as_u64();
    ensure!(total == Some(rows.len() as u64), "{total:?} documents instead of {}", rows.len());
    let is_over_time = matches!(panel.look, Look::Bars | Look::Lines);
    let time = is_over_time.then_some(step_ms);
    buckets(panel, time, panel.by, 0, &answer["aggregations"], &rows).map(|compared| compared + 1)
}

fn holds(row: &Row<'_>, field: &str, is: Is) -> bool {
    match is {
        Is::Text(text) => row.value(field) == text,
        Is::True => row.value(field) == true,
        Is::There => !row.value(field).is_null(),
    }
}

/// Level by level: time, then each field, then the numbers.
fn buckets(
    panel: &Panel,
    time: Option<u64>,
    by: &[&str],
    level: usize,
    answer: &Value,
    rows: &[&Row<'_>],
) -> Result<usize> {
    let mut groups: BTreeMap<String, Vec<&Row<'_>>> = BTreeMap::new();
    let (name, rest) = match (time, by) {
        (Some(step), _) => {
            for row in rows {
                groups.entry((row.time_ms / step * step).to_string()).or_default().push(row);
            }
            ("time".to_owned(), (by, level))
        }
        (None, [field, rest @ ..]) => {
            for row in rows {
                if let Some(text) = row.value(field).as_str() {
                    groups.entry(text.to_owned()).or_default().push(row);
                }
            }
            (format!("by{level}"), (rest, level + 1))
        }
        (None, []) => return numbers(panel, answer, rows),
    };
    let shown = answer[&name]["buckets"].as_array().context("buckets")?;
    ensure!(shown.len() == groups.len(), "{} values of {name} instead of {}", shown.len(), groups.len());
    let mut compared = 0;
    for bucket in shown {
        let key = bucket["key"].as_str().map_or_else(|| bucket["key"].to_string(), str::to_owned);
        let rows = groups.get(&key).with_context(|| format!("{name}: nothing has {key}"))?;
        let count = bucket["doc_count"].as_u64();
        ensure!(count == Some(rows.len() as u64), "{name} {key}: {count:?} instead of {}", rows.len());
        compared += 1 + buckets(panel, None, rest.0, rest.1, bucket, rows)?;
    }
    Ok(compared)
}

fn numbers(panel: &Panel, answer: &Value, rows: &[&Row<'_>]) -> Result<usize> {
    let mut compared = 0;
    for (number, metric) in panel.metrics.iter().enumerate() {
        let shown = &answer[format!("m{number}")];
        let values = |field: &str| -> Vec<f64> {
            let mut all: Vec<f64> = rows.iter().filter_map(|row| row.value(field).as_f64()).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        match metric {
            Metric::Count => continue,
            Metric::Max(field) => same(field, &shown["value"], values(field).last().copied())?,
            Metric::Sum(field) => same(field, &shown["value"], Some(values(field).iter().sum()))?,
            Metric::Percentiles(field) => percentiles(field, shown, &values(field))?,
        }
        compared += 1;
    }
    Ok(compared)
}

fn same(field: &str, shown: &Value, expected: Option<f64>) -> Result<()> {
    ensure!(shown.as_f64() == expected, "{field}: {shown} instead of {expected:?}");
    Ok(())
}

/// The engine estimates them: the place of what it shows among the values must be right within two of a hundred, or two values.
fn percentiles(field: &str, shown: &Value, values: &[f64]) -> Result<()> {
    let slack = (values.len() as f64 * 0.02).max(2.0);
    for percent in PERCENTS {
        let value = shown["values"][format!("{percent}.0")].as_f64();
        let value = value.with_context(|| format!("{field}: no value for {percent} %"))?;
        let place = values.len() as f64 * f64::from(percent) / 100.0;
        let below = values.iter().filter(|other| **other < value).count() as f64;
        let not_above = values.iter().filter(|other| **other <= value).count() as f64;
        ensure!(
            below <= place + slack && not_above >= place - slack,
            "{field}: {percent} % are not below {value}"
        );
    }
    Ok(())
}
