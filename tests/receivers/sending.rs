//! The sender's reactions to answers and to their absence, on a virtual clock (docs/facts/lumberjack.md 7.1, S11–S39).

use crate::rig::{Happened, Rig, Say, ack, event, failed, well};
use crate::wire::{bare, flat, options, v1};
use whiskjack::lumberjack::{Goal, Options};
use whiskjack::ports::Step;

sentences! {
    fn s11_acks_are_read_over_any_fragmentation_and_several_at_once() {
        let acks: Vec<u8> = [ack(b'2', 0), ack(b'2', 3), ack(b'2', 5)].concat();
        for cut in 0..=acks.len() {
            let (head, tail) = (acks[..cut].to_vec(), acks[cut..].to_vec());
            let says = [head, tail].into_iter().filter(|piece| !piece.is_empty()).map(Say::Bytes).collect::<Vec<_>>();
            let mut rig = Rig::new(options(), move |_| says.clone());
            rig.send(0..5);
            assert_eq!((rig.settled, rig.connections()), (5, 1), "cut at {cut}");
        }
        let single: Vec<Say> = acks.iter().map(|byte| Say::Bytes(vec![*byte])).collect();
        let mut rig = Rig::new(options(), move |_| single.clone());
        rig.send(0..5);
        assert_eq!(rig.settled, 5);
    }

    fn s12_acks_of_either_version_are_taken() {
        for (options, version) in [(options(), b'1'), (v1(), b'2')] {
            let mut rig = Rig::new(options, move |window| vec![Say::Bytes(ack(version, window.len()))]);
            rig.push_payload(&flat(&[("line", "a")]));
            rig.work(Goal::Settled);
            assert_eq!((rig.settled, rig.connections()), (1, 1));
        }
    }

    fn s13_only_ack_n_completes_a_window() {
        let says = [Say::Ack(0), Say::Ack(3), Say::Ack(2), Say::Ack(3), Say::Ack(4)];
        let mut rig = Rig::new(options(), move |_| says.to_vec()).stopping_after(20_000);
        rig.send(0..5);
        assert_eq!((rig.settled, rig.sender.outbox().len()), (4, 1));
        assert_eq!(rig.counts().windows, 0);
    }

    fn s14_an_ack_beyond_the_window_or_no_ack_at_all_ends_the_connection_and_keeps_what_was_acknowledged() {
        for bad in [ack(b'2', 6), ack(b'3', 1), b"2W".to_vec(), vec![0; 6], ack(b'2', u32::MAX)] {
            let mut first = true;
            let mut rig = Rig::new(options(), move |window| match std::mem::take(&mut first) {
                true => vec![Say::Ack(3), Say::Bytes(bad.clone())],
                false => vec![Say::Ack(window.len())],
            });
            rig.send(0..5);
            assert_eq!(rig.sizes(), [(1, 5), (2, 2)]);
            assert_eq!(rig.settled, 5);
        }
    }

    fn s15_only_what_is_not_acknowledged_is_sent_again() {
        let mut rest = vec![1, 2, 1];
        let mut rig = Rig::new(options(), move |window| match rest.pop() {
            Some(some) => vec![Say::Ack(some), Say::Close],
            None => vec![Say::Ack(window.len())],
        });
        rig.send(0..10);
        assert_eq!(rig.sizes(), [(1, 10), (2, 9), (3, 7), (4, 6)]);
        let counts = rig.counts();
        assert_eq!((counts.sent, counts.resent, counts.acknowledged), (32, 22, 10));
    }

    fn s16_silence_has_its_limit_and_signs_of_life_restart_it_but_not_the_deadline() {
        let mut rig = Rig::new(options(), |_| vec![Say::After(29_999), Say::Ack(0), Say::After(29_999), Say::Ack(5)]);
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections()), (5, 1), "never silent for 30 s");
        let mut rig = Rig::new(options(), |_| vec![Say::After(30_001), Say::Ack(5)]);
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections()), (0, 3), "three tries");
        assert!(rig.failure().contains("nothing for 30.0 s"), "{}", rig.failure());
        let alive = || (0..1000).flat_map(|_| [Say::After(5_000), Say::Ack(0)]).collect::<Vec<_>>();
        let mut rig = Rig::new(options(), move |_| alive()).stopping_after(50_000);
        rig.send(0..5);
        assert_eq!((rig.now_ms, rig.connections()), (rig.stop_ms, 1));
    }

    fn s17_a_receiver_that_only_lives_is_reported_as_stalled_and_left_if_there_is_another() {
        let alive = || (0..1000).flat_map(|_| [Say::After(5_000), Say::Ack(0)]).collect::<Vec<_>>();
        let mut rig = Rig::new(options(), move |_| alive()).stopping_after(50_000);
        rig.send(0..5);
        assert!(rig.failure().contains("stalled"), "{}", rig.failure());
        let mut rig = Rig::several(options(), 2, move |window| match window.receiver {
            0 => alive(),
            _ => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        assert_eq!((rig.settled, rig.now_ms - 1_000_000), (5, 60_000));
    }

    fn s18_it_is_looked_for_answers_while_a_large_window_is_written() {
        let mut rig = Rig::new(Options { window_bytes: 1 << 20, ..bare() }, well());
        rig.push_payload(&format!("\"{}\"", "x".repeat(300 << 10)));
        rig.work(Goal::Settled);
        let looks = rig.log.iter().filter(|(_, happened)| *happened == Happened::Look).count();
        let writes = rig.log.iter().filter(|(_, happened)| matches!(happened, Happened::Write { bytes } if *bytes <= 64 << 10)).count();
        assert_eq!((looks, writes), (4, 5));
    }

    fn s20_a_connection_is_closed_only_when_nothing_is_on_its_way() {
        let mut rig = Rig::new(options(), |window| vec![Say::After(20_000), Say::Ack(window.len())]);
        rig.send(0..5000);
        assert!(rig.log.iter().all(|(_, happened)| *happened != Happened::Close));
        assert_eq!((rig.settled, rig.connections()), (5000, 1));
    }

    fn s21_a_connection_is_looked_at_before_it_is_used_again_and_one_that_is_gone_is_no_failure() {
        let gone = [vec![Say::Close], vec![Say::Reset], vec![Say::Bytes(b"x".to_vec())], vec![Say::Bytes(ack(b'2', 5))], vec![Say::Bytes(b"2A\0".to_vec())]];
        for gone in gone {
            let mut rig = Rig::new(options(), move |window| [&[Say::Ack(window.len())], &gone[..]].concat());
            rig.send(0..5);
            rig.send(5..10);
            assert_eq!(rig.sizes(), [(1, 5), (2, 5)]);
            assert_eq!((rig.pauses(), rig.counts().resent), (vec![], 0));
        }
        // It is reset only when the next window comes: at once again on a new one, and outside the count of failures.
        let mut rig = Rig::new(options(), |window| match window.events[0] == event(5).as_bytes() && window.connection == 1 {
            true => vec![Say::Reset],
            false => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        rig.send(5..10);
        assert_eq!(rig.sizes(), [(1, 5), (1, 5), (2, 5)]);
        assert!(rig.pauses().is_empty());
        // Keep-alives that are left are fine.
        let mut rig = Rig::new(options(), |window| vec![Say::Ack(window.len()), Say::Ack(0), Say::Ack(0)]);
        rig.send(0..5);
        rig.send(5..10);
        assert_eq!(rig.connections(), 1);
    }

    fn s22_pauses_double_with_jitter_up_to_a_limit_and_an_ack_starts_anew_but_not_a_connection() {
        let backoff = whiskjack::lumberjack::Backoff { init_ms: 1_000, max_ms: 1_500 };
        let mut rig = Rig::new(Options { backoff, ..options() }, |_| vec![Say::After(40_000)]);
        rig.send(0..5);
        let pauses = rig.pauses();
        assert_eq!(pauses.len(), 2, "after the third failure the run gives up");
        assert!((500..=1_000).contains(&pauses[0]) && (750..=1_500).contains(&pauses[1]), "{pauses:?}");
        // One event acknowledged on each connection: never more than the first pause, and no end.
        let mut rig = Rig::new(options(), |window| match window.len() {
            1 => vec![Say::Ack(1)],
            _ => vec![Say::Ack(1), Say::After(31_000)],
        });
        rig.send(0..8);
        assert_eq!(rig.settled, 8);
        assert!(rig.pauses().iter().all(|pause| *pause <= 1_000), "{:?}", rig.pauses());
        let mut rig = Rig::new(options(), |_| vec![]).stopping_after(30_400);
        rig.send(0..5);
        assert!(rig.pauses().is_empty(), "no pause that would go beyond the end");
    }

    fn s23_the_next_receiver_is_tried_when_one_fails_to_connect_to_handshake_or_to_acknowledge() {
        for broken in [Step::Resolve, Step::Connect, Step::Handshake, Step::Timeout] {
            let mut rig = Rig::several(options(), 3, well()).on_connect(move |receiver| match receiver {
                1 => Ok(vec![]),
                _ => Err(failed(broken)),
            });
            rig.send(0..5);
            assert_eq!((rig.settled, rig.pauses()), (5, vec![]), "{broken:?}");
        }
        let mut rig = Rig::several(options(), 2, |window| match window.receiver {
            0 => vec![Say::Close],
            _ => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        assert_eq!(rig.settled, 5);
        let starts: std::collections::BTreeSet<usize> = (0..50).map(|seed| {
            let mut sender = whiskjack::lumberjack::Sender::new(options(), vec!["a".into(), "b".into(), "c".into()], None, seed);
            sender.outbox().push(|out| { out.push(b'1'); Ok::<(), ()>(()) }).unwrap();
            match sender.step(0, Goal::Settled, 1_000_000) {
                whiskjack::lumberjack::Step::Connect { receiver, .. } => receiver,
                other => panic!("{other:?}"),
            }
        }).collect();
        assert_eq!(starts.len(), 3, "chance decides where a run begins");
    }

    fn s24_an_event_that_resets_every_window_is_set_aside_alone_and_all_others_arrive() {
        for (all, bad) in [(2048, 1033), (2048, 0), (7, 6), (2, 0), (2, 1)] {
            let poison = event(bad);
            let mut rig = Rig::new(options(), move |window| match window.has(&poison) {
                true => vec![Say::Reset],
                false => vec![Say::Ack(window.len())],
            });
            rig.send(0..all);
            assert_eq!(rig.sender.given_up(), None);
            assert_eq!((rig.settled, rig.set_aside.as_slice()), (all, &[u64::from(bad)][..]));
            assert_eq!(rig.counts().acknowledged, u64::from(all) - 1);
            let lone = rig.windows.iter().filter(|window| window.len() == 1 && window.has(&event(bad))).count();
            assert!((8..=10).contains(&lone), "it was tried alone {lone} times");
            assert!(rig.connections() <= 40, "{} connections", rig.connections());
        }
        // Also several, side by side and apart.
        let bad = [event(3), event(4), event(90)];
        let mut rig = Rig::new(options(), move |window| match bad.iter().any(|bad| window.has(bad)) {
            true => vec![Say::Close],
            false => vec![Say::Ack(window.len())],
        });
        rig.send(0..100);
        assert_eq!((rig.settled, rig.set_aside.as_slice()), (100, &[3, 4, 90][..]));
    }

    fn s24_resets_by_chance_set_nothing_aside() {
        for seed in 0..300u64 {
            let mut state = seed;
            let mut chance = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % 100
            };
            let mut rig = Rig::new(options(), move |window| match chance() {
                0..20 => vec![Say::Reset],
                20..25 => vec![Say::Ack(window.len() / 2), Say::Close],
                _ => vec![Say::Ack(window.len())],
            });
            (0..20).for_each(|n| rig.send(n * 3..n * 3 + 3));
            assert_eq!(rig.set_aside, [0_u64; 0], "seed {seed}");
        }
    }

    fn s25_with_slow_start_windows_grow_with_success_and_shrink_with_failure() {
        let slow = Options { slow_start: true, window_events: 100, ..options() };
        let mut rig = Rig::new(slow.clone(), well());
        rig.send(0..300);
        assert_eq!(rig.sizes().iter().map(|(_, size)| *size).collect::<Vec<_>>(), [10, 15, 23, 35, 53, 80, 84]);
        let mut rig = Rig::new(slow, |window| if window.len() > 4 { vec![] } else { vec![Say::Ack(window.len())] });
        rig.send(0..10);
        assert_eq!(rig.sizes().iter().map(|(_, size)| *size).collect::<Vec<_>>(), [10, 5, 2, 3, 5, 2, 3]);
        let mut rig = Rig::new(options(), well());
        rig.send(0..300);
        assert_eq!(rig.sizes(), [(1, 300)], "off by default");
    }

    fn s26_one_window_is_on_its_way_or_two_if_wanted_and_then_silence_may_be_longer() {
        for (in_flight, expected) in [(1, 1), (2, 2)] {
            let mut rig = Rig::new(Options { in_flight, window_events: 10, ..options() }, |_| vec![]).stopping_after(1_000);
            rig.push(0..100);
            rig.work(Goal::Settled);
            assert_eq!(rig.windows.len(), expected);
        }
        let pipelined = Options { in_flight: 2, window_events: 10, ..options() };
        // Logstash: the first after 25 s with signs of life, then no sign for 50 s, then the second.
        let mut windows = 0;
        let mut rig = Rig::new(pipelined, move |window| {
            windows += 1;
            let wait = if windows == 1 { 25_000 } else { 50_000 };
            vec![Say::After(wait), Say::Ack(window.len())]
        });
        rig.send(0..15);
        assert_eq!((rig.settled, rig.connections()), (15, 1));
    }

    fn s31_connecting_takes_less_than_a_receiver_waits() {
        let mut rig = Rig::new(options(), well()).on_connect(|_| Err(failed(Step::Timeout)));
        rig.send(0..1);
        let limits: Vec<u64> = rig.log.iter().filter_map(|(_, happened)| match happened {
            Happened::Connect { timeout_ms, .. } => Some(*timeout_ms),
            _ => None,
        }).collect();
        assert_eq!(limits, [9_000; 3]);
    }

    fn s34_at_the_deadline_it_stops_and_says_what_is_not_acknowledged() {
        let mut rig = Rig::new(options(), |_| vec![Say::After(3_000), Say::Ack(2)]).stopping_after(4_000);
        rig.send(0..5);
        assert_eq!((rig.now_ms, rig.settled, rig.sender.outbox().len()), (rig.stop_ms, 2, 3));
        assert!(rig.sender.is_out_of_time() && rig.sender.given_up().is_none(), "asked late, nobody is to blame");
        let mut rig = Rig::new(options(), |_| vec![]).stopping_after(99);
        rig.send(0..5);
        assert_eq!(rig.connections(), 0, "too late for a window");
    }

    fn s35_memory_is_bounded_by_windows_whatever_is_pushed() {
        for in_flight in [1, 2] {
            let options = Options { in_flight, window_events: 100, ..options() };
            let mut rig = Rig::new(options, |window| vec![Say::After(10), Say::Ack(window.len())]);
            let mut most = 0;
            for n in 0..10_000 {
                rig.push(n..n + 1);
                if rig.sender.is_full() {
                    rig.work(Goal::Room);
                }
                most = most.max(rig.sender.outbox().len());
            }
            rig.work(Goal::Settled);
            assert_eq!(rig.settled, 10_000);
            assert!(most <= 100 * (in_flight + 1), "{most} events at once");
        }
    }

    fn s36_no_text_of_an_event_is_in_any_message() {
        let says: [Vec<Say>; 4] = [vec![Say::Close], vec![], vec![Say::Bytes(b"garbage".to_vec())], vec![Say::Ack(9)]];
        for says in says {
            let mut rig = Rig::new(options(), move |_| says.clone());
            rig.push_payload("{\"line\":\"hunter2\"}");
            rig.work(Goal::Settled);
            assert!(!rig.failure().contains("hunter2") && !format!("{:?}", rig.failure()).contains("hunter2"));
        }
    }

    fn s38_no_connection_is_opened_before_there_is_a_window_to_send() {
        let mut rig = Rig::new(options(), well());
        rig.push(0..100);
        rig.work(Goal::Room);
        assert_eq!(rig.log, [], "less than a window waits for more");
        rig.work(Goal::Sent);
        assert_eq!(rig.connections(), 1);
    }

    fn s39_any_bytes_from_a_receiver_are_survived() {
        let mut noise = 0x2545_f491_4f6c_dd1du64;
        let mut random = move || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise
        };
        for round in 0..3_000 {
            let length = random() % 40;
            let alphabet: &[u8] = if round % 2 == 0 { b"12AWJ\0\0\0\x01\x05\x06" } else { b"2A\0\0\0\x05" };
            let bytes: Vec<u8> = (0..length).map(|_| alphabet[(random() as usize) % alphabet.len()]).collect();
            let end = if random().is_multiple_of(2) { Say::Close } else { Say::Reset };
            let mut rig = Rig::several(options(), 2, move |_| vec![Say::Bytes(bytes.clone()), end.clone()]);
            rig.send(0..5);
            let acknowledged = rig.counts().acknowledged;
            assert!(acknowledged <= 5 && u64::from(rig.settled) == acknowledged + rig.set_aside.len() as u64);
        }
    }
}
