//! The shape of the forwarder of 2017: the entry as it is, in one field, and its origin.

use super::{Own, Subject, write_number};
use crate::openwhisk::record::write_json_string;

/// What follows the line. With `package`, that of the action too, if there is one.
pub(super) fn write_tail(subject: &Subject<'_>, package: bool, out: &mut Vec<u8>) {
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

/// What stands behind the line's number. With `sequence`, the number once more.
pub(super) fn write_own(own: &Own<'_>, sequence: bool, out: &mut Vec<u8>) {
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
