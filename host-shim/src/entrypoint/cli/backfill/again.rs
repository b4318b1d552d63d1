//! Activations that are forwarded again, by their ids.

use serde_json::{Map, Value, json};

use crate::run::{Keeper, Memory, Record};

/// A checkpoint that owes these activations to the actions that they are of, and those actions: an activation that is named is forwarded in any case, also if
/// `actions` of the configuration does not select it.
pub(super) fn owing(records: &[Record]) -> (Keeper, Value) {
    let mut sources: Map<String, Value> = Map::new();
    for record in records {
        let Some(name) = record.names.first() else { continue };
        let state = sources
            .entry(name)
            .or_insert_with(|| json!({"origin": record.start, "through": record.start, "records": []}));
        if let Some(Value::Array(owed)) = state.get_mut("records") {
            owed.push(json!({"start": record.start, "id": record.id}));
            // The forwarder looks them up by start and id.
            owed.sort_by_key(|owed| (owed["start"].as_u64(), owed["id"].as_str().map(str::to_owned)));
            owed.dedup();
        }
    }
    let actions = sources.keys().cloned().map(Value::from).collect();
    let checkpoint = json!({"version": 3, "sources": sources});
    (Keeper::Memory(Memory::holding(checkpoint.to_string().into_bytes())), Value::Array(actions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_owed_to_the_actions_that_they_are_of_and_to_no_others() {
        let record = |id: &str, names: &[&str]| Record {
            id: id.to_owned(),
            start: 5,
            names: names.iter().map(ToString::to_string).collect(),
        };
        let records =
            [record("b", &["shop/checkout"]), record("a", &["lib/x", "bound/x"]), record("a", &["lib/x"])];
        let (keeper, actions) = owing(&records);
        assert_eq!(actions, json!(["lib/x", "shop/checkout"]));
        assert!(matches!(keeper, Keeper::Memory(_)));
    }
}
