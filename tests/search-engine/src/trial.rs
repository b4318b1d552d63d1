//! The trial, step by step. Each step reports its result.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use whiskjack_bench_guest::memory::Api;
use whiskjack_bench_guest::pipeline_with;
use whiskjack_search_engine::dashboards::{self, Panel, Search};
use whiskjack_search_engine::query;

use crate::engine::Engine;
use crate::logstash::{AS_THEY_ARE, Answers, Logstash, Output, PLAIN};
use crate::world::{LINES, Row, Run, heartbeats, rows};
use crate::{odd, picture, truth};

/// The steps of panels over time.
const STEP: (&str, u64) = ("10m", 600_000);

pub(crate) struct Trial {
    pub(crate) engine: Rc<Engine>,
    pub(crate) root: PathBuf,
    /// `whiskjack`.
    pub(crate) program: PathBuf,
}

/// The documents of [`ecs`].
const ECS: &str = "logs-openwhisk.*-*";

/// What a step has seen.
pub(crate) type Told = Result<(String, ())>;

impl Trial {
    /// Runs `whiskjack setup`; what it says.
    fn setup(&self, more: &[&str]) -> Result<String> {
        let arguments = ["setup", "--elasticsearch", self.engine.url()];
        let output = Command::new(&self.program).args(arguments).args(more).output().context("PROGRAM")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "setup: {}\n{text}{errors}", output.status);
        Ok(text)
    }

    pub(crate) fn sets_up(&self) -> Told {
        let there = || self.engine.ask("GET", "/_index_template/whiskjack-*", None);
        self.setup(&["--dry-run"])?;
        ensure!(
            there()?.1["index_templates"].as_array().is_none_or(Vec::is_empty),
            "--dry-run has changed something"
        );
        let first = self.setup(&[])?;
        let made = first.lines().filter(|line| line.contains(": created")).count();
        let again = self.setup(&[])?;
        let kept = again.lines().filter(|line| line.contains(": unchanged")).count();
        ensure!(
            made >= 6 && kept >= made - 1 && !again.contains("created"),
            "first:\n{first}again:\n{again}"
        );
        // What an installation adds stays, and a template that was changed is put right.
        let custom = json!({"template": {"mappings": {"properties": {"team": {"type": "keyword"}}}}});
        self.engine.must("PUT", "/_component_template/whiskjack-custom", Some(&custom))?;
        self.engine.must("PUT", "/_component_template/whiskjack-settings", Some(&json!({"template": {}})))?;
        let third = self.setup(&[])?;
        ensure!(third.contains("whiskjack-settings: changed"), "{third}");
        let custom = self.engine.must("GET", "/_component_template/whiskjack-custom", None)?;
        ensure!(custom.to_string().contains("team"), "{custom}");
        Ok((format!("{made} things"), ()))
    }

    pub(crate) fn takes_odd_documents(&self) -> Told {
        let documents = odd::documents(&self.root.join("docs/events"))?;
        self.take_all(&documents, "logs-openwhisk.log-odd", "create")?;
        self.take_all(&documents, "whiskjack-odd", "index")?;
        Ok((format!("{} documents, each in a data stream and in an index", documents.len()), ()))
    }

    /// And how one of them begins with the new ones.
    pub(crate) fn tells_of_old_fields(&self) -> Told {
        self.engine.must("PUT", "/_component_template/whiskjack-mappings", Some(&json!({"template": {}})))?;
        let told = self.setup(&[])?;
        let remedy = "POST /logs-openwhisk.log-default/_rollover";
        ensure!(
            told.contains(&format!(
                "log-default: has the old fields until it begins a new index; let it do so with {remedy}"
            )),
            "{told}"
        );
        self.engine.must("POST", "/logs-openwhisk.log-default/_rollover", None)?;
        Ok((format!("{} data streams", told.matches("has the old fields").count()), ()))
    }

    fn take_all(&self, documents: &[(String, Value)], index: &str, action: &str) -> Result<()> {
        for (id, document) in documents {
            let what = json!({action: {"_index": index, "_id": id}});
            let mut answers = Answers::default();
            answers.add(&self.engine.bulk(format!("{what}\n{document}\n").as_bytes())?)?;
            ensure!(answers.refused.is_empty(), "{index}: {id} is refused: {:?}", answers.refused);
        }
        ensure!(self.engine.count(index)? == documents.len() as u64, "{index} lacks documents");
        Ok(())
    }

    /// Fields, parameters, settings and policies that there are not.
    pub(crate) fn refuses_mistakes(&self) -> Told {
        let folder = self.root.join("deploy/elastic/elasticsearch");
        let mistakes = [
            ("mappings.json", "/_component_template/wrong", "/template/mappings/dynamic", json!("sometimes")),
            (
                "mappings.json",
                "/_component_template/wrong",
                "/template/mappings/properties/message/type",
                json!("match_text"),
            ),
            (
                "mappings.json",
                "/_component_template/wrong",
                "/template/mappings/properties/labels/dynamics",
                json!(true),
            ),
            (
                "mappings.json",
                "/_component_template/wrong",
                "/template/mappings/properties/fields/ignore_above",
                json!("all"),
            ),
            (
                "settings.json",
                "/_component_template/wrong",
                "/template/settings/index/mapping/total_fields/ignore_dynamic",
                json!(true),
            ),
            ("settings.json", "/_component_template/wrong", "/template/settings/index/codec", json!("best")),
            ("settings.json", "/_component_template/wrong", "/templates", json!({})),
            ("data-streams.json", "/_index_template/wrong", "/priority", json!("high")),
            ("data-streams.json", "/_index_template/wrong", "/data_streams", json!({})),
            ("data-streams.json", "/_index_template/wrong", "/composed_of/0", json!("whiskjack-maps")),
            ("lifecycle.json", "/_ilm/policy/wrong", "/policy/phases/hot/actions/roll", json!({})),
            (
                "lifecycle.json",
                "/_ilm/policy/wrong",
                "/policy/phases/hot/actions/rollover/max_age",
                json!("7 days"),
            ),
            ("lifecycle.json", "/_ilm/policy/wrong", "/policy/phases/warmer", json!({"actions": {}})),
        ];
        let count = mistakes.len();
        for (file, path, pointer, wrong) in mistakes {
            let mut body: Value = serde_json::from_str(&fs::read_to_string(folder.join(file))?)?;
            let (outer, member) = pointer.rsplit_once('/').context("a pointer")?;
            match body.pointer_mut(outer).with_context(|| format!("{file} has no {outer}"))? {
                Value::Array(items) => items[member.parse::<usize>()?] = wrong,
                object => object[member] = wrong,
            }
            let (status, answer) = self.engine.ask("PUT", path, Some(&body))?;
            ensure!(status == 400, "{file} with another {pointer}: HTTP {status}: {answer}");
        }
        Ok((format!("{count} mistakes"), ()))
    }

    /// What becomes of a whole run of the core.
    fn run(&self, runs: &[Run], api: &Api<'_>, output: Output, more: Value) -> Result<Answers> {
        let logstash = Logstash::new(&self.engine, output);
        let lines = pipeline_with(api, &logstash, more);
        let answers = logstash.finish()?;
        ensure!(
            lines == (runs.len() * LINES) as u64,
            "the core has not forwarded all: {lines} lines; {answers:?}"
        );
        ensure!(answers.refused.is_empty(), "refused: {:#?}", answers.refused);
        Ok(answers)
    }

    pub(crate) fn stores(&self, runs: &[Run], api: &Api<'_>) -> Told {
        let answers = self.run(runs, api, Output::DataStream, ecs())?;
        let (lines, activations) = ((runs.len() * LINES) as u64, runs.len() as u64);
        ensure!(answers.created == lines + activations && answers.conflicts == 0, "{answers:?}");
        ensure!(self.engine.count("logs-openwhisk.log-default")? == lines, "lines are missing");
        ensure!(
            self.engine.count("logs-openwhisk.activation-default")? == activations,
            "activations are missing"
        );
        Ok((format!("{lines} lines and {activations} activations, none refused"), ()))
    }

    pub(crate) fn repeats(&self, runs: &[Run], api: &Api<'_>) -> Told {
        let before = self.engine.count("logs-openwhisk.*")?;
        let answers = self.run(runs, api, Output::DataStream, ecs())?;
        ensure!(answers.created == 0 && answers.conflicts == before, "{answers:?}");
        ensure!(self.engine.count("logs-openwhisk.*")? == before, "there are other documents now");
        Ok((format!("{} conflicts, {before} documents as before", answers.conflicts), ()))
    }

    pub(crate) fn shows(&self, runs: &[Run]) -> Told {
        let beats = heartbeats(runs);
        let mut lines = String::new();
        for (time, [lag, owed, acknowledged, errors]) in &beats {
            let time = whiskjack::time::rfc3339(*time);
            let stream = json!({"type": "logs", "dataset": "openwhisk.forwarder", "namespace": "default"});
            let numbers = json!({"lag_ms": lag, "owed_ranges": owed, "acknowledged_lines": acknowledged, "errors": errors});
            let document = json!({
                "@timestamp": time, "event": {"dataset": "openwhisk.forwarder", "kind": "metric"}, "data_stream": stream, "whiskjack": numbers,
            });
            let action = json!({"create": {"_index": "logs-openwhisk.forwarder-default"}});
            lines.push_str(&format!("{action}\n{document}\n"));
        }
        let mut answers = Answers::default();
        answers.add(&self.engine.bulk(lines.as_bytes())?)?;
        ensure!(answers.created == beats.len() as u64, "{answers:?}");
        self.engine.refresh()?;
        self.compare(dashboards::ALL[0], ECS, &rows(runs, &beats))
    }

    fn compare(&self, dashboard: &dashboards::Dashboard, index: &str, rows: &[Row<'_>]) -> Told {
        let (mut panels, mut numbers) = (0, 0);
        for panel in dashboard.panels() {
            let answer = self.search(index, &query::of_panel(panel, STEP.0))?;
            numbers += truth::compare(panel, STEP.1, &answer, rows).with_context(|| panel.title)?;
            panels += 1;
        }
        Ok((format!("{panels} panels, {numbers} numbers"), ()))
    }

    fn search(&self, index: &str, body: &Value) -> Result<Value> {
        self.engine.must("POST", &format!("/{index}/_search"), Some(body))
    }

    /// Draws the dashboard into a file. What it shows was compared before.
    pub(crate) fn draws(&self, file: &Path) -> Told {
        let notes = [
            "A made-up shop's activations of two hours, in steps of ten minutes",
            "Drawn by `cargo xtask search-engine --picture` from OpenSearch's answers to the queries of this dashboard. It is not a picture of Kibana, which draws it in its own way.",
        ];
        let picture = picture::draw(dashboards::ALL[0], self, notes)?;
        fs::write(file, &picture).with_context(|| format!("cannot write {}", file.display()))?;
        Ok((format!("{} bytes in {}", picture.len(), file.display()), ()))
    }

    pub(crate) fn orders(&self, runs: &[Run]) -> Told {
        let search = dashboards::ALL[0]
            .searches()
            .find(|search| search.id == "one-activation")
            .context("the search")?;
        let sample: Vec<&Run> = runs.iter().step_by(runs.len() / 100 + 1).collect();
        for run in &sample {
            let body = query::of_search(search, Some(("faas.execution", &run.id)), 1_000);
            let answer = self.engine.must("POST", "/logs-openwhisk.*-*/_search", Some(&body))?;
            let hits = answer["hits"]["hits"].as_array().context("hits")?;
            let sequence: Vec<u64> =
                hits.iter().filter_map(|hit| hit["_source"]["event"]["sequence"].as_u64()).collect();
            ensure!(sequence == (0..LINES as u64).collect::<Vec<_>>(), "{}: {sequence:?}", run.id);
            for (hit, (_, stream, text)) in hits.iter().zip(&run.lines) {
                let message = hit["_source"]["message"].as_str().unwrap_or_default();
                // Of a JSON line it is a member.
                ensure!(
                    text.contains(message) && hit["_source"]["log"]["iostream"] == *stream,
                    "{message} instead of {text}"
                );
            }
        }
        Ok((format!("{} activations", sample.len()), ()))
    }

    pub(crate) fn replaces(&self, runs: &[Run], api: &Api<'_>) -> Told {
        let first = self.run(runs, api, Output::PlainIndex, ecs())?;
        let before = self.engine.count(PLAIN)?;
        let second = self.run(runs, api, Output::PlainIndex, ecs())?;
        ensure!(
            first.created == before && second.created == 0 && second.replaced == before,
            "{first:?} {second:?}"
        );
        ensure!(self.engine.count(PLAIN)? == before, "there are other documents now");
        Ok((format!("{before} documents"), ()))
    }

    /// Into the same index: each line of 2017 takes the place of its document of ECS.
    pub(crate) fn converts(&self, runs: &[Run], api: &Api<'_>) -> Told {
        let of_ecs = self.lines_of(PLAIN)?;
        let answers =
            self.run(runs, api, Output::PlainIndex, json!({"events": {"package": true, "sequence": true}}))?;
        ensure!(answers.created == 0 && answers.replaced == of_ecs.len() as u64, "other ids: {answers:?}");
        self.engine.refresh()?;
        let converted = self.lines_of(PLAIN)?;
        let mut fields = BTreeSet::new();
        for (id, document) in &converted {
            let same = of_ecs.get(id).with_context(|| format!("{id} is new"))?;
            let is_json = same.get("labels").is_some() || same.get("numeric_labels").is_some();
            for (field, value) in odd::leaves(document) {
                let other = same.pointer(&field).unwrap_or(&Value::Null);
                ensure!(
                    *other == value || (is_json && field == "/message"),
                    "{id}: {field} is {value} instead of {other}"
                );
                fields.insert(field);
            }
        }
        ensure!(fields.len() > 15, "{fields:?}");
        Ok((format!("{} documents, {} fields", converted.len(), fields.len()), ()))
    }

    /// Documents of lines by their ids.
    fn lines_of(&self, index: &str) -> Result<BTreeMap<String, Value>> {
        let body = json!({"size": 10_000, "query": {"term": {"event.dataset": "openwhisk.log"}}});
        let answer = self.engine.must("POST", &format!("/{index}/_search"), Some(&body))?;
        let hits = answer["hits"]["hits"].as_array().context("hits")?;
        hits.iter()
            .map(|hit| Ok((hit["_id"].as_str().context("_id")?.to_owned(), hit["_source"].clone())))
            .collect()
    }

    pub(crate) fn shows_2017(&self, runs: &[Run], api: &Api<'_>) -> Told {
        let more = json!({"events": {"package": true, "sequence": true}});
        let answers = self.run(runs, api, Output::AsTheyAre, more)?;
        ensure!(answers.created == (runs.len() * LINES) as u64, "{answers:?}");
        self.engine.refresh()?;
        let mut rows = rows(runs, &[]);
        rows.retain(|row| row.dataset == "openwhisk.log");
        self.compare(dashboards::ALL[1], AS_THEY_ARE, &rows)
    }

    pub(crate) fn rolls_over(&self, runs: &[Run]) -> Told {
        let stream = "logs-openwhisk.log-default";
        let before = self.engine.count(stream)?;
        let body = json!({"size": 1, "query": {"term": {"faas.execution": runs[0].id}}});
        let found = self.engine.must("POST", &format!("/{stream}/_search"), Some(&body))?;
        let hit = &found["hits"]["hits"][0];
        let again = || {
            let action = json!({"create": {"_index": stream, "_id": hit["_id"]}});
            let mut answers = Answers::default();
            answers.add(&self.engine.bulk(format!("{action}\n{}\n", hit["_source"]).as_bytes())?)?;
            anyhow::Ok(answers)
        };
        ensure!(again()?.conflicts == 1, "a document is taken twice");
        self.engine.must("POST", &format!("/{stream}/_rollover"), None)?;
        ensure!(again()?.created == 1, "a document is not taken");
        ensure!(self.engine.count(stream)? == before + 1, "it is not there twice");
        Ok(("as the pages say".to_owned(), ()))
    }
}

impl picture::Answers for Trial {
    type Error = anyhow::Error;

    fn panel(&self, panel: &Panel) -> Result<Value> {
        self.search(ECS, &query::of_panel(panel, STEP.0))
    }

    fn search(&self, search: &Search, size: usize) -> Result<Value> {
        self.search(ECS, &query::of_search(search, None, size))
    }
}

/// The configuration that the README recommends, with activations.
fn ecs() -> Value {
    json!({"events": {"shape": "ecs", "activations": true}, "lines": {"json": true}})
}
