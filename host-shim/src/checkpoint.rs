//! A checkpoint kept in a file.
//!
//! The host follows symbolic links first, so that it locks, reads and replaces the file that they lead to, by whatever name the file was
//! given. From there on it follows none: a user who may write the folder must not be able to lead a save elsewhere.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Access, OFlags, access};

use crate::net::plain as plain_words;
use crate::os_error;
use whiskjack_settings::{beside, folder};

/// Most symbolic links one behind the other, as many as Linux follows.
const LINKS: usize = 40;
const NOT_PLAIN: &str = "it is not a plain file";
/// Rights of a new file: names of actions are nobody else's business. An old file keeps its own.
pub(crate) const RIGHTS: u32 = 0o600;

/// The file, locked for the time of a run: two runs on one checkpoint would send the same lines twice.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    /// As it was named, for messages.
    named: PathBuf,
    /// Where it is.
    path: PathBuf,
    lock: Lock,
}

/// Why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is not one that can be named so. A sentence.
    #[error("{0}")]
    Named(String),
    /// Something else is in the way. A sentence.
    #[error("{0}")]
    Blocked(String),
}

impl Unusable {
    /// Where nothing may be written, another place must be named; anything else may pass.
    fn of(error: &io::Error, what: String) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
                Self::Named(what)
            }
            _ => Self::Blocked(what),
        }
    }

    fn named(self, name: &str) -> Self {
        match self {
            Self::Named(what) => Self::Named(format!("{name}{what}")),
            Self::Blocked(what) => Self::Blocked(format!("{name}{what}")),
        }
    }
}

/// The lock beside the file. One that was made for a run which saved nothing is taken away again.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    _file: File,
    is_new: bool,
    is_of_use: AtomicBool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_new && !self.is_of_use.load(Ordering::Relaxed) {
            // While it is held, so that nobody else holds it: who waits for it looks whether it is still there.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

impl CheckpointFile {
    /// Locks the file, and sees whether it can be replaced. Errors are sentences that name it.
    pub(crate) fn open(named: &Path) -> Result<Self, Unusable> {
        let fault = |unusable: Unusable| unusable.named(&format!("--state {}: ", named.display()));
        let path = resolve(named).map_err(|what| fault(Unusable::Named(what)))?;
        // The checkpoint itself is replaced at each save, so the lock needs a file that stays.
        let lock = locked(&beside(&path, "lock")).map_err(fault)?;
        // Better now than when all is sent.
        let new = beside(&path, "new");
        create(&new)
            .and_then(|_| std::fs::remove_file(&new))
            .map_err(|error| fault(Unusable::of(&error, format!("its folder {}", told(&error)))))?;
        Ok(Self { named: named.to_owned(), path, lock })
    }

    /// The bytes of the last save, or none before the first.
    pub(crate) fn load(&self) -> Result<Option<Vec<u8>>, String> {
        let mut bytes = Vec::new();
        match plain(OpenOptions::new().read(true))
            .open(&self.path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
        {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("--state {}: {}", self.named.display(), os_error::unreadable(&error))),
        }
    }

    /// Replaces the bytes as a whole: after a crash the file holds the old ones or the new ones.
    pub(crate) fn save(&self, bytes: &[u8]) -> Result<(), String> {
        self.lock.is_of_use.store(true, Ordering::Relaxed);
        replace(&self.path, |file| file.write_all(bytes)).map_err(|error| {
            format!(
                "--state {}: {}; lines sent by this run may be sent again",
                self.named.display(),
                told(&error)
            )
        })
    }
}

/// Whether the name can be that of a checkpoint's file, before anything is read or asked. Errors are sentences that name it.
pub(crate) fn look(named: &Path) -> Result<(), String> {
    resolve(named).map(|_| ()).map_err(|what| format!("--state {}: {what}", named.display()))
}

/// Whether a run could lock and replace the file, as far as rights tell: nothing is made or locked. Errors are those of [`CheckpointFile::open`].
pub(crate) fn foresee(named: &Path) -> Result<(), String> {
    let fault = |what: String| format!("--state {}: {what}", named.display());
    let path = resolve(named).map_err(fault)?;
    let may = |path: &Path, how| access(path, how).map_err(io::Error::from);
    let may_make = || may(folder(&path), Access::WRITE_OK | Access::EXEC_OK);
    let lock = beside(&path, "lock");
    match lock.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(io::Error::other(NOT_PLAIN)),
        Ok(_) => may(&lock, Access::WRITE_OK),
        Err(_) => may_make(),
    }
    .map_err(|error| fault(unlockable(&lock, &error)))?;
    may_make().map_err(|error| fault(format!("its folder {}", told(&error))))
}

