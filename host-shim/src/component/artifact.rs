//! The component's native code, used in place, from the program's own file.
//!
//! The kernel maps that file and reads a page when something touches it. A copy would read the whole code, and would hold it in memory a
//! second time.

use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{MprotectFlags, mprotect};
use wasmtime::component::Component;
use wasmtime::{CustomCodeMemory, Engine};

/// Pages of this size are the largest that the processor's kernels use, in bytes: 64 KiB on ARM64.
const PAGE: usize = if cfg!(target_arch = "aarch64") { 64 << 10 } else { 4 << 10 };

/// Bytes that begin with a page, so that a part of them can be made executable.
#[cfg_attr(target_arch = "aarch64", repr(C, align(65536)))]
#[cfg_attr(not(target_arch = "aarch64"), repr(C, align(4096)))]
struct Paged<T: ?Sized>(T);

const _: () = assert!(align_of::<Paged<()>>() == PAGE, "the attributes above say the same as `PAGE`");

static CODE: &Paged<[u8]> = &Paged(*include_bytes!(concat!(env!("OUT_DIR"), "/whiskjack.cwasm")));

/// Whether the program was built without its component.
pub(super) fn is_missing() -> bool {
    CODE.0.is_empty()
}

/// An engine that can use the code, and the component that the code makes.
pub(super) fn load() -> wasmtime::Result<(Engine, Component)> {
    let mut config = whiskjack_aot::config();
    config.with_custom_code_memory(Some(Arc::new(InPlace)));
    let engine = Engine::new(&config)?;
    #[allow(
        unsafe_code,
        reason = "native code that this program's own build made, in memory that nobody writes and that lives as long as the process"
    )]
    let component = unsafe { Component::deserialize_raw(&engine, NonNull::from(&CODE.0)) }?;
    Ok((engine, component))
}

/// Makes code executable in the read-only part of the program.
struct InPlace;

impl CustomCodeMemory for InPlace {
    fn required_alignment(&self) -> usize {
        PAGE
    }

    fn publish_executable(&self, code: *const u8, length: usize) -> wasmtime::Result<()> {
        protect(code, length, MprotectFlags::READ | MprotectFlags::EXEC)
    }

    fn unpublish_executable(&self, code: *const u8, length: usize) -> wasmtime::Result<()> {
        protect(code, length, MprotectFlags::READ)
    }
}

/// No flag makes memory writable here, so it stays as the program's file has it.
fn protect(code: *const u8, length: usize, flags: MprotectFlags) -> wasmtime::Result<()> {
    #[allow(
        unsafe_code,
        reason = "the engine gives a range of `CODE` alone, and runs nothing of it while it is not executable"
    )]
    unsafe { mprotect(code.cast_mut().cast(), length, flags) }.map_err(|error| {
        wasmtime::Error::from(error).context("the kernel does not make the program's code executable")
    })
}
