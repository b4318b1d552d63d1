//! Entries that belong together: the lines of a stack trace, and the pieces of a line that Docker has cut.

use super::Document;
use super::pattern::Matcher;
use super::pieces::Piece;
use super::trace::{Step, Trace};
use crate::config::{By, Multiline};
use crate::lumberjack::LARGEST_EVENT;
use crate::openwhisk::record::{Line, Stream};
use std::collections::VecDeque;

/// So many documents of the other stream may come between two lines that belong together.
const MOST_BETWEEN: usize = 64;
/// And so many bytes: that bounds what comes between the pieces of one line, too.
const MOST_BYTES: usize = 4 << 20;
/// So many lines may wait for one that says whether they belong to a trace: messages of errors are rarely longer.
const MOST_HELD: usize = 32;

/// Which entries belong together.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    by: Option<Recognised>,
    /// A line that is a JSON object is no part of a trace.
    json: bool,
    max_lines: u64,
    max_bytes: usize,
}

#[derive(Debug, Clone)]
enum Recognised {
    AsTrace,
    ByPattern { matcher: Matcher, negate: bool, before: bool },
}

impl Rule {
    /// As configured; without that only the pieces of a line belong together, if `pieces` does not say that nobody cares. With `json`, lines may
    /// be JSON objects.
    pub(super) fn new(multiline: Option<&Multiline>, pieces: bool, json: bool) -> Option<Self> {
        let Some(Multiline { by, max_lines, max_bytes }) = multiline else {
            return pieces.then_some(Self { by: None, json, max_lines: 1, max_bytes: 0 });
        };
        let by = match by {
            By::Auto => Recognised::AsTrace,
            By::Pattern { pattern, negate, before } => {
                Recognised::ByPattern { matcher: Matcher::new(pattern), negate: *negate, before: *before }
            }
        };
        Some(Self {
            by: Some(by),
            json,
            max_lines: u64::from(*max_lines),
            max_bytes: usize::try_from(*max_bytes).unwrap_or(usize::MAX),
        })
    }

    /// The state of a document that begins with this line.
    fn begin(&self, text: &str) -> State {
        match &self.by {
            None => State::of_piece(text),
            Some(Recognised::AsTrace) if self.json && is_json(text) => State::of_piece(text),
            Some(Recognised::AsTrace) => State::of_trace(text, Trace::of_head(text)),
            Some(Recognised::ByPattern { matcher, negate, before }) => {
                let wants_next = !*before || matcher.is_match(text) != *negate;
                State { wants_next, ..State::of_piece(text) }
            }
        }
    }
}

/// The state of a document at the end of its lines so far.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The last entry is a piece of a line, and not the last one.
    piece: Option<Piece>,
    trace: Trace,
    /// The next line may belong to it.
    wants_next: bool,
}

impl State {
    fn of_piece(text: &str) -> Self {
        Self { piece: Piece::of(text), ..Self::default() }
    }

    fn of_trace(text: &str, trace: Trace) -> Self {
        Self { trace, wants_next: trace != Trace::Alone, ..Self::of_piece(text) }
    }

    fn may_go_on(&self) -> bool {
        self.piece.is_some() || self.wants_next
    }
}

/// An entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'l> {
    /// Its place in the record.
    pub(super) index: usize,
    /// All of it.
    pub(super) line: Line<'l>,
    pub(super) stream: Option<Stream>,
    /// The text behind time and stream.
    pub(super) text: &'l str,
}

/// The documents to be, in the order of their first entries. Those of one stream may come between two of the other.
#[derive(Debug, Default)]
pub(super) struct Groups {
    waiting: VecDeque<Group>,
    /// Of each stream the first entry of the document that may go on.
    open: [Option<usize>; 3],
    /// Of the documents.
    bytes: usize,
}

/// Entries that belong together.
#[derive(Debug)]
pub(super) struct Group {
    first: usize,
    last: usize,
    entries: u64,
    /// Entries that are not the rest of a line.
    lines: u64,
    stream: Option<Stream>,
    text: String,
    /// Of its lines, without time and stream of the first one.
    bytes: usize,
    is_mended: bool,
    is_cut: bool,
    /// More entries may belong to it.
    is_open: bool,
    state: State,
    /// Lines that belong to it if one that follows says so.
    held: Vec<Held>,
}

/// A line that waits.
#[derive(Debug)]
struct Held {
    index: usize,
    whole: String,
    /// So many bytes stand before what was printed.
    before: usize,
    is_mended: bool,
    is_cut: bool,
}

/// The place of the next line of a stream.
enum Next {
    /// It belongs to the document, or waits.
    Taken,
    /// And no other does.
    TakenAsLast,
    /// It begins another document, which goes on from here if that is known.
    Apart(Option<State>),
}

