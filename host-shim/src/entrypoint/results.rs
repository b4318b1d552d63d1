//! File descriptor 3, to which an ActionLoop action writes its results.

use std::fs::File;
use std::os::unix::fs::FileTypeExt;

use rustix::process::{ForeignRawFd, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

const DESCRIPTOR: ForeignRawFd = 3;

/// The names of descriptor 3, in the order in which they are tried.
const NAMES: [&str; 2] = ["/proc/self/fd/3", "/dev/fd/3"];

/// Descriptor 3 if it is a pipe: that is how OpenWhisk's ActionLoop proxy starts an action, and nobody starts a command so.
///
/// Taking over a bare descriptor number is not safe Rust. So it is opened by its name, or where nothing is mounted that has it (every OCI
/// container has `/proc`, a bare root has not), the kernel duplicates it as a debugger would; that needs Linux 5.6, and container
/// profiles may forbid it.
pub(super) fn pipe() -> Option<File> {
    let is_pipe = |file: &File| file.metadata().is_ok_and(|about| about.file_type().is_fifo());
    NAMES.iter().find_map(|name| named(name)).or_else(duplicate).filter(is_pipe)
}

fn named(name: &str) -> Option<File> {
    // Looked at first: to open something else could have effects.
    let about = std::fs::metadata(name).ok()?;
    about.file_type().is_fifo().then(|| File::options().write(true).open(name).ok())?
}

fn duplicate() -> Option<File> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
    pidfd_getfd(own, DESCRIPTOR, PidfdGetfdFlags::empty()).ok().map(File::from)
}
