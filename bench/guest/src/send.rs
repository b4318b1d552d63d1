//! From log lines in memory to acknowledged windows.

use whiskjack::config::{Endpoint, Output};
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::{Goal, Options};
use whiskjack::openwhisk::record::Record;
use whiskjack::output::Delivery;
use whiskjack::ports::{Clock as _, Ports, Transport};

use crate::Records;
use crate::memory::{Api, SystemClock};

/// Longer than any run.
const LIMIT_MS: u64 = 600_000;

/// Where the events go.
pub(crate) fn output(host: &str, port: u16) -> Output {
    let receiver = Endpoint { host: host.to_owned(), port };
    Output { receivers: vec![receiver], loadbalance: false, worker: 1, sending: Options::default() }
}

/// Makes an event of each log line, and sends them in windows as the product does. Returns how many were acknowledged.
pub fn send(records: &[Record<'_>], transport: &dyn Transport, host: &str, port: u16) -> u64 {
    let nothing = Records::default();
    let ports = Ports { clock: &SystemClock, http: &Api::new(&nothing), transport };
    let stop = SystemClock.now_ms() + LIMIT_MS;
    let mut delivery = Delivery::new(output(host, port), 0, 7);
    let mut settled = 0;
    let form = Form::new(delivery.protocol());
    for record in records {
        let events = Events::of(record, &form);
        for (index, line) in record.entries().enumerate() {
            if delivery.is_full() {
                settled += u64::from(delivery.work(ports, Goal::Room, stop).events);
            }
            if delivery.given_up().is_some() {
                return settled;
            }
            delivery.push(&events, Document::plain(index, line));
        }
    }
    settled + u64::from(delivery.work(ports, Goal::Settled, stop).events)
}
