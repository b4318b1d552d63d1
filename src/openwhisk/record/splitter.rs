//! Cuts a JSON array that arrives in pieces into its elements, so that only one record is in memory at a time, whatever the size of the
//! page.

use super::hollow::Hollow;
use super::nesting::{Nesting, SplitError};

/// Largest element kept, in bytes: a record of a stock platform holds at most 10 MB of log text and 1 MB of result (docs/facts/openwhisk.md 2), and JSON
/// escapes make that longer, seldom by more than a half. A larger one is hollowed out.
pub const LARGEST_ELEMENT: usize = 16 << 20;
/// From this size on an element is large, in bytes: most are far below.
const LARGE_ELEMENT: usize = 512 << 10;

/// Finds the elements of one JSON array of objects. Feed it the body's pieces, then `finish` it.
///
/// It looks at brackets and strings only; whether an element is sound JSON shows when it is parsed.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    nesting: Nesting,
    /// The begin of an element of which the end has not arrived.
    partial: Vec<u8>,
    /// What is kept of an element that is too large.
    hollow: Option<Hollow>,
}

/// An element of the array: a record, full or as summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its JSON.
    pub json: &'a [u8],
    /// Whether that is the whole element. If not, it was larger than [`LARGEST_ELEMENT`]: the fields that [`Record`](super::Record) reads
    /// are left, but `logs` is empty.
    pub is_whole: bool,
    /// Its size on the wire, in bytes.
    pub bytes: usize,
}

impl<'a> Row<'a> {
    /// A row of which this is all.
    pub fn whole(json: &'a [u8]) -> Self {
        Self { json, is_whole: true, bytes: json.len() }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeArray,
    BetweenElements,
    InElement,
    AfterArray,
}

impl Splitter {
    /// Takes the next piece and hands every element that is now complete to `element`, until that returns an error.
    pub fn feed<E: From<SplitError>>(
        &mut self,
        piece: &[u8],
        mut element: impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        loop {
            rest = match self.place {
                Place::InElement => match self.nesting.end(rest) {
                    Some(end) => {
                        let (tail, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                        self.place = Place::BetweenElements;
                        self.complete(tail, &mut element)?;
                        after
                    }
                    None => {
                        self.keep(rest);
                        return Ok(());
                    }
                },
                _ => match self.element_begin(rest)? {
                    Some(begin) => rest.get(begin..).unwrap_or_default(),
                    None => return Ok(()),
                },
            };
        }
    }

    /// Says whether the array was complete.
    pub fn finish(self) -> Result<(), SplitError> {
        if self.place == Place::AfterArray { Ok(()) } else { Err(SplitError::CutOff) }
    }

    /// Where the next element begins.
    fn element_begin(&mut self, bytes: &[u8]) -> Result<Option<usize>, SplitError> {
        for (at, byte) in bytes.iter().enumerate() {
            match (byte, &self.place) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => {}
                (b'[', Place::BeforeArray) => self.place = Place::BetweenElements,
                (b',', Place::BetweenElements) => {}
                (b']', Place::BetweenElements) => self.place = Place::AfterArray,
                (b'{', Place::BetweenElements) => {
                    self.place = Place::InElement;
                    self.nesting = Nesting::default();
                    return Ok(Some(at));
                }
                _ => return Err(SplitError::NotAnArray),
            }
        }
        Ok(None)
    }

    /// Hands on the element of which these are the last bytes.
    fn complete<E>(
        &mut self,
        tail: &[u8],
        element: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fits = self.hollow.is_none() && self.partial.len() + tail.len() <= LARGEST_ELEMENT;
        if fits && self.partial.is_empty() {
            return element(Row::whole(tail));
        }
        self.keep(tail);
        if let Some(hollow) = self.hollow.take() {
            let bytes = hollow.bytes();
            return element(Row { json: &hollow.finish(), is_whole: false, bytes });
        }
        let mut whole = std::mem::take(&mut self.partial);
        element(Row::whole(&whole))?;
        whole.clear();
        self.partial = whole;
        Ok(())
    }

