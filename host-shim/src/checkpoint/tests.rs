use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn refused(&self, name: &str) -> String {
        let message = CheckpointFile::open(&self.at(name)).unwrap_err().to_string();
        assert!(message.starts_with(&format!("--state {}: ", self.at(name).display())), "{message}");
        message
    }
}

fn rights(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn what_was_saved_last_is_loaded_and_only_the_lock_is_left_beside_it() {
    let place = Place::new();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    assert_eq!(file.load().unwrap(), None);
    file.save(b"one").unwrap();
    file.save(b"two").unwrap();
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(place.names(), ["state", "state.lock"]);
}

#[test]
fn a_second_run_on_the_same_file_is_refused_while_the_first_lasts() {
    let place = Place::new();
    let first = CheckpointFile::open(&place.at("state")).unwrap();
    assert!(place.refused("state").contains("in use by another run"));
    drop(first);
    CheckpointFile::open(&place.at("state")).unwrap();
}

#[test]
fn two_links_to_one_file_are_one_file_and_links_they_stay() {
    let place = Place::new();
    fs::create_dir(place.at("there")).unwrap();
    fs::write(place.at("there/state"), "old").unwrap();
    symlink("there/state", place.at("one")).unwrap();
    symlink(place.at("one"), place.at("two")).unwrap();
    symlink("there", place.at("folder")).unwrap();
    let file = CheckpointFile::open(&place.at("two")).unwrap();
    for name in ["one", "two", "there/state", "folder/state"] {
        assert!(place.refused(name).contains("in use by another run"), "{name}");
    }
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"old"[..]));
    file.save(b"new").unwrap();
    assert_eq!(fs::read(place.at("there/state")).unwrap(), b"new");
    assert_eq!(place.names(), ["folder", "one", "there", "two"]);
    assert!(fs::symlink_metadata(place.at("one")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(place.at("two")).unwrap().is_symlink());
}

#[test]
fn a_link_that_leads_to_nothing_yet_gets_its_file_where_it_leads_to() {
    let place = Place::new();
    fs::create_dir(place.at("there")).unwrap();
    symlink("there/state", place.at("link")).unwrap();
    let file = CheckpointFile::open(&place.at("link")).unwrap();
    assert_eq!(file.load().unwrap(), None);
    file.save(b"one").unwrap();
    assert!(fs::symlink_metadata(place.at("link")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(place.at("there/state")).unwrap().is_file());
}

#[test]
fn links_in_a_circle_and_into_no_folder_are_named() {
    let place = Place::new();
    symlink("b", place.at("a")).unwrap();
    symlink("a", place.at("b")).unwrap();
    symlink("nowhere/state", place.at("c")).unwrap();
    assert!(place.refused("a").contains("too many symbolic links"));
    assert!(place.refused("c").contains("its folder is not there"));
    assert!(place.refused("nowhere/state").contains("its folder is not there"));
}

#[test]
fn a_hostile_link_beside_the_file_is_not_followed() {
    let place = Place::new();
    fs::write(place.at("victim"), "precious").unwrap();
    symlink("victim", place.at("state.new")).unwrap();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    // Again between two saves.
    for link in ["victim", "nothing"] {
        file.save(b"one").unwrap();
        symlink(link, place.at("state.new")).unwrap();
    }
    file.save(b"two").unwrap();
    assert_eq!(fs::read(place.at("victim")).unwrap(), b"precious");
    assert_eq!(place.names(), ["state", "state.lock", "victim"]);
    drop(file);
    fs::remove_file(place.at("state.lock")).unwrap();
    for link in ["victim", "nothing"] {
        symlink(link, place.at("state.lock")).unwrap();
        assert!(place.refused("state").contains("state.lock cannot be opened"));
        fs::remove_file(place.at("state.lock")).unwrap();
    }
    assert_eq!(place.names(), ["state", "victim"]);
}

#[test]
fn the_file_may_not_become_a_link_during_a_run() {
    let place = Place::new();
    fs::write(place.at("victim"), "precious").unwrap();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    symlink("victim", place.at("state")).unwrap();
    assert!(file.load().unwrap_err().contains("cannot be read"));
    file.save(b"one").unwrap();
    assert_eq!(fs::read(place.at("victim")).unwrap(), b"precious");
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"one"[..]));
}

#[test]
fn what_a_killed_run_left_is_replaced() {
    let place = Place::new();
    fs::write(place.at("state"), "old").unwrap();
    fs::write(place.at("state.new"), "hal").unwrap();
    fs::write(place.at("state.lock"), "").unwrap();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"old"[..]));
    fs::write(place.at("state.new"), "hal").unwrap();
    file.save(b"new").unwrap();
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"new"[..]));
    assert_eq!(place.names(), ["state", "state.lock"]);
}

