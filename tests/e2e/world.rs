//! The imports and exports of a built component.

use std::path::Path;
use whiskjack_testbed::artifacts;
use wit_component::DecodedWasm;

/// What any host of WASI has. WASI's patch version comes with the compiler, so it is not compared.
const OF_ANY_HOST: &[&str] = &[
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
];

/// All that any host has, and `more`; sorted.
pub(crate) fn of_any_host_and(more: &[&'static str]) -> Vec<&'static str> {
    let mut all = [OF_ANY_HOST, more].concat();
    all.sort_unstable();
    all
}

/// Names of the imports, sorted, and of the exports. WASI's imports come without their version, which must be 0.2: the patch version is the compiler's.
pub(crate) fn imports_and_exports(component: &Path) -> [Vec<String>; 2] {
    let component = std::fs::read(component).unwrap();
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
    [imports, world.exports.keys().map(|key| resolve.name_world_key(key)).collect()]
}

/// Whether Debian's Rust has built the components. Its libc is a preview-1 one: the adapter asks for a file system, and for no terminals.
pub(crate) fn is_of_debian() -> bool {
    let toolchain = std::fs::read_to_string(artifacts().directory().join("toolchain")).unwrap_or_default();
    toolchain.starts_with("debian")
}
