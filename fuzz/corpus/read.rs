//! Reads an archive of inputs: a line for each input, `NAME b"BYTES"`, with the bytes as in a Rust byte string.
//!
//! `cargo xtask fuzz` writes the archives. The tests that read them have this file as a module.

/// The inputs of an archive with their names, in its order.
///
/// # Errors
///
/// With the line that is none.
pub(crate) fn inputs(archive: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let lines = archive.lines().enumerate();
    lines
        .map(|(index, line)| {
            let input =
                line.split_once(' ').and_then(|(name, string)| Some((name.to_owned(), bytes(string)?)));
            input.ok_or_else(|| format!("line {}: must be a name and a Rust byte string", index + 1))
        })
        .collect()
}

/// The bytes of a byte string.
fn bytes(string: &str) -> Option<Vec<u8>> {
    let mut rest = string.strip_prefix("b\"")?.strip_suffix('"')?.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'0' => 0,
                b'x' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
                itself @ (b'\\' | b'"' | b'\'') => itself,
                _ => return None,
            },
            b'"' => return None,
            b' '..=b'~' => byte,
            _ => return None,
        });
    }
    Some(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}
