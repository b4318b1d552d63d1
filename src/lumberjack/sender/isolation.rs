//! Isolation of an event for which a receiver resets the connection.
//!
//! A window that is reset twice without any acknowledgement may hold such an event: it would come again for ever. So the window is halved
//! until the event is alone. But a receiver, or a load balancer with nothing behind it, may also reset everything, and a bad network resets
//! connections now and then. Probes distinguish these cases. A probe is another event, alone: if the receiver acknowledges it, the receiver
//! is not the cause. There is one probe before the halving, if no receiver has ever acknowledged anything, and one after each reset of the
//! lone event. The event is set aside only after [`TRIALS`] resets in a row, each with a probe that is acknowledged at once. An event that
//! is acknowledged as a probe is not sent again. Only if there is no other event, the probe is one that was acknowledged before, the
//! witness: that is a repeat, but the alternatives are to lose a line or never to end.

/// Where a connection breaks by chance with probability p, a good event would be set aside with (p(1-p))⁸: at most 0.000015, and with one break
/// in ten 0.000000004.
const TRIALS: u32 = 8;

/// How often the witness is tried as a probe, if all others were reset.
const WITNESS_TRIALS: usize = 3;

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
    /// Events that were reset as probes: they may be such events too.
    avoided: Vec<u64>,
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
    /// It is this one, if it is reset again; so many times it was, and the receiver took another.
    Alone(u32),
    /// It was reset again. Does the receiver take another?
    Confirming(u32, Vec<Trial>),
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

/// What the acknowledgement of a probe tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Probed {
    /// The event that was the probe, if it was not the witness: it is acknowledged now, out of turn.
    pub(super) taken: Option<u64>,
    /// The event that is to be set aside: the receiver takes others.
    pub(super) set_aside: Option<u64>,
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
        let Suspect { first, end, stage, .. } = self.suspect.as_ref()?;
        match stage {
            Stage::Watched => None,
            Stage::Probing(probes) | Stage::Confirming(_, probes) => probes.last().copied(),
            Stage::Halving => {
                let half = (end - first).div_ceil(2);
                Some(Trial::Events(*first, u32::try_from(half).unwrap_or(u32::MAX)))
            }
            Stage::Alone(_) => Some(Trial::Events(*first, 1)),
        }
    }

    /// A window of `count` events from `first` on was reset without any acknowledgement. Probes are chosen from the `open` events, and the
    /// witness, if there is one.
    pub(super) fn reset(&mut self, first: u64, count: u32, open: &[u64], witness: bool) -> Verdict {
        let Some(suspect) = &mut self.suspect else {
            let end = first + u64::from(count);
            self.suspect = Some(Suspect { first, end, avoided: Vec::new(), stage: Stage::Watched });
            return Verdict::Open;
        };
        let avoided = suspect.avoided.clone();
        let probes = |but| probes(open, &avoided, but, witness);
        let stage = match &mut suspect.stage {
            Stage::Probing(probes) | Stage::Confirming(_, probes) => {
                if let Some(Trial::Probe(event)) = probes.pop() {
                    suspect.avoided.push(event);
                }
                let none_left = probes.is_empty();
                // It may have been chance, and so may be what was counted until now.
                if let Stage::Confirming(trials, _) = &mut suspect.stage {
                    *trials = 0;
                }
                return if none_left { self.hopeless() } else { Verdict::Narrowed };
            }
            _ if suspect.first != first => {
                self.suspect = None;
                return self.reset(first, count, open, witness);
            }
            Stage::Watched if count > 1 => {
                suspect.end = first + u64::from(count);
                if witness { Stage::Halving } else { Stage::Probing(probes(None)) }
            }
            Stage::Halving if count > 1 => {
                suspect.end = first + u64::from(count);
                Stage::Halving
            }
            Stage::Watched | Stage::Halving => Stage::Confirming(0, probes(Some(first))),
            Stage::Alone(trials) => Stage::Confirming(*trials, probes(Some(first))),
        };
        if matches!(stage, Stage::Confirming(..)) {
            suspect.end = first + 1;
        }
        let none_left =
            matches!(&stage, Stage::Probing(probes) | Stage::Confirming(_, probes) if probes.is_empty());
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

    /// A probe was acknowledged.
    pub(super) fn probed(&mut self) -> Probed {
        let taken = match self.trial() {
            Some(Trial::Probe(event)) => Some(event),
            _ => None,
        };
        let Some(mut suspect) = self.suspect.take() else { return Probed::default() };
        suspect.stage = match suspect.stage {
            Stage::Confirming(trials, _) if trials + 1 >= TRIALS => {
                return Probed { taken, set_aside: Some(suspect.first) };
            }
            Stage::Confirming(trials, _) => Stage::Alone(trials + 1),
            _ => {
                suspect.end -= u64::from(taken.is_some_and(|event| event + 1 == suspect.end));
                Stage::Halving
            }
        };
        self.suspect = Some(suspect);
        Probed { taken, set_aside: None }
    }

    fn hopeless(&mut self) -> Verdict {
        self.suspect = None;
        Verdict::Hopeless
    }
}

/// Probes from the open events, but not `but` and the avoided ones, in the order in which they are tried backwards: the last event, one in the
/// middle, the first; then the witness, if there is one.
fn probes(open: &[u64], avoided: &[u64], but: Option<u64>, witness: bool) -> Vec<Trial> {
    let usable = |event: &u64| but != Some(*event) && !avoided.contains(event);
    let open: Vec<u64> = open.iter().copied().filter(usable).collect();
    let mut chosen: Vec<u64> =
        [open.first(), open.get(open.len() / 2), open.last()].into_iter().flatten().copied().collect();
    chosen.dedup();
    let witness = if witness { WITNESS_TRIALS } else { 0 };
    std::iter::repeat_n(Trial::Witness, witness).chain(chosen.into_iter().map(Trial::Probe)).collect()
}
