//! Stack traces, as the runtimes of the usual languages print them: Java and its relatives, Python, Node.js, Go, PHP, Ruby, .NET, Rust, Swift.
//!
//! A line joins the lines before it if it is a frame or a cause in the trace that they have begun. A line that may be a part of a message waits until
//! a frame follows. All other lines stay apart: two documents instead of one are a nuisance, a line in a foreign document is lost.

mod frames;
mod signs;

use frames::*;
use signs::*;

/// The kind of the lines so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trace {
    /// Nothing belongs to them.
    #[default]
    Alone,
    /// A message that speaks of trouble: the trace of it may follow.
    Trouble,
    /// The name of a class, and a message: frames may follow.
    Named,
    /// The same, as a logger prints it: the message may have more lines.
    Said,
    /// An error with its message, which may have more lines.
    Message,
    /// The exception that a message before it speaks of.
    Thrown,
    /// Such a message, after its first line.
    Rest,
    /// The date before a message of `java.util.logging`, which has a line of its own.
    JulDate,
    /// The begin of an object or a list as Node.js prints it: errors may be in it. It may be a message that speaks of `trouble`, too.
    Opened { trouble: bool },
    /// An error in brackets, as Node.js prints it without frames: its message goes on until it has `ended`, then members follow.
    Bracketed { ended: bool },
    /// Frames of Java, Node.js or .NET: causes may follow.
    Frames,
    /// Members of an error, which Node.js prints behind its frames; or of what the error is a member of.
    Members,
    /// An empty line after them.
    FramesEnd,
    /// A place in a source, as Node.js prints it before an uncaught error: the source's line follows.
    Place,
    /// And the error.
    Source,
    /// `Traceback (most recent call last):` and its frames.
    Python,
    /// The exception at the end of it.
    PythonEnd,
    /// The sentence before the exception that came of it.
    PythonLink,
    /// What asyncio says of the task before its exception.
    Asyncio,
    /// A group of exceptions, in its frame.
    PythonGroup,
    /// `Stack (most recent call last):` and its frames.
    PythonStack,
    /// The message of a panic.
    GoPanic,
    /// The stacks of goroutines.
    Go,
    /// A call: its place follows.
    GoCall,
    /// An empty line.
    GoEnd,
    /// A function, as zap prints the stack of a message: its place follows.
    ZapCall,
    /// And the place.
    Zap,
    /// The message of a panic follows.
    RustHead,
    /// The message.
    RustMessage,
    /// The stack.
    RustFrames,
    /// `Caused by:` with causes below, as Rust's anyhow prints them.
    Causes,
    /// An empty line after them.
    CausesEnd,
    /// The numbered stack of an exception.
    Php,
    /// The last of it.
    PhpMain,
    /// The last line of a message, with its place: the stack follows.
    PhpPlace,
    /// A warning, whose last line names the place.
    PhpWarning,
    /// An error of Ruby; `rescued` if it came of another one, which follows.
    RubyHead { rescued: bool },
    /// Ruby's hint about a mistyped name.
    RubyHint { rescued: bool },
    /// The frames.
    Ruby { rescued: bool },
    /// Frames as an error has them, without `from`.
    RubyBacktrace,
    /// The report of a crash.
    Swift,
}

/// The kind of the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It belongs to them, and they are this.
    Joins(Trace),
    /// It does, if a line that joins comes.
    Perhaps(Trace),
    /// It does not.
    Apart,
}

use Step::{Apart, Joins, Perhaps};

