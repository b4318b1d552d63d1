//! Delivery: takes batches to the receiver, one window in flight, and comes back with what was acknowledged.

use crate::config::Endpoint;
use crate::lumberjack::{AckReader, Acks, Batch};
use crate::ports::{Clock, Connection, Failure, Ports, Step, TransportError};
use std::time::Duration;

/// Longest time to open a connection; below the 10 s after which receivers give up on a silent peer (facts/lumberjack.md 2.5).
const CONNECT_MS: u64 = 9_000;
/// How long a receiver may be silent before the connection is given up. Keep-alives come every 3–5 s where there are any, but not every
/// receiver sends them; Filebeat's default.
const SILENCE_MS: u64 = 30_000;
/// Connections that bring no progress, one after the other, before the receiver is given up for this run.
const TRIES: u32 = 3;
/// With less time left than this no window is sent: its ack would come too late, and its lines twice.
const LAST_WINDOW_MS: u64 = 100;
/// A receiver that was silent for less than this when the time ran out is not to blame: it may only have been asked too late.
const PATIENT_MS: u64 = 5_000;
/// First pause before another try, and the longest.
const BACKOFF_MS: (u64, u64) = (500, 10_000);
/// Level 3 is Filebeat's too.
const COMPRESSION_LEVEL: u8 = 3;

/// What the sender did, for the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Windows that were acknowledged to the end.
    pub windows: u64,
    /// Events written to a connection, repeats included.
    pub sent: u64,
    /// Events written again after a failure.
    pub resent: u64,
    /// Signs of life without progress.
    pub keep_alives: u64,
}

/// A worker's way to the receiver. The connection opens with the first event and stays open between batches.
#[derive(Default)]
pub struct Delivery {
    connection: Option<Box<dyn Connection>>,
    /// Why the receiver was given up; later batches of the same run fail at once instead of waiting again.
    given_up: Option<Failure>,
    deliveries: Deliveries,
}

impl Delivery {
    /// Whether nothing more can be sent in this run, and why.
    pub fn given_up(&self) -> Option<&Failure> {
        self.given_up.as_ref()
    }

    /// What was done since the last call.
    pub fn take_deliveries(&mut self) -> Deliveries {
        std::mem::take(&mut self.deliveries)
    }

    /// Sends a batch until all of it is acknowledged, the receiver is given up, or `stop_ms` is near. Returns how many events, from the
    /// first on, are acknowledged, and why it is not all of them, if not for want of time.
    pub fn deliver(
        &mut self,
        ports: Ports<'_>,
        receiver: &Endpoint,
        batch: &Batch,
        stop_ms: u64,
    ) -> (u32, Result<(), Failure>) {
        let mut progress = Progress::default();
        if let Some(failure) = &self.given_up {
            return (0, Err(failure.clone()));
        }
        let mut tries = 0;
        loop {
            if ports.clock.now_ms().saturating_add(LAST_WINDOW_MS) > stop_ms {
                return (progress.acknowledged, Ok(()));
            }
            self.drop_if_stale();
            let before = progress.acknowledged;
            let began_ms = ports.clock.now_ms();
            let Err(error) = self.try_once(ports, receiver, batch, &mut progress, stop_ms) else {
                return (progress.acknowledged, Ok(()));
            };
            self.connection = None;
            if progress.acknowledged == batch.len() {
                return (progress.acknowledged, Ok(()));
            }
            tries = if progress.acknowledged > before { 1 } else { tries + 1 };
            let pause = backoff(ports.clock, tries);
            let now_ms = ports.clock.now_ms();
            let out_of_time = now_ms.saturating_add(pause) >= stop_ms;
            let asked_late = tries == 1 && now_ms.saturating_sub(began_ms) < PATIENT_MS;
            if out_of_time && asked_late && error.step == Step::Timeout {
                return (progress.acknowledged, Ok(()));
            }
            if !error.retryable || tries >= TRIES || out_of_time {
                let failure = Failure { message: error.message, retryable: error.retryable };
                self.given_up = Some(failure.clone());
                return (progress.acknowledged, Err(failure));
            }
            ports.clock.sleep_ms(pause);
        }
    }

