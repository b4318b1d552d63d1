//! `loops NAME RECORDS ROUNDS`: runs one of the hot loops ROUNDS times, for counting instructions. Prints how many events one round has.

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;

use serde_json::{Value, json};
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::{AckReader, Protocol};
use whiskjack::openwhisk::record::{Record, SplitError, Splitter};
use whiskjack_bench_guest::memory::{Acknowledging, Api};
use whiskjack_bench_guest::{Records, pipeline, pipeline_with, send};

/// Bytes in a piece of an answer.
const CHUNK: usize = 64 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, file, rounds] = arguments.as_slice() else { return ExitCode::from(2) };
    let (Ok(text), Ok(rounds)) = (fs::read(file), rounds.parse::<u32>()) else { return ExitCode::from(2) };
    let records = Records::new(&text);
    let parsed = records.parsed();
    let api = Api::new(&records);
    let page = page(&text);
    let events = records.events();
    let mut round: Box<dyn FnMut()> = match name.as_str() {
        "splitter" => Box::new(|| split(&page)),
        "parse" => Box::new(|| drop(black_box(records.parsed()))),
        "event" => Box::new(|| write(&parsed)),
        "send" => Box::new(|| {
            black_box(send(&parsed, &Acknowledging::default(), "memory", 5044));
        }),
        "acks" => Box::new(|| read_acks(events)),
        "pipeline" => Box::new(|| {
            black_box(pipeline(&api));
        }),
        "ecs" => documents(&api, json!({"events.shape": "ecs"})),
        "all" => documents(
            &api,
            json!({"events.shape": "ecs", "lines": {"multiline": "auto", "json": true, "redact": ["email", "key"]}}),
        ),
        _ => return ExitCode::from(2),
    };
    (0..rounds).for_each(|_| round());
    println!("{events}");
    ExitCode::SUCCESS
}

/// The pipeline with such documents.
fn documents<'a>(api: &'a Api<'a>, parameters: Value) -> Box<dyn FnMut() + 'a> {
    Box::new(move || {
        black_box(pipeline_with(api, &Acknowledging::default(), parameters.clone()));
    })
}

/// The records as one answer of the API.
fn page(lines: &[u8]) -> Vec<u8> {
    let records: Vec<&[u8]> = lines.trim_ascii().split(|byte| *byte == b'\n').collect();
    [b"[".as_slice(), &records.join(&b','), b"]"].concat()
}

fn split(page: &[u8]) {
    let mut splitter = Splitter::default();
    for chunk in page.chunks(CHUNK) {
        let fed = splitter.feed(chunk, |element| {
            black_box(element);
            Ok::<(), SplitError>(())
        });
        black_box(fed.is_ok());
    }
}

fn write(records: &[Record<'_>]) {
    let mut out = Vec::new();
    let form = Form::new(Protocol::V2);
    for record in records {
        out.clear();
        let events = Events::of(record, &form);
        for (index, line) in record.entries().enumerate() {
            black_box(events.write(Document::plain(index, line), &mut out));
        }
        black_box(&out);
    }
}

/// One for each event, in pieces as a slow receiver sends them.
fn read_acks(count: u64) {
    let acks: Vec<u8> = (1..=count).flat_map(|ack| [b'2', b'A', 0, 0, (ack >> 8) as u8, ack as u8]).collect();
    let mut reader = AckReader::default();
    for piece in acks.chunks(64) {
        reader.push(piece);
        while let Ok(Some(ack)) = reader.next_ack() {
            black_box(ack);
        }
    }
}
