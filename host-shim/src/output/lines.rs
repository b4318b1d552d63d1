//! JSON lines: a file, or stdout.
//!
//! The program writes a window as a whole, and syncs it to the disk. If that fails, it cuts the file to its earlier length. A program that
//! is killed may leave a part of a window behind, whose last line may be torn: the next program ends that line, so that no other line is
//! joined to it, and sends the window again.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

use super::{Refusal, Sink};
use crate::checkpoint::{RIGHTS, Unusable, sync_folder};
use crate::net::plain;
use crate::os_error::unwritable;
use crate::said;

const NOT_REGULAR: &str = "is not a regular file; give a file, or - for stdout";

/// Where JSON lines go.
#[derive(Debug)]
pub(crate) struct JsonLines {
    /// As it was named.
    name: String,
    file: File,
    /// A plain file that nobody else writes to.
    is_own: bool,
}

impl JsonLines {
    /// Whether the file may be an output, as far as it shows without being opened for writing. Errors are sentences that name it.
    pub(super) fn look(named: &Path) -> Result<(), Unusable> {
        let fault = |what: &str| Err(Unusable::Named(format!("--output {}: {what}", named.display())));
        let folder = named.parent().filter(|folder| !folder.as_os_str().is_empty());
        if named == Path::new("-") {
            return match is_closed(io::stdout()) {
                true => {
                    fault("stdout is closed; leave it open, let it lead to a file or pipe, or name a file")
                }
                false => Ok(()),
            };
        }
        let found = named.metadata().ok();
        if found.as_ref().is_some_and(Metadata::is_dir) {
            return fault("is a folder; name a file in it");
        }
        let is_file = found.as_ref().is_some_and(Metadata::is_file);
        // A pipe would wait for somebody, and nothing can be cut off of a device.
        if found.is_some() && !is_file {
            return fault(NOT_REGULAR);
        }
        if folder.is_some_and(|folder| !folder.exists()) {
            return fault("its folder is not there; make it first");
        }
        // What else may be in the way is seen when it is opened.
        if is_file && File::open(named).is_ok_and(|file| begins_otherwise(&file)) {
            return fault("holds something else than JSON lines; name another file");
        }
        Ok(())
    }

    /// The file of `--output`, or stdout for `-`. Errors are sentences that name it.
    pub(crate) fn open(named: &Path) -> Result<Self, Unusable> {
        let name = format!("--output {}", named.display());
        let fault = |what: String| Unusable::Named(format!("{name}: {what}"));
        if named == Path::new("-") {
            let file = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| fault(unwritable(&error, "name a file")))?;
            return Ok(Self { name, file: file.into(), is_own: false });
        }
        let is_new = !named.exists();
        let opened = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(RIGHTS)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(named);
        let file = opened.map_err(|error| match error.kind() {
            ErrorKind::IsADirectory => fault("is a folder; name a file in it".to_owned()),
            ErrorKind::NotFound => fault("its folder is not there; make it first".to_owned()),
            _ => fault(format!("cannot be opened: {}; name a file that may be written", plain(&error))),
        })?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(fault(NOT_REGULAR.to_owned()));
        }
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => {
                let what =
                    format!("{name}: another run writes to it; wait for its end, or name another file");
                return Err(Unusable::Blocked(what));
            }
            // A file system without locks has no two runs at once, we hope.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => {}
        }
        let lines = Self { name, file, is_own: true };
        if lines.holds_something_else() {
            return Err(Unusable::Named(format!(
                "{}: holds something else than JSON lines; name another file",
                lines.name
            )));
        }
        let prepared = lines.end_torn_line().and_then(|()| if is_new { sync_folder(named) } else { Ok(()) });
        prepared.map_err(|error| Unusable::Blocked(lines.told(&error)))?;
        Ok(lines)
    }

    /// Whether the file does not begin as a document does.
    fn holds_something_else(&self) -> bool {
        self.is_own && begins_otherwise(&self.file)
    }

    /// Ends the last line, if a program that was killed has not.
    fn end_torn_line(&self) -> io::Result<()> {
        let Some(last) = self.length()?.filter(|_| self.is_own).and_then(|length| length.checked_sub(1))
        else {
            return Ok(());
        };
        let mut byte = [b'\n'];
        self.file.read_exact_at(&mut byte, last)?;
        if byte == [b'\n'] { Ok(()) } else { (&self.file).write_all(b"\n") }
    }

    /// Bytes of a plain file.
    fn length(&self) -> io::Result<Option<u64>> {
        if !self.is_own {
            return Ok(None);
        }
        self.file.metadata().map(|found| Some(found.len()))
    }

    fn write(&self, documents: &[&[u8]]) -> io::Result<()> {
        let size = documents.iter().map(|document| document.len() + 1).sum();
        let mut text = Vec::with_capacity(size);
        for document in documents {
            text.extend_from_slice(document);
            text.push(b'\n');
        }
        (&self.file).write_all(&text)?;
        match self.file.sync_data() {
            // A terminal, a pipe or a device.
            Err(error)
                if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
                    && !self.is_own =>
            {
                Ok(())
            }
            synced => synced,
        }
    }

    fn told(&self, error: &io::Error) -> String {
        format!("{}: {}", self.name, unwritable(error, "name another file"))
    }
}

