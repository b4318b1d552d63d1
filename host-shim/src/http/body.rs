//! A response body that may not pause for too long.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error;

use super::errors;

/// Passes on what comes; an error if nothing comes for `pause`, or once the deadline is over.
pub(super) struct Unhurried {
    body: Incoming,
    pause: Duration,
    deadline: Option<Instant>,
    /// While somebody waits for what comes next: a body that nobody reads yet is not late.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Unhurried {
    pub(super) fn new(body: Incoming, pause: Duration, deadline: Option<Instant>) -> Self {
        Self { body, pause, deadline, alarm: None }
    }
}

fn alarm_at(pause: Duration, deadline: Option<Instant>) -> Instant {
    let alarm = Instant::now() + pause.min(Duration::from_secs(3600));
    deadline.map_or(alarm, |deadline| deadline.min(alarm))
}

impl Body for Unhurried {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.alarm = None;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(errors::of_body(&error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let alarm = || Box::pin(sleep_until(alarm_at(this.pause, this.deadline)));
                let alarm = this.alarm.get_or_insert_with(alarm);
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
