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

/// A piece is at most this part of what each worker still has to expect when its turn comes: long ones first and short ones last, so that there are
/// few, and none waits long for the end of another.
const PARTS_OF_A_SHARE: u64 = 2;
/// Activations that a piece should have at least: a few pages.
const LEAST: u64 = 500;
/// Activations that a piece should have at most, as there is time for them in one turn; more only where there would be very many pieces.
const MOST: u64 = 10_000;
const MOST_PIECES_A_WORKER: u64 = 16;
/// Times that pieces which turn out to be long are cut again.
const ROUNDS: u32 = 2;

/// New activations of a source, or some of them.
#[derive(Debug, Clone)]
struct Piece {
    source: String,
    /// The API's filter.
    filter: Option<String>,
    range: Range,
    /// How many there are, if the API said so. It only tells where to cut: what it misses is in some piece too.
    count: Option<u64>,
    /// Since when it says so, milliseconds since 1970.
    counted_ms: u64,
    /// How many it should have.
    fair: u64,
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
    for Piece { source, range, count, counted_ms, .. } in pieces {
        by_source.change(source, |ranges| ranges.push(Counted { range, count, counted_ms }));
    }
    for (source, ranges) in by_source.iter_mut() {
        sorted::sort_by_key(ranges, |counted| Reverse(counted.range));
        let work = work.get(source).map_or(&[][..], Vec::as_slice);
        let is_one = |range: Range| work.iter().any(|owed| owed.range.shared_with(range) == Some(range));
        *ranges = joined(std::mem::take(ranges), recent, is_one);
    }
    by_source
}

/// Joins neighbours, newest first, that are short together: where activations are not evenly spread, many pieces have few or none. What is not one part of the
/// work stays apart.
fn joined(pieces: Vec<Counted>, recent: u64, is_one: impl Fn(Range) -> bool) -> Vec<Counted> {
    let mut joined: Vec<Counted> = Vec::new();
    for piece in pieces {
        let both = joined.last().and_then(|newer| {
            let count = newer.count?.checked_add(piece.count?).filter(|count| *count <= LEAST)?;
            let range = Range::new(piece.range.since(), newer.range.upto())?;
            let counted_ms = newer.counted_ms.max(piece.counted_ms);
            let may_join = newer.range.since() != recent && is_one(range);
            may_join.then_some(Counted { range, count: Some(count), counted_ms })
        });
        match (joined.last_mut(), both) {
            (Some(last), Some(both)) => *last = both,
            _ => joined.push(piece),
        }
    }
    joined
}

/// Cuts what is long. What begins before `recent` and ends after it is cut there too: the newer pieces can be worked on at once.
fn shared(api: &Api<'_>, workers: u64, pieces: Vec<Piece>, recent: u64) -> Vec<Piece> {
    let (long, mut done): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(Piece::is_long);
    let mut cut = in_turn(&long, workers, recent);
    count(api, &mut cut, &long);
    for _ in 0..ROUNDS {
        let (long, fitting): (Vec<Piece>, Vec<Piece>) = cut.into_iter().partition(Piece::is_long);
        done.extend(fitting);
        let least = counted(&long) / (workers * MOST_PIECES_A_WORKER);
        cut = long.iter().flat_map(|piece| piece.cut(least)).collect();
        count(api, &mut cut, &long);
    }
    done.extend(cut);
    done
}

/// Pieces in the order in which workers take them, the newest of each source first: each is a part of what is left then, if activations are evenly spread.
fn in_turn(long: &[Piece], workers: u64, recent: u64) -> Vec<Piece> {
    let mut left = counted(long);
    let most = MOST.max(left / (workers * MOST_PIECES_A_WORKER));
    let (mut newer, mut older) = (Vec::new(), Vec::new());
    for piece in long {
        let (old, new) = piece.split(recent);
        older.extend(old);
        newer.extend(new);
    }
    // No worker shall wait for the older ones as long as there is something newer to do.
    let most_newer = (counted(&newer) / workers).clamp(LEAST, most);
    let mut pieces = Vec::new();
    for (mut open, most) in [(newer, most_newer), (older, most)] {
        while !open.is_empty() {
            let take = |piece: Piece| {
                let fair = (left / (workers * PARTS_OF_A_SHARE)).clamp(LEAST, most);
                let (rest, newest) = Piece { fair, ..piece }.newest();
                left = left.saturating_sub(newest.count.unwrap_or_default());
                pieces.push(newest);
                rest
            };
            open = open.into_iter().filter_map(take).collect();
        }
    }
    pieces
}

