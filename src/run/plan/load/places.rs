//! Other places than the one where the checkpoint is kept now: it may have been kept there before, and whose it is.

use super::{Found, Loader, decode, newer};
use crate::checkpoint::{APART_MS, BadCheckpoint, Begin, Checkpoint, Owner, sign};
use crate::config::{OnMissingState, Origin};
use crate::ports::Failure;
use crate::run::plan::PlanError;
use crate::run::plan::package::{former_package_names, package_name};
use crate::run::store::{load_package, read_records};

/// A checkpoint in a package that was saved longer ago than this may be one that was left behind, in milliseconds: then the own records are asked
/// whether they have a newer one. Runs that find nothing let it become three minutes old, and the next one may come a minute later.
const LEFT_BEHIND_MS: u64 = 300_000;

/// Where the checkpoint is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Package,
    Records,
    Host,
}

impl Loader<'_> {
    /// The newest of what was found where the checkpoint is kept, and of what is where it may have been kept before; and what is wrong if there
    /// is none.
    pub(super) fn newest(
        &mut self,
        found: Option<Checkpoint>,
        problem: Option<String>,
        place: Place,
    ) -> Result<(Option<Checkpoint>, Option<String>), PlanError> {
        let mut found = found;
        if let Some(found) = found.as_mut().filter(|_| place == Place::Package) {
            self.look_again(found);
        }
        let age_ms = found.as_ref().map(|found| self.now_ms.saturating_sub(found.saved_ms));
        // A host says by what it hands in which of several is meant.
        if age_ms.is_some_and(|age_ms| place != Place::Package || age_ms < LEFT_BEHIND_MS) {
            return Ok((found, None));
        }
        let asked = self.read_records();
        if found.is_none() {
            asked?;
        }
        let saved_ms = found.as_ref().map(|found| found.saved_ms);
        let (kept, elsewhere, whole) = match &self.records {
            // Not taken out: the package may be read again in this run.
            Some(records) => (records.checkpoint.clone(), !records.elsewhere.is_empty(), records.whole),
            None => (None, false, true),
        };
        let mut newest = found;
        if let Some(kept) = kept.filter(|kept| saved_ms.is_none_or(|saved_ms| saved_ms < kept.saved_ms)) {
            if place != Place::Records && (problem.is_some() || newest.is_some()) {
                let problem = problem.as_deref().unwrap_or("the checkpoint in the package is an older one");
                self.warnings
                    .push(format!("{problem}: went on from the one in this forwarder's activation records"));
            }
            newest = Some(kept);
        }
        if newest.is_none() || place == Place::Records && elsewhere {
            // That a host hands in what cannot be read is not a change of the place.
            let unreadable = problem.as_deref().filter(|_| place == Place::Host);
            if let Some(unreadable) =
                unreadable.filter(|_| self.config.on_missing_state == OnMissingState::Fail)
            {
                return Err(self.not_anew(unreadable));
            }
            newest = self.newer_of_packages(newest, place, unreadable)?;
        }
        if newest.is_some() {
            return Ok((newest, None));
        }
        if !whole {
            self.refuse_to_begin()?;
        }
        let deleted = || {
            let name = package_name(self.config, self.context);
            format!(
                "the package `{name}` does not exist, although earlier runs of this forwarder saved their checkpoint"
            )
        };
        Ok((None, problem.or_else(|| elsewhere.then(deleted))))
    }

    /// A run that found no checkpoint anywhere took itself for the first one. But the index of the own records may have been behind, so a later run looks again.
    fn look_again(&mut self, checkpoint: &mut Checkpoint) {
        let due = |begin: &mut Box<Begin>| begin.at_ms.saturating_add(APART_MS) <= self.now_ms;
        let Some(begin) = checkpoint.begun.take_if(due) else { return };
        if self.read_records_before(Some(&begin)).is_err() {
            checkpoint.begun = Some(begin);
        } else if self.records.as_ref().is_some_and(|records| records.saved_before(&begin)) {
            self.warnings.push(format!(
                "the package `{}` did not exist at {}, although earlier runs of this forwarder had saved their checkpoint: it began anew then; \
                 lines after that may come twice, lines before it that were still owed do not come",
                package_name(self.config, self.context),
                crate::time::rfc3339(begin.at_ms)
            ));
        }
    }

    /// What packages hold that are not the place of today, if it is newer than `known`.
    fn newer_of_packages(
        &mut self,
        known: Option<Checkpoint>,
        place: Place,
        unreadable: Option<&str>,
    ) -> Result<Option<Checkpoint>, PlanError> {
        let mut names = former_package_names(self.config, self.context);
        if place != Place::Package {
            names.insert(0, package_name(self.config, self.context));
        }
        let mut newest = known;
        for name in names {
            let stored = match load_package(self.api, &name) {
                Ok(stored) => stored,
                Err(failure) if failure.retryable => return Err(PlanError::Api(failure)),
                // A key that may not read packages has written none.
                Err(_) => continue,
            };
            let place = format!("the package `{name}`");
            let Some(json) = stored.checkpoint else { continue };
            let Found::Sound(checkpoint) = decode(json.get().as_bytes(), &place)? else { continue };
            if newest.as_ref().is_some_and(|newest| newest.saved_ms >= checkpoint.saved_ms) {
                continue;
            }
            if let Some(other) = self.other_forwarder(&checkpoint) {
                self.warnings.push(format!("{place} holds the checkpoint of {other}: not gone on from that"));
                continue;
            }
            let from = if self.config.from.is_some() { ", and not at `from`" } else { "" };
            self.warnings.push(match unreadable {
                Some(unreadable) => format!(
                    "{unreadable}: went on from the checkpoint in {place}{from}; lines may come twice"
                ),
                None => format!("went on from the checkpoint in {place}, where it was kept before{from}"),
            });
            newest = Some(checkpoint);
        }
        Ok(newest)
    }

    /// Whose checkpoint it is, if it cannot be this forwarder's. Commands are told apart by their receivers.
    fn other_forwarder(&self, checkpoint: &Checkpoint) -> Option<String> {
        if let Some(owner) =
            checkpoint.owner.as_ref().filter(|owner| owner.forwarder != self.owner().forwarder)
        {
            return Some(owner.to_string());
        }
        let same = self.context.own_action.is_some() || checkpoint.receivers == Some(self.receivers());
        (!same).then(|| "a command with other receivers".into())
    }

    /// Refuses a checkpoint that is another forwarder's. What the API keeps is of that API, whatever its name is by now.
    pub(super) fn refuse_stranger(&self, found: &Found, place: Place, name: &str) -> Result<(), PlanError> {
        let Found::Sound(Checkpoint { owner: Some(owner), .. }) = found else { return Ok(()) };
        let own = self.owner();
        if owner.forwarder == own.forwarder && (place != Place::Host || owner.api == own.api) {
            return Ok(());
        }
        let here = own.other_api(owner).unwrap_or_default();
        let message = format!("the checkpoint in {name} is that of {owner}{here}: {}", Owner::REMEDY);
        Err(PlanError::Checkpoint(Failure::lasting(message)))
    }

    /// Writes into the checkpoint whose it is, and says so if its receivers are others than before.
    pub(super) fn sign(&mut self, checkpoint: &mut Checkpoint) {
        let receivers = self.receivers();
        if checkpoint.receivers.as_ref().is_some_and(|before| *before != receivers) {
            self.warnings.push(
                "the receivers are others than in the last run: they do not get what those have acknowledged. A forwarder that runs beside \
                 another one needs a `checkpoint.package` of its own, or --state FILE"
                    .into(),
            );
        }
        checkpoint.receivers = Some(receivers);
        checkpoint.owner = Some(self.owner());
    }

    fn receivers(&self) -> String {
        let mut receivers: Vec<String> =
            self.config.output.receivers.iter().map(ToString::to_string).collect();
        crate::sorted::sort(&mut receivers);
        sign(&receivers.join(" "))
    }

    fn owner(&self) -> Owner {
        let platform = self.context.api_host.as_deref().and_then(|host| Origin::parse(host).ok());
        let api = self.config.api_host.as_ref().or(platform.as_ref()).map(ToString::to_string);
        let forwarder = self.context.own_action.as_ref().map_or(Owner::COMMAND, |own| own.name.as_str());
        Owner::new(forwarder, &api.unwrap_or_default())
    }

    /// Not all of the own records could be read, and so it is not known where to go on. A new beginning would forget what is owed.
    fn refuse_to_begin(&self) -> Result<(), PlanError> {
        if self.config.on_missing_state == OnMissingState::From {
            return Ok(());
        }
        let message = "there is no checkpoint in the newest activation records of this forwarder, and the time did not suffice for the older \
                       ones; the next run looks again. To begin without it, give `from`, and set `on_missing_state` to `from`";
        Err(PlanError::Checkpoint(Failure::passing(message)))
    }

    /// Asks for the forwarder's own records, once; a command has none.
    pub(super) fn read_records(&mut self) -> Result<(), PlanError> {
        self.read_records_before(None)
    }

    fn read_records_before(&mut self, begin: Option<&Begin>) -> Result<(), PlanError> {
        let Some(own) = self.context.own_action.as_ref().filter(|_| self.records.is_none()) else {
            return Ok(());
        };
        let until_ms = self.now_ms + self.stop_ms.saturating_sub(self.now_ms) / 2;
        let records = read_records(self.api, self.ports.clock, &own.name, begin, [self.now_ms, until_ms])
            .map_err(PlanError::Api)?;
        if let (None, Some(version)) = (&records.checkpoint, records.newer) {
            return Err(newer("this forwarder's activation records", &BadCheckpoint::Newer(version)));
        }
        self.records = Some(records);
        Ok(())
    }
}
