//! Records that are read before the clock starts.

use whiskjack::openwhisk::record::Record;

/// Records as JSON, newest first.
#[derive(Debug, Default)]
pub struct Records {
    pub(crate) json: Vec<Vec<u8>>,
}

impl Records {
    /// Takes them apart: one a line.
    pub fn new(lines: &[u8]) -> Self {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Self { json: lines.map(<[u8]>::to_vec).collect() }
    }

    /// Each as its fields. What cannot be read is left out.
    pub fn parsed(&self) -> Vec<Record<'_>> {
        self.json.iter().filter_map(|json| Record::parse(json).ok()).collect()
    }

    /// All log lines.
    pub fn events(&self) -> u64 {
        self.parsed().iter().map(|record| record.entries().count() as u64).sum()
    }
}
