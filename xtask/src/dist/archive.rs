//! The action's code: a zip that every image of OpenWhisk takes.

use anyhow::Result;
use whiskjack_zip::{Effort, packed};

/// The text that a Go image wants to see in `exec.env` beside `exec`: its own name, and no other (docs/facts/openwhisk.md 3.2). This is the one in
/// OpenWhisk's own manifest (3.4). All other images leave the file alone.
const EXEC_ENV: &[u8] = b"openwhisk/action-golang-v1.20\n";

/// A zip with `binary` as `exec`. The same bytes for the same binary.
pub(super) fn action(binary: &[u8]) -> Result<Vec<u8>> {
    Ok(packed(&[("exec", binary), ("exec.env", EXEC_ENV)], Effort::Kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whiskjack_zip::member;

    #[test]
    fn the_binary_is_exec_at_the_root_and_small() {
        let binary = b"\x7fELF and so on; ".repeat(1000);
        let zip = action(&binary).unwrap();
        assert!(zip.len() < binary.len() / 10, "{}", zip.len());
        let content = |name| member(&zip, name).unwrap().unwrap().content(binary.len()).unwrap();
        assert_eq!(content("exec"), binary);
        assert_eq!(content("exec.env"), b"openwhisk/action-golang-v1.20\n");
    }
}
