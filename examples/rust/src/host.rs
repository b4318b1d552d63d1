//! The component's host: only WASI and `transport`.

use std::path::Path;

use serde_json::Value;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::error::{Context as _, bail};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use self::bindings::exports::whiskjack::forwarder::forwarder::{Error, Outcome, Report, RunPlan, Slice};
use self::bindings::whiskjack::forwarder::transport::{self, TransportError};
use self::bindings::whiskjack::forwarder::types::{self, Context};
use crate::params::Reach;
use crate::transport::Connection;

#[allow(missing_debug_implementations, unreachable_pub, reason = "generated")]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "library",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "whiskjack:forwarder/transport.connection": crate::transport::Connection },
    });
}

/// The interface that is called.
const FORWARDER: &str = "whiskjack:forwarder/forwarder@0.1.0";

/// The resources of an instance.
pub(crate) struct Host {
    reach: Reach,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
}

impl Host {
    /// Takes the host's keys out of `params`.
    pub(crate) fn new(params: &mut Value) -> wasmtime::Result<Self> {
        let wasi = WasiCtx::builder().inherit_stderr().build();
        Ok(Self { reach: Reach::take(params)?, wasi, http: WasiHttpCtx::new(), table: ResourceTable::new() })
    }
}

/// The component, ready to be called.
pub(crate) struct Instance {
    store: Store<Host>,
    library: bindings::Library,
}

impl Instance {
    pub(crate) async fn new(host: Host, file: &Path) -> wasmtime::Result<Self> {
        let engine = Engine::new(&whiskjack_aot::config())?;
        let component = load(&engine, file).with_context(|| {
            format!("{}: run `cargo xtask build`, or name a component with --component", file.display())
        })?;
        let exports: Vec<_> =
            component.component_type().exports(&engine).map(|(name, _)| name.to_owned()).collect();
        if !exports.iter().any(|name| name == FORWARDER) {
            let found = exports.join(", ");
            bail!(
                "the component exports {found}, this host is for {FORWARDER}; take the component of the same release"
            );
        }
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        transport::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
        let mut store = Store::new(&engine, host);
        let library =
            bindings::Library::instantiate_async(&mut store, &component, &linker).await.with_context(
                || format!("this host is for {FORWARDER}; take the component of the same release"),
            )?;
        Ok(Self { store, library })
    }

    pub(crate) async fn plan(
        &mut self,
        params: &[u8],
        context: &Context,
    ) -> wasmtime::Result<Result<RunPlan, Error>> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        forwarder.call_plan(&mut self.store, params, context).await.context("plan")
    }

    pub(crate) async fn forward(&mut self, plan: &RunPlan, slice: &Slice) -> wasmtime::Result<Outcome> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        forwarder.call_forward(&mut self.store, plan, slice).await.context("forward")
    }

    pub(crate) async fn conclude(
        &mut self,
        plan: &RunPlan,
        outcomes: &[Outcome],
        last: bool,
    ) -> wasmtime::Result<Report> {
        let forwarder = self.library.whiskjack_forwarder_forwarder();
        forwarder.call_conclude(&mut self.store, plan, outcomes, last).await.context("conclude")
    }
}

#[cfg(feature = "compiler")]
fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    Component::from_file(engine, file)
}

#[cfg(not(feature = "compiler"))]
#[allow(
    unsafe_code,
    reason = "it is native code: whoever starts this program says that it comes from `cargo xtask build`"
)]
fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    unsafe { Component::deserialize_file(engine, file) }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: Default::default() }
    }
}

impl types::Host for Host {}

impl transport::Host for Host {}

impl transport::HostConnection for Host {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Resource<Connection>, TransportError>> {
        match Connection::open(&self.reach, &host, port, timeout_ms).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn write(
        &mut self,
        connection: Resource<Connection>,
        bytes: Vec<u8>,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<(), TransportError>> {
        Ok(self.table.get_mut(&connection)?.write(&bytes, timeout_ms).await)
    }

    async fn read(
        &mut self,
        connection: Resource<Connection>,
        max_bytes: u32,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        Ok(self.table.get_mut(&connection)?.read(max_bytes, timeout_ms).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