#[test]
fn a_new_file_is_its_owners_and_an_old_one_keeps_its_rights() {
    let place = Place::new();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    file.save(b"one").unwrap();
    assert_eq!(rights(&place.at("state")), 0o600);
    fs::set_permissions(place.at("state"), Permissions::from_mode(0o664)).unwrap();
    file.save(b"two").unwrap();
    assert_eq!(rights(&place.at("state")), 0o664);
}

#[test]
fn what_is_not_a_plain_file_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir(place.at("folder")).unwrap();
    symlink("folder", place.at("link")).unwrap();
    for name in ["folder", "link", "folder/", "missing/", ".."] {
        assert!(place.refused(name).contains("is a folder; name a file in it"), "{name}");
    }
    let _socket = UnixListener::bind(place.at("socket")).unwrap();
    let pipe = rustix::fs::CWD;
    rustix::fs::mknodat(pipe, place.at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for name in ["socket", "pipe"] {
        assert!(place.refused(name).contains("is not a plain file"), "{name}");
    }
    for device in ["/dev/null", "/dev/full"] {
        assert!(
            CheckpointFile::open(Path::new(device)).unwrap_err().to_string().contains("is not a plain file")
        );
    }
    assert!(CheckpointFile::open(Path::new("")).unwrap_err().to_string().contains("is a folder"));
    fs::write(place.at("file"), "").unwrap();
    assert!(place.refused("file/state").contains("cannot be reached"));
    // Also where the lock belongs: nobody waits for the other end of a pipe.
    rustix::fs::mknodat(pipe, place.at("state.lock"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(place.refused("state").contains("state.lock cannot be opened"));
}

#[test]
fn a_folder_in_the_way_of_the_new_file_is_said_before_anything_is_sent() {
    let place = Place::new();
    fs::create_dir(place.at("state.new")).unwrap();
    let message = place.refused("state");
    assert!(
        message.contains("its folder cannot be written") && message.contains("state.new is in the way"),
        "{message}"
    );
}

#[test]
fn a_save_that_fails_keeps_the_old_bytes_and_says_so() {
    let place = Place::new();
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    file.save(b"one").unwrap();
    fs::create_dir(place.at("state.new")).unwrap();
    let message = file.save(b"two").unwrap_err();
    assert!(message.contains("cannot be written") && message.contains("may be sent again"), "{message}");
    assert_eq!(file.load().unwrap().as_deref(), Some(&b"one"[..]));
}

#[test]
fn a_full_disk_keeps_the_old_bytes_and_leaves_nothing_behind() {
    let place = Place::new();
    fs::write(place.at("state"), "one").unwrap();
    let full = |file: &mut File| {
        file.write_all(b"tw")?;
        // What the disk says.
        OpenOptions::new().write(true).open("/dev/full")?.write_all(b"o")
    };
    let error = replace(&place.at("state"), full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(told(&error).ends_with("make room there"));
    assert_eq!(fs::read(place.at("state")).unwrap(), b"one");
    assert_eq!(place.names(), ["state"]);
}

#[test]
fn a_folder_that_may_not_be_written_is_named_with_what_to_do() {
    // Root may write everywhere but where the kernel itself says no.
    let message = CheckpointFile::open(Path::new("/proc/state")).unwrap_err().to_string();
    assert!(message.starts_with("--state /proc/state: /proc/state.lock cannot be opened"), "{message}");
    assert!(message.contains("must be writable"), "{message}");
}

#[test]
fn a_run_that_saves_nothing_leaves_no_lock_behind_and_one_that_saves_leaves_it() {
    let place = Place::new();
    let lock = place.at("state.lock");
    drop(CheckpointFile::open(&place.at("state")).unwrap());
    assert!(!lock.exists());
    let file = CheckpointFile::open(&place.at("state")).unwrap();
    file.save(b"one").unwrap();
    drop(file);
    assert!(lock.exists());
    // It was there before, so it is not this run's.
    drop(CheckpointFile::open(&place.at("state")).unwrap());
    assert!(lock.exists());
}

#[test]
fn a_name_that_cannot_be_one_of_a_file_is_told_from_a_file_that_is_in_use() {
    let place = Place::new();
    let _first = CheckpointFile::open(&place.at("state")).unwrap();
    assert!(matches!(CheckpointFile::open(&place.at("state")), Err(Unusable::Blocked(_))));
    for name in ["", "none/state"] {
        assert!(matches!(CheckpointFile::open(&place.at(name)), Err(Unusable::Named(_))), "{name:?}");
    }
    assert!(matches!(CheckpointFile::open(Path::new("")), Err(Unusable::Named(_))));
}
