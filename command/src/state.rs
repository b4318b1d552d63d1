//! The checkpoint in a file, and a lease beside it in place of a lock.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::arguments::unreadable;

/// How long a lease lasts when it is not renewed: longer than a run may be silent, so that only that of a killed run runs out.
pub const LEASE_MS: u64 = 120_000;

/// The file, leased for the time of a run: two runs on one checkpoint would send the same lines twice.
///
/// WASI knows no file locks. So `FILE.lease` says until when a run goes on and which one it is; the last to write it wins, and the other
/// one reads that. Two runs that begin within the same moment can still both go on; then lines come twice, with the same ids, and none is
/// lost. The `whiskjack` binary locks `FILE.lock` instead: it does not see this lease.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    lease: PathBuf,
    /// Tells this run from any other.
    run: String,
}

impl StateFile {
    /// Takes the lease. `run` is a text that no other run has. Errors are sentences that name the file.
    pub fn open(path: &Path, run: &str, now_ms: u64) -> Result<Self, String> {
        let fault = |what: String| format!("--state {}: {what}", path.display());
        let lease = beside(path, "lease");
        match fs::read_to_string(&lease) {
            Ok(held)
                if lasts_until(&held).is_some_and(|until| until > now_ms && until <= now_ms + LEASE_MS) =>
            {
                return Err(fault(format!(
                    "is in use by another run; wait for it to end, or if it was killed, for {} s",
                    LEASE_MS / 1000
                )));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(unreadable(&error))),
            _ => {}
        }
        let file = Self { path: path.to_owned(), lease, run: run.to_owned() };
        file.renew(now_ms)
            .map_err(|error| fault(format!("its folder cannot be written: {}", unreadable(&error))))?;
        match file.is_ours() {
            true => Ok(file),
            false => Err(fault("another run has begun at the same moment".to_owned())),
        }
    }

    /// Makes the lease last from now on.
    pub fn renew(&self, now_ms: u64) -> io::Result<()> {
        replace(&self.lease, format!("{} {}\n", now_ms.saturating_add(LEASE_MS), self.run).as_bytes())
    }

    /// The bytes of the last save, or none before the first.
    pub fn load(&self) -> Result<Option<Vec<u8>>, String> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("--state {}: {}", self.path.display(), unreadable(&error))),
        }
    }

    /// Replaces the bytes as a whole: after a crash the file holds the old ones or the new ones.
    pub fn save(&self, bytes: &[u8]) -> Result<(), String> {
        replace(&self.path, bytes).map_err(|error| {
            format!(
                "--state {}: cannot be written ({error}); lines sent by this run may be sent again",
                self.path.display()
            )
        })
    }

    fn is_ours(&self) -> bool {
        fs::read_to_string(&self.lease)
            .is_ok_and(|held| held.split_whitespace().nth(1) == Some(self.run.as_str()))
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        if self.is_ours() {
            let _ = fs::remove_file(&self.lease);
        }
    }
}

fn lasts_until(lease: &str) -> Option<u64> {
    lease.split_whitespace().next()?.parse().ok()
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, "new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    // The new name is durable once its folder is. Not every host lets a guest open a folder for that.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
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
        assert!(second.is_ours());
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
}
