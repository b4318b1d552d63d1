//! The work of a run, and what counts settle of it. A run that finds nothing new *rests*: it takes no lease and writes nothing, and for the
//! next run it is as if it had not been. The checkpoint that it leaves alone is true all the same, only older.

use super::load::{Loaded, Loader};
use super::sweep::{self, Sweep};
use super::{Counted, PlanError, lookback_ms, names, own_path, quiet, share};
use crate::checkpoint::{Checkpoint, Owed};
use crate::config::Config;
use crate::openwhisk::api::Api;
use crate::openwhisk::source::Source;
use crate::ports::Failure;
use crate::range::Range;
use crate::sorted::Map;

/// The work of a run, by source.
#[derive(Default)]
pub(super) struct Work {
    pub(super) work: Map<String, Vec<Owed>>,
    /// What of it is done already, as there is nothing in it.
    pub(super) settled: Map<String, Vec<Owed>>,
    /// What was counted of it.
    pub(super) counted: Map<String, Vec<Counted>>,
    /// There is nothing to do and nothing to write.
    pub(super) rests: bool,
}

/// Lists the work of a run at `now_ms`, and counts. Takes the lease, unless another run is at work or there is nothing to do.
pub(super) fn counted(loader: &mut Loader<'_>, loaded: &mut Loaded, now_ms: u64) -> Result<Work, PlanError> {
    let (config, api) = (loader.config, loader.api);
    let sample = match loaded.occupied {
        None => refresh_index(api, config, now_ms).map_err(PlanError::Api)?,
        Some(_) => None,
    };
    let shows_whole = loaded.checkpoint.platform.shows_whole(now_ms);
    loaded.checkpoint.platform.note_whole(sample.is_some(), now_ms);
    let mut may_rest = loaded.may_rest(now_ms, lookback_ms(config, &loaded.checkpoint, now_ms));
    let mut is_leased = false;
    while loaded.occupied.is_none() {
        loaded.checkpoint.platform.note_whole(sample.is_some(), now_ms);
        let lookback_ms = lookback_ms(config, &loaded.checkpoint, now_ms);
        let work = all_work(config, &loaded.checkpoint, now_ms, lookback_ms);
        let recent = now_ms.saturating_sub(lookback_ms);
        let times = [recent, now_ms, lookback_ms];
        let sample = sample.filter(|_| shows_whole);
        let sweep =
            sample.and_then(|sample| Sweep::begin(api, config, &loaded.checkpoint, &work, [sample, recent]));
        let is_swept =
            |name: &str, owed: Owed| sweep.as_ref().is_some_and(|sweep| sweep.is_about(name, owed));
        let asked =
            quiet::ask(api, config, &loaded.checkpoint, &work, times, &|name, owed| !is_swept(name, owed));
        // A lease that is sure to be needed is written while the counts are on their way.
        if !may_rest && !is_leased {
            is_leased = true;
            if loader.take_lease(loaded)? {
                continue;
            }
        }
        let mut quiet = asked.answers(api);
        if let Some(sweep) = &sweep {
            match sweep.settled(api, &loaded.checkpoint) {
                Some(settled) => quiet.add(settled),
                None => {
                    let asked = quiet::ask(api, config, &loaded.checkpoint, &work, times, &is_swept);
                    quiet.join(asked.answers(api));
                }
            }
        }
        may_rest &= !loaded.checkpoint.owes_records() && quiet.is_all_of(&work);
        if !may_rest && !is_leased {
            is_leased = true;
            if loader.take_lease(loaded)? {
                continue;
            }
        }
        quiet.tell_apart(api);
        let is_silent = |name: &str| quiet.is_silent(name, &work);
        let own_path = own_path(loader.context);
        let strays = names::warnings(api, config, own_path, &mut loaded.checkpoint, is_silent, now_ms);
        loader.warnings.extend(strays);
        return Ok(Work {
            counted: share::pieces(api, config, &work, &quiet, recent),
            // What was learned about names is kept, which needs no lease.
            rests: may_rest && loaded.is_as_stored(),
            settled: quiet.settled,
            work,
        });
    }
    Ok(Work::default())
}

fn all_work(
    config: &Config,
    checkpoint: &Checkpoint,
    now_ms: u64,
    lookback_ms: u64,
) -> Map<String, Vec<Owed>> {
    let names = config.sources.iter().map(Source::name);
    let wanted = Range::new(0, config.to.unwrap_or(u64::MAX));
    let within = |owed: Owed| Some(Owed { range: owed.range.shared_with(wanted?)?, ..owed });
    let work = |name: &String| {
        let all = checkpoint.sources.get(name).map(|state| state.work(now_ms, lookback_ms));
        all.into_iter().flatten().filter_map(within).collect()
    };
    names.map(|name| (name.clone(), work(&name))).collect()
}

/// Asks for a count and forgets it: list and count may show the index as of the question before, which can be hours old, and only then
/// bring it up to date (docs/facts/openwhisk.md 1.7). What is asked from now on shows what was visible when the run began. Returns how many
/// activations there were lately in the whole namespace, if it is of use to know: that has an index of its own.
fn refresh_index(api: &Api<'_>, config: &Config, now_ms: u64) -> Result<Option<u64>, Failure> {
    let Some(now) = Range::new(now_ms, now_ms) else { return Ok(None) };
    let mut refused = None;
    for source in &config.sources {
        match api.refresh(source.filter().as_deref(), now) {
            Ok(()) => {
                let sample = sweep::sample(config, now_ms);
                return Ok(sample.and_then(|sample| api.count_once(None, sample).ok()));
            }
            // One action's trouble is not that of the others.
            Err(failure) => refused.get_or_insert(failure),
        };
    }
    refused.map_or(Ok(None), Err)
}
