//! The range of a backfill, and the file that knows what was begun: the same command goes on with it, also where its times are spans before now.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::super::times;
use super::BackfillOptions;
use crate::checkpoint;
use crate::origin::Origin;
use crate::run::{OwnFile, RunContext};
use whiskjack_settings::text::many;

/// A time as it was written: a span before now is another moment each time it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As it was written.
    pub text: String,
    /// Milliseconds since 1970.
    pub ms: u64,
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    times::point(text).map(|ms| Moment { text: text.to_owned(), ms })
}

/// The same for a begin, which is not in the future.
pub(super) fn past(text: &str) -> Result<Moment, String> {
    times::past(text).map(|ms| Moment { text: text.to_owned(), ms })
}

/// A range of starts, and the file of its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) state: PathBuf,
    /// The command, by which it is known again.
    asked: Value,
    /// It was begun by the same command before.
    is_begun: bool,
}

/// The member of the note that says that all is done.
pub(super) const COMPLETE: (&str, Value) = (IS_COMPLETE, Value::Bool(true));
const IS_COMPLETE: &str = "is_complete";

/// Names of files that were named after their range.
const PREFIX: &str = "whiskjack-backfill-";
const SUFFIX: &str = ".state";

impl BackfillOptions {
    /// What is to be forwarded; nothing, if activations are named.
    pub(super) fn range(&self, context: &RunContext) -> Result<Option<Range>, String> {
        self.range_in(Path::new(""), context, times::now_ms())
    }

    /// The same, with files without a folder in `folder`.
    pub(super) fn range_in(
        &self,
        folder: &Path,
        context: &RunContext,
        now: u64,
    ) -> Result<Option<Range>, String> {
        let Some(from) = self.from.as_ref().map(|from| from.ms) else { return Ok(None) };
        let to = self.to.as_ref().map_or(now, |to| to.ms);
        if to > now {
            let [to, now] = [to, now].map(times::shown);
            return Err(format!(
                "--to: {to} is in the future; give a time before now, which is {now}, or leave it out"
            ));
        }
        let asked = self.asked(context);
        if let Some(state) = &self.state {
            if let Some(range) = begun(state, &asked) {
                return Ok(Some(range));
            }
            in_order(from, to)?;
            fits(state, from)?;
            return Ok(Some(Range { from, to, state: state.clone(), asked, is_begun: false }));
        }
        if let Some(range) = files(folder).iter().find_map(|state| begun(state, &asked)) {
            return Ok(Some(range));
        }
        in_order(from, to)?;
        let state = free(folder, from, to, &asked);
        Ok(Some(Range { from, to, state, asked, is_begun: false }))
    }

    /// What makes two commands the same: what is forwarded, from where, and to where.
    fn asked(&self, context: &RunContext) -> Value {
        let text = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.text.clone());
        let path =
            |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
        let api = context.api_host.as_deref().and_then(Origin::parse).map(|origin| origin.to_string());
        json!({
            "from": text(&self.from), "to": text(&self.to), "actions": self.actions, "config": path(&self.config),
            "output": self.output.as_deref().map(path), "api": api, "namespace": context.namespace,
        })
    }
}

impl Range {
    /// The file of its checkpoint, with a note of the command.
    pub(super) fn file(&self) -> OwnFile {
        let note = [
            ("asked", self.asked.clone()),
            ("from", self.from.into()),
            ("to", self.to.into()),
            (IS_COMPLETE, false.into()),
        ];
        let note: Map<String, Value> = note.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        OwnFile::new(self.state.clone(), note)
    }

    /// What is done now, in a sentence.
    pub(super) fn told(&self, acknowledged: u64) -> String {
        let [from, to] = [self.from, self.to].map(times::shown);
        let state = self.state.display();
        match self.is_begun {
            false => format!("from {from} to {to}; the checkpoint is in {state}"),
            true => format!(
                "goes on with the unfinished backfill of the same command: from {from} to {to}, {} acknowledged before; the checkpoint is in \
                 {state}. To begin anew, remove that file, or name another with --state",
                many(acknowledged, "line")
            ),
        }
    }
}

/// What the same command has begun in this file, and not finished.
fn begun(state: &Path, asked: &Value) -> Option<Range> {
    let note = OwnFile::note_in(state)?;
    let time = |key: &str| note.get(key).and_then(Value::as_u64);
    let is_it = note.get("asked") == Some(asked) && note.get(IS_COMPLETE) == Some(&Value::Bool(false));
    let (from, to) = (time("from")?, time("to")?);
    is_it.then(|| Range { from, to, state: state.to_owned(), asked: asked.clone(), is_begun: true })
}

/// The file that is named after the range, with a number if it is another command's.
fn free(folder: &Path, from: u64, to: u64, asked: &Value) -> PathBuf {
    let name = |ms: u64| times::shown(ms).replace(['-', ':'], "");
    let begin = format!("{PREFIX}{}-{}", name(from), name(to));
    let numbered = (2_u64..).map(|number| format!("{begin}-{number}{SUFFIX}"));
    let is_free = |state: &PathBuf| match OwnFile::note_in(state) {
        Some(note) => note.get("asked") == Some(asked) && fits(state, from).is_ok(),
        None => !state.exists(),
    };
    let mut names = std::iter::once(format!("{begin}{SUFFIX}")).chain(numbered).map(|name| folder.join(name));
    names.find(is_free).unwrap_or_else(|| folder.join(format!("{begin}{SUFFIX}")))
}

