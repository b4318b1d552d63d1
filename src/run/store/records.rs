//! The forwarder's own activation records: they hold the checkpoint if the API key may not write packages, and the marks that the forwarder
//! of 2017 left.
//!
//! They are a poor store. The list may be behind by one question, operators may not keep the records, and a run that was killed has
//! none: then lines come again, or the run begins anew with the look-back.

use super::cut_short::{CutShort, NEWEST};
use crate::checkpoint::{BadCheckpoint, Begin, Checkpoint};
use crate::openwhisk::api::Api;
use crate::openwhisk::fetch::{OverlapFilter, Visited, Walk};
use crate::openwhisk::record::{Record, Summary, entry_time};
use crate::openwhisk::source::{Action, Source};
use crate::ports::{Clock, Failure};
use crate::range::Range;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Key of the checkpoint in a run's result.
pub const STATE: &str = "checkpoint_state";
/// What a result says under `checkpoint` if that is in a package or with the host.
pub const SAVED: &str = "saved";
/// The same, if the run wrote none.
pub const UNCHANGED: &str = "unchanged";
/// The same, if it could not be saved: what the run has done comes again.
pub const NOT_SAVED: &str = "not saved";

/// How many records are read, newest first; if those tell nothing, as many as there are and the time allows.
const FEW_ROWS: u32 = NEWEST;
/// So many are read at most to find a run before a certain one.
const MOST_ROWS: u32 = 200;
/// How far the platform's clock may be ahead of ours, in milliseconds.
const AHEAD_MS: u64 = 3_600_000;
/// Time that the API gets to bring its index up to date, in milliseconds.
const INDEXING_MS: u64 = 250;

/// The contents of the forwarder's newest own records.
#[derive(Debug, Default)]
pub struct OwnRecords {
    /// The newest checkpoint among them.
    pub checkpoint: Option<Checkpoint>,
    /// How far the forwarder of 2017 came, one mark for each name.
    pub marks: Vec<Mark>,
    /// The version of a checkpoint that only a newer forwarder reads.
    pub newer: Option<u32>,
    /// Those that say that they saved their checkpoint in another place.
    pub elsewhere: Vec<Summary>,
    /// Those of the newest that were ended before they had handed over a checkpoint.
    pub cut_short: CutShort,
    /// Whether no older ones could tell more.
    pub whole: bool,
}

/// The last activation of an action that the forwarder of 2017 sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The action's name without its package.
    pub name: String,
    /// When that activation began, milliseconds since 1970.
    pub start_ms: u64,
    /// When the record began that says so.
    said_ms: u64,
}

/// Reads the newest records of the action `own`, `/namespace/[package/]action`, until they tell something; until `until_ms` at the latest.
/// With `begin`, until one tells of a run before that; so many at most that the runs of some hours may have failed.
pub fn read_records(
    api: &Api<'_>,
    clock: &dyn Clock,
    own: &str,
    begin: Option<&Begin>,
    [now_ms, until_ms]: [u64; 2],
) -> Result<OwnRecords, Failure> {
    let mut found = OwnRecords { whole: true, ..OwnRecords::default() };
    let name = own.trim_start_matches('/').split_once('/').map_or(own, |(_, name)| name);
    let range = Range::new(0, now_ms.saturating_add(AHEAD_MS));
    let (Ok(action), Some(range)) = (Action::parse(name), range) else { return Ok(found) };
    let source = Source::Action(action);
    // The list is as of the question before (docs/facts/openwhisk.md 1.7), so one is asked for that alone.
    api.refresh(Some(name), range)?;
    api.wait(INDEXING_MS);
    let mut edge = OverlapFilter::default();
    let mut rows = 0;
    // A result may be large, and a page of them too large for the API: the walk goes on with smaller ones.
    let walked = Walk::new(api, Some(name), true).beginning_with(FEW_ROWS).over(range, |row| {
        let json = row.json;
        let summary = Summary::parse(json).ok();
        if summary.is_none_or(|summary| edge.first_time(summary)) {
            rows += 1;
            found.visit(&source, json);
        }
        let enough = rows >= FEW_ROWS
            && begin.map_or_else(|| found.tells(), |begin| rows >= MOST_ROWS || found.saved_before(begin));
        Visited { summary, go_on: !enough && clock.now_ms() < until_ms }
    });
    walked.failure.map_or(Ok(()), Err)?;
    found.whole = found.tells() || walked.reached.is_none();
    Ok(found)
}

