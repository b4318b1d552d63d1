//! The environment's variables about proxies. They are for the API only: receivers have `logstash.proxy_url`.
//!
//! | variable | for |
//! |---|---|
//! | `https_proxy`, `HTTPS_PROXY` | an API at `https://` |
//! | `http_proxy`, `HTTP_PROXY` | one at `http://`; that in capitals not beside `REQUEST_METHOD`, where a request could have set it (CGI) |
//! | `all_proxy`, `ALL_PROXY` | both, where there is none of those |
//! | `no_proxy`, `NO_PROXY` | hosts that are reached without |
//!
//! Names in lower case come first, as in curl. A list of hosts has commas or blanks between its items: a name stands for itself and all
//! below it, with or without a dot or `*.` before it; an address or a CIDR range for itself; `*` for everything; `:port` behind one limits
//! it. This machine itself (`localhost`, 127.0.0.0/8, `::1`) is never behind a proxy, as in Go, and so for `wsk`.

use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;

use crate::net::authority;
use crate::net::proxy::{Names, Proxy};
use crate::origin::Origin;
use crate::secret::Secret;
use whiskjack_settings::Fault;

/// The variables that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    https: Option<Variable>,
    http: Option<Variable>,
    all: Option<Variable>,
    except: String,
}

/// Its name and its value.
type Variable = (&'static str, Secret);

impl ProxyVariables {
    /// Reads them; what is wrong with them is found when one is used.
    pub fn read(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some((*name, Secret::new(environment(name)?))))
        };
        let http: &[&str] = match environment("REQUEST_METHOD") {
            None => &["http_proxy", "HTTP_PROXY"],
            Some(_) => &["http_proxy"],
        };
        Self {
            https: first(&["https_proxy", "HTTPS_PROXY"]),
            http: first(http),
            all: first(&["all_proxy", "ALL_PROXY"]),
            except: environment("no_proxy").or_else(|| environment("NO_PROXY")).unwrap_or_default(),
        }
    }

    /// The proxy to an API, if there is one.
    pub(crate) fn to(&self, origin: &Origin) -> Result<Option<Proxy>, Fault> {
        let own = if origin.is_secure() { &self.https } else { &self.http };
        let Some((name, value)) = own.as_ref().or(self.all.as_ref()) else { return Ok(None) };
        if self.excepts(origin) {
            return Ok(None);
        }
        match Proxy::parse(value.expose(), name, Names::Here) {
            Ok(proxy) => Ok(Some(proxy)),
            Err(remedy) => Err(Fault {
                key: (*name).to_owned(),
                // Not shown: it may hold a user name and a password.
                value: String::new(),
                remedy: remedy.to_owned(),
            }),
        }
    }

    /// Whether the API is to be reached without any proxy.
    pub(crate) fn excepts(&self, origin: &Origin) -> bool {
        let host = origin.host().trim_end_matches('.');
        if host == "localhost"
            || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
        {
            return true;
        }
        let items = self.except.split([',', ' ', '\t', '\n']).filter(|item| !item.is_empty());
        let list: Vec<&str> = items.filter_map(|item| host_of(item, origin.port())).collect();
        // The matcher tells which proxy is for a host: with one for all, none means that the host is excepted.
        let matcher = Matcher::builder().all("http://proxy").no(list.join(",")).build();
        let uri = format!("http://{}", authority(host, origin.port())).parse();
        uri.is_ok_and(|uri| matcher.intercept(&uri).is_none())
    }
}

/// The host of an item of the list, as the matcher wants it; none if the item is about another port.
fn host_of(item: &str, port: u16) -> Option<&str> {
    let of_this_port = |digits: &str| digits.parse() == Ok(port);
    let host = match item.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => address,
        Some((address, rest)) => of_this_port(rest.strip_prefix(':')?).then_some(address)?,
        None => match item.split_once(':') {
            Some((host, digits)) if !digits.contains(':') => of_this_port(digits).then_some(host)?,
            _ => item,
        },
    };
    Some(host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host).trim_end_matches('.'))
}
