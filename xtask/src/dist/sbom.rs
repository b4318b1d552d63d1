//! The bill of materials: every package that ships, and none that only builds or tests it, in CycloneDX 1.6 JSON.
//!
//! It comes from `cargo tree`, not `cargo metadata`: only the first uses the features of one package's own build, and the workspace's other
//! members turn on many more (the compiler, test servers).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::places::Places;
use crate::step::Tool;

/// What stands between the columns of `cargo tree`.
const COLUMN: char = '\t';
/// The package of the binary, and that of the component, which it embeds.
const BINARY: &str = "whiskjack-host";
const COMPONENT: &str = "whiskjack";
/// What Rust's targets bring along: linked in, but no package of cargo.
const STD: &str = "rust-std";

/// A file that is handed out, and a package that it is linked or composed from.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) file: &'static str,
    pub(super) package: &'static str,
    pub(super) target: String,
}

/// A package that is linked in.
#[derive(Clone, Debug, Default)]
struct Package {
    name: String,
    version: String,
    license: String,
    repository: String,
    /// Of this workspace, so not published anywhere.
    is_ours: bool,
    /// Files that it is in.
    files: BTreeSet<&'static str>,
    /// References of the packages that it uses.
    uses: BTreeSet<String>,
}

impl Package {
    fn reference(&self) -> String {
        match self.is_ours {
            true => format!("{}@{}", self.name, self.version),
            false => format!("pkg:cargo/{}@{}", self.name, self.version.replace('+', "%2B")),
        }
    }
}

/// The bill for these parts. The same text for the same sources and toolchain.
pub(super) fn write(places: &Places, parts: &[Part]) -> Result<String> {
    let (mut packages, mut roots) = (BTreeMap::new(), BTreeSet::new());
    for part in parts {
        roots.insert(collect(&tree(places, part)?, part.file, &mut packages)?);
    }
    let lock = fs::read_to_string(places.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let release =
        Tool::new("rustc").args(["--version"]).answer().context("rustc does not say its version")?;
    let release = release.split_whitespace().nth(1).context("rustc does not say its version")?.to_owned();
    let bill = bill(packages, &roots, &checksums(&lock), &release)?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&bill)?))
}

/// What a part is linked from: depth, then name with version and source, licence and repository.
fn tree(places: &Places, Part { package, target, .. }: &Part) -> Result<String> {
    places
        .cargo(["tree", "--locked", "-p", package, "--target", target, "--edges", "normal,no-proc-macro"])
        .args(["--prefix", "depth", "--charset", "ascii", "--format"])
        .args([format!("{COLUMN}{{p}}{COLUMN}{{l}}{COLUMN}{{r}}{COLUMN}")])
        .answer()
        .with_context(|| format!("cargo tree failed for {package}"))
}

/// Adds the packages of a tree, with who uses whom. Returns the reference of its root.
fn collect(tree: &str, file: &'static str, packages: &mut BTreeMap<String, Package>) -> Result<String> {
    // The references of the package above, and of all above that.
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines() {
        let columns: Vec<&str> = line.split(COLUMN).collect();
        let [depth, package, license, repository, ..] = columns.as_slice() else {
            bail!("cargo tree printed {line:?}");
        };
        let depth: usize = depth.parse().with_context(|| format!("cargo tree printed {line:?}"))?;
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            bail!("cargo tree printed {line:?}");
        };
        let found = Package {
            name: name.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            // The form that packages used before there was a standard.
            license: license.replace('/', " OR "),
            repository: (*repository).to_owned(),
            is_ours: words.next().is_some(),
            ..Package::default()
        };
        let reference = found.reference();
        above.truncate(depth);
        if let Some(user) = above.last().and_then(|user| packages.get_mut(user)) {
            user.uses.insert(reference.clone());
        }
        packages.entry(reference.clone()).or_insert(found).files.insert(file);
        above.push(reference);
    }
    above.into_iter().next().context("cargo tree printed nothing")
}

/// The hash of each published package, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |block: &str, key: &str| {
        block.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned()))
    };
    lock.split("[[package]]")
        .filter_map(|block| {
            Some(((value(block, "name")?, value(block, "version")?), value(block, "checksum")?))
        })
        .collect()
}

