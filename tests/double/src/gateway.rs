//! Gateways before an API, and the gaps of older APIs.

use crate::journal::Request;
use crate::reply::Reply;

/// Ways in which the API differs for whoever comes through a gateway, or to an old controller.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    /// The API is below this path only: `/openwhisk`.
    pub base: String,
    /// Every answer is compressed with gzip, whatever was asked for.
    pub compresses: bool,
    /// `count=true` means nothing: the answer is the list.
    pub knows_no_count: bool,
}

impl Gateway {
    /// The request as the API gets it; or what the gateway says instead.
    pub(crate) fn pass(&self, request: &Request) -> Result<Request, Reply> {
        let mut inner = request.clone();
        let base: Vec<&str> = self.base.split('/').filter(|name| !name.is_empty()).collect();
        for name in base {
            if inner.segments.first().is_none_or(|first| first != name) {
                return Err(Reply::raw(404, "text/html", b"<html>no such site</html>".to_vec()));
            }
            inner.segments.remove(0);
        }
        if self.knows_no_count {
            inner.query.retain(|(name, _)| name != "count");
        }
        Ok(inner)
    }

    /// The body as it leaves.
    pub(crate) fn pack(&self, body: Vec<u8>) -> Vec<u8> {
        if self.compresses { gzip(&body) } else { body }
    }
}

/// RFC 1952: a head without name and time, deflate, checksum and length.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    packed.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    packed.extend(crc32(bytes).to_le_bytes());
    packed.extend(u32::try_from(bytes.len() % (1 << 32)).expect("below 2^32").to_le_bytes());
    packed
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}
