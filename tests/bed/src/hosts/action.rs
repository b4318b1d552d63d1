//! The native binary as an OpenWhisk action.

use super::{Run, Stage};
use crate::{ActionLoop, ActionLoopOptions, RunContext, action_zip, artifacts};

pub(super) fn start(stage: &Stage) -> Run<'_> {
    let container = ActionLoop::start(ActionLoopOptions::default());
    let zip = action_zip(&artifacts().whiskjack());
    let (status, answer) = container.init(&zip, &[("__OW_API_HOST", &stage.api.origin())]);
    assert_eq!(status, 200, "{answer}");
    let params = stage.params_with_api_ca();
    Box::new(move || {
        let context = RunContext { api_key: Some(stage.api.key()), ..RunContext::default() };
        let (status, result) = container.run(&params, &context);
        assert!(status == 200 && result.get("error").is_none(), "{status} {result}\n{}", container.log());
        assert!(!stage.shows_key(&format!("{result}{}", container.log())), "the key is in the output");
        result
    })
}
