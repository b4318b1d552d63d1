//! Where codecs run: in this program, or as a component in the engine of the product.

use anyhow::{Context, Result, ensure};
use codec_bench::codecs::{self, Codec};
use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable, TypedFunc};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A place that holds the windows.
pub(crate) trait Place {
    /// Makes a compressor.
    fn open(&mut self, codec: &str, level: u8) -> Result<()>;
    /// Compresses all windows.
    fn run(&mut self) -> Result<()>;
    /// The streams of the last run, one behind the other.
    fn streams(&mut self) -> Result<Vec<u8>>;
}

pub(crate) struct Native<'a> {
    windows: &'a [Vec<u8>],
    codec: Option<Box<dyn Codec>>,
    streams: Vec<u8>,
}

impl<'a> Native<'a> {
    pub(crate) fn new(windows: &'a [Vec<u8>]) -> Self {
        Self { windows, codec: None, streams: Vec::new() }
    }
}

impl Place for Native<'_> {
    fn open(&mut self, codec: &str, level: u8) -> Result<()> {
        self.codec = codecs::open(codec, level);
        self.codec.as_ref().map(|_| ()).with_context(|| format!("{codec} has no level {level}"))
    }

    fn run(&mut self) -> Result<()> {
        self.streams.clear();
        let codec = self.codec.as_mut().context("open comes first")?;
        self.windows.iter().for_each(|window| codec.append(window, &mut self.streams));
        Ok(())
    }

    fn streams(&mut self) -> Result<Vec<u8>> {
        Ok(self.streams.clone())
    }
}

pub(crate) struct Wasm {
    store: Store<Host>,
    choose: TypedFunc<(String, u8), (bool,)>,
    run: TypedFunc<(), (u64,)>,
    streams: TypedFunc<(), (Vec<u8>,)>,
}

impl Wasm {
    pub(crate) fn new(guest: &Path, windows: &[Vec<u8>]) -> Result<Self> {
        Self::ready(guest, windows).map_err(failed).with_context(|| format!("cannot run {}", guest.display()))
    }

    fn ready(guest: &Path, windows: &[Vec<u8>]) -> wasmtime::Result<Self> {
        // As the product compiles ahead of time: for a plain CPU of this kind, not for this very one.
        let mut config = whiskjack_aot::config();
        config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
        let engine = Engine::new(&config)?;
        let component = Component::from_file(&engine, guest)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        let mut store = Store::new(&engine, Host::default());
        let instance = linker.instantiate(&mut store, &component)?;
        let load = instance.get_typed_func::<(&[Vec<u8>],), ()>(&mut store, "load")?;
        load.call(&mut store, (windows,))?;
        Ok(Self {
            choose: instance.get_typed_func(&mut store, "choose")?,
            run: instance.get_typed_func(&mut store, "run")?,
            streams: instance.get_typed_func(&mut store, "streams")?,
            store,
        })
    }
}

impl Place for Wasm {
    fn open(&mut self, codec: &str, level: u8) -> Result<()> {
        let (there,) = self.choose.call(&mut self.store, (codec.to_owned(), level)).map_err(failed)?;
        ensure!(there, "{codec} has no level {level} as a component");
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        self.run.call(&mut self.store, ()).map_err(failed)?;
        Ok(())
    }

    fn streams(&mut self) -> Result<Vec<u8>> {
        Ok(self.streams.call(&mut self.store, ()).map_err(failed)?.0)
    }
}

/// Wasmtime's errors are no `std::error::Error`.
fn failed(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

#[derive(Default)]
struct Host {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}
