//! Composes the command for a stock wasmtime: the forwarder gets its `transport` from one component, and is called by another.
//!
//! ```text
//!  program ──forwarder──▶ whiskjack.wasm ──transport──▶ socket transport
//!     └───────────────────control───────────────────────────▲
//! ```
//!
//! There is one instance of each, so that the program and the forwarder reach the same sockets. It is a tool of its own, so that `xtask` is
//! built without it.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// What everything of ours is called before its version.
const OURS: &str = "whiskjack:forwarder/";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [forwarder, transport, program, to] = arguments.as_slice() else {
        bail!("usage: whiskjack-compose FORWARDER TRANSPORT PROGRAM TO (four .wasm files)");
    };
    let mut graph = CompositionGraph::new();
    let transport = instantiate(&mut graph, transport, &[])?;
    let forwarder = instantiate(&mut graph, forwarder, &[transport])?;
    let program = instantiate(&mut graph, program, &[forwarder, transport])?;
    let run =
        export_named(&graph, program, "wasi:cli/run@").context("the program exports no `wasi:cli/run`")?;
    let alias = graph.alias_instance_export(program, &run)?;
    graph.export(alias, &run)?;
    let bytes = graph.encode(EncodeOptions::default())?;
    fs::write(to, bytes).with_context(|| format!("cannot write {to}"))
}

/// Instantiates a component whose imports of ours come from `from`, the first that has them. Imports of WASI become those of the whole.
fn instantiate(graph: &mut CompositionGraph, path: &str, from: &[NodeId]) -> Result<NodeId> {
    let name = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or(path);
    let name = format!("whiskjack:{}", name.replace('_', "-"));
    let bytes = fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let package = Package::from_bytes(&name, None, bytes, graph.types_mut())
        .with_context(|| format!("{path} is not a component"))?;
    let package = graph.register_package(package)?;
    let instance = graph.instantiate(package);
    let imports = graph.types()[graph[package].ty()].imports.keys();
    let wanted: Vec<String> = imports.filter(|import| import.starts_with(OURS)).cloned().collect();
    for import in wanted {
        let part = from.iter().find(|part| export_named(graph, **part, &import).is_some());
        let part = part.with_context(|| format!("{path} imports {import}, which no other part exports"))?;
        let export = graph.alias_instance_export(*part, &import)?;
        graph.set_instantiation_argument(instance, &import, export)?;
    }
    Ok(instance)
}

/// The export of an instance whose name begins so.
fn export_named(graph: &CompositionGraph, instance: NodeId, prefix: &str) -> Option<String> {
    let package = graph[instance].package()?;
    let exports = graph.types()[graph[package].ty()].exports.keys();
    exports.into_iter().find(|export| export.starts_with(prefix)).cloned()
}
