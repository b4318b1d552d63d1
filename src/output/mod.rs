//! Delivery: a worker's connection to the receivers. It does the steps of the [`Sender`] over the transport.

use crate::config::{Documents, Output};
use crate::events::{Document, Events, Heartbeat, Logs};
use crate::lumberjack::{Counts, Goal, Protocol, Sender, Step};
use crate::ports::{self, Connection, Failure, Ports, TransportError};
use std::convert::Infallible;

/// Most bytes read at once.
const READ: u32 = 64 << 10;

/// A sender with its connection. It opens with the first event and stays open between turns.
pub struct Delivery {
    sender: Sender,
    output: Output,
    connection: Option<Box<dyn Connection>>,
    /// Events that were cut since the last time somebody asked.
    truncated: u64,
}

/// The events that were settled since the last call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many, from the first on, are settled: acknowledged, or set aside.
    pub events: u32,
    /// Those of them that were set aside, counted from the first event since [`Delivery::clear`].
    pub set_aside: Vec<u64>,
}

impl Delivery {
    /// A delivery to the receivers of `output`. `receiver_offset` is the worker's number among those that share the load.
    pub fn new(output: Output, receiver_offset: usize, seed: u64) -> Self {
        let names = output.receivers.iter().map(ToString::to_string).collect();
        let receiver_offset = output.loadbalance.then_some(receiver_offset);
        let sender = Sender::new(output.sending.clone(), names, receiver_offset, seed);
        Self { sender, output, connection: None, truncated: 0 }
    }

    /// The protocol for which events are written.
    pub fn protocol(&self) -> Protocol {
        self.output.sending.protocol
    }

    /// Adds the event for a document. One that is too large is cut, and says so.
    pub fn push(&mut self, events: &Events, document: Document<'_>) {
        let own = |out: &mut Vec<u8>| events.write_own(document, out);
        if self.sender.outbox().push_own(events.common(), own) {
            return;
        }
        let mut whole = true;
        let Ok(()) = self.sender.outbox().push(|out| {
            whole = events.write(document, out);
            Ok::<(), Infallible>(())
        });
        self.truncated += u64::from(!whole);
    }

    /// Adds the event for the activation itself.
    pub fn push_summary(&mut self, events: &Events, logs: &Logs) {
        let Ok(()) = self.sender.outbox().push(|out| {
            events.write_summary(logs, out);
            Ok::<(), Infallible>(())
        });
    }

    /// Adds the run's document about itself.
    pub fn push_heartbeat(&mut self, heartbeat: &Heartbeat<'_>, documents: &Documents) {
        let protocol = self.protocol();
        let Ok(()) = self.sender.outbox().push(|out| {
            heartbeat.write(protocol, documents, out);
            Ok::<(), Infallible>(())
        });
    }

    /// Whether the events that wait make a window.
    pub fn is_full(&self) -> bool {
        self.sender.is_full()
    }

    /// Whether some event is not settled.
    pub fn is_pending(&mut self) -> bool {
        !self.sender.outbox().is_empty()
    }

    /// Whether some event waits to be sent.
    pub fn is_waiting(&mut self) -> bool {
        self.sender.outbox().waiting() > 0
    }

    /// The reason why nothing more can be sent in this run, if there is one.
    pub fn given_up(&self) -> Option<&Failure> {
        self.sender.given_up()
    }

    /// Whether the time did not suffice.
    pub fn is_out_of_time(&self) -> bool {
        self.sender.is_out_of_time()
    }

    /// Works until the goal is reached, the receivers are given up, or the time is up.
    pub fn work(&mut self, ports: Ports<'_>, goal: Goal, stop_ms: u64) -> Settled {
        loop {
            let step = self.sender.step(ports.clock.now_ms(), goal, stop_ms);
            let missing = || TransportError {
                step: ports::Step::Write,
                retryable: true,
                message: "there is no connection".into(),
            };
            match step {
                Step::Done => break,
                Step::Close => self.connection = None,
                Step::Pause { ms } => ports.clock.sleep_ms(ms),
                Step::Connect { receiver, timeout_ms } => {
                    let result = match self.output.receivers.get(receiver) {
                        Some(to) => ports.transport.connect(&to.host, to.port, timeout_ms),
                        None => Err(missing()),
                    };
                    let opened = result.map(|connection| self.connection = Some(connection));
                    self.sender.connected(ports.clock.now_ms(), opened);
                }
                Step::Write { bytes, timeout_ms } => {
                    let result = match &mut self.connection {
                        Some(connection) => connection.write(bytes, timeout_ms),
                        None => Err(missing()),
                    };
                    self.sender.written(ports.clock.now_ms(), result);
                }
                Step::Read { timeout_ms } => {
                    let result = match &mut self.connection {
                        Some(connection) => connection.read(READ, timeout_ms),
                        None => Err(missing()),
                    };
                    let result = result.as_deref().map_err(Clone::clone);
                    self.sender.received(ports.clock.now_ms(), result);
                }
            }
        }
        Settled { events: self.sender.take_settled(), set_aside: self.sender.take_set_aside() }
    }

    /// Forgets the events that are not settled.
    pub fn clear(&mut self) {
        self.sender.clear();
    }

    /// Receivers that have failed while another one got the lines, since the last call: the name, and why; each once.
    pub fn take_passed_over(&mut self) -> Vec<(String, String)> {
        self.sender.take_passed_over()
    }

    /// The work since the last call, and the number of events that were cut.
    pub fn take_counts(&mut self) -> (Counts, u64) {
        (self.sender.take_counts(), std::mem::take(&mut self.truncated))
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("sender", &self.sender).finish_non_exhaustive()
    }
}
