//! Tables of numbers and of documents.

use serde_json::Value;
use whiskjack_search_engine::dashboards::{Panel, Search};

use super::svg::{Svg, cut, thousands};
use super::{Frame, INSET, PALE, TITLE, numbers};

const LINE: f64 = 18.0;
/// Of a column of numbers.
const NUMBER: f64 = 70.0;
/// Columns of documents: fields and shares of the width.
const SHARES: [(&str, f64); 5] = [
    ("service.name", 0.10),
    ("log.level", 0.06),
    ("log.iostream", 0.07),
    ("message", 0.48),
    ("faas.execution", 0.21),
];
const TIME: f64 = 0.08;

pub(super) fn table(svg: &mut Svg, frame: Frame, panel: &Panel, answer: &Value) {
    let mut rows = Vec::new();
    flatten(panel, &answer["aggregations"], &mut Vec::new(), &mut rows);
    let heads: Vec<String> = rows
        .first()
        .map_or_else(Vec::new, |(_, numbers)| numbers.iter().map(|(name, _)| name.clone()).collect());
    let words = (frame.width - NUMBER * heads.len() as f64) / panel.by.len().max(1) as f64;
    let number_at = |at: usize| frame.x + frame.width - NUMBER * (heads.len() - 1 - at) as f64;
    for (at, field) in panel.by.iter().enumerate() {
        svg.text(
            frame.x + at as f64 * words,
            frame.y + 12.0,
            &cut(field.trim_end_matches(".keyword"), words),
        )
        .fill(PALE);
    }
    for (at, head) in heads.iter().enumerate() {
        svg.text(number_at(at), frame.y + 12.0, head).fill(PALE).end();
    }
    let most = ((frame.height - LINE) / LINE) as usize;
    for (row, (names, numbers)) in rows.iter().take(most).enumerate() {
        let y = frame.y + (row + 1) as f64 * LINE;
        svg.rule((frame.x, y), (frame.x + frame.width, y));
        for (at, name) in names.iter().enumerate() {
            svg.text(frame.x + at as f64 * words, y + 13.0, &cut(name, words - 6.0));
        }
        for (at, (_, value)) in numbers.iter().enumerate() {
            svg.text(number_at(at), y + 13.0, &thousands(*value)).end();
        }
    }
}

/// A row: the values of the fields by which its numbers are grouped, and these.
type Row = (Vec<String>, Vec<(String, f64)>);

/// Collects the rows below an answer, level by level; `names` are those of the levels above.
fn flatten(panel: &Panel, answer: &Value, names: &mut Vec<String>, rows: &mut Vec<Row>) {
    let level = names.len();
    if level == panel.by.len() {
        rows.push((names.clone(), numbers(panel, answer)));
        return;
    }
    for bucket in answer[format!("by{level}")]["buckets"].as_array().into_iter().flatten() {
        names.push(bucket["key"].as_str().unwrap_or_default().to_owned());
        flatten(panel, bucket, names, rows);
        names.pop();
    }
}

/// How many documents have room.
pub(super) fn lines_in(frame: Frame) -> usize {
    ((frame.height - TITLE - LINE - 8.0) / LINE) as usize
}

pub(super) fn documents(svg: &mut Svg, frame: Frame, search: &Search, answer: &Value) {
    let (x, y, width) = (frame.x + INSET, frame.y + TITLE, frame.width - 2.0 * INSET);
    let share = |field: &str| SHARES.iter().find(|(name, _)| *name == field).map_or(0.1, |(_, share)| *share);
    svg.text(x, y + 12.0, "@timestamp").fill(PALE);
    let mut columns = Vec::new();
    let mut at = x + TIME * width;
    for field in search.columns {
        svg.text(at, y + 12.0, field).fill(PALE);
        columns.push((*field, at, share(field) * width));
        at += share(field) * width;
    }
    for (row, hit) in answer["hits"]["hits"].as_array().into_iter().flatten().enumerate() {
        let y = y + (row + 1) as f64 * LINE;
        svg.rule((x, y), (x + width, y));
        let time =
            hit["_source"]["@timestamp"].as_str().and_then(|time| time.get(11..23)).unwrap_or_default();
        svg.text(x, y + 13.0, time);
        for (field, at, width) in &columns {
            let pointer = format!("/{}", field.replace('.', "/"));
            let text = hit["_source"].pointer(&pointer).and_then(Value::as_str).unwrap_or("–");
            svg.text(*at, y + 13.0, &cut(text, width - 8.0));
        }
    }
}
