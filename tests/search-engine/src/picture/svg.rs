//! The few shapes that a picture needs.

use std::fmt::Write as _;

use super::{EDGE, Frame, INK};

/// Of a character of the size 11.
const CHARACTER: f64 = 6.4;

pub(super) struct Svg(String);

/// A text, drawn when this value ends.
pub(super) struct Text<'s> {
    svg: &'s mut Svg,
    at: (f64, f64),
    text: String,
    size: f64,
    fill: &'static str,
    style: &'static str,
    anchor: &'static str,
}

impl Svg {
    /// An empty picture, with what it is for those who cannot see it.
    pub(super) fn new(width: f64, height: f64, label: &str) -> Self {
        let mut svg = Self(String::new());
        let label = escaped(label);
        svg.line(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{label}" font-family="system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif" font-size="11" fill="{INK}">"#
        ));
        svg.line(&format!(r##"<rect width="{width}" height="{height}" fill="#f5f7fa"/>"##));
        svg
    }

    pub(super) fn finish(mut self) -> String {
        self.line("</svg>");
        self.0
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    pub(super) fn panel(&mut self, frame: Frame) {
        let Frame { x, y, width, height } = frame;
        self.line(&format!(
            r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="6" fill="#fff" stroke="{EDGE}"/>"##
        ));
    }

    pub(super) fn bar(&mut self, frame: Frame, fill: &str) {
        let Frame { x, y, width, height } = frame;
        self.line(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        ));
    }

    pub(super) fn rule(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.line(&format!(r#"<path d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" stroke="{EDGE}"/>"#));
    }

    pub(super) fn curve(&mut self, points: &[(f64, f64)], colour: &str) {
        let mut path = String::new();
        for (number, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if number == 0 { 'M' } else { 'L' });
        }
        self.line(&format!(
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>"#
        ));
    }

    pub(super) fn text(&mut self, x: f64, y: f64, text: &str) -> Text<'_> {
        Text { svg: self, at: (x, y), text: text.to_owned(), size: 0.0, fill: "", style: "", anchor: "" }
    }
}

impl Text<'_> {
    pub(super) fn size(mut self, size: f64) -> Self {
        self.size = size;
        self
    }

    pub(super) fn fill(mut self, colour: &'static str) -> Self {
        self.fill = colour;
        self
    }

    pub(super) fn bold(mut self) -> Self {
        self.style = r#" font-weight="600""#;
        self
    }

    pub(super) fn middle(mut self) -> Self {
        self.anchor = r#" text-anchor="middle""#;
        self
    }

    pub(super) fn end(mut self) -> Self {
        self.anchor = r#" text-anchor="end""#;
        self
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        let Self { at: (x, y), size, fill, style, anchor, .. } = *self;
        let size = if size == 0.0 { String::new() } else { format!(r#" font-size="{size}""#) };
        let fill = if fill.is_empty() { String::new() } else { format!(r#" fill="{fill}""#) };
        let text = escaped(&self.text);
        self.svg.line(&format!(r#"<text x="{x:.1}" y="{y:.1}"{size}{fill}{style}{anchor}>{text}</text>"#));
    }
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// As much of a text as fits.
pub(super) fn cut(text: &str, width: f64) -> String {
    let most = (width / CHARACTER) as usize;
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A number with a comma between thousands, and with a decimal if it is small and has one.
pub(super) fn thousands(value: f64) -> String {
    if value < 10.0 && value.fract() >= 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
