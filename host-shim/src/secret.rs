//! Text that must never be printed.

use std::fmt;

use whiskjack_settings::text;

/// A key or a passphrase. `Debug` shows that it is there, never what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The API key that a text holds; none if it holds nothing but blanks or quotes.
    pub(crate) fn key(text: &str) -> Option<Self> {
        Some(text::tidied(text)).filter(|key| !key.is_empty()).map(Self::new)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}
