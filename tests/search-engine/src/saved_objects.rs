//! A dashboard and what it consists of as saved objects, a line of JSON each. Their form is that of version 7.10, which OpenSearch Dashboards
//! has kept, and which Kibana brings to its own when it imports them.

use serde_json::{Value, json};

use crate::Engine;
use crate::dashboards::{Dashboard, Filter, Is, Look, Metric, PERCENTS, Panel, Part, Search};
use crate::query::most;

/// Columns of a dashboard.
const WIDTH: u32 = 48;
const INDEX: &str = "kibanaSavedObjectMeta.searchSourceJSON.index";

/// The file of a dashboard.
pub(crate) fn file(dashboard: &Dashboard, engine: Engine) -> String {
    let of = Maker { dashboard, engine };
    let mut objects = vec![of.data_view()];
    objects.extend(dashboard.panels().map(|panel| of.visualization(panel)));
    objects.extend(dashboard.searches().map(|search| of.search(search)));
    objects.push(of.dashboard());
    objects.iter().map(|object| format!("{object}\n")).collect()
}

struct Maker<'a> {
    dashboard: &'a Dashboard,
    engine: Engine,
}

impl Maker<'_> {
    fn id(&self, of: &str) -> String {
        format!("{}-{of}", self.dashboard.id)
    }

    fn object(&self, kind: &str, id: String, attributes: Value, references: Vec<Value>) -> Value {
        let version = match kind {
            "index-pattern" => "7.6.0",
            "visualization" => "7.10.0",
            _ => "7.9.3",
        };
        let mut object = json!({
            "type": kind, "id": id, "attributes": attributes, "references": references, "migrationVersion": {kind: version},
        });
        if self.engine == Engine::Elastic {
            object["coreMigrationVersion"] = json!("7.17.0");
        }
        object
    }

    fn data_view(&self) -> Value {
        let duration = json!({"id": "duration", "params": {"inputFormat": "nanoseconds", "outputFormat": "asMilliseconds", "outputPrecision": 0}});
        let number = json!({"id": "number", "params": {"pattern": "0,0"}});
        let formats =
            json!({"event.duration": duration, "openwhisk.wait_time_ms": number, "whiskjack.lag_ms": number});
        let mut attributes = json!({
            "title": self.dashboard.indices, "timeFieldName": "@timestamp", "fields": "[]", "fieldFormatMap": formats.to_string(),
        });
        if self.engine == Engine::Elastic {
            attributes["name"] = json!(self.dashboard.title);
        }
        self.object("index-pattern", self.id("documents"), attributes, vec![])
    }

    fn of_index(&self) -> Vec<Value> {
        vec![json!({"name": INDEX, "type": "index-pattern", "id": self.id("documents")})]
    }

    fn search(&self, search: &Search) -> Value {
        let sort: Vec<Value> = search
            .sort
            .iter()
            .map(|(field, last_first)| json!([field, if *last_first { "desc" } else { "asc" }]))
            .collect();
        let attributes = json!({
            "title": search.title, "description": "", "hits": 0, "version": 1, "columns": search.columns, "sort": sort,
            "kibanaSavedObjectMeta": {"searchSourceJSON": search_source(search.filter)},
        });
        self.object("search", self.id(search.id), attributes, self.of_index())
    }

    fn visualization(&self, panel: &Panel) -> Value {
        let state = json!({
            "title": panel.title, "type": kind(panel.look), "aggs": self.aggregations(panel), "params": params(panel),
        });
        let attributes = json!({
            "title": panel.title, "description": "", "version": 1, "uiStateJSON": "{}", "visState": state.to_string(),
            "kibanaSavedObjectMeta": {"searchSourceJSON": search_source(panel.filter)},
        });
        self.object("visualization", self.id(panel.id), attributes, self.of_index())
    }

    /// Numbers first, then what they are divided by; a table has its rows, a graph its time and then its colours.
    fn aggregations(&self, panel: &Panel) -> Value {
        let mut all: Vec<(&str, &str, Value)> = panel
            .metrics
            .iter()
            .map(|metric| match metric {
                Metric::Count => ("count", "metric", json!({})),
                Metric::Max(field) => ("max", "metric", json!({"field": field})),
                Metric::Sum(field) => ("sum", "metric", json!({"field": field})),
                Metric::Percentiles(field) => {
                    ("percentiles", "metric", json!({"field": field, "percents": PERCENTS}))
                }
            })
            .collect();
        let is_over_time = matches!(panel.look, Look::Bars | Look::Lines);
        if is_over_time {
            let normalized = match self.engine {
                Engine::Elastic => "useNormalizedEsInterval",
                Engine::OpenSearch => "useNormalizedOpenSearchInterval",
            };
            let params = json!({
                "field": "@timestamp", "interval": "auto", "min_doc_count": 1, normalized: true, "scaleMetricValues": false,
                "drop_partials": false, "extended_bounds": {},
            });
            all.push(("date_histogram", "segment", params));
        }
        for field in panel.by {
            let params = json!({
                "field": field, "orderBy": "1", "order": "desc", "size": most(panel.look), "otherBucket": is_over_time,
                "otherBucketLabel": "others", "missingBucket": false, "missingBucketLabel": "without",
            });
            all.push(("terms", if is_over_time { "group" } else { "bucket" }, params));
        }
        let numbered = all.into_iter().enumerate().map(|(at, (kind, schema, params))| {
            json!({"id": (at + 1).to_string(), "enabled": true, "type": kind, "schema": schema, "params": params})
        });
        numbered.collect()
    }

    fn dashboard(&self) -> Value {
        let (mut panels, mut references, mut y) = (Vec::new(), Vec::new(), 0);
        for row in self.dashboard.rows {
            let width = WIDTH / row.1.len() as u32;
            for (x, part) in (0..).zip(row.1) {
                let (kind, id) = match part {
                    Part::Panel(panel) => ("visualization", panel.id),
                    Part::Search(search) => ("search", search.id),
                };
                let index = (panels.len() + 1).to_string();
                let name = format!("panel_{}", panels.len());
                references.push(json!({"name": name, "type": kind, "id": self.id(id)}));
                panels.push(json!({
                    "version": "7.10.0", "panelIndex": index, "panelRefName": name, "embeddableConfig": {},
                    "gridData": {"x": x * width, "y": y, "w": width, "h": row.0, "i": index},
                }));
            }
            y += row.0;
        }
        let attributes = json!({
            "title": self.dashboard.title, "description": self.dashboard.description, "hits": 0, "version": 1,
            "panelsJSON": Value::Array(panels).to_string(),
            "optionsJSON": json!({"hidePanelTitles": false, "useMargins": true}).to_string(),
            "timeRestore": true, "timeFrom": "now-24h", "timeTo": "now",
            "kibanaSavedObjectMeta": {"searchSourceJSON": json!({"query": kuery(&[]), "filter": []}).to_string()},
        });
        self.object("dashboard", self.dashboard.id.to_owned(), attributes, references)
    }
}

