//! The checkpoint in a package's annotation: it needs only the API key, is read by id and so is never stale, and does not depend on the
//! forwarder's own activation records (docs/facts/openwhisk.md 10).

use crate::checkpoint::{BadCheckpoint, Checkpoint, Lease, Owner};
use crate::openwhisk::api::{Annotation, Api, Written};
use crate::ports::Failure;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Key of the checkpoint's annotation.
pub const ANNOTATION: &str = "whiskjack-checkpoint";
/// Key of the lease's annotation.
pub const LEASE: &str = "whiskjack-lease";

/// Times a checkpoint is written when others write the package too.
const TRIES: u32 = 4;
/// So long after its own last write a run takes for granted that nobody else has written the package, in milliseconds. The API knows no
/// conditional write, so about as much time can pass between looking and writing as well.
const UNDISTURBED_MS: u64 = 1_000;
/// Longest time for which the last save of a run is tried again, in milliseconds, if the run has no deadline.
const PERSISTS_MS: u64 = 15 * 60_000;
/// From so many tries on the pauses between them grow no longer: some three seconds.
const LONGEST_PAUSE: u32 = 4;

/// The contents of a package.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Whether the package exists.
    pub exists: bool,
    /// The checkpoint's JSON, if it is there.
    pub checkpoint: Option<Box<RawValue>>,
    /// The lease of a run that has not ended, or was killed.
    pub lease: Option<Lease>,
    /// Annotations of others, to be kept.
    pub others: Vec<Annotation>,
    /// The last number of its version.
    pub patch: Option<u64>,
}

/// A package as the place of the checkpoint, and this run's knowledge of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackageStore {
    /// The package.
    pub name: String,
    /// Whether it existed when this run read or wrote it.
    pub exists: bool,
    /// Annotations of others, to be kept.
    #[serde(with = "crate::handover::as_json")]
    pub others: Vec<Annotation>,
    /// This run, as a lease names it: by that it knows what it wrote itself.
    pub run: String,
    /// How long its lease holds unless it is renewed, in milliseconds.
    pub lease_ms: u64,
    /// Whether another run may be at work too: it wrote at the same time, or left a lease that has run out.
    pub contended: bool,
    /// When this run wrote the package when it was planned, milliseconds since 1970; 0 if it did not.
    pub written_ms: u64,
    /// The HTTP status, if the API key may not write the package.
    pub refused: Option<u16>,
}

/// The outcome of saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is saved; with the patch number of the package's version.
    Done(Option<u64>),
    /// The API key may not write packages; with the HTTP status.
    Refused(u16),
}

/// A run's checkpoint at the moment of saving it.
#[derive(Debug)]
pub struct Saving<'a> {
    /// When the checkpoint was saved that the run began with.
    pub began_with_ms: u64,
    /// How far back the run looked, in milliseconds.
    pub lookback_ms: u64,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// When the run must be over, if it continues after this.
    pub goes_on_until_ms: Option<u64>,
    /// Whether to try for as long as there is time: otherwise lines that a receiver has acknowledged come again.
    pub persists: bool,
    /// The checkpoint with the run's achievements; after saving, also with those of other runs meanwhile.
    pub checkpoint: &'a mut Checkpoint,
}

/// Reads the package.
pub fn load_package(api: &Api<'_>, name: &str) -> Result<Stored, Failure> {
    let Some(package) = api.package(name)? else { return Ok(Stored::default()) };
    let mut stored = Stored { exists: true, patch: package.patch(), ..Stored::default() };
    for annotation in package.annotations {
        match annotation.key.as_str() {
            ANNOTATION => stored.checkpoint = Some(annotation.value),
            // One that cannot be read holds nobody up.
            LEASE => stored.lease = serde_json::from_slice(annotation.value.get().as_bytes()).ok(),
            _ => stored.others.push(annotation),
        }
    }
    Ok(stored)
}

impl PackageStore {
    /// Saves the checkpoint, and the lease as long as the run continues. It keeps what others have written since this run read or wrote the
    /// package: their annotations, and the achievements in another run's checkpoint. It does not touch the checkpoint of another forwarder.
    pub fn save(&self, api: &Api<'_>, saving: &mut Saving<'_>) -> Result<Saved, Failure> {
        let until_ms = saving.now_ms.saturating_add(PERSISTS_MS);
        let mut tries = 1;
        while saving.persists {
            match self.save_once(api, saving) {
                Err(failure) if failure.retryable => {}
                saved => return saved,
            }
            saving.persists = saving.now_ms < until_ms && api.pause(tries.min(LONGEST_PAUSE));
            tries += 1;
            saving.now_ms = api.now_ms();
        }
        self.save_once(api, saving)
    }

