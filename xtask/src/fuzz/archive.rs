//! The inputs of a target in the checkout: one file, with a line for each input.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

#[path = "../../../fuzz/corpus/read.rs"]
mod read;

/// Letters in the name of an input that the engine found: the begin of its SHA-1. It is enough to tell some hundreds apart.
const FOUND: usize = 12;

/// The archive of a target.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
}

impl Archive {
    pub(super) fn of(root: &Path, target: &str) -> Self {
        Self { path: root.join(format!("fuzz/corpus/{target}.txt")) }
    }

    /// Writes each input into a file of its own.
    pub(super) fn unpack(&self, folder: &Path) -> Result<()> {
        for (name, bytes) in self.read()? {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }

    /// Adds an input under a name that a person gives.
    pub(super) fn add(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let mut inputs = self.read()?;
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || is_found(name) || !name.bytes().all(sound) {
            bail!(
                "{name}: cannot name an input; use small letters, digits and hyphens, and say what was wrong"
            );
        }
        if inputs.insert(name.to_owned(), bytes).is_some() {
            bail!("{name}: {} has an input of this name; choose another", self.path.display());
        }
        self.write(&inputs)
    }

    /// Replaces what the engine found by what it finds now, with the SHA-1 of each. Those with a name that a person gave stay.
    pub(super) fn renew(&self, found: Vec<(String, Vec<u8>)>) -> Result<()> {
        let mut inputs = self.read()?;
        inputs.retain(|name, _| !is_found(name));
        for (sha1, bytes) in found {
            if !inputs.values().any(|named| *named == bytes) {
                inputs.insert(sha1.chars().take(FOUND).collect(), bytes);
            }
        }
        self.write(&inputs)
    }

    fn read(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let archive = fs::read_to_string(&self.path);
        let archive = archive.with_context(|| format!("cannot read {}", self.path.display()))?;
        let inputs = read::inputs(&archive).map_err(anyhow::Error::msg);
        Ok(inputs.with_context(|| self.path.display().to_string())?.into_iter().collect())
    }

    /// Those with a name that a person gave come first.
    fn write(&self, inputs: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        let (found, named): (Vec<_>, Vec<_>) = inputs.iter().partition(|(name, _)| is_found(name));
        let mut archive = String::new();
        for (name, bytes) in named.into_iter().chain(found) {
            writeln!(archive, "{name} b\"{}\"", bytes.escape_ascii())?;
        }
        fs::write(&self.path, archive).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Whether an input has the name that `renew` gives.
fn is_found(name: &str) -> bool {
    name.len() == FOUND && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &[u8] = b"2W\0\0\0\x03 {\"a\": 'b\\n'}\r\n\t\xff\xc3\xa4 ";

    fn archive(text: &str) -> (tempfile::TempDir, Archive) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("fuzz/corpus")).unwrap();
        let archive = Archive::of(root.path(), "acks");
        fs::write(&archive.path, text).unwrap();
        (root, archive)
    }

    #[test]
    fn any_bytes_are_read_as_they_were_added() {
        let every: Vec<u8> = (0..=255).collect();
        let (root, archive) = archive("");
        for (name, bytes) in [("any", ANY), ("empty", b""), ("every", &every)] {
            archive.add(name, bytes.to_vec()).unwrap();
        }
        let unpacked = root.path().join("unpacked");
        fs::create_dir(&unpacked).unwrap();
        archive.unpack(&unpacked).unwrap();
        assert_eq!(fs::read(unpacked.join("any")).unwrap(), ANY);
        assert_eq!(fs::read(unpacked.join("empty")).unwrap(), b"");
        assert_eq!(fs::read(unpacked.join("every")).unwrap(), every);
    }

    #[test]
    fn an_input_that_is_added_replaces_no_other_and_has_a_name_of_its_own() {
        let (_root, archive) = archive("v1 b\"old\"\n");
        for name in ["v1", "", "a b", "../x", "0123456789ab"] {
            archive.add(name, b"new".to_vec()).unwrap_err();
        }
        assert_eq!(fs::read_to_string(&archive.path).unwrap(), "v1 b\"old\"\n");
    }

    #[test]
    fn what_the_engine_found_is_replaced_and_what_a_person_named_stays() {
        let (_root, archive) = archive("0123456789ab b\"gone\"\nv1 b\"old\"\n");
        let sha1 = |letter: &str| letter.repeat(40);
        archive.renew(vec![(sha1("f"), b"new".to_vec()), (sha1("e"), b"old".to_vec())]).unwrap();
        assert_eq!(fs::read_to_string(&archive.path).unwrap(), "v1 b\"old\"\nffffffffffff b\"new\"\n");
    }

    #[test]
    fn a_line_that_is_not_an_input_is_refused_with_its_number() {
        for odd in
            ["v2", "v2 old", "v2 b\"\\q\"", "v2 b\"\\x4\"", "v2 b\"a\"b\"", "v2 b\"ä\"", "<<<<<<< HEAD"]
        {
            let (root, archive) = archive(&format!("v1 b\"\"\n{odd}\n"));
            let error = format!("{:#}", archive.unpack(root.path()).unwrap_err());
            assert!(error.ends_with("line 2: must be a name and a Rust byte string"), "{error}");
        }
    }
}
