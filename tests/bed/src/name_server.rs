//! A name server that knows one name.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::thread;

use crate::shared::Shared;

/// Resolvers ask there and nowhere else.
const PORT: u16 = 53;
const TYPE_A: [u8; 2] = [0, 1];
/// Flags of an answer: this is one, recursion was desired and is available; no error, or no such name.
const FOUND: [u8; 2] = [0x81, 0x80];
const NO_SUCH_NAME: [u8; 2] = [0x81, 0x83];
const HEADER: usize = 12;

/// A running name server (RFC 1035), on a loopback address of its own. It knows `name` as 127.0.0.1, and nothing else.
#[derive(Debug)]
pub struct NameServer {
    address: Ipv4Addr,
    asked: Arc<Shared<Vec<String>>>,
}

impl NameServer {
    /// Starts it. Panics where port 53 cannot be had: that takes root, or `net.ipv4.ip_unprivileged_port_start=0`.
    #[track_caller]
    pub fn start(name: &str) -> Self {
        let (socket, address) = bind();
        let asked: Arc<Shared<Vec<String>>> = Arc::default();
        let (name, noted) = (name.to_owned(), asked.clone());
        // Lives until the process ends: it holds nothing but a socket.
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let Some((question, wanted)) = question(&buffer[..length]) else { continue };
                let answer = answer(&buffer[..2], question, wanted == name);
                noted.change(|asked| asked.push(wanted));
                let _ = socket.send_to(&answer, from);
            }
        });
        Self { address, asked }
    }

    /// The `/etc/resolv.conf` that names it.
    pub fn resolv_conf(&self) -> String {
        format!("nameserver {}\n", self.address)
    }

    /// The names that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.look(Vec::clone)
    }
}

/// One of sixteen million loopback addresses, so that no two tests meet.
#[track_caller]
fn bind() -> (UdpSocket, Ipv4Addr) {
    loop {
        let random = RandomState::new().build_hasher().finish().to_be_bytes();
        // Neither a network's address nor its broadcast one.
        let address = Ipv4Addr::new(127, random[0], random[1], random[2].clamp(1, 254));
        match UdpSocket::bind((address, PORT)) {
            Ok(socket) => return (socket, address),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => panic!(
                "a test plays a name server, and cannot have port 53: {error}; be root, or set net.ipv4.ip_unprivileged_port_start=0"
            ),
        }
    }
}

/// The question as it was asked, and its name.
fn question(query: &[u8]) -> Option<(&[u8], String)> {
    let question = query.get(HEADER..)?;
    let (mut at, mut labels) = (0, Vec::new());
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).into_owned());
        at += length;
    }
    Some((question.get(..at + 4)?, labels.join(".")))
}

fn answer(id: &[u8], question: &[u8], known: bool) -> Vec<u8> {
    let has_address = known && question[question.len() - 4..question.len() - 2] == TYPE_A;
    let mut answer = id.to_vec();
    answer.extend(if known { FOUND } else { NO_SUCH_NAME });
    // One question; as many answers as there are; no authorities, nothing else.
    answer.extend([0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question);
    if has_address {
        // The name of the question, by its place; class IN; for no time at all.
        answer.extend([0xc0, 12]);
        answer.extend(TYPE_A);
        answer.extend([0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}
