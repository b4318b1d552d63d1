//! What counts can settle before anything is listed. In most minutes most actions have nothing new, and all counts can be asked for at the same
//! time: a run in which nothing happened then takes a few round trips, whatever the number of actions.

use super::near::{self, Foot, Near};
use crate::checkpoint::{Checkpoint, Owed, Part, SourceState};
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
    /// The look-back just before it, if one count is about both.
    late: Option<Late>,
    /// The count is about that look-back alone, as something is sure to be new.
    is_busy: bool,
}

/// A look-back, what is counted for it, and how many are known there.
struct Late {
    owed: Owed,
    range: Range,
    known: u64,
    foot: Option<Foot>,
    /// Its near parts, the shortest last.
    near: Vec<Near>,
}

/// A source in which there is something to do.
struct Open {
    source: String,
    filter: Option<String>,
    fresh: Owed,
    late: Late,
    /// The count of what is new and of its look-back, if there was one; later that of the look-back.
    count: u64,
}

/// What counts told before anything was listed, by source.
pub(super) struct Quiet {
    /// The parts of the work in which there is nothing to do.
    pub(super) settled: Map<String, Vec<Owed>>,
    /// Ranges of new activations, and how many there are.
    pub(super) new: Map<(String, Range), u64>,
    /// When all this was known, milliseconds since 1970.
    pub(super) counted_ms: u64,
    /// Feet of the lists of what is new.
    pub(super) feet: Map<String, Foot>,
    /// Sources whose look-back is being counted alone.
    open: Vec<Open>,
    /// Sources whose look-back is being counted without its near part, as something is late.
    near: Vec<Open>,
}

/// Asks for the counts of all of `work` that is wanted and that tell something: of what is asked in every run, which is the time since the last one and the look-back, and of what settles,
/// whether there is anything to do; of what is new but begins before `recent`, or is to be shared among workers, how much there is.
pub(super) fn ask(
    api: &Api<'_>,
    config: &Config,
    checkpoint: &Checkpoint,
    work: &Map<String, Vec<Owed>>,
    [recent, now_ms, lookback_ms]: [u64; 3],
    is_wanted: &dyn Fn(&str, Owed) -> bool,
    is_early: bool,
) -> Asked {
    let shared = config.output.workers() > 1;
    let mut wanted: Vec<Wanted> = Vec::new();
    for source in &config.sources {
        let name = source.name();
        let Some(state) = checkpoint.sources.get(&name) else { continue };
        let mut own: Vec<Wanted> = Vec::new();
        for owed in work.get(&name).into_iter().flatten().filter(|owed| is_wanted(&name, **owed)) {
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
            let Some((range, nothing)) = count else { continue };
            let next = Wanted {
                source: name.clone(),
                filter: source.filter(),
                owed: *owed,
                range,
                nothing,
                late: None,
                is_busy: false,
            };
            match own.last_mut() {
                Some(fresh) if fresh.can_be_counted_with(&next, state) => {
                    fresh.count_with(&next, state, recent);
                }
                _ => own.push(next),
            }
        }
        // Its look-back has one count, which shows what there was when the run began; and the run has work in any case.
        wanted.extend(own.into_iter().filter(|own| !(is_early && own.is_busy)));
    }
    api.ask_ahead(wanted.iter().map(|wanted| Question::Count(wanted.filter.as_deref(), wanted.range)));
    Asked(wanted)
}

impl Wanted {
    /// Whether one count can tell that there is nothing to do both here, in what is new, and in the look-back just before it. A record that was
    /// deleted makes up for a new one; where the platform is known to delete as early, each is counted alone.
    fn can_be_counted_with(&self, late: &Self, state: &SourceState) -> bool {
        let (new, before) = (self.owed.range, late.owed.range);
        let parts = (self.owed.part, late.owed.part) == (Part::Fresh, Part::Lookback);
        parts
            && self.nothing == Some(0)
            && before.upto().checked_add(1) == Some(new.since())
            && late.range.upto() == before.upto()
            && state.seen.count(new) == 0
            && state.seen.gone(late.range).next().is_none()
    }

    /// Counts both; or only what is late, if something is sure to be new.
    fn count_with(&mut self, late: &Self, state: &SourceState, recent: u64) {
        let new = self.owed.range;
        self.is_busy = near::busy(state, new).is_some();
        let since = late.range.since();
        let range = if self.is_busy { Some(late.range) } else { Range::new(since, new.upto()) };
        let Some((range, known)) = range.zip(late.nothing) else { return };
        (self.range, self.nothing) = (range, Some(known));
        self.late = Some(Late {
            owed: late.owed,
            range: late.range,
            known,
            foot: near::foot(state, late.owed.range),
            near: Near::of(state, late.owed.range, new, recent),
        });
    }
}

