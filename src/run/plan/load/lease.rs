//! Taking the lease: the note that a run is at work.

use super::super::package::package_name;
use super::super::{CheckpointStore, PlanError};
use super::{Loaded, Loader};
use crate::checkpoint::Lease;
use crate::openwhisk::api::{Api, Written};
use crate::run::store::load_package;

/// A package that was read longer ago than this is read again before it is written, in milliseconds: the own records may have taken long.
const READ_HOLDS_MS: u64 = 5_000;
/// Times that a run tries to take the lease when others write the package too.
const ROUNDS: u32 = 3;
/// Why a run stands back that has written over the lease of another.
const OVERTAKEN: &str = "another run, or somebody else, wrote the checkpoint's package at the same moment, so this one stands back";

/// A lease that nobody holds.
pub(in crate::run::plan) struct Vacant {
    /// The last number of the package's version.
    pub(super) patch: Option<u64>,
    /// When the package was read, milliseconds since 1970.
    pub(super) read_ms: u64,
    /// The run before stood back, and nobody has saved since: so there was nobody whose place it kept.
    pub(super) in_vain: bool,
}

/// What came of taking the lease.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// The run goes on with what it has.
    Yes,
    /// The run goes on with another checkpoint.
    Replaced,
    /// Others have written the package since it was read: it was to be created and exists, or its version went up by more than one.
    Overtaken,
}

impl Loader<'_> {
    /// Writes the lease, and with it the checkpoint as it is: so the begin of the first run is kept even if that run is killed. Says whether
    /// the checkpoint had to be replaced by another one, or another run turned out to be at work.
    pub(in crate::run::plan) fn take_lease(&mut self, loaded: &mut Loaded) -> Result<bool, PlanError> {
        let now_ms = self.ports.clock.now_ms();
        let is_old = |vacant: &Vacant| now_ms.saturating_sub(vacant.read_ms) >= READ_HOLDS_MS;
        let mut replaced = loaded.vacant.as_ref().is_some_and(is_old);
        if replaced {
            self.read_again(loaded)?;
        }
        for round in 1..=ROUNDS {
            let taken = self.try_lease(loaded, round == ROUNDS)?;
            replaced |= taken != Taken::Yes;
            if taken != Taken::Overtaken {
                break;
            }
            self.read_again(loaded)?;
        }
        Ok(replaced)
    }

    /// Reads the package once more, as others may have written it. What was said of what was read before does not count. If it holds the lease
    /// of this run, that was written over what others wrote, and this run stands back.
    fn read_again(&mut self, loaded: &mut Loaded) -> Result<(), PlanError> {
        self.warnings.truncate(self.config.warnings.len());
        let name = package_name(self.config, self.context);
        let stored = load_package(self.api, &name).map_err(PlanError::Api)?;
        let run = self.run();
        *loaded = match &loaded.keep {
            CheckpointStore::Package(held) if stored.lease.as_ref().is_some_and(|lease| lease.run == run) => {
                let api = Api::new(self.ports, self.now_ms);
                // If that fails, the lease holds longer than it need.
                held.keep_place(&api, &stored, self.ports.clock.now_ms()).ok();
                self.requests += api.requests();
                Loaded::occupied(held.clone(), OVERTAKEN.into())
            }
            _ => self.load_stored(name, stored)?,
        };
        Ok(())
    }

    /// With `last` a conflict is no reason to try again.
    fn try_lease(&mut self, loaded: &mut Loaded, last: bool) -> Result<Taken, PlanError> {
        let (Some(Vacant { patch, in_vain, .. }), CheckpointStore::Package(held)) =
            (loaded.vacant.take(), &mut loaded.keep)
        else {
            return Ok(Taken::Yes);
        };
        // The work is waiting, so there is one try only.
        let api = Api::new(self.ports, self.now_ms);
        let deadline_ms = self.context.deadline_ms.unwrap_or(u64::MAX);
        let lease = Lease::new(&held.run, held.lease_ms, self.now_ms, deadline_ms);
        let written = held.take_lease(&api, &loaded.checkpoint, &lease);
        self.requests += api.requests();
        let failure = match written {
            Ok(Written::Done(now)) => {
                // Each write counts one up: more, and somebody else wrote since we read.
                let expected = patch.map_or(1, |patch| patch + 1);
                // An API that counts up by more each time must not make every run stand back.
                if now.is_some_and(|now| now > expected) && !in_vain {
                    // By then a short run of another has ended, and its checkpoint is not written over.
                    self.api.pause(1);
                    return Ok(Taken::Overtaken);
                }
                held.contended |= now.is_some_and(|now| now != expected);
                held.exists = true;
                held.written_ms = self.ports.clock.now_ms();
                return Ok(Taken::Yes);
            }
            Ok(Written::Refused(status)) => {
                held.refused = Some(status);
                let replaced = self.prefer_records(&mut loaded.checkpoint)?;
                return Ok(if replaced { Taken::Replaced } else { Taken::Yes });
            }
            Ok(Written::Conflict) if !last => return Ok(Taken::Overtaken),
            Ok(Written::Conflict) => format!("the package `{}` is being written by somebody else", held.name),
            Err(failure) => failure.message,
        };
        held.contended = true;
        self.warnings.push(format!("other runs cannot see that this one is at work: {failure}"));
        Ok(Taken::Yes)
    }
}