impl Trace {
    /// The kind of a first line. Most begin no trace, so this is quick for them.
    pub(super) fn of_head(line: &str) -> Self {
        let line = without_return(line);
        match line.as_bytes().first() {
            None => return Self::Alone,
            Some(b' ' | b'\t') => match line.trim_start() {
                "" => return Self::Alone,
                text if is_group_traceback(text) => return Self::PythonGroup,
                text if is_python_frame(text) => return Self::Python,
                _ if is_frame(line) => return Self::after_frame(line),
                text if is_ruby_frame(text) => return Self::Ruby { rescued: false },
                _ => {}
            },
            Some(b'A' | b'D' | b'F' | b'J' | b'M' | b'N' | b'O' | b'S') if is_jul_date(line) => {
                return Self::JulDate;
            }
            Some(b'p') if line.starts_with("panic: ") => return Self::GoPanic,
            Some(b'f') if line.starts_with("fatal error: ") => return Self::GoPanic,
            Some(b'g') if is_goroutine(line) => return Self::Go,
            Some(b't') if is_rust_panic(line) => {
                return if line.ends_with(':') { Self::RustHead } else { Self::RustMessage };
            }
            Some(b'*') if is_crash(line) => return Self::Swift,
            Some(b'#') if is_php_frame_of_file(line) => return Self::after_php_frame(line),
            Some(b'/' | b'f' | b'n' | b'u' | b'[' | b'e') if is_place(line) => return Self::Place,
            _ => {}
        }
        if line.ends_with(TRACEBACK) {
            return Self::Python;
        }
        if line.ends_with(STACK) {
            return Self::PythonStack;
        }
        if is_ruby_head(line) {
            return Self::RubyHead { rescued: is_rescued(line) };
        }
        if is_ruby_backtrace(line) {
            return Self::RubyBacktrace;
        }
        match speaks_of_trouble(line) {
            true if is_bracketed(line) => Self::Bracketed { ended: true },
            true if line.starts_with('[') && !line.ends_with(']') && is_error(line) => {
                Self::Bracketed { ended: false }
            }
            // A line within something else has a trace directly behind it, or none.
            true if is_indented(line) => Self::Trouble,
            true if is_error(line) => Self::Message,
            true if is_record(line) && (names_exception(line) || line.ends_with(':')) => Self::Said,
            true if names_exception(line) => Self::Message,
            _ if line.starts_with("PHP ") && !ends_with_place(line) => Self::PhpWarning,
            trouble if opens(line) && !is_indented(line) => Self::Opened { trouble },
            true => Self::Trouble,
            false if line.starts_with("PHP ") => Self::Trouble,
            false if is_named(line) => Self::Named,
            false => Self::Alone,
        }
    }

    /// The kind of the next line.
    pub(super) fn next(self, line: &str) -> Step {
        let line = without_return(line);
        match self {
            Self::Alone => Apart,
            Self::JulDate if is_jul_level(line) => {
                Joins(if names_exception(line) || line.ends_with(':') { Self::Said } else { Self::Trouble })
            }
            Self::JulDate => Apart,
            Self::Opened { trouble } => self.opened(line, trouble),
            Self::Bracketed { ended: true } => Self::Members.after_frames(line),
            Self::Bracketed { ended: false } => match Self::after_message(line) {
                Perhaps(_) if line.ends_with("] {") => Joins(Self::Members),
                Perhaps(_) => Perhaps(self),
                step => step,
            },
            Self::Trouble | Self::Asyncio if is_of_asyncio(line) => Joins(Self::Asyncio),
            Self::Asyncio if is_python_exception(line) => Joins(Self::PythonEnd),
            Self::Asyncio => self.after_head(line),
            Self::Named if is_frame(line) => Joins(Self::after_frame(line)),
            Self::Named if is_cause(line) => Joins(Self::Rest),
            Self::Named if is_php_stack(line) => Joins(Self::Php),
            Self::Named => Self::php_place(line),
            Self::PhpPlace if is_php_stack(line) => Joins(Self::Php),
            Self::PhpPlace => Apart,
            Self::Trouble | Self::Said | Self::Message => self.after_head(line),
            Self::Thrown | Self::Rest => Self::after_message(line),
            Self::Frames | Self::FramesEnd | Self::Members => self.after_frames(line),
            Self::Place | Self::Source => self.node(line),
            Self::Python | Self::PythonEnd | Self::PythonLink | Self::PythonGroup => self.python(line),
            Self::GoPanic | Self::Go | Self::GoCall | Self::GoEnd => self.go(line),
            Self::ZapCall if is_zap_place(line) => Joins(Self::Zap),
            Self::Zap if is_zap_call(line) => Perhaps(Self::ZapCall),
            Self::ZapCall | Self::Zap => Apart,
            Self::RustHead | Self::RustMessage | Self::RustFrames => self.rust(line),
            Self::Causes | Self::CausesEnd => self.causes(line),
            Self::PythonStack if is_indented(line) => Joins(self),
            Self::PythonStack => Apart,
            Self::Php | Self::PhpMain => self.php(line),
            Self::PhpWarning if line.starts_with("PHP ") => Apart,
            Self::PhpWarning if ends_with_place(line) => Joins(Self::Trouble),
            Self::PhpWarning => self.waits(line),
            Self::RubyHead { rescued } | Self::RubyHint { rescued } | Self::Ruby { rescued } => {
                self.ruby(line, rescued)
            }
            Self::RubyBacktrace if is_ruby_backtrace(line) => Joins(self),
            Self::RubyBacktrace => Apart,
            Self::Swift => Self::swift(line),
        }
    }

