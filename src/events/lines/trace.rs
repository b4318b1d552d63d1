//! Stack traces, as the runtimes of the usual languages print them: Java and its relatives, Python, Node.js, Go, PHP, Ruby, .NET, Rust, Swift.
//!
//! A line joins the one before it if it looks like a part of a trace by itself (a frame, a cause), or if the lines before it have begun a
//! trace that may contain such a line. An indented line alone proves nothing.

/// What the lines so far have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trace {
    /// No trace yet: a message, or the head of a trace.
    #[default]
    Head,
    /// A message that speaks of trouble: the trace of it may follow.
    Trouble,
    /// Frames of Java, Node.js, .NET or Ruby: they are indented, and causes follow.
    Frames,
    /// What caused it: a message, of several lines perhaps, and frames.
    Cause,
    /// A place in a source, as Node.js prints it before the error: the source's line follows.
    Place,
    /// The rest, down to the frames.
    Source,
    /// Those frames: members of the error follow, and the version of Node.js.
    Node,
    /// `Traceback (most recent call last):` and its frames.
    Python,
    /// The exception at the end of it.
    PythonEnd,
    /// What leads over to the exception that came of it.
    PythonLink,
    /// A panic, and the stacks of goroutines.
    Go,
    /// The message of a panic follows.
    RustHead,
    /// What follows that.
    Rust,
    /// The stack of an uncaught exception.
    Php,
    /// The stack of a crash.
    Swift,
}

const TRACEBACK: &str = "Traceback (most recent call last):";

impl Trace {
    /// The first line.
    pub(super) fn begin(&mut self, line: &str) {
        *self = Self::of_head(line);
    }

    /// Whether the next line belongs to those so far.
    pub(super) fn goes_on(&mut self, line: &str) -> bool {
        match self.next(line) {
            Some(next) => {
                *self = next;
                true
            }
            None => false,
        }
    }

    fn of_head(line: &str) -> Self {
        let text = line.trim_start();
        let is_panic = |line: &str| line.starts_with("thread '") && line.contains(" panicked at ");
        match text {
            _ if line.ends_with(TRACEBACK) || is_group_traceback(text) => Self::Python,
            _ if line.starts_with("panic: ") || line.starts_with("fatal error: ") || is_goroutine(line) => {
                Self::Go
            }
            _ if is_panic(line) => {
                if line.ends_with(':') {
                    Self::RustHead
                } else {
                    Self::Rust
                }
            }
            _ if line.starts_with("PHP ") && line.contains(" Uncaught ")
                || line.starts_with("Fatal error: Uncaught ") =>
            {
                Self::Php
            }
            _ if line.contains("Fatal error: ") || line.starts_with("*** Program crashed: ") => Self::Swift,
            _ if is_place(line) => Self::Place,
            _ if is_frame(line) => Self::Frames,
            _ if speaks_of_trouble(line) => Self::Trouble,
            _ => Self::Head,
        }
    }

    /// What the lines are with this one, if it belongs to them.
    fn next(self, line: &str) -> Option<Self> {
        let is_indented = line.starts_with([' ', '\t']);
        let is_empty = line.trim().is_empty();
        match self {
            Self::Head if is_frame(line) => Some(Self::Frames),
            Self::Head | Self::Trouble if line.trim_start().starts_with("---> ") && is_indented => {
                Some(Self::Frames)
            }
            Self::Head => None,
            Self::Trouble => match Self::of_head(line) {
                Self::Python => Some(Self::Python),
                _ if is_exception(line) || is_frame(line) => Some(Self::Frames),
                _ => None,
            },
            Self::Frames | Self::Cause if is_cause(line) => Some(Self::Cause),
            Self::Frames | Self::Cause if is_frame(line) => Some(Self::Frames),
            Self::Frames if is_indented && !is_empty || line == "}" => Some(self),
            Self::Frames => None,
            Self::Cause => Some(self),
            Self::Place => Some(Self::Source),
            Self::Source | Self::Node if is_frame(line) => Some(Self::Node),
            Self::Node if is_indented || is_empty || line == "}" || line.starts_with("Node.js v") => {
                Some(self)
            }
            Self::Node => None,
            Self::Source if is_indented || is_empty || is_error(line) => Some(self),
            Self::Source => None,
            Self::Python if is_indented || is_empty => Some(self),
            Self::Python => Some(Self::PythonEnd),
            Self::PythonLink if line.starts_with("Traceback ") => Some(Self::Python),
            Self::PythonEnd | Self::PythonLink if is_empty || is_link(line) => Some(Self::PythonLink),
            Self::PythonEnd | Self::PythonLink => None,
            Self::Go if is_go(line, is_indented || is_empty) => Some(self),
            Self::Go => None,
            Self::RustHead => Some(Self::Rust),
            Self::Rust if is_indented || line.starts_with("note: ") || line == "stack backtrace:" => {
                Some(self)
            }
            Self::Rust => None,
            Self::Php if is_indented || is_php(line) => Some(self),
            Self::Php => None,
            Self::Swift if is_indented || is_empty || is_swift(line) => Some(self),
            Self::Swift => None,
        }
    }
}

