//! A picture of a dashboard: what the engine answers to the queries of its panels, drawn as SVG. It is not a picture of Kibana.

mod charts;
mod svg;
mod tables;

use serde_json::Value;
use whiskjack_search_engine::dashboards::{Dashboard, Look, Metric, Panel, Part, Search};

use self::svg::{Svg, thousands};

const WIDTH: f64 = 1_200.0;
/// Columns of a dashboard.
const COLUMNS: f64 = 48.0;
/// Of a row's unit of height.
const UNIT: f64 = 17.0;
const HEAD: f64 = 62.0;
const FOOT: f64 = 26.0;
/// Between panels, and around all of them.
const GAP: f64 = 10.0;
/// From a panel's edge to its contents.
const INSET: f64 = 14.0;
/// Of a panel, with its title.
const TITLE: f64 = 30.0;

const INK: &str = "#1f2733";
const PALE: &str = "#69707d";
const EDGE: &str = "#d8dee8";
/// Colours that those can tell apart who see fewer of them.
const COLOURS: [&str; 10] = [
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99", "#99ddff",
    "#bbbbbb",
];

/// A place in the picture.
#[derive(Clone, Copy)]
struct Frame {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Asks the engine for a panel's numbers, and for a search's newest documents.
pub(crate) trait Answers {
    type Error;
    fn panel(&self, panel: &Panel) -> Result<Value, Self::Error>;
    fn search(&self, search: &Search, size: usize) -> Result<Value, Self::Error>;
}

/// Draws it; `notes` say what it shows, and how it was made.
pub(crate) fn draw<A: Answers>(
    dashboard: &Dashboard,
    answers: &A,
    notes: [&str; 2],
) -> Result<String, A::Error> {
    let units: u32 = dashboard.rows.iter().map(|row| row.0).sum();
    let height = HEAD + f64::from(units) * UNIT + FOOT;
    let mut svg = Svg::new(WIDTH, height, &format!("{}: {}", dashboard.title, notes[1]));
    svg.text(GAP + 2.0, 30.0, dashboard.title).size(20.0).bold();
    svg.text(GAP + 2.0, 51.0, notes[0]).fill(PALE);
    let mut shown = Vec::new();
    for panel in dashboard.panels() {
        shown.push((panel.id, answers.panel(panel)?));
    }
    // All charts begin and end at the same time.
    let times = charts::times(shown.iter().map(|(_, answer)| answer));
    let mut y = HEAD;
    for row in dashboard.rows {
        let step = (WIDTH - GAP) / COLUMNS * f64::from(COLUMNS as u32 / row.1.len() as u32);
        for (number, part) in row.1.iter().enumerate() {
            let frame = Frame {
                x: GAP + number as f64 * step,
                y,
                width: step - GAP,
                height: f64::from(row.0) * UNIT - GAP,
            };
            svg.panel(frame);
            match part {
                Part::Panel(panel) => {
                    let answer = shown
                        .iter()
                        .find(|(id, _)| *id == panel.id)
                        .map_or(&Value::Null, |(_, answer)| answer);
                    one(&mut svg, frame, panel, answer, &times);
                }
                Part::Search(search) => {
                    title(&mut svg, frame, search.title);
                    let rows = tables::lines_in(frame);
                    tables::documents(&mut svg, frame, search, &answers.search(search, rows)?);
                }
            }
        }
        y += f64::from(row.0) * UNIT;
    }
    svg.text(GAP + 2.0, height - 10.0, notes[1]).fill(PALE);
    Ok(svg.finish())
}

fn title(svg: &mut Svg, frame: Frame, text: &str) {
    svg.text(frame.x + INSET, frame.y + 21.0, text).size(13.0).bold();
}

fn one(svg: &mut Svg, frame: Frame, panel: &Panel, answer: &Value, times: &[u64]) {
    title(svg, frame, panel.title);
    let inner = Frame {
        x: frame.x + INSET,
        y: frame.y + TITLE,
        width: frame.width - 2.0 * INSET,
        height: frame.height - TITLE - 10.0,
    };
    match panel.look {
        Look::Number => {
            let count = answer["hits"]["total"]["value"].as_f64().unwrap_or(0.0);
            svg.text(inner.x + inner.width / 2.0, inner.y + inner.height / 2.0 + 13.0, &thousands(count))
                .size(40.0)
                .middle();
        }
        Look::Bars => charts::bars(svg, inner, &charts::series(panel, answer, times)),
        Look::Lines => charts::lines(svg, inner, &charts::series(panel, answer, times)),
        Look::Table => tables::table(svg, inner, panel, answer),
    }
}

/// Names and values of a bucket's numbers.
fn numbers(panel: &Panel, bucket: &Value) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    for (at, metric) in panel.metrics.iter().enumerate() {
        let answer = &bucket[format!("m{at}")];
        // As the dashboard's data view shows it.
        let shown = |field: &str, value: &Value| {
            let value = value.as_f64().unwrap_or(0.0);
            if field == "event.duration" { value / 1e6 } else { value }
        };
        let unit = |field: &str| if field == "event.duration" { " ms" } else { "" };
        match metric {
            Metric::Count => all.push(("count".to_owned(), bucket["doc_count"].as_f64().unwrap_or(0.0))),
            Metric::Max(field) | Metric::Sum(field) => {
                let last = field.rsplit('.').next().unwrap_or(field);
                let last = last.trim_end_matches("_ms").trim_end_matches("_time");
                let kind = if matches!(metric, Metric::Max(_)) { "max " } else { "" };
                all.push((format!("{kind}{}", last.replace('_', " ")), shown(field, &answer["value"])));
            }
            Metric::Percentiles(field) => {
                for (percent, name) in [("50.0", "median"), ("95.0", "95th"), ("99.0", "99th")] {
                    all.push((format!("{name}{}", unit(field)), shown(field, &answer["values"][percent])));
                }
            }
        }
    }
    all
}