/// The files of the folder that are named after a range, the last that was written first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let is_one = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_one))
        .map(|entry| {
            (entry.metadata().and_then(|found| found.modified()).ok(), folder.join(entry.file_name()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

fn in_order(from: u64, to: u64) -> Result<(), String> {
    if from < to {
        return Ok(());
    }
    let [from, to] = [from, to].map(times::shown);
    Err(format!("--to: {to} is not later than --from, {from}; give a later time"))
}

/// Whether the checkpoint in the file, if there is one, began at `from`: what is before its begin would be left out. Nothing else may be in the file,
/// as it is replaced.
fn fits(state: &Path, from: u64) -> Result<(), String> {
    let Ok(Some(bytes)) = checkpoint::glance(state) else { return Ok(()) };
    let kept: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let Some(sources) =
        kept.get("sources").and_then(Value::as_object).filter(|_| kept.get("version").is_some())
    else {
        return Err(format!(
            "--state {}: holds something else than a checkpoint; name another file",
            state.display()
        ));
    };
    let sources = sources.values();
    let origins = sources.filter_map(|source| source.get("origin")?.as_u64());
    let noted = OwnFile::note_in(state).and_then(|note| note.get("from")?.as_u64());
    let mut begins = origins.chain(noted);
    match begins.find(|begin| *begin != from) {
        None => Ok(()),
        Some(other) => Err(format!(
            "--state {}: holds what has begun at {} ({other}), and --from is {} ({from}); give that time, or another file",
            state.display(),
            times::shown(other),
            times::shown(from)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::options;
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn context() -> RunContext {
        RunContext { api_host: Some("https://api.example.com".to_owned()), ..RunContext::default() }
    }

    fn range(words: &str, folder: &Path, now: u64) -> Result<Range, String> {
        options(&format!("backfill --config c {words}"))?
            .range_in(folder, &context(), now)
            .map(Option::unwrap)
    }

    #[test]
    fn a_range_has_its_begin_before_its_end_and_its_end_before_now() {
        let folder = tempfile::tempdir().unwrap();
        let now = times::now_ms();
        let given = range("--from 2026-11-28 --to 2026-11-28T14:00Z a b/*", folder.path(), now).unwrap();
        let name = "whiskjack-backfill-20261128T000000Z-20261128T140000Z.state";
        assert_eq!((given.from, given.state), (1_795_824_000_000, folder.path().join(name)));
        let early = range("--from 2026-11-28 --to 2026-11-27", folder.path(), now).unwrap_err();
        assert!(
            early.starts_with("--to: 2026-11-27T00:00:00Z is not later than --from, 2026-11-28"),
            "{early}"
        );
        let late = range("--from 2026-11-28 --to 2099-01-01", folder.path(), now).unwrap_err();
        assert!(
            late.starts_with("--to: 2099-01-01T00:00:00Z is in the future; give a time before now"),
            "{late}"
        );
    }

    #[test]
    fn the_same_command_goes_on_with_what_it_has_begun_also_hours_later() {
        let folder = tempfile::tempdir().unwrap();
        let now = times::now_ms();
        let words = "--from 1h a";
        let first = range(words, folder.path(), now).unwrap();
        first.file().keep([]).unwrap();
        let again = range(words, folder.path(), now + 3 * HOUR).unwrap();
        assert_eq!((again.from, again.to, &again.state), (first.from, first.to, &first.state));
        assert!(
            again.told(8).contains("goes on with the unfinished backfill")
                && again.told(8).contains("8 lines")
        );
        for other in ["--from 1h b", "--from 2h a", "--from 1h --to now a", "--from 1h --output o a"] {
            let other = range(other, folder.path(), now + 1000).unwrap();
            assert!(!other.is_begun && other.state != first.state, "{other:?}");
        }
        let absolute = "--from 2026-11-01 --to 2026-11-02";
        for (actions, end) in [("a", "Z.state"), ("b", "Z-2.state"), ("a", "Z.state")] {
            let range = range(&format!("{absolute} {actions}"), folder.path(), now).unwrap();
            assert!(range.state.to_str().unwrap().ends_with(end), "{range:?}");
            range.file().keep([COMPLETE]).unwrap();
        }
        first.file().keep([COMPLETE]).unwrap();
        let anew = range(words, folder.path(), now + 3 * HOUR).unwrap();
        assert!(!anew.is_begun && anew.to == now + 3 * HOUR, "what is complete is not begun again: {anew:?}");
    }

    #[test]
    fn a_file_that_is_named_goes_on_too_and_one_of_another_begin_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("s");
        let now = times::now_ms();
        let words = |from: &str| format!("--from {from} --state {}", state.display());
        let first = range(&words("2h"), folder.path(), now).unwrap();
        first.file().keep([]).unwrap();
        assert_eq!(range(&words("2h"), folder.path(), now + HOUR).unwrap().from, first.from);
        let other = range(&words("3h"), folder.path(), now).unwrap_err();
        assert!(other.contains("holds what has begun at"), "{other}");
        let sources = json!({"version": 3, "sources": {"a": {"origin": 1_000, "through": 2_000}}});
        std::fs::write(&state, sources.to_string()).unwrap();
        for other in ["", "{}", r#"{"actions":["a"]}"#, "actions: [a]"] {
            std::fs::write(&state, other).unwrap();
            assert!(
                fits(&state, 1).unwrap_err().ends_with("something else than a checkpoint; name another file")
            );
        }
        std::fs::write(&state, sources.to_string()).unwrap();
        assert_eq!(fits(&state, 1_000), Ok(()));
        assert!(
            fits(&state, 999).unwrap_err().contains("holds what has begun at 1970-01-01T00:00:01Z (1000)")
        );
    }
}
