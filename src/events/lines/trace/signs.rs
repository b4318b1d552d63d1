//! How single lines of a stack trace look.

/// How a trace of Python begins.
pub(super) const TRACEBACK: &str = "Traceback (most recent call last):";

/// How a stack begins that a logger of Python prints without an exception.
pub(super) const STACK: &str = "Stack (most recent call last):";

/// Where words that speak of trouble are looked for, in bytes.
const IN_FIRST: usize = 400;

pub(super) fn is_empty(line: &str) -> bool {
    line.trim_start().is_empty()
}

/// It begins with a blank, and is not empty.
pub(super) fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t']) && !is_empty(line)
}

/// The line without the carriage return that a terminal puts at its end.
pub(super) fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

pub(super) fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a trace may follow. Every line is asked for this, so two letters decide for most of their places.
pub(super) fn speaks_of_trouble(line: &str) -> bool {
    let bytes = line.as_bytes().get(..IN_FIRST).unwrap_or(line.as_bytes());
    bytes.windows(2).enumerate().any(|(place, pair)| {
        let [first, second] = pair else { return false };
        let words: &[&str] = match [first | 0x20, second | 0x20] {
            [b'e', b'r'] => &["error"],
            [b'e', b'x'] => &["exception"],
            [b'f', b'a'] => &["fail", "fatal"],
            [b'w', b'a'] => &["warn"],
            [b'c', b'r'] => &["critical"],
            [b'u', b'n'] => &["uncaught", "unhandled"],
            [b's', b'e'] => &["severe"],
            [b'p', b'a'] => &["panic"],
            _ => return false,
        };
        let found = |word: &&str| {
            bytes.get(place..place + word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
        };
        words.iter().any(found)
    })
}

/// Whether a logger begins a message with it: a date, a time, or a level in large letters; Ruby's logger begins with a letter, `E, [2026-…`.
pub(super) fn is_record(line: &str) -> bool {
    const LEVELS: [&str; 11] = [
        "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE",
        "PANIC",
    ];
    let of_ruby = line.split_at_checked(3).filter(|(begin, _)| begin.ends_with(", ")).map(|(_, rest)| rest);
    let text = of_ruby.filter(|rest| rest.starts_with('[')).unwrap_or(line).trim_start_matches('[');
    let word = text.split(|c: char| !c.is_ascii_uppercase()).next().unwrap_or_default();
    let is_date = |bytes: &[u8]| {
        bytes
            .split_last()
            .is_some_and(|(end, year)| matches!(end, b'-' | b'/') && year.iter().all(u8::is_ascii_digit))
    };
    let is_time = |bytes: &[u8]| match bytes {
        [a, b, b':', c, d, b':'] => [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    LEVELS.contains(&word)
        || text.as_bytes().get(..5).is_some_and(is_date)
        || text.as_bytes().get(..6).is_some_and(is_time)
}

/// `Nov 30, 2026 9:53:33 AM shop.Pay main`, in English.
pub(super) fn is_jul_date(line: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "];
    let behind = line.split_at_checked(4).filter(|(month, _)| MONTHS.contains(month));
    let Some((day, rest)) = behind.and_then(|(_, rest)| rest.split_once(", ")) else { return false };
    let is_time = |rest: &str| rest.contains(':') && ["AM ", "PM "].iter().any(|half| rest.contains(half));
    is_number(day) && rest.split_once(' ').is_some_and(|(year, rest)| is_number(year) && is_time(rest))
}

/// `SEVERE: it failed`.
pub(super) fn is_jul_level(line: &str) -> bool {
    const LEVELS: [&str; 7] = ["SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST"];
    line.split_once(": ").is_some_and(|(level, _)| LEVELS.contains(&level))
}

/// `[`, `Map(1) {`, `it failed: [`, as Node.js begins an object or a list that takes several lines.
pub(super) fn opens(line: &str) -> bool {
    matches!(line, "[" | "{") || line.ends_with(" {") || line.ends_with(" [")
}

/// `it failed: [Error: no such file] {`, as Node.js begins an error without frames that has members.
pub(super) fn is_bracketed(line: &str) -> bool {
    let begins = |text: &str| {
        let name = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let behind = text.get(name.len()..).unwrap_or_default();
        let is_behind = [": ", "]"].iter().any(|begin| behind.starts_with(begin)) || behind == " ";
        ["Error", "Exception"].iter().any(|end| name.ends_with(end)) && is_behind
    };
    line.ends_with("] {") && line.split('[').skip(1).any(begins)
}

/// `future: <Task …>`, `handle: <Handle …>`.
pub(super) fn is_of_asyncio(line: &str) -> bool {
    let names = ["future: <", "handle: <", "task: <", "protocol: <", "transport: <"];
    names.iter().any(|name| line.starts_with(name))
}

/// `it failed: shop.BrokeException: no money`: a message with an exception's own in it.
pub(super) fn names_exception(line: &str) -> bool {
    ["Exception: ", "Error: ", "Error [ERR_"].iter().any(|end| line.contains(end))
}

/// A cause, with its message: `Caused by: …` of Java, ` ---> …` of .NET.
pub(super) fn is_cause(line: &str) -> bool {
    let text = line.trim_start();
    let is_inner = text.len() < line.len();
    match text.as_bytes().first() {
        Some(b'C') => text.starts_with("Caused by: "),
        Some(b'W') => text.starts_with("Wrapped by: "),
        Some(b'S') => is_inner && text.starts_with("Suppressed: "),
        Some(b'-') => text.strip_prefix("---> ").is_some_and(|rest| is_inner || rest.starts_with("(Inner ")),
        _ => false,
    }
}

/// `TypeError: …`, `Error [ERR_X]: …`, `Exception in thread "main" …`: the begin of a message that may have more lines.
pub(super) fn is_error(line: &str) -> bool {
    let begins = ["Exception in thread ", "Unhandled exception", "PHP Fatal error:  Uncaught ", "Uncaught "];
    let text = line.trim_start_matches('[');
    let name = text.split([':', ' ']).next().unwrap_or_default();
    let behind = text.get(name.len()..).unwrap_or_default();
    let is_name =
        ["Error", "Exception", "Throwable", "Failure", "Rejection"].iter().any(|end| name.ends_with(end));
    // The last one is Rails'.
    let is_behind = behind.is_empty()
        || behind.starts_with(':')
        || behind.starts_with(" [")
        || behind.starts_with(" (") && behind.ends_with("):");
    is_name && is_behind
        || begins.iter().any(|begin| line.starts_with(begin))
        || line.contains("Fatal error: ")
}

/// `shop.Broke: …`, `Broke: …`: the name of a class, and perhaps a message.
pub(super) fn is_named(line: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '$' | '_' | '\\');
    // Many scripts have no capital letters.
    let is_capital = |c: char| c.is_alphabetic() && !c.is_lowercase();
    if !line.starts_with(char::is_alphabetic) {
        return false;
    }
    let length = line.find(|c| !is_of_name(c)).unwrap_or(line.len());
    let (name, behind) = line.split_at_checked(length).unwrap_or_default();
    let has_class =
        || name.rsplit(['.', '$', '\\']).next().is_some_and(|class| class.starts_with(is_capital));
    match behind {
        "" => name.contains('.') && has_class(),
        _ if behind.starts_with(": ") => {
            (name.contains(['.', '\\']) && has_class() || name.starts_with(is_capital)) && !is_record(line)
        }
        _ => false,
    }
}

/// `java.lang.IllegalStateException: …`.
pub(super) fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    name.contains('.') && is_named(line)
}

/// `/src/index.js:3`, as Node.js prints the place of an uncaught error.
pub(super) fn is_place(line: &str) -> bool {
    let begins = ["/", "file://", "node:", "undefined:", "[eval]:", "evalmachine.<anonymous>:"];
    let number = line.rsplit(':').next().unwrap_or_default();
    number.len() < line.len()
        && is_number(number)
        && begins.iter().any(|begin| line.starts_with(begin))
        && !line.contains(' ')
}

/// `    ^^^`, below what it points to.
pub(super) fn is_mark(line: &str) -> bool {
    line.contains('^') && line.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' ' | b'\t'))
}

