//! Cuts a JSON array that arrives in pieces into its elements, so that one record lives at a time whatever the page holds.

/// Largest element kept, in bytes: a record holds at most 10 MB of log text and 1 MB of result (facts/openwhisk.md 2), and JSON escapes
/// make that longer, seldom by more than a half.
const LARGEST_ELEMENT: usize = 32 << 20;

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
    /// It ends inside the array.
    #[error("the answer was cut off")]
    CutOff,
    /// One record is larger than this forwarder takes.
    #[error("a record is larger than {} MiB", LARGEST_ELEMENT >> 20)]
    TooLarge,
}

impl Splitter {
    /// Takes the next piece and hands every element that is now complete to `element`, until that returns an error.
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
                            self.keep(tail)?;
                            let whole = std::mem::take(&mut self.partial);
                            element(&whole)?;
                        }
                        after
                    }
                    None => return self.keep(rest).map_err(E::from),
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
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SplitError> {
        if self.partial.len() + bytes.len() > LARGEST_ELEMENT {
            return Err(SplitError::TooLarge);
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
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
    fn a_record_without_end_does_not_fill_the_memory() {
        let mut splitter = Splitter::default();
        let piece = vec![b'{'; 1 << 20];
        let mut feed = || splitter.feed(&piece, |_| Ok::<(), SplitError>(()));
        feed().unwrap_err();
        let mut splitter = Splitter::default();
        splitter.feed(b"[{\"a\":\"", |_| Ok::<(), SplitError>(())).unwrap();
        let error = (0..40).find_map(|_| splitter.feed(&piece, |_| Ok::<(), SplitError>(())).err());
        assert_eq!(error, Some(SplitError::TooLarge));
    }
}
