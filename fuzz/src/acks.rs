//! Whatever a receiver answers and does, the sender comes to an end, settles only what a receiver has acknowledged, and keeps the rest.

mod scene;

use whiskjack::lumberjack::{AckReader, ProtocolError};

use scene::Scene;

/// Tries them as a receiver's answers, and as a story of what receivers do.
pub fn try_with(bytes: &[u8]) {
    let piece = usize::from(bytes.first().copied().unwrap_or_default()) % 7 + 1;
    let (acks, sound) = read([bytes]);
    assert_eq!(read(bytes.chunks(piece)), (acks.clone(), sound));
    assert!(acks.len() * 6 <= bytes.len());
    let mut reader = AckReader::default();
    reader.push(bytes);
    let keep_alives = sound && bytes.len().is_multiple_of(6) && acks.iter().all(|ack| *ack == 0);
    assert_eq!(reader.only_keep_alives(), keep_alives);
    Scene::new(bytes).play();
}

/// The acks in these pieces, and whether there was nothing else.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u32>, bool) {
    let (mut reader, mut acks) = (AckReader::default(), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next_ack() {
                Ok(Some(ack)) => acks.push(ack.sequence),
                Ok(None) => break,
                Err(ProtocolError::NotAnAck { first_bytes, .. }) => {
                    assert!(!first_bytes.is_empty() && first_bytes.len() <= 12, "{first_bytes}");
                    return (acks, false);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    (acks, true)
}
