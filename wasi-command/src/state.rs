//! The checkpoint in a file, and a lease beside it in place of a lock.
//!
//! The program follows symbolic links first, so that it leases, reads and replaces the file that they lead to, by whatever name the file
//! was given. From there on it follows none: a user who may write the folder must not be able to lead a save elsewhere.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::arguments::unreadable;
use whiskjack_settings::{beside, folder};

/// How long a lease lasts when it is not renewed. It is renewed after every turn, which is a few seconds; a run that waited longer, for a
/// receiver or the API, and then finds the lease of another one, stops.
pub const LEASE_MS: u64 = 120_000;

/// Most symbolic links one behind the other, as many as Linux follows.
const LINKS: usize = 40;

/// The file, leased for the time of a run: two runs on one checkpoint would send the same lines twice.
///
/// WASI has no file locks. So `FILE.lease` names the run that is at work, and until when; the last run to write it wins, and the other one
/// reads that. Two runs that begin at the same moment can still both continue; then lines come twice, with the same ids, and none is lost.
/// The `whiskjack` binary locks `FILE.lock` instead: it does not see this lease.
#[derive(Debug)]
pub struct StateFile {
    /// As it was named, for messages.
    named: PathBuf,
    /// Where it is.
    path: PathBuf,
    lease: PathBuf,
    /// Tells this run from any other.
    run: String,
}

impl StateFile {
    /// Takes the lease. `run` is a text that no other run has. Errors are sentences that name the file.
    pub fn open(named: &Path, run: &str, now_ms: u64) -> Result<Self, String> {
        let fault = |what: String| format!("--state {}: {what}", named.display());
        let path = resolve(named).map_err(&fault)?;
        let lease = beside(&path, "lease");
        let begun = || fault("another run has begun at the same moment; wait for it to end".to_owned());
        match read(&lease) {
            Ok(held)
                if lasts_until(&held).is_some_and(|until| until > now_ms && until <= now_ms + LEASE_MS) =>
            {
                return Err(fault(format!(
                    "is in use by another run; wait for it to end, or if it was killed, for {} s",
                    LEASE_MS / 1000
                )));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(fault(format!("its lease cannot be read: {}", unreadable(&error))));
            }
            _ => {}
        }
        let file = Self { named: named.to_owned(), path, lease, run: run.to_owned() };
        file.write_lease(now_ms).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => begun(),
            _ => fault(format!("its folder cannot be written: {}", unreadable(&error))),
        })?;
        match file.holder().as_deref() == Some(run) {
            true => Ok(file),
            false => Err(begun()),
        }
    }

    /// Makes the lease last from now on. Errors are sentences that name the file.
    pub fn renew(&self, now_ms: u64) -> Result<(), String> {
        self.check()?;
        self.write_lease(now_ms).map_err(|error| {
            format!("--state {}: its lease was not renewed: {}", self.named.display(), unreadable(&error))
        })
    }

    /// An error if another run has taken the lease, as this one was silent for too long.
    pub fn check(&self) -> Result<(), String> {
        match self.holder() {
            Some(other) if other != self.run => Err(format!(
                "--state {}: another run has taken it over, as this one had to wait for too long; the lines that this one sent come again",
                self.named.display()
            )),
            _ => Ok(()),
        }
    }

    /// The bytes of the last save, or none before the first.
    pub fn load(&self) -> Result<Option<Vec<u8>>, String> {
        match read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("--state {}: {}", self.named.display(), unreadable(&error))),
        }
    }

    /// Replaces the bytes as a whole: after a crash the file holds the old ones or the new ones.
    pub fn save(&self, bytes: &[u8]) -> Result<(), String> {
        self.check()?;
        replace(&self.path, |file| file.write_all(bytes)).map_err(|error| {
            format!(
                "--state {}: cannot be written: {error}; lines sent by this run may be sent again",
                self.named.display()
            )
        })
    }

    fn write_lease(&self, now_ms: u64) -> io::Result<()> {
        let lease = format!("{} {}\n", now_ms.saturating_add(LEASE_MS), self.run);
        replace(&self.lease, |file| file.write_all(lease.as_bytes()))
    }

    /// The run that holds the lease, if one does.
    fn holder(&self) -> Option<String> {
        let held = String::from_utf8(read(&self.lease).ok()?).ok()?;
        held.split_whitespace().nth(1).map(str::to_owned)
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        if self.holder().as_deref() == Some(&self.run) {
            let _ = fs::remove_file(&self.lease);
        }
    }
}

