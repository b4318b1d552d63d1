//! The host's part of the parameters: the permitted receivers, and TLS.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Map, Value};
use wasmtime::error::{Context as _, Result, bail};
use whiskjack_settings::keys::{self, KeyReader};
use whiskjack_settings::nested;

/// Keys of the host that this one honours, or that have no effect in it.
const HONOURED: [&str; 6] = [
    "logstash.tls",
    "logstash.ca",
    "logstash.servername",
    "logstash.cert",
    "logstash.key",
    "logstash.proxy_use_local_resolver",
];

/// The receivers that may be reached, and how.
pub(crate) struct Reach {
    pub(crate) receivers: Vec<(String, u16)>,
    /// None: plain TCP.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Checked instead of the receiver's name.
    pub(crate) server_name: Option<String>,
}

impl Reach {
    /// Takes keys and certificates out of `params`, so that the component never holds one. Errors name the keys at fault.
    pub(crate) fn take(params: &mut Value) -> Result<Self> {
        // First, or a key with a dot in its name would stay in the parameters.
        let twice = params.as_object_mut().map(nested::nest).unwrap_or_default();
        let mut faults: Vec<String> = twice.iter().map(|key| format!("{key}: {}", nested::TWICE)).collect();
        faults.extend(self::faults(params));
        let mut none = Map::new();
        let logstash = params.get_mut("logstash").and_then(Value::as_object_mut).unwrap_or(&mut none);
        let [ca, cert, key] =
            ["ca", "cert", "key"].map(|key| logstash.remove(key).and_then(text).map(|pem| tidy(&pem)));
        let plain = logstash.get("tls") == Some(&Value::Bool(false));
        let tls = client_config(ca.as_deref(), cert.as_deref().zip(key.as_deref()));
        if cert.is_some() != key.is_some() {
            faults.push("logstash.cert, logstash.key: give both or none".to_owned());
        }
        let tls = tls.map_err(|error| faults.push(format!("{error:#}"))).ok();
        if !faults.is_empty() {
            bail!("{}", faults.join("; "));
        }
        let server_name = logstash.get("servername").cloned().and_then(text);
        Ok(Self { receivers: receivers(logstash), tls: tls.filter(|_| !plain).map(Arc::new), server_name })
    }
}

/// Keys of the host that this one cannot honour: all but those that it knows.
fn faults(params: &Value) -> Vec<String> {
    let is_given = |path: &str| {
        let value = path.split('.').try_fold(params, |group, name| group.get(name));
        value.is_some_and(|value| !value.is_null() && value != "" && value != &Value::Bool(true))
    };
    let unknown =
        keys::used().filter(|(path, reader)| *reader == KeyReader::Host && !HONOURED.contains(path));
    let given = unknown.filter(|(path, _)| is_given(path));
    given
        .map(|(path, _)| match path {
            "api.ca" | "api.rejectUnauthorized" => {
                format!("{path}: this host trusts public authorities only; remove it")
            }
            "logstash.rejectUnauthorized" => {
                format!("{path}: this host always verifies; put the receiver's CA into `logstash.ca`")
            }
            _ => format!("{path}: this host does not know it; remove it"),
        })
        .collect()
}

fn client_config(ca: Option<&str>, identity: Option<(&str, &str)>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(ca) = ca {
        roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(ca, "logstash.ca")?);
    }
    let builder = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let Some((cert, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .context("logstash.key: holds no key that can be read")?;
    builder
        .with_client_auth_cert(certificates(cert, "logstash.cert")?, key)
        .context("logstash.key: does not go with `logstash.cert`")
}

/// PEM as editors and templates leave it: the reader takes neither a byte order mark nor indented lines.
fn tidy(pem: &str) -> String {
    let pem = pem.replace('\u{feff}', "").replace("\\r", "").replace("\\n", "\n");
    let lines: Vec<&str> = pem.split(['\n', '\r']).map(str::trim).collect();
    lines.join("\n")
}

fn certificates(pem: &str, key: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.ok().filter(|read| !read.is_empty());
    read.with_context(|| format!("{key}: holds no certificate that can be read; give PEM text"))
}

fn receivers(logstash: &Map<String, Value>) -> Vec<(String, u16)> {
    // 5044.0 is 5044, as JSON does not tell them apart.
    let port =
        logstash.get("port").and_then(|port| text(port.clone())?.trim().trim_end_matches(".0").parse().ok());
    if let Some(hosts) = logstash.get("hosts").and_then(Value::as_array) {
        return hosts.iter().filter_map(|host| split(host.as_str()?.trim(), port.unwrap_or(5044))).collect();
    }
    let host = logstash.get("host").and_then(Value::as_str);
    host.and_then(|host| split(host.trim(), port.unwrap_or(5044))).into_iter().collect()
}

fn split(receiver: &str, default: u16) -> Option<(String, u16)> {
    match receiver.rsplit_once(':') {
        Some((host, port)) if !bare(host).contains(':') || host.ends_with(']') => {
            Some((bare(host), port.parse().ok()?))
        }
        _ => Some((bare(receiver), default)),
    }
}

fn bare(host: &str) -> String {
    host.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

/// Text, several texts in one, or a number as text.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Array(texts) => Some(texts.into_iter().filter_map(text).collect::<Vec<_>>().join("\n")),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