fn bill(
    mut packages: BTreeMap<String, Package>,
    roots: &BTreeSet<String>,
    checksums: &BTreeMap<(String, String), String>,
    release: &str,
) -> Result<Value> {
    let standard = format!("{STD}@{release}");
    let ours =
        |name: &str| packages.values().find(|package| package.is_ours && package.name == name).cloned();
    let component = ours(COMPONENT).with_context(|| format!("{COMPONENT} is not in its own tree"))?;
    for root in roots {
        let Some(package) = packages.get_mut(root) else { continue };
        package.uses.insert(standard.clone());
        // It embeds the component, which is not a dependency to cargo.
        if package.name == BINARY {
            package.uses.insert(component.reference());
        }
    }
    let mut components =
        packages.values().map(|package| entry(package, checksums)).collect::<Result<Vec<_>>>()?;
    components.push(json!({
        "type": "library",
        "bom-ref": standard,
        "name": STD,
        "version": release,
        "description": "Rust's standard library, with the C library of its target: musl in the binary, wasi-libc in the component",
        "licenses": [{"expression": "(MIT OR Apache-2.0) AND MIT"}],
    }));
    let mut dependencies = vec![json!({"ref": "whiskjack-dist", "dependsOn": roots})];
    dependencies.extend(
        packages.iter().map(|(reference, package)| json!({"ref": reference, "dependsOn": package.uses})),
    );
    dependencies.push(json!({"ref": standard}));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "cargo xtask dist"}]},
            "component": {
                "type": "application",
                "bom-ref": "whiskjack-dist",
                "name": "whiskjack",
                "version": component.version,
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn entry(package: &Package, checksums: &BTreeMap<(String, String), String>) -> Result<Value> {
    let files: Vec<Value> =
        package.files.iter().map(|file| json!({"name": "whiskjack:file", "value": file})).collect();
    let mut entry = Map::new();
    let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    set("type", json!("library"));
    set("bom-ref", json!(package.reference()));
    set("name", json!(package.name));
    set("version", json!(package.version));
    set("properties", json!(files));
    if !package.license.is_empty() {
        set("licenses", json!([{"expression": package.license}]));
    }
    if !package.repository.is_empty() {
        set("externalReferences", json!([{"type": "vcs", "url": package.repository}]));
    }
    if !package.is_ours {
        let key = (package.name.clone(), package.version.clone());
        let checksum =
            checksums.get(&key).with_context(|| format!("Cargo.lock has no checksum of {}", package.name))?;
        set("purl", json!(package.reference()));
        set("hashes", json!([{"alg": "SHA-256", "content": checksum}]));
    }
    Ok(Value::Object(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::{WASM_TARGET, static_target};

    fn written() -> Value {
        let parts = [
            Part { file: "whiskjack", package: BINARY, target: static_target() },
            Part { file: "whiskjack.wasm", package: COMPONENT, target: WASM_TARGET.to_owned() },
        ];
        serde_json::from_str(&write(&Places::find().unwrap(), &parts).unwrap()).unwrap()
    }

    fn names<'a>(bill: &'a Value, file: &str) -> BTreeSet<&'a str> {
        let is_in = |component: &Value| {
            component["properties"].as_array().is_some_and(|all| all.iter().any(|one| one["value"] == file))
        };
        let components = bill["components"].as_array().unwrap();
        components
            .iter()
            .filter(|component| is_in(component))
            .map(|component| component["name"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn it_names_what_is_linked_in_and_nothing_else() {
        let bill = written();
        let (binary, component) = (names(&bill, "whiskjack"), names(&bill, "whiskjack.wasm"));
        for name in ["whiskjack-host", "wasmtime", "rustls", "ring", "webpki-roots", "hyper"] {
            assert!(binary.contains(name), "{name}: {binary:?}");
        }
        for name in ["whiskjack", "miniz_oxide", "wasi", "wit-bindgen", "serde_json"] {
            assert!(component.contains(name), "{name}: {component:?}");
        }
        // The compiler, build scripts' helpers, macros, tests.
        for name in [
            "cranelift-codegen",
            "cc",
            "serde_derive",
            "syn",
            "proptest",
            "rcgen",
            "openwhisk-double",
            "tempfile",
        ] {
            assert!(!binary.contains(name) && !component.contains(name), "{name}");
        }
        assert!(!component.contains("tokio") && !binary.contains("wit-bindgen"));
    }

    #[test]
    fn it_has_the_shape_that_cyclonedx_demands() {
        let bill = written();
        assert_eq!(
            (&bill["bomFormat"], &bill["specVersion"], &bill["version"]),
            (&json!("CycloneDX"), &json!("1.6"), &json!(1))
        );
        let mut references = BTreeSet::from([bill["metadata"]["component"]["bom-ref"].as_str().unwrap()]);
        for component in bill["components"].as_array().unwrap() {
            assert_eq!(component["type"], "library");
            assert!(component["name"].is_string() && component["version"].is_string(), "{component}");
            assert!(references.insert(component["bom-ref"].as_str().unwrap()), "{component} is there twice");
            assert!(component["licenses"][0]["expression"].is_string(), "{component}");
            if let Some(purl) = component["purl"].as_str() {
                assert!(purl.starts_with("pkg:cargo/"), "{purl}");
                let hash = component["hashes"][0]["content"].as_str().unwrap();
                assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{component}");
            }
        }
        let dependencies = bill["dependencies"].as_array().unwrap();
        let described: BTreeSet<&str> = dependencies.iter().map(|one| one["ref"].as_str().unwrap()).collect();
        assert_eq!(described.len(), dependencies.len(), "each once");
        assert_eq!(described, references, "each has its place in the graph");
        for target in dependencies.iter().filter_map(|one| one["dependsOn"].as_array()).flatten() {
            assert!(references.contains(target.as_str().unwrap()), "{target}");
        }
        let text = bill.to_string();
        assert!(
            !text.contains(env!("CARGO_MANIFEST_DIR").trim_end_matches("/xtask")),
            "no place on this machine"
        );
    }

    #[test]
    fn who_uses_whom_follows_from_the_depth() {
        let tree = "0\ta v1.0.0 (/here)\tMIT\t\t\n1\tb v2.0.0\tMIT/Apache-2.0\thttps://b\t\n2\tc v3.0.0+x\tMIT\t\t\n1\tc v3.0.0+x\tMIT\t\t (*)\n";
        let mut packages = BTreeMap::new();
        collect(tree, "file", &mut packages).unwrap();
        let uses = |reference: &str| packages[reference].uses.iter().cloned().collect::<Vec<_>>();
        assert_eq!(uses("a@1.0.0"), ["pkg:cargo/b@2.0.0", "pkg:cargo/c@3.0.0%2Bx"]);
        assert_eq!(uses("pkg:cargo/b@2.0.0"), ["pkg:cargo/c@3.0.0%2Bx"]);
        assert_eq!(packages["pkg:cargo/b@2.0.0"].license, "MIT OR Apache-2.0");
    }
}
