//! Inputs that once led to a new place in the code, or to a fault: all of them must hold for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

#[path = "../corpus/read.rs"]
mod read;

use std::collections::HashSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use whiskjack_fuzz::TARGETS;

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}

fn kept_inputs_hold(target: &str) {
    let (_, try_with) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let archive = fs::read_to_string(corpus().join(target).with_extension("txt")).unwrap();
    let inputs = read::inputs(&archive).unwrap_or_else(|error| panic!("{target}.txt: {error}"));
    assert!(inputs.len() > 5, "the inputs of {target} are gone");
    let mut names = HashSet::new();
    for (name, bytes) in &inputs {
        assert!(names.insert(name), "{target}.txt: {name} is there twice");
        assert!(catch_unwind(|| try_with(bytes)).is_ok(), "{target}.txt: {name} does not hold");
    }
}

#[test]
fn whatever_receivers_answer_and_do_only_what_they_acknowledged_is_settled() {
    kept_inputs_hold("acks");
}

#[test]
fn any_stored_checkpoint_is_refused_or_gone_on_from() {
    kept_inputs_hold("checkpoint");
}

#[test]
fn any_parameters_are_a_configuration_or_faults_without_secrets() {
    kept_inputs_hold("config");
}

#[test]
fn any_texts_become_events_that_are_read_as_they_were() {
    kept_inputs_hold("events");
}

#[test]
fn any_bytes_on_the_wire_are_windows_or_refused_and_events_come_as_they_were_sent() {
    kept_inputs_hold("frames");
}

#[test]
fn any_list_is_cut_into_records_alike_and_refused_without_its_text() {
    kept_inputs_hold("record");
}

#[test]
fn every_target_has_its_archive_and_every_archive_its_target() {
    let listed =
        fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut archives: Vec<String> = listed.filter(|name| name != "read.rs").collect();
    archives.sort();
    assert_eq!(archives, TARGETS.map(|(name, _)| format!("{name}.txt")));
}

#[test]
fn each_entry_is_in_one_document_however_it_is_treated() {
    kept_inputs_hold("lines");
}
