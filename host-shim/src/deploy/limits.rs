//! The platform's limits for an action, read before anything is sent: it shows its limits to everybody (docs/facts/openwhisk.md 2).

use std::time::Duration;

use serde_json::Value;

use super::{Deployment, Runtime};

const MIB: u64 = 1 << 20;

/// Kinds whose images start a program by ActionLoop (docs/deploying.md).
const FAMILIES: [&str; 2] = ["rust:", "go:"];

/// Errors are sentences that name the option. What the platform does not tell is left to its own check.
pub(super) fn check(info: &Value, deployment: &Deployment) -> Result<(), String> {
    let limits = |least: &str, most: &str| {
        let limit = |name: &str| info.get("limits")?.get(name)?.as_u64();
        Some((limit(least)?, limit(most)?))
    };
    if let Some((least, most)) = limits("min_action_duration", "max_action_duration") {
        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        if !(least..=most).contains(&deployment.timeout) {
            return Err(format!(
                "--timeout {}s: this platform lets an action run for {} to {} s; give a time within that",
                deployment.timeout.as_secs_f64(),
                least.as_secs_f64(),
                most.as_secs_f64()
            ));
        }
    }
    if let Some((least, most)) = limits("min_action_memory", "max_action_memory") {
        let memory = u64::from(deployment.memory_mb);
        if !(least..=most).contains(&(memory * MIB)) {
            return Err(format!(
                "--memory {memory}: this platform gives an action {} to {} MB; give a number within that",
                least.div_ceil(MIB),
                most / MIB
            ));
        }
    }
    match &deployment.runtime {
        Runtime::Kind(kind) => check_kind(info, kind),
        Runtime::Image(_) | Runtime::Native => Ok(()),
    }
}

fn check_kind(info: &Value, kind: &str) -> Result<(), String> {
    let families = info.get("runtimes").and_then(Value::as_object).map(|families| families.values());
    let all = families.into_iter().flatten().filter_map(Value::as_array).flatten();
    let kinds: Vec<&str> = all.filter_map(|runtime| runtime.get("kind")?.as_str()).collect();
    // `go:default` and its like are names for the platform's choice.
    if kinds.is_empty() || kinds.contains(&kind) || kind.ends_with(":default") {
        return Ok(());
    }
    let fit: Vec<&str> =
        kinds.into_iter().filter(|kind| FAMILIES.iter().any(|family| kind.starts_with(family))).collect();
    let instead = match fit.as_slice() {
        [] => "give --native, or --docker with an image".to_owned(),
        fit => format!("give --kind {}, or --native", fit.join(" or ")),
    };
    Err(format!("--kind {kind}: this platform has no such kind; {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{Names, Schedule};
    use serde_json::json;

    fn deployment(timeout_ms: u64, memory_mb: u32, runtime: Runtime) -> Deployment {
        Deployment {
            names: Names::new("n").unwrap(),
            params: json!({}),
            runtime,
            zip: None,
            schedule: Schedule::parse("0 3 * * *").unwrap(),
            timeout: Duration::from_millis(timeout_ms),
            memory_mb,
            dry_run: true,
            wait: None,
        }
    }

    fn kind(kind: &str) -> Runtime {
        Runtime::Kind(kind.to_owned())
    }

    #[test]
    fn what_the_platform_would_refuse_is_told_with_what_it_allows() {
        let info = json!({
            "limits": {
                "min_action_duration": 100, "max_action_duration": 300_000,
                "min_action_memory": 128 << 20, "max_action_memory": 512 << 20,
            },
            "runtimes": {"nodejs": [{"kind": "nodejs:20"}], "go": [{"kind": "go:1.20"}], "rust": [{"kind": "rust:1.34"}]},
        });
        for (timeout_ms, memory_mb, runtime, expected) in [
            (100, 128, kind("rust:1.34"), None),
            (300_000, 512, kind("go:default"), None),
            (60_000, 256, Runtime::Native, None),
            (60_000, 256, Runtime::Image("me/x".to_owned()), None),
            (
                600_000,
                256,
                Runtime::Native,
                Some(
                    "--timeout 600s: this platform lets an action run for 0.1 to 300 s; give a time within that",
                ),
            ),
            (
                60_000,
                1024,
                Runtime::Native,
                Some("--memory 1024: this platform gives an action 128 to 512 MB; give a number within that"),
            ),
            (
                60_000,
                64,
                Runtime::Native,
                Some("--memory 64: this platform gives an action 128 to 512 MB; give a number within that"),
            ),
            (
                60_000,
                256,
                kind("rust:9"),
                Some(
                    "--kind rust:9: this platform has no such kind; give --kind go:1.20 or rust:1.34, or --native",
                ),
            ),
        ] {
            let checked = check(&info, &deployment(timeout_ms, memory_mb, runtime));
            assert_eq!(checked.err().as_deref(), expected);
        }
        let only_node = json!({"runtimes": {"nodejs": [{"kind": "nodejs:20"}]}});
        let message = check(&only_node, &deployment(1_000, 1, kind("rust:1.34"))).unwrap_err();
        assert!(message.ends_with("give --native, or --docker with an image"), "{message}");
    }

    #[test]
    fn what_the_platform_does_not_tell_is_left_to_its_own_check() {
        for info in [
            json!(null),
            json!("<html>"),
            json!({}),
            json!({"limits": {"max_action_duration": 1}, "runtimes": []}),
        ] {
            assert_eq!(check(&info, &deployment(600_000, 9999, kind("odd:1"))), Ok(()));
        }
    }
}