fn lasts_until(lease: &[u8]) -> Option<u64> {
    std::str::from_utf8(lease).ok()?.split_whitespace().next()?.parse().ok()
}

/// Where the file is, or will be: what symbolic links lead to, also if that is not there yet. Anything but a plain file is refused.
fn resolve(named: &Path) -> Result<PathBuf, String> {
    let mut path = named.to_owned();
    for _ in 0..LINKS {
        let is_folder = || "is a folder; name a file in it".to_owned();
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(is_folder());
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                // A host may show no target outside of the folders that it shows.
                let target = fs::read_link(&path).map_err(|error| {
                    format!("is a symbolic link that cannot be followed: {}", unreadable(&error))
                })?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Ok(found) if found.is_dir() => return Err(is_folder()),
            Ok(found) if !found.is_file() => {
                return Err("is not a plain file but a device, pipe or socket; name another".to_owned());
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unreadable(&error)),
            _ => return Ok(path),
        }
    }
    Err("leads through too many symbolic links; name the file itself".to_owned())
}

/// The bytes of a plain file: no link is followed, and nobody waits for the other end of a pipe.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        let what = format!("{} is not a plain file; remove it", path.display());
        return Err(io::Error::new(ErrorKind::InvalidInput, what));
    }
    fs::read(path)
}

