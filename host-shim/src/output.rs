//! An output of this program's own, in the place of receivers: the forwarder sends it windows as to any receiver, and the output
//! acknowledges a window when all of its documents have reached their destination.

mod file;
mod lines;
mod receiver;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::checkpoint::Unusable;

pub(crate) use self::file::OutputFile;
pub(crate) use self::receiver::LocalReceiver;

/// Where documents go.
pub(crate) trait Sink: Send {
    /// Makes it ready, before a run begins that knows that its configuration is sound.
    fn open(&mut self) -> Result<(), Unusable> {
        Ok(())
    }

    /// Whether it is ready.
    fn is_open(&self) -> bool {
        true
    }

    /// Takes all of a window's documents, each a JSON object on one line, and keeps them for good; or none of them.
    fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal>;
}

/// Why documents are not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A sentence.
    pub(crate) message: String,
    /// Whether it may go better in a moment.
    pub(crate) retryable: bool,
}

/// The output of a run, for all of its workers.
#[derive(Clone)]
pub struct Output {
    sink: Arc<Mutex<dyn Sink>>,
}

impl Output {
    pub(crate) fn new(sink: impl Sink + 'static) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)) }
    }

    /// One that somebody else looks into as well.
    pub(crate) fn shared(sink: Arc<Mutex<dyn Sink>>) -> Self {
        Self { sink }
    }

    /// Makes it ready.
    pub(crate) fn open(&self) -> Result<(), Unusable> {
        self.sink().open()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.sink().is_open()
    }

    fn take(&self, documents: &[&[u8]]) -> Result<(), Refusal> {
        self.sink().take(documents)
    }

    fn sink(&self) -> MutexGuard<'_, dyn Sink + 'static> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output")
    }
}
