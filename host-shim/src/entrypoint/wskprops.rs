//! The file that every user of the `wsk` command has: API host, key and namespace (docs/facts/openwhisk.md 5).
//!
//! `wsk` treats everything after a `#` as a comment, removes blanks around the line, and reads lines that have exactly one `=`, with
//! nothing around it; the last line of a name counts. There are no quotes, escapes or other separators. This module reads such lines alike.
//! People also write lines that `wsk` does not understand, as shells read the file too: those count if there is no line that `wsk` reads.
//!
//! | line | `wsk` reads |
//! |---|---|
//! | `AUTH=u:s # mine` | `u:s` |
//! | `AUTH=u:s // mine` | the comment too, so the API refuses it |
//! | `AUTH="u:s"` | the quotes too, so the API refuses it |
//! | `AUTH = u:s`, `export AUTH=u:s`, `AUTH=u:s==` | nothing |
//! | the first line, after a byte order mark | nothing |

use std::path::PathBuf;

use crate::net::plain;
use crate::os_error;
use crate::run::Given;
use crate::secret::Secret;
use whiskjack_settings::text;

/// The variable that names another file. If it is empty, there is no file, as for `wsk`.
pub(super) const NAMED: &str = "WSK_CONFIG_FILE";

/// All names that `wsk` knows.
const NAMES: [&str; 8] =
    ["APIHOST", "AUTH", "NAMESPACE", "APIVERSION", "APIGW_ACCESS_TOKEN", "APIGW_TENANT_ID", "KEY", "CERT"];

/// Why a line is skipped.
const ODD: &str = "the form is not NAME=value";
const UNKNOWN: &str = "`wsk` does not know the name";

/// Most lines that a message names.
const NAMED_LINES: usize = 5;

