//! The table: rows with their figures and goals, as JSON and as Markdown.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::summary::Summary;

/// Everything that is known, by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was measured, and what it was compared with.
    pub versions: BTreeMap<String, String>,
    /// What was forwarded.
    pub world: BTreeMap<String, f64>,
    /// In their order.
    pub rows: Vec<Row>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `B1` to `B13`.
    pub id: String,
    /// What is measured.
    pub what: String,
    /// What was seen.
    pub figures: Vec<Figure>,
    /// What should be; all of them, or the row is not met.
    pub goals: Vec<Goal>,
    /// What a reader must know: what is counted, what stands in the way.
    pub notes: Vec<String>,
    /// Why it could not be measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
    /// Whether all goals are met.
    pub met: bool,
}

/// Something that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Of what.
    pub name: String,
    /// `ms`, `MiB`, …; empty for a plain number.
    pub unit: String,
    /// Of all runs.
    pub value: Summary,
}

/// Something that should hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Of what; empty if the row says it all.
    pub name: String,
    /// As in figures; `×` for ratios.
    pub unit: String,
    /// What came out.
    pub value: f64,
    /// Whether it has to be at least or at most so.
    pub sense: Sense,
    /// The limit.
    pub limit: f64,
    /// Whether it is met.
    pub met: bool,
}

/// On which side of a limit is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// The limit or more.
    AtLeast,
    /// The limit or less.
    AtMost,
}

impl Row {
    /// A row without figures.
    pub fn new(id: &str, what: &str) -> Self {
        Self {
            id: id.into(),
            what: what.into(),
            figures: Vec::new(),
            goals: Vec::new(),
            notes: Vec::new(),
            failure: None,
            met: false,
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: &str, unit: &str, value: Summary) {
        self.figures.push(Figure { name: name.into(), unit: unit.into(), value });
    }

    /// Adds a goal.
    pub fn goal(&mut self, name: &str, unit: &str, value: f64, sense: Sense, limit: f64) {
        let met = match sense {
            Sense::AtLeast => value >= limit,
            Sense::AtMost => value <= limit,
        };
        self.goals.push(Goal { name: name.into(), unit: unit.into(), value, sense, limit, met });
        self.met = self.failure.is_none() && self.goals.iter().all(|goal| goal.met);
    }

    /// Adds a note.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// It could not be measured.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.failure = Some(why.into());
        self.met = false;
    }
}

impl Report {
    /// Puts a row in its place; an older one of the same name goes.
    pub fn put(&mut self, row: Row) {
        self.rows.retain(|other| other.id != row.id);
        self.rows.push(row);
        // By number: B2 before B10.
        self.rows.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
    }

    /// How many rows are met.
    pub fn met(&self) -> usize {
        self.rows.iter().filter(|row| row.met).count()
    }

    /// The table, and below it what a reader must know.
    pub fn markdown(&self) -> String {
        let mut text =
            String::from("| | what | seen, median (least–most) | goal | |\n|---|---|---|---|---|\n");
        for row in &self.rows {
            let seen = match &row.failure {
                Some(why) => format!("not measured: {why}"),
                None => joined(&row.figures),
            };
            let met = if row.met { "met" } else { "**not met**" };
            text.push_str(&format!(
                "| {} | {} | {seen} | {} | {met} |\n",
                row.id,
                row.what,
                joined(&row.goals)
            ));
        }
        let notes = self.rows.iter().filter(|row| !row.notes.is_empty());
        let notes: String = notes.map(|row| format!("- {}: {}\n", row.id, row.notes.join(" "))).collect();
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let world: Vec<String> =
            self.world.iter().map(|(name, value)| format!("{} {name}", number(*value))).collect();
        format!("{text}\n{notes}\nThe world: {}. Compared: {}.\n", world.join(", "), versions.join(", "))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unit, value: Summary { median, min, max, runs } } = self;
        write!(f, "{name} {}", with_unit(*median, unit))?;
        if *runs > 1 {
            write!(f, " ({}–{})", number(*min), number(*max))?;
        }
        Ok(())
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unit, value, sense, limit, .. } = self;
        let sense = match sense {
            Sense::AtLeast => "≥",
            Sense::AtMost => "≤",
        };
        let gap = if name.is_empty() { "" } else { " " };
        write!(f, "{name}{gap}{} ({sense} {})", with_unit(*value, unit), with_unit(*limit, unit))
    }
}

fn joined(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

/// Three digits that count, and none that do not.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 {
        format!("{:.2} million", value / 1e6)
    } else if size >= 100.0 {
        let whole = format!("{value:.0}");
        match whole.len() {
            digits @ 5.. => {
                let (thousands, rest) = whole.split_at(digits - 3);
                format!("{thousands},{rest}")
            }
            _ => whole,
        }
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let cases = [(0.0, "0"), (1.4, "1.40"), (12.34, "12.3"), (40.0, "40"), (123.4, "123")];
        let large =
            [(4567.0, "4567"), (45_678.0, "45,678"), (456_789.0, "456,789"), (2_345_678.0, "2.35 million")];
        for (value, expected) in cases.into_iter().chain(large) {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn a_row_is_met_if_all_its_goals_are() {
        let mut row = Row::new("B1", "start");
        assert!(!row.met, "nothing was measured");
        row.goal("", "×", 41.0, Sense::AtLeast, 40.0);
        assert!(row.met);
        row.goal("own", "ms", 9.0, Sense::AtMost, 8.0);
        assert!(!row.met);
        assert_eq!(
            row.goals.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["41 × (≥ 40 ×)", "own 9 ms (≤ 8 ms)"]
        );
    }

    #[test]
    fn what_could_not_be_measured_is_not_met_and_says_why() {
        let mut row = Row::new("B2", "CPU");
        row.goal("", "×", 41.0, Sense::AtLeast, 40.0);
        row.fail("no node");
        assert!(!row.met);
        let mut report = Report::default();
        report.put(row);
        assert!(report.markdown().contains("| B2 | CPU | not measured: no node |"), "{}", report.markdown());
        assert_eq!(report.met(), 0);
    }

    #[test]
    fn a_newer_row_takes_the_place_of_the_older() {
        let mut report = Report::default();
        for id in ["B2", "B1", "B2"] {
            report.put(Row::new(id, "x"));
        }
        assert_eq!(report.rows.iter().map(|row| &*row.id).collect::<Vec<_>>(), ["B1", "B2"]);
    }

    #[test]
    fn the_kept_table_is_that_of_the_kept_figures() {
        let kept: Report = serde_json::from_str(include_str!("../results/latest.json")).unwrap();
        assert_eq!(kept.markdown(), include_str!("../results/latest.md"));
    }
}
