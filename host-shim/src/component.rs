//! The embedded component: made ready once for each process, instantiated for each worker of a run.

mod artifact;
mod log;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub(crate) use self::bindings::exports::whiskjack::forwarder::forwarder::{
    Error, Outcome, Report, RunPlan as Plan, Slice, Subject,
};
pub(crate) use self::bindings::whiskjack::forwarder::types::{
    self, Authorization, CheckpointKeeper, Context,
};
use self::log::Log;
use crate::attached::Attached;
use crate::http::Api;
use crate::net::proxy::Proxy;
use crate::output::LocalReceiver;
use crate::params::{Receivers, Security};
use crate::said;
use crate::transport::interface::{TransportError, TransportStep};
use crate::transport::{Connection, Lent, interface as transport};

/// Largest memory of one instance, in bytes.
const MEMORY: usize = 128 << 20;

/// Most bytes that one call may copy out of an instance: twice the largest write, or a plan with its checkpoint.
const HOSTCALL: usize = 32 << 20;

/// After so much time a busy instance lets others run, and the clock be looked at, when it next asks for something.
const TURN: Duration = Duration::from_millis(15);

#[allow(missing_debug_implementations, unreachable_pub, reason = "generated")]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "library",
        imports: { default: async | trappable },
        exports: { default: async },
        require_store_data_send: true,
        with: { "whiskjack:forwarder/transport": crate::transport::interface },
    });
}

/// The reason why there is no component to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The program was compiled without one.
    #[error("built without its component: run `cargo xtask build`")]
    Missing,
    /// The embedded one does not fit this program or this machine.
    #[error("the embedded component cannot be used: {0}; build again with `cargo xtask build`")]
    Unusable(String),
}

/// The component, ready to be instantiated.
pub(crate) struct Prepared {
    engine: Engine,
    library: bindings::LibraryPre<State>,
}

impl Prepared {
    /// Loads the embedded component.
    pub(crate) fn load() -> Result<Self, LoadError> {
        if artifact::is_missing() {
            return Err(LoadError::Missing);
        }
        Self::from_artifact().map_err(|error| LoadError::Unusable(format!("{error:#}")))
    }

    fn from_artifact() -> wasmtime::Result<Self> {
        let (engine, component) = artifact::load()?;
        let mut linker = Linker::new(&engine);
        link(&mut linker)?;
        let library = bindings::LibraryPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, library })
    }

    /// A new instance that may reach what `reach` says.
    pub(crate) async fn worker(&self, reach: &Arc<Reach>) -> Result<Worker, CallError> {
        let mut store = Store::new(&self.engine, State::new(reach.clone()));
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(HOSTCALL);
        let library = self.library.instantiate_async(&mut store).await.map_err(CallError::trap)?;
        Ok(Worker { store, library })
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

/// What a component may import. An import that is not here stops it when it is loaded, before any code runs.
fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::{cli, random};

    // cli's standard streams, clocks, io, and random.
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    // What Rust's standard library imports by itself. The environment is empty, and no stream is a terminal.
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    #[cfg(feature = "preview1-adapter")]
    {
        use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
        use wasmtime_wasi::p2::bindings::filesystem;
        filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
        filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
    }
    random::insecure::add_to_linker::<State, WasiRandom>(linker, |state| state.wasi.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, |state| state.wasi.random())?;
    transport::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// What the instances of one run may reach.
pub(crate) struct Reach {
    pub(crate) api: Api,
    pub(crate) receivers: Receivers,
    pub(crate) security: Security,
    /// The way to the receivers.
    pub(crate) proxy: Option<Proxy>,
    /// What the command attaches.
    pub(crate) attached: Attached,
}

impl Reach {
    /// The same with what a command attaches.
    pub(crate) fn with(self, attached: &Attached) -> Self {
        let api = self.api.counting(attached.counters.clone());
        Self { api, attached: attached.clone(), ..self }
    }

    /// Connects, see [`Connection::open`]. With an output there is no network.
    async fn connect(&self, host: &str, port: u16, timeout_ms: u64) -> Result<Lent, TransportError> {
        if let Some(output) = &self.attached.output {
            return Ok(Lent::local(LocalReceiver::new(output.clone())));
        }
        let Self { receivers, security, proxy, .. } = self;
        let opened = Connection::open(receivers, security, proxy.as_ref(), host, port, timeout_ms).await;
        opened.map(Lent::receiver)
    }
}

/// What the host keeps beside one instance.
pub(crate) struct State {
    reach: Arc<Reach>,
    api: Api,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    limits: StoreLimits,
    /// When it last gave way, or began.
    gave_way: Instant,
}

impl State {
    fn new(reach: Arc<Reach>) -> Self {
        let mut wasi = WasiCtx::builder();
        if !reach.attached.is_quiet {
            wasi.stderr(Log::default());
        }
        Self {
            api: reach.api.clone(),
            reach,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY).trap_on_grow_failure(true).build(),
            gave_way: Instant::now(),
        }
    }

    /// The same for another run.
    fn reach(&mut self, reach: &Arc<Reach>) {
        (self.api, self.reach, self.gave_way) = (reach.api.clone(), reach.clone(), Instant::now());
    }

    /// Gives way if the last time was long ago. An instance for which everything is there at once would otherwise hold up the others.
    async fn give_way(&mut self) {
        if self.gave_way.elapsed() >= TURN {
            tokio::task::yield_now().await;
            self.gave_way = Instant::now();
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.api }
    }
}

