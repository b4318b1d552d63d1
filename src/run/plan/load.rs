//! Where a run goes on: the checkpoint from wherever it is kept, and what to do when there is none.

mod idle;
mod lease;
mod places;

use super::package::package_name;
use super::{CheckpointKeeper, CheckpointStore, Context, PlanError};
use crate::checkpoint::{
    BadCheckpoint, Begin, COMMAND_HOLDS_MS, Checkpoint, HOLDS_MS, Platform, SourceState,
};
use crate::config::{Config, Faults, OnMissingState, Store};
use crate::openwhisk::api::{Api, Question};
use crate::openwhisk::source::Source;
use crate::ports::{Failure, Ports};
use crate::run::store::{Mark, OwnRecords, PackageStore, Stored, load_package};
use lease::Vacant;
use places::Place;
use serde::Deserialize;

/// What a run begins with.
pub(super) struct Loaded {
    pub(super) keep: CheckpointStore,
    /// Holds every monitored source.
    pub(super) checkpoint: Checkpoint,
    /// Another run is at work: this one has nothing to do. Says how that is known.
    pub(super) occupied: Option<String>,
    /// The lease that is to be taken.
    pub(super) vacant: Option<Vacant>,
    /// What the package holds, if it is a sound checkpoint and no lease is beside it.
    as_stored: Option<Box<Checkpoint>>,
}

/// What was found in a store.
enum Found {
    Sound(Checkpoint),
    /// There never was one.
    Nothing,
    /// There should be one; says what is wrong.
    Unusable(String),
}

/// Finds the checkpoint, or begins anew.
pub(super) struct Loader<'a> {
    pub(super) config: &'a Config,
    pub(super) context: &'a Context,
    pub(super) ports: Ports<'a>,
    pub(super) api: &'a Api<'a>,
    pub(super) now_ms: u64,
    pub(super) stop_ms: u64,
    /// What the report shall mention.
    pub(super) warnings: Vec<String>,
    /// What the forwarder's own records told, if they were asked.
    pub(super) records: Option<OwnRecords>,
    /// What was learned about the platform in this run, if it was asked.
    pub(super) platform: Option<Platform>,
    /// Requests that `api` does not count.
    pub(super) requests: u64,
    /// This run, as its lease names it, once it has a name.
    pub(super) run: Option<String>,
}

