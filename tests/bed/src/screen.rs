//! What a person sees of a program's output on a terminal of 80 columns: lines that were drawn over are gone.

/// Columns of a terminal that does not tell its size.
const COLUMNS: usize = 80;

/// The lines that there are in the end, each as long as it was written, without spaces at its end and without colours. Bytes for the terminal other than the usual ones are a
/// fault of the program.
#[track_caller]
pub fn screen(output: &str) -> Vec<String> {
    let mut screen = Screen::default();
    let mut rest = output.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => screen.column = 0,
            '\n' => screen.down(1),
            '\x1b' => screen.obey(&mut rest),
            c => screen.put(c),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for row in &screen.rows {
        let text: String = row.text.iter().collect();
        match lines.last_mut().filter(|_| row.goes_on) {
            Some(line) => line.push_str(&text),
            None => lines.push(text),
        }
    }
    let mut lines: Vec<String> = lines.iter().map(|line| line.trim_end().to_owned()).collect();
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    lines
}

#[derive(Debug, Default)]
struct Screen {
    rows: Vec<Row>,
    row: usize,
    column: usize,
}

#[derive(Clone, Debug, Default)]
struct Row {
    text: Vec<char>,
    /// With the line of the row before it.
    goes_on: bool,
}

impl Screen {
    fn put(&mut self, c: char) {
        // What is written behind the last column stands in the next line.
        if self.column == COLUMNS {
            self.down(1);
            self.column = 0;
            self.row().goes_on = true;
        }
        let column = self.column;
        let text = &mut self.row().text;
        text.resize(text.len().max(column + 1), ' ');
        text[column] = c;
        self.column += 1;
    }

    fn down(&mut self, by: usize) {
        self.row += by;
    }

    fn row(&mut self) -> &mut Row {
        self.rows.resize(self.rows.len().max(self.row + 1), Row::default());
        &mut self.rows[self.row]
    }

    /// Obeys what comes after an escape.
    #[track_caller]
    fn obey(&mut self, rest: &mut std::str::Chars<'_>) {
        assert_eq!(rest.next(), Some('['), "an escape that is not understood");
        let mut number = String::new();
        let command = loop {
            match rest.next() {
                Some(c) if c.is_ascii_digit() || c == ';' => number.push(c),
                command => break command,
            }
        };
        let count = number.parse().unwrap_or(1);
        match (command, number.as_str()) {
            (Some('A'), _) => self.row = self.row.saturating_sub(count),
            (Some('B'), _) => self.down(count),
            (Some('K'), "2") => *self.row() = Row::default(),
            // Colours.
            (Some('m'), _) => {}
            (command, number) => panic!("{command:?} with {number:?} is not understood"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_over_is_gone_and_a_line_is_one_however_long_it_is() {
        let long = "x".repeat(COLUMNS + 2);
        assert_eq!(screen("a\r\n\x1b[32mb\x1b[0m c"), ["a", "b c"]);
        assert_eq!(screen("bar 1   \r\x1b[2Kline\r\nbar 2   "), ["line", "bar 2"]);
        assert_eq!(screen(&format!("{long}\x1b[1A\r\x1b[2K\x1b[1B\r\x1b[2K\x1b[1Aend")), ["end"]);
        assert_eq!(screen(&format!("{long}\r\nb")), [long.as_str(), "b"]);
        assert_eq!(screen(&format!("{}\r\nb", "a".repeat(COLUMNS))), ["a".repeat(COLUMNS), "b".to_owned()]);
        assert_eq!(screen("torn bar\x20line\r\n"), ["torn bar line"]);
    }
}