    /// Whether the last line may be a message before another trace.
    pub(super) fn may_end_before_another(self) -> bool {
        !matches!(self, Self::Source | Self::Thrown)
    }

    /// Whether the next line belongs to them for sure.
    pub(super) fn takes(self, line: &str) -> bool {
        matches!(self.next(line), Joins(_))
    }

    /// Whether the line is a frame of an error in the object that this line begins.
    pub(super) fn is_frame_in_opened(self, line: &str) -> bool {
        matches!(self, Self::Opened { .. }) && is_inner_frame(without_return(line))
    }

    fn opened(self, line: &str, trouble: bool) -> Step {
        match if trouble { Self::Trouble.after_head(line) } else { Apart } {
            _ if is_inner_frame(line) || is_indented(line) && is_bracketed(line) => Joins(Self::Members),
            _ if is_frame(line) => Joins(Self::after_frame(line)),
            Apart if is_indented(line) => Perhaps(self),
            step => step,
        }
    }

    fn after_frame(line: &str) -> Self {
        if line.ends_with(" {") || line.ends_with(',') { Self::Members } else { Self::Frames }
    }

    /// Whether a line begins something else, so that it is no part of a message.
    fn begins_other(line: &str) -> bool {
        match Self::of_head(line) {
            Self::Alone | Self::Trouble | Self::Named | Self::PhpWarning | Self::Opened { .. } => {
                is_record(line)
            }
            // An error in what the message has.
            Self::Bracketed { .. } => !is_indented(line),
            _ => true,
        }
    }

    /// It waits, if it may be a part of a message.
    fn waits(self, line: &str) -> Step {
        if Self::begins_other(line) { Apart } else { Perhaps(self) }
    }

    fn after_head(self, line: &str) -> Step {
        if is_record(line) {
            return Apart;
        }
        if is_cause(line) {
            return Joins(Self::Rest);
        }
        match Self::of_head(line) {
            trace @ (Self::Frames
            | Self::Members
            | Self::Python
            | Self::PythonGroup
            | Self::PythonStack
            | Self::Go
            | Self::Php
            | Self::PhpMain
            | Self::RubyBacktrace
            | Self::Ruby { .. }) => Joins(trace),
            trace @ Self::RubyHead { .. } if self != Self::Message => Joins(trace),
            Self::Message | Self::Named if self != Self::Message && is_exception(line) => {
                Perhaps(Self::Thrown)
            }
            _ if self == Self::Trouble && is_zap_call(line) => Perhaps(Self::ZapCall),
            _ if self == Self::Message || is_php_stack(line) => Self::after_message(line),
            _ if self == Self::Said => match Self::after_message(line) {
                Perhaps(_) => Perhaps(self),
                step => step,
            },
            _ => Self::php_place(line),
        }
    }

    /// A second line of a message waits, if it may be the last one.
    fn php_place(line: &str) -> Step {
        if is_php_place(line) && !is_named(line) { Self::PhpPlace.waits(line) } else { Apart }
    }

    fn after_message(line: &str) -> Step {
        match line {
            _ if is_frame(line) => Joins(Self::after_frame(line)),
            _ if is_cause(line) => Joins(Self::Rest),
            _ if is_php_stack(line) => Joins(Self::Php),
            _ if is_php_frame_of_file(line) => Joins(Self::after_php_frame(line)),
            _ if is_ruby_backtrace(line) => Joins(Self::RubyBacktrace),
            _ if is_causes(line) => Joins(Self::Causes),
            _ if is_crash(line) => Joins(Self::Swift),
            _ => Self::Rest.waits(line),
        }
    }

    fn after_frames(self, line: &str) -> Step {
        match self {
            Self::Members if line.starts_with(['}', ']']) => Joins(Self::Frames),
            Self::Members if is_indented(line) => Joins(self),
            Self::Members => Apart,
            Self::FramesEnd if is_node_version(line) => Joins(Self::Alone),
            _ if is_cause(line) => Joins(Self::Rest),
            Self::FramesEnd => Apart,
            _ if is_frame(line) => Joins(Self::after_frame(line)),
            _ if is_empty(line) => Perhaps(Self::FramesEnd),
            _ => Apart,
        }
    }

