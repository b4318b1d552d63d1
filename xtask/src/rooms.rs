//! The uses between modules. Modules that use each other, directly or by way of others, can only be understood together, so none may. The
//! core's rooms stand on floors: a room may use those below it.
//!
//! Modules are compared with their siblings: everything inside a module counts for it. Tests may use any module. The check reads words, not
//! Rust: paths that begin with `crate::`, `super::` or `self::`, and items that a module re-exports from one inside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Folders of crates.
const CRATES: [&str; 7] = [
    "src",
    "settings/src",
    "wasi-command/src",
    "wasi-command/transport/src",
    "config-file/src",
    "host-shim/src",
    "xtask/src",
];

/// The rooms of the core by floor, from the lowest up.
const FLOORS: [&[&str]; 9] = [
    &["fields", "handover", "ports", "range", "sorted", "time"],
    &["lumberjack"],
    &["openwhisk"],
    &["checkpoint"],
    &["config"],
    &["events"],
    &["output"],
    &["run"],
    &["component"],
];

/// Imports that close a circle and stay: the crate's folder, who imports what, and why.
const KNOWN: &[(&str, [&str; 2], &str)] = &[];

/// A module's place in the tree of a crate, or a path in its code.
type Words<'c> = Vec<&'c str>;
/// Who imports whom, and the first file that says so.
type Imports = BTreeMap<[String; 2], String>;

/// Fails with every circle that is not known, with every known one that is gone, and with every import of the core that leads upstairs.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    for folder in CRATES {
        let mut files = Vec::new();
        read(&root.join(folder), "", &mut files)?;
        let known = KNOWN.iter().filter(|(of, ..)| *of == folder).map(|(_, import, _)| *import);
        let imports = imports(&files);
        let mut faults = faults(&imports, &known.collect::<Vec<_>>());
        if folder == "src" {
            faults.extend(upstairs(&imports));
        }
        wrong.extend(faults.into_iter().map(|fault| format!("{folder}: {fault}")));
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

