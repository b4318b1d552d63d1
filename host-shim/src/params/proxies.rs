//! The keys about proxies. The host removes them from the parameters: proxies are its business, and their URLs may hold a password.

use serde_json::Value;

use super::section::Section;
use crate::net::proxy::{Names, Proxy};

/// `logstash.proxy_url`, with `logstash.proxy_use_local_resolver`.
pub(super) fn of_receivers(logstash: &mut Section<'_>) -> Option<Proxy> {
    let resolve_here = logstash.flag("proxy_use_local_resolver", false);
    logstash.take("proxy_use_local_resolver");
    // As in Filebeat: the proxy resolves names.
    if resolve_here && logstash.get("proxy_url").is_none() {
        let reason = "there is no `logstash.proxy_url`";
        logstash
            .warn(format!("`logstash.proxy_use_local_resolver` has no effect, because {reason}; remove it"));
    }
    let proxy = proxy(logstash, "logstash.proxy_url", Names::There)?;
    Some(if resolve_here { proxy.resolving_here() } else { proxy })
}

/// `api.proxy_url`.
pub(super) fn of_api(api: &mut Section<'_>) -> Option<Proxy> {
    proxy(api, "api.proxy_url", Names::Here)
}

fn proxy(section: &mut Section<'_>, named: &'static str, names: Names) -> Option<Proxy> {
    const KEY: &str = "proxy_url";
    let Value::String(text) = section.take(KEY)? else {
        section.fault(KEY, "must be text: give socks5://host:port or http://host:port");
        return None;
    };
    // Without a user there is nothing to hide, and messages have to name it.
    if text.contains('@') {
        section.hide(&text);
    }
    match Proxy::parse(&text, named, names) {
        Ok(proxy) => {
            for secret in proxy.secrets() {
                section.secret(KEY, secret.expose());
            }
            Some(proxy)
        }
        Err(remedy) => {
            section.fault(KEY, remedy);
            None
        }
    }
}
