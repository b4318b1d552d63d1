//! The treatment of a record's entries on their way into documents: some are left out, some are joined, JSON is read, secrets are made
//! unreadable.
//!
//! The documents depend on the record's entries alone. So a record that is read again, from its first entry on, makes the same documents,
//! and the place of the first entry identifies those that are settled.

mod groups;
mod json;
mod pattern;
mod pieces;
mod redact;
mod trace;

pub use json::Parsed;
use redact::KeyBlock;
pub use redact::Redactor;

use super::id::fnv1a;
use crate::config::{Channel, Json, Lines};
use crate::openwhisk::record::{Line, Status, Stream};
use groups::{Entry, Groups, Rule};
use pattern::Matcher;

/// Bytes at the end of a line that was cut which may be half of a secret. The forwarder reads more than that beyond the largest event.
const TORN: usize = 32 << 10;

/// The version of the rules by which lines are joined. A new rule needs a new number: a record that both versions read then has lines that come twice
/// rather than lines that do not come.
const JOINS: u8 = 3;

/// The contents of one document.
#[derive(Debug, Clone, Copy)]
pub struct Document<'l> {
    /// Place in the record of its first entry, from 0.
    pub first: usize,
    /// Place of its last one.
    pub last: usize,
    /// The number of entries that it joins, at least one.
    pub entries: u64,
    /// The text of all of them, which begins like the first one.
    pub line: Line<'l>,
    /// The text's contents as JSON.
    pub parsed: Option<&'l Parsed>,
}

impl<'l> Document<'l> {
    /// The document of one entry as it is.
    pub fn plain(first: usize, line: Line<'l>) -> Self {
        Self { first, last: first, entries: 1, line, parsed: None }
    }
}

/// The treatment of lines, made ready.
#[derive(Debug, Clone)]
pub struct Treatment {
    /// Tells it from others; `None` if each entry stays as it is.
    sign: Option<u32>,
    only_failed: bool,
    stream: Option<Stream>,
    include: Vec<Matcher>,
    exclude: Vec<Matcher>,
    rule: Option<Rule>,
    json: Option<Json>,
    redactor: Redactor,
}

/// The number of entries of a record without a document of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spared {
    /// They are left out.
    pub filtered: u64,
    /// They are in the document of another entry.
    pub joined: u64,
}

impl Treatment {
    /// As configured.
    pub fn new(lines: &Lines) -> Self {
        let matchers = |patterns: &[String]| patterns.iter().map(|pattern| Matcher::new(pattern)).collect();
        let redactor = Redactor::new(&lines.redact);
        let sign = (*lines != Lines::default()).then(|| {
            let mut all = serde_json::to_vec(lines).unwrap_or_default();
            all.push(JOINS);
            fnv1a(&all)
        });
        Self {
            sign,
            only_failed: lines.only_failed,
            stream: lines.stream.map(|channel| match channel {
                Channel::Stdout => Stream::Stdout,
                Channel::Stderr => Stream::Stderr,
            }),
            include: matchers(&lines.include),
            exclude: matchers(&lines.exclude),
            // A secret may stand where Docker has cut a line; and no piece of a JSON object is one.
            rule: Rule::new(
                lines.multiline.as_ref(),
                !redactor.is_idle() || lines.json.is_some(),
                lines.json.is_some(),
            ),
            json: lines.json.clone(),
            redactor,
        }
    }

    /// Whether each entry makes a document and stays as it is.
    pub fn is_plain(&self) -> bool {
        self.sign.is_none()
    }

    /// Distinguishes it from others; `None` if it is plain.
    pub fn sign(&self) -> Option<u32> {
        self.sign
    }

    /// What makes secrets unreadable.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Redacts a line that was cut before a search for secrets was possible. Half of a secret may stand at its end and has no form, so the end
    /// is dropped.
    fn without_torn_end(&self, text: &str) -> String {
        let mut clean = self.redactor.redact(text).unwrap_or_else(|| text.into());
        clean.truncate(clean.floor_char_boundary(clean.len().saturating_sub(TORN)));
        clean
    }

    /// Whether a line with this text is left out.
    fn leaves_out(&self, text: &str) -> bool {
        let any = |matchers: &[Matcher]| matchers.iter().any(|matcher| matcher.is_match(text));
        any(&self.exclude) || !self.include.is_empty() && !any(&self.include)
    }
}

