//! Every host on the same world: the table, and whether they agree.

use std::process::ExitCode;

use whiskjack_testbed::hosts::{Observed, difference, hosts, observe};

fn main() -> ExitCode {
    println!(
        "{:<17} {:>4} {:>10} {:>8} {:>10} {:>11}",
        "host", "runs", "documents", "windows", "first run", "second run"
    );
    let mut first: Option<Observed> = None;
    let mut agree = true;
    for host in hosts() {
        let observed = observe(&host);
        let seconds: Vec<String> =
            observed.runs.iter().map(|run| format!("{:.2} s", run.as_secs_f64())).collect();
        let [one, two] = seconds.as_slice() else { return ExitCode::FAILURE };
        let (runs, documents) = (observed.runs.len(), observed.documents.len());
        println!("{:<17} {runs:>4} {documents:>10} {:>8} {one:>10} {two:>11}", host.name, observed.windows);
        let first = first.get_or_insert_with(|| observed.clone());
        if let Some(difference) = difference(first, &observed) {
            println!("{}: {difference}", host.name);
            agree = false;
        }
    }
    println!("{}", if agree { "all documents are equal to the byte" } else { "the documents are not equal" });
    if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