impl OwnRecords {
    /// Whether they tell how far earlier runs came, or where that is written.
    fn tells(&self) -> bool {
        self.checkpoint.is_some() || !self.marks.is_empty() || !self.elsewhere.is_empty()
    }

    /// Whether an earlier run than that has saved a checkpoint.
    pub fn saved_before(&self, begin: &Begin) -> bool {
        let is_earlier =
            |saved: &Summary| saved.start < begin.at_ms && saved.activation_id.to_string() != begin.run;
        self.elsewhere.iter().any(is_earlier)
            || self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.saved_ms < begin.at_ms)
    }

    /// Takes in one record. It may come again.
    fn visit(&mut self, source: &Source, json: &[u8]) {
        let Ok(record) = Record::parse(json) else { return };
        if !source.matches(&record) {
            return;
        }
        self.cut_short.visit(&record, says(json).is_some_and(|run| run.checkpoint == NOT_SAVED));
        match state(json).map(|state| Checkpoint::decode(state.get().as_bytes())) {
            Some(Ok(checkpoint)) => {
                if self.checkpoint.as_ref().is_none_or(|known| known.saved_ms < checkpoint.saved_ms) {
                    self.checkpoint = Some(checkpoint);
                }
            }
            Some(Err(BadCheckpoint::Newer(version))) => self.newer = Some(version),
            // An older one is as true, only longer ago.
            Some(Err(_)) => {}
            None => self.elsewhere.extend(Summary::parse(json).ok().filter(|_| saved_elsewhere(json))),
        }
        for line in record.entries().map(|line| line.text()) {
            let Some((name, start_ms)) = mark(&line) else { continue };
            match self.marks.iter_mut().find(|mark| mark.name == name) {
                Some(known) if known.said_ms > record.start => {}
                Some(known) => (known.start_ms, known.said_ms) = (start_ms, record.start),
                None => self.marks.push(Mark { name: name.into(), start_ms, said_ms: record.start }),
            }
        }
    }
}

/// The checkpoint in a record's result.
fn state(json: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Run<'a> {
        #[serde(borrow)]
        checkpoint_state: &'a RawValue,
    }
    result::<Run<'_>>(json).map(|run| run.checkpoint_state)
}

/// Whether a record's result says that the checkpoint was saved, and does not hold it; or that it was there, and nothing was to be added.
fn saved_elsewhere(json: &[u8]) -> bool {
    let was_there =
        |run: Said| run.checkpoint == SAVED || run.checkpoint == UNCHANGED && run.skipped.is_none();
    says(json).is_some_and(was_there)
}

/// What a record's result says of the checkpoint.
#[derive(Deserialize)]
struct Said {
    checkpoint: String,
    skipped: Option<String>,
}

fn says(json: &[u8]) -> Option<Said> {
    result(json)
}

fn result<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    #[derive(Deserialize)]
    struct OwnRecord<'a> {
        #[serde(borrow)]
        response: Response<'a>,
    }
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    let record: OwnRecord<'_> = serde_json::from_slice(json).ok()?;
    serde_json::from_slice(record.response.result.get().as_bytes()).ok()
}

