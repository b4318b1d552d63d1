//! Cuts a JSON array that arrives in pieces into its elements, so that one record lives at a time whatever the page holds.

use memchr::memchr2;

/// Largest element kept, in bytes: a record holds at most 10 MB of log text and 1 MB of result (facts/openwhisk.md 2), and JSON escapes
/// make that longer, seldom by more than a half. Of a larger one only the begin is kept, so that it can be reported.
const LARGEST_ELEMENT: usize = 32 << 20;
/// From this size on an element is large, in bytes: most are far below.
const LARGE_ELEMENT: usize = 512 << 10;
/// How much of an element that is too large is kept, in bytes.
const KEPT_OF_TOO_LARGE: usize = 4 << 10;

/// Finds the elements of one JSON array of objects. Feed it the body's pieces, then `finish` it.
///
/// It looks at brackets and strings only; whether an element is sound JSON shows when it is parsed.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The begin of an element of which the end has not arrived.
    partial: Vec<u8>,
    too_large: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeArray,
    BetweenElements,
    InElement,
    AfterArray,
}

/// Why a body is not a page of records.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// It does not hold an array of objects.
    #[error("the answer is not a JSON array of records")]
    NotAnArray,
    /// It does not hold an object.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// It ends too early.
    #[error("the answer was cut off")]
    CutOff,
}

impl Splitter {
    /// Takes the next piece and hands every element that is now complete to `element`, until that returns an error. An element of more than
    /// 32 MiB comes cut off: it cannot be parsed, but its neighbours can.
    pub fn feed<E: From<SplitError>>(
        &mut self,
        piece: &[u8],
        mut element: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        loop {
            rest = match self.place {
                Place::InElement => match self.element_end(rest) {
                    Some(end) => {
                        let (tail, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                        self.place = Place::BetweenElements;
                        if self.partial.is_empty() {
                            element(tail)?;
                        } else {
                            self.keep(tail);
                            self.too_large = false;
                            let mut whole = std::mem::take(&mut self.partial);
                            element(&whole)?;
                            whole.clear();
                            self.partial = whole;
                        }
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
                    self.depth = 0;
                    return Ok(Some(at));
                }
                _ => return Err(SplitError::NotAnArray),
            }
        }
        Ok(None)
    }

    /// How many bytes still belong to the element, if its end is among `bytes`.
    fn element_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (end, skipped) =
                if self.in_string { (None, self.skip_string(rest)) } else { self.skip_structure(rest) };
            if let Some(end) = end {
                return Some(at + end);
            }
            at += skipped;
        }
        None
    }

    /// Goes to the end of the string, or of `bytes`. Most of a page is in strings, so this is the one loop that must be quick.
    fn skip_string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += found + 1;
            if bytes.get(at - 1) == Some(&b'"') {
                self.in_string = false;
                return at;
            }
            if at == bytes.len() {
                self.escaped = true;
                return at;
            }
            at += 1;
        }
        bytes.len()
    }

    /// Goes to the begin of a string, or to the end of the element, which it gives first, or of `bytes`.
    fn skip_structure(&mut self, bytes: &[u8]) -> (Option<usize>, usize) {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => {
                    self.in_string = true;
                    return (None, at + 1);
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (Some(at + 1), at + 1);
                    }
                }
                _ => {}
            }
        }
        (None, bytes.len())
    }

    /// Makes room for so many bytes more. A large element gets at once all that it may take: growing by doubling would leave holes that are as large
    /// together, and what is set aside takes no memory until it is used.
    fn make_room(&mut self, more: usize) {
        let needed = self.partial.len() + more;
        if needed > self.partial.capacity() && needed > LARGE_ELEMENT {
            let whole =
                if needed <= LARGEST_ELEMENT / 2 { LARGEST_ELEMENT / 2 } else { LARGEST_ELEMENT + more };
            self.partial.reserve_exact(whole.saturating_sub(self.partial.len()));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.too_large {
            return;
        }
        self.make_room(bytes.len());
        self.partial.extend_from_slice(bytes);
        if self.partial.len() > LARGEST_ELEMENT {
            self.too_large = true;
            self.partial.truncate(KEPT_OF_TOO_LARGE);
            self.partial.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        for piece in pieces {
            splitter.feed(piece, |element| {
                elements.push(String::from_utf8(element.to_vec()).unwrap());
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
    fn a_record_that_is_too_large_comes_cut_off_and_its_neighbours_whole() {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        let mut feed = |piece: &[u8]| {
            splitter.feed(piece, |element| {
                elements.push(element.to_vec());
                Ok::<(), SplitError>(())
            })
        };
        feed(b"[{\"id\":1},{\"id\":2,\"text\":\"").unwrap();
        let piece = vec![b'{'; 1 << 20];
        (0..40).for_each(|_| feed(&piece).unwrap());
        feed(b"\"},{\"id\":3}]").unwrap();
        splitter.finish().unwrap();
        assert_eq!(elements.len(), 3);
        assert!(elements[1].starts_with(b"{\"id\":2") && elements[1].len() == KEPT_OF_TOO_LARGE);
        assert_eq!((&elements[0][..], &elements[2][..]), (&b"{\"id\":1}"[..], &b"{\"id\":3}"[..]));
    }
}
