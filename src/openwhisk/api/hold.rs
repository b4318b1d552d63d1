//! `Retry-After`: how long an API, or a gateway before it, wants to be left alone (RFC 9110 10.2.3).

use crate::time;

/// Milliseconds until the time that `value` gives: seconds, or a date. Nothing if it is neither.
pub(super) fn wait_ms(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    time::http_date_ms(value).map(|then_ms| then_ms.saturating_sub(now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openwhisk::api::Api;
    use crate::ports::{Clock, Failure, Http, Ports, Request, Response};
    use crate::range::Range;
    use crate::testing::{NoReceiver, answer};
    use std::cell::{Cell, RefCell};

    /// Sun, 29 Nov 2026 10:00:00 GMT.
    const NOW: u64 = 1_795_946_400_000;

    #[test]
    fn seconds_and_dates_are_times_to_wait() {
        for (value, ms) in [
            ("0", Some(0)),
            (" 120 ", Some(120_000)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 29 Nov 2026 10:00:07 GMT", Some(7_000)),
            ("Sunday, 29-Nov-26 10:00:07 GMT", Some(7_000)),
            ("Sun Nov 29 10:00:07 2026", Some(7_000)),
            ("Sun Nov  1 10:00:07 2026", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("Sun, 31 Feb 2027 10:00:07 GMT", None),
        ] {
            assert_eq!(wait_ms(value, NOW), ms, "{value}");
        }
    }

    /// An API that turns requests away so many times.
    struct Busy {
        time: Cell<u64>,
        status: u16,
        retry_after: &'static str,
        times: Cell<u32>,
        asked_at: RefCell<Vec<u64>>,
    }

    impl Clock for Busy {
        fn now_ms(&self) -> u64 {
            self.time.get()
        }
        fn sleep_ms(&self, ms: u64) {
            self.time.set(self.time.get() + ms);
        }
        fn random(&self) -> u64 {
            7
        }
    }

    impl Http for Busy {
        fn send(&self, _: &Request) -> Result<Response, Failure> {
            self.asked_at.borrow_mut().push(self.time.get() - NOW);
            if self.times.get() == 0 {
                return Ok(answer(200, r#"{"activations":5}"#));
            }
            self.times.set(self.times.get() - 1);
            let retry_after = Some(self.retry_after.to_owned());
            Ok(Response { retry_after, ..answer(self.status, "slow down") })
        }
    }

    /// What came of asking until `stop_ms` from now, and when it was asked.
    fn asked(
        status: u16,
        retry_after: &'static str,
        times: u32,
        stop_ms: u64,
    ) -> (Result<u64, Failure>, Vec<u64>) {
        let busy = Busy {
            time: Cell::new(NOW),
            status,
            retry_after,
            times: Cell::new(times),
            asked_at: RefCell::default(),
        };
        let ports = Ports { clock: &busy, http: &busy, transport: &NoReceiver };
        let api = Api::new(ports, NOW.saturating_add(stop_ms));
        let answer = api.count(None, Range::new(0, 1).unwrap());
        (answer, busy.asked_at.into_inner())
    }

    #[test]
    fn an_api_that_wants_to_be_left_alone_is_asked_again_when_it_says_and_not_before() {
        for (status, retry_after) in [(429, "20"), (503, "20"), (429, "Sun, 29 Nov 2026 10:00:20 GMT")] {
            let (answer, at) = asked(status, retry_after, 1, 60_000);
            assert_eq!(answer, Ok(5), "{status} {retry_after}");
            assert!(at.len() == 2 && (20_000..25_000).contains(&at[1]), "{at:?}");
        }
    }

    #[test]
    fn what_the_run_has_no_time_for_is_left_to_the_next_one() {
        let (answer, at) = asked(429, "120", 1, 60_000);
        let failure = answer.unwrap_err();
        assert!(failure.retryable && failure.message.contains("120 s"), "{failure}");
        assert_eq!(at, [0]);
        // Without a deadline there is an end, too.
        let (answer, at) = asked(429, "3600", 1, u64::MAX);
        assert!(answer.is_err());
        assert_eq!(at, [0]);
        let (answer, at) = asked(429, "600", 3, u64::MAX);
        assert!(answer.is_err() && at.len() == 2, "{at:?}");
    }

    #[test]
    fn other_requests_of_the_run_wait_as_well() {
        let busy = Busy {
            time: Cell::new(NOW),
            status: 429,
            retry_after: "20",
            times: Cell::new(1),
            asked_at: RefCell::default(),
        };
        let ports = Ports { clock: &busy, http: &busy, transport: &NoReceiver };
        let first = Api::new(ports, NOW + 60_000);
        let patience = crate::openwhisk::api::Patience::default();
        let first = first.with_patience(patience.clone());
        assert!(first.count_once(None, Range::new(0, 1).unwrap()).is_err());
        let second = Api::new(ports, NOW + 60_000).with_patience(patience);
        assert_eq!(second.count_once(None, Range::new(0, 2).unwrap()), Ok(5));
        assert_eq!(busy.asked_at.into_inner(), [0, 20_000]);
    }

    #[test]
    fn what_is_no_time_leaves_the_usual_pause() {
        let (answer, at) = asked(429, "soon", 1, 60_000);
        assert!(answer == Ok(5) && at[1] < 1_000, "{at:?}");
    }
}
