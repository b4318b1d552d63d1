//! The name of the package that holds a forwarder's checkpoint.

/// Longest entity name that OpenWhisk takes, in bytes.
const LONGEST: usize = 256;

/// The package of an action, by its name without the namespace (`[package/]action`), or that of the command. No two actions have the same,
/// and no action has that of the command.
pub fn package_of(action: Option<&str>) -> String {
    match action {
        None => "whiskjack.cli".into(),
        Some("cli") => "whiskjack.@cli".into(),
        Some(path) => fitting(match path.split_once('/') {
            Some((package, action)) => format!("whiskjack.{}@{}", escaped(package), escaped(action)),
            None => format!("whiskjack.{}", escaped(path)),
        }),
    }
}

/// A name without `@`, which separates a package from an action.
fn escaped(name: &str) -> String {
    name.replace('&', "&26").replace('@', "&40")
}

/// A name that is not too long: a sign replaces its end. No name that is not cut has two `&` beside each other.
fn fitting(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let begin: String = name.chars().take(LONGEST - 32).filter(char::is_ascii).collect();
    format!("{begin}&&{}", sign(&name))
}

/// A short sign of a text, always the same one: FNV-1a. It distinguishes texts that nobody has made alike on purpose.
pub fn sign(text: &str) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forwarder_has_a_package_of_its_own() {
        assert_eq!(package_of(None), "whiskjack.cli");
        assert_eq!(package_of(Some("fwd")), "whiskjack.fwd");
        assert_eq!(package_of(Some("tools/fwd")), "whiskjack.tools@fwd");
        let long = |end: &str| format!("{}/{end}", "p".repeat(250));
        let names = [
            "cli",
            "@cli",
            "a/b",
            "a.b",
            "a@b",
            "a&40b",
            "a/b&",
            "a&/b",
            "a&26/b",
            "a@/b",
            "x/cli",
            &long("a"),
            &long("b"),
        ];
        let mut packages: Vec<String> = names.iter().map(|name| package_of(Some(name))).collect();
        packages.push(package_of(None));
        for package in &packages {
            let legal = |c: char| c.is_ascii_alphanumeric() || "_@&.-".contains(c);
            assert!(package.len() <= 256 && package.chars().all(legal), "{package}");
        }
        packages.sort_unstable();
        packages.dedup();
        assert_eq!(packages.len(), names.len() + 1, "{packages:?}");
    }

    #[test]
    fn a_sign_never_changes() {
        assert_eq!(sign(""), "cbf29ce484222325");
        assert_eq!(sign("a"), "af63dc4c8601ec8c");
    }
}
