// What belongs to the host in the parameters: which receivers may be reached, and TLS. Keys and certificates are taken out, so that
// the component never holds one.
const PINS = ["ca_sha256", "leaf_sha256"];
const TRUST = ["ca", "rejectUnauthorized"];

/// `faults` name the keys that this host cannot honour.
export function hostParams(params) {
  const { logstash, api } = params ?? {};
  const section = isObject(logstash) ? logstash : {};
  const security = section.tls === false ? null : tlsOptions(section);
  for (const key of ["ca", "cert", "key", "passphrase"]) delete section[key];
  const faults = PINS.filter((pin) => section[pin]).map(
    (pin) => `logstash.${pin}: cannot be honoured in Node.js; remove it, and name the CA in \`logstash.ca\``,
  );
  const trust = isObject(api) ? TRUST.filter((key) => ![undefined, null, "", true].includes(api[key])) : [];
  faults.push(...trust.map((key) => `api.${key}: cannot be honoured in Node.js; put the CA into a file and name that in NODE_EXTRA_CA_CERTS`));
  return { receivers: receivers(section), security, faults };
}

function tlsOptions({ ca, cert, key, passphrase, servername, rejectUnauthorized, minVersion, maxVersion }) {
  const options = { ca, cert, key, passphrase, servername, rejectUnauthorized, maxVersion };
  // Null and empty text count as absent.
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return { ...Object.fromEntries(given), minVersion: minVersion === "TLSv1.3" ? minVersion : "TLSv1.2" };
}

function receivers({ host, hosts, port }) {
  if (!Array.isArray(hosts)) return [`${bare(host)}:${port}`.toLowerCase()];
  return hosts.map(String).map((each) => {
    const [, name, own] = /^(\[.*\]|[^:]*):(\d+)$/.exec(each.trim()) ?? [null, each.trim()];
    return `${bare(name)}:${own ?? port ?? 5044}`.toLowerCase();
  });
}

const bare = (host) => String(host).trim().replace(/^\[|\]$/g, "");
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
