//! Names and patterns in `actions` that no action has, as typing errors are. The API answers for them as for an action without news, so it is asked once
//! a day which actions there are. What it says is kept with the checkpoint, for the warnings of the runs until then.

use crate::checkpoint::{Checkpoint, Strays, sign};
use crate::config::{Config, distance};
use crate::openwhisk::api::Api;
use crate::openwhisk::source::{Entry, Source};

/// How long an answer holds, in milliseconds.
const HOLDS_MS: u64 = 24 * 3_600_000;
/// Most names that are warned of, and most that are near one of them.
const NAMED: usize = 10;
const NEAR: usize = 3;
/// Most packages that are asked about.
const PACKAGES: usize = 5;

/// Warnings about names and patterns that no action has. Of single actions only those count of which nothing is known; `is_silent` says of which nothing
/// new has come either; `own_path` is the forwarder's own name without its namespace. What patterns have seen does not tell for which of the entries, so all of those count.
pub(super) fn warnings(
    api: &Api<'_>,
    config: &Config,
    own_path: Option<&str>,
    checkpoint: &mut Checkpoint,
    is_silent: impl Fn(&str) -> bool,
    now_ms: u64,
) -> Vec<String> {
    let suspicion = |source: &Source| {
        let name = source.name();
        let state = checkpoint.sources.get(&name);
        let is_unknown = || state.is_some_and(|state| state.seen.is_empty() && state.records.is_empty());
        match source {
            _ if is_unknown() && is_silent(&name) => Suspicion::All,
            Source::Namespace(_) => Suspicion::Named,
            Source::Action(_) => Suspicion::None,
        }
    };
    let suspects = all_suspects(config, own_path, suspicion);
    if suspects.is_empty() {
        checkpoint.strays = None;
        return Vec::new();
    }
    let of = sign(&suspects.join("\n"));
    let known = checkpoint.strays.take().filter(|known| known.holds(&of, now_ms));
    let strays =
        known.unwrap_or_else(|| Box::new(Strays { asked_ms: now_ms, of, warnings: ask(api, &suspects) }));
    checkpoint.strays.insert(strays).warnings.clone()
}

impl Strays {
    /// Whether this is still an answer to the same question; a clock may have gone wrong.
    fn holds(&self, of: &str, now_ms: u64) -> bool {
        self.of == of && self.asked_ms <= now_ms && now_ms - self.asked_ms < HOLDS_MS
    }
}

/// The same of all names and patterns, with the `names` of all actions.
pub(in crate::run) fn strays(
    api: &Api<'_>,
    config: &Config,
    names: &[String],
    own_path: Option<&str>,
) -> Vec<String> {
    told(api, names, &all_suspects(config, own_path, |_| Suspicion::Named))
}

/// Which entries of a source may select nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    None,
    /// Those that do not choose everything.
    Named,
    All,
}

/// The entries of the suspected sources. Patterns leave the forwarder itself out, whatever they say.
fn all_suspects(
    config: &Config,
    own_path: Option<&str>,
    suspicion: impl Fn(&Source) -> Suspicion,
) -> Vec<String> {
    let entries = config.sources.iter().flat_map(|source| suspects(source, suspicion(source)));
    entries.filter(|entry| entry.strip_prefix('!').is_none_or(|name| Some(name) != own_path)).collect()
}

/// The entries of `actions` that a source is of; those that choose everything leave something to ask only where nothing comes.
fn suspects(source: &Source, suspicion: Suspicion) -> Vec<String> {
    match source {
        _ if suspicion == Suspicion::None => Vec::new(),
        Source::Action(action) => vec![action.name()],
        Source::Namespace(_) => {
            let entries = source.entries().into_iter();
            entries.filter(|entry| suspicion == Suspicion::All || !is_for_all(entry)).collect()
        }
    }
}

fn is_for_all(entry: &str) -> bool {
    ["*", "*/*"].contains(&entry)
}

/// What no action is named. That it cannot be found out is not a failure.
fn ask(api: &Api<'_>, suspects: &[String]) -> Vec<String> {
    match api.action_names() {
        Ok(Some(names)) => told(api, &names, suspects),
        _ => Vec::new(),
    }
}