    fn node(self, line: &str) -> Step {
        match self {
            Self::Place if is_mark(line) => Joins(Self::Source),
            Self::Place => self.waits(line),
            _ if is_frame(line) => Joins(Self::after_frame(line)),
            _ if is_node_version(line) => Joins(Self::Alone),
            _ if line.starts_with('[') && line.ends_with(" {") => Joins(Self::Members),
            _ if is_error(line) || line.starts_with("(Use `node --trace-") => Joins(self),
            _ => self.waits(line),
        }
    }

    fn python(self, line: &str) -> Step {
        match self {
            Self::Python if is_indented(line) => Joins(self),
            Self::Python if is_python_exception(line) => Joins(Self::PythonEnd),
            Self::Python => Apart,
            Self::PythonGroup if is_of_group(line) => {
                Joins(if is_end_of_group(line) { Self::PythonEnd } else { self })
            }
            Self::PythonLink => match Self::of_head(line) {
                trace @ (Self::Python | Self::PythonGroup) => Joins(trace),
                _ if is_empty(line) => Perhaps(self),
                _ => Apart,
            },
            _ if is_link(line) => Joins(Self::PythonLink),
            _ => self.waits(line),
        }
    }

    fn go(self, line: &str) -> Step {
        match self {
            _ if is_goroutine(line) || line == "runtime stack:" => Joins(Self::Go),
            Self::GoPanic if line.starts_with("[signal ") || line.starts_with("\tpanic: ") => Joins(self),
            Self::GoPanic => self.waits(line),
            Self::GoCall if line.starts_with('\t') => Joins(Self::Go),
            Self::GoCall => Apart,
            _ if is_exit_status(line) => Joins(Self::Alone),
            _ if is_register(line) => Joins(Self::Go),
            Self::GoEnd => Apart,
            _ if is_go_place(line) => Joins(self),
            _ if is_call(line) => Perhaps(Self::GoCall),
            _ if is_empty(line) => Perhaps(Self::GoEnd),
            _ => Apart,
        }
    }

    fn rust(self, line: &str) -> Step {
        match self {
            Self::RustHead => Joins(Self::RustMessage),
            _ if line.starts_with("note: ") => Joins(Self::Alone),
            _ if line == "stack backtrace:" => Joins(Self::RustFrames),
            Self::RustMessage => self.waits(line),
            _ if is_indented(line) => Joins(self),
            _ => Apart,
        }
    }

    fn causes(self, line: &str) -> Step {
        match self {
            _ if is_causes(line) => Joins(Self::Causes),
            Self::Causes if is_indented(line) => Joins(self),
            Self::Causes if is_empty(line) => Perhaps(Self::CausesEnd),
            _ => Apart,
        }
    }

    fn after_php_frame(line: &str) -> Self {
        if line.ends_with(" {main}") { Self::PhpMain } else { Self::Php }
    }

    fn php(self, line: &str) -> Step {
        match self {
            _ if line.starts_with("  thrown in ") || line.starts_with("\"}") => Joins(Self::Alone),
            Self::Php if is_php_frame(line) => Joins(Self::after_php_frame(line)),
            Self::Php => Apart,
            // Else the error would begin a trace of its own.
            _ if line.strip_prefix("Next ").is_some_and(is_error) => Joins(Self::Rest),
            _ if line.starts_with("Next ") => Perhaps(Self::Rest),
            _ if is_empty(line) => Perhaps(self),
            _ => Apart,
        }
    }

    fn ruby(self, line: &str, rescued: bool) -> Step {
        let text = line.trim_start();
        match self {
            _ if text.len() < line.len() && (is_ruby_frame(text) || is_more(text)) => {
                Joins(Self::Ruby { rescued: rescued || is_rescued(line) })
            }
            _ if is_ruby_head(line) && rescued => Joins(Self::RubyHead { rescued: is_rescued(line) }),
            Self::RubyHint { .. } if line.starts_with("               ") => Joins(self),
            Self::Ruby { .. } | Self::RubyHint { .. } => Apart,
            _ if line.starts_with("Did you mean?") => Joins(Self::RubyHint { rescued }),
            _ if is_mark(line) => Joins(self),
            _ => self.waits(line),
        }
    }

    fn swift(line: &str) -> Step {
        match line {
            _ if line.starts_with("Backtrace took ") => Joins(Self::Alone),
            _ if is_swift(line) => Joins(Self::Swift),
            _ if is_empty(line) => Perhaps(Self::Swift),
            _ => Apart,
        }
    }
}
