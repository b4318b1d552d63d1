//! The benchmarks' component in wasmtime, compiled ahead of time as the product's is, with a transport over plain TCP.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use http::{Request, Response};
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use self::bindings::exports::whiskjack::bench::timed::Guest as Timed;
use self::bindings::whiskjack::forwarder::transport::{self, TransportError, TransportStep};

#[allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: ["../wit", "guest/wit"],
        world: "whiskjack:bench/guest",
        imports: { default: trappable },
        with: { "whiskjack:forwarder/transport.connection": super::Connection },
    });
}

/// An instance that holds the records.
pub(crate) struct Instance {
    store: Store<Host>,
    guest: bindings::Guest,
}

impl Instance {
    /// Instantiates what `precompile` has made, and hands it the records: one JSON object a line.
    pub(crate) fn new(code: &Path, records: &[u8]) -> Result<Self> {
        Self::ready(code, records).map_err(|error| anyhow!("cannot run {}: {error:#}", code.display()))
    }

    fn ready(code: &Path, records: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::new(&whiskjack_aot::config())?;
        #[allow(unsafe_code, reason = "native code that the benchmarks' own build made")]
        let component = unsafe { Component::deserialize_file(&engine, code) }?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        transport::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
        // The core brings the product's imports along; nobody calls these.
        wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
        let mut store = Store::new(&engine, Host::default());
        let guest = bindings::Guest::instantiate(&mut store, &component, &linker)?;
        guest.whiskjack_bench_timed().call_load(&mut store, records)?;
        Ok(Self { store, guest })
    }

    /// Events that were acknowledged.
    pub(crate) fn send(&mut self, host: &str, port: u16) -> Result<u64> {
        let sent = self.timed().call_send(&mut self.store, host, port);
        sent.map_err(|error| anyhow!("the component has failed: {error:#}"))
    }

    /// Lines that were acknowledged.
    pub(crate) fn pipeline(&mut self) -> Result<u64> {
        let done = self.timed().call_pipeline(&mut self.store);
        done.map_err(|error| anyhow!("the component has failed: {error:#}"))
    }

    fn timed(&self) -> Timed {
        self.guest.whiskjack_bench_timed().clone()
    }
}

#[derive(Default)]
struct Host {
    context: WasiCtx,
    http: WasiHttpCtx,
    no_api: NoApi,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.no_api }
    }
}

/// Refuses all requests.
#[derive(Default)]
struct NoApi;

type Processing = Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>;
type Sending = Box<dyn Future<Output = wasmtime_wasi_http::Result<(Response<WasiBody>, Processing)>> + Send>;

impl WasiHttpHooks for NoApi {
    fn send_request(&mut self, _: Request<WasiBody>, _: Option<RequestOptions>, _: Processing) -> Sending {
        Box::new(async { Err(wasmtime_wasi_http::Error::HttpRequestDenied) })
    }
}

/// A connection that the component holds.
#[allow(unreachable_pub, reason = "the generated code hands it on")]
pub struct Connection(TcpStream);

impl transport::Host for Host {}

impl transport::HostConnection for Host {
    fn connect(
        &mut self,
        host: String,
        port: u16,
        _: u64,
    ) -> wasmtime::Result<Result<Resource<Connection>, TransportError>> {
        match connect(&host, port) {
            Ok(stream) => Ok(Ok(self.table.push(Connection(stream))?)),
            Err(error) => Ok(Err(failed(&error))),
        }
    }

    fn write(
        &mut self,
        connection: Resource<Connection>,
        bytes: Vec<u8>,
        _: u64,
    ) -> wasmtime::Result<Result<(), TransportError>> {
        let Connection(stream) = self.table.get_mut(&connection)?;
        Ok(stream.write_all(&bytes).map_err(|error| failed(&error)))
    }

    fn read(
        &mut self,
        connection: Resource<Connection>,
        max_bytes: u32,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        let Connection(stream) = self.table.get_mut(&connection)?;
        Ok(read(stream, max_bytes, timeout_ms).map_err(|error| failed(&error)))
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

/// To a receiver, without delays.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What there is, within the time; 0 is for a look.
fn read(stream: &mut TcpStream, most: u32, timeout_ms: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most as usize];
    let read = if timeout_ms == 0 {
        stream.set_nonblocking(true)?;
        let read = stream.read(&mut bytes);
        stream.set_nonblocking(false)?;
        read?
    } else {
        stream.set_read_timeout(Some(Duration::from_millis(timeout_ms)))?;
        stream.read(&mut bytes)?
    };
    bytes.truncate(read);
    Ok(bytes)
}

fn failed(error: &io::Error) -> TransportError {
    let in_vain = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    let step = if in_vain { TransportStep::Timeout } else { TransportStep::Read };
    TransportError { step, retryable: in_vain, message: error.to_string() }
}
