//! Bad network between the built forwarder and Elastic's server, one random world for each seed: whatever a proxy does to their
//! connections, every line arrives, and lines that come twice are the same to the last field.
//!
//! `WHISKJACK_SEEDS=FROM..TO cargo test --test chaos` chooses the seeds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use openwhisk_double::{Activation, Double, Options};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use whiskjack_testbed::{Chaos, Cli, Dice, Received, Receiver, ReceiverOptions};

/// Seeds, unless the environment says otherwise.
const SEEDS: (u64, u64) = (0, 30);
const THREADS: usize = 2;
/// Most runs that the forwarder may need when the network is good again. One that it has given up on is not counted as lost.
const QUIET_RUNS: usize = 3;
const SOON: Duration = Duration::from_secs(20);
const NAME: &str = "every_line_arrives_over_a_bad_network_and_repeats_are_equal";

/// What came of one seed or of all.
#[derive(Debug, Default)]
struct Sum {
    runs: u64,
    connections: u64,
    broken: u64,
    lines: u64,
    /// Lines that came more often than they were logged.
    repeated: u64,
    /// Lines that never came.
    lost: u64,
    /// Lines that came again under another id, or with other fields.
    unequal: u64,
    /// What is wrong, if anything.
    complaints: Vec<String>,
}

fn main() -> ExitCode {
    // As libtest: other tests' names and options are none of ours.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    let mut parts = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
    let chosen = parts.peek().is_none() || parts.any(|part| NAME.contains(part.as_str()));
    if !chosen || arguments.iter().any(|argument| argument == "--ignored") {
        println!("\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out\n");
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let (from, to) = seeds();
    let verdicts = all(from, to);
    let bad = report(&verdicts, began);
    ExitCode::from(u8::from(bad > 0))
}

fn all(from: u64, to: u64) -> BTreeMap<u64, Sum> {
    let next = AtomicU64::new(from);
    let verdicts = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let receiver = Receiver::start(ReceiverOptions::default());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        return;
                    }
                    let sum = catch_unwind(AssertUnwindSafe(|| world(seed, &receiver)))
                        .unwrap_or_else(|_| Sum { complaints: vec!["panicked".into()], ..Sum::default() });
                    verdicts.lock().unwrap().insert(seed, sum);
                }
            });
        }
    });
    verdicts.into_inner().unwrap()
}

/// Prints what failed and the sum of it all. Returns how many seeds failed.
fn report(verdicts: &BTreeMap<u64, Sum>, began: Instant) -> usize {
    let bad: Vec<_> = verdicts.iter().filter(|(_, sum)| !sum.complaints.is_empty()).collect();
    for (seed, sum) in bad.iter().take(20) {
        println!("seed {seed}: {}", sum.complaints.join("; "));
        println!("  again: WHISKJACK_SEEDS={seed}..{} cargo test --test chaos", *seed + 1);
    }
    let sum = |of: fn(&Sum) -> u64| verdicts.values().map(of).sum::<u64>();
    let (word, passed) = if bad.is_empty() { ("ok", 1) } else { ("FAILED", 0) };
    println!("test {NAME} ... {word}");
    println!(
        "\ntest result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s\n",
        1 - passed,
        began.elapsed().as_secs_f64()
    );
    println!("connections={} broken={}", sum(|it| it.connections), sum(|it| it.broken));
    println!(
        "seeds={} runs={} lines={} repeated={} lost={} unequal={}",
        verdicts.len(),
        sum(|it| it.runs),
        sum(|it| it.lines),
        sum(|it| it.repeated),
        sum(|it| it.lost),
        sum(|it| it.unequal),
    );
    bad.len()
}

