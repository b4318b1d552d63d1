//! The file of `--output`, which is opened, and made if need be, when a run begins: not while the configuration has faults.

use std::path::{Path, PathBuf};

use super::lines::JsonLines;
use super::{Refusal, Sink};
use crate::checkpoint::Unusable;

/// A file that is opened once, and stays open and locked.
#[derive(Debug)]
pub(crate) struct OutputFile {
    named: PathBuf,
    lines: Option<JsonLines>,
}

impl OutputFile {
    /// The file of that name, or stdout for `-`. What can be seen to be no output is refused, and nothing is made or changed.
    pub(crate) fn named(named: &Path) -> Result<Self, Unusable> {
        JsonLines::look(named)?;
        Ok(Self { named: named.to_owned(), lines: None })
    }

    fn opened(&mut self) -> Result<&mut JsonLines, Unusable> {
        match &mut self.lines {
            Some(lines) => Ok(lines),
            closed => Ok(closed.insert(JsonLines::open(&self.named)?)),
        }
    }
}

impl Sink for OutputFile {
    fn open(&mut self) -> Result<(), Unusable> {
        self.opened().map(|_| ())
    }

    fn is_open(&self) -> bool {
        self.lines.is_some()
    }

    fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal> {
        let lines =
            self.opened().map_err(|unusable| Refusal { message: unusable.to_string(), retryable: false })?;
        lines.take(documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_when_it_is_opened_and_what_is_no_output_is_refused_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = OutputFile::named(&path).unwrap();
        assert!(!path.exists() && !output.is_open());
        output.open().unwrap();
        assert!(path.exists() && output.is_open());
        output.take(&[b"{}"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        let mut second = OutputFile::named(&path).unwrap();
        assert!(matches!(second.open(), Err(Unusable::Blocked(what)) if what.contains("another run")));
        drop(output);
        second.open().unwrap();
        std::fs::write(folder.path().join("notes"), "notes").unwrap();
        for (name, said) in
            [("", "is a folder"), ("no/out", "its folder is not there"), ("notes", "something else")]
        {
            let refused = OutputFile::named(&folder.path().join(name)).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
