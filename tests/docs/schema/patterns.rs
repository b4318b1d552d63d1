//! Texts that must have a form, as regular expressions of JSON Schema.

/// Numbers from 0 to `most`, without leading zeros.
pub(crate) fn up_to(most: u64) -> String {
    let digits = most.to_string();
    let mut ways = Vec::new();
    if digits.len() > 1 {
        ways.push(format!("[0-9]{{1,{}}}", digits.len() - 1));
    }
    for (at, digit) in digits.bytes().enumerate().filter(|(_, digit)| *digit > b'0') {
        let rest = digits.len() - at - 1;
        ways.push(format!("{}[0-{}][0-9]{{{rest}}}", &digits[..at], char::from(digit - 1)));
    }
    ways.push(digits);
    format!("(?:{})", ways.join("|"))
}

/// Numbers in a range, maybe with leading zeros.
pub(crate) fn number(least: u64, most: u64) -> String {
    let too_small = match least.checked_sub(1) {
        Some(below) => format!("(?!0*{}(?![0-9]))", up_to(below)),
        None => String::new(),
    };
    format!("{too_small}0*{}(?![0-9])", up_to(most))
}

/// A text that is this, and blanks around it.
pub(crate) fn whole(pattern: &str) -> String {
    format!("^\\s*(?:{pattern})\\s*$")
}

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// A time such as `30s`, in milliseconds.
pub(crate) fn milliseconds(time: &str) -> u64 {
    let digits = time.trim_end_matches(char::is_alphabetic);
    let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &time[digits.len()..]).unwrap();
    digits.parse::<u64>().unwrap() * factor
}

/// Times with a unit, in a range.
pub(crate) fn time(least_ms: u64, most_ms: u64) -> String {
    let of_unit = |(unit, factor): &(&str, u64)| {
        let (least, most) = (least_ms.div_ceil(*factor), most_ms / factor);
        (least <= most).then(|| format!("\\+?{}\\s*{unit}", number(least, most)))
    };
    whole(&UNITS.iter().filter_map(of_unit).collect::<Vec<_>>().join("|"))
}

/// Milliseconds since 1970 as digits, but not seconds; or RFC 3339.
pub(crate) fn instant() -> String {
    let ms = format!("(?!{}\\s*$){}", number(100_000_000, 99_999_999_999), number(0, 253_402_300_799_999));
    let day = "(?:02-(?:0[1-9]|[12][0-9])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01]))";
    let clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]+)?";
    whole(&format!("{ms}|[0-9]{{4}}-{day}[Tt ]{clock}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"))
}

/// The URL of a proxy; only SOCKS has a port of its own.
pub(crate) fn proxy() -> String {
    let there = "[^/?#\\s]+";
    whole(&format!("(?:[Hh][Tt][Tt][Pp]://{there}:[0-9]+|[Ss][Oo][Cc][Kk][Ss]5[Hh]?://{there})/?"))
}

/// An entry of `actions`.
pub(crate) fn action() -> String {
    let part = |word: &str| format!("[{word}](?:[{word}@.&\\- ]*[{word}@.&\\-])?");
    let name = |word: &str| format!("{0}(?:/{0})?", part(word));
    format!("^(?:{}|!?{})$", name("A-Za-z0-9_"), name("A-Za-z0-9_*"))
}

/// The same without exclusions.
pub(crate) fn action_but_no_exclusion() -> String {
    action().replace("!?", "")
}

/// Where a receiver is; `port` says whether it may have a port.
pub(crate) fn endpoint(port: bool) -> String {
    whole(&address(port))
}

/// Where the API is, maybe with a scheme and a path.
pub(crate) fn origin() -> String {
    let address = address(true);
    whole(&format!("(?:[Hh][Tt][Tt][Pp][Ss]?://)?(?:{address})(?:/[^@\\s]*)?"))
}

fn address(port: bool) -> String {
    let port = if port { format!("(?::{})?", number(1, 65_535)) } else { String::new() };
    let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    let label = "[A-Za-z0-9_\\-]{1,63}";
    let version_6 = "[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.\\-]+)?";
    let name = format!("(?!(?:[^.:/]*\\.)*[0-9]+\\.?(?:[:/]|\\s*$))(?:{label}\\.)*{label}\\.?");
    format!("\\[{version_6}\\]{port}|{version_6}|{octet}(?:\\.{octet}){{3}}{port}|{name}{port}")
}

/// A pin: a certificate's digest in hexadecimal, or a key's in base64.
pub(crate) fn fingerprint() -> String {
    whole("(?::*[0-9A-Fa-f]){64}:*|[A-Za-z0-9+/]{43}=")
}
