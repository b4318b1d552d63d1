//! The pieces that Docker makes of a long line.

/// Docker hands on a longer line in pieces of so many bytes (docs/facts/openwhisk.md 1.8).
const PIECE: usize = 16 << 10;
/// Where it cuts a character, its writer puts this in the place of each byte.
const REPLACED: char = '\u{fffd}';
/// A character that is cut has at most so many bytes on one side.
const MOST_OF_CHARACTER: usize = 3;

/// A piece of a line, and not its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// A character was cut at its end: the next piece begins with the rest of it.
    ends_in_character: bool,
}

impl Piece {
    /// `text` as a piece, if it is one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let longer = text.len().checked_sub(PIECE)?;
        if longer == 0 {
            return Some(Self { ends_in_character: false });
        }
        let count = |characters: &mut dyn Iterator<Item = char>| {
            characters.take(MOST_OF_CHARACTER).take_while(|character| *character == REPLACED).count()
        };
        let begin = count(&mut text.chars());
        let end = count(&mut text.chars().rev());
        // Three bytes stand for one. Other writers put one character for all bytes of the one that is cut: then one or two more.
        let at_end = (0..=begin).filter_map(|at_begin| longer.checked_sub(2 * at_begin));
        let is_end = |more: usize| more <= 2 * end && (more.is_multiple_of(2) || more == 1);
        if let Some(more) = at_end.filter(|more| is_end(*more)).min() {
            return Some(Self { ends_in_character: more > 0 });
        }
        // A line in another encoding has many such bytes.
        let is_broken = longer <= 2 * PIECE && longer == 2 * text.matches(REPLACED).count();
        is_broken.then_some(Self { ends_in_character: false })
    }

    /// Whether a character was cut at its end.
    pub(super) fn cuts_character(self) -> bool {
        self.ends_in_character
    }

    /// Whether `text` may follow.
    pub(super) fn goes_on_with(self, text: &str) -> bool {
        !self.ends_in_character || text.starts_with(REPLACED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Docker cuts a line and its writer mends the pieces.
    fn pieces(line: &str) -> Vec<String> {
        let mended = |piece: &[u8]| {
            let chunks = piece.utf8_chunks();
            chunks.fold(String::new(), |text, chunk| {
                text + chunk.valid() + &REPLACED.to_string().repeat(chunk.invalid().len())
            })
        };
        line.as_bytes().chunks(PIECE).map(mended).collect()
    }

    #[test]
    fn a_piece_is_known_wherever_docker_cuts_a_character() {
        for character in ["x", "ä", "€", "🦀"] {
            for shift in 0..4 {
                let line = "x".repeat(shift) + &character.repeat(60_000 / character.len());
                let pieces = pieces(&line);
                let (last, others) = pieces.split_last().unwrap();
                assert_eq!(Piece::of(last), None, "{character} {shift}");
                for (piece, next) in others.iter().zip(&pieces[1..]) {
                    let known = Piece::of(piece).unwrap_or_else(|| panic!("{character} {shift}"));
                    assert_eq!(known.ends_in_character, piece.ends_with(REPLACED), "{character} {shift}");
                    assert!(known.goes_on_with(next), "{character} {shift}");
                }
            }
        }
    }

    #[test]
    fn a_long_line_that_docker_did_not_cut_is_no_piece() {
        let long = |bytes| "x".repeat(bytes);
        for other in [long(PIECE - 1), long(PIECE + 1), long(PIECE + 2), long(3 * PIECE), "ä".repeat(PIECE)]
        {
            assert_eq!(Piece::of(&other), None, "{}", other.len());
        }
        // It looks like one, but the next line does not go on with a character.
        let other = long(PIECE - 1) + "\u{fffd}";
        assert!(Piece::of(&other).is_some_and(|piece| !piece.goes_on_with("next")));
    }

    #[test]
    fn a_line_in_another_encoding_is_known_by_its_pieces() {
        let latin: Vec<u8> = b"caf\xe9 ".repeat(PIECE / 5 + 1)[..PIECE].to_vec();
        let mended = String::from_utf8_lossy(&latin);
        assert!(mended.len() > PIECE + 12);
        assert!(Piece::of(&mended).is_some());
    }
}
