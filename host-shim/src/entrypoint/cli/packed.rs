//! Texts that the program carries: `build.rs` deflates them, as they are seldom needed.

use miniz_oxide::inflate::decompress_to_vec;

/// JSON Schema of the configuration.
pub(super) const SCHEMA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/whiskjack.schema.json.deflated"));
/// Completions for bash.
pub(super) const BASH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/whiskjack.bash.deflated"));
/// Completions for zsh.
pub(super) const ZSH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/_whiskjack.deflated"));
/// Completions for fish.
pub(super) const FISH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/whiskjack.fish.deflated"));

/// The text. One that this program was built with is whole.
pub(super) fn unpacked(packed: &[u8]) -> String {
    String::from_utf8(decompress_to_vec(packed).unwrap_or_default()).unwrap_or_default()
}