fn search_source(filter: Filter) -> String {
    json!({"query": kuery(filter), "filter": [], "indexRefName": INDEX}).to_string()
}

fn kuery(filter: Filter) -> Value {
    let conditions: Vec<String> = filter
        .iter()
        .map(|(field, is)| match is {
            Is::Text(text) => format!("{field} : \"{text}\""),
            Is::True => format!("{field} : true"),
            Is::There => format!("{field} : *"),
        })
        .collect();
    json!({"query": conditions.join(" and "), "language": "kuery"})
}

fn kind(look: Look) -> &'static str {
    match look {
        Look::Number => "metric",
        Look::Bars => "histogram",
        Look::Lines => "line",
        Look::Table => "table",
    }
}

fn params(panel: &Panel) -> Value {
    match panel.look {
        Look::Number => json!({
            "type": "metric", "addTooltip": true, "addLegend": false,
            "metric": {
                "percentageMode": false, "useRanges": false, "colorSchema": "Green to Red", "metricColorMode": "None", "invertColors": false,
                "colorsRange": [{"from": 0, "to": 10000}], "labels": {"show": false},
                "style": {"bgFill": "#000", "bgColor": false, "labelColor": false, "subText": "", "fontSize": 48},
            },
        }),
        Look::Table => json!({
            "perPage": 10, "showPartialRows": false, "showMetricsAtAllLevels": false, "showTotal": false, "totalFunc": "sum", "percentageCol": "",
        }),
        look @ (Look::Bars | Look::Lines) => over_time(panel, kind(look)),
    }
}

fn over_time(panel: &Panel, kind: &str) -> Value {
    let mode = if kind == "histogram" { "stacked" } else { "normal" };
    let series: Vec<Value> = (1..=panel.metrics.len())
        .map(|id| {
            json!({
                "show": true, "type": kind, "mode": mode, "data": {"id": id.to_string(), "label": ""}, "valueAxis": "ValueAxis-1",
                "drawLinesBetweenPoints": true, "lineWidth": 2, "interpolate": "linear", "showCircles": true,
            })
        })
        .collect();
    json!({
        "type": kind, "grid": {"categoryLines": false}, "seriesParams": series,
        "categoryAxes": [{
            "id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": true, "style": {}, "scale": {"type": "linear"},
            "labels": {"show": true, "filter": true, "truncate": 100}, "title": {},
        }],
        "valueAxes": [{
            "id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": true, "style": {},
            "scale": {"type": "linear", "mode": "normal"},
            "labels": {"show": true, "rotate": 0, "filter": false, "truncate": 100}, "title": {"text": ""},
        }],
        "addTooltip": true, "addLegend": true, "legendPosition": "right", "times": [], "addTimeMarker": false, "labels": {"show": false},
        "thresholdLine": {"show": false, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
    })
}
