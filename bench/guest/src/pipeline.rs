//! A whole run of the core over ports in memory.

use serde_json::{Value, json};
use whiskjack::ports::{Clock, Ports, Transport};
use whiskjack::run;
use whiskjack::run::plan::{self, CheckpointKeeper, Context};

use crate::memory::{Acknowledging, Api, SystemClock};

/// The newest record is this old when the run begins, in milliseconds.
const AGE_MS: u64 = 10_000;

/// Plans, forwards and concludes: pages, records, events, windows, acks. Returns how many lines were read and acknowledged; 0 if anything failed.
pub fn pipeline(api: &Api<'_>) -> u64 {
    pipeline_with(api, &Acknowledging::default(), Value::Null)
}

/// The same to that receiver, with more parameters. Returns how many lines were read, if all is acknowledged.
pub fn pipeline_with(api: &Api<'_>, receiver: &dyn Transport, more: Value) -> u64 {
    let (oldest, newest) = api.span();
    let clock = Shifted { behind_ms: SystemClock.now_ms().saturating_sub(newest + AGE_MS) };
    let context = Context {
        api_host: Some("http://memory".into()),
        authorized: true,
        keeper: CheckpointKeeper::Host(None),
        ..Context::default()
    };
    let mut params = json!({
        "actions": api.names(), "from": oldest.saturating_sub(1), "logstash": {"host": "memory", "port": 5044, "tls": false},
    });
    if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
        params.extend(more);
    }
    let Ok((config, _)) = plan::configure(params.to_string().as_bytes(), &context) else { return 0 };
    let ports = Ports { clock: &clock, http: api, transport: receiver };
    let Ok(report) = run::run(&config, &context, ports) else { return 0 };
    let result: Value = serde_json::from_slice(&report.result).unwrap_or_default();
    result.pointer("/lines/read").and_then(Value::as_u64).filter(|_| report.complete).unwrap_or(0)
}

/// The system's clock, some time ago: the records are not of today.
struct Shifted {
    behind_ms: u64,
}

impl Clock for Shifted {
    fn now_ms(&self) -> u64 {
        SystemClock.now_ms().saturating_sub(self.behind_ms)
    }

    fn sleep_ms(&self, ms: u64) {
        SystemClock.sleep_ms(ms);
    }

    fn random(&self) -> u64 {
        SystemClock.random()
    }
}
