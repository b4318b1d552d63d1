//! The action's code: a zip that every image of OpenWhisk takes.

use std::io::{Cursor, Write};

use anyhow::Result;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The text that a Go image wants to see in `exec.env` beside `exec`: its own name, and no other (docs/facts/openwhisk.md 3.2). This is the one in
/// OpenWhisk's own manifest (3.4). All other images leave the file alone.
const EXEC_ENV: &str = "openwhisk/action-golang-v1.20\n";

/// A zip with `binary` as `exec`. The same bytes for the same binary.
pub(super) fn action(binary: &[u8]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        // The first that a zip knows: not when this was made.
        .last_modified_time(DateTime::default());
    zip.start_file("exec", options.unix_permissions(0o755))?;
    zip.write_all(binary)?;
    zip.start_file("exec.env", options.unix_permissions(0o644))?;
    zip.write_all(EXEC_ENV.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_binary_is_exec_at_the_root_executable_and_small() {
        let binary = b"\x7fELF and so on; ".repeat(1000);
        let bytes = action(&binary).unwrap();
        assert!(bytes.len() < binary.len() / 10, "{}", bytes.len());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            entries.push((entry.name().unwrap().into_owned(), entry.unix_mode().unwrap() & 0o777, content));
        }
        assert_eq!(
            entries,
            [
                ("exec".to_owned(), 0o755, binary),
                ("exec.env".to_owned(), 0o644, b"openwhisk/action-golang-v1.20\n".to_vec())
            ]
        );
    }
}
