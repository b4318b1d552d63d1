//! How a reply's body leaves: whole, or broken off.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::Notify;

use crate::journal::InFlight;
use crate::script::Ending;

/// Bytes handed over at a time.
const CHUNK: usize = 64 << 10;

/// How often the connection may flush before a reply is broken off: what came before should reach the client.
const FLUSHES: u8 = 8;

/// What a reply may do to its connection.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// The connection is to be reset when it ends.
    pub(crate) reset: AtomicBool,
    /// The connection is to end with the reply that has just left.
    pub(crate) close: Notify,
}

/// A reply's body.
#[derive(Debug)]
pub(crate) struct Delivery {
    rest: Bytes,
    ending: Option<Ending>,
    flushes: u8,
    last: bool,
    control: Arc<Control>,
    // The request is in flight for as long as its reply's body lives.
    _in_flight: InFlight,
}

/// Makes the server drop the connection.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off on request")
    }
}

impl std::error::Error for Broken {}

impl Delivery {
    /// The whole body. If it is the `last` one, its connection closes after it.
    pub(crate) fn whole(body: Vec<u8>, last: bool, control: Arc<Control>, in_flight: InFlight) -> Self {
        let rest = Bytes::from(body);
        Self { rest, ending: None, flushes: 0, last, control, _in_flight: in_flight }
    }

    /// The first `after` bytes, and then something else than the rest.
    pub(crate) fn cut(
        body: Vec<u8>,
        after: usize,
        ending: Ending,
        control: Arc<Control>,
        in_flight: InFlight,
    ) -> Self {
        let mut rest = Bytes::from(body);
        rest.truncate(after);
        Self { rest, ending: Some(ending), flushes: FLUSHES, last: false, control, _in_flight: in_flight }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.last {
            self.control.close.notify_one();
        }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if !self.rest.is_empty() {
            let chunk = self.rest.len().min(CHUNK);
            return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(chunk)))));
        }
        match self.ending {
            None => Poll::Ready(None),
            Some(Ending::Stall) => Poll::Pending,
            Some(_) if self.flushes > 0 => {
                self.flushes -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(ending) => {
                self.control.reset.store(ending == Ending::Reset, Ordering::Relaxed);
                Poll::Ready(Some(Err(Broken)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ending.is_none() && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.ending.is_none() { SizeHint::with_exact(self.rest.len() as u64) } else { SizeHint::default() }
    }
}
