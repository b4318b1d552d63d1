mod prepared;

use super::*;
use std::ffi::OsString;

fn parse_words(words: &str) -> Result<Command, String> {
    parse(words.split_whitespace().map(OsString::from))
}

#[test]
fn a_run_needs_a_configuration_and_may_have_a_state_file() {
    assert_eq!(
        parse_words("run --state s --config c"),
        Ok(Command::Run(RunOptions { config: "c".into(), state: Some("s".into()), ..RunOptions::default() }))
    );
    assert_eq!(parse_words("run --state=s --config=c"), parse_words("run --state s --config c"));
    assert!(parse_words("run").unwrap_err().contains("--config FILE: is missing; give "));
}

#[test]
fn a_container_listens_where_the_platform_expects_it_unless_told_otherwise() {
    assert_eq!(parse_words("serve"), Ok(Command::Serve(ServeOptions { port: 8080 })));
    assert_eq!(parse_words("serve --port 0"), Ok(Command::Serve(ServeOptions { port: 0 })));
}

#[test]
fn an_argument_that_is_not_understood_is_named() {
    for (words, part) in [
        ("", "nothing to do"),
        ("send", "send: no such command"),
        ("run --token secret", "--token: no such option"),
        ("run --config c --passphrase sesame", "put the passphrase into a file"),
        ("run --config c --passphrase=sesame", "put the passphrase into a file"),
        ("run --config", "--config: a value is missing"),
        ("run --confg c", "--confg: no such option of `run`; did you mean `--config`?"),
        ("rum --config c", "rum: no such command; did you mean `run`?"),
        ("run --config a --config b", "--config: is given twice; give it once"),
        ("serve 8080", "8080: one argument too many for `serve`; see `whiskjack serve --help`"),
        ("serve --port", "--port: a value is missing"),
        ("serve --port 65536", "--port 65536: is not a port; give a whole number from 0 to 65535"),
        ("serve --port 1 --port 2", "--port: is given twice"),
    ] {
        let message = parse_words(words).unwrap_err();
        assert!(message.contains(part) && !message.contains("sesame"), "{words}: {message}");
    }
}

/// Whether a refusal reads `subject: what is wrong; what to do`.
#[track_caller]
fn is_whole(message: &str, words: &str) {
    let parts = message.split_once(": ").and_then(|(subject, rest)| Some((subject, rest.rsplit_once("; ")?)));
    let is_said = parts.is_some_and(|(subject, (what, remedy))| {
        [subject, what, remedy].iter().all(|part| !part.trim().is_empty()) && !message.ends_with('.')
    });
    assert!(is_said, "{words}: {message}");
}

