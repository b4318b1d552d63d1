//! The host's keys of the configuration: the form of a connection, and the keys that a stock host cannot honour.
//!
//! A stock wasmtime trusts public certificate authorities only, at the receiver (`wasi:tls`) and at the API (`wasi:http`), and shows no
//! client certificate (docs/facts/wasm.md 0 and 1.1). A key that asks for more is refused, as ignoring it would be a security hole. Values
//! that are taken out of the configuration never reach the forwarder.

use std::path::Path;

use serde_json::{Map, Value};
use whiskjack_settings::keys::{self, KeyReader};
use whiskjack_settings::{Fault, nested, shown, text};

/// How receivers are spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// In the clear.
    Plain,
    /// Over TLS, the certificate checked for this name, or for the host's.
    Tls(Option<String>),
}

const ROOTS: &str = "cannot be honoured: a stock wasmtime trusts public certificate authorities only";
const CLIENT: &str = "cannot be honoured: a stock wasmtime shows no client certificate";
const PINS: &str = "cannot be honoured: a stock wasmtime does not show the receiver's certificate";
const VERSIONS: &str =
    "cannot be honoured: a stock wasmtime takes TLS 1.2 and 1.3, whichever the receiver speaks";
const PROXY: &str = "cannot be honoured: a stock wasmtime connects without a proxy";
const INSTEAD_PROXY: &str = "use the `whiskjack` binary, or a tunnel on this machine (socat)";
const INSTEAD: &str =
    "use the `whiskjack` binary, or a TLS proxy on this machine (stunnel, socat) and `logstash.tls` false";
const INSTEAD_API: &str =
    "use the `whiskjack` binary, or a TLS proxy on this machine and its http:// origin as `api.host`";

const UNKNOWN: &str = "cannot be honoured: a stock wasmtime does not know it";
const INSTEAD_UNKNOWN: &str = "use the `whiskjack` binary, or remove it";

/// The keys of the host that are looked at one by one. Any other is refused, so that a new one is not passed over here.
const KNOWN: [&str; 16] = [
    "api.ca",
    "api.proxy_url",
    "api.rejectUnauthorized",
    "logstash.ca",
    "logstash.ca_sha256",
    "logstash.cert",
    "logstash.key",
    "logstash.leaf_sha256",
    "logstash.maxVersion",
    "logstash.minVersion",
    "logstash.passphrase",
    "logstash.proxy_url",
    // Without a proxy it has no effect.
    "logstash.proxy_use_local_resolver",
    "logstash.rejectUnauthorized",
    "logstash.servername",
    "logstash.tls",
];

/// What to say when TLS to the API fails, which a host without reasons cannot tell apart.
pub const ABOUT_API: &str = "A stock wasmtime trusts public certificate authorities only: for an API with another one use the `whiskjack` \
                             binary and `api.ca`, or a TLS proxy on this machine and its http:// origin as `api.host`";

/// Takes certificates and keys out of the parameters, and says how receivers are spoken to. Faults: keys that cannot be honoured, one each.
pub fn take(params: &mut Map<String, Value>) -> (Channel, Vec<Fault>) {
    // First, or a key with a dot in its name would stay in the parameters.
    let twice = nested::nest(params).into_iter();
    let mut faults: Vec<Fault> =
        twice.map(|key| Fault { key, value: String::new(), remedy: nested::TWICE.to_owned() }).collect();
    let mut section = Section { name: "api", map: params.get_mut("api"), faults: &mut faults };
    section.flag("rejectUnauthorized", true, Some((false, ROOTS, INSTEAD_API)));
    section.refuse("ca", ROOTS, INSTEAD_API);
    section.refuse("proxy_url", PROXY, INSTEAD_PROXY);

    let mut section = Section { name: "logstash", map: params.get_mut("logstash"), faults: &mut faults };
    let tls = section.flag("tls", true, None);
    let name = section.name_to_check();
    section.refuse("proxy_url", PROXY, INSTEAD_PROXY);
    for key in ["ca_sha256", "leaf_sha256"] {
        match tls {
            true => section.refuse(key, PINS, INSTEAD),
            // A pin that nobody looks at would only seem to protect.
            false => {
                section.refuse(key, "needs TLS, which `logstash.tls` turns off", "remove one of the two")
            }
        }
    }
    if tls {
        section.flag("rejectUnauthorized", true, Some((false, ROOTS, INSTEAD)));
        section.refuse("ca", ROOTS, INSTEAD);
        section.versions();
    } else {
        section.remove("ca");
    }
    for key in ["cert", "key", "passphrase"] {
        match tls {
            true => section.refuse(key, CLIENT, INSTEAD),
            false => section.remove(key),
        }
    }
    refuse_unknown(params, &KNOWN, &mut faults);
    (if tls { Channel::Tls(name) } else { Channel::Plain }, faults)
}

