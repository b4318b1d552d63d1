//! The handle that a test holds: starts the server on a thread of its own, stops it when dropped.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::journal::{Journal, Request};
use crate::options::Options;
use crate::script::{Fault, Hold, Matcher, Script};
use crate::server::{self, App, Door};
use crate::tls;
use crate::world::World;

/// A running double. It listens on a free port of the loopback interface, and stops when dropped.
#[derive(Debug)]
pub struct Double {
    app: Arc<App>,
    address: SocketAddr,
    https: bool,
    orders: mpsc::UnboundedSender<(bool, std::sync::mpsc::Sender<()>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Double {
    /// Starts a double; it accepts connections when this returns.
    ///
    /// # Panics
    /// If there is no port, or if the certificate or key cannot be used.
    pub fn start(options: Options) -> Self {
        let world = World::new(&options);
        let acceptor = options.tls.as_ref().map(tls::acceptor);
        let https = acceptor.is_some();
        let app = Arc::new(App {
            world,
            limits: options.limits,
            gateway: options.gateway,
            request_ids: options.request_ids,
            script: Mutex::new(Script::default()),
            journal: Arc::new(Journal::default()),
            latency: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
            shut: watch::Sender::new(0),
        });
        let door = Door::new().expect("a free port");
        let address = door.address();
        let (stop, stopped) = oneshot::channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (opened, open) = std::sync::mpsc::channel();
        orders.send((false, opened)).expect("the server is still to come");
        let shared = app.clone();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                tokio::select! {
                    () = server::accept(door, ordered, acceptor, shared) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("openwhisk-double".into()).spawn(serve);
        let thread = Some(thread.expect("a thread"));
        open.recv().expect("the server listens");
        Self { app, address, https, orders, stop: Some(stop), thread }
    }

    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT`; with the path of a gateway that has one.
    pub fn origin(&self) -> String {
        let (port, base) = (self.address.port(), &self.app.gateway.base);
        let host = if self.https { "https://localhost" } else { "http://127.0.0.1" };
        format!("{host}:{port}{base}")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API key in force, `uuid:secret`.
    pub fn key(&self) -> String {
        self.world().store().namespaces[0].key.clone()
    }

    /// The key's namespace.
    pub fn namespace(&self) -> String {
        self.world().store().namespaces[0].name.clone()
    }

    /// What exists.
    pub fn world(&self) -> &World {
        &self.app.world
    }

    /// Puts another key in force; the old one gets 401.
    pub fn replace_key(&self, key: &str) {
        self.world().replace_key(key);
    }

    /// The next request that matches meets this fault. Faults are used in the order they were planned.
    pub fn fail_next(&self, matcher: Matcher, fault: Fault) {
        self.fail_times(matcher, 1, fault);
    }

    /// The next `times` requests that match meet this fault.
    pub fn fail_times(&self, matcher: Matcher, times: u64, fault: Fault) {
        self.script(|script| script.fault(matcher, Some(times), fault));
    }

    /// All requests that match meet this fault, until [`Double::clear_faults`].
    pub fn fail_always(&self, matcher: Matcher, fault: Fault) {
        self.script(|script| script.fault(matcher, None, fault));
    }

    /// Forgets the faults that have not been met.
    pub fn clear_faults(&self) {
        self.script(Script::clear_faults);
    }

    /// Changes the world just before the next request that matches is answered: a record that appears between two pages,
    /// or vanishes between list and get.
    pub fn before_next(&self, matcher: Matcher, change: impl FnOnce(&World) + Send + 'static) {
        self.script(|script| script.call(matcher, Box::new(change)));
    }

    /// Holds back all requests that match until the returned value is dropped.
    pub fn hold(&self, matcher: Matcher) -> Hold {
        self.script(|script| script.hold(matcher))
    }

    /// Refuses connections, and ends those that are idle; or listens again. It is so when this returns.
    pub fn refuse_connections(&self, refuse: bool) {
        let (done, so) = std::sync::mpsc::channel();
        self.orders.send((refuse, done)).expect("the server lives as long as its handle");
        so.recv().expect("the server lives as long as its handle");
    }

    /// Lets every reply take this long.
    pub fn set_latency(&self, latency: Duration) {
        self.app.latency.store(latency.as_micros() as u64, Ordering::Relaxed);
    }

    /// All requests so far, in the order they arrived.
    pub fn requests(&self) -> Vec<Request> {
        self.app.journal.requests()
    }

    /// Most requests that were being answered at once.
    pub fn max_parallel_requests(&self) -> usize {
        self.app.journal.most_in_flight()
    }

    /// Starts the journal anew.
    pub fn forget_requests(&self) {
        self.app.journal.forget();
    }

    /// Waits until the requests so far satisfy `enough`. False if they do not within `patience`.
    pub fn wait_until(&self, patience: Duration, enough: impl FnMut(&[Request]) -> bool) -> bool {
        self.app.journal.wait(patience, enough)
    }

    fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.app.script.lock().unwrap())
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed already; one in here would hide the test's own.
            let _ = thread.join();
        }
    }
}
