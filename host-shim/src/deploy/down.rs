//! Removing everything that a deployment has made: first the parts that start runs, last the action.

use super::platform::{Found, Kind, Platform};
use super::{DeployError, Names, feed};
use crate::doing::Doing;

pub(super) async fn down(
    names: &Names,
    dry_run: bool,
    platform: &Platform,
    doing: &Doing,
    say: &mut dyn FnMut(&str),
) -> Result<(), DeployError> {
    let mut gone = Vec::new();
    for (kind, name) in
        [(Kind::Rule, &names.rule), (Kind::Trigger, &names.trigger), (Kind::Action, &names.action)]
    {
        let word = kind.word();
        doing.begin(format!("the {word} {name}"));
        let found = platform.find(kind, name).await.map_err(|reason| failed(kind, reason, &gone))?;
        match found {
            Found::Nothing => say(&format!("{word} {name}: is not there")),
            Found::Foreign => {
                say(&format!("{word} {name}: left alone, as `whiskjack deploy` has not made it"));
            }
            Found::Ours if dry_run => say(&format!("{word} {name} would be deleted")),
            Found::Ours => {
                let removed = async {
                    // The feed wants to see the trigger while it forgets it.
                    if kind == Kind::Trigger {
                        feed::remove(platform, name).await?;
                    }
                    platform.delete(kind, name).await
                };
                removed.await.map_err(|reason| failed(kind, reason, &gone))?;
                say(&format!("{word} {name}: deleted"));
                gone.push(format!("the {word} {name}"));
            }
        }
    }
    if dry_run {
        say("nothing was changed");
    } else if !gone.is_empty() {
        say(&format!(
            "The checkpoint stays, so that deploying again goes on where this one stopped; it is in the package {} unless \
             `checkpoint` says otherwise, and `wsk package delete` takes it away.",
            whiskjack_settings::package_of(Some(&names.action))
        ));
    }
    Ok(())
}

fn failed(kind: Kind, reason: String, gone: &[String]) -> DeployError {
    let step = match kind {
        Kind::Action => "deleting the action",
        Kind::Trigger => "deleting the trigger",
        Kind::Rule => "deleting the rule",
    };
    let deleted = match gone {
        [] => "Nothing was deleted".to_owned(),
        gone => format!("Deleted: {}", gone.join(", ")),
    };
    DeployError::Step { step, reason, left: format!("{deleted}. The same command goes on from there") }
}
