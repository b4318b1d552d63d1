//! Inputs that several properties are about.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// How many inputs a property is tried with.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    // A failing input is printed; a file with it would be left in the tree.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts that look like the structure around them, and any others.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r#"[\[\]{}",:\\ n]{0,12}"#]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(text(), inner, 0..6).prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

pub(crate) fn object() -> impl Strategy<Value = Value> {
    btree_map(text(), value(), 0..6).prop_map(|object| Value::Object(object.into_iter().collect()))
}

/// Bytes of all kinds: random ones, and such as a body has.
pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..200), vec(select(b"[]{}\",\\: \na1".as_slice()), 0..200)]
}

/// `whole` in pieces, some of them empty.
pub(crate) fn cut<'a>(whole: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
    ends.push(whole.len());
    ends.sort_unstable();
    let begins = std::iter::once(0).chain(ends.iter().copied());
    begins.zip(&ends).map(|(begin, end)| &whole[begin..*end]).collect()
}
