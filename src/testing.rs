//! What unit tests with a scripted API share.

use crate::ports::{Body, Connection, Failure, Response, Transport, TransportError};

/// An answer whose body comes in one piece.
pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, retry_after: None, body: Box::new(Whole(Some(body.into()))) }
}

struct Whole(Option<Vec<u8>>);

impl Body for Whole {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.take())
    }
}

/// For tests in which nothing is sent.
pub(crate) struct NoReceiver;

impl Transport for NoReceiver {
    fn connect(&self, _: &str, _: u16, _: u64) -> Result<Box<dyn Connection>, TransportError> {
        unreachable!("nothing is sent here")
    }
}
