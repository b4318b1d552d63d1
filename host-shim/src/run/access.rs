//! A run's access to the API: address and key. People give both, so an error about them names the place where they were given.

use super::RunContext;
use crate::http::THIS_KEY;
use crate::origin::Origin;
use crate::secret::Secret;
use whiskjack_settings::Fault;
use whiskjack_settings::text;

/// The keys of faults that are about the API's host and key, as the component has them.
const HOST: &str = "__OW_API_HOST";
const NO_HOST: &str = "api.host";
const KEY: &str = "__OW_API_KEY";

/// Where host and key of the API stand or would have to, for people who gave them by other means than the platform's variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// For example `/home/me/.wskprops, line 2, APIHOST`.
    pub api_host: Option<String>,
    /// For example `/home/me/.wskprops, AUTH`.
    pub api_key: Option<String>,
    /// The place where a person has named a namespace.
    pub namespace: Option<String>,
    /// Lines that were passed over in the search for host and key.
    pub not_read: Option<String>,
    /// Notes for people although nothing is missing, as sentences.
    pub notes: Vec<String>,
}

impl Given {
    /// The keys of faults that are about host and key, not about the configuration.
    pub(crate) fn places(&self) -> Vec<String> {
        let own = [&self.api_host, &self.api_key].into_iter().flatten().cloned();
        own.chain([HOST, KEY].map(str::to_owned)).collect()
    }

    /// What is wrong with a key that the API has refused, with the place where that is from.
    pub(crate) fn with_key_place(&self, text: &str) -> String {
        match &self.api_key {
            Some(place) => text.replace(THIS_KEY, &format!("the API key from {place}")),
            None => text.to_owned(),
        }
    }
}

/// What a run may use.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) origin: Option<Origin>,
    /// As it is sent.
    pub(crate) key: Option<Secret>,
    given: Given,
    names_host: bool,
}

impl Access {
    /// Reads host and key. `names_host` says whether the configuration names an API, so that the platform's need not be known.
    pub(crate) fn of(context: &RunContext, names_host: bool, faults: &mut Vec<Fault>) -> Self {
        let mut access = Self { given: context.given.clone(), names_host, ..Self::default() };
        let text = context.api_host.as_deref().map(text::tidied).filter(|text| !text.is_empty());
        access.origin = text.and_then(Origin::parse);
        match (text, &access.origin) {
            (Some(_), None) => access.fault(
                HOST,
                // Not shown: it may hold a user name and a password.
                "is not an API host; give it as https://host[:port][/path], http://host[:port][/path] or host[:port]",
                faults,
            ),
            (None, _) if access.given.api_host.is_some() && !names_host => access.fault(
                NO_HOST,
                &access.missing(
                    "there is no API host; give it in the environment as __OW_API_HOST, or in ~/.wskprops as the line `APIHOST=https://…`",
                ),
                faults,
            ),
            _ => {}
        }
        match context.api_key.as_ref().map(|key| text::api_key(key.expose())) {
            Some(Ok(key)) => access.key = Some(Secret::new(key)),
            Some(Err(remedy)) => access.fault(KEY, remedy, faults),
            None if access.given.api_key.is_some() => access.fault(
                KEY,
                &access.missing(
                    "there is no API key; give it in the environment as __OW_API_KEY, or in ~/.wskprops as the line `AUTH=uuid:secret`",
                ),
                faults,
            ),
            // The component says what an action's owner has to do.
            None => {}
        }
        access
    }

    /// The key of a fault, as the people who have to mend it know it.
    pub(crate) fn place(&self, key: String) -> String {
        let place = match key.as_str() {
            HOST => self.given.api_host.clone(),
            NO_HOST if !self.names_host => self.given.api_host.clone(),
            KEY => self.given.api_key.clone(),
            _ => None,
        };
        place.unwrap_or(key)
    }

    /// A remedy for what is missing, with the lines that may have been meant.
    fn missing(&self, remedy: &str) -> String {
        match &self.given.not_read {
            Some(not_read) => format!("{remedy} ({not_read})"),
            None => remedy.to_owned(),
        }
    }

    fn fault(&self, key: &str, remedy: &str, faults: &mut Vec<Fault>) {
        let key = self.place(key.to_owned());
        faults.push(Fault { key, value: String::new(), remedy: remedy.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(api_host: Option<&str>, api_key: Option<&str>, given: Given) -> (Access, Vec<String>) {
        let context = RunContext {
            api_host: api_host.map(str::to_owned),
            api_key: api_key.map(Secret::new),
            given,
            ..RunContext::default()
        };
        let mut faults = Vec::new();
        let access = Access::of(&context, false, &mut faults);
        (access, faults.iter().map(ToString::to_string).collect())
    }

    fn file() -> Given {
        Given {
            api_host: Some("p, line 1, APIHOST".to_owned()),
            api_key: Some("p, line 2, AUTH".to_owned()),
            not_read: Some("p has something on line 3, but it is odd".to_owned()),
            ..Given::default()
        }
    }

    #[test]
    fn host_and_key_count_without_what_is_around_them() {
        let (access, faults) = read(Some("\"https://api\"\r\n"), Some(" \"u:sesame\"\r\n"), Given::default());
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(access.origin, Origin::parse("https://api"));
        assert_eq!(access.key, Some(Secret::new("u:sesame")));
    }

    #[test]
    fn a_fault_names_the_place_that_host_and_key_stand_at_and_shows_neither() {
        for (given, host, key) in [
            (
                Given::default(),
                "__OW_API_HOST: is not an API host",
                "__OW_API_KEY: the API key is not of the form",
            ),
            (
                file(),
                "p, line 1, APIHOST: is not an API host",
                "p, line 2, AUTH: the API key is not of the form",
            ),
        ] {
            let (access, faults) = read(Some("u:sesame@host"), Some("sesame"), given);
            assert!(faults[0].starts_with(host) && faults[1].starts_with(key), "{faults:?}");
            assert!(!format!("{faults:?} {access:?}").contains("sesame"));
        }
    }

    #[test]
    fn what_nobody_gave_is_missing_where_it_was_looked_for() {
        let (access, faults) = read(None, None, file());
        assert!(faults[0].starts_with("p, line 1, APIHOST: there is no API host"), "{faults:?}");
        assert!(faults[1].starts_with("p, line 2, AUTH: there is no API key"), "{faults:?}");
        for fault in faults {
            assert!(fault.ends_with("` (p has something on line 3, but it is odd)"), "{fault}");
        }
        assert_eq!(access.place("api.host".to_owned()), "p, line 1, APIHOST");
        let (access, faults) = read(None, None, Given::default());
        assert_eq!((faults.len(), access.place("api.host".to_owned())), (0, "api.host".to_owned()));
    }
}
