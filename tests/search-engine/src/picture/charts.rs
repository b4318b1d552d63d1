//! Bars and lines over time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use whiskjack_search_engine::dashboards::Panel;

use super::svg::{Svg, cut, thousands};
use super::{COLOURS, Frame, PALE, numbers};

/// Of the numbers left of a chart, and of its names right of it.
const AXIS: f64 = 46.0;
const LEGEND: f64 = 116.0;
const LINE: f64 = 15.0;
/// Below a chart, for its times.
const TIMES: f64 = 18.0;

/// Values over time, by name; what is most comes first.
pub(super) struct Series {
    /// In milliseconds, step by step.
    times: Vec<u64>,
    named: Vec<(String, Vec<f64>)>,
}

fn buckets(answer: &Value) -> impl Iterator<Item = (u64, &Value)> {
    let buckets = answer["aggregations"]["time"]["buckets"].as_array().into_iter().flatten();
    buckets.filter_map(|bucket| Some((bucket["key"].as_u64()?, bucket)))
}

/// The times of all answers, in order.
pub(super) fn times<'a>(answers: impl Iterator<Item = &'a Value>) -> Vec<u64> {
    let times: BTreeSet<u64> = answers.flat_map(|answer| buckets(answer).map(|(time, _)| time)).collect();
    times.into_iter().collect()
}

/// The values of a panel at these times; where there is none, it is 0.
pub(super) fn series(panel: &Panel, answer: &Value, times: &[u64]) -> Series {
    let mut named: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut order = Vec::new();
    for (time, bucket) in buckets(answer) {
        let Ok(at) = times.binary_search(&time) else { continue };
        let values = match bucket["by0"]["buckets"].as_array() {
            Some(groups) => {
                let value = |group| numbers(panel, group).first().map_or(0.0, |(_, value)| *value);
                groups
                    .iter()
                    .map(|group| (group["key"].as_str().unwrap_or_default().to_owned(), value(group)))
                    .collect()
            }
            None => numbers(panel, bucket),
        };
        for (name, value) in values {
            if !named.contains_key(&name) {
                order.push(name.clone());
            }
            named.entry(name).or_insert_with(|| vec![0.0; times.len()])[at] = value;
        }
    }
    let mut named: Vec<(String, Vec<f64>)> =
        order.into_iter().filter_map(|name| named.remove_entry(&name)).collect();
    if !panel.by.is_empty() {
        named.sort_by(|(_, a), (_, b)| b.iter().sum::<f64>().total_cmp(&a.iter().sum()));
    }
    Series { times: times.to_vec(), named }
}

pub(super) fn bars(svg: &mut Svg, frame: Frame, series: &Series) {
    let sum = |at: usize| series.named.iter().map(|(_, values)| values[at]).sum::<f64>();
    let most = (0..series.times.len()).map(sum).fold(0.0, f64::max);
    let chart = Chart::new(svg, frame, series, most);
    let step = chart.inner.width / series.times.len().max(1) as f64;
    for at in 0..series.times.len() {
        let mut below = 0.0;
        for (number, (_, values)) in series.named.iter().enumerate() {
            let (top, bottom) = (chart.height_of(below + values[at]), chart.height_of(below));
            if values[at] > 0.0 {
                let bar = Frame {
                    x: chart.inner.x + at as f64 * step + step * 0.1,
                    y: top,
                    width: step * 0.8,
                    height: bottom - top,
                };
                svg.bar(bar, COLOURS[number % COLOURS.len()]);
            }
            below += values[at];
        }
    }
}

pub(super) fn lines(svg: &mut Svg, frame: Frame, series: &Series) {
    let most = series.named.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
    let chart = Chart::new(svg, frame, series, most);
    let step = chart.inner.width / series.times.len().max(1) as f64;
    for (number, (_, values)) in series.named.iter().enumerate() {
        let point =
            |(at, value): (usize, &f64)| (chart.inner.x + (at as f64 + 0.5) * step, chart.height_of(*value));
        let points: Vec<(f64, f64)> = values.iter().enumerate().map(point).collect();
        svg.curve(&points, COLOURS[number % COLOURS.len()]);
    }
}

/// The place of the values, and the largest of them that it has room for.
struct Chart {
    inner: Frame,
    most: f64,
}

impl Chart {
    /// Draws what is around the values.
    fn new(svg: &mut Svg, frame: Frame, series: &Series, most: f64) -> Self {
        let legend = if series.named.len() > 1 { LEGEND } else { 0.0 };
        let inner = Frame {
            x: frame.x + AXIS,
            y: frame.y + 4.0,
            width: frame.width - AXIS - legend,
            height: frame.height - 4.0 - TIMES,
        };
        let step = round_step(most / 4.5);
        let steps = (most / step).ceil().max(1.0);
        let chart = Self { inner, most: steps * step };
        for number in 0..=steps as u32 {
            let value = f64::from(number) * step;
            let y = chart.height_of(value);
            svg.rule((inner.x, y), (inner.x + inner.width, y));
            svg.text(inner.x - 6.0, y + 4.0, &thousands(value)).fill(PALE).end();
        }
        let width = inner.width / series.times.len().max(1) as f64;
        // As many times as have room.
        let every = (44.0 / width).ceil() as usize;
        for (at, ms) in series.times.iter().enumerate().step_by(every.max(1)) {
            let x = inner.x + (at as f64 + 0.5) * width;
            svg.text(x, inner.y + inner.height + 15.0, &clock(*ms)).fill(PALE).middle();
        }
        for (number, (name, _)) in series.named.iter().enumerate().filter(|_| legend > 0.0) {
            let (x, y) = (inner.x + inner.width + 12.0, inner.y + 8.0 + number as f64 * LINE);
            svg.bar(Frame { x, y: y - 4.0, width: 8.0, height: 8.0 }, COLOURS[number % COLOURS.len()]);
            svg.text(x + 13.0, y + 4.0, &cut(name, LEGEND - 18.0));
        }
        chart
    }

    fn height_of(&self, value: f64) -> f64 {
        self.inner.y + self.inner.height * (1.0 - value / self.most)
    }
}

/// The next of 1, 2, 5, 10, 20 and so on; never less than 1.
fn round_step(least: f64) -> f64 {
    let mut ten = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if step * ten >= least {
                return step * ten;
            }
        }
        ten *= 10.0;
    }
}

/// Hours and minutes of a time in milliseconds since 1970.
pub(super) fn clock(ms: u64) -> String {
    whiskjack::time::rfc3339(ms).get(11..16).unwrap_or_default().to_owned()
}
