//! Who keeps the checkpoint.

use std::path::PathBuf;

use serde_json::{Map, Value};

use whiskjack_settings::Fault;

/// Who keeps the checkpoint.
#[derive(Clone, Debug, Default)]
pub enum Keeper {
    /// The platform, where the component finds it by itself.
    #[default]
    Platform,
    /// This file, for one run at a time.
    File(PathBuf),
}

impl Keeper {
    /// The fault of parameters that keep the checkpoint elsewhere, though there is a file for it: one of the two is not meant.
    pub(super) fn unused(&self, params: &Map<String, Value>) -> Option<Fault> {
        let Self::File(file) = self else { return None };
        whiskjack_settings::unused_state(params, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::HostParams;
    use serde_json::json;

    #[test]
    fn a_file_for_the_checkpoint_beside_another_place_is_a_fault_that_names_both() {
        let unused = |keeper: &Keeper, mut params: Value| {
            let host = HostParams::take(params.as_object_mut().unwrap());
            assert!(host.faults.is_empty(), "{:?}", host.faults);
            keeper.unused(params.as_object().unwrap()).map(|fault| fault.to_string())
        };
        let file = Keeper::File("s.json".into());
        for params in [json!({"checkpoint": {"store": "package"}}), json!({"checkpoint.store": "activation"})]
        {
            assert_eq!(unused(&Keeper::Platform, params.clone()), None);
            let fault = unused(&file, params.clone()).unwrap();
            assert!(
                fault.starts_with("checkpoint.store: the file of --state s.json would not be used; "),
                "{fault}"
            );
        }
        for params in [json!({}), json!({"checkpoint": {"store": "host"}}), json!({"checkpoint": "package"})]
        {
            assert_eq!(unused(&file, params.clone()), None, "{params}");
        }
    }
}
