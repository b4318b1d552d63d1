//! The selection of the entries of `actions`: actions, records of the look-back, and the place of their log lines.

use super::object;
use crate::checkpoint::{LogPlace, Platform};
use crate::config::Config;
use crate::openwhisk::api::{Api, Logs, Query, Question};
use crate::openwhisk::record::{ActivationId, Record};
use crate::openwhisk::source::{Entry, Source};
use crate::ports::Failure;
use crate::range::Range;
use crate::run::plan::{Context, PlanError, own_path, strays};
use serde_json::{Value, json};

/// Most actions of a pattern whose records are counted, each by a request of its own.
const COUNTED: usize = 30;
/// Most names that are shown of a pattern.
const SHOWN: usize = 10;
/// Records of a source that are read to see where log lines are, and those of them whose lines are asked for.
const READ: u32 = 5;
const ASKED: usize = 3;
/// Most sources that are read for that.
const SOURCES: usize = 10;

pub(super) fn look(config: &Config, context: &Context, api: &Api<'_>) -> Result<Value, PlanError> {
    let now_ms = api.now_ms();
    let limits = api.limits();
    let mut platform = Platform::default();
    platform.note_limits(limits.as_ref().ok().copied(), now_ms);
    let lookback_ms = config.lookback_ms.unwrap_or(platform.lookback_ms(now_ms));
    let Some(range) = Range::new(now_ms.saturating_sub(lookback_ms), now_ms) else { return Ok(object([])) };
    // Whether records can be read at all is for this one to say; what follows does without what it cannot have.
    api.refresh(config.sources.first().and_then(Source::filter).as_deref(), range).map_err(PlanError::Api)?;
    let names = api.action_names();
    let known = names.as_ref().ok().and_then(Option::as_deref);
    let mut entries = Vec::new();
    for source in &config.sources {
        entries.extend(chosen(source, known).into_iter().map(|entry| entry.told(api, range)));
    }
    let (place, activation) = match config.logs {
        Some(configured) => (configured, None),
        None => log_place(config, api, range),
    };
    let told = limits.as_ref().ok().map(|limits| {
        object([
            ("max_action_duration_ms", limits.max_action_duration.into()),
            ("max_action_logs", limits.max_action_logs.into()),
        ])
    });
    let logs = object([
        ("place", json!(place)),
        ("configured", config.logs.is_some().into()),
        ("activation", activation.map(|id| id.to_string()).into()),
    ]);
    Ok(object([
        ("lookback_ms", lookback_ms.into()),
        ("limits", told.into()),
        ("limits_problem", limits.err().map(|failure| failure.message).into()),
        ("actions", known.map(<[String]>::len).into()),
        ("actions_problem", names.as_ref().err().map(|failure| failure.message.clone()).into()),
        ("entries", entries.into()),
        ("logs", logs),
        ("warnings", known.map(|known| strays(api, config, known, own_path(context))).into()),
    ]))
}

/// An entry of `actions` that selects something.
struct Chosen {
    entry: String,
    /// The actions that it selects, if that is known.
    actions: Option<Vec<String>>,
}

fn chosen(source: &Source, known: Option<&[String]>) -> Vec<Chosen> {
    let of = |chooses: &dyn Fn(&str) -> bool| -> Option<Vec<String>> {
        Some(known?.iter().filter(|name| chooses(name)).cloned().collect())
    };
    match source {
        Source::Action(action) => {
            let name = action.name();
            vec![Chosen { actions: of(&|known| known == name), entry: name }]
        }
        Source::Namespace(selection) => {
            let entries = source.entries().into_iter().filter(|entry| !entry.starts_with('!'));
            entries
                .map(|entry| {
                    let alone = Entry::parse(&entry).ok().and_then(|entry| entry.source());
                    let takes = |name: &str| match &alone {
                        Some(Source::Namespace(alone)) => alone.chooses(name),
                        _ => entry == name,
                    };
                    Chosen { actions: of(&|name| takes(name) && selection.chooses(name)), entry }
                })
                .collect()
        }
    }
}

impl Chosen {
    fn told(self, api: &Api<'_>, range: Range) -> Value {
        let is_pattern = self.entry.contains('*');
        let counted: Vec<String> = match &self.actions {
            Some(actions) if is_pattern => actions.clone(),
            None if is_pattern => Vec::new(),
            _ => vec![self.entry.clone()],
        };
        let whole = (self.actions.is_some() || !is_pattern) && counted.len() <= COUNTED;
        let counted = counted.get(..COUNTED).unwrap_or(&counted);
        api.ask_ahead(counted.iter().map(|name| Question::Count(Some(name), range)));
        let (mut records, mut problem) = (0, None);
        for name in counted {
            match api.count(Some(name), range) {
                Ok(count) => records += count,
                Err(Failure { message, .. }) => problem = Some(message),
            }
        }
        let shown = self.actions.as_deref().map(|names| names.get(..SHOWN).unwrap_or(names).to_vec());
        object([
            ("entry", self.entry.into()),
            ("actions", self.actions.as_ref().map(Vec::len).into()),
            ("names", shown.into()),
            // Of very many actions only some are counted: then these are at least so many.
            ("records", records.into()),
            ("records_are_all", (whole && problem.is_none()).into()),
            ("problem", problem.into()),
        ])
    }
}

/// Where log lines were seen, and in which activation. What cannot be read tells nothing.
fn log_place(config: &Config, api: &Api<'_>, range: Range) -> (LogPlace, Option<ActivationId>) {
    let mut place = (LogPlace::Unknown, None);
    for source in config.sources.iter().take(SOURCES) {
        let filter = source.filter();
        let query = Query { name: filter.as_deref(), range, limit: READ, skip: 0, docs: true };
        let (mut with_lines, mut without) = (None, Vec::new());
        let mut read = |json: &[u8]| {
            let Ok(record) = Record::parse(json) else { return true };
            if !source.matches(&record) {
                return true;
            }
            if record.entries().any(|line| !line.is_notice()) {
                with_lines = Some(record.activation_id);
            } else if record.may_have_lines_elsewhere() {
                without.push(record.activation_id);
            }
            with_lines.is_none()
        };
        if api.list(query, |row| read(row.json)).is_err() {
            continue;
        }
        if with_lines.is_some() {
            return (LogPlace::Record, with_lines);
        }
        for id in without.into_iter().take(ASKED) {
            match api.logs(id) {
                Ok(Logs::Lines(_) | Logs::Many) => return (LogPlace::Api, Some(id)),
                Ok(Logs::NotAvailable) => place = (LogPlace::Nowhere, Some(id)),
                _ => {}
            }
        }
    }
    place
}