impl Groups {
    /// Takes the next entry; says no if it is a document of its own as it is. Then nothing waits that is not complete.
    pub(super) fn add(&mut self, rule: &Rule, entry: &Entry<'_>) -> bool {
        let is_taken = self.offer(rule, entry, false);
        let front = self.waiting.front().filter(|group| group.is_open);
        // A secret may stand where a line is cut, so only bytes count there.
        let most = |group: &Group| if group.state.piece.is_some() { usize::MAX } else { MOST_BETWEEN };
        if let Some(front) = front
            && (self.waiting.len() > most(front) || self.waiting.len() > 1 && self.bytes > MOST_BYTES)
        {
            self.close(rule, front.stream);
        }
        is_taken
    }

    /// There are no more entries.
    pub(super) fn finish(&mut self, rule: &Rule) {
        for stream in [None, Some(Stream::Stdout), Some(Stream::Stderr)] {
            // Lines that have waited may begin a document for which others wait.
            while self.open_of(stream).is_some() {
                self.close(rule, stream);
            }
        }
    }

    /// The next one that is complete.
    pub(super) fn take(&mut self) -> Option<Group> {
        let group = self.waiting.pop_front_if(|group| !group.is_open)?;
        self.bytes = self.bytes.saturating_sub(group.size());
        Some(group)
    }

    /// Bytes of the documents that wait.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn offer(&mut self, rule: &Rule, entry: &Entry<'_>, keep: bool) -> bool {
        let mut begun = None;
        while let Some(first) = self.open_of(entry.stream) {
            let place = self.place(first);
            let next = match self.waiting.get_mut(place) {
                Some(group) if begun.is_none() => {
                    let size = group.size();
                    let next = group.take(rule, entry);
                    self.bytes = (self.bytes + group.size()).saturating_sub(size);
                    next
                }
                _ => Next::Apart(begun),
            };
            match next {
                Next::Taken => return true,
                Next::TakenAsLast => {
                    self.close(rule, entry.stream);
                    return true;
                }
                // The lines that have waited may begin a document to which this one belongs.
                Next::Apart(state) => {
                    begun = state;
                    self.close(rule, entry.stream);
                }
            }
        }
        let state = begun.unwrap_or_else(|| rule.begin(entry.text));
        let is_alone = !state.may_go_on() && self.open.iter().all(Option::is_none);
        if keep || !is_alone {
            self.push(Group::new(entry, state));
        }
        keep || !is_alone
    }

    fn push(&mut self, group: Group) {
        self.bytes += group.size();
        if group.is_open
            && let Some(open) = self.open.get_mut(number(group.stream))
        {
            *open = Some(group.first);
        }
        // One that has waited stands before others.
        self.waiting.insert(self.place(group.first), group);
    }

    /// No more entries belong to the open one of a stream; those that wait for one that says so do not.
    fn close(&mut self, rule: &Rule, stream: Option<Stream>) {
        let Some(first) = self.open.get_mut(number(stream)).and_then(Option::take) else { return };
        let place = self.place(first);
        let Some(group) = self.waiting.get_mut(place) else { return };
        let size = group.size();
        group.is_open = false;
        let held = std::mem::take(&mut group.held);
        self.bytes = (self.bytes + group.size()).saturating_sub(size);
        for line in held {
            self.offer(rule, &line.entry(stream), true);
        }
    }

    fn open_of(&self, stream: Option<Stream>) -> Option<usize> {
        self.open.get(number(stream)).copied().flatten()
    }

    /// Of the document with this first entry.
    fn place(&self, first: usize) -> usize {
        self.waiting.partition_point(|group| group.first < first)
    }
}

fn number(stream: Option<Stream>) -> usize {
    match stream {
        None => 0,
        Some(Stream::Stdout) => 1,
        Some(Stream::Stderr) => 2,
    }
}

impl Group {
    fn new(entry: &Entry<'_>, state: State) -> Self {
        Self {
            first: entry.index,
            last: entry.index,
            entries: 1,
            lines: 1,
            stream: entry.stream,
            text: entry.line.text().into_owned(),
            bytes: entry.text.len(),
            is_mended: entry.line.is_mended(),
            is_cut: entry.line.is_cut(),
            is_open: state.may_go_on(),
            state,
            held: Vec::new(),
        }
    }