    /// Makes room for so many bytes more. A large element gets at once all that it may take: growing by doubling would leave holes that are as large
    /// together, and what is set aside takes no memory until it is used.
    fn make_room(&mut self, more: usize) {
        let needed = self.partial.len() + more;
        if needed > self.partial.capacity() && needed > LARGE_ELEMENT {
            self.partial.reserve_exact(LARGEST_ELEMENT.saturating_sub(self.partial.len()));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(hollow) = &mut self.hollow {
            return hollow.feed(bytes);
        }
        if self.partial.len() + bytes.len() > LARGEST_ELEMENT {
            let hollow = self.hollow.insert(Hollow::default());
            hollow.feed(&self.partial);
            hollow.feed(bytes);
            self.partial = Vec::new();
            return;
        }
        self.make_room(bytes.len());
        self.partial.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        for piece in pieces {
            splitter.feed(piece, |row| {
                assert!(row.is_whole && row.bytes == row.json.len());
                elements.push(String::from_utf8(row.json.to_vec()).unwrap());
                Ok::<(), SplitError>(())
            })?;
        }
        splitter.finish().map(|()| elements)
    }

    const PAGE: &str = r#" [ {"a":"]}\"[{","b":[1,{"c":{}}]} ,{}, {"d":"\\"}] "#;
    const ELEMENTS: [&str; 3] = [r#"{"a":"]}\"[{","b":[1,{"c":{}}]}"#, "{}", r#"{"d":"\\"}"#];

    #[test]
    fn elements_are_found_however_the_body_is_cut() {
        for cut in 0..=PAGE.len() {
            let (head, tail) = PAGE.as_bytes().split_at(cut);
            assert_eq!(split(&[head, tail]).unwrap(), ELEMENTS, "cut at {cut}");
        }
        let single: Vec<&[u8]> = PAGE.as_bytes().chunks(1).collect();
        assert_eq!(split(&single).unwrap(), ELEMENTS);
    }

    #[test]
    fn an_empty_page_has_no_elements() {
        assert_eq!(split(&[b"[]"]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for body in [r#"{"error":"x"}"#, "<html>", "[1]", "[{}] x", "[\"a\"]"] {
            assert_eq!(split(&[body.as_bytes()]), Err(SplitError::NotAnArray), "{body}");
        }
    }

    #[test]
    fn every_proper_prefix_is_reported_as_cut_off() {
        let page = PAGE.trim_end();
        for cut in 0..page.len() {
            assert_eq!(split(&[&page.as_bytes()[..cut]]), Err(SplitError::CutOff), "cut at {cut}");
        }
    }

    #[test]
    fn a_record_that_is_too_large_comes_without_its_logs_and_its_neighbours_whole_however_the_page_is_cut() {
        let large = format!(
            r#"{{"activationId":"x","logs":["{}",{{"start":2}}],"response":{{"result":"{}"}},"start":1,"end":null,"annotations":[{{"key":"path","value":"g/{}"}}]}}"#,
            r#"{\"["#.repeat(3 << 20),
            "y".repeat(5 << 20),
            "a".repeat(1000),
        );
        let page = format!(r#"[{{"id":1}},{large},{{"id":3}}]"#);
        let hollow = format!(
            r#"{{"activationId":"x","start":1,"end":null,"annotations":[{{"key":"path","value":"g/{}"}}],"logs":[]}}"#,
            "a".repeat(1000)
        );
        for piece in [page.len(), 4093, 1 << 20] {
            let (mut splitter, mut rows) = (Splitter::default(), Vec::new());
            for piece in page.as_bytes().chunks(piece) {
                splitter
                    .feed(piece, |row| {
                        rows.push((String::from_utf8(row.json.to_vec()).unwrap(), row.is_whole, row.bytes));
                        Ok::<(), SplitError>(())
                    })
                    .unwrap();
                assert!(splitter.partial.capacity() <= LARGEST_ELEMENT);
            }
            splitter.finish().unwrap();
            let first = (r#"{"id":1}"#.to_owned(), true, 8);
            let last = (r#"{"id":3}"#.to_owned(), true, 8);
            assert_eq!(rows, [first, (hollow.clone(), false, large.len()), last], "pieces of {piece}");
        }
    }

    #[test]
    fn the_largest_element_that_is_kept_is_kept_whole() {
        for (more, is_whole) in [(0, true), (1, false)] {
            let page = format!(r#"[{{"logs":"{}"}}]"#, "x".repeat(LARGEST_ELEMENT - 11 + more));
            for piece in [page.len(), 64 << 10] {
                let mut splitter = Splitter::default();
                let mut seen = Vec::new();
                for piece in page.as_bytes().chunks(piece) {
                    let row = |row: Row<'_>| {
                        seen.push((row.is_whole, row.bytes));
                        Ok::<(), SplitError>(())
                    };
                    splitter.feed(piece, row).unwrap();
                }
                assert_eq!(seen, [(is_whole, LARGEST_ELEMENT + more)]);
            }
        }
    }
}