/// Adds the files below a folder: the path below the crate's folder, and the text.
fn read(folder: &Path, below: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, &format!("{below}{name}/"), files)?;
        } else if name.ends_with(".rs") {
            files.push((format!("{below}{name}"), fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn faults(imports: &Imports, known: &[[&str; 2]]) -> Vec<String> {
    let is_known = |[from, to]: &[String; 2]| known.contains(&[from, to]);
    // Whether `to` is reached from `from` by imports that are not left out.
    let leads = |from: &str, to: &str, left_out: &dyn Fn(&[String; 2]) -> bool| {
        let (mut met, mut ahead) = (BTreeSet::new(), vec![from]);
        while let Some(module) = ahead.pop() {
            let next = imports.keys().filter(|import| import[0] == module && !left_out(import));
            ahead.extend(next.map(|[_, to]| &**to).filter(|to| met.insert(*to)));
        }
        met.contains(to)
    };
    let closing = imports.iter().filter(|(import, _)| !is_known(import));
    let closing = closing.filter(|([from, to], _)| leads(to, from, &is_known)).map(|([from, to], file)| {
        format!("{from} imports {to} (in {file}), which leads back to {from}: move what both need below both")
    });
    let gone = known.iter().filter(|[from, to]| {
        !imports.contains_key(&[(*from).to_owned(), (*to).to_owned()]) || !leads(to, from, &|_| false)
    });
    let gone = gone.map(|[from, to]| {
        format!(
            "{from} importing {to} closes no circle any more: take it out of the list in xtask/src/rooms.rs"
        )
    });
    closing.chain(gone).collect()
}

/// Imports of rooms that use one on a floor above, and rooms that have no floor.
fn upstairs(imports: &Imports) -> Vec<String> {
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    let rooms = imports.iter().filter(|([from, _], _)| !from.contains("::"));
    let wrong = rooms.filter_map(|([from, to], file)| match [floor(from), floor(to)] {
        [Some(ours), Some(theirs)] if theirs <= ours => None,
        [Some(_), Some(_)] => {
            Some(format!("{from} imports {to} (in {file}), which is above it: move what it needs down"))
        }
        _ => Some(format!(
            "{from} imports {to} (in {file}), and one of them has no floor: give it one in xtask/src/rooms.rs"
        )),
    });
    wrong.collect()
}

/// Which siblings import which, in all folders of a crate.
fn imports(files: &[(String, String)]) -> Imports {
    let files: Vec<(&str, Words<'_>, &str)> =
        files.iter().map(|(file, code)| (&**file, module(file), shipped(code))).collect();
    let tests: Vec<Words<'_>> = files.iter().flat_map(|(_, module, code)| tests(module, code)).collect();
    let is_test = |module: &Words<'_>| tests.iter().any(|test| module.starts_with(test));
    let files: Vec<_> = files.iter().filter(|(_, module, _)| !is_test(module)).collect();
    let modules: BTreeSet<&[&str]> = files.iter().map(|(_, module, _)| &**module).collect();
    let used: Vec<(&str, &Words<'_>, Words<'_>)> = files
        .iter()
        .flat_map(|(file, from, code)| {
            paths(code).into_iter().map(move |path| (*file, from, absolute(from, &path)))
        })
        .collect();
    // Names that a module has from a module inside of it, and where they come from.
    let mut handed_on = BTreeMap::new();
    for (_, from, path) in &used {
        if let (Some([_, .., _]), Some(name)) = (path.strip_prefix(&***from), path.last()) {
            handed_on.insert([from, &[*name][..]].concat(), path);
        }
    }
    let mut imports = Imports::new();
    for (file, from, path) in &used {
        let origin = (1..=path.len()).find_map(|length| handed_on.get(path.get(..length)?));
        let path = origin.map_or(path, |origin| *origin);
        let common = from.iter().zip(path).take_while(|(from, to)| from == to).count();
        if let (Some(ours), Some(theirs)) = (from.get(..=common), path.get(..=common))
            && modules.contains(theirs)
        {
            imports.entry([ours.join("::"), theirs.join("::")]).or_insert_with(|| (*file).to_owned());
        }
    }
    imports
}

/// The module that a file is.
fn module(file: &str) -> Words<'_> {
    let mut words: Words<'_> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(words.last(), Some(&("mod" | "lib" | "main"))) {
        words.pop();
    }
    words
}

/// The code without the tests that stand at its end.
fn shipped(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod tests {").next().unwrap_or(code)
}

/// The modules inside of `module` that are for tests only.
fn tests<'c>(module: &[&'c str], code: &'c str) -> Vec<Words<'c>> {
    let declared = code.split("#[cfg(test)]").skip(1).filter_map(|behind| {
        let item = behind.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let (_, name) = item.strip_suffix(';')?.rsplit_once("mod ")?;
        Some([module, &[name]].concat())
    });
    declared.collect()
}

/// A path in the code of `module`, from the root.
fn absolute<'c>(module: &[&'c str], path: &[&'c str]) -> Words<'c> {
    let mut place = module.to_vec();
    for word in path {
        match *word {
            "crate" => place.clear(),
            "super" => drop(place.pop()),
            "self" => {}
            name => place.push(name),
        }
    }
    place
}

/// All paths that `use` names, and those elsewhere that begin with a word for a place in this crate.
fn paths(code: &str) -> Vec<Words<'_>> {
    let tokens: Words<'_> = code.lines().flat_map(tokens).collect();
    let (mut rest, mut paths) = (&*tokens, Vec::new());
    loop {
        rest = match rest {
            [] => return paths,
            ["use", tree @ ..] => branch(tree, Vec::new(), &mut paths),
            ["crate" | "super" | "self", "::", ..] => branch(rest, Vec::new(), &mut paths),
            [_, rest @ ..] => rest,
        };
    }
}

/// Adds the paths of a tree such as `a::{b, c::d}` behind `path`; gives what follows the tree.
fn branch<'t, 'c>(tree: &'t [&'c str], mut path: Words<'c>, paths: &mut Vec<Words<'c>>) -> &'t [&'c str] {
    match tree {
        ["{", rest @ ..] => {
            let mut rest = rest;
            loop {
                rest = match rest {
                    [] | ["}"] => return &[],
                    ["}", rest @ ..] => return rest,
                    [",", rest @ ..] => rest,
                    rest => branch(rest, path.clone(), paths),
                };
            }
        }
        [word, rest @ ..] => {
            path.push(word);
            if let ["::", rest @ ..] = rest {
                return branch(rest, path, paths);
            }
            paths.push(path);
            rest
        }
        [] => tree,
    }
}

