//! Inputs that once led to a new place in the code, or to a fault: all of them must hold for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is how a test fails"
)]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use whiskjack_fuzz::TARGETS;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn kept_inputs_hold(target: &str) {
    let (_, try_with) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let files = files(&here("corpus").join(target));
    assert!(files.len() > 5, "the inputs of {target} are gone");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(catch_unwind(|| try_with(&bytes)).is_ok(), "{} does not hold", file.display());
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
fn every_target_has_its_folder_and_every_folder_its_target() {
    let folders = files(&here("corpus"));
    let names: Vec<&str> =
        folders.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, TARGETS.map(|(name, _)| name));
}