impl Asked {
    /// Waits for the answers. Whatever they do not settle is left to a slice, and so is a count that failed. Where a count of two parts tells that
    /// there is something to do, the look-back is being counted alone from now on; where that has something late, without its near part.
    pub(super) fn answers(self, api: &Api<'_>) -> Quiet {
        let mut quiet = Quiet {
            settled: Map::new(),
            new: Map::new(),
            counted_ms: 0,
            feet: Map::new(),
            open: Vec::new(),
            near: Vec::new(),
        };
        for Wanted { source, filter, owed, range, nothing, late, is_busy } in self.0 {
            let Ok(count) = api.count_once(filter.as_deref(), range) else { continue };
            match late {
                Some(late) if is_busy => {
                    quiet.note_late(Open { source, filter, fresh: owed, late, count });
                }
                late if Some(count) == nothing => quiet.settled.change(source, |settled| {
                    settled.push(owed);
                    settled.extend(late.map(|late| late.owed));
                }),
                Some(late) => quiet.open.push(Open { source, filter, fresh: owed, late, count }),
                None if owed.part == Part::Fresh => {
                    quiet.new.insert((source, range), count);
                }
                None => {}
            }
        }
        let alone = quiet.open.iter().map(|open| Question::Count(open.filter.as_deref(), open.late.range));
        api.ask_ahead(alone.chain(quiet.near_questions()));
        quiet.counted_ms = api.now_ms();
        quiet
    }
}

impl Quiet {
    /// Waits for the counts of look-backs alone. What was counted beside them is new; that only says where a list is likely to end, as the index may
    /// move between two counts. Where all that is late may be in the near part, that goes over from the look-back to what is new in `work`.
    pub(super) fn tell_apart(&mut self, api: &Api<'_>, work: &mut Map<String, Vec<Owed>>) {
        for open in std::mem::take(&mut self.open) {
            let Ok(alone) = api.count_once(open.filter.as_deref(), open.late.range) else { continue };
            let new = open.count.checked_sub(alone);
            if let Some(new) = new {
                self.new.insert((open.source.clone(), open.fresh.range), new);
            }
            if new.is_none_or(near::is_little) {
                self.note_late(Open { count: alone, ..open });
            } else if alone == open.late.known {
                self.settled.change(open.source, |settled| settled.push(open.late.owed));
            }
        }
        while !self.near.is_empty() {
            api.ask_ahead(self.near_questions());
            for mut open in std::mem::take(&mut self.near) {
                let Some(near) = open.late.near.pop() else { continue };
                if api.count_once(open.filter.as_deref(), near.counted).ok() == Some(near.known) {
                    self.move_near(&open, &near, work);
                } else {
                    self.near.push(open);
                }
            }
        }
    }

    /// The near part goes over from the look-back to what is new.
    fn move_near(&mut self, open: &Open, near: &Near, work: &mut Map<String, Vec<Owed>>) {
        let Open { source, fresh, late, count, .. } = open;
        let foot = near.foot(late.owed.range.upto(), count.saturating_sub(late.known));
        let Some((foot, parts)) = foot.zip(work.get_mut(source)) else { return };
        for owed in parts {
            if owed == fresh {
                owed.range = foot.range(fresh.range).unwrap_or(fresh.range);
            } else if *owed == late.owed {
                owed.range = near.before;
                self.settled.change(source.clone(), |settled| settled.push(*owed));
            }
        }
        self.feet.insert(source.clone(), foot);
    }

    /// Takes in the count of a look-back alone.
    fn note_late(&mut self, open: Open) {
        let Open { source, late, count, .. } = &open;
        if let Some(foot) = late.foot {
            self.feet.insert(source.clone(), foot);
        }
        if *count == late.known {
            self.settled.change(source.clone(), |settled| settled.push(late.owed));
        } else if *count > late.known {
            self.near.push(open);
        }
    }

    fn near_questions(&self) -> impl Iterator<Item = Question<'_>> {
        self.near.iter().filter_map(|open| {
            let near = open.late.near.last()?;
            Some(Question::Count(open.filter.as_deref(), near.counted))
        })
    }

    /// Adds parts in which there is nothing to do.
    pub(super) fn add(&mut self, settled: Map<String, Vec<Owed>>) {
        for (source, parts) in settled {
            self.settled.change(source, |known| known.extend(parts));
        }
    }

    /// Adds the answers about other parts.
    pub(super) fn join(&mut self, other: Self) {
        self.add(other.settled);
        self.open.extend(other.open);
        self.counted_ms = self.counted_ms.max(other.counted_ms);
        self.near.extend(other.near);
        for (source, foot) in other.feet {
            self.feet.insert(source, foot);
        }
        for (part, count) in other.new {
            self.new.insert(part, count);
        }
    }

    /// Whether counts have settled all of `work`.
    pub(super) fn is_all_of(&self, work: &Map<String, Vec<Owed>>) -> bool {
        let done = |name: &String| self.settled.get(name).map_or(&[][..], Vec::as_slice);
        work.iter().all(|(name, work)| work.iter().all(|owed| done(name).contains(owed)))
    }

    /// Whether nothing new has come for the source `name`, in the `work` that was counted.
    pub(super) fn is_silent(&self, name: &str, work: &Map<String, Vec<Owed>>) -> bool {
        let done = self.settled.get(name).map_or(&[][..], Vec::as_slice);
        let is_empty =
            |owed: &Owed| done.contains(owed) || self.new.get(&(name.to_owned(), owed.range)) == Some(&0);
        work.get(name).is_some_and(|work| work.iter().all(|owed| owed.part != Part::Fresh || is_empty(owed)))
    }
}
