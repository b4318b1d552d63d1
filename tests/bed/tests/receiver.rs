//! The receiver is Elastic's server, and its faults are what they say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a panic is how they fail"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use whiskjack_testbed::{Certificates, Receiver, ReceiverOptions};

const WAIT: Duration = Duration::from_secs(20);
/// Version 2, a window of one: `{"message":"hi"}`.
const WINDOW_V2: &[u8] = b"2W\0\0\0\x012J\0\0\0\x01\0\0\0\x10{\"message\":\"hi\"}";
const ACK_V2: &[u8] = b"2A\0\0\0\x01";
/// Version 1, a window of one: `line` = `hi`.
const WINDOW_V1: &[u8] = b"1W\0\0\0\x011D\0\0\0\x01\0\0\0\x01\0\0\0\x04line\0\0\0\x02hi";
const ACK_V1: &[u8] = b"1A\0\0\0\x01";

#[test]
fn an_event_is_received_over_tls() {
    let certificates = Certificates::new();
    let receiver =
        Receiver::start(ReceiverOptions { tls: Some(certificates.server_tls()), ..Default::default() });
    let mut stream = tls(&receiver, &certificates.ca, None);
    stream.write_all(WINDOW_V2).unwrap();
    assert_eq!(read_ack(&mut stream), ACK_V2);
    let events = receiver.wait_for_events(1, WAIT);
    assert_eq!((events[0].window, events[0].size), (1, 1));
    assert_eq!(events[0].event, json!({"message": "hi"}));
}

#[test]
fn a_client_that_trusts_another_ca_refuses_the_server() {
    let certificates = Certificates::new();
    let receiver =
        Receiver::start(ReceiverOptions { tls: Some(certificates.server_tls()), ..Default::default() });
    let mut stream = tls(&receiver, &certificates.other_ca, None);
    let error = stream.write_all(WINDOW_V2).unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[test]
fn mutual_tls_lets_in_only_a_client_with_a_certificate() {
    let certificates = Certificates::new();
    let receiver =
        Receiver::start(ReceiverOptions { tls: Some(certificates.mutual_tls()), ..Default::default() });

    // Under TLS 1.3 the refusal comes after the handshake, on the first read.
    let mut stranger = tls(&receiver, &certificates.ca, None);
    let refused = stranger.write_all(WINDOW_V2).and_then(|()| stranger.read_exact(&mut [0; 6]));
    assert!(refused.is_err());

    let mut known =
        tls(&receiver, &certificates.ca, Some((&certificates.client_certificate, &certificates.client_key)));
    known.write_all(WINDOW_V2).unwrap();
    assert_eq!(read_ack(&mut known), ACK_V2);
    assert_eq!(receiver.wait_for_events(1, WAIT).len(), 1);
}

#[test]
fn both_versions_are_received_at_once_and_windows_are_counted_over_all_connections() {
    let receiver = Receiver::start(ReceiverOptions::default());
    let mut old = TcpStream::connect(receiver.address()).unwrap();
    old.write_all(WINDOW_V1).unwrap();
    assert_eq!(read_ack(&mut old), ACK_V1);
    let mut new = TcpStream::connect(receiver.address()).unwrap();
    new.write_all(WINDOW_V2).unwrap();
    assert_eq!(read_ack(&mut new), ACK_V2);

    let events = receiver.wait_for_events(2, WAIT);
    assert_eq!((events[0].window, &events[0].event), (1, &json!({"line": "hi"})));
    assert_eq!((events[1].window, &events[1].event), (2, &json!({"message": "hi"})));
}

#[test]
fn numbers_arrive_with_all_their_digits() {
    let receiver = Receiver::start(ReceiverOptions::default());
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream.write_all(b"2W\0\0\0\x012J\0\0\0\x01\0\0\0\x19{\"nanos\":123456789012345678}").unwrap();
    // The declared length is short by three: what is left over must not pass for an event.
    assert_eq!(stream.read(&mut [0; 6]).unwrap_or(0), 0);

    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream.write_all(b"2W\0\0\0\x012J\0\0\0\x01\0\0\0\x1c{\"nanos\":123456789012345678}").unwrap();
    assert_eq!(read_ack(&mut stream), ACK_V2);
    assert_eq!(receiver.wait_for_events(1, WAIT)[0].event["nanos"], 123_456_789_012_345_678_u64);
}

#[test]
fn withheld_acks_leave_the_connection_open_and_the_next_window_is_acked() {
    let receiver = Receiver::start(ReceiverOptions { withhold_acks: 1, ..Default::default() });
    let mut first = TcpStream::connect(receiver.address()).unwrap();
    first.write_all(WINDOW_V2).unwrap();
    receiver.wait_for_events(1, WAIT);
    let mut second = TcpStream::connect(receiver.address()).unwrap();
    second.write_all(WINDOW_V2).unwrap();
    assert_eq!(read_ack(&mut second), ACK_V2);
    // Only a keep-alive comes on the first.
    assert_eq!(read_ack(&mut first), *b"2A\0\0\0\0");
}

#[test]
fn a_connection_is_closed_instead_of_an_ack() {
    let receiver = Receiver::start(ReceiverOptions { close_instead_of_ack: 1, ..Default::default() });
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream.write_all(WINDOW_V2).unwrap();
    assert_eq!(stream.read(&mut [0; 6]).unwrap(), 0);
    assert_eq!(receiver.wait_for_events(1, WAIT).len(), 1);
}

#[test]
fn an_ack_can_be_delayed() {
    let delay = Duration::from_millis(300);
    let receiver = Receiver::start(ReceiverOptions { ack_delay: delay, ..Default::default() });
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    let sent = Instant::now();
    stream.write_all(WINDOW_V2).unwrap();
    assert_eq!(read_ack(&mut stream), ACK_V2);
    assert!(sent.elapsed() >= delay);
}

#[test]
fn a_receiver_can_come_back_where_another_was() {
    let address = Receiver::start(ReceiverOptions::default()).address();
    let receiver = Receiver::start(ReceiverOptions { listen: Some(address), ..Default::default() });
    assert_eq!(receiver.address(), address);
}

#[test]
#[should_panic(expected = "0 of 1 events arrived")]
fn waiting_for_events_that_do_not_come_fails() {
    Receiver::start(ReceiverOptions::default()).wait_for_events(1, Duration::from_millis(1));
}

fn read_ack(stream: &mut impl Read) -> [u8; 6] {
    let mut ack = [0; 6];
    stream.read_exact(&mut ack).unwrap();
    ack
}

fn tls(
    receiver: &Receiver,
    ca: &str,
    client: Option<(&String, &String)>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(receiver.address()).unwrap())
}