    /// Looks at a connection that was used before. The receiver may have closed it; and an ack that it sends again must not be taken for
    /// one of the next window. Keep-alives are fine.
    fn drop_if_stale(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let mut reader = AckReader::default();
        let fine = match connection.read(64 * 1024, 0) {
            Err(error) => error.step == Step::Timeout,
            Ok(bytes) => {
                reader.push(&bytes);
                let only_keep_alives = std::iter::from_fn(|| reader.next_ack().transpose())
                    .all(|ack| ack.is_ok_and(|ack| ack.sequence == 0));
                !bytes.is_empty() && only_keep_alives && reader.is_empty()
            }
        };
        if !fine {
            self.connection = None;
        }
    }

    /// Sends what is not acknowledged as one window and waits for its acks. Progress is kept whatever happens.
    fn try_once(
        &mut self,
        ports: Ports<'_>,
        receiver: &Endpoint,
        batch: &Batch,
        progress: &mut Progress,
        stop_ms: u64,
    ) -> Result<(), TransportError> {
        let left = || stop_ms.saturating_sub(ports.clock.now_ms());
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => ports.transport.connect(&receiver.host, receiver.port, CONNECT_MS.min(left()))?,
        };
        let first = progress.acknowledged;
        let count = batch.len().saturating_sub(first);
        self.deliveries.sent += u64::from(count);
        self.deliveries.resent += u64::from(progress.written.saturating_sub(first));
        progress.written = batch.len();
        connection.write(&batch.window(first, COMPRESSION_LEVEL), SILENCE_MS.min(left()))?;
        let mut acks = Acks::new(count);
        let mut reader = AckReader::default();
        while !acks.complete() {
            let patience = SILENCE_MS.min(left());
            let bytes =
                connection.read(64 * 1024, patience).map_err(|error| waited(error, acks, patience))?;
            if bytes.is_empty() {
                return Err(closed(acks));
            }
            reader.push(&bytes);
            while !acks.complete()
                && let Some(ack) = reader.next_ack().map_err(protocol)?
            {
                let before = acks.acknowledged();
                acks.credit(ack).map_err(protocol)?;
                progress.acknowledged = first + acks.acknowledged();
                self.deliveries.keep_alives += u64::from(acks.acknowledged() == before);
            }
        }
        self.deliveries.windows += 1;
        // What came after the last ack belongs to nothing.
        self.connection = reader.is_empty().then_some(connection);
        Ok(())
    }
}

/// How far a batch has come, in events from its first.
#[derive(Debug, Default)]
struct Progress {
    /// Written to some connection.
    written: u32,
    /// Acknowledged.
    acknowledged: u32,
}

/// Exponential with jitter: between half and all of the doubled pause.
fn backoff(clock: &dyn Clock, tries: u32) -> u64 {
    let (first, longest) = BACKOFF_MS;
    let pause = first.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(longest);
    pause / 2 + clock.random() % (pause / 2 + 1)
}

fn waited(error: TransportError, acks: Acks, patience_ms: u64) -> TransportError {
    if error.step != Step::Timeout {
        return error;
    }
    let message = format!(
        "the receiver acknowledged {} of {} lines and then nothing for {:.1} s: it is overloaded, or its outputs are blocked",
        acks.acknowledged(),
        acks.window(),
        Duration::from_millis(patience_ms).as_secs_f32(),
    );
    TransportError { message, ..error }
}

fn closed(acks: Acks) -> TransportError {
    TransportError {
        step: Step::Read,
        retryable: true,
        message: format!(
            "the receiver closed the connection after it had acknowledged {} of {} lines: its log says why; a port that wants TLS, a \
             client certificate or another protocol does this too",
            acks.acknowledged(),
            acks.window()
        ),
    }
}

fn protocol(error: crate::lumberjack::ProtocolError) -> TransportError {
    TransportError { step: Step::Read, retryable: true, message: error.to_string() }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("given_up", &self.given_up)
            .field("deliveries", &self.deliveries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
