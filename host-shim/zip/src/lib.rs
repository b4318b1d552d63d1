//! Zip, as far as an action's code needs it: a few deflated files, and the names of those that another tool has packed. `whiskjack deploy` and `cargo xtask dist`
//! pack with it.

use std::io::Write as _;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchive, ZipArchiveWriter, ZipVerification, crc32};

/// First 1980, the earliest date that a zip knows: not when this was made.
const DATE: i64 = 315_532_800;
/// Rights of the files: they are executable.
const MODE: u32 = 0o100_755;

/// How hard a file is compressed, as a level of zlib.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For a zip that is sent once: zlib's own default.
    Once = 6,
    /// For a zip that is kept: the least bytes.
    Kept = 10,
}

/// A zip with these executable files, at its root: the same bytes each time.
///
/// # Errors
/// A name that no zip can have.
pub fn packed(files: &[(&str, &[u8])], effort: Effort) -> Result<Vec<u8>, rawzip::Error> {
    let mut zip = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in files {
        let file = zip.new_file(*name).compression_method(CompressionMethod::DEFLATE);
        let (mut entry, _) =
            file.last_modified(UtcDateTime::from_unix(DATE)).unix_permissions(MODE).start()?;
        entry.write_all(&compress_to_vec(bytes, effort as u8))?;
        entry.finish(DataDescriptorOutput::new(crc32(bytes), bytes.len() as u64))?;
    }
    zip.finish()
}

/// A file of a zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'z> {
    method: CompressionMethod,
    /// As it is stored.
    bytes: &'z [u8],
    /// What the zip says of its content.
    claim: ZipVerification,
}

impl Member<'_> {
    /// What is in it, up to `most` bytes. `None` if it cannot be read, or is larger.
    pub fn content(&self, most: usize) -> Option<Vec<u8>> {
        let content = match self.method {
            CompressionMethod::STORE if self.bytes.len() <= most => self.bytes.to_vec(),
            CompressionMethod::DEFLATE => decompress_to_vec_with_limit(self.bytes, most).ok()?,
            _ => return None,
        };
        let found = ZipVerification { crc: crc32(&content), uncompressed_size: content.len() as u64 };
        self.claim.valid(found).ok().map(|()| content)
    }
}

/// The file of this name in a zip, if it has one. `None` if it is not a zip.
pub fn member<'z>(zip: &'z [u8], wanted: &str) -> Option<Option<Member<'z>>> {
    let archive = ZipArchive::from_slice(zip).ok()?;
    let mut entries = archive.entries();
    while let Some(header) = entries.next_entry().ok()? {
        if header.file_path().as_bytes() == wanted.as_bytes() {
            let entry = archive.get_entry(header.wayfinder()).ok()?;
            let (begin, end) = entry.compressed_data_range();
            let bytes = zip.get(usize::try_from(begin).ok()?..usize::try_from(end).ok()?)?;
            let (method, claim) = (header.compression_method(), entry.claim_verifier());
            return Some(Some(Member { method, bytes, claim }));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read, Write};
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipArchive, ZipWriter};

    #[test]
    fn another_reader_finds_the_files_whole_and_executable() {
        let program = b"\x7fELF and more".repeat(1000);
        let packed = packed(&[("exec", &program), ("exec.env", b"text")], Effort::Once).unwrap();
        assert!(packed.len() < program.len() / 10, "it is deflated");
        let mut zip = ZipArchive::new(Cursor::new(packed)).unwrap();
        assert_eq!(zip.len(), 2);
        for (name, bytes) in [("exec", program.as_slice()), ("exec.env", b"text")] {
            let mut file = zip.by_name(name).unwrap();
            assert_eq!(file.unix_mode().unwrap(), 0o100_755);
            let mut read = Vec::new();
            // Reads the check sum, too.
            file.read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn files_that_another_tool_has_packed_are_found() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for name in ["notes/exec", "exec.env", "exec"] {
            writer.start_file(name, options).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.set_comment("a comment").unwrap();
        let zip = writer.finish().unwrap().into_inner();
        let content = |zip: &[u8], most| member(zip, "exec").unwrap().unwrap().content(most);
        assert_eq!(content(&zip, 10), Some(b"exec".to_vec()));
        assert_eq!(content(&zip, 3), None, "too large");
        assert_eq!(member(&zip, "notes"), Some(None));
        let own = packed(&[("a", b"other"), ("exec", &b"program".repeat(100))], Effort::Kept).unwrap();
        assert_eq!(content(&own, 1000), Some(b"program".repeat(100)));
        let at = zip.windows(8).position(|part| part == b"execexec").unwrap();
        let damaged = [&zip[..at + 4], b"exit", &zip[at + 8..]].concat();
        assert_eq!(content(&damaged, 10), None, "another check sum");
        for odd in [&b""[..], b"no zip at all, and long enough", &zip[..zip.len() - 20]] {
            assert_eq!(member(odd, "exec"), None);
        }
    }
}
