//! B3: encoding, compressing and sending, against Elastic's own client.

use anyhow::{Result, ensure};

use super::Effort;
use crate::contest::{self, number, turns};
use crate::receiver::Receiver;
use crate::report::{Row, Sense};
use crate::summary::Summary;
use crate::world::Shape;

const SHAPE: Shape = Shape { actions: 10, records: 5_000, lines: 20, span_ms: 600_000 };

pub(super) fn measure(row: &mut Row, effort: Effort) -> Result<()> {
    row.note(
        "User and system time of each process between two marks: before the first mark both have read the records, after the second all is \
         acknowledged by the same server, over plain TCP. Ours is the core as a component in wasmtime, its host and the calls between them \
         included; it makes the events of parsed records, with their ids and times. Elastic's client has finished structs to encode \
         (`json.Marshal`), its level 3 and windows of 2048.",
    );
    let records = contest::records(SHAPE)?;
    let receiver = Receiver::plain()?;
    let (mut ours, mut elastic) = (Vec::new(), Vec::new());
    for _ in 0..effort.times(10) {
        let mut command = contest::contestant()?;
        command.arg("send").arg(contest::guest()?).arg(records.path()).arg(receiver.port().to_string());
        ours.push(one(&mut command, &receiver)?);
        let mut command = contest::elastic()?;
        command.arg("-address").arg(format!("127.0.0.1:{}", receiver.port())).arg(records.path());
        elastic.push(one(&mut command, &receiver)?);
    }
    let ratio = Summary::of(ours.iter().zip(&elastic).map(|(ours, elastic)| ours / elastic));
    row.figure("component in wasmtime", "events/s", Summary::of(ours));
    row.figure("go-lumber's client", "events/s", Summary::of(elastic));
    row.figure("ratio of neighbours", "×", ratio);
    row.goal("", "×", ratio.median, Sense::AtLeast, 1.5);
    Ok(())
}

/// Events per second of one turn.
fn one(command: &mut std::process::Command, receiver: &Receiver) -> Result<f64> {
    let expected = receiver.arrived() + SHAPE.events();
    let turns = turns(command)?;
    let [turn] = turns.as_slice() else { anyhow::bail!("one turn is expected, not {}", turns.len()) };
    ensure!(number(turn, "events")? == SHAPE.events() as f64, "not everything was acknowledged: {turn}");
    receiver.expect(expected)?;
    Ok(SHAPE.events() as f64 / number(turn, "cpu_us")? * 1e6)
}
