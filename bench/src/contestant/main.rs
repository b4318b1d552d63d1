//! `contestant send GUEST.cwasm RECORDS PORT` and `contestant pipeline GUEST.cwasm RECORDS ROUNDS`: the work that is timed in a process of
//! its own. Each line of stdout is the result of one turn.

mod engine;

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use engine::Instance;
use serde_json::json;
use whiskjack_bench::cpu;
use whiskjack_bench_guest::memory::Api;
use whiskjack_bench_guest::{Records, pipeline};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["send", guest, records, port] => send(Path::new(guest), &read(records)?, port.parse()?),
        ["pipeline", guest, records, rounds] => both(Path::new(guest), &read(records)?, rounds.parse()?),
        _ => bail!(
            "usage: contestant send GUEST.cwasm RECORDS PORT | contestant pipeline GUEST.cwasm RECORDS ROUNDS"
        ),
    }
}

fn read(records: &str) -> Result<Vec<u8>> {
    fs::read(records).with_context(|| format!("cannot read {records}"))
}

fn send(guest: &Path, records: &[u8], port: u16) -> Result<()> {
    let mut instance = Instance::new(guest, records)?;
    let (events, cpu) = timed(|| instance.send("127.0.0.1", port))?;
    println!("{}", json!({"events": events, "cpu_us": cpu.as_micros() as u64}));
    Ok(())
}

/// The component and the same code natively, in turn.
fn both(guest: &Path, records: &[u8], rounds: usize) -> Result<()> {
    let mut instance = Instance::new(guest, records)?;
    let records = Records::new(records);
    let api = Api::new(&records);
    for _ in 0..rounds {
        let (wasm_events, wasm) = timed(|| instance.pipeline())?;
        let (events, native) = timed(|| Ok(pipeline(&api)))?;
        let (wasm, native) = (wasm.as_micros() as u64, native.as_micros() as u64);
        println!(
            "{}",
            json!({"events": events, "wasm_events": wasm_events, "native_us": native, "wasm_us": wasm})
        );
    }
    Ok(())
}

/// User and system time of this process between two marks.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let before = cpu::of_this_process()?;
    let done = work()?;
    Ok((done, cpu::of_this_process()?.saturating_sub(before)))
}
