//! Names of the deployed things.

/// Longest name, in characters: OpenWhisk's own limit (256), less the part that is added to it.
const LONGEST: usize = 240;

/// Names of action, trigger and rule, all from the action's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The action.
    pub action: String,
    /// The trigger that the alarm fires.
    pub trigger: String,
    /// The rule from the trigger to the action.
    pub rule: String,
}

impl Names {
    /// Names after an action's. Errors are sentences that say what a name may be.
    pub fn new(action: &str) -> Result<Self, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let legal = action.starts_with(word) && action.chars().all(|c| word(c) || "@.-".contains(c));
        if !legal || action.len() > LONGEST {
            return Err(format!(
                "cannot be a name; give letters, digits and `_ . - @`, without a package, {LONGEST} at most"
            ));
        }
        Ok(Self {
            action: action.to_owned(),
            trigger: format!("{action}-alarm"),
            rule: format!("{action}-rule"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigger_and_rule_are_named_after_the_action() {
        let names = Names::new("logs.v2").unwrap();
        assert_eq!((names.trigger.as_str(), names.rule.as_str()), ("logs.v2-alarm", "logs.v2-rule"));
        for odd in ["", "pkg/action", "-a", "a b", "a?x", "ä", &"a".repeat(241)] {
            Names::new(odd).unwrap_err();
        }
    }
}
