//! A new process of the same program in the place of this one, for the activations to come.
//!
//! It has the same process id, so a program that watches the process sees no change. Threads end, and files and sockets are closed, except
//! the first descriptors. A checkpoint's file is as the last save left it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// The program of this process, also if its file has another name by now or none.
const SELF: &str = "/proc/self/exe";

/// Begins anew with the same arguments and with what `adapt` sets. Returns only if that fails.
pub(super) fn replace(adapt: impl FnOnce(&mut Command)) -> io::Error {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    // A bare root has no /proc.
    let mut command = match Path::new(SELF).exists() {
        true => Command::new(SELF),
        false => Command::new(&name),
    };
    adapt(command.arg0(&name).args(arguments));
    command.exec()
}
