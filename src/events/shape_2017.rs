//! The shape of the forwarder of 2017: the entry as it is, in one field, and its origin.

use super::{Own, Subject, write_number};
use crate::lumberjack::Common;
use crate::openwhisk::record::write_json_string;

/// What all documents of a record say: before the time, between it and the line's number, and behind the line. With `package`, the action's package
/// too, if there is one; `id` is that of the lines, but for their number.
pub(super) fn common(subject: &Subject<'_>, package: bool, id: &str, added: &str) -> Common {
    // `beat` and `version` are in the index name of usual pipelines, `_id` serves as document id (docs/facts/lumberjack.md 4).
    const METADATA: &str = concat!(
        r#"","@metadata":{"beat":""#,
        env!("CARGO_PKG_NAME"),
        r#"","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#"","_id":""#
    );
    let mut tail = Vec::new();
    write_tail(subject, package, &mut tail);
    tail.extend_from_slice(added.as_bytes());
    tail.push(b'}');
    Common::new(br#"{"@timestamp":""#, &[METADATA, id].concat().into_bytes(), &tail)
}

fn write_tail(subject: &Subject<'_>, package: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","activation":""#);
    out.extend_from_slice(subject.id.to_string().as_bytes());
    out.extend_from_slice(br#"","action":"#);
    write_json_string(subject.name, out);
    out.extend_from_slice(br#","namespace":"#);
    write_json_string(subject.namespace, out);
    if let Some(package) = subject.package().filter(|_| package) {
        out.extend_from_slice(br#","package":"#);
        write_json_string(package, out);
    }
}

/// The line's number, and what stands behind it. With `sequence`, the number once more.
pub(super) fn write_own(own: &Own<'_>, sequence: bool, out: &mut Vec<u8>) {
    write_number(own.index, out);
    out.extend_from_slice(br#""},"line":"#);
    own.text.write_json(out);
    if sequence {
        out.extend_from_slice(br#","sequence":"#);
        write_number(own.index, out);
    }
}

/// The same for version 1, in the order of the forwarder of 2017.
pub(super) fn pairs(subject: &Subject<'_>, package: bool) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("activation", subject.id.to_string()),
        ("action", subject.name.to_string()),
        ("namespace", subject.namespace.to_string()),
    ];
    pairs.extend(subject.package().filter(|_| package).map(|package| ("package", package.to_owned())));
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