#[test]
fn each_refusal_of_an_argument_names_it_with_its_value_and_says_what_to_do() {
    for (words, expected) in [
        ("rum", "rum: no such command; did you mean `run`?"),
        ("frob", "frob: no such command; `whiskjack --help` lists all commands"),
        ("help frob", "frob: no such command; `whiskjack --help` lists all commands"),
        (
            "config",
            "config: does not say what is wanted; give one of `schema`, `example`, `migrate`, see `whiskjack config --help`",
        ),
        (
            "config frob",
            "frob: no such command; give one of `schema`, `example`, `migrate`, see `whiskjack config --help`",
        ),
        ("config migrate", "--config FILE: is missing; give the file of the old configuration"),
        ("completions", "SHELL: is missing; give bash, zsh or fish"),
        ("completions tcsh", "SHELL tcsh: there are no completions for this shell; give bash, zsh or fish"),
        (
            "completions bash zsh",
            "zsh: one argument too many for `completions`; see `whiskjack completions --help`",
        ),
        ("run", "--config FILE: is missing; give the file of the action's parameters, in YAML or JSON"),
        ("run --config c --limit 3", "--limit: is for --dry-run; give that too, or leave it out"),
        (
            "run --config c --dry-run --limit 0",
            "--limit 0: is not a number of documents; give a whole number from 1 on",
        ),
        ("run --config c --dry-run --limit -3", "--limit -3: is not a number of documents; give "),
        (
            "run --config c --dry-run --output x",
            "--dry-run and --output: exclude each other; give one of them",
        ),
        ("run --config c --json=yes", "--json: takes no value; leave it out"),
        ("run --config c --json -5", "--json: takes no value; leave it out"),
        ("run -x --config c", "-x: no such option of `run`; see `whiskjack run --help`"),
        ("tail -5", "-5: no such option of `tail`; see `whiskjack tail --help`"),
        ("tail --since -10m", "--since -10m: is negative; give 10m, which is that long before now"),
        ("tail --since=-10m", "--since -10m: is negative; give 10m"),
        ("tail --since 2099-01-01", "--since 2099-01-01: is in the future; give a time before now"),
        ("watch --config c --every 0s", "--every 0s: is no time at all; give a longer one, such as 30s"),
        ("watch --config c --every -5s", "--every -5s: is negative; give 5s"),
        ("watch --config c --every 10", "--every 10: has no unit; give 10s, 10m, 10h or 10d"),
        (
            "watch --config c --metrics 9600",
            "--metrics 9600: is a port without its address; give 127.0.0.1:9600",
        ),
        (
            "watch --config c --metrics host:9600",
            "--metrics host:9600: is not an address with its port; give ",
        ),
        ("watch --config c --output -", "--output -: stdout tells of the runs; name a file"),
        ("backfill --config c", "--from TIME: is missing; give where the range begins"),
        (
            "backfill --config c --from 2099-01-01",
            "--from 2099-01-01: is in the future; give a time before now",
        ),
        ("backfill --config c --from 2026-11-31", "--from 2026-11-31: there is no such day; "),
        ("backfill --config c --from -1h", "--from -1h: is negative; give 1h"),
        (
            "backfill --config c --from 1h --workers 0",
            "--workers 0: is not a number of connections; give a whole number from 1 to 16",
        ),
        (
            "backfill --config c --from 1h --rate 0",
            "--rate 0: is not a number of lines a second; give a whole number from 1 ",
        ),
        ("backfill --config c --from 1h --rate -5", "--rate -5: is not a number of lines a second; give "),
        (
            "backfill --config c --activation x",
            "--activation x: is not the id of an activation; give its 32 hexadecimal digits",
        ),
        ("serve --port x", "--port x: is not a port; give a whole number from 0 to 65535"),
        ("serve --port -1", "--port -1: is not a port; give a whole number from 0 to 65535"),
        ("deploy --config c --memory -1", "--memory -1: is not a number of megabytes; give "),
        ("deploy --config c --kind a --native", "--kind and --native: exclude each other; give one of them"),
        ("status --max-lag -10m", "--max-lag -10m: is negative; give 10m"),
        ("status extra", "extra: one argument too many for `status`; see `whiskjack status --help`"),
        ("setup --user", "--user: a value is missing; give one, or leave the option out"),
    ] {
        let message = parse_words(words).unwrap_err();
        assert!(message.starts_with(expected), "{words}: {message}\n{expected}");
        is_whole(&message, words);
    }
    let escape = parse(["rum\u{1b}[2J"].map(OsString::from)).unwrap_err();
    assert!(escape.starts_with("rum\\u{1b}[2J: "), "{escape}");
}