/// A frame of Java, Node.js, .NET, Ruby, or `... 12 more`.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    if text.len() == line.len() {
        return false;
    }
    let is_more =
        || text.strip_prefix("... ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_file = || text.strip_prefix("File \"").is_some_and(|rest| rest.contains("\", line "));
    let is_ruby = || text.strip_prefix("from ").is_some_and(|rest| rest.contains(":in "));
    text.starts_with("at ") && text.len() > 5
        || is_more()
        || is_file()
        || is_ruby()
        || text.starts_with("--- End of ")
}

/// Whether a trace may follow.
fn speaks_of_trouble(line: &str) -> bool {
    let line = line.get(..line.len().min(400)).unwrap_or(line).to_ascii_lowercase();
    ["error", "exception", "fatal", "critical", "fail", "warn", "uncaught", "unhandled"]
        .iter()
        .any(|word| line.contains(word))
}

/// `java.lang.IllegalStateException: …`.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let class = name.rsplit(['.', '$']).next().unwrap_or_default();
    name.contains('.')
        && class.starts_with(char::is_uppercase)
        && ["Exception", "Error", "Throwable", "Failure"].iter().any(|end| class.ends_with(end))
}

/// `Caused by: …`, as Java and its relatives print it.
fn is_cause(line: &str) -> bool {
    ["Caused by: ", "Suppressed: ", "Wrapped by: "].iter().any(|begin| line.trim_start().starts_with(begin))
}

/// `/src/index.js:3`, as Node.js prints the place of an uncaught error.
fn is_place(line: &str) -> bool {
    let is_path = ["/", "file://", "node:"].iter().any(|begin| line.starts_with(begin));
    let number = line.rsplit(':').next().unwrap_or_default();
    is_path
        && !line.contains(' ')
        && line.contains(':')
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// `TypeError: …`, `Error [ERR_X]: …`, `[UnhandledPromiseRejection: …`.
fn is_error(line: &str) -> bool {
    let name = line.trim_start_matches('[').split([':', ' ']).next().unwrap_or_default();
    line.contains(':')
        && (name.ends_with("Error")
            || name.ends_with("Exception")
            || name.starts_with("Uncaught")
            || name.ends_with("Rejection"))
}

/// What stands between two tracebacks of Python.
fn is_link(line: &str) -> bool {
    line.starts_with("During handling of the above exception")
        || line.starts_with("The above exception was the direct cause")
}

/// `  + Exception Group Traceback (most recent call last):`.
fn is_group_traceback(text: &str) -> bool {
    text.trim_start_matches(['+', '|', ' ']).starts_with("Exception Group Traceback ")
}

/// `goroutine 1 [running]:`.
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.ends_with(':'))
}

/// What stands in Go's report of a panic: stacks, calls with their arguments, registers are indented or have no blank.
fn is_go(line: &str, is_blank: bool) -> bool {
    let is_call = || line.ends_with(')') && line.contains('(') && line.contains('.') && !line.contains(": ");
    let begins = [
        "panic: ",
        "\tpanic: ",
        "[signal ",
        "created by ",
        "exit status ",
        "runtime stack:",
        "...additional frames",
    ];
    is_blank
        || is_goroutine(line)
        || begins.iter().any(|begin| line.starts_with(begin))
        || is_call()
        || line == "[recovered]"
}

/// `Stack trace:`, `#0 /index.php(3): f()`, `  thrown in …`.
fn is_php(line: &str) -> bool {
    let is_numbered =
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_numbered
        || line.trim_end().is_empty()
        || ["Stack trace:", "PHP Stack trace:", "Next "].iter().any(|begin| line.starts_with(begin))
        || line.starts_with("PHP ")
            && line.get(4..).is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// `Current stack trace:`, `Thread 0 crashed:`, `0    libswiftCore.so …`.
fn is_swift(line: &str) -> bool {
    let is_numbered = || {
        line.split(' ')
            .next()
            .is_some_and(|first| !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_head =
        ["Current stack trace:", "Stack dump:", "Thread ", "Registers:", "Images ", "Backtrace took "]
            .iter()
            .any(|begin| line.starts_with(begin));
    is_head
        || is_numbered() && line.contains(['0', ' ']) && line.contains(" in ")
        || is_numbered() && line.contains("0x")
}
