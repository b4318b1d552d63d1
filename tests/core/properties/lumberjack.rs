//! Acks come in however they are cut, windows go out whole, and whatever receivers do, the sender neither invents nor forgets an event.

use super::any::{cases, cut, text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use whiskjack::lumberjack::{AckReader, Backoff, Goal, Options, Outbox, Protocol, Sender, Step};
use whiskjack::ports::{Step as TransportStep, TransportError};

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
    fn acks_come_out_however_they_are_cut(
        sent in vec((select(b"12".as_slice()), any::<u32>()), 0..20), cuts in vec(any::<Index>(), 0..20)
    ) {
        let frame = |(version, sequence): &(u8, u32)| [&[*version, b'A'][..], &sequence.to_be_bytes()].concat();
        let bytes: Vec<u8> = sent.iter().flat_map(frame).collect();
        let sequences: Vec<u32> = sent.iter().map(|(_, sequence)| *sequence).collect();
        prop_assert_eq!(acks(&cut(&bytes, &cuts)), (sequences, true));
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
    fn a_window_holds_exactly_the_events_that_are_left_whatever_was_settled_before(
        texts in vec(prop_oneof![text(), "a{0,3000}"], 1..20), settled: Index, first: Index
    ) {
        let mut outbox = Outbox::new(Protocol::V2);
        let push = |outbox: &mut Outbox, text: &String| {
            outbox.push(|out| serde_json::to_writer(out, &json!({"line": text}))).unwrap();
        };
        texts.iter().for_each(|text| push(&mut outbox, text));
        let settled = settled.index(texts.len());
        outbox.settle(u32::try_from(settled).unwrap());
        texts.iter().for_each(|text| push(&mut outbox, text));
        let all: Vec<Value> = texts.iter().chain(&texts).map(|text| json!({"line": text})).collect();
        let first = settled + first.index(all.len() - settled);
        let window = outbox.window(first as u64, u32::try_from(all.len() - first).unwrap());
        prop_assert_eq!(events(&window), &all[first..]);
    }
}

/// What a receiver does next, when it is asked.
#[derive(Debug, Clone)]
enum Act {
    /// Takes, and acknowledges the whole window.
    Well,
    /// Acknowledges a part, and closes or says nothing.
    Partly(Index, bool),
    Reset,
    Silent,
    Refuses,
    Garbage,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Well),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(part, closes)| Act::Partly(part, closes)),
        2 => Just(Act::Reset),
        1 => Just(Act::Silent),
        1 => Just(Act::Refuses),
        1 => Just(Act::Garbage),
    ]
}

