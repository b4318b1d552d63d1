//! A checkpoint kept in a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file, locked for the time of a run: two runs on one checkpoint would send the same lines twice.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
    _lock: File,
}

impl CheckpointFile {
    /// Locks the file. Errors are sentences that name it.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let fault = |what: String| format!("the checkpoint file {} {what}", path.display());
        // The checkpoint itself is replaced at each save, so the lock needs a file that stays.
        let lock =
            File::options().create(true).truncate(false).write(true).open(beside(path, "lock")).map_err(
                |error| fault(format!("cannot be locked: {error}; its folder must exist and be writable")),
            )?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(fault("is in use by another run; wait for it to end".to_owned()))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(fault(format!("cannot be locked: {error}"))),
        }
    }

    /// The bytes of the last save, or none before the first.
    pub(crate) fn load(&self) -> Result<Option<Vec<u8>>, String> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("the checkpoint file {} cannot be read: {error}", self.path.display())),
        }
    }

    /// Replaces the bytes as a whole: after a crash the file holds the old ones or the new ones.
    pub(crate) fn save(&self, bytes: &[u8]) -> Result<(), String> {
        self.replace(bytes).map_err(|error| {
            format!(
                "the checkpoint file {} cannot be written: {error}; lines sent by this run may be sent again",
                self.path.display()
            )
        })
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let new = beside(&self.path, "new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        // The new name is durable once its folder is.
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
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
    fn what_was_saved_last_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let file = CheckpointFile::open(&folder.path().join("state")).unwrap();
        assert_eq!(file.load().unwrap(), None);
        file.save(b"one").unwrap();
        file.save(b"two").unwrap();
        assert_eq!(file.load().unwrap().as_deref(), Some(&b"two"[..]));
    }

    #[test]
    fn a_second_run_on_the_same_file_is_refused_while_the_first_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = CheckpointFile::open(&path).unwrap();
        assert!(CheckpointFile::open(&path).unwrap_err().contains("in use by another run"));
        drop(first);
        CheckpointFile::open(&path).unwrap();
    }

    #[test]
    fn a_save_that_fails_keeps_the_old_bytes_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = CheckpointFile::open(&path).unwrap();
        file.save(b"one").unwrap();
        // A folder in the way of the new file.
        std::fs::create_dir(beside(&path, "new")).unwrap();
        assert!(file.save(b"two").unwrap_err().contains("cannot be written"));
        assert_eq!(file.load().unwrap().as_deref(), Some(&b"one"[..]));
    }
}
