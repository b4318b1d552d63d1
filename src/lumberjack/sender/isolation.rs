//! Isolation of an event that a receiver resets the connection for.
//!
//! A window that is reset twice without any acknowledgement may hold such an event: it would come again for ever. So the window is halved
//! until the event is alone. But a receiver, or a load balancer with nothing behind it, may as well reset everything. Two probes tell these
//! cases apart: before the halving, if no receiver has ever acknowledged anything, and before the event is set aside. A probe is another
//! event, alone: if that is acknowledged, it is not the receiver. Its acknowledgement counts for nothing else, so it may even be one that was
//! acknowledged before, the witness.

/// Resets of a lone event, after which it is suspected for good.
const RESETS: u32 = 2;

/// The window that is suspected, if there is one.
#[derive(Debug, Default)]
pub(super) struct Isolation {
    suspect: Option<Suspect>,
}

#[derive(Debug)]
struct Suspect {
    /// The first event that may be the one.
    first: u64,
    /// The event after the last that may be the one.
    end: u64,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Reset once: it is sent again as it was.
    Watched,
    /// Is there an event that the receiver takes? Those to try, the next one last.
    Probing(Vec<Trial>),
    /// The event is among these.
    Halving,
    /// It is this one, reset so many times alone.
    Alone(u32),
    /// It is this one, if the receiver takes another.
    Confirming(Vec<Trial>),
}

/// What a reset means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet: it is a failure like others.
    Open,
    /// There is a smaller window to try.
    Narrowed,
    /// The receiver resets whatever it is sent.
    Hopeless,
}

/// A window that isolation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    /// So many events at most, from this one on.
    Events(u64, u32),
    /// This event, as a probe.
    Probe(u64),
    /// The witness, as a probe.
    Witness,
}

impl Isolation {
    /// Whether a window is suspected.
    pub(super) fn is_active(&self) -> bool {
        self.suspect.is_some()
    }

    /// The window to send next, if isolation has a say in it.
    pub(super) fn trial(&self) -> Option<Trial> {
        let Suspect { first, end, stage } = self.suspect.as_ref()?;
        match stage {
            Stage::Watched => None,
            Stage::Probing(probes) | Stage::Confirming(probes) => probes.last().copied(),
            Stage::Halving => {
                let half = (end - first).div_ceil(2);
                Some(Trial::Events(*first, u32::try_from(half).unwrap_or(u32::MAX)))
            }
            Stage::Alone(_) => Some(Trial::Events(*first, 1)),
        }
    }

    /// A window of `count` events from `first` on was reset without any acknowledgement. The events from `first` to `end` are there to choose
    /// probes from, and the witness, if there is one.
    pub(super) fn reset(&mut self, first: u64, count: u32, end: u64, witness: bool) -> Verdict {
        let Some(suspect) = &mut self.suspect else {
            self.suspect = Some(Suspect { first, end: first + u64::from(count), stage: Stage::Watched });
            return Verdict::Open;
        };
        let stage = match &mut suspect.stage {
            Stage::Probing(probes) | Stage::Confirming(probes) => {
                probes.pop();
                return if probes.is_empty() { self.hopeless() } else { Verdict::Narrowed };
            }
            _ if suspect.first != first => {
                self.suspect = None;
                return self.reset(first, count, end, witness);
            }
            Stage::Watched if count > 1 => {
                suspect.end = first + u64::from(count);
                if witness { Stage::Halving } else { Stage::Probing(probes(first..end, None, false)) }
            }
            Stage::Halving if count > 1 => {
                suspect.end = first + u64::from(count);
                Stage::Halving
            }
            Stage::Halving => Stage::Alone(1),
            Stage::Alone(resets) if *resets + 1 < RESETS => Stage::Alone(*resets + 1),
            Stage::Watched | Stage::Alone(_) => Stage::Confirming(probes(first..end, Some(first), witness)),
        };
        if matches!(stage, Stage::Alone(_) | Stage::Confirming(_)) {
            suspect.end = first + 1;
        }
        let none_left =
            matches!(&stage, Stage::Probing(probes) | Stage::Confirming(probes) if probes.is_empty());
        suspect.stage = stage;
        if none_left { self.hopeless() } else { Verdict::Narrowed }
    }

    /// All events before `first` are acknowledged.
    pub(super) fn acknowledged(&mut self, first: u64) {
        match &mut self.suspect {
            Some(suspect) if suspect.stage == Stage::Halving && first < suspect.end => suspect.first = first,
            Some(suspect) if first > suspect.first => self.suspect = None,
            _ => {}
        }
    }

    /// A probe was acknowledged. Returns the number of the event that is to be set aside, if that is known now.
    pub(super) fn probed(&mut self) -> Option<u64> {
        let suspect = self.suspect.as_mut()?;
        if matches!(suspect.stage, Stage::Confirming(_)) {
            let event = suspect.first;
            self.suspect = None;
            return Some(event);
        }
        suspect.stage = Stage::Halving;
        None
    }

    fn hopeless(&mut self) -> Verdict {
        self.suspect = None;
        Verdict::Hopeless
    }
}

/// The witness, the last, the middle and the first of some events, but not `but`; the first to try comes last.
fn probes(events: std::ops::Range<u64>, but: Option<u64>, witness: bool) -> Vec<Trial> {
    let begin = events.start + u64::from(but == Some(events.start));
    let mut probes = match events.end.checked_sub(1).filter(|last| *last >= begin) {
        Some(last) => vec![begin, begin + (last - begin) / 2, last],
        None => Vec::new(),
    };
    probes.dedup();
    let mut probes: Vec<Trial> = probes.into_iter().map(Trial::Probe).collect();
    probes.extend(witness.then_some(Trial::Witness));
    probes
}
