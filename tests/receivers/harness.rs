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

/// Tests at once: most of them wait.
const THREADS: usize = 4;

/// A test. Its name begins with its number, as `h09_…`; one without a number counts for itself only.
#[derive(Clone, Copy)]
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Fails by panicking.
    Now(fn()),
    /// Nothing that this project does can meet or break the point: why.
    #[allow(dead_code, reason = "every point applies so far")]
    NotApplicable(&'static str),
}

/// Makes tests of functions, named as they are.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        &[$($crate::harness::Test { name: stringify!($name), run: $crate::harness::Run::Now($name) }),*]
    };
}
pub(crate) use tests;

/// Runs the tests whose name has the argument in it, or all; then the points must be complete: `most` says how many there are of each kind.
pub(crate) fn run(tests: &[Test], most: &[(char, usize)]) -> ExitCode {
    let Some(asked) = Asked::parse() else { return ExitCode::SUCCESS };
    let chosen: Vec<Test> = tests.iter().copied().filter(|test| asked.wants(test.name)).collect();
    if asked.list {
        chosen.iter().for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    println!("\nrunning {} tests", chosen.len());
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    panic::set_hook(Box::new(|info| MESSAGE.with_borrow_mut(|message| *message = info.to_string())));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(test) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(message) = once(test) {
                        failures.lock().unwrap().push((test.name, message));
                    }
                }
            });
        }
    });
    let _ = panic::take_hook();
    let failures = failures.into_inner().unwrap();
    let missing = summarize(&chosen, &failures, most, tests.len(), began);
    ExitCode::from(u8::from(!failures.is_empty() || asked.everything() && missing))
}

thread_local! {
    /// The message of the panic that ends the test of this thread.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

fn once(test: &Test) -> Result<(), String> {
    match test.run {
        Run::NotApplicable(why) => println!("test {} ... ignored, {why}", test.name),
        Run::Now(run) => {
            if catch_unwind(run).is_err() {
                println!("test {} ... FAILED", test.name);
                return Err(MESSAGE.take());
            }
            println!("test {} ... ok", test.name);
        }
    }
    Ok(())
}

/// Prints failures, sums and points. Returns whether points are missing.
fn summarize(
    chosen: &[Test],
    failures: &[(&str, String)],
    most: &[(char, usize)],
    all: usize,
    began: Instant,
) -> bool {
    if !failures.is_empty() {
        println!("\nfailures:");
        for (name, message) in failures {
            println!("\n---- {name} ----\n{message}");
        }
    }
    let ignored = chosen.iter().filter(|test| matches!(test.run, Run::NotApplicable(_))).count();
    let points = Points::of(chosen, failures);
    println!();
    for (kind, count) in most {
        points.print_not_applicable(*kind);
        let missing: Vec<String> =
            (1..=*count).filter(|at| !points.has(*kind, *at)).map(|at| format!("{kind}{at}")).collect();
        if !missing.is_empty() {
            println!("without a test here: {}", missing.join(" "));
        }
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {ignored} ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        chosen.len() - failures.len() - ignored,
        failures.len(),
        all - chosen.len(),
        began.elapsed().as_secs_f64(),
    );
    let sums: Vec<String> =
        most.iter().map(|(kind, count)| format!("{kind}={}/{count}", points.held(*kind))).collect();
    println!("{}", sums.join(" "));
    most.iter().any(|(kind, count)| points.held(*kind) < *count)
}

/// What became of each point.
struct Points(BTreeMap<(char, usize), Point>);

#[derive(Default)]
struct Point {
    failed: bool,
    not_applicable: Option<&'static str>,
}

impl Points {
    fn of(tests: &[Test], failures: &[(&str, String)]) -> Self {
        let mut points: BTreeMap<_, Point> = BTreeMap::new();
        for test in tests {
            let Some(number) = number(test.name) else { continue };
            let point = points.entry(number).or_default();
            point.failed |= failures.iter().any(|(name, _)| *name == test.name);
            if let Run::NotApplicable(why) = test.run {
                point.not_applicable = Some(why);
            }
        }
        Self(points)
    }

    fn has(&self, kind: char, number: usize) -> bool {
        self.0.contains_key(&(kind, number))
    }

    /// Points whose tests all pass, and those that do not apply: these are listed too.
    fn held(&self, kind: char) -> usize {
        self.0.iter().filter(|((of, _), point)| *of == kind && !point.failed).count()
    }

    fn print_not_applicable(&self, kind: char) {
        for ((of, number), point) in &self.0 {
            if let (true, Some(why)) = (*of == kind, point.not_applicable) {
                println!("{of}{number} is not applicable: {why}");
            }
        }
    }
}

/// `h09_…` is point 9 of `H`.
fn number(name: &str) -> Option<(char, usize)> {
    let (first, _) = name.split_once('_')?;
    let kind = first.chars().next()?;
    Some((kind.to_ascii_uppercase(), first[kind.len_utf8()..].parse().ok()?))
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
