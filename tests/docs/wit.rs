//! The WIT package keeps its word: its page in `docs/` is up to date, each item has a comment, and a release breaks no host of the last
//! one.

use std::path::Path;
use std::process::Command;
use wit_bindgen_core::Files;
use wit_parser::{Docs, PackageId, Resolve, Stability, TypeDefKind, WorldId};

const PAGE: &str = "docs/wit.md";

#[test]
fn the_page_about_the_wit_is_made_from_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut resolve, package) = read(&root.join("wit"));
    let mut page = String::from(
        "<!-- Made from wit/ by `WHISKJACK_UPDATE=1 cargo test --test docs wit`; a test compares them. -->\n\n",
    );
    // For those who write a host. The other worlds are of the parts of one composed command, and would repeat all of it.
    let library = resolve.packages[package].worlds["library"];
    page.push_str(&markdown(&mut resolve, library));
    crate::kept::compare_or_write(PAGE, &page, "wit/ says", "wit");
}

#[test]
fn each_item_of_the_wit_says_what_it_is_and_since_when() {
    let (resolve, package) = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("wit"));
    let mut mute = Vec::new();
    let mut check = |name: String, docs: &Docs, stability: Option<&Stability>| {
        let told = docs.contents.as_deref().is_some_and(|text| !text.trim().is_empty());
        if !told || stability.is_some_and(|stability| matches!(stability, Stability::Unknown)) {
            mute.push(name);
        }
    };
    for (name, interface) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*interface];
        check(name.clone(), &interface.docs, None);
        for (function, about) in &interface.functions {
            // A method is as old as its resource, which says it.
            let stability = Some(&about.stability).filter(|_| about.kind.resource().is_none());
            check(format!("{name}.{function}"), &about.docs, stability);
        }
        for (name_of_type, id) in &interface.types {
            let about = &resolve.types[*id];
            // A type taken from another interface says what it is there.
            if matches!(about.kind, TypeDefKind::Type(_)) {
                continue;
            }
            let name = format!("{name}.{name_of_type}");
            for (member, docs) in members(&about.kind) {
                check(format!("{name}.{member}"), docs, None);
            }
            check(name, &about.docs, Some(&about.stability));
        }
    }
    for (name, world) in &resolve.packages[package].worlds {
        check(name.clone(), &resolve.worlds[*world].docs, None);
    }
    assert!(mute.is_empty(), "these lack a comment or `@since`: {mute:?}");
}

fn members(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|f| (f.name.as_str(), &f.docs)).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|c| (c.name.as_str(), &c.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|c| (c.name.as_str(), &c.docs)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_release_breaks_no_host_of_the_last_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(root).output().unwrap();
    let tag = git(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]);
    if !tag.status.success() {
        // Nothing has been released: there is nobody to break. The next test shows that the comparison finds what breaks.
        return;
    }
    let tag = String::from_utf8(tag.stdout).unwrap();
    let released = tempfile::tempdir().unwrap();
    let archive = git(&["archive", "--format=tar", tag.trim(), "wit"]);
    assert!(archive.status.success(), "{}", String::from_utf8_lossy(&archive.stderr));
    let tar = released.path().join("wit.tar");
    std::fs::write(&tar, archive.stdout).unwrap();
    assert!(
        Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(released.path()).status().unwrap().success()
    );
    let broken = broken(&released.path().join("wit"), &root.join("wit"));
    assert!(broken.is_empty(), "against {}: {}", tag.trim(), broken.join("\n"));
}

#[test]
fn a_new_case_breaks_hosts_and_a_new_function_to_import_does_not() {
    let lent = |version: &str, more_cases: &str, more_functions: &str| {
        let directory = tempfile::tempdir().unwrap();
        let text = format!(
            "package whiskjack:sample@{version};
             interface lent {{ enum step {{ read{more_cases} }} f: func() -> step; {more_functions} }}
             world library {{ import lent; }}"
        );
        std::fs::write(directory.path().join("world.wit"), text).unwrap();
        directory
    };
    let before = lent("0.1.0", "", "");
    let after = |version, cases, functions| broken(before.path(), lent(version, cases, functions).path());
    assert_eq!(after("0.1.1", "", "g: func();"), [""; 0]);
    let case = after("0.1.1", ", write", "");
    assert!(case.len() == 1 && case[0].contains("world library"), "{case:?}");
    // 0.2 is another track: a host that goes there knows.
    assert_eq!(after("0.2.0", ", write", ""), [""; 0]);
}

/// What of the worlds in `before` no longer holds in `after`, for hosts that may take the one for the other: those of one
/// minor version while the major one is 0 (semver's compatibility track).
fn broken(before: &Path, after: &Path) -> Vec<String> {
    let (old, old_package) = read(before);
    let (new, new_package) = read(after);
    let track = |resolve: &Resolve, package: PackageId| {
        let version = resolve.packages[package].name.version.clone().unwrap();
        if version.major == 0 { (0, version.minor) } else { (version.major, 0) }
    };
    if track(&old, old_package) != track(&new, new_package) {
        return Vec::new();
    }
    let worlds = old.packages[old_package].worlds.clone();
    worlds
        .into_iter()
        .filter_map(|(name, world)| {
            let Some(&now) = new.packages[new_package].worlds.get(&name) else {
                return Some(format!("the world {name} is gone"));
            };
            let mut both = new.clone();
            let ids = both.merge(old.clone()).unwrap();
            let before = ids.map_world(world, Default::default()).unwrap();
            let checked = wit_component::semver_check(both, before, now);
            checked.err().map(|error| format!("the world {name}: {error:#}"))
        })
        .collect()
}

fn read(directory: &Path) -> (Resolve, PackageId) {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let (package, _) = resolve.push_dir(directory).unwrap();
    (resolve, package)
}

fn markdown(resolve: &mut Resolve, world: WorldId) -> String {
    let mut files = Files::default();
    wit_bindgen_markdown::Opts::default().build().generate(resolve, world, &mut files).unwrap();
    let (_, page) = files.iter().find(|(name, _)| name.ends_with(".md")).unwrap();
    String::from_utf8(page.to_vec()).unwrap()
}
