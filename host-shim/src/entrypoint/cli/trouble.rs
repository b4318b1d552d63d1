//! What a command that runs again and again says of runs that fail: what is wrong, once until it changes, and that it is over. Of a key that the
//! API refuses it speaks after each run, as that does not get better by waiting.

use std::sync::Arc;

use serde_json::Value;

use crate::attached::Counters;
use crate::result::RunResult;

/// Why a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The API refuses the key.
    Key,
    Api,
    Receiver,
    Other,
}

impl Cause {
    /// All of them, with their names for monitoring.
    pub(super) const ALL: [(Self, &'static str); 4] =
        [(Self::Key, "key"), (Self::Api, "api"), (Self::Receiver, "receiver"), (Self::Other, "other")];
}

/// What was said so far.
#[derive(Debug)]
pub(super) struct Troubles {
    counters: Arc<Counters>,
    /// Refusals, errors of the API and of receivers, before the last run.
    counted: [u64; 3],
    told: Option<(Cause, String)>,
    warned: Vec<String>,
    /// Whether the component's log tells what is in a report.
    has_log: bool,
    /// Of the last run, if it failed.
    cause: Option<Cause>,
}

impl Troubles {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, counted: [0; 3], told: None, warned: Vec::new(), has_log: false, cause: None }
    }

    /// Whether reports and their warnings are in a log that goes to stderr, too.
    pub(super) fn leaves_reports_to_the_log(&mut self, has_log: bool) {
        self.has_log = has_log;
    }

    /// Takes in the result of a run. Returns what is new, sentences for stderr.
    pub(super) fn note(&mut self, result: &RunResult) -> Vec<String> {
        let cause = self.counted_cause();
        let mut said = Vec::new();
        let warnings = result.object.get("warnings").and_then(Value::as_array).into_iter().flatten();
        for warning in warnings.filter_map(Value::as_str).filter(|_| !self.has_log) {
            if !self.warned.iter().any(|known| known == warning) {
                self.warned.push(warning.to_owned());
                said.push(format!("whiskjack: {warning}"));
            }
        }
        let error = result.object.get("error").and_then(Value::as_str);
        self.cause = error.map(|_| cause);
        let is_over = error.is_none() && !result.object.contains_key("skipped");
        match error {
            Some(error) => {
                let new = (cause, without_numbers(error));
                let is_new = self.told.as_ref() != Some(&new) || cause == Cause::Key;
                if is_new && (!self.has_log || result.untold().is_some()) {
                    said.push(format!("whiskjack: {error}"));
                }
                self.told = Some(new);
            }
            None if is_over && self.told.take().is_some() => {
                said.push("whiskjack: the trouble is over; the last run went well".to_owned());
            }
            None => {}
        }
        said
    }

    /// Why the last run failed, if it did.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Whether the last run failed because the API refuses the key.
    pub(super) fn is_refused(&self) -> bool {
        self.cause == Some(Cause::Key)
    }

    /// What went wrong since the last run: the first that explains the others.
    fn counted_cause(&mut self) -> Cause {
        let [api, receiver] = self.counters.errors();
        let now = [self.counters.refusals(), api, receiver];
        let before = std::mem::replace(&mut self.counted, now);
        let causes = [Cause::Key, Cause::Api, Cause::Receiver].into_iter();
        let mut causes = causes.zip(now.into_iter().zip(before));
        causes.find(|(_, (now, before))| now > before).map_or(Cause::Other, |(cause, _)| cause)
    }
}

/// The same text for the same cause: times and counts differ from run to run.
fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failed(error: &str) -> RunResult {
        RunResult::error(error)
    }

    fn good() -> RunResult {
        RunResult::report(json!({"activations": 0}).to_string().as_bytes(), true, true, &[], &[])
    }

    #[test]
    fn trouble_is_told_once_until_it_changes_and_its_end_is_told() {
        let counters = Arc::new(Counters::default());
        let mut troubles = Troubles::new(counters.clone());
        assert_eq!(troubles.note(&good()), Vec::<String>::new());
        counters.note_api_error();
        assert_eq!(troubles.note(&failed("no answer for 5 s")), ["whiskjack: no answer for 5 s"]);
        counters.note_api_error();
        assert_eq!(troubles.note(&failed("no answer for 9 s")), Vec::<String>::new());
        counters.note_receiver_error();
        assert_eq!(
            troubles.note(&failed("no answer for 5 s")),
            ["whiskjack: no answer for 5 s"],
            "of others"
        );
        let skipped = RunResult::report(br#"{"skipped":"another"}"#, false, true, &[], &[]);
        assert_eq!(troubles.note(&skipped), Vec::<String>::new());
        assert_eq!(troubles.note(&good()), ["whiskjack: the trouble is over; the last run went well"]);
        assert_eq!(troubles.note(&good()), Vec::<String>::new());
    }

    #[test]
    fn a_key_that_is_refused_is_told_after_each_run() {
        let counters = Arc::new(Counters::default());
        let mut troubles = Troubles::new(counters.clone());
        for _ in 0..2 {
            counters.note_refusal();
            assert_eq!(troubles.note(&failed("the key is not valid")), ["whiskjack: the key is not valid"]);
            assert!(troubles.is_refused());
        }
        assert_eq!(counters.errors(), [2, 0], "they count as errors of the API");
        troubles.note(&good());
        assert_eq!((troubles.is_refused(), troubles.cause()), (false, None));
        troubles.note(&failed("the disk is full"));
        assert_eq!(troubles.cause(), Some(Cause::Other));
    }

    #[test]
    fn a_warning_is_told_once_and_what_the_log_says_is_not_repeated() {
        let warned = || RunResult::report(br#"{"warnings":["no such action"]}"#, true, true, &[], &[]);
        let mut troubles = Troubles::new(Arc::default());
        assert_eq!(troubles.note(&warned()), ["whiskjack: no such action"]);
        assert_eq!(troubles.note(&warned()), Vec::<String>::new());
        let mut logged = Troubles::new(Arc::default());
        logged.leaves_reports_to_the_log(true);
        assert_eq!(logged.note(&warned()), Vec::<String>::new());
        let report = RunResult::report(br#"{"sent":1,"error":"refused"}"#, true, true, &[], &[]);
        assert_eq!(logged.note(&report), Vec::<String>::new());
        assert_eq!(logged.note(&failed("no plan")), ["whiskjack: no plan"], "of that there is no report");
    }
}
