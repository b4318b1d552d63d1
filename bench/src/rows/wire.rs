//! B9: bytes on the wire.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use openwhisk_double::{Double, Options};
use serde_json::json;

use super::Effort;
use crate::contest::{self, number, turns};
use crate::product::{self, config, now_ms};
use crate::receiver::Receiver;
use crate::relay::Relay;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 10, records: 5_000, lines: 20, span_ms: 600_000 };

pub(super) fn measure(row: &mut Row, _: Effort) -> Result<()> {
    row.note(
        "Bytes from sender to receiver per event, TCP payload, nothing of TLS. Ours is the built product with its defaults; the other is Elastic's client \
         as Filebeat uses it by default (zlib 3, windows of 2048), given the very same JSON in the same order. What `@metadata` adds is the \
         difference when the same client sends the same events without it.",
    );
    let receiver = Receiver::plain()?;
    let ours = ours(&receiver)?;
    let elastic = elastic(&receiver, true)?;
    let bare = self::elastic(&receiver, false)?;
    row.figure("whiskjack", "bytes", Summary::exact(ours));
    row.figure("Filebeat's defaults", "bytes", Summary::exact(elastic));
    row.figure("of which @metadata", "bytes", Summary::exact(elastic - bare));
    row.goal("", "×", ours / elastic, Sense::AtMost, 1.0);
    Ok(())
}

fn ours(receiver: &Receiver) -> Result<f64> {
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], receiver.port())))?;
    let api = Double::start(Options::default());
    let now = now_ms();
    api.world().add_all(SHAPE.activations(now));
    let logstash = json!({"host": "127.0.0.1", "port": relay.address().port(), "tls": false});
    let params = config(&SHAPE.names(), now - SHAPE.span_ms - 60_000, logstash, "wire");
    let expected = receiver.arrived() + SHAPE.events();
    product::run(&api.origin(), &api, &params, |_| ())?.forwarded(SHAPE.events())?;
    receiver.expect(expected)?;
    Ok(each(&relay))
}

fn elastic(receiver: &Receiver, metadata: bool) -> Result<f64> {
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], receiver.port())))?;
    let events = contest::events(SHAPE, metadata)?;
    let mut command = contest::elastic()?;
    command.arg("-address").arg(relay.address().to_string()).arg("-raw").arg(events.path());
    let expected = receiver.arrived() + SHAPE.events();
    for turn in turns(&mut command)? {
        ensure!(number(&turn, "events")? == SHAPE.events() as f64, "not everything was acknowledged: {turn}");
    }
    receiver.expect(expected)?;
    Ok(each(&relay))
}

fn each(relay: &Relay) -> f64 {
    relay.bytes().0 as f64 / SHAPE.events() as f64
}