#[test]
fn whatever_value_an_option_refuses_it_says_which_and_what_to_do() {
    fn refused(command: &clap::Command, words: &[&str], count: &mut usize) {
        for option in command.get_arguments() {
            let Some(long) = option.get_long().filter(|_| option.get_action().takes_values()) else {
                continue;
            };
            for value in
                ["", "0", "-1", "-1h", "1", "x", "0s", "2099-01-01", "99999999999999999999", "a/b/c", "a\tb"]
            {
                let option = format!("--{long}");
                let given = words.iter().copied().chain([option.as_str(), value]).map(OsString::from);
                let Err(message) = parse(given) else { continue };
                // What else is missing comes after what is wrong.
                if message.contains(": is missing; ") {
                    continue;
                }
                let named = format!("--{long} {value}: ");
                assert!(
                    message.starts_with(&named) || value.is_empty() && message.starts_with(&option),
                    "{message}"
                );
                is_whole(&message, &option);
                *count += 1;
            }
        }
        for inner in command.get_subcommands() {
            refused(inner, &[words, &[inner.get_name()]].concat(), count);
        }
    }
    let mut count = 0;
    refused(&arguments::command(), &[], &mut count);
    assert!(count > 80, "{count}");
}

#[test]
fn what_looks_like_a_negative_number_is_a_name_where_names_belong() {
    assert_eq!(parse_words("run --config -1c"), parse_words("run --config=-1c"));
    assert!(parse_words("tail -- -5").is_ok());
}

#[test]
fn an_option_whose_variable_was_empty_is_named() {
    for (option, arguments) in [
        ("--state", ["run", "--config", "c", "--state", ""].as_slice()),
        ("--state", &["run", "--state=", "--config", "c"]),
        ("--config", &["run", "--config", ""]),
        ("--zip", &["deploy", "--config", "c", "--zip", ""]),
    ] {
        let message = parse(arguments.iter().map(OsString::from)).unwrap_err();
        assert_eq!(message, format!("{option}: a value is missing; give one, or leave the option out"));
    }
}

#[test]
fn each_command_has_a_help_with_examples() {
    for words in [
        "--help",
        "help",
        "run --help",
        "serve -h",
        "help deploy",
        "undeploy --help",
        "check --help",
        "status -h",
        "config --help",
        "config migrate --help",
        "completions --help",
    ] {
        let help = parse_words(words);
        assert!(
            matches!(&help, Ok(Command::Print(text)) if text.contains("Examples:\n  whiskjack ")),
            "{words}: {help:?}"
        );
    }
    let version = concat!("whiskjack ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
    assert_eq!(parse_words("--version"), Ok(Command::Print(version)));
}

/// The words of a line as a shell takes them, up to a comment or a redirection.
fn shell_words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next().filter(|first| !"#>|".contains(*first)) {
        let (word, behind) = match first {
            quote @ ('"' | '\'') => rest[1..].split_once(quote).unwrap(),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(OsString::from(word));
        rest = behind.trim_start();
    }
    words
}

#[track_caller]
fn is_understood(line: &str) {
    let parsed = parse(shell_words(line).into_iter().skip(1));
    assert!(parsed.is_ok(), "{line}: {parsed:?}");
}

#[test]
fn each_example_of_each_help_is_understood() {
    fn examples(command: &clap::Command, count: &mut usize) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, examples_of_it) =
            help.split_once("Examples:").unwrap_or_else(|| panic!("{} has no examples", command.get_name()));
        for line in examples_of_it.lines().filter(|line| line.starts_with("  whiskjack ")) {
            is_understood(line);
            *count += 1;
        }
        command.get_subcommands().for_each(|inner| examples(inner, count));
    }
    let mut count = 0;
    examples(&arguments::command(), &mut count);
    assert!(count > 15, "{count}");
}

#[test]
fn each_command_in_the_pages_is_understood() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().path());
    let pages =
        pages.chain([root.join("README.md")]).filter(|page| page.extension().is_some_and(|end| end == "md"));
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            for line in block
                .lines()
                .filter(|line| line.starts_with("whiskjack ") || line.starts_with("dist/whiskjack "))
            {
                // What stands for something else, such as `…`.
                if line.contains('…') {
                    continue;
                }
                is_understood(line);
                count += 1;
            }
        }
    }
    assert!(count > 5, "{count}");
}
