//! Receivers that misbehave, on a virtual clock (docs/facts/lumberjack.md 7.2). The same over real sockets: `sockets`.

use crate::rig::{Happened, Rig, Say, Window, ack, event, failed, well};
use crate::wire::options;
use whiskjack::lumberjack::{Goal, Options};
use whiskjack::ports::{Step, TransportError};

/// The first window gets this, all others are acknowledged.
fn at_first(says: &[Say]) -> impl FnMut(&Window) -> Vec<Say> + use<> {
    let mut says = Some(says.to_vec());
    move |window| says.take().unwrap_or_else(|| vec![Say::Ack(window.len())])
}

/// Five events to a receiver that does this to the first window.
fn five(says: &[Say]) -> Rig {
    let mut rig = Rig::new(options(), at_first(says));
    rig.send(0..5);
    rig
}

/// Five events to a receiver that does this to every window.
fn ever(says: &[Say]) -> Rig {
    let says = says.to_vec();
    let mut rig = Rig::new(options(), move |_| says.clone()).stopping_after(55_000);
    rig.send(0..5);
    rig
}

fn bytes(bytes: &[u8]) -> Say {
    Say::Bytes(bytes.to_vec())
}

sentences! {
    fn h01_a_receiver_that_never_reads_is_left_for_another() {
        let mut rig = Rig::several(options(), 2, well()).on_piece(|_| Err(failed(Step::Timeout)));
        rig.send(0..5);
        assert_eq!(rig.settled, 0, "all unacknowledged");
        assert!(rig.failure().contains("timeout failed"), "{}", rig.failure());
        let receivers: Vec<usize> = rig.log.iter().filter_map(|(_, happened)| match happened {
            Happened::Connect { receiver, .. } => Some(*receiver),
            _ => None,
        }).collect();
        assert_eq!(receivers, [0, 1, 0, 1, 0, 1]);
    }

    fn h02_without_any_ack_the_window_is_sent_again_on_a_new_connection() {
        let rig = five(&[]);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 5)]));
        assert!(rig.now_ms >= 1_030_000, "after the silence");
    }

    fn h03_keep_alives_for_ever_end_at_the_deadline_and_are_reported_as_a_stall() {
        let alive: Vec<Say> = (0..100).flat_map(|_| [Say::After(5_000), Say::Ack(0)]).collect();
        let mut rig = ever(&alive);
        assert_eq!(rig.now_ms, rig.stop_ms);
        assert!(rig.failure().contains("stalled"), "{}", rig.failure());
        assert_eq!(rig.counts().keep_alives, 11);
    }

    fn h03_keep_alives_for_ever_end_without_a_deadline_too_after_three_tries_of_five_minutes() {
        for pace_ms in [1_000, 15_000, 29_000] {
            let alive: Vec<Say> = (0..400).flat_map(|_| [Say::After(pace_ms), Say::Ack(0)]).collect();
            let mut rig = Rig::new(options(), move |_| alive.clone());
            rig.send(0..5);
            assert!(rig.failure().contains("stalled"), "{}", rig.failure());
            assert!(rig.sender.given_up().is_some_and(|failure| failure.retryable));
            assert_eq!((rig.settled, rig.connections()), (0, 3));
            let minutes = (rig.now_ms - 1_000_000) / 60_000;
            assert!((15..=17).contains(&minutes), "{minutes} min");
        }
    }

    fn h03_an_output_that_comes_back_within_five_minutes_gets_each_line_once() {
        let mut alive: Vec<Say> = (0..19).flat_map(|_| [Say::After(15_000), Say::Ack(0)]).collect();
        alive.push(Say::Ack(5));
        let mut rig = Rig::new(options(), at_first(&alive));
        rig.send(0..5);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5)]));
    }

    fn h03_a_receiver_that_is_slow_but_gets_on_is_not_left() {
        // A line in four minutes.
        let says: Vec<Say> = (1..=5)
            .flat_map(|n| (0..16).flat_map(|_| [Say::After(15_000), Say::Ack(0)]).chain([Say::Ack(n)]))
            .collect();
        let mut rig = Rig::new(options(), at_first(&says));
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections(), rig.now_ms), (5, 1, 2_200_000));
        // A window that takes more than five minutes to be read, with a sign of life after each piece.
        let bare = Options { compression_level: 0, ..options() };
        let mut rig = Rig::new(bare, well()).reading_a_piece_in(29_000).on_piece(|_| Ok(vec![Say::Ack(0)]));
        let text = "x".repeat(100_000);
        (0..10).for_each(|n| rig.push_payload(&format!("{{\"n\":{n},\"text\":\"{text}\"}}")));
        rig.work(Goal::Settled);
        assert!(rig.now_ms > 1_400_000, "{} ms", rig.now_ms);
        assert_eq!((rig.settled, rig.connections()), (10, 1));
    }

    fn h04_an_ack_that_comes_byte_by_byte_is_read_and_every_byte_is_life() {
        let says: Vec<Say> = ack(b'2', 5).iter().flat_map(|byte| [Say::After(20_000), bytes(&[*byte])]).collect();
        let mut rig = Rig::new(options(), at_first(&says));
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections(), rig.now_ms), (5, 1, 1_120_000));
        let mut rig = ever(&says);
        assert_eq!((rig.settled, rig.now_ms), (0, rig.stop_ms), "the deadline holds");
        rig.counts();
    }

    fn h05_after_a_lower_ack_and_a_close_the_rest_is_sent_again() {
        let rig = five(&[Say::Ack(2), Say::Close]);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 3)]));
    }

    fn h06_after_a_lower_ack_and_silence_the_rest_is_sent_again() {
        let rig = five(&[Say::Ack(2)]);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 3)]));
    }

    fn h07_acks_one_by_one_or_in_steps_end_with_the_last() {
        let rig = five(&[1, 2, 3, 4, 5].map(Say::Ack));
        assert_eq!((rig.settled, rig.connections()), (5, 1));
        let mut rig = Rig::new(options(), |window| (1..=5).map(|fifth| Say::Ack(window.len() / 5 * fifth)).collect());
        rig.send(0..1000);
        assert_eq!((rig.settled, rig.connections()), (1000, 1));
    }

    fn h08_acks_that_go_down_take_nothing_back() {
        let rig = five(&[Say::Ack(4), Say::Ack(3), Say::Close]);
        assert_eq!(rig.sizes(), [(1, 5), (2, 1)]);
    }

    fn h09_an_ack_beyond_the_window_is_an_error_and_what_was_acknowledged_before_stays() {
        for beyond in [6, u32::MAX] {
            let rig = five(&[Say::Ack(3), Say::Ack(beyond)]);
            assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 2)]));
        }
        assert!(ever(&[Say::Ack(6)]).failure().contains("event 6 of a window of 5"));
    }

    fn h10_a_repeated_last_ack_does_not_complete_the_next_window() {
        // In the same read, in the next, and when the next window is on its way already.
        let twice = |window: &Window| ack(b'2', window.len()).repeat(2);
        let mut rig = Rig::new(options(), move |window| vec![Say::Bytes(twice(window))]);
        rig.send(0..5);
        rig.send(5..10);
        assert_eq!(rig.sizes(), [(1, 5), (2, 5)], "the second went over a connection without a past");
        let mut rig = Rig::new(options(), |window| vec![Say::Ack(window.len()), Say::Ack(window.len())]);
        rig.send(0..5);
        rig.send(5..10);
        assert_eq!(rig.sizes(), [(1, 5), (2, 5)], "the second went over a connection without a past");
        let pipelined = Options { in_flight: 2, window_events: 5, ..options() };
        let mut windows = 0;
        let mut rig = Rig::new(pipelined, move |window| {
            windows += 1;
            match windows {
                1 => vec![Say::After(10), Say::Ack(window.len()), Say::Ack(window.len())],
                _ => vec![Say::After(1_000), Say::Ack(window.len())],
            }
        }).stopping_after(500);
        rig.send(0..10);
        assert_eq!(rig.settled, 5, "the second window's ack has not come");
    }

    fn h11_acks_of_two_windows_belong_to_them_in_order() {
        let pipelined = Options { in_flight: 2, window_events: 5, ..options() };
        let mut rig = Rig::new(pipelined, |window| vec![Say::After(100), Say::Ack(window.len())]).stopping_after(150);
        rig.push(0..9);
        rig.work(Goal::Settled);
        assert_eq!((rig.settled, rig.sender.outbox().first()), (5, 5), "the first one's ack was late, and is the first one's");
    }

    fn h12_acks_of_the_other_version_are_accepted() {
        let rig = five(&[Say::Bytes(ack(b'1', 5))]);
        assert_eq!((rig.settled, rig.connections()), (5, 1));
    }

    fn h13_what_is_no_ack_is_an_error_that_shows_its_first_bytes() {
        for (said, shown) in [(&b"3A\0\0\0\x05"[..], "334100000005"), (b"2W\0\0\0\x05", "325700000005"), (b"\0\0\0\0\0\0", "000000000000")] {
            let rig = ever(&[bytes(said)]);
            assert!(rig.failure().contains(shown) && rig.failure().contains("not a Lumberjack"), "{}", rig.failure());
        }
    }

    fn h14_an_http_page_or_a_banner_is_told_from_lumberjack() {
        for page in ["HTTP/1.1 400 Bad Request\r\n\r\n", "<html>", "SSH-2.0-OpenSSH\r\n", "220 mail ESMTP\r\n"] {
            let failure = ever(&[bytes(page.as_bytes())]).failure();
            assert!(failure.contains("not a Lumberjack"), "{failure}");
        }
    }

    fn h15_a_tls_alert_to_a_plain_client_says_that_the_port_wants_tls() {
        let failure = ever(&[bytes(b"\x15\x03\x03\0\x02\x02\x46")]).failure();
        assert!(failure.contains("the port wants TLS"), "{failure}");
    }

    fn h16_a_receiver_that_closes_after_accepting_is_left_for_the_next_and_in_the_end_hinted_at() {
        let mut rig = Rig::several(options(), 2, |window| match window.receiver {
            0 => vec![Say::Close],
            _ => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        assert_eq!((rig.settled, rig.pauses()), (5, vec![]));
        let rig = ever(&[Say::Close]);
        assert!(rig.failure().contains("a port that wants TLS"), "{}", rig.failure());
        assert!(rig.pauses().iter().all(|pause| *pause > 0) && !rig.pauses().is_empty());
    }

    fn h17_a_close_after_the_handshake_hints_at_the_client_certificate() {
        assert!(ever(&[Say::Close]).failure().contains("client certificate"));
    }

    fn h18_a_certificate_refused_after_the_handshake_is_not_tried_again() {
        let rig = ever(&[Say::Alert]);
        assert_eq!((rig.connections(), rig.sender.given_up().unwrap().retryable), (1, false));
        let mut rig = Rig::several(options(), 2, |window| match window.receiver {
            0 => vec![Say::Alert],
            _ => vec![Say::Ack(window.len())],
        });
        rig.send(0..5);
        assert_eq!(rig.settled, 5, "but another receiver may accept it");
    }

    fn h19_a_handshake_without_an_answer_has_a_limit() {
        let mut rig = Rig::new(options(), well()).on_connect(|_| Err(failed(Step::Timeout)));
        rig.send(0..5);
        assert!(rig.now_ms - 1_000_000 <= 3 * 9_000 + 3_000, "{}", rig.now_ms);
        assert!(rig.sender.given_up().is_some());
    }

    fn h20_a_certificate_that_is_refused_ends_the_receiver_for_this_run() {
        let refused = || TransportError { retryable: false, ..failed(Step::Handshake) };
        let mut rig = Rig::several(options(), 2, well()).on_connect(move |_| Err(refused()));
        rig.send(0..5);
        let connects = rig.log.iter().filter(|(_, happened)| matches!(happened, Happened::Connect { .. })).count();
        assert_eq!((connects, rig.pauses()), (2, vec![]));
        assert!(rig.failure().contains("logs0:5044: handshake failed; logs1:5044: "), "{}", rig.failure());
    }

    fn h21_a_reset_in_the_middle_of_a_frame_acknowledges_nothing() {
        let mut first = true;
        let mut rig = Rig::new(options(), well())
            .on_piece(move |_| if std::mem::take(&mut first) { Err(failed(Step::Write)) } else { Ok(vec![]) });
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections(), rig.counts().resent), (5, 2, 5));
    }

    fn h22_a_reset_after_the_work_repeats_the_same_events() {
        let rig = five(&[Say::Reset]);
        assert_eq!(rig.sizes(), [(1, 5), (2, 5)]);
        assert_eq!(rig.windows[0].events, rig.windows[1].events);
    }

    fn h23_acks_that_come_before_the_end_of_the_stream_count() {
        let rig = five(&[Say::Ack(3), Say::Ack(4), Say::Close]);
        assert_eq!(rig.sizes(), [(1, 5), (2, 1)]);
    }

    fn h24_half_an_ack_at_the_end_of_the_stream_is_nothing() {
        let rig = five(&[Say::Ack(1), bytes(b"2A\0\0\0"), Say::Close]);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 4)]));
    }

    fn h25_a_connection_closed_while_idle_is_no_failure() {
        for end in [Say::Close, Say::Reset] {
            let mut rig = Rig::new(options(), move |window| vec![Say::Ack(window.len()), Say::After(60_000), end.clone()]);
            rig.send(0..5);
            rig.now_ms += 61_000;
            rig.send(5..10);
            assert_eq!((rig.sizes(), rig.pauses()), (vec![(1, 5), (2, 5)], vec![]));
        }
    }

    fn h26_a_receiver_that_reads_slowly_gets_its_time_for_every_piece() {
        let slowly = |ms| {
            let mut rig =
                Rig::new(Options { compression_level: 0, ..options() }, well()).reading_a_piece_in(ms);
            rig.push_payload(&format!("\"{}\"", "x".repeat(1 << 20)));
            rig.work(Goal::Settled);
            (rig.settled, rig.connections(), rig.now_ms - 1_000_000)
        };
        assert_eq!(slowly(20_000), (1, 1, 17 * 20_000), "17 pieces of 20 s each");
        assert_eq!(slowly(30_001).0, 0, "but none may take longer than the receiver may be silent");
    }

    fn h27_one_event_that_resets_every_window_is_isolated_and_the_others_arrive() {
        let mut rig = Rig::several(options(), 2, |window| match window.has(&event(17)) {
            true => vec![Say::Reset],
            false => vec![Say::Ack(window.len())],
        });
        rig.send(0..1000);
        assert_eq!((rig.settled, rig.set_aside.as_slice()), (1000, &[17][..]));
        assert_eq!(rig.counts().acknowledged, 999);
    }

    fn h28_a_receiver_that_resets_everything_is_given_up_soon_and_nothing_is_set_aside() {
        for events in [1, 2, 2048] {
            let mut rig = Rig::new(options(), |_| vec![Say::Reset]);
            rig.send(0..events);
            assert_eq!((rig.settled, rig.set_aside.as_slice()), (0, &[][..]));
            assert!(rig.connections() <= 5, "{} connections for {events}", rig.connections());
        }
        // Nor when it was well before.
        let mut windows = 0;
        let mut rig = Rig::new(options(), move |window| {
            windows += 1;
            if windows == 1 { vec![Say::Ack(window.len())] } else { vec![Say::Reset] }
        });
        rig.send(0..10);
        rig.send(10..1000);
        assert_eq!((rig.settled, rig.set_aside.as_slice()), (10, &[][..]));
        assert!(rig.connections() <= 25, "{}", rig.connections());
    }

    fn h29_a_receiver_that_closes_on_large_windows_is_served_by_the_limit() {
        let strict = |window: &Window| if window.len() > 10_000 { vec![Say::Close] } else { vec![Say::Ack(window.len())] };
        let mut rig = Rig::new(Options { window_events: 10_000, ..options() }, strict);
        rig.send(0..25_000);
        assert_eq!((rig.settled, rig.connections()), (25_000, 1));
    }

    fn h29_a_receiver_that_closes_on_two_to_four_events_of_version_2_is_recognised_when_it_takes_them_alone() {
        let ruby = |window: &Window| if (2..=4).contains(&window.len()) { vec![Say::Close] } else { vec![Say::Ack(window.len())] };
        for events in 2..=4 {
            let mut rig = Rig::new(options(), ruby);
            rig.send(0..events);
            let first = rig.counts();
            assert_eq!((rig.settled, first.small_windows, rig.set_aside.len()), (events, 1, 0), "{events}");
            // From now on it is spared such windows.
            let connections = rig.connections();
            rig.send(events..events + 3);
            rig.send(events + 3..events + 9);
            assert_eq!((rig.settled, rig.connections(), rig.counts().resent), (events + 9, connections, 0), "{events}");
        }
    }

    fn h29_what_is_closed_upon_for_another_reason_is_not_taken_for_that() {
        // By chance, once.
        let mut rig = Rig::new(options(), at_first(&[Say::Close]));
        rig.send(0..3);
        assert_eq!((rig.settled, rig.counts().small_windows), (3, 0));
        // For one event.
        let poisoned = |window: &Window| match window.has(&event(1)) {
            true => vec![Say::Close],
            false => vec![Say::Ack(window.len())],
        };
        let mut rig = Rig::new(options(), poisoned);
        rig.send(0..3);
        assert_eq!((rig.settled, rig.set_aside.len(), rig.counts().small_windows), (3, 1, 0));
    }

    fn h30_an_ack_after_45_seconds_of_silence_needs_a_longer_timeout_and_the_message_says_so() {
        let late = [Say::After(45_000), Say::Ack(5)];
        let rig = ever(&late);
        assert!(rig.failure().contains("raise `logstash.timeout`"), "{}", rig.failure());
        let mut rig = Rig::new(Options { timeout_ms: 60_000, ..options() }, at_first(&late));
        rig.send(0..5);
        assert_eq!((rig.settled, rig.connections()), (5, 1));
    }

    fn h31_floods_of_acks_or_garbage_end_the_connection() {
        let flood = Say::Bytes(ack(b'2', 0).repeat(10_001));
        let rig = ever(&[flood]);
        assert!(rig.failure().contains("10001 acknowledgements"), "{}", rig.failure());
        let rig = ever(&[Say::Bytes(vec![b'x'; 1 << 20])]);
        assert!(rig.failure().contains("not a Lumberjack"), "{}", rig.failure());
    }

    fn h32_an_ack_before_the_window_is_sent_counts_only_for_what_was_sent() {
        let large = || format!("\"{}\"", "x".repeat(100 << 10));
        // Compressed frames are sent only when all of them are.
        let mut state = 1u64;
        let noise: String = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'a' + ((state >> 33) % 26) as u8)
            })
            .collect();
        let mut rig = Rig::new(options(), well()).on_piece(|piece| Ok(if piece == 1 { vec![Say::Ack(1)] } else { vec![] }));
        rig.stop_ms = rig.now_ms + 55_000;
        rig.push_payload(&format!("\"{noise}\""));
        rig.work(Goal::Settled);
        assert_eq!(rig.settled, 0);
        assert!(rig.failure().contains("does not wait"), "{}", rig.failure());
        // Bare ones one by one: after two pieces of 64 KiB the first of 100 KiB is.
        let early = |acks: u32, after: usize| {
            let mut rig = Rig::new(Options { compression_level: 0, ..options() }, |_| vec![Say::Ack(3)])
                .on_piece(move |piece| Ok(if piece == after { vec![Say::Ack(acks)] } else { vec![] }))
                .stopping_after(4_000);
            (0..3).for_each(|_| rig.push_payload(&large()));
            rig.work(Goal::Settled);
            (rig.settled, rig.connections())
        };
        assert_eq!(early(1, 2), (3, 1));
        assert!(early(2, 2).1 > 1);
    }

    fn h33_when_one_of_several_hangs_its_share_goes_to_another() {
        let mut rig = Rig::several(options(), 2, |window| if window.receiver == 0 { vec![] } else { vec![Say::Ack(window.len())] });
        rig.send(0..5);
        assert_eq!((rig.settled, rig.sizes()), (5, vec![(1, 5), (2, 5)]));
        rig.send(5..10);
        assert_eq!(rig.sizes()[2], (2, 5), "and stays there");
    }

    fn h34_a_connection_is_the_hosts_business_with_all_addresses_of_a_name() {
        // The sender gives one limit for all of them; over real sockets see `sockets`.
        let mut rig = Rig::new(options(), well());
        rig.send(0..1);
        assert_eq!(rig.log[0].1, Happened::Connect { receiver: 0, timeout_ms: 9_000 });
    }

    fn h35_a_receiver_that_acknowledges_before_it_stores_cannot_be_told_from_others() {
        // Documented in docs/guarantees.md. An ack is all that the protocol has.
        let rig = five(&[Say::Ack(5)]);
        assert_eq!(rig.settled, 5);
    }
}