/// `LAST_ACTIVATION <name> <ms>`, as the forwarder of 2017 printed it (docs/facts/openwhisk.md 6.2): the name may hold spaces.
fn mark(entry: &str) -> Option<(&str, u64)> {
    let message = match entry_time(entry) {
        Some(time) => entry.get(time.len()..)?.trim_start_matches(' '),
        None => entry,
    };
    let message = message.strip_prefix("stdout: ").unwrap_or(message);
    let (name, ms) = message.strip_prefix("LAST_ACTIVATION ")?.rsplit_once(' ')?;
    let digits = !ms.is_empty() && ms.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !name.is_empty()).then_some((name, ms.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(records: &[Value]) -> OwnRecords {
        let mut found = OwnRecords::default();
        let source = Source::Action(Action::parse("tools/fwd").unwrap());
        records.iter().for_each(|record| found.visit(&source, record.to_string().as_bytes()));
        found
    }

    fn record(start: u64, result: Value, logs: Value) -> Value {
        json!({"activationId": format!("{start:032x}"), "namespace": "guest", "name": "fwd", "start": start, "end": start + 1,
            "annotations": [{"key": "path", "value": "guest/tools/fwd"}], "logs": logs, "response": {"result": result}})
    }

    fn result(saved_ms: u64) -> Value {
        json!({"lines": {}, STATE: {"version": 1, "saved_ms": saved_ms, "sources": {}}})
    }

    #[test]
    fn the_newest_checkpoint_counts_wherever_it_is_in_the_list() {
        let records = [
            record(40, json!({"error": "The action exceeded its time limits."}), json!([])),
            record(10, result(15), json!([])),
            record(30, result(35), json!([])),
            record(20, json!([1]), json!([])),
            record(50, json!({STATE: "garbage"}), json!([])),
        ];
        assert_eq!(read(&records).checkpoint.unwrap().saved_ms, 35);
    }

    #[test]
    fn a_checkpoint_in_a_record_of_another_action_is_none_of_ours() {
        let mut other = record(10, result(15), json!([]));
        other["annotations"][0]["value"] = json!("guest/fwd");
        assert_eq!(read(&[other]).checkpoint, None);
    }

    #[test]
    fn a_checkpoint_of_a_newer_forwarder_is_noticed() {
        let found = read(&[record(1, json!({STATE: {"version": 9}}), json!([]))]);
        assert_eq!((found.checkpoint, found.newer), (None, Some(9)));
    }

    #[test]
    fn marks_of_the_2017_tool_are_read_with_any_name_and_any_prefix() {
        for (entry, expected) in [
            ("2023-11-14T22:13:20.010000001Z stdout: LAST_ACTIVATION hello 17", Some(("hello", 17))),
            ("2023-11-14T22:13:20.01000000Z  stdout: LAST_ACTIVATION two words 17", Some(("two words", 17))),
            ("2023-11-14T22:13:20.01Z LAST_ACTIVATION a.b-c@d 17", Some(("a.b-c@d", 17))),
            ("LAST_ACTIVATION pkg/x 17", Some(("pkg/x", 17))),
            ("2023-11-14T22:13:20.01Z stdout: search activations (LAST_ACTIVATION x) since 17", None),
            ("2023-11-14T22:13:20.01Z stderr: LAST_ACTIVATION x 17", None),
            ("2023-11-14T22:13:20.01Z stdout: LAST_ACTIVATION x", None),
            ("2023-11-14T22:13:20.01Z stdout: LAST_ACTIVATION x -1", None),
            ("2023-11-14T22:13:20.01Z stdout: LAST_ACTIVATION x 99999999999999999999999", None),
            ("LAST_ACTIVATION  17", None),
        ] {
            assert_eq!(mark(entry), expected, "{entry}");
        }
    }

    #[test]
    fn the_newest_record_that_names_an_action_says_how_far_it_came() {
        let line = |name: &str, ms: u64| {
            json!(format!("2023-11-14T22:13:20.01Z stdout: LAST_ACTIVATION {name} {ms}"))
        };
        let found = read(&[
            record(30, json!({}), json!([line("a", 25)])),
            record(20, json!({}), json!([line("a", 99), line("b", 15)])),
            record(30, json!({}), json!([line("a", 25)])),
        ]);
        let marks: Vec<_> = found.marks.iter().map(|mark| (mark.name.as_str(), mark.start_ms)).collect();
        assert_eq!(marks, [("a", 25), ("b", 15)]);
    }
}
