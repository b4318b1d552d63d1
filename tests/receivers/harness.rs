//! Runs numbered tests: prints what libtest prints, and then how many numbers hold.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::panic::{self, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::sentences::Test;

/// Tests at once: most of them wait.
const THREADS: usize = 4;

/// Runs the tests whose name has the argument in it, or all; then every point must have a test that passes, or not be applicable: name as
/// `h09`, and why. `most` says how many points there are of each kind.
pub(crate) fn run(tests: &[Test], not_applicable: &[(&str, &str)], most: &[(char, usize)]) -> ExitCode {
    let Some(asked) = Asked::parse() else { return ExitCode::SUCCESS };
    let chosen: Vec<Test> = tests.iter().copied().filter(|(name, _)| asked.wants(name)).collect();
    if asked.list {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    println!("\nrunning {} tests", chosen.len());
    let failures = run_all(&chosen);
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(name, message)| println!("\n---- {name} ----\n{message}"));
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        chosen.len() - failures.len(),
        failures.len(),
        tests.len() - chosen.len(),
        began.elapsed().as_secs_f64(),
    );
    let complete = print_points(&chosen, &failures, not_applicable, most, asked.everything());
    ExitCode::from(u8::from(!failures.is_empty() || asked.everything() && !complete))
}

thread_local! {
    /// The message of the panic that ends the test of this thread.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs them, some at once. Returns those that failed, with their messages.
fn run_all(tests: &[Test]) -> BTreeMap<&'static str, String> {
    let failures = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    panic::set_hook(Box::new(|info| MESSAGE.with_borrow_mut(|message| *message = info.to_string())));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((name, run)) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let failed = catch_unwind(run).is_err();
                    println!("test {name} ... {}", if failed { "FAILED" } else { "ok" });
                    if failed {
                        failures.lock().unwrap().insert(*name, MESSAGE.take());
                    }
                }
            });
        }
    });
    let _ = panic::take_hook();
    failures.into_inner().unwrap()
}

/// Prints which points do not hold, which are not applicable, and the sums; both of these count. `all` tests were chosen. Returns whether all points hold.
fn print_points(
    chosen: &[Test],
    failures: &BTreeMap<&str, String>,
    not_applicable: &[(&str, &str)],
    most: &[(char, usize)],
    all: bool,
) -> bool {
    let mut sums = Vec::new();
    let mut complete = true;
    for (kind, count) in most {
        let (mut held, mut missing) = (0, Vec::new());
        for at in 1..=*count {
            let point = format!("{}{at:02}", kind.to_ascii_lowercase());
            let of_point = |name: &str| name.split('_').next() == Some(&point);
            if let Some((_, why)) = not_applicable.iter().find(|(name, _)| of_point(name)) {
                println!("{kind}{at} is not applicable: {why}");
                held += 1;
            } else if !chosen.iter().any(|(name, _)| of_point(name)) {
                missing.push(format!("{kind}{at}"));
            } else if !failures.keys().any(|name| of_point(name)) {
                held += 1;
            }
        }
        if !missing.is_empty() && all {
            println!("without a test: {}", missing.join(" "));
        }
        complete &= held == *count;
        sums.push(format!("{kind}={held}/{count}"));
    }
    println!("{}", sums.join(" "));
    complete
}

/// What the command line asks for, as far as we have it: other options of libtest are passed over.
struct Asked {
    parts: Vec<String>,
    list: bool,
}

impl Asked {
    /// `None` if only ignored tests are wanted: there are none.
    fn parse() -> Option<Self> {
        let mut asked = Self { parts: Vec::new(), list: false };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => asked.list = true,
                "--ignored" => return None,
                // The options that have their value in the next argument.
                "--test-threads" | "--skip" | "--format" | "--color" | "--logfile" | "-Z" => {
                    arguments.next();
                }
                option if option.starts_with('-') => {}
                part => asked.parts.push(part.to_owned()),
            }
        }
        Some(asked)
    }

    fn wants(&self, name: &str) -> bool {
        self.everything() || self.parts.iter().any(|part| name.contains(part))
    }

    fn everything(&self) -> bool {
        self.parts.is_empty()
    }
}