/// What the file holds, for somebody who only looks: a run that is at work replaces it as a whole, so no lock is needed.
pub(crate) fn glance(named: &Path) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(named) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("--state {}: {}", named.display(), os_error::unreadable(&error))),
    }
}

/// Where the file is, or will be: what symbolic links lead to, also if that is not there yet. Anything but a plain file is refused.
fn resolve(named: &Path) -> Result<PathBuf, String> {
    let mut path = named.to_owned();
    for _ in 0..LINKS {
        let is_folder = || "is a folder; name a file in it".to_owned();
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(is_folder());
        }
        match path.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                let target = path.read_link().map_err(|error| {
                    format!("cannot be followed: {}; name the file itself", plain_words(&error))
                })?;
                path = folder(&path).join(target);
            }
            Ok(found) if found.is_dir() => return Err(is_folder()),
            Ok(found) if !found.is_file() => {
                return Err("is not a plain file but a device, pipe or socket; name another".to_owned());
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(format!("cannot be reached: {}; name another file", plain_words(&error)));
            }
            _ => {
                let name = path.file_name().map(PathBuf::from).unwrap_or_default();
                let folder = folder(&path).canonicalize();
                return Ok(folder
                    .map_err(|error| match error.kind() {
                        ErrorKind::NotFound => "its folder is not there; make it first".to_owned(),
                        _ => format!("its folder cannot be reached: {}; name another", plain_words(&error)),
                    })?
                    .join(name));
            }
        }
    }
    Err("leads through too many symbolic links; name the file itself".to_owned())
}

/// The file at `path`, made if need be and locked.
fn locked(path: &Path) -> Result<Lock, Unusable> {
    loop {
        let is_new = path.symlink_metadata().is_err();
        let file = try_locked(path)?;
        // Who held it before may have taken it away.
        let is_there = file.metadata().and_then(|own| Ok((own.dev(), own.ino(), path.symlink_metadata()?)));
        if is_there.is_ok_and(|(dev, ino, found)| (found.dev(), found.ino()) == (dev, ino)) {
            return Ok(Lock {
                path: path.to_owned(),
                _file: file,
                is_new,
                is_of_use: AtomicBool::new(false),
            });
        }
    }
}

fn try_locked(path: &Path) -> Result<File, Unusable> {
    let opened = plain(OpenOptions::new().create(true).truncate(false).write(true)).open(path);
    let lock = opened.and_then(|file| match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(NOT_PLAIN)),
    });
    let lock = lock.map_err(|error| Unusable::of(&error, unlockable(path, &error)))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Unusable::Blocked("is in use by another run; wait for it to end".to_owned()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(Unusable::Blocked(format!(
            "cannot be locked: {}; keep it on a file system with locks",
            plain_words(&error)
        ))),
    }
}

/// Why there is no lock.
fn unlockable(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    format!(
        "{shown} cannot be opened: {}; its folder must be writable, and nothing else may have this name",
        plain_words(error)
    )
}

/// Puts what `write` writes in the place of the file at `path`.
fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let new = beside(path, "new");
    let mut file = create(&new)?;
    let replaced = path
        .symlink_metadata()
        .map_or_else(absent, |old| keep_rights(&file, &old))
        .and_then(|()| write(&mut file))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&new, path));
    if let Err(error) = replaced {
        // On a full disk it would only be in the way.
        std::fs::remove_file(&new).ok();
        return Err(error);
    }
    sync_folder(path)
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A new file, that nobody else has made. One that a killed run left behind is removed first: we hold the lock.
fn create(new: &Path) -> io::Result<File> {
    std::fs::remove_file(new).or_else(absent).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("{} is in the way: {}; remove it", new.display(), plain_words(&error)),
        )
    })?;
    OpenOptions::new().write(true).create_new(true).mode(RIGHTS).open(new)
}

/// Owner and rights of the old file. Only root may give a file away; where that fails, the rights are kept all the same.
fn keep_rights(file: &File, old: &Metadata) -> io::Result<()> {
    fchown(file, Some(old.uid()), Some(old.gid())).ok();
    file.set_permissions(Permissions::from_mode(old.mode() & 0o777))
}

/// A new name is durable once its folder is. Some file systems cannot sync one, and one that cannot be read cannot be opened.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let synced = File::open(folder(path)).and_then(|folder| folder.sync_all());
    synced.or_else(|error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    })
}

/// Follows no symbolic link, and does not wait for the other end of a pipe.
fn plain(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed())
}

fn told(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => os_error::unwritable(error, "name another file"),
        // It says more.
        None => format!("cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests;
