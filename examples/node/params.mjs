// The host's part of the parameters: the permitted receivers, and TLS. Keys and certificates are taken out, so that the component
// never holds one.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** The keys of a host, as this release of the component has them. */
const HOST_KEYS = JSON.parse(readFileSync(new URL("host-keys.json", import.meta.url), "utf8"));
/** Those that are looked at here. Any other is refused, so that a new one is not passed over. */
const KNOWN = [
  ...["ca", "proxy_url", "rejectUnauthorized"].map((key) => `api.${key}`),
  ...["ca", "ca_sha256", "cert", "key", "leaf_sha256", "maxVersion", "minVersion", "passphrase", "proxy_url", "proxy_use_local_resolver",
    "rejectUnauthorized", "servername", "tls"].map((key) => `logstash.${key}`),
];
const PINS = ["ca_sha256", "leaf_sha256"];
const TRUST = ["ca", "rejectUnauthorized"];

/// `faults` name the keys that this host cannot honour.
export function hostParams(params, hostKeys = HOST_KEYS) {
  const twice = isObject(params) ? nest(params) : [];
  const { logstash, api } = params ?? {};
  const section = isObject(logstash) ? logstash : {};
  for (const key of ["ca", "cert", "key"]) if (section[key]) section[key] = tidy(section[key]);
  const unreadable = ["ca", "cert"].filter((key) => section[key] && ![section[key]].flat().every(isCertificate));
  const security = section.tls === false ? null : tlsOptions(section);
  for (const key of ["ca", "cert", "key", "passphrase"]) delete section[key];
  const faults = PINS.filter((pin) => section[pin]).map(
    (pin) => `logstash.${pin}: cannot be honoured in Node.js; remove it, and name the CA in \`logstash.ca\``,
  );
  const trust = isObject(api) ? TRUST.filter((key) => ![undefined, null, "", true].includes(api[key])) : [];
  faults.push(...trust.map((key) => `api.${key}: cannot be honoured in Node.js; put the CA into a file and name that in NODE_EXTRA_CA_CERTS`));
  const proxies = Object.entries({ logstash: section, api: isObject(api) ? api : {} }).filter(([, keys]) => keys.proxy_url);
  faults.push(...proxies.map(([group]) => `${group}.proxy_url: cannot be honoured in Node.js; remove it, or use the \`whiskjack\` binary`));
  const given = (path) => path.split(".").reduce((group, name) => group?.[name], params) ?? "";
  const unknown = hostKeys.filter((path) => !KNOWN.includes(path) && given(path) !== "");
  faults.push(...unknown.map((key) => `${key}: cannot be honoured in Node.js; remove it, or use the \`whiskjack\` binary`));
  // Node.js itself passes over what it cannot read, and trusts nobody then.
  faults.push(...unreadable.map((key) => `logstash.${key}: holds no certificate that can be read; give PEM text`));
  faults.push(...twice.map((key) => `${key}: it is given twice, dotted and in its group; give it once`));
  return { receivers: receivers(section), security, faults };
}

// PEM as editors and templates leave it: OpenSSL takes neither a byte order mark nor indented lines.
function tidy(pem) {
  if (Array.isArray(pem)) return pem.map(tidy);
  if (isObject(pem)) return { ...pem, pem: tidy(pem.pem) };
  if (typeof pem !== "string") return pem;
  return pem.replaceAll("\uFEFF", "").split(/\r\n|\n|\r|\\r\\n|\\n/).map((line) => line.trim()).join("\n");
}

function isCertificate(pem) {
  try {
    return Boolean(new X509Certificate(pem));
  } catch {
    return false;
  }
}

// A key with dots is the key in its group, and must leave the parameters, too. What begins with `__` is the platform's.
function nest(params) {
  const twice = [];
  const put = (group, above, name, value) => {
    const [, first, rest] = (above.length < 4 && /^([^.]+)\.(.+)$/s.exec(name)) || [null, name];
    const path = [...above, first];
    const place = (Object.hasOwn(group, first) ? group[first] : null) ?? null;
    const members = rest !== undefined ? [[rest, value]] : isObject(value) ? Object.entries(value) : null;
    if (members === null && (place === null || value === null)) group[first] = place ?? value;
    else if (members === null || (place !== null && !isObject(place))) twice.push(path.join("."));
    else {
      group[first] = place ?? {};
      for (const [inner, held] of members) put(group[first], path, inner, held);
    }
  };
  const given = Object.entries(params).filter(([name]) => !name.includes("__"));
  for (const [name] of given) delete params[name];
  for (const [name, value] of given) put(params, [], name, value);
  return twice;
}

function tlsOptions({ ca, cert, key, passphrase, servername, rejectUnauthorized, minVersion, maxVersion }) {
  // Node.js takes a key with a passphrase of its own in an array only.
  const options = { ca, cert, key: isObject(key) ? [key] : key, passphrase, servername, rejectUnauthorized, maxVersion };
  // Null and empty text count as absent.
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return { ...Object.fromEntries(given), minVersion: minVersion === "TLSv1.3" ? minVersion : "TLSv1.2" };
}

function receivers({ host, hosts, port }) {
  return (Array.isArray(hosts) ? hosts : [host]).map(String).map((each) => {
    const [, name, own] = /^(\[.*\]|[^:]*):(\d+)$/.exec(each.trim()) ?? [null, each.trim()];
    return `${bare(name)}:${own ?? port ?? 5044}`.toLowerCase();
  });
}

const bare = (host) => String(host).trim().replace(/^\[|\]$/g, "");
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
