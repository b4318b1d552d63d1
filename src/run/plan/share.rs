//! Cutting what is long into pieces, so that every worker has its share: one busy action, or the pattern for a whole namespace, would
//! otherwise keep one worker busy and leave the others idle.

use super::Counted;
use super::quiet::Quiet;
use crate::checkpoint::{Owed, Part};
use crate::config::Config;
use crate::openwhisk::api::{Api, Question};
use crate::range::Range;
use crate::sorted::{self, Map};
use std::cmp::Reverse;

/// Pieces for each worker: enough that none waits long for the last, and few enough that their ends cost little.
const PIECES_A_WORKER: u64 = 8;
/// Activations that a piece should have at least: a few pages.
const LEAST: u64 = 1_000;
/// Times that pieces which turn out to be long are cut again.
const ROUNDS: u32 = 3;

/// New activations of a source, or some of them.
struct Piece {
    source: String,
    /// The API's filter.
    filter: Option<String>,
    range: Range,
    /// How many there are, if the API said so. It only tells where to cut: what it misses is in some piece too.
    count: Option<u64>,
}

/// All ranges of new activations in `work`, newest first, by source; those that are long in pieces, if there are several workers.
pub(super) fn pieces(
    api: &Api<'_>,
    config: &Config,
    work: &Map<String, Vec<Owed>>,
    quiet: &Quiet,
    recent: u64,
) -> Map<String, Vec<Counted>> {
    let workers = u64::from(config.output.workers());
    let mut pieces = new_activations(config, work, quiet);
    if workers > 1 {
        pieces = shared(api, workers, pieces, recent);
    }
    let mut by_source: Map<String, Vec<Counted>> = Map::new();
    for Piece { source, range, count, .. } in pieces {
        by_source.change(source, |ranges| ranges.push(Counted { range, count }));
    }
    by_source.values_mut().for_each(|ranges| sorted::sort_by_key(ranges, |counted| Reverse(counted.range)));
    by_source
}

/// Cuts what is long. What begins before `recent` and ends after it is cut there too: the newer pieces can be worked on at once.
fn shared(api: &Api<'_>, workers: u64, mut pieces: Vec<Piece>, recent: u64) -> Vec<Piece> {
    let total: u64 = pieces.iter().filter_map(|piece| piece.count).sum();
    let fair = (total / (workers * PIECES_A_WORKER)).max(LEAST);
    let is_long =
        |piece: &Piece| piece.count.is_some_and(|count| count > fair + fair / 2) && piece.range.length() > 1;
    for _ in 0..ROUNDS {
        let (long, rest): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(is_long);
        let mut cut: Vec<Piece> = long.iter().flat_map(|piece| piece.cut(fair, recent)).collect();
        count(api, &mut cut);
        pieces = rest;
        pieces.extend(cut);
    }
    pieces
}

fn new_activations(config: &Config, work: &Map<String, Vec<Owed>>, quiet: &Quiet) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for source in &config.sources {
        let name = source.name();
        let settled = quiet.settled.get(&name);
        let is_open =
            |owed: &&Owed| owed.part == Part::Fresh && settled.is_none_or(|settled| !settled.contains(owed));
        for Owed { range, .. } in work.get(&name).into_iter().flatten().filter(is_open) {
            let count = quiet.new.get(&(name.clone(), *range)).copied();
            pieces.push(Piece { source: name.clone(), filter: source.filter(), range: *range, count });
        }
    }
    pieces
}

impl Piece {
    /// Pieces of about `fair` activations, if they are evenly spread; none begins before `recent` and ends after it.
    fn cut(&self, fair: u64, recent: u64) -> Vec<Self> {
        let (since, upto) = self.range.into();
        let older = recent.checked_sub(1).and_then(|before| Range::new(since, before));
        let sides = match (older, Range::new(recent, upto)) {
            (Some(older), Some(newer)) => vec![older, newer],
            _ => vec![self.range],
        };
        let length = self.range.length() / self.count.unwrap_or_default().div_ceil(fair).max(1);
        let ranges = sides.into_iter().flat_map(|side| side.cut(side.length().div_ceil(length.max(1))));
        let piece =
            |range| Self { source: self.source.clone(), filter: self.filter.clone(), range, count: None };
        ranges.map(piece).collect()
    }
}

/// Counts them all at the same time. What cannot be counted is left as it is.
fn count(api: &Api<'_>, pieces: &mut [Piece]) {
    api.ask_ahead(pieces.iter().map(|piece| Question::Count(piece.filter.as_deref(), piece.range)));
    for piece in pieces {
        piece.count = api.count_once(piece.filter.as_deref(), piece.range).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(since: u64, upto: u64, count: u64) -> Piece {
        let range = Range::new(since, upto).unwrap();
        Piece { source: "a".into(), filter: None, range, count: Some(count) }
    }

    fn cut(since: u64, upto: u64, count: u64, recent: u64) -> Vec<(u64, u64)> {
        piece(since, upto, count).cut(1_000, recent).into_iter().map(|piece| piece.range.into()).collect()
    }

    #[test]
    fn pieces_are_as_long_as_their_fair_share_and_none_lies_on_both_sides_of_what_is_recent() {
        assert_eq!(cut(0, 99, 4_000, 1_000), [(0, 24), (25, 49), (50, 74), (75, 99)]);
        assert_eq!(cut(0, 99, 4_000, 60), [(0, 19), (20, 39), (40, 59), (60, 79), (80, 99)]);
        assert_eq!(cut(50, 99, 1_600, 50), [(50, 74), (75, 99)]);
        assert_eq!(cut(7, 7, 90_000, 0), [(7, 7)], "what starts in one millisecond stays together");
    }

    #[test]
    fn pieces_are_the_whole_wherever_they_are_cut() {
        for (since, upto, count, recent) in
            [(0, 10, 11_000, 3), (5, 1 << 40, 1 << 30, 1 << 39), (1, u64::MAX, 1 << 22, 9)]
        {
            let pieces = piece(since, upto, count).cut(1 << 20, recent).into_iter().map(|piece| piece.range);
            assert_eq!(crate::range::union(pieces.collect()), [Range::new(since, upto).unwrap()]);
        }
    }
}
