//! What counts can settle before anything is listed. In most minutes most actions have nothing new, and all counts can be asked for at the same
//! time: a run in which nothing happened then takes a few round trips, whatever the number of actions.

use crate::checkpoint::{Checkpoint, Owed, Part};
use crate::config::Config;
use crate::openwhisk::api::{Api, Question};
use crate::range::Range;
use crate::sorted::Map;

/// Counts that were asked for and not waited for.
pub(super) struct Asked(Vec<Wanted>);

struct Wanted {
    source: String,
    /// The API's filter.
    filter: Option<String>,
    owed: Owed,
    /// What is counted for it, and the count that says that there is nothing to do, if one can.
    range: Range,
    nothing: Option<u64>,
}

/// What counts told before anything was listed, by source.
pub(super) struct Quiet {
    /// The parts of the work in which there is nothing to do.
    pub(super) settled: Map<String, Vec<Owed>>,
    /// Ranges of new activations, and how many there are.
    pub(super) new: Map<(String, Range), u64>,
}

/// Asks for the counts of all of `work` that tell something: of what is asked in every run, which is the time since the last one and the look-back, and of what settles,
/// whether there is anything to do; of what is new but begins before `recent`, or is to be shared among workers, how much there is.
pub(super) fn ask(
    api: &Api<'_>,
    config: &Config,
    checkpoint: &Checkpoint,
    work: &Map<String, Vec<Owed>>,
    [recent, now_ms, lookback_ms]: [u64; 3],
) -> Asked {
    let shared = config.output.workers() > 1;
    let mut wanted: Vec<Wanted> = Vec::new();
    for source in &config.sources {
        let name = source.name();
        let Some(state) = checkpoint.sources.get(&name) else { continue };
        for owed in work.get(&name).into_iter().flatten() {
            let range = owed.range;
            let count = match owed.part {
                Part::Fresh if range.since() >= recent => Some((range, Some(0))),
                // A gap, or a backlog: it has something in it.
                Part::Fresh if shared || range.upto() > state.complete_until => Some((range, None)),
                Part::Fresh => None,
                Part::Record => None,
                Part::Lookback | Part::Settling => {
                    let exact = state.must_compare_all_of(range, now_ms, lookback_ms);
                    state.seen.expected_count(range, exact).map(|(range, known)| (range, Some(known)))
                }
            };
            wanted.extend(count.map(|(range, nothing)| Wanted {
                source: name.clone(),
                filter: source.filter(),
                owed: *owed,
                range,
                nothing,
            }));
        }
    }
    api.ask_ahead(wanted.iter().map(|wanted| Question::Count(wanted.filter.as_deref(), wanted.range)));
    Asked(wanted)
}

impl Asked {
    /// Waits for the answers. Whatever they do not settle is left to a slice, and so is a count that failed.
    pub(super) fn answers(self, api: &Api<'_>) -> Quiet {
        let mut quiet = Quiet { settled: Map::new(), new: Map::new() };
        for Wanted { source, filter, owed, range, nothing } in self.0 {
            let Ok(count) = api.count_once(filter.as_deref(), range) else { continue };
            if Some(count) == nothing {
                quiet.settled.change(source, |settled| settled.push(owed));
            } else if owed.part == Part::Fresh {
                quiet.new.insert((source, range), count);
            }
        }
        quiet
    }
}

impl Quiet {
    /// Whether nothing new has come for the source `name`, in the `work` that was counted.
    pub(super) fn is_silent(&self, name: &str, work: &Map<String, Vec<Owed>>) -> bool {
        let done = self.settled.get(name).map_or(&[][..], Vec::as_slice);
        let is_empty =
            |owed: &Owed| done.contains(owed) || self.new.get(&(name.to_owned(), owed.range)) == Some(&0);
        work.get(name).is_some_and(|work| work.iter().all(|owed| owed.part != Part::Fresh || is_empty(owed)))
    }
}