/// How many activations there are together, as far as the API said so.
fn counted(pieces: &[Piece]) -> u64 {
    pieces.iter().filter_map(|piece| piece.count).fold(0, u64::saturating_add)
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
            let (source, filter) = (name.clone(), source.filter());
            pieces.push(Piece {
                source,
                filter,
                range: *range,
                count,
                counted_ms: quiet.counted_ms,
                fair: LEAST,
            });
        }
    }
    pieces
}

impl Piece {
    fn is_long(&self) -> bool {
        self.count.is_some_and(|count| count > self.fair.saturating_add(self.fair / 2))
            && self.range.length() > 1
    }

    /// What is before `begin` and what is not, if activations are evenly spread.
    fn split(&self, begin: u64) -> (Option<Self>, Option<Self>) {
        let (since, upto) = self.range.into();
        let older = begin.checked_sub(1).and_then(|before| Range::new(since, upto.min(before)));
        let newer = Range::new(since.max(begin), upto);
        let part = |range: Range| {
            let count =
                u128::from(self.count?) * u128::from(range.length()) / u128::from(self.range.length());
            Some(Self { range, count: u64::try_from(count).ok(), ..self.clone() })
        };
        (older.and_then(part), newer.and_then(part))
    }

    /// The newest part with as many as it should have, and the rest, if that is worth it.
    fn newest(self) -> (Option<Self>, Self) {
        let count = self.count.unwrap_or_default();
        if !self.is_long() {
            return (None, self);
        }
        let length = u128::from(self.range.length()) * u128::from(self.fair) / u128::from(count.max(1));
        let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
        let begin = self.range.upto().saturating_sub(length - 1);
        match self.split(begin) {
            (rest, Some(newest)) => (rest, newest),
            (_, None) => (None, self),
        }
    }

    /// Pieces of about as many as it should have, or `least`: where very many start at once, there would be too many pieces.
    fn cut(&self, least: u64) -> Vec<Self> {
        let fair = self.fair.max(least);
        let pieces = self.count.unwrap_or_default().div_ceil(fair);
        let piece = |range| Self { range, count: None, fair, ..self.clone() };
        self.range.cut(pieces).into_iter().map(piece).collect()
    }
}