fn failed(step: TransportStep) -> TransportError {
    TransportError { step, retryable: true, message: "failed".into() }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_is_settled_was_taken_by_a_receiver_in_order_and_what_is_not_is_still_there(
        acts in vec(act(), 0..30), count in 1u32..60, window_events in 1u32..20, in_flight in 1usize..=2,
        slow_start: bool, bare: bool, seed: u64, poison in vec(0u32..60, 0..3)
    ) {
        let options = Options {
            window_events, in_flight, slow_start, compression_level: if bare { 0 } else { 3 },
            backoff: Backoff { init_ms: 10, max_ms: 100 }, ..Options::default()
        };
        let mut sender = Sender::new(options, vec!["a".into(), "b".into()], None, seed);
        for n in 0..count {
            sender.outbox().push(|out| serde_json::to_writer(out, &json!({"line": n}))).unwrap();
        }
        let mut acts = acts.into_iter();
        let (mut now, mut unread, mut said) = (0u64, Vec::new(), Vec::<Result<Vec<u8>, TransportError>>::new());
        // The highest event that a receiver has acknowledged, all before it included.
        let mut taken = 0u32;
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 100_000, "it does not come to an end");
            match sender.step(now, Goal::Settled, 200_000) {
                Step::Done => break,
                Step::Close => { unread.clear(); said.clear(); }
                Step::Pause { ms } => now += ms,
                Step::Connect { .. } => {
                    unread.clear();
                    said.clear();
                    sender.connected(now, Ok(()));
                }
                Step::Write { bytes, .. } => {
                    unread.extend_from_slice(bytes);
                    let (lines, rest) = whole(&unread);
                    unread = rest;
                    let mut result = Ok(());
                    for lines in lines {
                        let n = lines.len() as u32;
                        let ack = |k: u32| [&b"2A"[..], &k.to_be_bytes()].concat();
                        let act = if lines.iter().any(|line| poison.contains(line)) { Act::Reset } else { acts.next().unwrap_or(Act::Well) };
                        match act {
                            Act::Well => {
                                taken = taken.max(lines[lines.len() - 1] + 1);
                                said.push(Ok(ack(n)));
                            }
                            Act::Partly(part, closes) => {
                                let k = part.index(lines.len()) as u32;
                                if k > 0 { taken = taken.max(lines[k as usize - 1] + 1); }
                                said.push(Ok(ack(k)));
                                if closes { said.push(Ok(Vec::new())); } else { said.push(Err(failed(TransportStep::Timeout))); }
                            }
                            Act::Reset => said.push(Err(failed(TransportStep::Read))),
                            Act::Silent => said.push(Err(failed(TransportStep::Timeout))),
                            Act::Refuses => result = Err(failed(TransportStep::Write)),
                            Act::Garbage => said.push(Ok(b"garbage".to_vec())),
                        }
                    }
                    sender.written(now, result);
                }
                Step::Read { timeout_ms } => {
                    let next = if timeout_ms == 0 || said.is_empty() { Err(failed(TransportStep::Timeout)) } else { said.remove(0) };
                    if matches!(&next, Err(error) if error.step == TransportStep::Timeout) { now += timeout_ms; }
                    sender.received(now, next.as_deref().map_err(Clone::clone));
                }
            }
        }
        let settled = sender.take_settled();
        let aside = sender.take_set_aside();
        prop_assert_eq!(settled as usize + sender.outbox().len(), count as usize);
        prop_assert!(aside.iter().all(|event| poison.contains(&(*event as u32))), "{aside:?} set aside, {poison:?} are bad");
        prop_assert!(settled <= taken.max(aside.last().map_or(0, |event| *event as u32 + 1)), "{settled} settled, {taken} taken");
        prop_assert!(settled == count || sender.given_up().is_some() || sender.is_out_of_time());
        let open = sender.outbox().open().len();
        prop_assert_eq!(sender.take_counts().acknowledged, u64::from(count) - (open + aside.len()) as u64);
    }
}

/// The whole windows in these bytes, by the numbers of their lines, and what is left.
fn whole(bytes: &[u8]) -> (Vec<Vec<u32>>, Vec<u8>) {
    let (mut windows, mut rest) = (Vec::new(), bytes);
    while rest.len() >= 12 {
        let count = number(&rest[2..6]);
        let (frames, end) = if rest[7] == b'C' {
            let end = 12 + number(&rest[8..12]);
            if rest.len() < end {
                break;
            }
            (miniz_oxide::inflate::decompress_to_vec_zlib(&rest[12..end]).unwrap(), end)
        } else {
            let mut end = 6;
            let mut all_there = true;
            for _ in 0..count {
                match rest.get(end + 6..end + 10) {
                    Some(length) => end += 10 + number(length),
                    None => all_there = false,
                }
            }
            if !all_there || rest.len() < end {
                break;
            }
            (rest[6..end].to_vec(), end)
        };
        let lines: Vec<u32> =
            events(&frames).iter().map(|event| event["line"].as_u64().unwrap() as u32).collect();
        assert_eq!(lines.len(), count);
        windows.push(lines);
        rest = &rest[end..];
    }
    (windows, rest.to_vec())
}