/// `Node.js v20.20.2`.
pub(super) fn is_node_version(line: &str) -> bool {
    line.strip_prefix("Node.js v").is_some_and(begins_with_digit)
}

/// `File "a.py", line 3`.
pub(super) fn is_python_frame(text: &str) -> bool {
    text.strip_prefix("File \"").is_some_and(|rest| rest.contains("\", line "))
}

/// `ValueError: …`, `shop.Broke`: the end of a traceback.
pub(super) fn is_python_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>');
    let is_sure = || name.len() < line.len() || name.contains('.') || name.starts_with(char::is_uppercase);
    !name.is_empty() && name.chars().all(is_of_name) && is_sure() && !is_record(line)
}

/// A sentence between two tracebacks of Python.
pub(super) fn is_link(line: &str) -> bool {
    line.starts_with("During handling of the above exception")
        || line.starts_with("The above exception was the direct cause")
}

/// `+ Exception Group Traceback (most recent call last):`.
pub(super) fn is_group_traceback(text: &str) -> bool {
    text.trim_start_matches(['+', '|', ' ']).starts_with("Exception Group Traceback ")
}

/// `    | ValueError: …`.
pub(super) fn is_of_group(line: &str) -> bool {
    line.starts_with("  ") && line.trim_start().starts_with(['|', '+'])
}

/// `    +----------------`, without a number.
pub(super) fn is_end_of_group(line: &str) -> bool {
    line.strip_prefix("    +-").is_some_and(|rest| rest.bytes().all(|byte| byte == b'-'))
}

/// `goroutine 1 [running]:`.
pub(super) fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ").is_some_and(|rest| begins_with_digit(rest) && rest.ends_with(':'))
}

