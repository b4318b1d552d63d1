//! The component's side of `wit/guest.wit`.

use std::cell::OnceCell;

use whiskjack::openwhisk::record::Record;
use whiskjack::ports::{Connection, Step, Transport, TransportError};

use crate::Records;
use crate::memory::Api;
use bindings::whiskjack::forwarder::transport as wit;

#[allow(unsafe_code, reason = "generated: it passes memory over the component's boundary")]
#[allow(missing_docs, unreachable_pub, missing_debug_implementations, clippy::all, reason = "generated")]
#[allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({ path: ["../../wit", "wit"], world: "whiskjack:bench/guest", generate_all });
    export!(Bench with_types_in self);

    use super::Bench;
}

struct Loaded {
    parsed: Vec<Record<'static>>,
    api: Api<'static>,
}

thread_local! {
    static LOADED: OnceCell<Loaded> = const { OnceCell::new() };
}

struct Bench;

impl bindings::exports::whiskjack::bench::timed::Guest for Bench {
    fn load(records: Vec<u8>) -> u64 {
        // For as long as the instance lives.
        let records: &'static Records = Box::leak(Box::new(Records::new(&records)));
        LOADED.with(|loaded| {
            loaded.get_or_init(|| Loaded { parsed: records.parsed(), api: Api::new(records) });
        });
        records.events()
    }

    fn send(host: String, port: u16) -> u64 {
        LOADED.with(|loaded| loaded.get().map_or(0, |loaded| crate::send(&loaded.parsed, &Host, &host, port)))
    }

    fn pipeline() -> u64 {
        LOADED.with(|loaded| loaded.get().map_or(0, |loaded| crate::pipeline(&loaded.api)))
    }
}

/// The host's transport.
struct Host;

struct Open(wit::Connection);

impl Transport for Host {
    fn connect(&self, host: &str, port: u16, timeout_ms: u64) -> Result<Box<dyn Connection>, TransportError> {
        Ok(Box::new(Open(wit::Connection::connect(host, port, timeout_ms).map_err(error)?)))
    }
}

impl Connection for Open {
    fn write(&mut self, bytes: &[u8], timeout_ms: u64) -> Result<(), TransportError> {
        self.0.write(bytes, timeout_ms).map_err(error)
    }

    fn read(&mut self, max: u32, timeout_ms: u64) -> Result<Vec<u8>, TransportError> {
        self.0.read(max, timeout_ms).map_err(error)
    }
}

fn error(error: wit::TransportError) -> TransportError {
    let step = if error.step == wit::TransportStep::Timeout { Step::Timeout } else { Step::Read };
    TransportError { step, retryable: error.retryable, message: error.message }
}
