//! The file that every user of the `wsk` command has: API host, key and namespace.
//!
//! `wsk` takes all behind a `#` for a comment, then blanks around the line away, and reads lines that have exactly one `=`, with nothing
//! around it; the last line of a name counts. There are no quotes, escapes or other separators. What `wsk` reads is read here alike. People
//! also write lines that it skips, as shells read the file too: those count where there is no line that `wsk` reads.
//!
//! | line | `wsk` reads |
//! |---|---|
//! | `AUTH=u:s # mine` | `u:s` |
//! | `AUTH="u:s"` | the quotes too, so the API refuses it |
//! | `AUTH = u:s`, `export AUTH=u:s`, `AUTH=u:s==` | nothing |
//! | the first line, behind a byte order mark | nothing |

use std::path::PathBuf;

use crate::run::Given;
use crate::secret::Secret;
use whiskjack_settings::text;

/// What a `.wskprops` file says. Anything may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WskProps {
    /// The file, if there is one.
    path: Option<PathBuf>,
    api_host: Option<Line<String>>,
    key: Option<Line<Secret>>,
    namespace: Option<Line<String>>,
}

/// A value and the line that it stands in, from 1.
#[derive(Debug, PartialEq, Eq)]
struct Line<T> {
    number: usize,
    /// Whether `wsk` reads it.
    wsk: bool,
    /// None: the line gives no value.
    value: Option<T>,
}

impl WskProps {
    /// Reads the file named by `WSK_CONFIG_FILE`, else `~/.wskprops`. A file that is not there says nothing.
    pub(super) fn load(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let path = match environment("WSK_CONFIG_FILE") {
            Some(path) => PathBuf::from(path),
            None => match environment("HOME") {
                Some(home) => PathBuf::from(home).join(".wskprops"),
                None => return Ok(Self::default()),
            },
        };
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Self { path: Some(path), ..Self::parse(&text::decoded(&bytes)) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
        }
    }

    fn parse(text: &str) -> Self {
        let mut props = Self::default();
        for (index, line) in text.lines().enumerate() {
            let said = line.split_once('#').map_or(line, |(said, _)| said).trim();
            let Some((name, value)) = said.split_once('=') else { continue };
            let wsk = !value.contains('=') && name.trim_end() == name;
            let name = name.trim_end();
            let (name, wsk) = match name.strip_prefix("export ") {
                Some(name) => (name.trim_start(), false),
                None => (name, wsk),
            };
            let value = text::tidied(value);
            let value = (!value.is_empty()).then(|| value.to_owned());
            let number = index + 1;
            match name {
                "APIHOST" => put(&mut props.api_host, Line { number, wsk, value }),
                "AUTH" => put(&mut props.key, Line { number, wsk, value: value.map(Secret::new) }),
                "NAMESPACE" => put(&mut props.namespace, Line { number, wsk, value }),
                _ => {}
            }
        }
        props
    }

    /// Where host and key stand, or would have to.
    pub(super) fn places(&self) -> Given {
        let place = |name: &str, number: Option<usize>, variable: &str| match (&self.path, number) {
            (Some(path), Some(number)) => format!("{}, line {number}, {name}", path.display()),
            (Some(path), None) => format!("{}, {name}", path.display()),
            (None, _) => variable.to_owned(),
        };
        let (host, key) =
            (self.api_host.as_ref().map(|line| line.number), self.key.as_ref().map(|line| line.number));
        Given {
            api_host: Some(place("APIHOST", host, "__OW_API_HOST")),
            api_key: Some(place("AUTH", key, "__OW_API_KEY")),
        }
    }

    pub(super) fn api_host(&self) -> Option<String> {
        self.api_host.as_ref()?.value.clone()
    }

    pub(super) fn key(&self) -> Option<Secret> {
        self.key.as_ref()?.value.clone()
    }

    pub(super) fn namespace(&self) -> Option<String> {
        self.namespace.as_ref()?.value.clone()
    }
}

/// The last line counts, but none that `wsk` skips counts before one that it reads.
fn put<T>(place: &mut Option<Line<T>>, line: Line<T>) {
    if place.as_ref().is_none_or(|known| line.wsk || !known.wsk) {
        *place = Some(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        WskProps::parse(text).key().map(|key| key.expose().to_owned())
    }

    #[test]
    fn a_file_as_wsk_writes_it_is_understood() {
        let props = WskProps::parse(
            "# mine\nAPIHOST=http://localhost:3233\nAUTH=u:s\nNAMESPACE=guest\nAPIGW_ACCESS_TOKEN=x\n",
        );
        assert_eq!(props.api_host().as_deref(), Some("http://localhost:3233"));
        assert_eq!(props.key(), Some(Secret::new("u:s")));
        assert_eq!(props.namespace().as_deref(), Some("guest"));
        assert!(!format!("{props:?}").contains("u:s"));
    }

    #[test]
    fn a_line_that_wsk_reads_is_read_as_wsk_reads_it() {
        for (text, expected) in [
            ("AUTH=u:s # mine\n", Some("u:s")),
            ("AUTH=u:s#x\r\n", Some("u:s")),
            ("  AUTH=u:s  \n", Some("u:s")),
            ("AUTH=u:one\nAUTH=u:two\n", Some("u:two")),
            ("AUTH=u:s\nAUTH=\n", None),
            ("AUTH=u\\:s\n", Some("u\\:s")),
            ("#AUTH=u:s\n", None),
            ("AUTH:u:s\n", None),
            ("AUTH u:s\n", None),
            ("auth=u:s\n", None),
            ("MY_AUTH=u:s\n", None),
            ("AUTH\n=u:s\n", None),
        ] {
            assert_eq!(key(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_wsk_skips_or_takes_for_a_part_of_the_value_is_understood_too() {
        for text in [
            "\u{feff}AUTH=u:s\n",
            "AUTH=\"u:s\"\n",
            "AUTH='u:s'\r\n",
            "AUTH = u:s\n",
            "export AUTH=u:s\n",
            "export  AUTH=\"u:s\" # mine\n",
            "AUTH=u:s\nAUTH = u:other\nexport AUTH=u:other=\n",
        ] {
            let bytes = text.as_bytes();
            assert_eq!(key(&text::decoded(bytes)).as_deref(), Some("u:s"), "{text:?}");
        }
        assert_eq!(key("AUTH=u:s==\n").as_deref(), Some("u:s=="));
    }

    #[test]
    fn a_missing_file_says_nothing_and_a_folder_in_its_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let named =
            |path: PathBuf| move |name: &str| (name == "WSK_CONFIG_FILE").then(|| path.display().to_string());
        assert_eq!(WskProps::load(&named(folder.path().join("none"))), Ok(WskProps::default()));
        assert!(WskProps::load(&named(folder.path().to_owned())).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_file_names_its_lines_and_is_named_for_what_it_does_not_say() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p");
        // As an editor of Windows may leave it: a mark, CRLF, a character that is not UTF-8.
        std::fs::write(&file, b"\xef\xbb\xbf# caf\xe9\r\nAPIHOST=h\r\n").unwrap();
        let props = WskProps::load(&|name| (name == "WSK_CONFIG_FILE").then(|| file.display().to_string()));
        let props = props.unwrap();
        assert_eq!((props.api_host().as_deref(), props.key()), (Some("h"), None));
        let places = props.places();
        assert_eq!(places.api_host.unwrap(), format!("{}, line 2, APIHOST", file.display()));
        assert_eq!(places.api_key.unwrap(), format!("{}, AUTH", file.display()));
        assert_eq!(WskProps::default().places().api_key.as_deref(), Some("__OW_API_KEY"));
    }
}