/// Whether a standard descriptor was closed when the program was started: Rust then opens `/dev/null` in its place, for reading and writing. Who
/// wants no output opens it for writing alone.
fn is_closed(descriptor: impl AsFd) -> bool {
    let is_null = || Some(fstat(&descriptor).ok()?.st_rdev == stat("/dev/null").ok()?.st_rdev);
    let is_open_for_both = fcntl_getfl(&descriptor).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    is_open_for_both && is_null() == Some(true)
}

/// Whether a file does not begin as a document does.
fn begins_otherwise(file: &File) -> bool {
    let mut first = [0];
    file.read_at(&mut first, 0).is_ok_and(|read| read > 0) && first != [b'{']
}

impl Sink for JsonLines {
    fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal> {
        let written = self.length().and_then(|before| {
            let written = match self.is_own {
                true => self.write(documents),
                false => said::aside(|| self.write(documents)),
            };
            written.inspect_err(|_| {
                // What was written of a window that failed would only come again. If this fails, it does.
                before.and_then(|before| self.file.set_len(before).ok());
            })
        });
        written.map_err(|error| Refusal { message: self.told(&error), retryable: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(lines: &mut JsonLines, documents: &[&str]) -> Result<(), Refusal> {
        lines.take(&documents.iter().map(|text| text.as_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn lines_are_appended_and_one_that_was_torn_is_ended_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        take(&mut JsonLines::open(&path).unwrap(), &["{\"a\":1}", "{}"]).unwrap();
        take(&mut JsonLines::open(&path).unwrap(), &["{\"b\":1}"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{}\n{\"b\":1}\n");
        std::fs::write(&path, "{}\n{\"to").unwrap();
        take(&mut JsonLines::open(&path).unwrap(), &["{}"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n{\"to\n{}\n");
    }

    #[test]
    fn what_cannot_be_an_output_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let said = |path: &Path| JsonLines::open(path).unwrap_err().to_string();
        assert!(said(folder.path()).ends_with(": is a folder; name a file in it"), "{}", said(folder.path()));
        let missing = said(&folder.path().join("no/out"));
        assert!(
            missing.starts_with("--output ") && missing.ends_with("its folder is not there; make it first")
        );
        let notes = folder.path().join("notes.txt");
        std::fs::write(&notes, "actions: [hello]\n").unwrap();
        assert!(said(&notes).ends_with(": holds something else than JSON lines; name another file"));
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), "actions: [hello]\n");
        let held = JsonLines::open(&path).unwrap();
        assert!(
            matches!(JsonLines::open(&path), Err(Unusable::Blocked(what)) if what.contains("another run"))
        );
        drop(held);
        assert!(JsonLines::open(&path).is_ok());
    }

    #[test]
    fn a_descriptor_that_was_closed_is_known_by_how_dev_null_is_open_in_its_place() {
        let null = |reads| OpenOptions::new().read(reads).write(true).open("/dev/null").unwrap();
        assert!(is_closed(null(true)));
        assert!(!is_closed(null(false)));
        let zero = OpenOptions::new().read(true).write(true).open("/dev/zero").unwrap();
        assert!(!is_closed(zero));
        assert!(!is_closed(tempfile::tempfile().unwrap()));
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut full = JsonLines { name: "--output full".to_owned(), file, is_own: false };
        let refusal = take(&mut full, &["{}"]).unwrap_err();
        let expected = "--output full: cannot be written: no space left on device; make room there";
        assert_eq!((refusal.message.as_str(), refusal.retryable), (expected, false));
    }
}