/// Puts what `write` writes in the place of the file at `path`. WASI knows no rights of files: the new one has those that the host gives it.
fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let new = beside(path, "new");
    // One that a killed run left behind, or a link that somebody has put there: it is not followed.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let what = format!("{} is in the way: {error}; remove it", new.display());
            return Err(io::Error::new(error.kind(), what));
        }
        _ => {}
    }
    let mut file = File::create_new(&new)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&new, path)) {
        // On a full disk it would only be in the way.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    // The new name is durable once its folder is. Not every host lets a guest open a folder for that.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_last_is_loaded_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::open(&folder.path().join("state"), "a", 0).unwrap();
        assert_eq!(file.load().unwrap(), None);
        file.save(b"one").unwrap();
        file.save(b"two").unwrap();
        assert_eq!(file.load().unwrap().as_deref(), Some(&b"two"[..]));
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_second_run_is_refused_while_the_first_lasts_and_not_after_it_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = StateFile::open(&path, "a", 1_000).unwrap();
        assert!(StateFile::open(&path, "b", 2_000).unwrap_err().contains("in use by another run"));
        first.renew(100_000).unwrap();
        assert!(StateFile::open(&path, "b", 150_000).is_err());
        std::mem::forget(first);
        let second = StateFile::open(&path, "b", 100_001 + LEASE_MS).unwrap();
        drop(second);
        StateFile::open(&path, "c", 0).unwrap();
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_the_file_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::mem::forget(StateFile::open(&path, "a", 1_000_000_000).unwrap());
        StateFile::open(&path, "b", 0).unwrap();
    }

    #[test]
    fn a_run_that_lost_its_lease_leaves_it_to_the_other_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = StateFile::open(&path, "a", 0).unwrap();
        let second = StateFile::open(&path, "b", LEASE_MS).unwrap();
        drop(first);
        assert_eq!(second.holder().as_deref(), Some("b"));
    }

    #[test]
    fn a_save_that_fails_keeps_the_old_bytes_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = StateFile::open(&path, "a", 0).unwrap();
        file.save(b"one").unwrap();
        // A folder in the way of the new file.
        fs::create_dir(beside(&path, "new")).unwrap();
        assert!(file.save(b"two").unwrap_err().contains("cannot be written"));
        assert_eq!(file.load().unwrap().as_deref(), Some(&b"one"[..]));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_flag() {
        let folder = tempfile::tempdir().unwrap();
        let message = StateFile::open(&folder.path().join("no/state"), "a", 0).unwrap_err();
        assert!(message.starts_with("--state ") && message.contains("--dir"), "{message}");
    }

    #[test]
    fn a_run_that_lost_its_lease_does_not_save_over_the_other_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = StateFile::open(&path, "a", 0).unwrap();
        let second = StateFile::open(&path, "b", LEASE_MS).unwrap();
        second.save(b"two").unwrap();
        for lost in [first.check(), first.renew(LEASE_MS), first.save(b"one")] {
            assert!(lost.unwrap_err().contains("another run has taken it over"));
        }
        assert_eq!(second.load().unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(second.holder().as_deref(), Some("b"));
    }

    #[cfg(unix)]
    mod links {
        use super::*;
        use std::os::unix::fs::symlink;

        #[test]
        fn two_links_to_one_file_are_one_file_and_links_they_stay() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("there")).unwrap();
            // It is not there yet.
            symlink("there/state", at("one")).unwrap();
            symlink(at("one"), at("two")).unwrap();
            let file = StateFile::open(&at("one"), "a", 0).unwrap();
            for name in ["one", "two", "there/state"] {
                let message = StateFile::open(&at(name), "b", 1).unwrap_err();
                assert!(message.contains("in use by another run"), "{message}");
            }
            assert_eq!(file.load().unwrap(), None);
            file.save(b"new").unwrap();
            assert_eq!(fs::read(at("there/state")).unwrap(), b"new");
            assert!(fs::symlink_metadata(at("one")).unwrap().is_symlink());
            drop(file);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        }

        #[test]
        fn a_hostile_link_beside_the_file_is_not_followed() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::write(at("victim"), "precious").unwrap();
            for link in ["victim", "nothing"] {
                symlink(link, at("state.lease.new")).unwrap();
                let file = StateFile::open(&at("state"), "a", 0).unwrap();
                symlink(link, at("state.new")).unwrap();
                file.save(b"one").unwrap();
                symlink(link, at("state.lease.new")).unwrap();
                file.renew(1).unwrap();
                drop(file);
                symlink(link, at("state.lease")).unwrap();
                let message = StateFile::open(&at("state"), "a", 0).unwrap_err();
                assert!(message.contains("state.lease is not a plain file; remove it"), "{message}");
                fs::remove_file(at("state.lease")).unwrap();
            }
            assert_eq!(fs::read(at("victim")).unwrap(), b"precious");
            assert!(!at("nothing").exists());
        }

        #[test]
        fn what_is_not_a_plain_file_is_refused() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            symlink("a", at("b")).unwrap();
            symlink("b", at("a")).unwrap();
            let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
            for (path, part) in [
                (folder.path().to_owned(), "is a folder; name a file in it"),
                (at("missing/"), "is a folder"),
                (at("a"), "too many symbolic links"),
                (at("socket"), "is not a plain file"),
                ("/dev/full".into(), "is not a plain file"),
            ] {
                let message = StateFile::open(&path, "a", 0).unwrap_err();
                assert!(message.starts_with("--state ") && message.contains(part), "{message}");
            }
        }

        #[test]
        fn a_full_disk_keeps_the_old_bytes_and_leaves_nothing_behind() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            fs::write(&path, "one").unwrap();
            let full = |_: &mut File| fs::OpenOptions::new().write(true).open("/dev/full")?.write_all(b"two");
            assert_eq!(replace(&path, full).unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(fs::read(&path).unwrap(), b"one");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
