//! A response body that may neither pause for too long nor trickle.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error;

use super::errors;

/// Slowest pace, in bytes a second, averaged; the component has the same.
const PACE: u128 = 2 << 10;

/// How long a body may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Longest pause.
    pub(super) pause: Duration,
    /// After so long its pace is looked at.
    pub(super) grace: Duration,
    /// Longest time for all of it.
    pub(super) whole: Duration,
    /// When waiting ends, whatever the others say.
    pub(super) deadline: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(30),
            grace: Duration::from_secs(60),
            // 100 MB of one record at 28 KB/s. The component gives up pages earlier.
            whole: Duration::from_secs(60 * 60),
            deadline: None,
        }
    }
}

/// Passes on what comes; an error if nothing comes for too long, or too little, or once the deadline is over. Only the time in which somebody
/// waits counts: a body that nobody reads yet is not late.
pub(super) struct Unhurried<B> {
    body: B,
    limits: Limits,
    waited: Duration,
    bytes: u64,
    /// While somebody waits for what comes next: since when, and how long at most.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Unhurried<B> {
    pub(super) fn new(body: B, limits: Limits) -> Self {
        Self { body, limits, waited: Duration::ZERO, bytes: 0, waiting: None }
    }

    fn alarm(&self) -> (Instant, Pin<Box<Sleep>>) {
        let Limits { pause, whole, deadline, .. } = self.limits;
        let now = Instant::now();
        let alarm = now + pause.min(whole.saturating_sub(self.waited));
        (now, Box::pin(sleep_until(deadline.map_or(alarm, |deadline| deadline.min(alarm)))))
    }

    /// Takes note of what has come.
    fn note(&mut self, frame: &Frame<Bytes>) -> Result<(), Error> {
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        let due = self.waited.as_millis().saturating_mul(PACE) / 1000;
        if self.waited > self.limits.grace && u128::from(self.bytes) < due {
            Err(Error::ConnectionReadTimeout)
        } else {
            Ok(())
        }
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Unhurried<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(this.note(&frame).map(|()| frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(errors::of_body(&error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let (_, alarm) = match &mut this.waiting {
                    Some(waiting) => waiting,
                    None => {
                        let alarm = this.alarm();
                        this.waiting.insert(alarm)
                    }
                };
                alarm.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::BodyExt as _;

    use super::*;

    /// So many bytes, each piece after a pause.
    struct Drips {
        pieces: VecDeque<usize>,
        every: Duration,
        next: Option<Pin<Box<Sleep>>>,
    }

    impl Drips {
        fn new(pieces: usize, bytes: usize, every: Duration) -> Self {
            Self { pieces: vec![bytes; pieces].into(), every, next: None }
        }
    }

    impl Body for Drips {
        type Data = Bytes;
        type Error = hyper::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
            let every = self.every;
            let next = self.next.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
            std::task::ready!(next.as_mut().poll(cx));
            self.next = None;
            let piece = self.pieces.pop_front();
            Poll::Ready(piece.map(|bytes| Ok(Frame::data(vec![b' '; bytes].into()))))
        }
    }

    /// Bytes that came, whether that was all, and how long it took.
    async fn read(body: Drips, limits: Limits, reading: Duration) -> (usize, bool, Duration) {
        let (began, mut body, mut read) = (Instant::now(), Unhurried::new(body, limits), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return (read, false, began.elapsed()) };
            read += frame.into_data().unwrap().len();
            tokio::time::sleep(reading).await;
        }
        (read, true, began.elapsed())
    }

    const AT_ONCE: Duration = Duration::ZERO;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_ends_after_a_minute() {
        let (read, whole, took) =
            read(Drips::new(100_000, 1, Duration::from_secs(1)), Limits::default(), AT_ONCE).await;
        assert!(!whole && read <= 61 && took < Duration::from_secs(63), "{read} bytes in {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_slow_but_steady_comes_to_its_end() {
        let (read, whole, took) =
            read(Drips::new(1000, 4_000, Duration::from_secs(1)), Limits::default(), AT_ONCE).await;
        assert!(whole && read == 4_000_000 && took > Duration::from_secs(1000), "{read} bytes in {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_an_end_has_one_after_an_hour() {
        let (_, whole, took) =
            read(Drips::new(10_000, 4_000, Duration::from_secs(1)), Limits::default(), AT_ONCE).await;
        assert!(!whole && took < Duration::from_secs(3_660), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_may_take_its_time() {
        let body = Drips::new(100, 100, Duration::from_millis(10));
        let (read, whole, took) = read(body, Limits::default(), Duration::from_secs(60)).await;
        assert!(whole && read == 10_000 && took > Duration::from_secs(6000), "{read} bytes in {took:?}");
    }
}