impl Loader<'_> {
    /// Reads the checkpoint.
    pub(super) fn load(&mut self) -> Result<Loaded, PlanError> {
        match (self.config.store, &self.context.keeper) {
            (Some(Store::Host), CheckpointKeeper::Platform) => {
                let remedy = match self.context.own_action {
                    Some(_) => {
                        "only the command keeps the checkpoint in a file, by its --state: choose `package` or `activation`"
                    }
                    None => "the host keeps no checkpoint here: give --state FILE, or choose `package`",
                };
                Err(Faults::one("checkpoint.store", &"host".into(), remedy).into())
            }
            (Some(Store::Activation), _) if self.context.own_action.is_none() => {
                let remedy = "only an action has activation records of its own: give --state FILE, or choose `package`";
                Err(Faults::one("checkpoint.store", &"activation".into(), remedy).into())
            }
            (Some(Store::Activation), _) => self.load_records_state(),
            (Some(Store::Package), _) | (None, CheckpointKeeper::Platform) => self.load_package_state(),
            (_, CheckpointKeeper::Host(kept)) => self.load_host_state(kept.as_deref()),
        }
    }

    /// Whether a package is to be read.
    pub(super) fn reads_package(&self) -> bool {
        matches!(
            (self.config.store, &self.context.keeper),
            (Some(Store::Package), _) | (None, CheckpointKeeper::Platform)
        )
    }

    fn load_host_state(&mut self, kept: Option<&[u8]>) -> Result<Loaded, PlanError> {
        let found = match kept {
            Some(json) if is_something_else(json) => {
                let message = "the state handed in is not a checkpoint, so it is not written over; name another file, or remove this one";
                return Err(PlanError::Checkpoint(Failure::lasting(message)));
            }
            Some(json) => decode(json, "the state handed in")?,
            None => Found::Nothing,
        };
        self.refuse_stranger(&found, Place::Host, "the state handed in")?;
        let (checkpoint, _) = self.settle(found, Place::Host)?;
        self.note_idle_package("by the host (--state)");
        Ok(Loaded::from(CheckpointStore::Host, checkpoint))
    }

    fn load_records_state(&mut self) -> Result<Loaded, PlanError> {
        let problem = "there is no checkpoint in the activation records of this forwarder: this is the first run, or they are not stored";
        let (checkpoint, _) = self.settle(Found::Unusable(problem.into()), Place::Records)?;
        self.note_idle_package("in this forwarder's activation records");
        Ok(Loaded::from(CheckpointStore::Records, checkpoint))
    }

    fn load_package_state(&mut self) -> Result<Loaded, PlanError> {
        let name = package_name(self.config, self.context);
        let stored = load_package(self.api, &name).map_err(PlanError::Api)?;
        if !stored.exists && self.config.lookback_ms.is_none() {
            // A first run needs them soon.
            self.api.ask_ahead([Question::Limits]);
        }
        self.load_stored(name, stored)
    }

    fn load_stored(&mut self, name: String, stored: Stored) -> Result<Loaded, PlanError> {
        let read_ms = self.ports.clock.now_ms();
        let place = format!("the package `{name}`");
        let run = self.run();
        let other = stored.lease.filter(|lease| lease.run != run);
        let is_action = self.context.own_action.is_some();
        let held = PackageStore {
            name,
            exists: stored.exists,
            others: stored.others,
            run,
            lease_ms: if is_action { HOLDS_MS } else { COMMAND_HOLDS_MS },
            contended: other.is_some(),
            written_ms: 0,
            refused: None,
        };
        let is_left_alone = stored.exists && other.is_none();
        let in_vain = other.as_ref().is_some_and(|lease| lease.stood_back);
        let was_ended = other.is_some() && !in_vain;
        if let Some(lease) = other.filter(|lease| lease.holds(self.now_ms)) {
            return Ok(Loaded::occupied(held, lease.describe()));
        }
        let found = match &stored.checkpoint {
            Some(json) => decode(json.get().as_bytes(), &place)?,
            None if stored.exists => {
                Found::Unusable(format!("there is no checkpoint in {place} although it exists"))
            }
            None => Found::Nothing,
        };
        self.refuse_stranger(&found, Place::Package, &place)?;
        let as_stored = match &found {
            Found::Sound(checkpoint) if is_left_alone => Some(Box::new(checkpoint.clone())),
            _ => None,
        };
        let (checkpoint, sound) = self.settle(found, Place::Package)?;
        if was_ended {
            // It left its lease. Without its record this run takes all of its time.
            self.read_records().ok();
        }
        // A damaged checkpoint is overwritten only by a run that reports it, and so at its end.
        let vacant = sound.then_some(Vacant { patch: stored.patch, read_ms, in_vain });
        Ok(Loaded { vacant, as_stored, ..Loaded::from(CheckpointStore::Package(held), checkpoint) })
    }

    /// This run, as its lease names it.
    fn run(&mut self) -> String {
        let activation = self.context.own_action.as_ref().and_then(|own| own.activation.clone());
        let name = || activation.unwrap_or_else(|| format!("{:016x}", self.ports.clock.random()));
        self.run.get_or_insert_with(name).clone()
    }

    /// A key that may not write the package could not do so in earlier runs either: what they did is in their records.
    fn prefer_records(&mut self, checkpoint: &mut Checkpoint) -> Result<bool, PlanError> {
        self.read_records()?;
        let kept = self.records.as_ref().and_then(|records| records.checkpoint.clone());
        let Some(newer) = kept.filter(|kept| kept.saved_ms > checkpoint.saved_ms) else { return Ok(false) };
        *checkpoint = newer;
        self.begin_first(checkpoint);
        self.sign(checkpoint);
        Ok(true)
    }

    /// Makes a checkpoint of what was found that holds every source; the flag tells that it is not a new begin after damage.
    fn settle(&mut self, found: Found, place: Place) -> Result<(Checkpoint, bool), PlanError> {
        let (found, problem) = match found {
            Found::Sound(checkpoint) => (Some(checkpoint), None),
            Found::Nothing => (None, None),
            Found::Unusable(problem) => (None, Some(problem)),
        };
        let (newest, problem) = self.newest(found, problem, place)?;
        if let Some(mut checkpoint) = newest {
            self.begin_first(&mut checkpoint);
            self.sign(&mut checkpoint);
            return Ok((checkpoint, true));
        }
        if problem.is_none() {
            self.refuse_first(place)?;
        }
        let mut checkpoint = Checkpoint::default();
        if problem.is_none() || place == Place::Records {
            let marks = self.records.as_ref().map(|records| records.marks.clone());
            self.take_over(&mut checkpoint, &marks.unwrap_or_default());
        }
        let sound = match problem {
            Some(problem) if checkpoint.sources.is_empty() => {
                self.begin_anew(&mut checkpoint, &problem)?;
                false
            }
            _ => {
                let run = self.context.own_action.as_ref().and_then(|own| own.activation.clone());
                checkpoint.begun = run.map(|run| Box::new(Begin { at_ms: self.now_ms, run }));
                self.begin_first(&mut checkpoint);
                true
            }
        };
        self.sign(&mut checkpoint);
        Ok((checkpoint, sound))
    }

    /// Goes on where the forwarder of 2017 stopped: with the activation that starts a millisecond after the last one that it sent. It sent
    /// everything up to there that it ever would, so going back further would repeat lines, and with other ids.
    fn take_over(&mut self, checkpoint: &mut Checkpoint, marks: &[Mark]) {
        for Mark { name: simple_name, start_ms: ms, .. } in
            marks.iter().filter(|mark| (1..self.now_ms).contains(&mark.start_ms))
        {
            let names: Vec<String> = self.config.sources.iter().map(Source::name).collect();
            let mut named = names
                .into_iter()
                .filter(|name| name == simple_name || name.rsplit('/').next() == Some(simple_name));
            match (named.next(), named.next()) {
                (Some(name), None) => {
                    let origin = ms + 1;
                    self.warnings.push(format!(
                        "`{name}` was forwarded by the tool of 2017 before: went on from {}",
                        crate::time::rfc3339(origin)
                    ));
                    checkpoint.sources.insert(name, SourceState::new(origin));
                }
                (Some(_), Some(_)) => self.warnings.push(format!(
                    "the tool of 2017 came to {} with `{simple_name}`, but several of the `actions` have that name: not taken over",
                    crate::time::rfc3339(*ms)
                )),
                (None, _) => {}
            }
        }
    }

    /// Lets every source begin anew: the checkpoint is lost.
    fn begin_anew(&mut self, checkpoint: &mut Checkpoint, problem: &str) -> Result<(), PlanError> {
        let lookback_ms = self.lookback_ms(checkpoint);
        let anew = match (self.config.on_missing_state, self.config.from) {
            (OnMissingState::Fail, _) => return Err(self.not_anew(problem)),
            (OnMissingState::From, Some(from)) => from.saturating_add(1),
            _ => self.now_ms.saturating_sub(lookback_ms),
        };
        self.warnings.push(format!(
            "{problem}: began anew at {}; lines after that may come twice, lines before it that were still owed do not come",
            crate::time::rfc3339(anew)
        ));
        self.warnings.extend(checkpoint.monitor(&self.config.sources, anew));
        Ok(())
    }

    /// Nothing tells a command's first run from one whose checkpoint has gone lost, so with `fail` neither begins by itself. The records of an action tell.
    fn refuse_first(&self, place: Place) -> Result<(), PlanError> {
        if self.config.on_missing_state != OnMissingState::Fail || self.context.own_action.is_some() {
            return Ok(());
        }
        let place = match place {
            Place::Package => format!("the package `{}`", package_name(self.config, self.context)),
            Place::Host | Place::Records => "the state handed in".into(),
        };
        let message = format!(
            "there is no checkpoint in {place}, and `on_missing_state` is `fail`. To begin, set it to `lookback` or `from` for one run"
        );
        Err(PlanError::Checkpoint(Failure::lasting(message)))
    }

    /// Nothing begins anew by itself.
    fn not_anew(&self, problem: &str) -> PlanError {
        let message =
            format!("{problem}. Repair it, or set `on_missing_state` to `lookback` or `from` for one run");
        PlanError::Checkpoint(Failure::lasting(message))
    }

    /// Lets sources that were not monitored before begin.
    fn begin_first(&mut self, checkpoint: &mut Checkpoint) {
        let lookback_ms = self.lookback_ms(checkpoint);
        let first = || self.now_ms.saturating_sub(lookback_ms);
        let origin = self.config.from.map_or_else(first, |from| from.saturating_add(1));
        self.note_idle_from(checkpoint);
        self.warnings.extend(checkpoint.monitor(&self.config.sources, origin));
        self.warnings.extend(checkpoint.take_back(self.now_ms, lookback_ms, origin));
    }

    /// How far to look back, as configured or from the platform's limits, which are read every half look-back once they are known. That they cannot be
    /// had is no failure.
    fn lookback_ms(&mut self, checkpoint: &mut Checkpoint) -> u64 {
        if let Some(configured) = self.config.lookback_ms {
            return configured;
        }
        if let Some(known) = self.platform {
            checkpoint.platform = known;
        } else if checkpoint.platform.limits_are_due(self.now_ms) {
            // What a run did not look back to is forgotten, so where there were limits before, a passing failure is not the last word.
            let is_passing = |failure: &Failure| failure.retryable && checkpoint.platform.has_limits();
            let again =
                |failure: Failure| if is_passing(&failure) { self.api.limits() } else { Err(failure) };
            let limits = self.api.limits().or_else(again).ok();
            checkpoint.platform.note_limits(limits, self.now_ms);
            self.platform = Some(checkpoint.platform);
        }
        checkpoint.platform.lookback_ms(self.now_ms)
    }
}

