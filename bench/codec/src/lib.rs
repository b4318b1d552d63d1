//! The codecs that are compared, natively and, through `wit/codec.wit`, as a component.

pub mod codecs;
#[cfg(target_os = "wasi")]
mod guest;
