//! What an error of the operating system means for people: what is wrong, and what to do. The subject stands before it.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::net::plain;

/// Most bytes of a file that somebody has written or packed, in MiB: a platform takes smaller actions only, and a device may have no end.
const MOST_MIB: u64 = 64;

/// The bytes of a file, which may be a pipe, unless there are too many.
pub(crate) fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let (most, mut bytes) = (MOST_MIB << 20, Vec::new());
    let count = File::open(file)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match count as u64 > most {
        true => Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {MOST_MIB} MiB"))),
        false => Ok(bytes),
    }
}

/// The bytes of the file that is called `place` in messages, such as `--config c.yaml`.
pub(crate) fn read(place: &str, file: &Path) -> Result<Vec<u8>, String> {
    bytes(file).map_err(|error| format!("{place}: {}", unreadable(&error)))
}

/// Why a file cannot be read.
pub(crate) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "there is no such file; name one that is there".to_owned()
        }
        ErrorKind::IsADirectory => "is a folder; name a file in it".to_owned(),
        ErrorKind::PermissionDenied => {
            "may not be read by this user; change its rights, or name another file".to_owned()
        }
        _ => format!("cannot be read: {}; name another file", plain(error)),
    }
}

/// Why something cannot be written; `otherwise` is what to do where the error itself does not tell.
pub(crate) fn unwritable(error: &io::Error, otherwise: &str) -> String {
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there",
        ErrorKind::ResourceBusy => "mount its folder, not the file alone",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "name a file in a folder that may be written"
        }
        ErrorKind::BrokenPipe => {
            return "cannot be written: its reader has ended; let it read to the end".to_owned();
        }
        _ => otherwise,
    };
    format!("cannot be written: {}; {remedy}", plain(error))
}

/// What a write to stdout failed with.
pub(crate) fn of_stdout(error: &io::Error) -> String {
    format!("stdout: {}", unwritable(error, "let it lead elsewhere"))
}

/// Why nothing can listen on an address.
pub(crate) fn deaf(error: &io::Error) -> String {
    let (what, remedy) = match error.kind() {
        ErrorKind::AddrInUse => ("another program listens there", "give another port, or end that program"),
        ErrorKind::AddrNotAvailable => (
            "this machine does not have the address",
            "give one that it has, such as 127.0.0.1, or 0.0.0.0 for all",
        ),
        ErrorKind::PermissionDenied => ("this user may not listen there", "give a port above 1023"),
        _ => return format!("cannot listen there: {}; give another port", plain(error)),
    };
    format!("{what}; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "x").unwrap();
        for (path, expected) in [
            (folder.path().join("none"), "there is no such file; name one that is there"),
            (file.join("below"), "there is no such file; name one that is there"),
            (folder.path().to_owned(), "is a folder; name a file in it"),
        ] {
            assert_eq!(read("--ca f", &path), Err(format!("--ca f: {expected}")));
        }
        assert_eq!(read("--ca f", &file), Ok(b"x".to_vec()));
        let endless = read("--ca f", Path::new("/dev/zero"));
        assert_eq!(
            endless,
            Err("--ca f: cannot be read: it has more than 64 MiB; name another file".to_owned())
        );
    }

    #[test]
    fn no_message_shows_the_number_of_an_error_and_each_says_what_to_do() {
        // Beginning with 1, EPERM.
        for number in 1..=133 {
            let error = io::Error::from_raw_os_error(number);
            for said in [unreadable(&error), unwritable(&error, "do so"), of_stdout(&error), deaf(&error)] {
                assert!(said.contains("; ") && !said.contains("os error"), "{number}: {said}");
            }
        }
    }
}