/// Makes the documents of one record, as its entries come.
#[derive(Debug)]
pub struct Reading<'t> {
    treatment: &'t Treatment,
    /// Documents of earlier entries are settled.
    from: usize,
    /// They were made by this treatment.
    is_same: bool,
    leaves_out_all: bool,
    groups: Groups,
    /// Of lines without a stream, of `stdout` and of `stderr`.
    key_blocks: [KeyBlock; 3],
    spared: Spared,
}

/// Takes a document; returns whether it wants more.
pub type Take<'t> = dyn FnMut(Document<'_>) -> bool + 't;

impl<'t> Reading<'t> {
    /// For a record that ended with `status`; its documents with a first entry before `from` are settled. Unless `is_same`, another
    /// treatment made them, and entries from there on may now be joined with earlier ones: then such a document is made once more.
    pub fn new(treatment: &'t Treatment, status: Option<Status>, from: usize, is_same: bool) -> Self {
        Self {
            treatment,
            from,
            is_same,
            // If nobody knows how it ended, its lines are wanted.
            leaves_out_all: treatment.only_failed && status == Some(Status::Success),
            groups: Groups::default(),
            key_blocks: Default::default(),
            spared: Spared::default(),
        }
    }

    /// Takes the next entry, with its place in the record, and hands on the documents that are then complete. Returns false as soon as
    /// `take` does.
    pub fn entry(&mut self, index: usize, line: Line<'_>, take: &mut Take<'_>) -> bool {
        let (stream, message) = line.behind(line.time());
        let is_elsewhere =
            stream.is_some_and(|stream| self.treatment.stream.is_some_and(|only| only != stream));
        if self.leaves_out_all || is_elsewhere {
            self.count_filtered(index, 1);
            return true;
        }
        let text = message.text();
        let is_alone = match &self.treatment.rule {
            None => true,
            Some(rule) => !self.groups.add(rule, &Entry { index, line, stream, text: &text }),
        };
        self.hand_on(take) && (!is_alone || self.document(Document::plain(index, line), stream, &text, take))
    }

    /// There are no more entries.
    pub fn finish(&mut self, take: &mut Take<'_>) -> bool {
        if let Some(rule) = &self.treatment.rule {
            self.groups.finish(rule);
        }
        self.hand_on(take)
    }

    /// How many entries made no document of their own, since the last call.
    pub fn take_spared(&mut self) -> Spared {
        std::mem::take(&mut self.spared)
    }

    fn hand_on(&mut self, take: &mut Take<'_>) -> bool {
        while let Some(group) = self.groups.take() {
            let document = group.document();
            let (stream, message) = document.line.behind(document.line.time());
            if !self.document(document, stream, &message.text(), take) {
                return false;
            }
        }
        true
    }

    /// Makes a document, whose text behind time and stream is `text`.
    fn document(
        &mut self,
        document: Document<'_>,
        stream: Option<Stream>,
        text: &str,
        take: &mut Take<'_>,
    ) -> bool {
        let Document { first, last, entries, line, .. } = document;
        let treatment = self.treatment;
        let [of_none, of_stdout, of_stderr] = &mut self.key_blocks;
        let key_block = match stream {
            None => of_none,
            Some(Stream::Stdout) => of_stdout,
            Some(Stream::Stderr) => of_stderr,
        };
        let without_key = key_block.redact(&treatment.redactor, text);
        if treatment.leaves_out(text) {
            self.count_filtered(first, entries);
            return true;
        }
        if if self.is_same { first } else { last } < self.from {
            return true;
        }
        self.spared.joined += entries.saturating_sub(1);
        let is_torn = line.is_cut() && !treatment.redactor.is_idle();
        let shown = without_key.as_deref().unwrap_or(text);
        let torn = is_torn.then(|| treatment.without_torn_end(shown));
        if let Some(json) = &treatment.json
            && let Some(parsed) = Parsed::of(torn.as_deref().unwrap_or(shown), json, &treatment.redactor)
        {
            let line = if parsed.is_mended { line.mended() } else { line };
            return take(Document { parsed: Some(&parsed), line, ..document });
        }
        let redacted = torn.or_else(|| treatment.redactor.redact(shown)).or(without_key);
        let Some(redacted) = redacted else { return take(document) };
        let whole = line.text();
        let prefix = whole.get(..whole.len().saturating_sub(text.len())).unwrap_or_default();
        let whole = [prefix, &redacted].concat();
        take(Document { line: line.with_text(&whole), ..document })
    }

    fn count_filtered(&mut self, first: usize, entries: u64) {
        self.spared.filtered += if first < self.from { 0 } else { entries };
    }
}

#[cfg(test)]
mod tests;
