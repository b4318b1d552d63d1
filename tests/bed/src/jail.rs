//! A root that holds nothing but the static binary, and what a test puts beside it: an image `FROM scratch`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::artifacts;

/// The binary's name inside.
const BINARY: &str = "whiskjack";

/// A root of its own. No `/proc`, no `/dev`, no `/etc`, no shell.
#[derive(Debug)]
pub struct Jail {
    root: TempDir,
    command: Vec<OsString>,
}

impl Jail {
    /// Makes the root. Panics where no process can be started in one: as root that takes `CAP_SYS_CHROOT`, else user namespaces.
    #[track_caller]
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        // For others than the one who made it.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("permissions of the root");
        fs::copy(artifacts().whiskjack(), root.path().join(BINARY)).expect("a copy of the binary");
        let mut command: Vec<OsString> = match is_root() {
            true => vec![program("chroot").into(), root.path().into()],
            false => {
                let mut unshare: Vec<OsString> = vec![program("unshare").into(), "--map-root-user".into()];
                unshare.extend(["--root".into(), root.path().into()]);
                unshare
            }
        };
        command.push(format!("/{BINARY}").into());
        let jail = Self { root, command };
        jail.try_it();
        jail
    }

    /// Puts a file inside, as Docker does with `/etc/hosts` and `/etc/resolv.conf`.
    #[track_caller]
    pub fn put(&self, path: &str, text: &str) {
        let path = self.root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().expect("a file's directory")).expect("a directory in the root");
        fs::write(path, text).expect("a file in the root");
    }

    /// The command that starts the binary inside.
    pub fn command(&self) -> &[OsString] {
        &self.command
    }

    /// The same as `user:group`, by number. Who is not root himself has no other user to offer, and stays who he is.
    pub fn command_as(&self, user: &str) -> Vec<OsString> {
        let mut command = self.command.clone();
        if is_root() {
            command.insert(1, format!("--userspec={user}").into());
        }
        command
    }

    /// A script that does the same, for a proxy that starts a file: arguments, environment and descriptors are handed on.
    pub fn script(&self) -> String {
        let words: Vec<String> =
            self.command.iter().map(|word| format!("'{}'", word.to_str().expect("a plain path"))).collect();
        format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "))
    }

    /// Every file inside.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(self.root.path(), self.root.path(), &mut files);
        files.sort();
        files
    }

    #[track_caller]
    fn try_it(&self) {
        let (program, arguments) = self.command.split_first().expect("a command");
        let output = Command::new(program).args(arguments).arg("--version").env_clear().output();
        let output =
            output.unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        assert!(
            output.status.success(),
            "nothing can be started in a root of its own here, so it cannot be shown that the binary needs nothing else \
             (as root: is CAP_SYS_CHROOT there? else: are user namespaces allowed?): {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Default for Jail {
    fn default() -> Self {
        Self::new()
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.trim_ascii() == b"0"
}

/// The whole path of a program: an action has no `PATH`.
#[track_caller]
fn program(name: &str) -> PathBuf {
    let usual = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let found = usual.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is in none of {usual:?}"))
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of the root") {
        let path = entry.expect("an entry of the root").path();
        match path.is_dir() {
            true => collect(root, &path, files),
            false => files.push(path.strip_prefix(root).expect("below the root").to_owned()),
        }
    }
}
