//! Requests that the host itself makes, to deploy. The component's go through `wasi:http`.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{DATE, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{Api, FIRST_BYTE};

/// Largest answer that is read, in bytes: the API shows an action with its code when it has stored it.
const LARGEST: usize = 80 << 20;

/// An answer.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// How long the API wants to be left alone, if it says so in seconds.
    pub(crate) retry_after: Option<Duration>,
    /// When it was made, by the API's clock, in whole seconds.
    pub(crate) date: Option<SystemTime>,
}

impl Api {
    /// Sends one request to `path`, which begins with a slash, and reads the answer. Errors are sentences that begin with the address.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Called, String> {
        let origin = self.origin.as_ref().ok_or("the API: there is no address of it; give its host")?;
        let failed = |what: String| format!("{origin}: {what}");
        let mut request = Request::builder().method(method).uri(format!("{origin}{path}"));
        request = request.header("accept", "application/json").header("accept-encoding", "identity");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body: WasiBody =
            Full::new(body.unwrap_or_default()).map_err(|never| match never {}).boxed_unsync();
        let request = request.body(body).map_err(|error| {
            failed(format!("a request there cannot be made ({error}); check host and path"))
        })?;
        // The code of an action has to get there first.
        let options =
            RequestOptions { first_byte_timeout: Some(4 * FIRST_BYTE), ..RequestOptions::default() };
        let response = self.clone().send(request, options).await.map_err(|error| failed(sentence(&error)))?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
        let mut body = response.into_body();
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(|error| failed(sentence(&error)))?.into_data() {
                read.extend_from_slice(&data);
            }
            if read.len() > LARGEST {
                return Err(failed(format!("the answer has more than {LARGEST} bytes; check host and port")));
            }
        }
        Ok(Called { status, body: plain(read.freeze()), retry_after, date })
    }
}

/// The answer's text: a gateway may compress whatever it was asked, and put a byte order mark before JSON. What cannot be read stays as it is.
fn plain(body: Bytes) -> Bytes {
    let text = match &*body {
        [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] => {
            gzip_content(*flags, rest).and_then(|content| decompress_to_vec_with_limit(content, LARGEST).ok())
        }
        [0x78, ..] => decompress_to_vec_zlib_with_limit(&body, LARGEST).ok(),
        _ => None,
    };
    let text = text.map_or(body, Bytes::from);
    if text.starts_with(b"\xef\xbb\xbf") { text.slice(3..) } else { text }
}

/// What follows the rest of a gzip file's head (RFC 1952): extra field, name, comment, checksum.
fn gzip_content(flags: u8, mut rest: &[u8]) -> Option<&[u8]> {
    if flags & 4 != 0 {
        let (length, more) = rest.split_first_chunk::<2>()?;
        rest = more.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [8, 16] {
        if flags & text != 0 {
            rest = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// What went wrong behind the address, and what to do.
fn sentence(error: &Error) -> String {
    match error {
        Error::InternalError(Some(sentence)) => {
            sentence.strip_prefix(super::errors::PASSING).unwrap_or(sentence).to_owned()
        }
        Error::DnsError { rcode: Some(cause), .. } => {
            format!("its name cannot be resolved ({cause}); check the host, and the name server")
        }
        Error::ConnectionRefused => {
            "it refuses the connection; check host and port, and that it runs".to_owned()
        }
        Error::ConnectionTimeout => {
            "no connection came about in time; check host and port, and the firewalls between".to_owned()
        }
        Error::ConnectionTerminated => {
            "it closed the connection before it answered; check that host and port are the right ones, and whether it is https:// or http://"
                .to_owned()
        }
        Error::HttpResponseIncomplete => "it broke off in the middle of an answer; try again".to_owned(),
        Error::HttpResponseTimeout | Error::ConnectionReadTimeout => {
            "no answer came in time; check that it is not overloaded, and try again".to_owned()
        }
        Error::DestinationIpUnroutable | Error::DestinationUnavailable => {
            "it cannot be reached; check the host, and the network".to_owned()
        }
        Error::HttpProtocolError => {
            "it does not answer in HTTP; check that host and port are the right ones, and whether it is https:// or http://".to_owned()
        }
        other => format!("{other}; check host and port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_a_gateway_compressed_or_marked_is_read_all_the_same() {
        // As Python's `gzip` and `zlib` pack it; one with a file name.
        for packed in [
            "1f8b08000000000002038bae564a54b232acd5a9564a52b2523abc52a9361600303b324814000000",
            "1f8b08080000000000ff6e616d652e6a736f6e008bae564a54b232acd5a9564a52b2523abc52a9361600303b324814000000",
            "78da8bae564a54b232acd5a9564a52b2523abc52a93616003f740675",
        ] {
            let bytes: Vec<u8> = (0..packed.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&packed[at..at + 2], 16).unwrap())
                .collect();
            assert_eq!(plain(bytes.into()), "[{\"a\":1},{\"b\":\"é\"}]".as_bytes());
        }
        assert_eq!(plain("\u{feff}{}".into()), "{}");
        let marked = miniz_oxide::deflate::compress_to_vec("\u{feff}{}".as_bytes(), 6);
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(plain([&head[..], &marked, &[0; 8]].concat().into()), "{}", "both at once");
        assert_eq!(plain("x".into()), "x");
        assert_eq!(plain(Bytes::from_static(&[0x1f, 0x8b, 8, 4])), &[0x1f, 0x8b, 8, 4][..]);
    }
}
