//! The component's log, on its way to stderr.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{self, IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::said;

/// Most bytes of one write, and of a line that waits for its end.
const MOST: usize = 64 << 10;

/// The stderr of an instance. Lines go out whole: they share the terminal with other instances, and with what the command draws there.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Begun>);

/// The begin of a line.
#[derive(Debug, Default)]
struct Begun(Mutex<Vec<u8>>);

impl Begun {
    /// Takes these bytes; gives the lines that are whole now.
    fn take(&self, bytes: &[u8]) -> Vec<u8> {
        let mut begun = self.bytes();
        begun.extend_from_slice(bytes);
        let whole = match begun.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if begun.len() > MOST => begun.len(),
            None => 0,
        };
        begun.drain(..whole).collect()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        write(&std::mem::take(&mut *self.bytes()));
    }
}

fn write(lines: &[u8]) {
    if !lines.is_empty() {
        said::lines_to_stderr(lines);
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// For WASI 0.3, which no component here uses.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        cli::stderr().async_stream()
    }
}

impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        write(&self.0.take(&bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MOST)
    }
}

#[async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_out_when_its_end_is_there_or_when_it_is_too_long_to_wait() {
        let begun = Begun::default();
        assert_eq!(begun.take(b"whiskjack: one"), b"");
        assert_eq!(begun.take(b" line"), b"");
        assert_eq!(begun.take(b"\nsecond\nthi"), b"whiskjack: one line\nsecond\n");
        assert_eq!(begun.take(b"rd\n"), b"third\n");
        assert_eq!(begun.take(&vec![b'x'; MOST]), b"");
        assert_eq!(begun.take(b"y").len(), MOST + 1);
    }
}
