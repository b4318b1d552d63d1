//! The file that every user of the `wsk` command has: API host, key and namespace.

use std::path::PathBuf;

use crate::secret::Secret;

/// What a `.wskprops` file says. Anything may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WskProps {
    pub(super) api_host: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) namespace: Option<String>,
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
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
        }
    }

    fn parse(text: &str) -> Self {
        let mut props = Self::default();
        for line in text.lines() {
            // Keys hold `=` at their end at times, so only the first one separates.
            let Some((name, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            let value = (!value.is_empty()).then(|| value.to_owned());
            match name.trim() {
                "APIHOST" => props.api_host = value,
                "AUTH" => props.key = value.map(Secret::new),
                "NAMESPACE" => props.namespace = value,
                _ => {}
            }
        }
        props
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_wsk_writes_it_is_understood() {
        let props = WskProps::parse(
            "# mine\nAPIHOST=http://localhost:3233\n AUTH = u:s=\nNAMESPACE=guest\nAPIGW_ACCESS_TOKEN=x\n",
        );
        assert_eq!(
            props,
            WskProps {
                api_host: Some("http://localhost:3233".to_owned()),
                key: Some(Secret::new("u:s=")),
                namespace: Some("guest".to_owned()),
            }
        );
        assert!(!format!("{props:?}").contains("u:s"));
    }

    #[test]
    fn a_missing_file_says_nothing_and_a_folder_in_its_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let named =
            |path: PathBuf| move |name: &str| (name == "WSK_CONFIG_FILE").then(|| path.display().to_string());
        assert_eq!(WskProps::load(&named(folder.path().join("none"))), Ok(WskProps::default()));
        assert!(WskProps::load(&named(folder.path().to_owned())).unwrap_err().contains("cannot be read"));
    }
}