    /// With [`Saving::persists`] what the package holds must be known; without an answer the checkpoint of this run replaces it otherwise, which
    /// is true by itself, but some lines may come again.
    fn save_once(&self, api: &Api<'_>, saving: &mut Saving<'_>) -> Result<Saved, Failure> {
        let undisturbed = saving.now_ms.saturating_sub(self.written_ms) < UNDISTURBED_MS;
        let mut found = None;
        if self.exists && (self.contended || !undisturbed) {
            match load_package(api, &self.name) {
                Err(failure) if saving.persists && failure.retryable => return Err(failure),
                answer => found = answer.ok(),
            }
        }
        for tries in 1..=TRIES {
            if let Some(found) = &found {
                self.take_in(found, saving)?;
            }
            match self.put(api, saving, found.as_ref())? {
                Written::Done(patch) => return Ok(Saved::Done(patch)),
                Written::Refused(status) => return Ok(Saved::Refused(status)),
                // It exists although it was not there, or somebody else writes it just now.
                Written::Conflict if api.pause(tries) => found = Some(load_package(api, &self.name)?),
                Written::Conflict => break,
            }
        }
        Err(Failure::passing(format!(
            "the package `{}` is being written by somebody else all the time",
            self.name
        )))
    }

    /// Writes the checkpoint that the run began with, and its lease. It tries once, as the work is waiting.
    pub fn take_lease(
        &self,
        api: &Api<'_>,
        checkpoint: &Checkpoint,
        lease: &Lease,
    ) -> Result<Written, Failure> {
        self.write(api, checkpoint, Some(lease), &self.others, self.exists)
    }

    /// Stands back: the checkpoint there stays, and the lease of this run keeps the place of the lease that it has overwritten. It tries
    /// once.
    pub fn keep_place(&self, api: &Api<'_>, stored: &Stored, now_ms: u64) -> Result<Written, Failure> {
        let lease = Lease::in_place_of_another(&self.run, now_ms);
        self.write_json(api, stored.checkpoint.clone(), Some(&lease), &stored.others, true)
    }

    fn put(&self, api: &Api<'_>, saving: &Saving<'_>, found: Option<&Stored>) -> Result<Written, Failure> {
        let now = saving.now_ms;
        let own = saving.goes_on_until_ms.map(|deadline| Lease::new(&self.run, self.lease_ms, now, deadline));
        // One that keeps a place keeps that of this run, and is needed no more.
        let stays = |lease: &&Lease| lease.run != self.run && !lease.stood_back && lease.holds(now);
        let of_another = || found?.lease.as_ref().filter(stays).map(Lease::shared);
        let lease = own.or_else(of_another);
        let (others, exists) =
            found.map_or((&self.others, self.exists), |found| (&found.others, found.exists));
        self.write(api, saving.checkpoint, lease.as_ref(), others, exists)
    }

    fn write(
        &self,
        api: &Api<'_>,
        checkpoint: &Checkpoint,
        lease: Option<&Lease>,
        others: &[Annotation],
        exists: bool,
    ) -> Result<Written, Failure> {
        let lasting = |error: &dyn std::fmt::Display| Failure::lasting(error.to_string());
        let json = checkpoint.encode().map_err(|error| lasting(&error))?;
        let value = serde_json::from_slice::<Box<RawValue>>(&json).map_err(|error| lasting(&error))?;
        self.write_json(api, Some(value), lease, others, exists)
    }

    fn write_json(
        &self,
        api: &Api<'_>,
        checkpoint: Option<Box<RawValue>>,
        lease: Option<&Lease>,
        others: &[Annotation],
        exists: bool,
    ) -> Result<Written, Failure> {
        let mut annotations = others.to_vec();
        annotations.extend(checkpoint.map(|value| Annotation { key: ANNOTATION.into(), value }));
        if let Some(lease) = lease {
            let value = serde_json::value::to_raw_value(lease)
                .map_err(|error| Failure::lasting(error.to_string()))?;
            annotations.push(Annotation { key: LEASE.into(), value });
        }
        api.put_package(&self.name, &annotations, exists)
    }

    /// Takes in what the package holds now, if somebody else has written it.
    fn take_in(&self, found: &Stored, saving: &mut Saving<'_>) -> Result<(), Failure> {
        let by_this_run = found.lease.as_ref().is_some_and(|lease| lease.run == self.run && !lease.is_shared);
        let Some(json) = found.checkpoint.as_ref().filter(|_| !by_this_run) else { return Ok(()) };
        let refuse = |why: &dyn std::fmt::Display| {
            Failure::lasting(format!("the checkpoint in the package `{}` {why}", self.name))
        };
        let theirs = match Checkpoint::decode(json.get().as_bytes()) {
            Ok(theirs) => theirs,
            Err(error @ BadCheckpoint::Newer(_)) => {
                return Err(refuse(&format_args!("cannot be read: {error}")));
            }
            // A damaged one is replaced.
            Err(_) => return Ok(()),
        };
        if let Some(stranger) = Owner::stranger(&theirs, saving.checkpoint) {
            return Err(refuse(&format_args!("is now that of {stranger}: {}", Owner::REMEDY)));
        }
        if theirs.saved_ms != saving.began_with_ms {
            let ours = std::mem::take(saving.checkpoint);
            *saving.checkpoint = ours.merged(theirs, saving.lookback_ms);
            saving.checkpoint.saved_ms = saving.checkpoint.saved_ms.max(saving.now_ms);
        }
        Ok(())
    }
}
