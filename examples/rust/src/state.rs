//! The checkpoint in the file of `--state`.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use wasmtime::error::{Context as _, Result, bail};

/// Most symbolic links one behind the other.
const LINKS: usize = 40;

/// Where the file is, or will be: what symbolic links lead to. Anything but a plain file is refused.
pub(crate) fn resolve(named: &Path) -> Result<PathBuf> {
    let mut path = named.to_owned();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Ok(found) if !found.is_file() => {
                bail!("--state {}: is not a plain file; name another", named.display())
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("--state {}", named.display()));
            }
            _ => return Ok(path),
        }
    }
    bail!("--state {}: leads through too many symbolic links; name the file itself", named.display())
}

/// The checkpoint of the last run, or none before the first.
pub(crate) fn load(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Replaces the checkpoint as a whole: after a crash the file holds the old bytes or the new ones.
pub(crate) fn save(path: &Path, checkpoint: &[u8]) -> Result<()> {
    let new = path.with_added_extension("new");
    // One that a killed run left behind, or a link that somebody has put there: it is not followed.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} is in the way; remove it", new.display()));
        }
        _ => {}
    }
    let saved = create(&new).and_then(|mut file| {
        if let Ok(old) = fs::symlink_metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(checkpoint)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if saved.is_err() {
        fs::remove_file(&new).ok();
    }
    // The new name is durable once its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = saved.and_then(|()| File::open(folder)?.sync_all());
    synced.with_context(|| path.display().to_string())
}

fn create(new: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(new)
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "this is how a test fails")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_to_the_file_are_followed_and_those_beside_it_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        symlink("state", at("link")).unwrap();
        for bytes in [b"one", b"two"] {
            symlink("victim", at("state.new")).unwrap();
            let path = resolve(&at("link")).unwrap();
            save(&path, bytes).unwrap();
            assert_eq!(load(&path).unwrap().as_deref(), Some(&bytes[..]));
        }
        assert_eq!(fs::read(at("victim")).unwrap(), b"precious");
        assert!(at("link").is_symlink() && !at("state.new").exists());
        for refused in [folder.path(), Path::new("/dev/null")] {
            assert!(resolve(refused).unwrap_err().to_string().contains("is not a plain file"));
        }
    }
}