/// What a `.wskprops` file says. Anything may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WskProps {
    /// The file, if there is one.
    path: Option<PathBuf>,
    api_host: Option<Line<String>>,
    key: Option<Line<Secret>>,
    namespace: Option<Line<String>>,
    /// Lines that are not of the form `NAME=value`.
    odd: Vec<usize>,
    /// Lines with a name that `wsk` does not know.
    unknown: Vec<usize>,
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
    /// Reads the file named by `WSK_CONFIG_FILE`, else `~/.wskprops`. Without the variable, the file need not be there. Errors are sentences
    /// that name the file.
    pub(super) fn load(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let named = environment(NAMED);
        let path = match &named {
            Some(path) if path.is_empty() => return Ok(Self::default()),
            Some(path) => PathBuf::from(path),
            None => match environment("HOME") {
                Some(home) => PathBuf::from(home).join(".wskprops"),
                None => return Ok(Self::default()),
            },
        };
        let shown = path.display();
        match os_error::bytes(&path) {
            Ok(bytes) => Ok(Self { path: Some(path), ..Self::parse(&text::decoded(&bytes)) }),
            Err(error) if named.is_some() => Err(format!(
                "{NAMED}: the file {shown} cannot be read: {}; give the name of a file that can be read, or unset the variable",
                plain(&error)
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!(
                "{shown}: cannot be read: {}; let this user read it, or set {NAMED}, to nothing if no file is to be read",
                plain(&error)
            )),
        }
    }

    fn parse(text: &str) -> Self {
        let mut props = Self::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let said = without_comment(line).trim();
            let Some((name, value)) = said.split_once('=') else {
                if !said.is_empty() {
                    props.odd.push(number);
                }
                continue;
            };
            let wsk = !value.contains('=') && name.trim_end() == name;
            let name = name.trim_end();
            let (name, wsk) = match name.strip_prefix("export ") {
                Some(name) => (name.trim_start(), false),
                None => (name, wsk),
            };
            let value = text::tidied(value);
            let value = (!value.is_empty()).then(|| value.to_owned());
            match name {
                "APIHOST" => put(&mut props.api_host, Line { number, wsk, value }),
                "AUTH" => put(&mut props.key, Line { number, wsk, value: value.map(Secret::new) }),
                "NAMESPACE" => put(&mut props.namespace, Line { number, wsk, value }),
                name if NAMES.contains(&name) => {}
                _ => props.unknown.push(number),
            }
        }
        props
    }

    /// Where host, key and namespace stand, or would have to.
    pub(super) fn places(&self) -> Given {
        let stands = |name: &str, number: Option<usize>| match (&self.path, number) {
            (Some(path), Some(number)) => Some(format!("{}, line {number}, {name}", path.display())),
            (Some(path), None) => Some(format!("{}, {name}", path.display())),
            (None, _) => None,
        };
        let place =
            |name, number, variable: &str| stands(name, number).unwrap_or_else(|| variable.to_owned());
        let (host, key) =
            (self.api_host.as_ref().map(|line| line.number), self.key.as_ref().map(|line| line.number));
        Given {
            api_host: Some(place("APIHOST", host, "__OW_API_HOST")),
            api_key: Some(place("AUTH", key, "__OW_API_KEY")),
            namespace: self.namespace.as_ref().and_then(|line| stands("NAMESPACE", Some(line.number))),
            not_read: self.not_read(),
            notes: self.notes(),
        }
    }

    /// Lines in which a value may have been meant that is missing.
    fn not_read(&self) -> Option<String> {
        let path = self.path.as_ref()?.display();
        let mut all: Vec<usize> = self.odd.iter().chain(&self.unknown).copied().collect();
        all.sort_unstable();
        let why = match (self.odd.is_empty(), self.unknown.is_empty()) {
            (true, true) => return None,
            (false, true) => ODD,
            (true, false) => UNKNOWN,
            (false, false) => &format!("{ODD}, or {UNKNOWN}"),
        };
        Some(format!("the command skips {} of {path}: {why}", lines(&all)))
    }

    /// What people should know although nothing is missing.
    fn notes(&self) -> Vec<String> {
        let Some(path) = self.path.as_ref().filter(|_| !self.odd.is_empty()) else { return Vec::new() };
        let (lines, path) = (lines(&self.odd), path.display());
        vec![format!("the command skips {lines} of {path}: {ODD}; correct that, or put a # before it")]
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

/// What stands before a `#`, and before a `//` that is not within a word as in `https://`.
fn without_comment(line: &str) -> &str {
    let line = line.split_once('#').map_or(line, |(said, _)| said);
    let before = line.match_indices("//").filter_map(|(at, _)| line.get(..at));
    before.into_iter().find(|said| said.is_empty() || said.ends_with(char::is_whitespace)).unwrap_or(line)
}

/// The numbers in words.
fn lines(numbers: &[usize]) -> String {
    let shown: Vec<String> = numbers.iter().take(NAMED_LINES).map(usize::to_string).collect();
    match (shown.as_slice(), numbers.len().saturating_sub(NAMED_LINES)) {
        ([one], _) => format!("line {one}"),
        (_, 0) => format!("lines {}", shown.join(", ")),
        (_, more) => format!("lines {} and {more} more", shown.join(", ")),
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
            ("AUTH=u:s//x\n", Some("u:s//x")),
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
            "AUTH=u:s // mine\n",
            "AUTH=u:s\t//\n// AUTH=u:other\n",
            "AUTH=u:s\nAUTH = u:other\nexport AUTH=u:other=\n",
        ] {
            let bytes = text.as_bytes();
            assert_eq!(key(&text::decoded(bytes)).as_deref(), Some("u:s"), "{text:?}");
        }
        assert_eq!(key("AUTH=u:s==\n").as_deref(), Some("u:s=="));
    }

    #[test]
    fn a_comment_after_a_host_is_cut_and_its_scheme_is_not() {
        for text in ["APIHOST=https://api // ours", "APIHOST=https://api # ours", "APIHOST=https://api"] {
            assert_eq!(WskProps::parse(text).api_host().as_deref(), Some("https://api"), "{text}");
        }
    }

    fn loaded(variables: &[(&str, &str)]) -> Result<WskProps, String> {
        WskProps::load(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_file_that_the_variable_names_must_be_there_and_that_of_the_home_folder_need_not() {
        let folder = tempfile::tempdir().unwrap();
        let (home, none) = (folder.path().display().to_string(), folder.path().join("none"));
        let none = none.display().to_string();
        assert_eq!(loaded(&[("HOME", &home)]), Ok(WskProps::default()));
        for (path, cause) in [(&none, "no such file or directory"), (&home, "is a directory")] {
            let error = loaded(&[("HOME", &home), (NAMED, path)]).unwrap_err();
            let expected =
                format!("WSK_CONFIG_FILE: the file {path} cannot be read: {cause}; give the name of");
            assert!(error.starts_with(&expected), "{error}");
        }
        std::fs::create_dir(folder.path().join(".wskprops")).unwrap();
        let error = loaded(&[("HOME", &home)]).unwrap_err();
        assert!(error.starts_with(&format!("{home}/.wskprops: cannot be read: is a directory; ")), "{error}");
    }

    #[test]
    fn an_empty_variable_means_no_file_as_for_wsk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".wskprops"), "AUTH=u:s\n").unwrap();
        let home = folder.path().display().to_string();
        assert!(loaded(&[("HOME", &home)]).unwrap().key().is_some());
        assert_eq!(loaded(&[("HOME", &home), (NAMED, "")]), Ok(WskProps::default()));
    }

    #[test]
    fn a_line_that_counts_for_nothing_is_named_without_being_shown() {
        let given = |text: &str| WskProps { path: Some("p".into()), ..WskProps::parse(text) }.places();
        let all = given("# mine\nAUTH: u:sesame\n\nauth=u:sesame\nu:sesame==\n");
        let not_read = "the command skips lines 2, 4, 5 of p: the form is not NAME=value, or `wsk` does not know the name";
        assert_eq!(all.not_read.as_deref(), Some(not_read));
        let note =
            "the command skips line 2 of p: the form is not NAME=value; correct that, or put a # before it";
        assert_eq!(all.notes, [note]);
        let sound =
            given("APIHOST=h\nAUTH=u:s\nNAMESPACE=_\nAPIVERSION=v1\nAPIGW_ACCESS_TOKEN=x\n\n# y\n // z\n");
        assert_eq!((sound.not_read, sound.notes), (None, vec![]));
        let many = given(&"x\n".repeat(7));
        assert!(
            many.notes[0].starts_with("the command skips lines 1, 2, 3, 4, 5 and 2 more of p: "),
            "{many:?}"
        );
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
        assert_eq!(places.namespace, None);
        std::fs::write(&file, b"NAMESPACE=guest\n").unwrap();
        let props = WskProps::load(&|name| (name == "WSK_CONFIG_FILE").then(|| file.display().to_string()));
        let place = props.unwrap().places().namespace.unwrap();
        assert_eq!(place, format!("{}, line 1, NAMESPACE", file.display()));
        assert_eq!(WskProps::default().places().api_key.as_deref(), Some("__OW_API_KEY"));
    }
}
