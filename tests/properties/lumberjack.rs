//! Acks come in however they are cut, and windows go out whole.

use crate::any::{cases, cut, text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use whiskjack::lumberjack::{AckReader, Acks, Batch};

fn acks(pieces: &[&[u8]]) -> (Vec<u32>, bool) {
    let (mut reader, mut sequences) = (AckReader::default(), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next_ack() {
                Ok(Some(ack)) => sequences.push(ack.sequence),
                Ok(None) => break,
                Err(_) => return (sequences, false),
            }
        }
    }
    (sequences, true)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn acks_come_out_however_they_are_cut_and_count_up_to_the_window(
        sent in vec((select(b"12".as_slice()), any::<u32>()), 0..20), cuts in vec(any::<Index>(), 0..20), window: u32
    ) {
        let frame = |(version, sequence): &(u8, u32)| [&[*version, b'A'][..], &sequence.to_be_bytes()].concat();
        let bytes: Vec<u8> = sent.iter().flat_map(frame).collect();
        let sequences: Vec<u32> = sent.iter().map(|(_, sequence)| *sequence).collect();
        prop_assert_eq!(acks(&cut(&bytes, &cuts)), (sequences.clone(), true));

        let mut acks = Acks::new(window);
        let mut reader = AckReader::default();
        reader.push(&bytes);
        while let Some(ack) = reader.next_ack().unwrap() {
            prop_assert_eq!(acks.credit(ack).is_ok(), ack.sequence <= window);
        }
        let most = sequences.into_iter().filter(|sequence| *sequence <= window).max().unwrap_or(0);
        prop_assert_eq!((acks.acknowledged(), acks.complete()), (most, most == window));
    }

    #[test]
    fn any_bytes_for_acks_are_read_alike_however_they_are_cut(
        bytes in prop_oneof![vec(any::<u8>(), 0..40), vec(select(b"12A\0".as_slice()), 0..40)],
        cuts in vec(any::<Index>(), 0..20)
    ) {
        prop_assert_eq!(acks(&cut(&bytes, &cuts)), acks(&[&bytes]));
    }
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes.try_into().unwrap()) as usize
}

/// The events of bare frames, which must be numbered from 1.
fn events(mut frames: &[u8]) -> Vec<Value> {
    let mut events = Vec::new();
    while !frames.is_empty() {
        let (header, rest) = frames.split_at(10);
        assert_eq!((&header[..2], number(&header[2..6])), (&b"2J"[..], events.len() + 1));
        let (event, rest) = rest.split_at(number(&header[6..]));
        events.push(serde_json::from_slice(event).unwrap());
        frames = rest;
    }
    events
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_window_inflates_to_exactly_the_events_that_are_left(
        texts in vec(prop_oneof![text(), "a{0,3000}"], 1..20), first: Index, level in 0..=9u8
    ) {
        let mut batch = Batch::default();
        texts.iter().for_each(|text| batch.push(&json!({"line": text})).unwrap());
        let first = first.index(texts.len());
        let window = batch.window(u32::try_from(first).unwrap(), level);
        let (header, frames) = window.split_at(6);
        prop_assert_eq!((&header[..2], number(&header[2..])), (&b"2W"[..], texts.len() - first));
        let frames = if level == 0 { frames.to_vec() } else {
            prop_assert_eq!((&frames[..2], number(&frames[2..6])), (&b"2C"[..], frames.len() - 6));
            miniz_oxide::inflate::decompress_to_vec_zlib(&frames[6..]).unwrap()
        };
        let expected: Vec<Value> = texts[first..].iter().map(|text| json!({"line": text})).collect();
        prop_assert_eq!(events(&frames), expected);
    }
}