/// Counts them all at the same time. What cannot be counted is left as it is. Where together they are as many as were counted in the whole that they were cut
/// from, they have been as many since then.
fn count(api: &Api<'_>, pieces: &mut [Piece], wholes: &[Piece]) {
    api.ask_ahead(pieces.iter().map(|piece| Question::Count(piece.filter.as_deref(), piece.range)));
    for piece in &mut *pieces {
        piece.count = api.count_once(piece.filter.as_deref(), piece.range).ok();
    }
    let now_ms = api.now_ms();
    for whole in wholes {
        let is_of = |piece: &Piece| piece.source == whole.source && whole.range.overlaps(piece.range);
        let together = pieces.iter().filter(|piece| is_of(piece)).map(|piece| piece.count);
        let together = together.reduce(|one, other| one?.checked_add(other?)).flatten();
        let counted_ms =
            if together.is_some() && together == whole.count { whole.counted_ms } else { now_ms };
        pieces.iter_mut().filter(|piece| is_of(piece)).for_each(|piece| piece.counted_ms = counted_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Clock, Failure, Http, Ports, Request, Response};
    use crate::testing::{NoReceiver, answer};
    use std::cell::Cell;

    fn piece(since: u64, upto: u64, count: u64) -> Piece {
        let range = Range::new(since, upto).unwrap();
        Piece { source: "a".into(), filter: None, range, count: Some(count), counted_ms: 0, fair: LEAST }
    }

    /// The ranges of the pieces and how many are expected in each, as workers take them.
    fn cut(pieces: Vec<Piece>, workers: u64, recent: u64) -> Vec<((u64, u64), u64)> {
        in_turn(&pieces, workers, recent)
            .into_iter()
            .map(|piece| (piece.range.into(), piece.count.unwrap()))
            .collect()
    }

    #[test]
    fn pieces_are_long_first_and_short_last() {
        let counts: Vec<u64> =
            cut(vec![piece(0, 31_999, 32_000)], 4, 0).into_iter().map(|(_, count)| count).collect();
        assert_eq!(
            counts,
            [
                4000, 3500, 3062, 2679, 2344, 2051, 1795, 1571, 1374, 1203, 1052, 921, 806, 705, 617, 540,
                500, 500, 500, 500, 500, 500, 500, 280,
            ]
        );
    }

    #[test]
    fn none_lies_on_both_sides_of_what_is_recent_and_the_newer_ones_come_first() {
        let ranges: Vec<(u64, u64)> = cut(vec![piece(0, 99, 2_000), piece(0, 99, 2_000)], 8, 60)
            .into_iter()
            .map(|(range, _)| range)
            .collect();
        assert_eq!(ranges, [(75, 99), (75, 99), (60, 74), (60, 74), (35, 59), (35, 59), (0, 34), (0, 34)]);
    }

    #[test]
    fn neighbours_that_are_short_together_are_joined_but_not_over_what_is_recent_nor_two_parts_of_the_work() {
        let joined = |pieces: &[(u64, u64, Option<u64>, u64)], recent: u64, parts: u64| {
            let counted = |&(since, upto, count, counted_ms): &(u64, u64, Option<u64>, u64)| Counted {
                range: Range::new(since, upto).unwrap(),
                count,
                counted_ms,
            };
            let is_one = |range: Range| range.upto() < parts || range.since() >= parts;
            let all = joined(pieces.iter().map(counted).collect(), recent, is_one);
            let plain = |Counted { range, count, counted_ms }: Counted| {
                (range.since(), range.upto(), count, counted_ms)
            };
            all.into_iter().map(plain).collect::<Vec<_>>()
        };
        let short =
            [(30, 39, Some(3), 5), (20, 29, Some(0), 7), (10, 19, Some(LEAST - 3), 6), (0, 9, Some(1), 6)];
        assert_eq!(joined(&short, 0, 0), [(10, 39, Some(LEAST), 7), (0, 9, Some(1), 6)]);
        assert_eq!(joined(&short[..2], 30, 0), &short[..2]);
        assert_eq!(joined(&short[..2], 0, 30), &short[..2]);
        let unknown = [(30, 39, Some(3), 5), (20, 29, None, 7)];
        assert_eq!(joined(&unknown, 0, 0), unknown);
    }

    #[test]
    fn what_starts_in_one_millisecond_stays_together() {
        assert_eq!(cut(vec![piece(7, 7, 90_000)], 4, 0), [((7, 7), 90_000)]);
    }

    #[test]
    fn pieces_are_the_whole_wherever_they_are_cut_and_there_are_not_too_many() {
        for (since, upto, count, recent) in [
            (0, 10, 11_000, 3),
            (5, 1 << 40, 1 << 30, 1 << 39),
            (1, u64::MAX, u64::MAX, 9),
            (0, u64::MAX, 1 << 22, u64::MAX),
        ] {
            let pieces = in_turn(&[piece(since, upto, count)], 4, recent);
            assert!(pieces.len() < 400, "{}", pieces.len());
            let ranges = pieces.into_iter().map(|piece| piece.range);
            assert_eq!(crate::range::union(ranges.collect()), [Range::new(since, upto).unwrap()]);
        }
    }

    /// An API that counts one activation for each of these starts, a second later each time that it is asked.
    struct Starts {
        starts: Vec<u64>,
        now_ms: Cell<u64>,
    }

    impl Http for Starts {
        fn send(&self, request: &Request) -> Result<Response, Failure> {
            self.now_ms.set(self.now_ms.get() + 1_000);
            let number = |key: &str| -> u64 {
                request
                    .target
                    .split(['?', '&'])
                    .find_map(|pair| pair.strip_prefix(key))
                    .unwrap()
                    .parse()
                    .unwrap()
            };
            let range = number("since=")..=number("upto=");
            let count = self.starts.iter().filter(|start| range.contains(start)).count();
            Ok(answer(200, format!(r#"{{"activations":{count}}}"#)))
        }
    }

    impl Clock for Starts {
        fn now_ms(&self) -> u64 {
            self.now_ms.get()
        }
        fn sleep_ms(&self, _: u64) {}
        fn random(&self) -> u64 {
            7
        }
    }

    /// Since when pieces of [0, 9] are known that are counted together with a piece of another action, if the whole was counted at 100.
    fn known_since(starts: &[u64], whole: u64) -> Vec<u64> {
        let clock = Starts { starts: starts.into(), now_ms: Cell::new(100) };
        let api = Api::new(Ports { clock: &clock, http: &clock, transport: &NoReceiver }, u64::MAX);
        let whole = Piece { counted_ms: 100, ..piece(0, 9, whole) };
        let other = Piece { source: "b".into(), ..piece(0, 9, 50) };
        let mut pieces = vec![piece(0, 4, 0), other.clone(), piece(5, 9, 0)];
        count(&api, &mut pieces, &[whole, other]);
        pieces.into_iter().filter(|piece| piece.source == "a").map(|piece| piece.counted_ms).collect()
    }

    #[test]
    fn pieces_that_are_together_as_many_as_the_whole_was_have_been_so_since_then() {
        assert_eq!(known_since(&[1, 2, 7], 3), [100, 100]);
        assert_eq!(known_since(&[1, 2, 7], 2), [3_100, 3_100], "one came since");
        assert_eq!(known_since(&[1, 2], 3), [3_100, 3_100], "one went, or the index is older");
    }
}
