//! The built component imports only what the WIT says.

use crate::world::{imports_and_exports, is_of_debian, of_any_host_and};
use whiskjack_testbed::artifacts;

#[test]
fn the_component_imports_only_what_any_wasi_host_has_and_the_transport() {
    // Without `wasi:filesystem`, `wasi:sockets` and the like.
    let known = of_any_host_and(&["whiskjack:forwarder/transport@0.1.0", "whiskjack:forwarder/types@0.1.0"]);
    let [mut imports, exports] = imports_and_exports(&artifacts().component());
    if is_of_debian() {
        // Nobody uses that file system.
        imports.retain(|import| !import.starts_with("wasi:filesystem/"));
        assert!(imports.iter().all(|import| known.contains(&import.as_str())), "{imports:?}");
    } else {
        assert_eq!(imports, known);
    }
    assert_eq!(exports, ["whiskjack:forwarder/forwarder@0.1.0"]);
}
