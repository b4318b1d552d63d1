//! The contents of the dashboards: the one source of the files for Kibana and for OpenSearch Dashboards, and of the queries that the trial
//! asks.

/// Documents that a panel looks at: all conditions hold.
pub type Filter = &'static [(&'static str, Is)];

/// A condition on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// Its value is this text.
    Text(&'static str),
    /// It is true.
    True,
    /// It has a value.
    There,
}

/// A number that a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Of documents.
    Count,
    /// The largest value of a field.
    Max(&'static str),
    /// Of a field.
    Sum(&'static str),
    /// The middle, and what 95 and 99 of 100 are below, of a field.
    Percentiles(&'static str),
}

/// What [`Metric::Percentiles`] are.
pub const PERCENTS: [u8; 3] = [50, 95, 99];

/// How a panel looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// One number.
    Number,
    /// Stacked bars over time.
    Bars,
    /// Lines over time.
    Lines,
    /// A table.
    Table,
}

/// A panel of numbers.
#[derive(Debug)]
pub struct Panel {
    /// The end of its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// How it looks.
    pub look: Look,
    /// Of which documents.
    pub filter: Filter,
    /// What it shows.
    pub metrics: &'static [Metric],
    /// For each value of these fields: the ten most frequent, in a table a hundred.
    pub by: &'static [&'static str],
}

/// A saved search.
#[derive(Debug)]
pub struct Search {
    /// The end of its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Which documents.
    pub filter: Filter,
    /// Their fields that it shows.
    pub columns: &'static [&'static str],
    /// Fields that it sorts by, each with whether the largest is first.
    pub sort: &'static [(&'static str, bool)],
}

/// A part of a dashboard.
#[derive(Debug)]
pub enum Part {
    /// Numbers.
    Panel(Panel),
    /// Documents.
    Search(Search),
}

/// A row of a dashboard: its height, and its parts, side by side with the same width.
#[derive(Debug)]
pub struct Row(pub u32, pub &'static [Part]);

/// A dashboard.
#[derive(Debug)]
pub struct Dashboard {
    /// Begin of the ids, and name of its file.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The indices or data streams that it looks at.
    pub indices: &'static str,
    /// Its rows.
    pub rows: &'static [Row],
    /// Searches that are not on it.
    pub searches: &'static [Search],
}

impl Dashboard {
    /// All panels of numbers.
    pub fn panels(&self) -> impl Iterator<Item = &'static Panel> {
        self.rows.iter().flat_map(|row| row.1).filter_map(|part| match part {
            Part::Panel(panel) => Some(panel),
            Part::Search(_) => None,
        })
    }

    /// All saved searches.
    pub fn searches(&self) -> impl Iterator<Item = &'static Search> {
        let shown = self.rows.iter().flat_map(|row| row.1).filter_map(|part| match part {
            Part::Search(search) => Some(search),
            Part::Panel(_) => None,
        });
        shown.chain(self.searches)
    }
}

const LINES: (&str, Is) = ("event.dataset", Is::Text("openwhisk.log"));
const ACTIVATIONS: (&str, Is) = ("event.dataset", Is::Text("openwhisk.activation"));
const HEARTBEATS: (&str, Is) = ("event.dataset", Is::Text("openwhisk.forwarder"));
const FAILED: (&str, Is) = ("event.outcome", Is::Text("failure"));
const COLD: (&str, Is) = ("faas.coldstart", Is::True);
const NEWEST_FIRST: &[(&str, bool)] = &[("@timestamp", true), ("event.sequence", true)];
const AS_PRINTED: &[(&str, bool)] = &[("@timestamp", false), ("event.sequence", false)];

const fn number(id: &'static str, title: &'static str, filter: Filter, metrics: &'static [Metric]) -> Part {
    Part::Panel(Panel { id, title, look: Look::Number, filter, metrics, by: &[] })
}

const fn over_time(
    id: &'static str,
    title: &'static str,
    look: Look,
    filter: Filter,
    metrics: &'static [Metric],
    by: &'static [&'static str],
) -> Part {
    Part::Panel(Panel { id, title, look, filter, metrics, by })
}

const fn table(
    id: &'static str,
    title: &'static str,
    filter: Filter,
    metrics: &'static [Metric],
    by: &'static [&'static str],
) -> Part {
    Part::Panel(Panel { id, title, look: Look::Table, filter, metrics, by })
}

const COUNT: &[Metric] = &[Metric::Count];
const BY_ACTION: &[&str] = &["service.name"];

