//! A stretch of bad network between two programs: a proxy that delays, splits, throttles, resets and half-closes at random, by seed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// How long an idle connection rests before it looks again.
const REST: Duration = Duration::from_micros(200);

/// A running proxy. Dropping it ends all its connections.
#[derive(Debug)]
pub struct Chaos {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    seed: u64,
    calm: AtomicBool,
    stopped: AtomicBool,
    connections: AtomicU64,
    /// Connections that were cut, refused or left to starve.
    broken: AtomicU64,
}

impl Chaos {
    /// Starts a proxy to `to`; it accepts when this returns. The same seed makes the same weather for the n-th connection.
    #[track_caller]
    pub fn start(to: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a listening socket has an address");
        let shared = Arc::new(Shared {
            to,
            seed,
            calm: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on new connections pass untouched.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::SeqCst);
    }

    /// Connections so far, and how many of them did not live as long as their two ends wanted.
    pub fn connections(&self) -> (u64, u64) {
        (self.shared.connections.load(Ordering::SeqCst), self.shared.broken.load(Ordering::SeqCst))
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((client, _)) = listener.accept() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let weather = if shared.calm.load(Ordering::SeqCst) {
            Weather::CALM
        } else {
            Weather::new(&mut Dice::new(shared.seed, number))
        };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let mut dice = Dice::new(!shared.seed, number);
            if !relay(client, &weather, &mut dice, &shared).unwrap_or(true) {
                shared.broken.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

/// What happens to one connection.
#[derive(Clone, Copy, Debug)]
struct Weather {
    /// Bytes that pass at once, to the receiver and back.
    most: [usize; 2],
    /// Longest delay of a piece, in microseconds.
    delay: [u64; 2],
    end: Option<End>,
}

/// How and when a connection ends before its time.
#[derive(Clone, Copy, Debug)]
struct End {
    /// 0: on the way to the receiver; 1: on the way back.
    way: usize,
    /// After so many bytes on that way.
    after: u64,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Both ends get RST.
    Reset,
    /// Both ends get FIN.
    Close,
    /// This way ends with FIN, the other goes on.
    HalfClose,
    /// This way stands still, without a sign.
    Starve,
}

impl Weather {
    const CALM: Self = Self { most: [1 << 16; 2], delay: [0; 2], end: None };

    fn new(dice: &mut Dice) -> Self {
        let mut way = |most_bytes: u64| {
            let most = dice.below(most_bytes).max(1) as usize;
            let delay = if dice.below(3) == 0 { dice.below(1500) } else { 0 };
            (if dice.below(2) == 0 { most } else { 1 << 16 }, delay)
        };
        let ways = [way(400), way(8)];
        let end = (dice.below(100) < 85).then(|| {
            let way = dice.below(2) as usize;
            // A window is some hundred bytes to some thousands, an ack is six.
            let after = if way == 0 { dice.heavy(6000) } else { dice.below(20) };
            let how = match dice.below(20) {
                0..8 => How::Reset,
                8..14 => How::Close,
                14..18 => How::HalfClose,
                _ => How::Starve,
            };
            End { way, after, how }
        });
        Self { most: ways.map(|(most, _)| most), delay: ways.map(|(_, delay)| delay), end }
    }
}

/// One direction.
struct Way {
    held: Vec<u8>,
    /// When the held bytes may pass.
    from: Instant,
    passed: u64,
    /// The sender of these bytes has finished.
    ended: bool,
    /// Nothing passes any more.
    shut: bool,
    starved: bool,
}

/// Carries bytes both ways on one thread, which alone holds both sockets: so their last handles go together, and a reset is a reset.
/// False if the connection was broken on purpose.
fn relay(client: TcpStream, weather: &Weather, dice: &mut Dice, shared: &Shared) -> io::Result<bool> {
    let server = TcpStream::connect(shared.to)?;
    for socket in [&client, &server] {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
    }
    let sockets = [client, server];
    let new = || Way {
        held: Vec::new(),
        from: Instant::now(),
        passed: 0,
        ended: false,
        shut: false,
        starved: false,
    };
    let mut ways = [new(), new()];
    let mut whole = true;
    while !shared.stopped.load(Ordering::SeqCst) && !ways.iter().all(|way| way.shut) {
        let mut moved = false;
        for at in 0..2 {
            let (from, to) = (&sockets[at], &sockets[1 - at]);
            moved |= carry(&mut ways[at], from, to, at, weather, dice)?;
            if let Some(end) = weather.end
                && end.way == at
                && whole
                && ways[at].passed >= end.after
            {
                whole = false;
                match end.how {
                    How::Reset => {
                        sockets
                            .iter()
                            .try_for_each(|socket| SockRef::from(socket).set_linger(Some(Duration::ZERO)))?;
                        return Ok(false);
                    }
                    How::Close => return Ok(false),
                    How::HalfClose => {
                        to.shutdown(Shutdown::Write)?;
                        ways[at].shut = true;
                    }
                    How::Starve => ways[at].starved = true,
                }
            }
        }
        if !moved {
            thread::sleep(REST);
        }
    }
    Ok(whole)
}

/// Moves what can be moved in one direction. Errors end the connection, as a real one's would.
fn carry(
    way: &mut Way,
    mut from: &TcpStream,
    mut to: &TcpStream,
    at: usize,
    weather: &Weather,
    dice: &mut Dice,
) -> io::Result<bool> {
    let mut moved = false;
    if way.held.is_empty() && !way.ended {
        let mut buffer = vec![0; weather.most[at]];
        match from.read(&mut buffer) {
            Ok(0) => way.ended = true,
            Ok(count) => {
                way.held.extend(&buffer[..count]);
                let delay = if weather.delay[at] > 0 { dice.below(weather.delay[at]) } else { 0 };
                way.from = Instant::now() + Duration::from_micros(delay);
                moved = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    if way.shut || way.starved {
        // Still read, so that whoever sends it does not see that it goes nowhere.
        way.held.clear();
        way.shut |= way.ended;
        return Ok(moved);
    }
    let most =
        weather.end.filter(|end| end.way == at).map_or(u64::MAX, |end| end.after.saturating_sub(way.passed));
    let now = usize::try_from(most).unwrap_or(usize::MAX).min(way.held.len());
    if now > 0 && Instant::now() >= way.from {
        match to.write(&way.held[..now]) {
            Ok(count) => {
                way.held.drain(..count);
                way.passed += count as u64;
                moved = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    if way.ended && way.held.is_empty() && !way.shut {
        to.shutdown(Shutdown::Write)?;
        way.shut = true;
        moved = true;
    }
    Ok(moved)
}

/// SplitMix64: seeds that are neighbours make unlike worlds.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice for the `number`-th thing of a seed.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut dice =
            Self(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ number.wrapping_mul(0xaf25_1af3_b0f0_25b5));
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to `limit` − 1.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    /// From 0 to `limit`, small ones as likely as large ones.
    pub fn heavy(&mut self, limit: u64) -> u64 {
        let bits = self.below(u64::from(limit.ilog2()) + 1);
        self.below(2 << bits).min(limit)
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_calm_proxy_hands_on_all_bytes_and_both_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Chaos::start(listener.local_addr().unwrap(), 1);
        proxy.calm();
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let sent: Vec<u8> = (0..200_000).map(|at| at as u8).collect();
        let expected = sent.clone();
        let sender = thread::spawn(move || {
            client.write_all(&sent).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).unwrap();
            answer
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert_eq!(received, expected);
        server.write_all(b"done").unwrap();
        drop(server);
        assert_eq!(sender.join().unwrap(), b"done");
        assert_eq!(proxy.connections(), (1, 0));
    }

    #[test]
    fn the_weather_of_a_seed_is_always_the_same_and_seeds_differ() {
        let weather = |seed, number| format!("{:?}", Weather::new(&mut Dice::new(seed, number)));
        assert_eq!(weather(7, 3), weather(7, 3));
        let all: BTreeSet<String> =
            (0..50).flat_map(|seed| (0..4).map(move |number| weather(seed, number))).collect();
        assert!(all.len() > 150, "{} of 200", all.len());
        for how in ["Reset", "Close", "HalfClose", "Starve", "end: None"] {
            assert!(all.iter().any(|weather| weather.contains(how)), "{how}");
        }
    }
}