/// A few runs in bad weather, new lines before each; then quiet, until the forwarder says that all is done.
fn world(seed: u64, receiver: &Receiver) -> Sum {
    let mut dice = Dice::new(seed, u64::MAX);
    let api = Double::start(Options::default());
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let proxy = Chaos::start(receiver.address(), seed);
    let before = receiver.events().len();
    let params = params(proxy.port(), &mut dice);
    let run = |sum: &mut Sum| {
        let (origin, key, namespace) = (api.origin(), api.key(), api.namespace());
        let environment =
            [("__OW_API_HOST", &*origin), ("__OW_API_KEY", &*key), ("__OW_NAMESPACE", &*namespace)];
        let output = Cli::run(&params, Some(&state), &environment);
        sum.runs += 1;
        output
    };

    let mut sum = Sum::default();
    for _ in 0..=dice.below(3) {
        add(&api, seed, &mut dice);
        run(&mut sum);
    }
    proxy.calm();
    let mut last = run(&mut sum);
    for _ in 1..QUIET_RUNS {
        if last.status.success() {
            break;
        }
        last = run(&mut sum);
    }
    if !last.status.success() {
        sum.complaints.push(format!("not done in quiet weather: {}", last.stdout.trim()));
    }
    (sum.connections, sum.broken) = proxy.connections();
    let mut events = receiver.all_events_after(before, SOON);
    // A window of the seed before, cut off by its proxy, may have come in late.
    let own = format!(": {seed} ");
    events.retain(|received| received.event["line"].as_str().is_some_and(|line| line.contains(&own)));
    compare(&api, &events, &mut sum);
    sum
}

fn params(port: u16, dice: &mut Dice) -> Value {
    let protocol = dice.pick(&[2, 2, 2, 1]);
    // Version 1 has one window on its way, always compressed.
    let (pipelining, level) = match protocol {
        1 => (0, dice.pick(&[1, 3, 9])),
        _ => (dice.pick(&[0, 0, 1, 2]), dice.pick(&[0, 1, 3, 9])),
    };
    json!({
        "actions": ["*"],
        "logstash": {
            "host": "127.0.0.1", "port": port, "tls": false,
            "protocol": protocol,
            "bulk_max_size": dice.pick(&[1, 3, 10, 50, 2048]),
            "compression_level": level,
            "pipelining": pipelining,
            "slow_start": dice.below(2) == 0,
            "timeout": "250ms",
            "backoff": {"init": "10ms", "max": "40ms"},
        },
    })
}

fn add(api: &Double, seed: u64, dice: &mut Dice) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    for number in 0..=dice.below(4) {
        let start = i64::try_from(now).unwrap() - 1000 - dice.below(60_000) as i64;
        // Some of them equal; none in some activations, but then in others: a platform without any may keep them elsewhere.
        let count = dice.heavy(60).max(u64::from(number == 0));
        let lines: Vec<String> = (0..count).map(|_| format!("{seed} {}", dice.below(30))).collect();
        let activation = Activation::new(dice.pick(&["hello", "other"])).start(start);
        api.world().add(if lines.is_empty() { activation } else { activation.stdout(&lines.join("\n")) });
    }
}

/// What arrived against what was logged.
fn compare(api: &Double, events: &[Received], sum: &mut Sum) {
    let mut logged: BTreeMap<(String, String), u64> = BTreeMap::new();
    for record in api.world().records() {
        for line in &record.logs {
            *logged.entry((record.id.clone(), line.clone())).or_default() += 1;
        }
    }
    let mut arrived: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, &Value> = BTreeMap::new();
    for Received { event, .. } in events {
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        arrived.entry((text("activation"), text("line"))).or_default().push(event);
        if let Some(id) = event["@metadata"]["_id"].as_str() {
            sum.unequal += u64::from(*by_id.entry(id).or_insert(event) != event);
        }
    }
    for (line, count) in &logged {
        sum.lines += count;
        let came = arrived.remove(line).unwrap_or_default();
        // Version 1 has no ids: there a repeat of one of two equal lines looks like the other.
        let ids: BTreeSet<&str> =
            came.iter().filter_map(|event| event["@metadata"]["_id"].as_str()).collect();
        let different = if ids.is_empty() { (came.len() as u64).min(*count) } else { ids.len() as u64 };
        sum.lost += count.saturating_sub(different);
        sum.unequal += different.saturating_sub(*count);
        sum.repeated += (came.len() as u64).saturating_sub(*count);
    }
    // A line that nobody logged.
    sum.unequal += arrived.values().map(|events| events.len() as u64).sum::<u64>();
    if sum.lost > 0 || sum.unequal > 0 {
        sum.complaints.push(format!("{} lines lost, {} unequal", sum.lost, sum.unequal));
    }
}

fn seeds() -> (u64, u64) {
    let Ok(text) = std::env::var("WHISKJACK_SEEDS") else { return SEEDS };
    text.split_once("..")
        .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)))
        .expect("WHISKJACK_SEEDS is FROM..TO, as 17..18")
}