fn told(api: &Api<'_>, names: &[String], suspects: &[String]) -> Vec<String> {
    let (mut warnings, mut asked) = (Vec::new(), 0);
    // Who wants all actions and all of all packages does not say that there are both.
    let of_all = |known: &String| suspects.iter().any(|entry| is_for_all(entry) && is_meant(entry, known));
    let all_take_some = names.iter().any(of_all);
    for suspect in suspects.iter().filter(|suspect| !(all_take_some && is_for_all(suspect))) {
        let name = suspect.strip_prefix('!').unwrap_or(suspect);
        if warnings.len() == NAMED || names.iter().any(|known| is_meant(name, known)) {
            continue;
        }
        let near = near(name, names);
        // What is kept out may well not be there yet, unless it is written like something that is.
        if name != suspect && (near.is_empty() || name.contains('*')) {
            continue;
        }
        // The actions of a package that is bound are listed where they are, not under the binding's name.
        let package =
            name.split_once('/').map(|(package, _)| package).filter(|package| !package.contains('*'));
        if let Some(package) = package.filter(|package| !names.iter().any(|name| is_in(package, name))) {
            asked += 1;
            if asked > PACKAGES || !matches!(api.package(package), Ok(None)) {
                continue;
            }
        }
        warnings.push(warning(suspect, &near));
    }
    // One sentence for all of them: the namespace is the likelier mistake.
    if names.is_empty() && !warnings.is_empty() {
        return vec![
            "`actions` names actions, but the API lists none at all in the namespace of the API key; is it the key of the namespace whose logs are meant?"
                .into(),
        ];
    }
    warnings
}

fn is_in(package: &str, name: &str) -> bool {
    name.split_once('/').is_some_and(|(known, _)| known == package)
}

fn is_meant(entry: &str, name: &str) -> bool {
    match Entry::parse(entry) {
        Ok(Entry::Pattern(pattern)) => pattern.matches(name),
        _ => entry == name,
    }
}

fn warning(entry: &str, near: &[&str]) -> String {
    let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    let (verb, missing) = match (entry.starts_with('!'), entry.contains('*')) {
        (true, _) => ("excludes", "there is no such action"),
        (false, false) => ("lists", "there is no such action"),
        (false, true) => ("lists", "no action matches this pattern"),
    };
    let name = entry.trim_start_matches('!');
    match near.as_slice() {
        [] => format!("`actions` {verb} `{name}`, but {missing}; mend it, or take it out"),
        near => format!("`actions` {verb} `{name}`, but {missing}; did you mean {}?", near.join(" or ")),
    }
}

/// Names like that of the entry, the likeliest first: the same in another package, or a few letters away.
fn near<'n>(entry: &str, names: &'n [String]) -> Vec<&'n str> {
    let simple = |name: &str| name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let alike = |a: &str, b: &str| {
        Some(distance(a, b)).filter(|letters| *letters <= a.chars().count().div_ceil(4).min(3))
    };
    // Of a pattern, nothing is near: what stands around the star may be a part of any name.
    if entry.contains('*') {
        return Vec::new();
    }
    let (lower, own) = (entry.to_ascii_lowercase(), simple(entry));
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .filter_map(|name| {
            let whole = alike(&lower, &name.to_ascii_lowercase());
            let in_another_package = alike(&own, &simple(name)).map(|letters| letters + 1);
            Some((whole.into_iter().chain(in_another_package).min()?, name.as_str()))
        })
        .collect();
    crate::sorted::sort(&mut near);
    near.into_iter().map(|(_, name)| name).take(NEAR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["hello", "hallo", "shop/hello", "checkout", "shop/check-out", "a"].map(String::from);
        for (entry, expected) in [
            ("helo", &["hello", "shop/hello"][..]),
            ("guest/hello", &["hello", "shop/hello", "hallo"]),
            ("Hello", &["hello", "hallo", "shop/hello"]),
            ("shop/checkout", &["checkout", "shop/check-out"]),
            ("shp/check-out", &["shop/check-out", "checkout"]),
            ("payments", &[]),
            ("b", &["a"]),
        ] {
            assert_eq!(near(entry, &names), expected, "{entry}");
        }
    }
}
