//! The order of receivers: all of them in turn, then a pause that doubles with every round.

/// Rounds through all receivers without an acknowledgement, after which a run gives up. The next run tries again, and a function that only
/// waits costs as much.
const ROUNDS: u32 = 3;

/// Pauses between rounds, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first one.
    pub init_ms: u64,
    /// The longest one.
    pub max_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { init_ms: 1_000, max_ms: 60_000 }
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// Try the next receiver after so many milliseconds.
    After(u64),
    /// All were tried often enough.
    Never,
}

#[derive(Debug)]
struct Candidate {
    /// Its place in the configuration.
    receiver: usize,
    name: String,
    /// Why it failed last.
    failure: Option<String>,
    /// It will not do better in this run.
    lost: bool,
    /// Another one got the lines after it had failed.
    passed_over: bool,
}

/// The receivers, in the order in which they are tried.
#[derive(Debug)]
pub(super) struct Rotation {
    candidates: Vec<Candidate>,
    at: usize,
    /// Failures in this round.
    failed: usize,
    rounds: u32,
    /// Receivers that were passed over, and why; each once.
    passed_over: Vec<(String, String)>,
    backoff: Backoff,
    random: Random,
}

impl Candidate {
    fn new(receiver: usize, name: String) -> Self {
        Self { receiver, name, failure: None, lost: false, passed_over: false }
    }

    /// Why it failed last, with its name.
    fn told(&self) -> Option<String> {
        let failure = self.failure.as_ref()?;
        // What a host says of a receiver begins with its name.
        let named = failure.starts_with(&format!("{}: ", self.name));
        Some(if named { failure.clone() } else { format!("{}: {failure}", self.name) })
    }
}

impl Rotation {
    /// All receivers, shuffled; `receiver_offset` says which comes first, so that workers which share the load begin with different ones.
    pub(super) fn new(
        names: Vec<String>,
        backoff: Backoff,
        receiver_offset: Option<usize>,
        seed: u64,
    ) -> Self {
        let mut random = Random(seed);
        let names = names.into_iter().enumerate();
        let mut candidates: Vec<Candidate> =
            names.map(|(receiver, name)| Candidate::new(receiver, name)).collect();
        match receiver_offset {
            Some(receiver_offset) => {
                let count = candidates.len().max(1);
                candidates.rotate_left(receiver_offset % count);
            }
            None => {
                for last in (1..candidates.len()).rev() {
                    candidates.swap(last, random.below(last as u64 + 1) as usize);
                }
            }
        }
        Self { candidates, at: 0, failed: 0, rounds: 0, passed_over: Vec::new(), backoff, random }
    }

    /// The receiver to try, by its place in the configuration.
    pub(super) fn receiver(&self) -> usize {
        self.candidates.get(self.at).map_or(0, |candidate| candidate.receiver)
    }

    /// Whether there is another one to go to.
    pub(super) fn has_others(&self) -> bool {
        self.candidates.iter().filter(|candidate| !candidate.lost).count() > 1
    }

    /// The receiver has acknowledged something.
    pub(super) fn succeeded(&mut self) {
        (self.failed, self.rounds) = (0, 0);
        for (index, candidate) in self.candidates.iter_mut().enumerate() {
            if let Some(told) = candidate.told().filter(|_| index != self.at && !candidate.passed_over) {
                candidate.passed_over = true;
                self.passed_over.push((candidate.name.clone(), told));
            }
        }
        self.candidates
            .iter_mut()
            .filter(|candidate| !candidate.lost)
            .for_each(|candidate| candidate.failure = None);
    }

    /// Receivers that have failed before another one acknowledged something, since the last call: each with the reason, once.
    pub(super) fn take_passed_over(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.passed_over)
    }

    /// Notes why the receiver failed, without consequences.
    pub(super) fn note(&mut self, message: &str) {
        if let Some(candidate) = self.candidates.get_mut(self.at) {
            candidate.failure = Some(message.into());
        }
    }

    /// What is to be said of the receiver, with its name.
    pub(super) fn named(&mut self, message: &str) -> String {
        self.note(message);
        self.candidates.get(self.at).and_then(Candidate::told).unwrap_or_default()
    }

    /// Whether a receiver has failed since the last acknowledgement.
    pub(super) fn has_failures(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.failure.is_some())
    }

    /// Goes to the next receiver without counting a failure.
    pub(super) fn advance(&mut self) {
        let count = self.candidates.len();
        let usable = |at: &usize| self.candidates.get(*at).is_some_and(|candidate| !candidate.lost);
        if let Some(next) = (1..=count).map(|step| (self.at + step) % count).find(usable) {
            self.at = next;
        }
    }

    /// The receiver has failed, if `lasting` for the whole run.
    pub(super) fn failed(&mut self, message: &str, lasting: bool) -> Retry {
        self.note(message);
        if let Some(candidate) = self.candidates.get_mut(self.at) {
            candidate.lost |= lasting;
        }
        let usable = self.candidates.iter().filter(|candidate| !candidate.lost).count();
        self.advance();
        if usable == 0 {
            return Retry::Never;
        }
        self.failed += usize::from(!lasting);
        if self.failed < usable {
            return Retry::After(0);
        }
        self.failed = 0;
        self.rounds += 1;
        if self.rounds >= ROUNDS {
            return Retry::Never;
        }
        let Backoff { init_ms, max_ms } = self.backoff;
        let pause = init_ms.saturating_mul(1 << (self.rounds - 1).min(20)).min(max_ms);
        Retry::After(self.jittered(pause))
    }

    /// Between half and all of a pause, so that many senders do not come back at once.
    pub(super) fn jittered(&mut self, pause_ms: u64) -> u64 {
        pause_ms / 2 + self.random.below(pause_ms / 2 + 1)
    }

    /// Why it is given up: what each receiver said last. The flag tells whether waiting may help.
    pub(super) fn reasons(&self) -> (String, bool) {
        let reason = self.candidates.iter().filter_map(Candidate::told).collect::<Vec<_>>().join("; ");
        (reason, self.candidates.iter().any(|candidate| !candidate.lost))
    }
}

/// SplitMix64: small, and the same for the same seed.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number from 0 to `end` - 1; 0 if `end` is 0.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_failed_before_another_one_took_the_lines_is_told_once_with_its_name() {
        let names = vec!["one:1".to_owned(), "two:2".to_owned()];
        let mut rotation = Rotation::new(names, Backoff::default(), Some(0), 7);
        rotation.failed("one:1: not connected: refused", false);
        rotation.succeeded();
        let told = ("one:1".to_owned(), "one:1: not connected: refused".to_owned());
        assert_eq!(rotation.take_passed_over(), [told]);
        rotation.failed("sent nothing", false);
        rotation.failed("one:1: not connected: refused", false);
        rotation.succeeded();
        assert_eq!(rotation.take_passed_over(), [], "one was told before, and two has done it after all");
        rotation.failed("sent nothing", false);
        rotation.succeeded();
        assert_eq!(rotation.take_passed_over(), [("two:2".to_owned(), "two:2: sent nothing".to_owned())]);
    }

    #[test]
    fn a_receiver_that_fails_is_told_by_its_name_also_if_it_is_the_only_one() {
        for (message, told) in
            [("it answered in HTTP", "one:1: it answered in HTTP"), ("one:1: refused", "one:1: refused")]
        {
            let mut rotation = Rotation::new(vec!["one:1".to_owned()], Backoff::default(), None, 7);
            rotation.failed(message, true);
            assert_eq!(rotation.reasons(), (told.to_owned(), false));
            assert_eq!(rotation.named(message), told);
        }
    }
}
