//! Where checkpoints are kept: a package of the platform (facts/openwhisk.md 10), or the host.

use super::ports::Sim;
use serde_json::{Value, json};
use whiskjack::checkpoint::{ANNOTATION, Checkpoint};

/// Bytes that a checkpoint may take.
const LARGEST: usize = 512 << 10;

/// An annotation of somebody else, which must survive.
pub fn foreign() -> Value {
    json!({"key": "description", "value": {"of": ["somebody", "else", 1.50]}})
}

/// What is kept, by whomever.
#[derive(Debug, Default)]
pub struct Kept {
    /// The package's annotations, if there is a package.
    pub package: Option<Vec<Value>>,
    /// How often the package was written: the patch number of its version.
    pub version: u64,
    /// What the host was handed.
    pub host: Option<Vec<u8>>,
    /// What is in the newest record of the forwarder's own runs that has one.
    pub recorded: Option<Vec<u8>>,
    /// Size of the largest checkpoint so far, in bytes.
    pub largest: usize,
}

impl Kept {
    /// Overwrites the package's annotations.
    pub fn put(&mut self, body: &[u8], shared: bool) {
        let body: Value = serde_json::from_slice(body).expect("the body of a PUT is JSON");
        let annotations = body["annotations"].as_array().expect("annotations").clone();
        assert_eq!(annotations.contains(&foreign()), shared, "annotations of others stay as they are");
        let ours = checkpoint(&annotations).expect("a checkpoint");
        self.check(ours.to_string().as_bytes());
        self.version += 1;
        self.package = Some(annotations);
    }

    /// Takes what a host was handed.
    pub fn hand(&mut self, checkpoint: Vec<u8>) {
        self.check(&checkpoint);
        self.host = Some(checkpoint);
    }

    /// Takes what is in a record of the forwarder's own runs.
    pub fn record(&mut self, checkpoint: Vec<u8>) {
        self.check(&checkpoint);
        self.recorded = Some(checkpoint);
    }

    /// The checkpoint as it stands.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let ours = self.package.as_deref().and_then(checkpoint).map(|value| value.to_string().into_bytes());
        Checkpoint::decode(ours.as_ref().or(self.host.as_ref()).or(self.recorded.as_ref())?).ok()
    }

    fn check(&mut self, checkpoint: &[u8]) {
        assert!(checkpoint.len() <= LARGEST, "a checkpoint of {} bytes", checkpoint.len());
        Checkpoint::decode(checkpoint).expect("a checkpoint that was stored can be read");
        self.largest = self.largest.max(checkpoint.len());
    }
}

impl Sim {
    /// Answers a request for the package.
    pub fn package(&self) -> (u16, Value) {
        let kept = self.kept.borrow();
        match &kept.package {
            Some(annotations) => (
                200,
                json!({"namespace": "guest", "name": "p", "version": format!("0.0.{}", kept.version),
                    "annotations": annotations, "parameters": []}),
            ),
            None => (404, json!({"error": "The requested resource does not exist.", "code": "x"})),
        }
    }
}

fn checkpoint(annotations: &[Value]) -> Option<&Value> {
    annotations
        .iter()
        .find(|annotation| annotation["key"] == ANNOTATION)
        .map(|annotation| &annotation["value"])
}
