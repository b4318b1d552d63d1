//! The files in `deploy/systemd` and `deploy/kubernetes`: the programs that read them accept them, and they agree with each other and with
//! the command.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

const UNITS: [&str; 3] = ["whiskjack.service", "whiskjack-run.service", "whiskjack-run.timer"];

#[test]
fn systemd_takes_the_units() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("systemd-analyze is not here (Debian package systemd), so nothing was tried");
        return;
    };
    assert!(version.status.success(), "{version:?}");
    let folder = tempfile::tempdir().unwrap();
    let units: Vec<PathBuf> = UNITS
        .iter()
        .map(|name| {
            // It wants the program to be there.
            let unit = text(&format!("systemd/{name}")).replace("/usr/local/bin/whiskjack", "/bin/true");
            let path = folder.path().join(name);
            std::fs::write(&path, unit).unwrap();
            path
        })
        .collect();
    let verified =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.trim().is_empty(), "{verified:?}");
}

/// The settings of a unit's section.
fn settings(unit: &str, section: &str) -> Vec<(String, String)> {
    let unit = text(&format!("systemd/{unit}"));
    let (_, rest) = unit.split_once(&format!("[{section}]\n")).unwrap();
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    let settings = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    settings.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn both_services_are_locked_up_alike_and_keep_the_same_state() {
    let [watch, run] = ["whiskjack.service", "whiskjack-run.service"].map(|unit| settings(unit, "Service"));
    let own = [
        "Type",
        "ExecStart",
        "Restart",
        "RestartSec",
        "RestartPreventExitStatus",
        "WatchdogSec",
        "TimeoutStopSec",
        "TimeoutStartSec",
    ];
    let common = |all: &[(String, String)]| -> Vec<(String, String)> {
        all.iter().filter(|(key, _)| !own.contains(&key.as_str())).cloned().collect()
    };
    assert_eq!(common(&watch), common(&run));
    let command =
        |all: &[(String, String)]| all.iter().find(|(key, _)| key == "ExecStart").unwrap().1.clone();
    assert_eq!(command(&watch).replace(" watch ", " run "), command(&run));
    assert!(
        !text("systemd/whiskjack.service").contains("\nMemoryDenyWriteExecute"),
        "the component's code is made executable"
    );
}

/// What Kubernetes knows at each place that the files use; `*` stands for any key, and a list for each of its elements.
fn known() -> Value {
    let text = || json!("text");
    let number = || json!("number");
    let switch = || json!("switch");
    let labels = || json!({"*": "text"});
    let metadata = || json!({"name": text(), "labels": labels(), "annotations": labels()});
    let secret = json!({"secretKeyRef": {"name": text(), "key": text()}});
    let container = json!({
        "name": text(), "image": text(), "command": [text()], "args": [text()],
        "env": [{"name": text(), "valueFrom": secret}],
        "ports": [{"name": text(), "containerPort": number()}],
        "livenessProbe": {"httpGet": {"path": text(), "port": text()}, "periodSeconds": number(), "failureThreshold": number()},
        "resources": {"requests": {"cpu": text(), "memory": text()}, "limits": {"memory": text()}},
        "securityContext": {"allowPrivilegeEscalation": switch(), "readOnlyRootFilesystem": switch(), "capabilities": {"drop": [text()]}},
        "volumeMounts": [{"name": text(), "mountPath": text(), "readOnly": switch()}],
    });
    let pod = json!({
        "metadata": metadata(),
        "spec": {
            "automountServiceAccountToken": switch(), "restartPolicy": text(), "terminationGracePeriodSeconds": number(),
            "securityContext": {"runAsNonRoot": switch(), "runAsUser": number(), "runAsGroup": number(), "seccompProfile": {"type": text()}},
            "containers": [container], "volumes": [{"name": text(), "configMap": {"name": text()}}],
        },
    });
    json!({
        "Deployment": {"apiVersion": text(), "kind": text(), "metadata": metadata(), "spec": {
            "replicas": number(), "strategy": {"type": text()}, "selector": {"matchLabels": labels()}, "template": pod,
        }},
        "CronJob": {"apiVersion": text(), "kind": text(), "metadata": metadata(), "spec": {
            "schedule": text(), "concurrencyPolicy": text(), "startingDeadlineSeconds": number(),
            "successfulJobsHistoryLimit": number(), "failedJobsHistoryLimit": number(),
            "jobTemplate": {"spec": {"backoffLimit": number(), "activeDeadlineSeconds": number(), "template": pod}},
        }},
    })
}

/// Holds a value against what is known of its place.
#[track_caller]
fn holds(value: &Value, known: &Value, path: &str) {
    match (value, known) {
        (Value::Object(members), Value::Object(known)) => {
            for (key, value) in members {
                let known = known.get(key).or_else(|| known.get("*"));
                holds(
                    value,
                    known.unwrap_or_else(|| panic!("{path}.{key} is not known")),
                    &format!("{path}.{key}"),
                );
            }
        }
        (Value::Array(elements), Value::Array(known)) => {
            elements.iter().for_each(|one| holds(one, &known[0], path))
        }
        (value, Value::String(form)) => {
            let fits = match form.as_str() {
                "text" => value.is_string(),
                "number" => value.is_u64(),
                _ => value.is_boolean(),
            };
            assert!(fits, "{path} must be a {form}, and is {value}");
        }
        _ => panic!("{path} has another form: {value}"),
    }
}

fn manifest(name: &str) -> Value {
    serde_saphyr::from_str(&text(&format!("kubernetes/{name}"))).unwrap()
}

#[test]
fn kubernetes_knows_each_key_of_the_manifests_and_both_run_the_same_pod() {
    let [deployment, job] = ["deployment.yaml", "cronjob.yaml"].map(manifest);
    for (manifest, version) in [(&deployment, "apps/v1"), (&job, "batch/v1")] {
        assert_eq!(manifest["apiVersion"], version);
        let kind = manifest["kind"].as_str().unwrap();
        holds(manifest, &known()[kind], kind);
    }
    let pods = [&deployment["spec"]["template"], &job["spec"]["jobTemplate"]["spec"]["template"]];
    let [watch, run] = pods.map(|pod| &pod["spec"]["containers"][0]);
    for key in ["name", "image", "command", "env", "resources", "securityContext", "volumeMounts"] {
        assert_eq!(watch[key], run[key], "{key}");
    }
    let [watching, running] = pods.map(|pod| &pod["spec"]);
    assert_eq!(
        (&watching["volumes"], &watching["securityContext"]),
        (&running["volumes"], &running["securityContext"])
    );
    assert_eq!((&watch["args"][0], &run["args"][0]), (&json!("watch"), &json!("run")));
    // What is mounted is what is read.
    let mount = watch["volumeMounts"][0]["mountPath"].as_str().unwrap();
    for container in [watch, run] {
        let config = container["args"][2].as_str().unwrap();
        assert_eq!(
            (&container["args"][1], config),
            (&json!("--config"), format!("{mount}/whiskjack.yaml").as_str())
        );
    }
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], pods[0]["metadata"]["labels"]);
}

#[test]
fn a_key_that_kubernetes_does_not_know_is_noticed() {
    let mut odd = manifest("deployment.yaml");
    odd["spec"]["template"]["spec"]["containers"][0]["enviroment"] = json!([]);
    let noticed = std::panic::catch_unwind(|| holds(&odd, &known()["Deployment"], "Deployment"));
    assert!(noticed.is_err());
}
