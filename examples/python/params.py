"""The host's part of the parameters: the permitted receivers, and TLS."""

import json
import os
import pathlib
import re
import ssl

# The keys of a host, as this release of the component has them.
HOST_KEYS = json.loads(pathlib.Path(__file__).with_name("host-keys.json").read_text())
# Those that are looked at here. Any other is refused, so that a new one is not passed over.
KNOWN = {f"api.{key}" for key in ("ca", "proxy_url", "rejectUnauthorized")} | {
    f"logstash.{key}"
    for key in (
        "ca", "ca_sha256", "cert", "key", "leaf_sha256", "maxVersion", "minVersion", "passphrase", "proxy_url", "proxy_use_local_resolver",
        "rejectUnauthorized", "servername", "tls",
    )
}


def host_params(params: dict, host_keys: list[str] = HOST_KEYS):
    """Takes what belongs to the host out of the parameters: TLS, and with it all keys. Raises `ValueError` that names the keys at fault."""
    params = params if isinstance(params, dict) else {}  # The component says that it is none.
    twice: list[str] = []
    for name in [name for name in params if not name.startswith("__")]:
        nest(params, (), name, params.pop(name), twice)
    section, api = params.get("logstash"), params.get("api")
    section = section if isinstance(section, dict) else {}
    api = api if isinstance(api, dict) else {}
    pins = [f"logstash.{pin}" for pin in ("ca_sha256", "leaf_sha256") if section.get(pin)]
    faults = [f"{pin}: cannot be honoured in Python; remove it, and name the CA in `logstash.ca`" for pin in pins]
    trust = [f"api.{key}" for key in ("ca", "rejectUnauthorized") if api.get(key) not in (None, "", True)]
    faults += [f"{key}: cannot be honoured, as wasmtime-py trusts public authorities only; remove it" for key in trust]
    proxies = [f"{group}.proxy_url" for group, keys in (("logstash", section), ("api", api)) if keys.get("proxy_url")]
    faults += [f"{key}: cannot be honoured in Python; remove it, or use the `whiskjack` binary" for key in proxies]
    groups = {"logstash": section, "api": api}
    unknown = [key for key in host_keys if key not in KNOWN]
    unknown = [key for key in unknown if groups.get(key.partition(".")[0], {}).get(key.partition(".")[2]) not in (None, "")]
    faults += [f"{key}: cannot be honoured in Python; remove it, or use the `whiskjack` binary" for key in unknown]
    faults += [f"{key}: it is given twice, dotted and in its group; give it once" for key in twice]
    for key in ("ca", "cert", "key"):
        if section.get(key):
            section[key] = tidy(section[key])
    tls = None
    try:
        tls = None if section.get("tls") is False else tls_context(section)
    except ValueError as fault:
        faults.append(str(fault))
    for key in ("ca", "cert", "key", "passphrase"):
        section.pop(key, None)
    if faults:
        raise ValueError("; ".join(faults))
    return receivers(section), tls, section.get("servername") or None


def tidy(pem):
    """PEM as editors and templates leave it: OpenSSL takes neither a byte order mark nor indented lines."""
    if isinstance(pem, list):
        return [tidy(one) for one in pem]
    if isinstance(pem, dict):
        return {**pem, "pem": tidy(pem.get("pem"))}
    if not isinstance(pem, str):
        return pem
    lines = re.split(r"\r\n|\n|\r|\\r\\n|\\n", pem.replace("\ufeff", ""))
    return "\n".join(line.strip() for line in lines)


def nest(group: dict, above: tuple, name: str, value, twice: list[str]):
    """A key with dots is the key in its group, and must leave the parameters, too."""
    first, dot, rest = name.partition(".")
    if len(above) >= 4 or not (first and rest):
        first, dot = name, ""
    path, place = (*above, first), group.get(first)
    members = {rest: value} if dot else value if isinstance(value, dict) else None
    if members is None and (place is None or value is None):
        group[first] = value if place is None else place
    elif members is None or not (place is None or isinstance(place, dict)):
        twice.append(".".join(path))
    else:
        group[first] = {} if place is None else place
        for inner, held in members.items():
            nest(group[first], path, inner, held, twice)


def receivers(section: dict) -> list[str]:
    port, hosts = section.get("port"), section.get("hosts")
    hosts = hosts if isinstance(hosts, list) else [section.get("host")]
    port = int(port) if isinstance(port, float) else port  # 5044.0 is 5044, as JSON does not tell them apart.
    # An address of version 6 has a port only behind brackets.
    named = (re.fullmatch(r"(\[.*\]|[^:]*):(\d+)|(.*)", str(host).strip()).groups() for host in hosts)
    return [f"{bare(name or alone)}:{own or port or 5044}".lower() for name, own, alone in named]


def bare(host) -> str:
    return str(host).strip().strip("[]")


def tls_context(options: dict) -> ssl.SSLContext:
    """TLS as the keys of `logstash` say. Raises `ValueError` that names the key."""
    ca, cert, key = options.get("ca"), options.get("cert"), options.get("key")
    passphrase = options.get("passphrase")
    try:
        context = ssl.create_default_context(cadata="\n".join(ca) if isinstance(ca, list) else ca or None)
    except (ssl.SSLError, TypeError) as error:
        raise ValueError(f"logstash.ca: holds no certificate that can be read ({error}); give PEM text")
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # The receiver's own certificate will do, too.
    if options.get("rejectUnauthorized") is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if options.get("minVersion") == "TLSv1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if options.get("maxVersion") == "TLSv1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if isinstance(key, dict):
        key, passphrase = key.get("pem"), key.get("passphrase", passphrase)
    if cert and key:
        try:
            load_identity(context, cert, key, passphrase)
        except (OSError, TypeError) as error:
            raise ValueError(f"logstash.key: cannot be used with `logstash.cert` ({error}); is `logstash.passphrase` right?")
    elif cert or key:
        raise ValueError("logstash.cert, logstash.key: give both or none")
    return context


def load_identity(context: ssl.SSLContext, cert: str, key: str, passphrase: str | None) -> None:
    """Python takes them from files only: these are in memory."""
    file = os.memfd_create("identity")
    try:
        os.write(file, f"{cert}\n{key}\n".encode())
        # A passphrase that is not there is not asked for at the terminal.
        context.load_cert_chain(f"/proc/self/fd/{file}", password=passphrase or "")
    finally:
        os.close(file)
