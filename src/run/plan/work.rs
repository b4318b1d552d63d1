//! The work of a run, and what counts settle of it. A run that finds nothing new *rests*: it takes no lease and writes nothing, and for the
//! next run it is as if it had not been. The checkpoint that it leaves alone is true all the same, only older.

use super::index::{self, Index};
use super::load::{Loaded, Loader};
use super::quiet::{self, Quiet};
use super::sweep::Sweep;
use super::{Counted, Foot, PlanError, lookback_ms, names, own_path, share};
use crate::checkpoint::{Checkpoint, Owed};
use crate::config::Config;
use crate::openwhisk::api::Api;
use crate::openwhisk::source::Source;
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
    pub(super) feet: Map<String, Foot>,
    /// There is nothing to do and nothing to write.
    pub(super) rests: bool,
    pub(super) index: Index,
}

/// Questions about the work of a run, and what is not waited for of them.
pub(super) struct Asked {
    work: Map<String, Vec<Owed>>,
    times: [u64; 3],
    sweep: Option<Sweep>,
    counts: quiet::Asked,
}

/// Asks about the work that a run at `now_ms` has with this checkpoint, if so many activations there were `lately`. `is_early` before the index is
/// known to be up to date.
pub(super) fn ask(
    api: &Api<'_>,
    config: &Config,
    checkpoint: &Checkpoint,
    lately: Option<u64>,
    now_ms: u64,
    is_early: bool,
) -> Asked {
    let lookback_ms = lookback_ms(config, checkpoint, now_ms);
    let work = all_work(config, checkpoint, now_ms, lookback_ms);
    let recent = now_ms.saturating_sub(lookback_ms);
    let times = [recent, now_ms, lookback_ms];
    let lately = lately.filter(|_| checkpoint.platform.shows_whole(now_ms));
    let sweep = lately.and_then(|lately| Sweep::begin(api, config, checkpoint, &work, [lately, recent]));
    let is_swept = |name: &str, owed: Owed| sweep.as_ref().is_some_and(|sweep| sweep.is_about(name, owed));
    let counts =
        quiet::ask(api, config, checkpoint, &work, times, &|name, owed| !is_swept(name, owed), is_early);
    Asked { work, times, sweep, counts }
}

impl Asked {
    /// Waits for the answers. Returns the work, and what is known of it.
    fn answers(
        self,
        api: &Api<'_>,
        config: &Config,
        checkpoint: &Checkpoint,
    ) -> (Map<String, Vec<Owed>>, Quiet) {
        let Self { work, times, sweep, counts } = self;
        let mut quiet = counts.answers(api);
        if let Some(sweep) = sweep {
            match sweep.settled(api, checkpoint) {
                Some(settled) => quiet.add(settled),
                None => {
                    let is_swept = |name: &str, owed: Owed| sweep.is_about(name, owed);
                    quiet.join(
                        quiet::ask(api, config, checkpoint, &work, times, &is_swept, false).answers(api),
                    );
                }
            }
        }
        (work, quiet)
    }
}

/// Lists the work of a run at `now_ms`, and counts. Takes the lease, unless another run is at work or there is nothing to do.
pub(super) fn counted(loader: &mut Loader<'_>, loaded: &mut Loaded, now_ms: u64) -> Result<Work, PlanError> {
    let (config, api) = (loader.config, loader.api);
    if loaded.occupied.is_some() {
        return Ok(Work::default());
    }
    let index = index::refresh(api, config, loader.context, now_ms).map_err(PlanError::Api)?;
    if index.is_behind {
        api.forget_ahead();
    }
    loaded.checkpoint.platform.note_whole(index.lately.is_some(), now_ms);
    let mut may_rest = loaded.may_rest(now_ms, lookback_ms(config, &loaded.checkpoint, now_ms));
    let mut is_leased = false;
    while loaded.occupied.is_none() {
        loaded.checkpoint.platform.note_whole(index.lately.is_some(), now_ms);
        let asked = ask(api, config, &loaded.checkpoint, index.lately, now_ms, false);
        // A lease that is sure to be needed is written while the counts are on their way.
        if !may_rest && !is_leased {
            is_leased = true;
            if loader.take_lease(loaded)? {
                api.forget_ahead();
                continue;
            }
        }
        let (mut work, mut quiet) = asked.answers(api, config, &loaded.checkpoint);
        may_rest &= !loaded.checkpoint.owes_records() && quiet.is_all_of(&work);
        if !may_rest && !is_leased {
            is_leased = true;
            if loader.take_lease(loaded)? {
                api.forget_ahead();
                continue;
            }
        }
        quiet.tell_apart(api, &mut work);
        let is_silent = |name: &str| quiet.is_silent(name, &work);
        let own_path = own_path(loader.context);
        let strays = names::warnings(api, config, own_path, &mut loaded.checkpoint, is_silent, now_ms);
        loader.warnings.extend(strays);
        let recent = now_ms.saturating_sub(lookback_ms(config, &loaded.checkpoint, now_ms));
        return Ok(Work {
            counted: share::pieces(api, config, &work, &quiet, recent),
            // What was learned about names is kept, which needs no lease.
            rests: may_rest && loaded.is_as_stored(),
            settled: quiet.settled,
            feet: quiet.feet,
            work,
            index,
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