/// Refuses the keys of the host that are not among those that are `known` here.
fn refuse_unknown(params: &mut Map<String, Value>, known: &[&str], faults: &mut Vec<Fault>) {
    let unknown = keys::used().filter(|(path, reader)| *reader == KeyReader::Host && !known.contains(path));
    for (name, key) in unknown.filter_map(|(path, _)| path.split_once('.')) {
        let mut section = Section { name, map: params.get_mut(name), faults: &mut *faults };
        section.refuse(key, UNKNOWN, INSTEAD_UNKNOWN);
    }
}

/// A warning that names what is only about TLS, where there is none.
pub fn idle(params: &Map<String, Value>) -> Option<String> {
    const ABOUT_TLS: [&str; 8] =
        ["rejectUnauthorized", "ca", "servername", "cert", "key", "passphrase", "minVersion", "maxVersion"];
    let mut params = params.clone();
    nested::nest(&mut params);
    let section = Section { name: "logstash", map: params.get_mut("logstash"), faults: &mut Vec::new() };
    let is_off = section.get("tls") == Some(&Value::Bool(false));
    let idle: Vec<String> = ABOUT_TLS
        .into_iter()
        .filter(|key| is_off && section.get(key).is_some())
        .map(|key| format!("`logstash.{key}`"))
        .collect();
    match idle.as_slice() {
        [] => None,
        [one] => Some(format!("`logstash.tls` is false, so {one} has no effect; remove one of the two")),
        several => Some(format!(
            "`logstash.tls` is false, so {} have no effect; remove `logstash.tls` or these",
            several.join(", ")
        )),
    }
}

/// The fault of parameters that keep the checkpoint elsewhere, though there is a file for it: one of the two is not meant.
pub fn unused_state(params: &Map<String, Value>, state: Option<&Path>) -> Option<Fault> {
    let file = state?;
    let mut params = params.clone();
    nested::nest(&mut params);
    whiskjack_settings::unused_state(&params, file)
}

/// One object of the parameters. What is no object is the forwarder's to report.
struct Section<'a> {
    name: &'static str,
    map: Option<&'a mut Value>,
    faults: &'a mut Vec<Fault>,
}

