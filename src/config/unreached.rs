//! Entries of `actions` that never apply.

use super::documents::Chosen;
use crate::openwhisk::source::Entry;

/// A warning for each entry whose actions are all excluded, and for each whose actions all belong to an earlier one, if it matters which one counts.
pub(super) fn warnings(entries: &[Entry], chosen: &[Chosen]) -> Vec<String> {
    let excluded: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry, Entry::Exclusion(_))).collect();
    let of = |(place, late): (usize, &Chosen)| {
        let name = late.entry.name();
        let entry = format!("`actions[{}]`: the entry `{name}` never applies", late.index);
        if let Some(exclusion) = excluded.iter().find(|exclusion| exclusion.covers(&late.entry)) {
            let exclusion = exclusion.name();
            return Some(format!(
                "{entry}, as `!{exclusion}` excludes all that it selects: remove one of the two"
            ));
        }
        let earlier = chosen.iter().take(place).find(|early| early.entry.covers(&late.entry))?;
        let Chosen { index, entry: early, own, .. } = earlier;
        let early = early.name();
        (*own != late.own).then(|| {
            format!(
                "{entry}, as `actions[{index}]`, `{early}`, comes before it and selects all that it selects: put `{name}` first, or remove it"
            )
        })
    };
    chosen.iter().enumerate().filter_map(of).collect()
}