/// `main.f(0x1)`: its place follows.
pub(super) fn is_call(line: &str) -> bool {
    line.ends_with(')')
        && line.split_once('(').is_some_and(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']))
}

/// `\t/main.go:4 +0x58`, `created by main.main in goroutine 1`.
pub(super) fn is_go_place(line: &str) -> bool {
    line.starts_with('\t') && line.contains(':')
        || line.starts_with("created by ")
        || line.starts_with("...") && line.contains(" frames elided")
        || line.starts_with("\tgoroutine running on other thread")
}

/// `main.(*Shop).pay`, `net/http.HandlerFunc.ServeHTTP`, `github.com/a/b.f.func1`.
pub(super) fn is_zap_call(line: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || "_./()*[]-@%~".contains(c);
    line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.contains('.') && line.chars().all(is_of_name)
}

/// `\t/action/main.go:21`.
pub(super) fn is_zap_place(line: &str) -> bool {
    line.starts_with('\t') && line.rsplit_once(".go:").is_some_and(|(_, number)| is_number(number))
}

/// `rax    0x0`.
pub(super) fn is_register(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let (name, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    name.len() <= 6 && value.starts_with("0x") && words.next().is_none()
}

/// `exit status 2`.
pub(super) fn is_exit_status(line: &str) -> bool {
    line.strip_prefix("exit status ").is_some_and(is_number)
}

/// `thread 'main' panicked at …`.
pub(super) fn is_rust_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

/// The headings in a report of Rust's anyhow and its relatives.
pub(super) fn is_causes(line: &str) -> bool {
    matches!(line, "Caused by:" | "Stack backtrace:" | "Location:")
}

/// `Stack trace:`, `PHP Stack trace:`, `[stacktrace]`.
pub(super) fn is_php_stack(line: &str) -> bool {
    matches!(line, "Stack trace:" | "PHP Stack trace:" | "[stacktrace]")
}

/// `#0 /index.php(3): f()`, `PHP   1. {main}() /index.php:0`.
pub(super) fn is_php_frame(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(begins_with_digit)
        || line.strip_prefix("PHP  ").is_some_and(|rest| begins_with_digit(rest.trim_start()))
}

/// The same of a file, and `#1 [internal function]: f()`, `#2 {main}`.
pub(super) fn is_php_frame_of_file(line: &str) -> bool {
    is_php_frame(line)
        && (line.contains(".php(") || line.contains(" [internal function]: ") || line.ends_with(" {main}"))
}

/// `… on line 3`, as messages of PHP end.
pub(super) fn ends_with_place(line: &str) -> bool {
    line.rsplit_once(" on line ").is_some_and(|(_, number)| is_number(number))
}

/// `no money in /action/pay.php:3`, as messages of exceptions end.
pub(super) fn is_php_place(line: &str) -> bool {
    line.rsplit_once(':').is_some_and(|(text, number)| is_number(number) && text.contains(" in /"))
}

/// ``pay.rb:3:in `pay': no money (Broke)``.
pub(super) fn is_ruby_head(line: &str) -> bool {
    line.ends_with(')') && is_ruby_place(line) && line.contains("': ") && !line.starts_with(' ')
}

/// ``from pay.rb:3:in `pay'``.
pub(super) fn is_ruby_frame(text: &str) -> bool {
    text.strip_prefix("from ").is_some_and(is_ruby_place)
}

/// ``pay.rb:3:in `pay'``.
pub(super) fn is_ruby_backtrace(line: &str) -> bool {
    line.ends_with('\'') && !line.starts_with([' ', '\t']) && !line.contains("': ") && is_ruby_place(line)
}

fn is_ruby_place(text: &str) -> bool {
    let place = [":in `", ":in '"].iter().find_map(|begin| text.split_once(begin)).map(|(place, _)| place);
    place.is_some_and(|place| place.ends_with(|c: char| c.is_ascii_digit()))
}

/// Whether something was raised while another error was handled: that one follows.
pub(super) fn is_rescued(line: &str) -> bool {
    line.contains("rescue in ") || line.contains("ensure in ")
}

/// How Swift begins the report of a crash.
pub(super) fn is_crash(line: &str) -> bool {
    let begins = [
        "Current stack trace:",
        "Stack dump:",
        "*** Program crashed: ",
        "*** Signal ",
        "💣 Program crashed: ",
    ];
    begins.iter().any(|begin| line.starts_with(begin))
}

/// `Thread 0 crashed:`, `0    libswiftCore.so 0x0000 …`, `rax 0x0000 …`, `     1│ f()`.
pub(super) fn is_swift(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    let is_frame =
        || is_number(first) && (line.contains("0x") || line.contains(" in ") && line.contains(" + "));
    let is_value =
        || first.len() <= 6 && line.split_ascii_whitespace().nth(1).is_some_and(|w| w.starts_with("0x"));
    is_crash(line)
        || line.starts_with("Thread ") && line.ends_with(':')
        || ["Registers:", "Images (", "Platform: ", "0x"].iter().any(|begin| line.starts_with(begin))
        || is_frame()
        || is_value()
        || is_indented(line) && line.contains('│')
}
