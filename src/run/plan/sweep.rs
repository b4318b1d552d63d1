//! One list in the place of many counts. Where many actions are monitored and little runs, the summaries of the whole namespace since the begin
//! of the look-back fit into a page or a few, and tell of each action what a count and a comparison tell.

use crate::checkpoint::{Checkpoint, Owed, Part, SourceState};
use crate::config::Config;
use crate::openwhisk::api::{Api, Question};
use crate::openwhisk::fetch::{OverlapFilter, Visited, Walk};
use crate::openwhisk::record::{Record, Summary};
use crate::openwhisk::source::Source;
use crate::ports::Failure;
use crate::range::Range;
use crate::sorted::Map;
use std::collections::HashSet;

/// Fewest actions for which it is worth while.
const FEWEST: usize = 4;
/// So many rows, some 4 KB, are read in the place of one count, and so many at most: two pages.
const ROWS_A_COUNT: u64 = 8;
const MOST_ROWS: u64 = 400;
/// The time whose activations are counted first, to know how much there is, in milliseconds.
const SAMPLE_MS: u64 = 30 * 60_000;

/// The activations of the whole namespace that a run counts first, so that it knows how much there is; none if there are few actions.
pub(super) fn sample(config: &Config, now_ms: u64) -> Option<Range> {
    let sample = Range::new(now_ms.saturating_sub(SAMPLE_MS), now_ms);
    sample.filter(|_| config.sources.len() >= FEWEST)
}

/// A list that was asked for and not waited for.
pub(super) struct Sweep {
    range: Range,
    most_rows: u64,
    parts: Vec<Swept>,
}

/// A part of the work that the list tells of.
struct Swept {
    source: String,
    owed: Owed,
}

/// The rows of the list.
#[derive(Default)]
struct Rows {
    all: HashSet<Summary>,
    /// By simple name.
    named: Map<String, Vec<Summary>>,
    /// Those that nothing tells the name of.
    unnamed: Vec<Summary>,
}

impl Sweep {
    /// Asks for the list of all that the newest parts of `work` are about, unless counts are cheaper; `sample` activations were counted lately.
    pub(super) fn begin(
        api: &Api<'_>,
        config: &Config,
        checkpoint: &Checkpoint,
        work: &Map<String, Vec<Owed>>,
        [sample, recent]: [u64; 2],
    ) -> Option<Self> {
        let mut parts: Vec<Swept> = Vec::new();
        for source in &config.sources {
            let Source::Action(action) = source else { return None };
            let name = action.name();
            let state = checkpoint.sources.get(&name)?;
            let newest = newest(work.get(&name).map_or(&[][..], Vec::as_slice), recent);
            // Of a digest, a list does not tell which activations it is about.
            let is_exact = |owed: &&Owed| state.seen.digests_in(owed.range).next().is_none();
            let own = newest.iter().filter(is_exact).map(|owed| Swept { source: name.clone(), owed: *owed });
            parts.extend(own);
        }
        let since = parts.iter().map(|part| part.owed.range.since()).min()?;
        let upto = parts.iter().map(|part| part.owed.range.upto()).max()?;
        let range = Range::new(since, upto)?;
        let counts = parts.len() as u64 / 2;
        let most_rows = (counts * ROWS_A_COUNT).min(MOST_ROWS);
        let expected = sample.saturating_mul(range.length().div_ceil(SAMPLE_MS));
        if counts < FEWEST as u64 || expected > most_rows {
            return None;
        }
        api.ask_ahead([Question::Count(None, range)]);
        api.list_ahead(Walk::new(api, None, false).first(range));
        Some(Self { range, most_rows, parts })
    }

    /// Whether it tells of this part.
    pub(super) fn is_about(&self, source: &str, owed: Owed) -> bool {
        self.parts.iter().any(|part| part.source == source && part.owed == owed)
    }

    /// Reads the list. Returns the parts in which there is nothing to do, by source; nothing, if the list does not show what was counted, or shows
    /// what cannot be told apart.
    pub(super) fn settled(&self, api: &Api<'_>, checkpoint: &Checkpoint) -> Option<Map<String, Vec<Owed>>> {
        let rows = self.rows(api).ok().flatten()?;
        let mut settled: Map<String, Vec<Owed>> = Map::new();
        for Swept { source, owed } in &self.parts {
            let state = checkpoint.sources.get(source)?;
            if rows.show_nothing_new(source, owed.range, state) {
                settled.change(source.clone(), |settled| settled.push(*owed));
            }
        }
        Some(settled)
    }

    fn rows(&self, api: &Api<'_>) -> Result<Option<Rows>, Failure> {
        let count = api.count_once(None, self.range)?;
        if count > self.most_rows {
            return Ok(None);
        }
        let (mut rows, mut edge, mut is_sound) = (Rows::default(), OverlapFilter::default(), true);
        let walked = Walk::new(api, None, false).expecting(Some(count)).over(self.range, |row| {
            let summary = Summary::parse(row.json).ok();
            match summary.zip(Record::parse(row.json).ok()) {
                Some((summary, record)) if edge.first_time(summary) => rows.add(summary, &record),
                Some(_) => {}
                None => is_sound = false,
            }
            Visited { summary, go_on: is_sound && rows.all.len() as u64 <= count }
        });
        walked.failure.map_or(Ok(()), Err)?;
        let is_whole = is_sound && walked.reached.is_none() && rows.all.len() as u64 == count;
        Ok(is_whole.then_some(rows))
    }
}

/// What is new, and the look-back just before it.
fn newest(work: &[Owed], recent: u64) -> &[Owed] {
    match work {
        [fresh, late, ..]
            if (fresh.part, late.part) == (Part::Fresh, Part::Lookback)
                && fresh.range.since() >= recent
                && late.range.upto().checked_add(1) == Some(fresh.range.since()) =>
        {
            work.get(..2).unwrap_or_default()
        }
        _ => &[],
    }
}

impl Rows {
    fn add(&mut self, summary: Summary, record: &Record<'_>) {
        self.all.insert(summary);
        match record.is_unnamed {
            true => self.unnamed.push(summary),
            false => self.named.change(record.name.to_string(), |rows| rows.push(summary)),
        }
    }

    /// Whether all that `source` may have in `range` is known, and all that is known is there. An action's name without its package may be that of
    /// others too; then something seems new that a count knows better.
    fn show_nothing_new(&self, source: &str, range: Range, state: &SourceState) -> bool {
        let simple = source.rsplit('/').next().unwrap_or(source);
        let named = self.named.get(simple).map_or(&[][..], Vec::as_slice);
        let mut own = named.iter().chain(&self.unnamed).filter(|row| range.contains(row.start));
        own.all(|row| state.seen.contains(*row))
            && state.seen.listed(range).all(|known| self.all.contains(&known))
            && state.seen.gone(range).all(|gone| !self.all.contains(&gone))
    }
}
