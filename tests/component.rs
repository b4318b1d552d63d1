//! The built component asks of its host what the WIT says, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use whiskjack_testbed::artifacts;
use wit_component::DecodedWasm;

/// Without `wasi:filesystem`, `wasi:sockets` and the like. WASI's patch version comes with the compiler, so it is not compared.
const IMPORTS: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "whiskjack:forwarder/transport@0.1.0",
    "whiskjack:forwarder/types@0.1.0",
];

#[test]
fn the_component_imports_only_what_any_wasi_host_has_and_the_transport() {
    let component = std::fs::read(artifacts().component()).unwrap();
    let decoded = wit_component::decode(&component).unwrap();
    let DecodedWasm::Component(resolve, world) = &decoded else { panic!("it is no component") };
    let world = &resolve.worlds[*world];
    let mut imports: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    for import in &mut imports {
        if let Some((name, version)) = import.split_once('@')
            && name.starts_with("wasi:")
        {
            assert!(version.starts_with("0.2."), "{name} {version}");
            *import = name.to_owned();
        }
    }
    imports.sort();
    imports.dedup();
    let toolchain = std::fs::read_to_string(artifacts().directory().join("toolchain")).unwrap_or_default();
    if toolchain.starts_with("debian") {
        // Debian's libc is a preview-1 one: its adapter asks for a file system that nobody uses, and for no terminals.
        imports.retain(|import| !import.starts_with("wasi:filesystem/"));
        assert!(imports.iter().all(|import| IMPORTS.contains(&import.as_str())), "{imports:?}");
    } else {
        assert_eq!(imports, IMPORTS);
    }
    let exports: Vec<String> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    assert_eq!(exports, ["whiskjack:forwarder/forwarder@0.1.0"]);
}