/// The words and signs of a line, without its comment.
fn tokens(line: &str) -> Words<'_> {
    let comment =
        line.match_indices("//").find(|(at, _)| !line.get(..*at).is_some_and(|code| code.ends_with(':')));
    let mut rest = comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line);
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
        let length = if word > 0 {
            word
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        tokens.extend(Some(token).filter(|token| !token.trim().is_empty()));
        rest = behind;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            files.iter().map(|(file, code)| ((*file).to_owned(), (*code).to_owned())).collect();
        imports(&files).into_iter().map(|([from, to], file)| format!("{from} > {to} ({file})")).collect()
    }

    fn faults_of(imports: &[[&str; 2]], known: &[[&str; 2]]) -> Vec<String> {
        let imports = imports.iter().map(|import| (import.map(str::to_owned), "file".to_owned())).collect();
        faults(&imports, known)
    }

    #[test]
    fn imports_are_found_in_any_form_and_counted_for_the_siblings_that_they_are_between() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;\nuse crate::a::A;"),
            ("a.rs", "pub use self::one::One;\nuse crate::{b::{self, B as X}, c};"),
            ("a/one.rs", "pub(crate) fn one() { super::two::two(); crate::c::c::<u8>() }"),
            ("a/two.rs", "use super::One;\nuse super::super::b;"),
            ("b/mod.rs", "mod inner;\npub use inner::Inner;\nuse std::a;"),
            (
                "b/inner.rs",
                "use super::B;\n// use crate::a;\nconst URL: &str = \"http://a\"; use crate::c::C;",
            ),
            ("c.rs", "use crate::none;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"),
        ];
        assert_eq!(
            imports_of(&files),
            [
                "a > b (a.rs)",
                "a > c (a.rs)",
                "a::one > a::two (a/one.rs)",
                "a::two > a::one (a/two.rs)",
                "b > c (b/inner.rs)"
            ]
        );
    }

    #[test]
    fn tests_may_import_what_they_like() {
        let files = [
            ("main.rs", "mod a;\n#[cfg(test)]\n#[allow(x)]\npub(crate) mod testing;"),
            ("a/mod.rs", "#[cfg(test)]\nmod tests;"),
            ("a/tests/deep.rs", "use crate::b;"),
            ("b.rs", "use crate::testing;"),
            ("testing.rs", "use crate::b;"),
        ];
        assert_eq!(imports_of(&files), [""; 0]);
    }

    #[test]
    fn a_circle_is_told_by_each_import_in_it_and_a_module_beside_it_is_not() {
        let imports = [["a", "b"], ["b", "c"], ["c", "a"], ["top", "a"], ["c", "low"]];
        let told = faults_of(&imports, &[]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("a imports b (in file), which leads back to a"), "{told:?}");
        assert_eq!(faults_of(&imports[1..], &[]), [""; 0]);
    }

    #[test]
    fn a_known_circle_passes_and_another_through_the_same_modules_does_not() {
        let known = [["b", "a"]];
        assert_eq!(faults_of(&[["a", "b"], ["b", "a"]], &known), [""; 0]);
        let told = faults_of(&[["a", "b"], ["b", "a"], ["b", "c"], ["c", "a"]], &known);
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn a_known_circle_that_is_gone_is_told() {
        for imports in [&[["b", "a"]][..], &[["a", "b"]]] {
            let told = faults_of(imports, &[["b", "a"]]);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].starts_with("b importing a closes no circle any more"), "{told:?}");
        }
    }

    #[test]
    fn a_room_may_use_those_below_it_and_its_neighbours() {
        let told = |imports: &[[&str; 2]]| {
            upstairs(&imports.iter().map(|import| (import.map(str::to_owned), "file".to_owned())).collect())
        };
        assert_eq!(told(&[["run", "config"], ["ports", "time"], ["run::plan", "run::report"]]), [""; 0]);
        assert!(
            told(&[["checkpoint", "run"]])[0].starts_with("checkpoint imports run (in file), which is above")
        );
        assert!(told(&[["attic", "run"]])[0].contains("has no floor"));
    }

    #[test]
    fn this_repository_has_no_circle_but_the_known_ones_and_no_room_uses_one_above_it() {
        check(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))).unwrap();
    }
}
