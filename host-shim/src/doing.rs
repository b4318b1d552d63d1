//! The step that a command is at, for people who wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever does the work notes its steps; whoever has a clone reads them.
#[derive(Clone, Debug, Default)]
pub struct Doing(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    step: Option<Step>,
    /// Steps that are over, and how many there will be; none if nobody can say.
    over: u64,
    all: Option<u64>,
}

/// The step at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name: what is waited for.
    pub name: String,
    /// When it began.
    pub since: Instant,
    /// The longest time that it may take, if there is a limit.
    pub at_most: Option<Duration>,
    /// Steps that are over, and all that there are, if they can be counted.
    pub count: Option<[u64; 2]>,
}

impl Doing {
    /// From now on so many steps follow.
    pub fn count(&self, all: usize) {
        *self.noted() = Noted { step: None, over: 0, all: u64::try_from(all).ok() };
    }

    /// Begins a step. The one before it is over.
    pub fn begin(&self, name: impl Into<String>) {
        self.begin_limited(name, None);
    }

    /// The same for a step that takes so much time at most.
    pub fn begin_limited(&self, name: impl Into<String>, at_most: Option<Duration>) {
        let mut noted = self.noted();
        let begun = Step { name: name.into(), since: Instant::now(), at_most, count: None };
        if noted.step.replace(begun).is_some() {
            noted.over += 1;
        }
    }

    /// The step at hand.
    pub fn now(&self) -> Option<Step> {
        let noted = self.noted();
        let count = noted.all.map(|all| [noted.over.min(all), all]);
        noted.step.clone().map(|step| Step { count, ..step })
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_over_when_the_next_one_begins() {
        let doing = Doing::default();
        assert_eq!(doing.now(), None);
        doing.begin("the API");
        assert_eq!(doing.now().map(|step| (step.name, step.count)), Some(("the API".to_owned(), None)));
        doing.count(2);
        let counts = ["one", "two", "more than announced"].map(|name| {
            doing.begin(name);
            doing.now().and_then(|step| step.count)
        });
        assert_eq!(counts, [Some([0, 2]), Some([1, 2]), Some([2, 2])]);
    }
}