impl Loaded {
    fn from(keep: CheckpointStore, checkpoint: Checkpoint) -> Self {
        Self { keep, checkpoint, occupied: None, vacant: None, as_stored: None }
    }

    /// There is nothing to do, for this reason.
    fn occupied(held: PackageStore, reason: String) -> Self {
        let loaded = Self::from(CheckpointStore::Package(held), Checkpoint::default());
        Self { occupied: Some(reason), ..loaded }
    }

    /// Whether a run at `now_ms` need not write if it finds nothing: the checkpoint was saved a short time ago, and reading it has changed
    /// nothing, as another configuration or another day does. A run that does not write must be none for the next one, so what is new is not to
    /// begin before the look-back by then.
    pub(super) fn may_rest(&self, now_ms: u64, lookback_ms: u64) -> bool {
        self.checkpoint.is_recent(now_ms, lookback_ms) && self.is_as_stored()
    }

    /// Whether the package holds just this checkpoint, and no lease.
    pub(super) fn is_as_stored(&self) -> bool {
        self.as_stored.as_deref() == Some(&self.checkpoint)
    }
}

/// Whether it is neither a checkpoint, whoever has written it again since, nor the rest of a damaged one: it may be somebody's own file.
fn is_something_else(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        version: Option<u32>,
    }
    match serde_json::from_slice::<Head>(json) {
        Ok(Head { version }) => version.is_none(),
        Err(_) => !json.is_empty() && !json.starts_with(br#"{"version":"#),
    }
}

fn decode(json: &[u8], place: &str) -> Result<Found, PlanError> {
    match Checkpoint::decode(json) {
        Ok(checkpoint) => Ok(Found::Sound(checkpoint)),
        // A newer forwarder's checkpoint must not be overwritten.
        Err(error @ BadCheckpoint::Newer(_)) => Err(newer(place, &error)),
        Err(damage) => Ok(Found::Unusable(format!("the checkpoint in {place} cannot be read: {damage}"))),
    }
}

fn newer(place: &str, error: &BadCheckpoint) -> PlanError {
    PlanError::Checkpoint(Failure::lasting(format!("the checkpoint in {place} cannot be read: {error}")))
}

#[cfg(test)]
mod tests;
