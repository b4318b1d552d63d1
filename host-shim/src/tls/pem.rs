//! PEM as people have it: with a byte order mark, with any line ends, indented, or squeezed into one line.
//!
//! | form | source |
//! |---|---|
//! | a byte order mark, also in the middle | editors of Windows, and files that were put together |
//! | CRLF, CR | Windows, old templates |
//! | blanks before or behind lines | YAML, here-documents |
//! | `\n` as two characters | an environment variable or JSON that was quoted twice |
//! | blanks in place of line ends | a shell without quotes |
//! | `TRUSTED CERTIFICATE`, `X509 CERTIFICATE` | `openssl x509 -trustout`, old OpenSSL |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

use super::certificate;

/// What stands between BEGIN and END.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// As in `-----BEGIN label-----`.
    pub(super) label: String,
    /// Lines of the form `name: value`.
    pub(super) headers: Vec<(String, String)>,
    /// None if it is damaged, or has no end.
    pub(super) body: Option<Vec<u8>>,
}

/// Why there are no certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// There are none, but blocks with these labels.
    None(Vec<String>),
    /// One is damaged or cut off.
    Damaged,
    /// OpenSSL was told that one is not for servers.
    Distrusted,
}

/// All blocks of a text.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let text = text.replace('\u{feff}', "").replace("\\r", "\n").replace("\\n", "\n");
    let mut blocks = Vec::new();
    let mut rest = text.as_str();
    while let Some((label, after)) = rest
        .split_once("-----BEGIN ")
        .and_then(|(_, after)| after.split_once("-----"))
        .filter(|(label, _)| !label.contains(['\n', '\r']))
    {
        let end = format!("-----END {label}-----");
        let (inside, behind) = match after.split_once(&end) {
            Some((inside, behind)) => (Some(inside), behind),
            None => (None, after),
        };
        blocks.push(block(label, inside.filter(|inside| !inside.contains("-----"))));
        rest = behind;
    }
    blocks
}

fn block(label: &str, inside: Option<&str>) -> Block {
    let mut headers = Vec::new();
    let mut body = String::new();
    for line in inside.unwrap_or_default().split(['\n', '\r']) {
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
            None => body.extend(line.chars().filter(|char| !char.is_whitespace())),
        }
    }
    let body = STANDARD.decode(body).ok().filter(|body| inside.is_some() && !body.is_empty());
    Block { label: label.to_owned(), headers, body }
}

/// All certificates of a text, which has one at least.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, Unreadable> {
    let blocks = blocks(text);
    let certificates: Vec<_> = blocks.iter().filter_map(certificate).collect::<Result<_, _>>()?;
    match certificates.is_empty() {
        true => Err(Unreadable::None(blocks.into_iter().map(|block| block.label).collect())),
        false => Ok(certificates),
    }
}

/// Those certificates of a text that can be read.
pub(super) fn readable(text: &str) -> Vec<CertificateDer<'static>> {
    blocks(text).iter().filter_map(certificate).filter_map(Result::ok).collect()
}

/// None if it is something else.
fn certificate(block: &Block) -> Option<Result<CertificateDer<'static>, Unreadable>> {
    let body = || block.body.as_deref().ok_or(Unreadable::Damaged);
    match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => Some(body().map(|body| body.to_vec().into())),
        "TRUSTED CERTIFICATE" => {
            Some(body().and_then(|body| match certificate::with_trust(body).ok_or(Unreadable::Damaged)? {
                (der, true) => Ok(der.to_vec().into()),
                (_, false) => Err(Unreadable::Distrusted),
            }))
        }
        _ => None,
    }
}

/// The text of a file: UTF-8, or UTF-16 with its mark, as PowerShell writes it.
pub(crate) fn text(bytes: Vec<u8>) -> Option<String> {
    let units = |read: fn([u8; 2]) -> u16| {
        let pairs = bytes.get(2..)?.chunks(2).map(|pair| Some(read(pair.try_into().ok()?)));
        String::from_utf16(&pairs.collect::<Option<Vec<u16>>>()?).ok()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    }
}

#[cfg(test)]
mod tests;
