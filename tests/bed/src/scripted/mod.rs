//! A receiver of our own that is stricter than any real one, and that misbehaves exactly as a test tells it to.
//!
//! ```no_run
//! use whiskjack_testbed::Scripted;
//!
//! // Acknowledges two events of the first connection's window and is gone; serves well from then on.
//! let receiver = Scripted::start(|session| match session.number() {
//!     1 => {
//!         session.window();
//!         session.ack(2);
//!     }
//!     _ => session.serve(),
//! });
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `mod` | the handle a test holds; listening |
//! | `session` | one connection, as its script sees it |
//! | `wire` | frames: what makes a window; sequence, counts, compression |
//! | `payload` | what makes an event: JSON and its fields |
//! | `journal` | what came, in order, for asserts |

mod journal;
mod payload;
mod session;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};

pub use journal::{Connection, Journal, Window};
pub use payload::event_fault;
pub use session::Session;
pub use wire::{Refusal, Rules, read_window};

use crate::shared::Shared;

/// How the receiver listens, and what it puts up with. The default: plain, a free port of 127.0.0.1, every rule.
#[derive(Clone, Debug, Default)]
pub struct ScriptedOptions {
    /// TLS, as rustls is to speak it; see [`server_config`](crate::server_config). Plain TCP when absent.
    pub tls: Option<Arc<ServerConfig>>,
    /// What is refused.
    pub rules: Rules,
    /// Small segments and a small TCP window: then also the sender's kernel holds some 100 KiB instead of megabytes, and a sender feels
    /// at once that nobody reads.
    pub narrow: bool,
    /// Where to listen; a free port of 127.0.0.1 when absent.
    pub listen: Option<SocketAddr>,
}

type Script = dyn Fn(&mut Session) + Send + Sync;

/// A running receiver. Dropping it closes its port and all its connections.
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Common>,
}

/// What the listener, the connections and the test have in common.
struct Common {
    journal: Shared<Journal>,
    stopped: AtomicBool,
    /// Of every open connection, by its number, to close them when the test is over.
    sockets: Mutex<BTreeMap<usize, TcpStream>>,
}

impl Common {
    /// Lets go of a connection's second handle: a socket is closed with its last one.
    fn forget(&self, number: usize) {
        self.sockets().remove(&number);
    }

    fn sockets(&self) -> MutexGuard<'_, BTreeMap<usize, TcpStream>> {
        self.sockets.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Scripted {
    /// Starts a plain receiver that lets `script` loose on each connection; it accepts when this returns. A connection is closed when its
    /// script returns.
    #[track_caller]
    pub fn start(script: impl Fn(&mut Session) + Send + Sync + 'static) -> Self {
        Self::with(ScriptedOptions::default(), script)
    }

    /// A plain receiver with nothing wrong about it.
    #[track_caller]
    pub fn good() -> Self {
        Self::start(Session::serve)
    }

    /// Starts a receiver as `options` say.
    #[track_caller]
    pub fn with(options: ScriptedOptions, script: impl Fn(&mut Session) + Send + Sync + 'static) -> Self {
        let listener = listen(&options);
        let address = listener.local_addr().expect("a listening socket has an address");
        let shared = Arc::new(Common {
            journal: Shared::default(),
            stopped: AtomicBool::new(false),
            sockets: Mutex::default(),
        });
        let common = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &options, &common, Arc::new(script)));
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What has come so far.
    pub fn journal(&self) -> Journal {
        self.shared.journal.look(Clone::clone)
    }

    /// Waits until `find` finds what it wants in the journal; panics after `timeout`.
    #[track_caller]
    pub fn wait_for<R>(&self, timeout: Duration, find: impl FnMut(&Journal) -> Option<R>) -> R {
        self.shared
            .journal
            .wait_for(timeout, find)
            .unwrap_or_else(|_| panic!("not within {timeout:?}: {:#?}", self.journal()))
    }

    /// The journal, when every connection that was opened is closed again: a client that has ended is known whole. Panics after `timeout`.
    #[track_caller]
    pub fn settled(&self, timeout: Duration) -> Journal {
        self.wait_for(timeout, |journal| {
            journal.connections.iter().all(|connection| connection.closed).then(|| journal.clone())
        })
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        for socket in self.shared.sockets().values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("address", &self.address).finish_non_exhaustive()
    }
}

fn listen(options: &ScriptedOptions) -> TcpListener {
    let address = options.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).unwrap();
    if options.listen.is_some() {
        socket.set_reuse_address(true).unwrap();
    }
    if options.narrow {
        // Before listening: only then do the connections have it from their first segment on.
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_tcp_mss(536).unwrap();
    }
    socket.bind(&address.into()).unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
    socket.listen(128).unwrap();
    socket.into()
}

fn accept(listener: &TcpListener, options: &ScriptedOptions, common: &Arc<Common>, script: Arc<Script>) {
    while let Ok((socket, _)) = listener.accept() {
        if common.stopped.load(Ordering::SeqCst) {
            return;
        }
        // Acks are small, and a script means each of them to leave at once.
        let _ = socket.set_nodelay(true);
        // Here, so that connections are numbered in the order in which they came.
        let mut number = 0;
        common.journal.change(|journal| {
            journal.connections.push(Connection::default());
            number = journal.connections.len();
        });
        if let Ok(socket) = socket.try_clone() {
            common.sockets().insert(number, socket);
        }
        let (options, common, script) = (options.clone(), Arc::clone(common), Arc::clone(&script));
        thread::spawn(move || {
            if let Some(mut session) = Session::open(number, socket, &options, Arc::clone(&common)) {
                script(&mut session);
                session.close();
            }
            common.forget(number);
            common.journal.change(|journal| journal.connections[number - 1].closed = true);
        });
    }
}
