//! The built component imports only what the WIT says.

use crate::world::{imports_and_exports, is_of_debian};
use whiskjack_testbed::artifacts;

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
    let [mut imports, exports] = imports_and_exports(&artifacts().component());
    if is_of_debian() {
        // Nobody uses that file system.
        imports.retain(|import| !import.starts_with("wasi:filesystem/"));
        assert!(imports.iter().all(|import| IMPORTS.contains(&import.as_str())), "{imports:?}");
    } else {
        assert_eq!(imports, IMPORTS);
    }
    assert_eq!(exports, ["whiskjack:forwarder/forwarder@0.1.0"]);
}
