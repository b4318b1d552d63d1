//! The protocols of proxies: their greetings, and the begins of their answers.
//!
//! | language | greeting | how an answer begins |
//! |---|---|---|
//! | HTTP | `HEAD /` | `HTTP/` |
//! | SOCKS 5 | two ways to log in (RFC 1928, section 3) | 5, its version |
//! | TLS | an empty hello | an alert (RFC 8446, section 5.1) |

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Http,
    Socks,
    Tls,
}

impl Language {
    pub(super) fn greeting(self) -> &'static [u8] {
        match self {
            Self::Http => b"HEAD / HTTP/1.0\r\n\r\n",
            Self::Socks => b"\x05\x02\x00\x02",
            Self::Tls => b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        }
    }

    /// That of an answer, once enough of the answer is there.
    pub(super) fn of(answer: &[u8]) -> Option<Self> {
        match answer {
            [0x05, _, ..] => Some(Self::Socks),
            [0x15, 0x03, ..] => Some(Self::Tls),
            answer => answer.starts_with(b"HTTP/").then_some(Self::Http),
        }
    }
}