/// For documents in the shape of ECS.
const ECS: Dashboard = Dashboard {
    id: "whiskjack",
    title: "OpenWhisk: actions and their logs",
    description: "Lines, activations and the forwarder, from whiskjack's documents in the shape of ECS. Panels of activations want \
                  `events.activations: true`, those of the forwarder `monitoring.heartbeat: true`.",
    indices: "logs-openwhisk.*-*",
    rows: &[
        Row(
            8,
            &[
                number("lines", "Lines", &[LINES], COUNT),
                number("activations", "Activations", &[ACTIVATIONS], COUNT),
                number("failures", "Failures", &[ACTIVATIONS, FAILED], COUNT),
                number("cold-starts", "Cold starts", &[ACTIVATIONS, COLD], COUNT),
            ],
        ),
        Row(
            13,
            &[
                over_time("lines-by-action", "Lines by action", Look::Bars, &[LINES], COUNT, BY_ACTION),
                over_time(
                    "failures-by-action",
                    "Failures by action",
                    Look::Bars,
                    &[ACTIVATIONS, FAILED],
                    COUNT,
                    BY_ACTION,
                ),
            ],
        ),
        Row(
            13,
            &[
                over_time(
                    "duration",
                    "Duration",
                    Look::Lines,
                    &[ACTIVATIONS],
                    &[Metric::Percentiles("event.duration")],
                    &[],
                ),
                over_time(
                    "wait-time",
                    "Time spent waiting for a container, in ms",
                    Look::Lines,
                    &[ACTIVATIONS],
                    &[Metric::Percentiles("openwhisk.wait_time_ms")],
                    &[],
                ),
                over_time(
                    "cold-starts-by-action",
                    "Cold starts by action",
                    Look::Bars,
                    &[ACTIVATIONS, COLD],
                    COUNT,
                    BY_ACTION,
                ),
            ],
        ),
        Row(
            14,
            &[
                table(
                    "errors",
                    "Most frequent errors",
                    &[ACTIVATIONS, FAILED],
                    COUNT,
                    &["error.message.keyword", "service.name"],
                ),
                table(
                    "actions",
                    "Actions",
                    &[ACTIVATIONS],
                    &[
                        Metric::Count,
                        Metric::Percentiles("event.duration"),
                        Metric::Max("openwhisk.wait_time_ms"),
                        Metric::Sum("openwhisk.log_lines"),
                    ],
                    BY_ACTION,
                ),
            ],
        ),
        Row(
            10,
            &[
                over_time(
                    "lag",
                    "How far the forwarder is behind, in ms",
                    Look::Lines,
                    &[HEARTBEATS],
                    &[Metric::Max("whiskjack.lag_ms")],
                    &[],
                ),
                over_time(
                    "acknowledged",
                    "Lines that the forwarder had acknowledged",
                    Look::Bars,
                    &[HEARTBEATS],
                    &[Metric::Sum("whiskjack.acknowledged_lines")],
                    &[],
                ),
                over_time(
                    "health",
                    "Ranges that the forwarder owes, and its errors",
                    Look::Lines,
                    &[HEARTBEATS],
                    &[Metric::Max("whiskjack.owed_ranges"), Metric::Sum("whiskjack.errors")],
                    &[],
                ),
            ],
        ),
        Row(
            18,
            &[Part::Search(Search {
                id: "newest-lines",
                title: "Newest lines",
                filter: &[LINES],
                columns: &["service.name", "log.level", "log.iostream", "message", "faas.execution"],
                sort: NEWEST_FIRST,
            })],
        ),
    ],
    searches: &[
        Search {
            id: "failed-activations",
            title: "Failed activations",
            filter: &[ACTIVATIONS, FAILED],
            columns: &["service.name", "openwhisk.status", "error.type", "error.message", "faas.execution"],
            sort: NEWEST_FIRST,
        },
        Search {
            id: "one-activation",
            title: "One activation, in order: put its id behind faas.execution",
            filter: &[LINES, ("faas.execution", Is::There)],
            columns: &["event.sequence", "log.iostream", "message"],
            sort: AS_PRINTED,
        },
    ],
};

/// For documents in the shape of 2017 as they are.
const OF_2017: Dashboard = Dashboard {
    id: "whiskjack-2017",
    title: "OpenWhisk: logs in the shape of 2017",
    description: "Lines of actions, from whiskjack's documents in the shape of 2017, without the ingest pipeline whiskjack-2017.",
    indices: "whiskjack-*",
    rows: &[
        Row(
            13,
            &[
                number("lines", "Lines", &[("activation", Is::There)], COUNT),
                over_time(
                    "lines-by-action",
                    "Lines by action",
                    Look::Bars,
                    &[("activation", Is::There)],
                    COUNT,
                    &["action"],
                ),
                table("actions", "Actions", &[("activation", Is::There)], COUNT, &["namespace", "action"]),
            ],
        ),
        Row(
            18,
            &[Part::Search(Search {
                id: "newest-lines",
                title: "Newest lines (2017)",
                filter: &[("activation", Is::There)],
                columns: &["action", "message", "activation"],
                sort: &[("@timestamp", true), ("sequence", true)],
            })],
        ),
    ],
    searches: &[Search {
        id: "one-activation",
        title: "One activation, in order (2017): put its id behind activation",
        filter: &[("activation", Is::There)],
        columns: &["sequence", "message"],
        sort: &[("@timestamp", false), ("sequence", false)],
    }],
};

/// All dashboards.
pub const ALL: [&Dashboard; 2] = [&ECS, &OF_2017];
