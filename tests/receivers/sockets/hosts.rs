//! More than one receiver, and names with more than one address.

use super::scene::{SOON, Scene, assert_fair};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use whiskjack_testbed::{Scripted, ScriptedOptions, Session};

fn several(ports: &[u16], more: &Value) -> Value {
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut params = Scene::params(0, &json!({"host": null, "port": null, "hosts": hosts}));
    for (key, value) in more.as_object().unwrap() {
        params["logstash"][key] = value.clone();
    }
    params
}

/// A port that nobody listens on.
fn refused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An address that answers no connection attempt: its queue is full. Lasts as long as what is returned.
fn dead(address: SocketAddr) -> (Socket, Vec<TcpStream>) {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 16, "{address} takes all of them");
    }
    (socket, waiting)
}

sentences! {
    fn h33_one_of_several_hosts_hangs_and_the_others_get_its_share() {
        // The order is shuffled at each start: of eight runs the hanging one is the first of some.
        let mut met = 0;
        for _ in 0..8 {
            let scene = Scene::with_lines(8);
            let hanging = Scripted::start(|session| session.read_to_end());
            let good = Scripted::good();
            let ran = scene.run(&several(&[hanging.port(), good.port()], &json!({})));
            assert_eq!(ran.assert_complete().lines("acknowledged"), 8);
            scene.assert_all_arrived(&[&good]);
            let was_met = !hanging.journal().connections.is_empty();
            let told = ran.result["warnings"].to_string();
            let name = format!("a receiver failed, and another one got its lines: 127.0.0.1:{}: ", hanging.port());
            assert_eq!(told.contains(&name), was_met, "{told}");
            met += usize::from(was_met);
        }
        assert!((1..8).contains(&met), "the hanging host was met in {met} of 8 runs: the start is not shuffled");
    }

    fn h33_with_load_balancing_the_others_go_on_while_one_hangs() {
        let scene = Scene::with_lines(0);
        for action in 1..=12 {
            scene.add(&[format!("timber {action} a"), format!("timber {action} b")]);
        }
        let hanging = Scripted::start(|session| session.read_to_end());
        let (one, other) = (Scripted::good(), Scripted::good());
        let ports = [hanging.port(), one.port(), other.port()];
        let ran = scene.run(&several(&ports, &json!({"loadbalance": true, "worker": 1, "bulk_max_size": 2})));
        ran.assert_complete();
        scene.assert_all_arrived(&[&one, &other]);
    }

    fn h33_all_hosts_refuse_and_the_error_names_them() {
        let scene = Scene::with_lines(8);
        let ports = [refused_port(), refused_port()];
        let ran = scene.run(&several(&ports, &json!({})));
        ran.assert_failed(&["refused"]);
        assert!(ports.iter().any(|port| ran.error().contains(&port.to_string())), "{ran:#?}");
        assert_eq!(ran.lines("unacknowledged"), 8);
    }

    fn h34_of_a_name_with_a_dead_and_a_live_address_the_live_one_is_reached() {
        // Both orders: which address a resolver gives first is its own affair.
        for dead_first in [false, true] {
            let scene = Scene::with_lines(8);
            let [low, high] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
            let (dead_at, live_at) = if dead_first { (low, high) } else { (high, low) };
            let options =
                ScriptedOptions { listen: Some(SocketAddr::from((live_at, 0))), ..ScriptedOptions::default() };
            let live = Scripted::with(options, Session::serve);
            let _dead = dead(SocketAddr::from((dead_at, live.port())));
            let params = Scene::params(live.port(), &json!({"host": "logstash.test", "timeout": "20s"}));
            let began = Instant::now();
            let ran =
                scene.run_with_hosts(&params, &format!("{dead_at} logstash.test\n{live_at} logstash.test\n"));
            assert_eq!(ran.assert_complete().lines("acknowledged"), 8);
            assert!(began.elapsed() < Duration::from_secs(9), "it took {:?}", began.elapsed());
            assert_fair(&live.settled(SOON));
            scene.assert_all_arrived(&[&live]);
        }
    }
}
