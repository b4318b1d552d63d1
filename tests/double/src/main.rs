//! Serves the demo namespace.
//!
//! Prints one JSON line when it is ready: `{"origin":…,"key":…,"namespace":…}`. A line on stdin brings the second wave of
//! activations (answered by `{"added":N}`). Exits when stdin closes.

use std::io::{self, BufRead as _, Write as _};

use openwhisk_double::{Double, Options, demo};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let double = Double::start(Options::default());
    let world = double.world();
    world.add_all(demo::first_wave(world.clock().now()));
    say(&json!({"origin": double.origin(), "key": double.key(), "namespace": double.namespace()}))?;
    for line in io::stdin().lock().lines() {
        line?;
        let added = world.add_all(demo::second_wave(world.clock().now()));
        say(&json!({"added": added.len()}))?;
    }
    Ok(())
}

fn say(line: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
