//! Ids of events.

use crate::openwhisk::record::ActivationId;

/// A line's stable id: a function of namespace, activation and index only, so that a repeat overwrites its document, and equal lines do not.
pub fn id(namespace: &str, activation: ActivationId, index: u64) -> String {
    format!("{}{index}", id_but_number(namespace, activation))
}

/// The id of the event about the activation itself.
pub fn id_of_activation(namespace: &str, activation: ActivationId) -> String {
    id_but_number(namespace, activation) + OF_ACTIVATION
}

/// In place of a line's number, in the id of the event about an activation.
pub(super) const OF_ACTIVATION: &str = "activation";

/// The whole id except the number.
pub(super) fn id_but_number(namespace: &str, activation: ActivationId) -> String {
    format!("{:08x}-{activation}-", fnv1a(namespace.as_bytes()))
}

/// FNV-1a, 32 bits. The activation id is unique already; this only distinguishes two installations that would count their ids alike.
pub(super) fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
