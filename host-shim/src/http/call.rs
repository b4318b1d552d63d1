//! Requests that the host itself makes, to deploy. The component's go through `wasi:http`.

use bytes::{Bytes, BytesMut};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{Api, FIRST_BYTE};

/// Largest answer that is read, in bytes: the API shows an action with its code when it has stored it.
const LARGEST: usize = 80 << 20;

impl Api {
    /// Sends one request to `path`, which begins with a slash, and reads the answer. Errors are sentences that say what broke.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), String> {
        let origin = self.origin.as_ref().ok_or("there is no API to ask")?;
        let mut request = Request::builder().method(method).uri(format!("{origin}{path}"));
        request = request.header("accept", "application/json");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body: WasiBody =
            Full::new(Bytes::from(body.unwrap_or_default())).map_err(|never| match never {}).boxed_unsync();
        let request = request.body(body).map_err(|error| format!("the request cannot be made: {error}"))?;
        // The code of an action has to get there first.
        let options =
            RequestOptions { first_byte_timeout: Some(4 * FIRST_BYTE), ..RequestOptions::default() };
        let response = self.clone().send(request, options).await.map_err(|error| sentence(&error))?;
        let (status, mut body) = (response.status(), response.into_body());
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(|error| sentence(&error))?.into_data() {
                read.extend_from_slice(&data);
            }
            if read.len() > LARGEST {
                return Err(format!("the answer has more than {LARGEST} bytes"));
            }
        }
        Ok((status, read.freeze()))
    }
}

fn sentence(error: &Error) -> String {
    match error {
        Error::InternalError(Some(sentence)) => {
            sentence.strip_prefix(super::errors::PASSING).unwrap_or(sentence).to_owned()
        }
        Error::DnsError { rcode: Some(cause), .. } => {
            format!("the name of its host cannot be resolved ({cause})")
        }
        Error::ConnectionRefused => "the connection was refused; is the port right?".to_owned(),
        Error::ConnectionTimeout => "no connection came about in time".to_owned(),
        Error::ConnectionTerminated | Error::HttpResponseIncomplete => "the connection broke off".to_owned(),
        Error::HttpResponseTimeout | Error::ConnectionReadTimeout => "no answer came in time".to_owned(),
        Error::DestinationIpUnroutable | Error::DestinationUnavailable => {
            "its host cannot be reached".to_owned()
        }
        other => other.to_string(),
    }
}
