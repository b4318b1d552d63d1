//! The contents of the platform: namespaces, activation records, packages; and the time on which their visibility depends.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use crate::activation::{Activation, Status};
use crate::alarms;
use crate::clock::Clock;
use crate::invoker::Invocation;
use crate::options::{BindingKeys, Options, Storage};
use crate::record::Record;
use crate::rules;
use crate::store::{Namespace, Store};
use crate::triggers;

/// A handle on the world; clones share it.
#[derive(Debug, Clone)]
pub struct World {
    store: Arc<Mutex<Store>>,
    clock: Clock,
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let first =
            Namespace { name: options.namespace.clone(), key: options.key.clone(), storage: Storage::Always };
        let store = Store::new(first, options.binding_keys, options.stale);
        Self { store: Arc::new(Mutex::new(store)), clock: options.clock.clone() }
    }

    /// Adds an activation and returns its id. Whether a record is kept is up to the namespace's storage policy.
    pub fn add(&self, activation: Activation) -> String {
        let now = self.clock.now();
        let mut store = self.store();
        let namespace = activation.namespace.clone().unwrap_or_else(|| store.namespaces[0].name.clone());
        let id = activation.id.clone().unwrap_or_else(|| store.new_id());
        let policy = store.namespaces.iter().find(|known| known.name == namespace);
        let policy = policy.map_or(Storage::Always, |known| known.storage);
        if keeps(policy, activation.status) {
            store.insert(Record::new(activation, namespace, id.clone(), now));
        }
        id
    }

    /// Adds several, in order; returns their ids.
    pub fn add_all(&self, activations: impl IntoIterator<Item = Activation>) -> Vec<String> {
        activations.into_iter().map(|activation| self.add(activation)).collect()
    }

    /// Deletes a record. A stale list may go on showing it.
    pub fn remove(&self, id: &str) {
        self.store().remove(id);
    }

    /// Takes the log entries out of a record.
    pub fn blank_logs(&self, id: &str) {
        self.store().blank_logs(id);
    }

    /// All records that are stored or yet to become visible, by namespace and start: the truth to compare with.
    pub fn records(&self) -> Vec<Record> {
        self.store().records().map(|record| Record::clone(record)).collect()
    }

    /// Adds a namespace with a key of its own, `uuid:secret`.
    pub fn add_namespace(&self, name: impl Into<String>, key: impl Into<String>) {
        let namespace = Namespace { name: name.into(), key: key.into(), storage: Storage::Always };
        self.store().namespaces.push(namespace);
    }

    /// Sets which activations a namespace keeps from now on.
    pub fn set_storage(&self, namespace: &str, storage: Storage) {
        self.store().namespaces.iter_mut().filter(|n| n.name == namespace).for_each(|n| n.storage = storage);
    }

    /// Switches stale answers: from now on lists and counts show what the one before could have shown.
    pub fn set_stale(&self, stale: bool) {
        let now = self.clock.now();
        self.store().set_stale(stale, now);
    }

    /// Sets what the `name` filter compares.
    pub fn set_binding_keys(&self, keys: BindingKeys) {
        self.store().binding_keys = keys;
    }

    /// Lets lists fail with status 500 if their body had more than `bytes` bytes.
    pub fn set_reply_limit(&self, bytes: Option<usize>) {
        self.store().reply_limit = bytes;
    }

    /// Whether parameters of actions are stored encrypted, as with `whisk.parameter-storage`.
    pub fn encrypt_parameters(&self, encrypted: bool) {
        self.store().encrypts_parameters = encrypted;
    }

    /// A package as it is stored, if it is.
    pub fn package(&self, name: &str) -> Option<Value> {
        let store = self.store();
        store.packages.get(&(store.namespaces[0].name.clone(), name.to_owned())).cloned()
    }

    /// Changes a package as it is stored, if it is.
    pub fn change_package(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut store = self.store();
        let key = (store.namespaces[0].name.clone(), name.to_owned());
        if let Some(package) = store.packages.get_mut(&key) {
            change(package);
        }
    }

    /// An action as it is stored, if it is; `name` or `package/name`.
    pub fn action(&self, name: &str) -> Option<Value> {
        let store = self.store();
        store.entities.actions.get(&(store.namespaces[0].name.clone(), name.to_owned())).cloned()
    }

    /// A trigger as the platform shows it, if it is there.
    pub fn trigger(&self, name: &str) -> Option<Value> {
        let store = self.store();
        store.entities.triggers.get(&(store.namespaces[0].name.clone(), name.to_owned())).map(triggers::shown)
    }

    /// A rule as the platform shows it, if it is there.
    pub fn rule(&self, name: &str) -> Option<Value> {
        let store = self.store();
        rules::shown(&store, &(store.namespaces[0].name.clone(), name.to_owned()))
    }

    /// What the alarms provider keeps of a trigger, if it does: `cron` or `minutes`, and `payload`.
    pub fn alarm(&self, trigger: &str) -> Option<Value> {
        let store = self.store();
        let alarm = store.entities.alarms.get(&(store.namespaces[0].name.clone(), trigger.to_owned()))?;
        Some(Value::Object(alarm.config.clone()))
    }

    /// Lets the alarm of a trigger go off, as the provider does when its time has come. Gives the id of the trigger's activation, if
    /// there is an alarm, and an active rule.
    pub fn ring(&self, trigger: &str) -> Option<String> {
        let name = (self.store().namespaces[0].name.clone(), trigger.to_owned());
        alarms::ring(self, &name)
    }

    /// From now on `invoker` runs the actions, each on a thread of its own; what it returns becomes the record.
    pub fn run_actions_with(&self, invoker: impl Fn(&Invocation) -> Activation + Send + Sync + 'static) {
        self.store().invoker = Some(Arc::new(invoker));
    }

    /// The time here.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn key_of(&self, namespace: &str) -> Option<String> {
        let store = self.store();
        store.namespaces.iter().find(|known| known.name == namespace).map(|known| known.key.clone())
    }

    pub(crate) fn replace_key(&self, key: &str) {
        self.store().namespaces[0].key = key.to_owned();
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }
}

fn keeps(policy: Storage, status: Status) -> bool {
    match policy {
        Storage::Always => true,
        Storage::FailuresOnly => status != Status::Success,
        Storage::FailuresNotApplicationErrors => {
            matches!(status, Status::DeveloperError | Status::WhiskError)
        }
        Storage::Never => false,
    }
}
