//! A receiver within the program, to which a component is connected: Lumberjack version 2, uncompressed. It is stricter than any real one,
//! as it knows its sender.

use serde::de::IgnoredAny;

use super::{Output, Refusal};
use crate::transport::Local;
use crate::transport::interface::{TransportError, TransportStep};

/// Bytes before a window's documents, and before each document.
const WINDOW: usize = 6;
const DOCUMENT: usize = 10;

/// Most documents of a window, and most bytes of a document: somewhat more than a forwarder sends.
const MOST: u32 = 100_000;
const LARGEST: u32 = 32 << 20;

/// One connection of a worker.
#[derive(Debug)]
pub(crate) struct LocalReceiver {
    output: Output,
    received: Vec<u8>,
    acks: Vec<u8>,
    failed: Option<TransportError>,
}

/// What bytes that cannot be understood mean: a fault of this program.
const GARBLED: &str =
    "the output got what is not a window of version 2; this is a fault of whiskjack, please report it";

impl LocalReceiver {
    pub(crate) fn new(output: Output) -> Self {
        Self { output, received: Vec::new(), acks: Vec::new(), failed: None }
    }

    fn take_windows(&mut self) -> Result<(), TransportError> {
        loop {
            let window =
                window(&self.received).map_err(|Garbled| fault(TransportStep::Write, false, GARBLED))?;
            let Some(Window { documents, bytes }) = window else { return Ok(()) };
            self.output
                .take(&documents)
                .map_err(|Refusal { message, retryable }| fault(TransportStep::Write, retryable, &message))?;
            let count = u32::try_from(documents.len()).unwrap_or(u32::MAX);
            self.acks.extend_from_slice(b"2A");
            self.acks.extend_from_slice(&count.to_be_bytes());
            self.received.drain(..bytes);
        }
    }
}

impl Local for LocalReceiver {
    /// Takes bytes; when they complete a window, its documents are handed on, and it is acknowledged.
    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.received.extend_from_slice(bytes);
        self.take_windows().inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Acknowledgements that were not read yet.
    fn read(&mut self, max_bytes: u32) -> Result<Vec<u8>, TransportError> {
        let most = usize::try_from(max_bytes).unwrap_or(usize::MAX).clamp(1, self.acks.len().max(1));
        match (&self.failed, self.acks.is_empty()) {
            (_, false) => Ok(self.acks.drain(..most.min(self.acks.len())).collect()),
            (Some(error), true) => Err(error.clone()),
            (None, true) => Err(fault(TransportStep::Timeout, true, "the output has nothing to acknowledge")),
        }
    }
}

fn fault(step: TransportStep, retryable: bool, message: &str) -> TransportError {
    TransportError { step, retryable, message: message.to_owned() }
}

/// A whole window.
struct Window<'b> {
    documents: Vec<&'b [u8]>,
    bytes: usize,
}

struct Garbled;

/// The window that `bytes` begin with, if all of it is there.
fn window(bytes: &[u8]) -> Result<Option<Window<'_>>, Garbled> {
    let Some((kind, count)) = header(bytes) else { return Ok(None) };
    if kind != *b"2W" || count == 0 || count > MOST {
        return Err(Garbled);
    }
    let (mut documents, mut at) = (Vec::new(), WINDOW);
    for number in 1..=count {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((kind, sequence)) = header(rest) else { return Ok(None) };
        if kind != *b"2J" || sequence != number {
            return Err(Garbled);
        }
        let Some(length) = rest.get(WINDOW..).and_then(number_at) else { return Ok(None) };
        if length > LARGEST {
            return Err(Garbled);
        }
        let end = DOCUMENT + usize::try_from(length).map_err(|_| Garbled)?;
        let Some(document) = rest.get(DOCUMENT..end) else { return Ok(None) };
        if !is_document(document) {
            return Err(Garbled);
        }
        documents.push(document);
        at += end;
    }
    Ok(Some(Window { documents, bytes: at }))
}

fn header(bytes: &[u8]) -> Option<([u8; 2], u32)> {
    let (kind, rest) = bytes.split_first_chunk::<2>()?;
    Some((*kind, number_at(rest)?))
}