impl transport::Host for State {}

impl transport::HostConnection for State {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Resource<Lent>, TransportError>> {
        match self.reach.connect(&host, port, timeout_ms).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => {
                self.reach.attached.counters.note_receiver_error();
                Ok(Err(error))
            }
        }
    }

    async fn write(
        &mut self,
        connection: Resource<Lent>,
        bytes: Vec<u8>,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<(), TransportError>> {
        self.give_way().await;
        if let Some(rate) = &self.reach.attached.rate {
            rate.wait_for(&bytes).await;
        }
        let written = self.table.get_mut(&connection)?.write(&bytes, timeout_ms).await;
        Ok(written.inspect_err(|_| self.reach.attached.counters.note_receiver_error()))
    }

    async fn read(
        &mut self,
        connection: Resource<Lent>,
        max_bytes: u32,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        self.give_way().await;
        let lent = self.table.get_mut(&connection)?;
        let read = lent.read(max_bytes, timeout_ms).await;
        if let Ok(bytes) = &read {
            self.reach.attached.counters.note_acknowledged(lent.acknowledged(bytes));
        }
        // That nothing has come yet is no error.
        let is_error = |error: &TransportError| error.step != TransportStep::Timeout;
        if read.as_ref().is_err_and(is_error) {
            self.reach.attached.counters.note_receiver_error();
        }
        Ok(read)
    }

    async fn drop(&mut self, connection: Resource<Lent>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl types::Host for State {}

/// Why a call into an instance gave no answer. The instance is of no use afterwards.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the forwarder failed ({0}), its log says more")]
    Trap(String),
    #[error("the forwarder was stopped, because the time limit was near")]
    Timeout,
}

impl CallError {
    fn trap(error: wasmtime::Error) -> Self {
        // The cause in one line; the stack is for developers, who find it in the log.
        said::to_stderr(format_args!("whiskjack: {error:?}"));
        Self::Trap(error.root_cause().to_string())
    }
}

/// One instance, with its connections.
pub(crate) struct Worker {
    store: Store<State>,
    library: bindings::Library,
}

impl Worker {
    /// The same for a later run, which may reach other places.
    pub(crate) fn reaching(mut self, reach: &Arc<Reach>) -> Self {
        self.store.data_mut().reach(reach);
        self
    }

    /// Calls `plan`, until `limit` at the latest.
    pub(crate) async fn plan(
        &mut self,
        params: &[u8],
        context: &Context,
        limit: Option<Instant>,
    ) -> Result<Result<Plan, Error>, CallError> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        within(limit, forwarder.call_plan(&mut self.store, params, context)).await
    }

    /// Calls `forward`, until `limit` at the latest.
    pub(crate) async fn forward(
        &mut self,
        plan: &Plan,
        slice: &Slice,
        limit: Option<Instant>,
    ) -> Result<Outcome, CallError> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        within(limit, forwarder.call_forward(&mut self.store, plan, slice)).await
    }

    /// Calls `conclude`, until `limit` at the latest.
    pub(crate) async fn conclude(
        &mut self,
        plan: &Plan,
        outcomes: &[Outcome],
        last: bool,
        limit: Option<Instant>,
    ) -> Result<Report, CallError> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        within(limit, forwarder.call_conclude(&mut self.store, plan, outcomes, last)).await
    }

    /// Calls `look`, until `limit` at the latest.
    pub(crate) async fn look(
        &mut self,
        params: &[u8],
        context: &Context,
        at: Subject,
        limit: Option<Instant>,
    ) -> Result<Result<Vec<u8>, Error>, CallError> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        within(limit, forwarder.call_look(&mut self.store, params, context, at)).await
    }
}

async fn within<T>(
    limit: Option<Instant>,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, CallError> {
    let answer = match limit {
        Some(limit) => timeout_at(limit, call).await.map_err(|_| CallError::Timeout)?,
        None => call.await,
    };
    answer.map_err(CallError::trap)
}
