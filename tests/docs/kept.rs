//! Files, and parts of pages, that are kept and made by a test: it compares what is kept, and writes it anew where the environment says so.

use std::path::Path;

/// Set, it makes the test write the file instead of comparing it.
const UPDATE: &str = "WHISKJACK_UPDATE";

/// The part `part` of a page, between its two marks, must be what was `made` of `source` by the test program `test`.
#[track_caller]
pub(crate) fn compare_or_write_part(page: &str, part: &str, made: &str, source: &str, test: &str) {
    let content = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let kept = crate::readme::marked(page, part);
    // What stands there once more is not between these marks.
    let mark = format!("<!-- {part}: checked by tests/docs/readme.rs -->\n");
    let whole = content.replacen(&format!("{mark}{kept}"), &format!("{mark}{made}"), 1);
    compare_or_write(page, &whole, source, test);
}

/// The file at `path` must be what was `made` of `source` by the test program `test`.
#[track_caller]
pub(crate) fn compare_or_write(path: &str, made: &str, source: &str, test: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "{path} is not what {source}: run `{UPDATE}=1 cargo test --test docs {test}`");
}
