//! For tests: a host like the stock `wasmtime run`, but one whose `wasi:tls` trusts the certificate authority it is told. The stock one
//! trusts public authorities only, so no test could ever talk TLS to it.
//!
//! It holds no compiler: it runs the command as `cargo xtask test` has compiled it, with the settings of the shim.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "for tests only")]

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_tls::p2::LinkOptions;
use wasmtime_wasi_tls::{
    Error, TlsProvider, TlsStream as Secure, TlsTransport, WasiTlsCtx, WasiTlsCtxBuilder, WasiTlsCtxView,
    WasiTlsView,
};

/// More than any result.
const OUTPUT: usize = 1 << 20;

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// Whether `wasi:cli/run` returned `ok`.
    pub ok: bool,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
}

/// Runs the compiled command in `code` with these arguments and this environment. At receivers it trusts `ca`, PEM.
pub fn run(code: &Path, ca: &str, arguments: &[&str], environment: &[(&str, String)]) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ran = runtime.block_on(run_async(code, ca, arguments, environment));
    ran.unwrap_or_else(|error| panic!("{error:#}"))
}

async fn run_async(
    code: &Path,
    ca: &str,
    arguments: &[&str],
    environment: &[(&str, String)],
) -> wasmtime::Result<Ran> {
    let engine = Engine::new(&whiskjack_aot::config())?;
    let component = load(&engine, code)?;
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    let mut options = LinkOptions::default();
    options.tls(true);
    wasmtime_wasi_tls::p2::add_to_linker(&mut linker, &options)?;

    let (stdout, stderr) = (MemoryOutputPipe::new(OUTPUT), MemoryOutputPipe::new(OUTPUT));
    let mut wasi = WasiCtx::builder();
    wasi.arg("whiskjack-command.wasm").args(arguments);
    wasi.inherit_network()
        .allow_tcp(true)
        .allow_ip_name_lookup(true)
        .stdout(stdout.clone())
        .stderr(stderr.clone());
    environment.iter().for_each(|(name, value)| {
        wasi.env(name, value);
    });
    let state = State {
        table: ResourceTable::new(),
        wasi: wasi.build(),
        http: WasiHttpCtx::new(),
        tls: WasiTlsCtxBuilder::new().provider(Box::new(Trusting::new(ca))).build(),
    };
    let mut store = Store::new(&engine, state);
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    let ended = command.wasi_cli_run().call_run(&mut store).await?;
    let text = |pipe: MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
    Ok(Ran { ok: ended.is_ok(), stdout: text(stdout), stderr: text(stderr) })
}

#[allow(unsafe_code, reason = "the code was compiled by this workspace")]
fn load(engine: &Engine, code: &Path) -> wasmtime::Result<Component> {
    // SAFETY: `cargo xtask test` has compiled the file with this workspace's wasmtime.
    unsafe { Component::deserialize_file(engine, code) }
}

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    tls: WasiTlsCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let hooks = wasmtime_wasi_http::default_hooks();
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks }
    }
}

impl WasiTlsView for State {
    fn tls(&mut self) -> WasiTlsCtxView<'_> {
        WasiTlsCtxView { ctx: &mut self.tls, table: &mut self.table }
    }
}

/// A connection that is being made.
type Connecting = Pin<Box<dyn Future<Output = Result<Box<dyn Secure>, Error>> + Send>>;

/// As wasmtime's own provider, with other roots.
struct Trusting(Arc<ClientConfig>);

impl Trusting {
    fn new(ca: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

impl TlsProvider for Trusting {
    fn connect(&self, server_name: String, transport: Box<dyn TlsTransport>) -> Connecting {
        let connector = TlsConnector::from(self.0.clone());
        Box::pin(async move {
            let name = ServerName::try_from(server_name).map_err(|_| Error::msg("invalid server name"))?;
            let stream = connector.connect(name, transport).await?;
            Ok(Box::new(Secured(stream)) as Box<dyn Secure>)
        })
    }
}

type Inner = TlsStream<Box<dyn TlsTransport>>;

/// Only to be a stream of wasmtime's.
struct Secured(Inner);

impl Secure for Secured {}

mod delegate {
    //! Reads and writes of [`Secured`] are those of what it holds.

    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Secured;

    impl AsyncRead for Secured {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Secured {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
        }
    }
}
