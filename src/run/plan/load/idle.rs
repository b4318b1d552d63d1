//! Settings that have no effect on this run, as the checkpoint is what it is: people should know.

use super::Loader;
use crate::checkpoint::Checkpoint;
use crate::config::OnMissingState;
use crate::openwhisk::source::Source;

/// Most sources that a warning names.
const NAMED: usize = 5;

impl Loader<'_> {
    /// A `from` that came after the first run, or was changed since, has no effect on what has begun. With `on_missing_state` it waits for its use.
    pub(super) fn note_idle_from(&mut self, checkpoint: &Checkpoint) {
        let waits = self.config.on_missing_state == OnMissingState::From || checkpoint.saved_ms == 0;
        let Some(from) = self.config.from.filter(|_| !waits) else { return };
        let began_elsewhere = |source: &&Source| {
            let state = checkpoint.sources.get(&source.name());
            state.is_some_and(|state| state.origin != from.saturating_add(1))
        };
        let names = self.config.sources.iter().filter(began_elsewhere);
        let names: Vec<String> = names.map(|source| format!("`{}`", source.name())).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = names.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        if !named.is_empty() {
            self.note_once(format!(
                "`from` has no effect on {named}{more}, because the checkpoint says where to go on; remove `from`, or begin with a new checkpoint"
            ));
        }
    }

    /// A package that is named beside another place for the checkpoint has an effect once at most: on the run that goes on from what is in it.
    pub(super) fn note_idle_package(&mut self, kept: &str) {
        let Some(name) = &self.config.package else { return };
        let taken_over = format!("went on from the checkpoint in the package `{name}`");
        if !self.warnings.iter().any(|warning| warning.contains(&taken_over)) {
            self.note_once(format!(
                "`checkpoint.package` has no effect, because the checkpoint is kept {kept}; remove `checkpoint.package`"
            ));
        }
    }

    /// The checkpoint may be read more than once in a run.
    fn note_once(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