    /// Takes the next line of the stream, if it belongs to these.
    fn take(&mut self, rule: &Rule, entry: &Entry<'_>) -> Next {
        let text = entry.text;
        if let Some(piece) = self.state.piece {
            if !piece.goes_on_with(text) || self.text.len() + text.len() > LARGEST_EVENT {
                return Next::Apart(None);
            }
            self.state.piece = Piece::of(text);
            self.append(entry, true);
            // Docker has put other characters into the place of the one that it cut.
            self.is_mended |= piece.cuts_character();
            return self.taken();
        }
        let waiting: usize = self.held.iter().map(|held| held.text().len()).sum();
        let is_full = self.lines + self.held.len() as u64 >= rule.max_lines
            || self.bytes + waiting + text.len() > rule.max_bytes;
        match &rule.by {
            None => Next::Apart(None),
            Some(Recognised::AsTrace) => self.take_of_trace(rule, entry, is_full),
            Some(Recognised::ByPattern { matcher, negate, before }) => {
                let is_match = matcher.is_match(text) != *negate;
                if is_full || if *before { !self.state.wants_next } else { !is_match } {
                    return Next::Apart(None);
                }
                self.state = State { wants_next: !*before || is_match, ..State::of_piece(text) };
                self.append(entry, false);
                self.taken()
            }
        }
    }

    fn take_of_trace(&mut self, rule: &Rule, entry: &Entry<'_>, is_full: bool) -> Next {
        if rule.json && is_json(entry.text) {
            return Next::Apart(None);
        }
        // The last line that waits may be the message before another trace.
        let is_outer = |held: &&Held| !held.text().starts_with([' ', '\t']);
        let is_of_another = |held: &Held| match Trace::of_head(held.text()) {
            // An object may be in a message, too.
            Trace::Opened { .. } => false,
            trace => trace.takes(entry.text),
        };
        let is_in_object = |held: &Held| Trace::of_head(held.text()).is_frame_in_opened(entry.text);
        match self.state.trace.next(entry.text) {
            Step::Joins(_)
                if self.state.trace.may_end_before_another()
                    && (self.held.last().filter(is_outer).is_some_and(is_of_another)
                        || self.held.iter().rfind(is_outer).is_some_and(is_in_object)) =>
            {
                Next::Apart(None)
            }
            // It goes on in the next document.
            Step::Joins(trace) if is_full => Next::Apart(Some(State::of_trace(entry.text, trace))),
            Step::Joins(trace) => {
                for held in std::mem::take(&mut self.held) {
                    self.append(&held.entry(self.stream), false);
                }
                self.state = State::of_trace(entry.text, trace);
                self.append(entry, false);
                self.taken()
            }
            Step::Perhaps(trace) => {
                let state = State::of_trace(entry.text, trace);
                if is_full || self.held.len() >= MOST_HELD || state.piece.is_some() {
                    return Next::Apart(None);
                }
                self.state = state;
                self.held.push(Held::new(entry));
                Next::Taken
            }
            Step::Apart => Next::Apart(None),
        }
    }

    fn taken(&self) -> Next {
        if self.state.may_go_on() { Next::Taken } else { Next::TakenAsLast }
    }

    fn append(&mut self, entry: &Entry<'_>, is_rest: bool) {
        if !is_rest {
            self.text.push('\n');
        }
        self.lines += u64::from(!is_rest);
        self.bytes += entry.text.len();
        self.text.push_str(entry.text);
        self.last = entry.index;
        self.entries += 1;
        self.is_mended |= entry.line.is_mended();
        self.is_cut |= entry.line.is_cut();
    }

    /// Bytes that it takes while it waits.
    fn size(&self) -> usize {
        let held = |held: &Held| size_of::<Held>() + held.whole.len();
        size_of::<Self>() + self.text.len() + self.held.iter().map(held).sum::<usize>()
    }

    /// As a document.
    pub(super) fn document(&self) -> Document<'_> {
        let line = Line::of_text(&self.text, self.is_mended, self.is_cut);
        Document { first: self.first, last: self.last, entries: self.entries, line, parsed: None }
    }
}

impl Held {
    fn new(entry: &Entry<'_>) -> Self {
        let whole = entry.line.text().into_owned();
        let before = whole.len().saturating_sub(entry.text.len());
        Self {
            index: entry.index,
            whole,
            before,
            is_mended: entry.line.is_mended(),
            is_cut: entry.line.is_cut(),
        }
    }

    fn text(&self) -> &str {
        self.whole.get(self.before..).unwrap_or_default()
    }

    fn entry(&self, stream: Option<Stream>) -> Entry<'_> {
        let line = Line::of_text(&self.whole, self.is_mended, self.is_cut);
        Entry { index: self.index, line, stream, text: self.text() }
    }
}

/// Whether a line looks like a JSON object.
fn is_json(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('{');
    inner.is_some_and(|inner| inner.trim_start().starts_with(['"', '}']))
}