impl Section<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        // Null and empty text count as absent, as they did in Node.
        self.map.as_deref()?.get(key).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn remove(&mut self, key: &str) {
        if let Some(map) = self.map.as_deref_mut().and_then(Value::as_object_mut) {
            map.remove(key);
        }
    }

    /// Notes a fault of a value that may be a secret, and takes it out.
    fn refuse(&mut self, key: &str, why: &str, instead: &str) {
        if self.get(key).is_some() {
            self.fault(key, String::new(), format!("{why}; {instead}"));
        }
        self.remove(key);
    }

    fn fault(&mut self, key: &str, value: String, remedy: String) {
        self.faults.push(Fault { key: format!("{}.{key}", self.name), value, remedy });
    }

    /// A boolean; `refused` is the value that cannot be honoured, why, and what to do instead.
    fn flag(&mut self, key: &str, default: bool, refused: Option<(bool, &str, &str)>) -> bool {
        let (flag, problem) = match (self.get(key), refused) {
            (None, _) => (default, None),
            (Some(Value::Bool(flag)), Some((refused, why, instead))) if *flag == refused => {
                (*flag, Some(format!("{why}; {instead}")))
            }
            (Some(Value::Bool(flag)), _) => (*flag, None),
            (Some(other), _) => (default, Some(text::switch(other.as_str()).to_owned())),
        };
        if let Some(problem) = problem {
            self.fault(key, shown(self.get(key)), problem);
        }
        flag
    }

    fn name_to_check(&mut self) -> Option<String> {
        let value = self.get("servername")?;
        if let Some(name) = value.as_str() {
            return Some(name.to_owned());
        }
        let problem = "must be a host name or an IP address, as in the server's certificate".to_owned();
        self.fault("servername", shown(self.get("servername")), problem);
        None
    }

    /// Only limits that leave TLS 1.2 and 1.3 both, since nobody can be told to leave one of them out.
    fn versions(&mut self) {
        const OLD: [&str; 3] = ["TLSv1", "TLSv1.0", "TLSv1.1"];
        let must = "must be \"TLSv1.2\" or \"TLSv1.3\"".to_owned();
        for (key, loosest, tightest) in
            [("minVersion", "TLSv1.2", "TLSv1.3"), ("maxVersion", "TLSv1.3", "TLSv1.2")]
        {
            let problem = match self.get(key).map(Value::as_str) {
                None => continue,
                Some(Some(version)) if version == loosest => continue,
                Some(Some(version)) if key == "minVersion" && OLD.contains(&version) => continue,
                Some(Some(version)) if version == tightest || OLD.contains(&version) => {
                    format!("{VERSIONS}; leave it out, or use the `whiskjack` binary")
                }
                Some(_) => must.clone(),
            };
            self.fault(key, shown(self.get(key)), problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn taken(mut params: Value) -> (Channel, Vec<String>, Value) {
        let (channel, faults) = take(params.as_object_mut().unwrap());
        (channel, faults.iter().map(ToString::to_string).collect(), params)
    }

    #[test]
    fn tls_is_on_unless_it_is_turned_off_and_may_check_another_name() {
        assert_eq!(taken(json!({"logstash": {"host": "a"}})).0, Channel::Tls(None));
        assert_eq!(taken(json!({"logstash": {"tls": false}})).0, Channel::Plain);
        let named = json!({"logstash": {"servername": "b", "minVersion": "TLSv1.1", "maxVersion": "TLSv1.3", "ca": null, "cert": ""}});
        let (channel, faults, _) = taken(named);
        assert_eq!((channel, faults), (Channel::Tls(Some("b".to_owned())), vec![]));
    }

    #[test]
    fn each_key_that_a_stock_host_cannot_honour_is_one_fault_and_leaves_the_configuration() {
        let keys = ["ca", "cert", "key", "passphrase", "ca_sha256", "leaf_sha256", "proxy_url"];
        let mut params = json!({"logstash": {"rejectUnauthorized": false, "minVersion": "TLSv1.3", "maxVersion": "TLSv1.2"},
                                "api": {"ca": "hidden", "rejectUnauthorized": false, "proxy_url": "hidden"}});
        for key in keys {
            params["logstash"][key] = json!("hidden");
        }
        let (_, faults, left) = taken(params);
        for key in keys.into_iter().chain(["rejectUnauthorized", "minVersion", "maxVersion"]) {
            let prefix = format!("logstash.{key}: cannot be honoured");
            assert_eq!(
                faults.iter().filter(|fault| fault.starts_with(&prefix)).count(),
                1,
                "{key}: {faults:?}"
            );
        }
        assert_eq!(faults.iter().filter(|fault| fault.starts_with("api.")).count(), 3, "{faults:?}");
        assert_eq!(faults.len(), keys.len() + 6);
        let told = format!("{faults:?} {left}");
        assert!(!told.contains("hidden"), "{told}");
    }

    #[test]
    fn a_key_of_the_host_that_is_not_known_here_is_refused_and_leaves_the_configuration() {
        let mut params = json!({"logstash": {"tls": true, "leaf_sha256": "hidden"}, "api": {"ca": "hidden"}});
        let mut faults = Vec::new();
        refuse_unknown(params.as_object_mut().unwrap(), &["logstash.tls"], &mut faults);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let expected =
            ["logstash.leaf_sha256", "api.ca"].map(|key| format!("{key}: {UNKNOWN}; {INSTEAD_UNKNOWN}"));
        assert_eq!(told, expected);
        assert_eq!(params, json!({"logstash": {"tls": true}, "api": {}}));
        let stale = KNOWN.iter().find(|known| !keys::used().any(|key| key == (**known, KeyReader::Host)));
        assert_eq!(stale, None, "all that is looked at is a key of the host");
    }

    #[test]
    fn without_tls_its_keys_do_not_matter_but_a_pin_would_only_seem_to_protect() {
        let (channel, faults, left) =
            taken(json!({"logstash": {"tls": false, "rejectUnauthorized": false, "ca": "c", "cert": "c",
            "key": "k", "passphrase": "p", "minVersion": "TLSv1.3", "leaf_sha256": "x"}}));
        assert_eq!(channel, Channel::Plain);
        assert_eq!(
            faults,
            ["logstash.leaf_sha256: needs TLS, which `logstash.tls` turns off; remove one of the two"]
        );
        assert_eq!(
            left["logstash"],
            json!({"tls": false, "rejectUnauthorized": false, "minVersion": "TLSv1.3"})
        );
    }

    #[test]
    fn what_has_no_effect_is_named_settings_without_tls_and_a_file_without_a_checkpoint() {
        let idle = |params: Value| super::idle(params.as_object().unwrap());
        assert_eq!(idle(json!({"logstash": {"ca": "c"}})), None);
        assert_eq!(idle(json!({"logstash": {"tls": false, "ca": ""}})), None);
        let one = idle(json!({"logstash.tls": false, "logstash": {"ca": "c"}})).unwrap();
        assert!(one.starts_with("`logstash.tls` is false, so `logstash.ca` has no effect"), "{one}");
        let two = idle(json!({"logstash": {"tls": false, "ca": "c", "key.pem": "k"}})).unwrap();
        assert!(two.contains("so `logstash.ca`, `logstash.key` have no effect"), "{two}");

        let store = json!({"checkpoint.store": "package"});
        let unused = |state: Option<&str>| unused_state(store.as_object().unwrap(), state.map(Path::new));
        assert_eq!(unused(None), None);
        let fault = unused(Some("s.json")).unwrap().to_string();
        assert!(
            fault.starts_with("checkpoint.store: the file of --state s.json would not be used"),
            "{fault}"
        );
    }

    #[test]
    fn a_proxy_is_refused_with_tls_and_without_and_its_password_is_not_shown() {
        for tls in [true, false] {
            let (_, faults, left) = taken(json!({
                "logstash": {"tls": tls, "proxy_use_local_resolver": true}, "logstash.proxy_url": "socks5://me:hidden@proxy:1080",
                "api.proxy_url": "http://me:hidden@proxy:3128"
            }));
            let expected =
                ["api", "logstash"].map(|section| format!("{section}.proxy_url: {PROXY}; {INSTEAD_PROXY}"));
            assert_eq!(faults, expected);
            assert!(!left.to_string().contains("hidden"), "{left}");
        }
    }

    #[test]
    fn dotted_keys_are_refused_and_leave_the_configuration_as_nested_ones_do() {
        let (channel, faults, left) = taken(json!({
            "logstash.servername": "b", "logstash.key": "hidden", "logstash": {"key": "hidden", "key.pem": "hidden", "ca": "hidden"},
            "api.ca": "hidden", "logstash.passphrase": "hidden"
        }));
        assert_eq!(channel, Channel::Tls(Some("b".to_owned())));
        for key in [
            "logstash.key: it is given twice",
            "logstash.key: cannot",
            "logstash.ca: cannot",
            "api.ca: cannot",
            "logstash.passphrase: cannot",
        ] {
            assert!(faults.iter().any(|fault| fault.starts_with(key)), "{key}: {faults:?}");
        }
        assert!(!format!("{faults:?} {left}").contains("hidden"), "{faults:?} {left}");
        let (_, faults, _) = taken(json!({"logstash.tls": "user:secret@logs"}));
        assert_eq!(faults, ["logstash.tls: must be true or false"]);
    }

    #[test]
    fn values_of_the_wrong_kind_are_shown() {
        let (_, faults, _) = taken(
            json!({"logstash": {"tls": "no", "servername": 5, "maxVersion": "SSLv3"}, "api": {"rejectUnauthorized": {"a": 1}}}),
        );
        assert_eq!(
            faults,
            [
                "api.rejectUnauthorized: must be true or false (it is {\"a\":\"…\"})",
                "logstash.tls: must be true or false; write false (it is \"no\")",
                "logstash.servername: must be a host name or an IP address, as in the server's certificate (it is 5)",
                "logstash.maxVersion: must be \"TLSv1.2\" or \"TLSv1.3\" (it is \"SSLv3\")",
            ]
        );
    }
}
