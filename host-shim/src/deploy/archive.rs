//! Zip, as far as an action's code needs it: a few deflated files, and the names of those that another tool has packed.
//!
//! After PKWARE's APPNOTE 6.3: 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end). All numbers are little-endian.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// First 1980, the earliest date there is: the same bytes each time.
const DATE: u16 = 0x0021;
/// "Version needed to extract" for deflated files, 2.0; "made by" the same on Unix, so that the mode counts.
const VERSION: u16 = 20;
const MADE_ON_UNIX: u16 = 3 << 8 | VERSION;
/// A plain file with mode 0755, in the upper half of the external attributes.
const MODE: u32 = 0o100_755 << 16;
const DEFLATED: u16 = 8;
/// zlib's own default: more takes long and gains little.
const LEVEL: u8 = 6;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of an end record without comment, and of a central record without its variable part.
const END_SIZE: usize = 22;
const CENTRAL_SIZE: usize = 46;
/// The same of a local header.
const LOCAL_SIZE: usize = 30;
/// The two methods of compression that are in use.
const STORED: usize = 0;
const DEFLATED_MEMBER: usize = DEFLATED as usize;
/// Longest comment after the end record.
const COMMENT: usize = 0xffff;

/// A zip with these executable files, at its root. `None` if they are too large for one (4 GiB).
pub(super) fn packed(files: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = u32::try_from(zip.len()).ok()?;
        let deflated = compress_to_vec(bytes, LEVEL);
        let mut common = Vec::new();
        for number in [VERSION, 0, DEFLATED, 0, DATE] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc32(bytes), u32::try_from(deflated.len()).ok()?, u32::try_from(bytes.len()).ok()?] {
            common.extend(number.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        common.extend([0, 0]);

        zip.extend(LOCAL.to_le_bytes());
        zip.extend(&common);
        zip.extend(name.bytes());
        zip.extend(deflated);

        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(MADE_ON_UNIX.to_le_bytes());
        directory.extend(&common);
        // Comment, disk, internal attributes: none.
        directory.extend([0; 6]);
        directory.extend(MODE.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let count = u16::try_from(files.len()).ok()?.to_le_bytes();
    let (size, offset) = (u32::try_from(directory.len()).ok()?, u32::try_from(zip.len()).ok()?);
    zip.extend(directory);
    zip.extend(END.to_le_bytes());
    zip.extend([0; 4]);
    zip.extend(count);
    zip.extend(count);
    zip.extend(size.to_le_bytes());
    zip.extend(offset.to_le_bytes());
    zip.extend([0; 2]);
    Some(zip)
}

/// A file of a zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'z> {
    method: usize,
    /// As it is stored.
    bytes: &'z [u8],
}

impl Member<'_> {
    /// What is in it, up to `most` bytes. `None` if it cannot be read, or is larger.
    pub(super) fn content(&self, most: usize) -> Option<Vec<u8>> {
        match self.method {
            STORED if self.bytes.len() <= most => Some(self.bytes.to_vec()),
            DEFLATED_MEMBER => decompress_to_vec_with_limit(self.bytes, most).ok(),
            _ => None,
        }
    }
}

/// The file of this name in a zip, if it has one. `None` if it is not a zip.
pub(super) fn member<'z>(zip: &'z [u8], wanted: &str) -> Option<Option<Member<'z>>> {
    let first = zip.len().saturating_sub(END_SIZE + COMMENT);
    let end = (first..=zip.len().checked_sub(END_SIZE)?)
        .rev()
        .find(|at| number(zip, *at, 4) == Some(END as usize))?;
    let (count, mut at) = (number(zip, end + 10, 2)?, number(zip, end + 16, 4)?);
    for _ in 0..count {
        if number(zip, at, 4)? != CENTRAL as usize {
            return None;
        }
        let length = number(zip, at + 28, 2)?;
        let begin = at + CENTRAL_SIZE;
        if zip.get(begin..begin + length)? == wanted.as_bytes() {
            let (method, size) = (number(zip, at + 10, 2)?, number(zip, at + 20, 4)?);
            let local = number(zip, at + 42, 4)?;
            let data = local + LOCAL_SIZE + number(zip, local + 26, 2)? + number(zip, local + 28, 2)?;
            return Some(Some(Member { method, bytes: zip.get(data..data.checked_add(size)?)? }));
        }
        at = begin + length + number(zip, at + 30, 2)? + number(zip, at + 32, 2)?;
    }
    Some(None)
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(size)?)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// The check sum of zip, PNG and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    const REVERSED: u32 = 0xedb8_8320;
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ REVERSED } else { sum >> 1 })
    })
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
        let packed = packed(&[("exec", &program), ("exec.env", b"text")]).unwrap();
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
        let own = packed(&[("a", b"other"), ("exec", &b"program".repeat(100))]).unwrap();
        assert_eq!(content(&own, 1000), Some(b"program".repeat(100)));
        for odd in [&b""[..], b"no zip at all, and long enough", &zip[..zip.len() - 20]] {
            assert_eq!(member(odd, "exec"), None);
        }
    }

    #[test]
    fn the_check_sum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