fn number_at(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|number| u32::from_be_bytes(*number))
}

/// Whether it is a JSON object on one line.
fn is_document(document: &[u8]) -> bool {
    document.starts_with(b"{")
        && !document.contains(&b'\n')
        && serde_json::from_slice::<IgnoredAny>(document).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::Sink;
    use super::*;

    #[derive(Default)]
    struct Kept {
        windows: Vec<Vec<String>>,
        full: bool,
    }

    impl Sink for Kept {
        fn take(&mut self, documents: &[&[u8]]) -> Result<(), Refusal> {
            if self.full {
                return Err(Refusal { message: "it is full".to_owned(), retryable: false });
            }
            let texts = documents.iter().map(|text| String::from_utf8(text.to_vec()).unwrap());
            self.windows.push(texts.collect());
            Ok(())
        }
    }

    fn receiver() -> (Arc<Mutex<Kept>>, LocalReceiver) {
        let kept = Arc::new(Mutex::new(Kept::default()));
        (kept.clone(), LocalReceiver::new(Output::shared(kept)))
    }

    fn frames(count: u32, documents: &[&str]) -> Vec<u8> {
        let mut bytes = [&b"2W"[..], &count.to_be_bytes()].concat();
        for (number, text) in (1_u32..).zip(documents) {
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            bytes.extend([&b"2J"[..], &number.to_be_bytes(), &length, text.as_bytes()].concat());
        }
        bytes
    }

    #[test]
    fn a_window_is_acknowledged_when_the_sink_has_all_of_it_however_its_bytes_come() {
        let bytes = [frames(2, &["{\"a\":1}", "{}"]), frames(1, &["{\"b\":2}"])].concat();
        for chunk in [1, 7, bytes.len()] {
            let (kept, mut receiver) = receiver();
            for piece in bytes.chunks(chunk) {
                receiver.write(piece).unwrap();
            }
            assert_eq!(kept.lock().unwrap().windows, [vec!["{\"a\":1}", "{}"], vec!["{\"b\":2}"]]);
            assert_eq!(receiver.read(6).unwrap(), b"2A\0\0\0\x02");
            assert_eq!(receiver.read(99).unwrap(), b"2A\0\0\0\x01");
            assert_eq!(receiver.read(99).unwrap_err().step, TransportStep::Timeout);
        }
    }

    #[test]
    fn a_window_that_the_sink_refuses_has_no_acknowledgement_and_ends_the_connection() {
        let (kept, mut receiver) = receiver();
        kept.lock().unwrap().full = true;
        let error = receiver.write(&frames(1, &["{}"])).unwrap_err();
        assert_eq!((error.message.as_str(), error.retryable), ("it is full", false));
        kept.lock().unwrap().full = false;
        assert_eq!(receiver.write(&frames(1, &["{}"])).unwrap_err().message, "it is full");
        assert_eq!(receiver.read(9).unwrap_err().message, "it is full");
        assert!(kept.lock().unwrap().windows.is_empty());
    }

    #[test]
    fn what_is_not_a_window_of_whole_documents_is_refused_and_nothing_of_it_is_kept() {
        for bytes in [
            frames(0, &[]),
            frames(2, &["{}", "{]"]),
            frames(1, &["[1]"]),
            frames(1, &["{\n}"]),
            frames(u32::MAX, &[]),
            b"1W\0\0\0\x01".to_vec(),
            b"2W\0\0\0\x012C\0\0\0\x01x".to_vec(),
            b"2W\0\0\0\x012J\0\0\0\x02\0\0\0\x02{}".to_vec(),
            b"2W\0\0\0\x012J\0\0\0\x01\xff\0\0\x02{}".to_vec(),
        ] {
            let (kept, mut receiver) = receiver();
            let error = receiver.write(&bytes).unwrap_err();
            assert!(error.message.contains("is not a window"), "{bytes:?}");
            assert!(kept.lock().unwrap().windows.is_empty(), "{bytes:?}");
        }
    }
}
