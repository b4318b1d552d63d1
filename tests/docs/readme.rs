//! The pages are true: their tables are those of the code, their examples are sound, and their links and references lead somewhere.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use whiskjack::config::{Config, KEYS, KeyReader};
use whiskjack::events::{Document, Events, Form};
use whiskjack::lumberjack::Protocol;
use whiskjack::openwhisk::record::Record;

/// Folders with files that others wrote, or that programs made.
const FOREIGN: [&str; 5] = ["target", "node_modules", "corpus", "results", "__pycache__"];

#[test]
fn the_page_about_the_configuration_lists_every_key_as_the_code_has_it() {
    let mut table = String::from("| key | form | default | meaning |\n|---|---|---|---|\n");
    for key in KEYS.iter().filter(|key| key.reader != KeyReader::Ignored) {
        let default = if key.default.is_empty() { "**required**" } else { key.default };
        table.push_str(&format!("| `{}` | {} | {default} | {} |\n", key.path, key.form, key.meaning));
    }
    crate::kept::compare_or_write_part("docs/configuration.md", "keys", &table, "the keys say", "readme");
}

#[test]
fn the_page_of_numbers_shows_the_last_table_of_the_benchmarks() {
    let shown = marked("docs/numbers.md", "bench");
    let table = text(&root().join("bench/results/latest.md"));
    assert!(shown == table, "`cargo xtask bench` writes its table into docs/numbers.md, too");
}

#[test]
fn the_event_in_the_readme_is_the_one_that_the_core_writes() {
    let shown: Value = serde_json::from_str(&fenced("README.md", "event")).unwrap();
    let id = shown["@metadata"]["_id"].as_str().unwrap();
    let (_, index) = id.rsplit_once('-').unwrap();
    let entry =
        format!("{} stdout: {}", shown["@timestamp"].as_str().unwrap(), shown["message"].as_str().unwrap());
    let record = json!({
        "activationId": shown["faas"]["execution"], "namespace": "guest", "name": "checkout", "version": "0.0.3",
        "start": 1_795_961_764_300_u64, "end": 1_795_961_764_420_u64, "duration": 120,
        "annotations": [
            {"key": "path", "value": "guest/shop/checkout"}, {"key": "kind", "value": "nodejs:20"}, {"key": "waitTime", "value": 11},
            {"key": "limits", "value": {"logs": 10, "memory": 256, "timeout": 60000}}
        ],
        "logs": [entry], "response": {"status": "success", "result": {}}
    })
    .to_string();
    let record = Record::parse(record.as_bytes()).unwrap();
    let line = record.entries().next().unwrap();
    let shape =
        json!({"actions": ["shop/checkout"], "logstash": {"hosts": ["l"]}, "events": {"shape": "ecs"}});
    let config = Config::parse(shape.to_string().as_bytes(), None).unwrap();
    let form = Form::of(&config.documents, Protocol::V2, Some("/guest/logs/forwarder"), 1_795_961_820_000);
    let mut event = Vec::new();
    Events::of(&record, &form).write(Document::plain(index.parse().unwrap(), line), &mut event);
    assert_eq!(shown, serde_json::from_slice::<Value>(&event).unwrap());
}

#[test]
fn the_readme_is_short() {
    let lines = text(&root().join("README.md")).lines().count();
    assert!(lines < 150, "{lines} lines: a page in docs/ has more room");
}

#[test]
fn each_configuration_in_the_pages_is_sound() {
    let mut examples = 0;
    for page in pages() {
        let content = text(&page);
        for language in ["json", "yaml"] {
            for block in content.split(&format!("```{language}\n")).skip(1) {
                let example = block.split("```").next().unwrap();
                let file = whiskjack_config_file::read("example", example.as_bytes(), &|_| None)
                    .unwrap_or_else(|faults| panic!("{}: {faults:?}\n{example}", page.display()));
                Config::parse(&serde_json::to_vec(&file.params).unwrap(), None)
                    .unwrap_or_else(|faults| panic!("{}: {faults:?}\n{example}", page.display()));
                examples += 1;
            }
        }
    }
    assert!(examples >= 2, "there is one of each language");
}

#[test]
fn each_link_of_a_page_leads_to_a_place_that_exists() {
    let mut broken = Vec::new();
    for page in pages() {
        for link in links(&text(&page)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let is_anchor = || anchors_of(&text(&target)).contains(anchor);
            if !target.exists() || !anchor.is_empty() && !is_anchor() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Such as `docs/facts/openwhisk.md 1.3–1.5, 1.8` in a comment, which may be broken into two lines.
#[test]
fn each_section_of_the_facts_that_is_named_exists() {
    let (mut broken, mut named) = (Vec::new(), 0);
    for file in files(&root()) {
        let content = joined(&text(&file));
        for (at, _) in content.match_indices("facts/") {
            let (before, rest) = (&content[..at], &content[at + "facts/".len()..]);
            let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
            let Some(rest) = rest[letters..].strip_prefix(".md") else { continue };
            let name = format!("docs/facts/{}.md", content[at + "facts/".len()..].split_at(letters).0);
            let is_page = file.extension().is_some_and(|extension| extension == "md");
            let facts = fs::read_to_string(root().join(&name)).unwrap_or_default();
            let missing = sections(rest).into_iter().find(|number| !has_section(&facts, number));
            if facts.is_empty() || missing.is_some() || !is_page && !before.ends_with("docs/") {
                let section = missing.unwrap_or_default();
                broken.push(format!("{}: {}facts/… for {name} {section}", file.display(), tail(before)));
            }
            named += 1;
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(named > 50, "only {named} were found");
}

#[test]
fn each_page_that_a_file_names_by_its_path_exists() {
    let mut broken = Vec::new();
    for file in files(&root()) {
        let content = text(&file);
        for (at, _) in content.match_indices("docs/") {
            let end = |c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c));
            let path = &content[at..at + content[at..].find(end).unwrap_or(content.len() - at)];
            let path = path.trim_end_matches('.');
            let of_others =
                content[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "/:-…".contains(c));
            if path.ends_with(".md") && !of_others && !is_of_others(&file) && !root().join(path).exists() {
                broken.push(format!("{}: {path}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// `…` stands for names and numbers.
#[test]
fn each_message_that_the_page_on_troubleshooting_quotes_is_one_of_the_code() {
    let folders = ["src", "host-shim/src", "wasi-command", "config-file/src"];
    let code: String = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .map(|file| unbroken(&text(&file)))
        .collect();
    let mut quoted = 0;
    for row in text(&root().join("docs/troubleshooting.md")).lines().filter(|line| line.starts_with("| `")) {
        let message = row.split('`').nth(1).unwrap();
        for part in message.split('…') {
            assert!(code.contains(part.trim()), "{message}: no message of the code has {part:?}");
        }
        quoted += 1;
    }
    assert!(quoted > 5, "only {quoted} messages were found");
}

/// The text with each literal that goes over lines in one piece.
fn unbroken(content: &str) -> String {
    let mut pieces = content.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| all + piece.trim_start())
}

/// Such as `src/events/mod.rs`: the list of files to touch is only of use while it is true.
#[test]
fn each_file_and_folder_that_the_page_for_contributors_names_exists() {
    let page = text(&root().join("CONTRIBUTING.md"));
    let named: Vec<&str> = prose(&page)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|code| code.contains('/'))
        .collect();
    let missing: Vec<&&str> = named.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(named.len() > 30, "only {} were found", named.len());
}

#[test]
fn the_glossary_is_sorted_and_has_each_word_once() {
    let page = text(&root().join("docs/glossary.md"));
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let words: Vec<String> = rows.map(|row| row.split('|').nth(1).unwrap().trim().to_lowercase()).collect();
    for pair in words.windows(2) {
        assert!(pair[0] < pair[1], "{:?} stands before {:?}", pair[0], pair[1]);
    }
    assert!(words.len() > 50, "only {} were found", words.len());
}

/// The result is made of these structs, field by field.
#[test]
fn the_page_about_events_names_each_key_of_the_result() {
    let page = text(&root().join("docs/events.md"));
    let report = files(&root().join("src")).into_iter().map(|file| text(&file));
    let report = report.into_iter().find(|code| code.contains("struct RunResult {")).unwrap();
    let mut keys = 0;
    for part in ["RunResult", "Lines", "Left", "ActionResult"] {
        let (_, fields) = report.split_once(&format!("struct {part} {{\n")).unwrap();
        let fields = fields.split_once("\n}").unwrap().0;
        let shown = fields.split("#[serde(skip)]\n").enumerate();
        let shown =
            shown.map(|(index, part)| if index == 0 { part } else { part.split_once('\n').unwrap().1 });
        let fields =
            shown.flat_map(str::lines).filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
        for key in fields.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            let is_named = [format!("`{key}`"), format!(".{key}`")].iter().any(|name| page.contains(name));
            assert!(is_named || ["lines", "left"].contains(&key), "docs/events.md does not name `{key}`");
            keys += 1;
        }
    }
    assert!(keys > 20, "only {keys} were found");
}

#[test]
fn the_index_of_decisions_has_each_of_them_with_its_date() {
    let index = text(&root().join("docs/decisions/README.md"));
    let listed: BTreeSet<String> =
        index.lines().filter_map(|row| row.strip_prefix("| [")).map(str::to_owned).collect();
    let mut written = 0;
    for page in files(&root().join("docs/decisions")).iter().filter(|page| !page.ends_with("README.md")) {
        for decision in text(page).split("\n## ").skip(1) {
            let (id, rest) = decision.split_once("\n\n*").unwrap();
            let (date, _) = rest.split_once(".* **").unwrap();
            let file = page.file_name().unwrap().to_string_lossy();
            let row = format!("{id}]({file}#{}) | {date} | ", id.to_lowercase());
            assert!(listed.iter().any(|listed| listed.starts_with(&row)), "the index lacks {row}");
            written += 1;
        }
    }
    assert_eq!(written, listed.len(), "the index names decisions that are not there");
}

/// The facts name files of other repositories.
fn is_of_others(file: &Path) -> bool {
    file.starts_with(root().join("docs/facts"))
}

/// What stands between the marks of a part of a page that a test compares.
pub(crate) fn marked(page: &str, part: &str) -> String {
    let content = text(&root().join(page));
    let begin = format!("<!-- {part}: checked by tests/docs/readme.rs -->\n");
    let (_, rest) = content.split_once(&begin).unwrap_or_else(|| panic!("{page} has no {begin}"));
    rest.split_once(&format!("<!-- /{part} -->")).unwrap().0.to_owned()
}

/// The block of code between such marks.
fn fenced(page: &str, part: &str) -> String {
    let block = marked(page, part);
    let (_, rest) = block.split_once("```").unwrap();
    let (_, code) = rest.split_once('\n').unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page of the repository, in Markdown.
fn pages() -> Vec<PathBuf> {
    let mut pages = files(&root());
    pages.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    pages
}

/// Every file of ours that holds text.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().unwrap();
        let is_hidden = name.starts_with('.') && name != ".github" && name != ".ci";
        if kind.is_dir() && !is_hidden && !FOREIGN.contains(&&*name) && path != root().join("dist") {
            found.extend(files(&path));
        } else if kind.is_file() && fs::read_to_string(&path).is_ok() {
            found.push(path);
        }
    }
    found
}

/// The text with its comments in one line each, so that a reference may be broken.
fn joined(content: &str) -> String {
    let lines = content.lines().map(|line| {
        let line = line.trim_start();
        let comment = ["///", "//!", "//", "#"].iter().find_map(|sign| line.strip_prefix(sign));
        comment.unwrap_or(line).trim()
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(40)).collect()
}

/// The numbers behind the name of a page: of ` 1.3–1.5, 1.8` the numbers 1.3, 1.5 and 1.8.
fn sections(rest: &str) -> Vec<&str> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut found = Vec::new();
    let mut left = rest.strip_prefix(' ');
    while let Some(text) = left {
        let whole = digits(text);
        let part = text[whole..].strip_prefix('.').map_or(0, digits);
        let (number, behind) = text.split_at(if part > 0 { whole + 1 + part } else { whole });
        if whole == 0 {
            break;
        }
        found.push(number);
        left = [", ", " and ", "–"].iter().find_map(|sign| behind.strip_prefix(sign));
    }
    found
}

/// Whether the page has `## 7. Title` for 7, or `### 7.1 Title` for 7.1.
fn has_section(page: &str, number: &str) -> bool {
    let heading = if number.contains('.') { format!("### {number} ") } else { format!("## {number}. ") };
    page.lines().any(|line| line.starts_with(&heading))
}

/// The lines of a page that are not code.
fn prose(content: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    content.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Links to files and places of this repository.
fn links(content: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(content) {
        // Between two marks is code.
        let line: String = line.split('`').step_by(2).collect();
        for link in line.split("](").skip(1) {
            let target = link.split_once(')').unwrap_or((link, "")).0;
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push(target.to_owned());
            }
        }
    }
    found
}

/// What may stand behind `#` in a link to this page.
fn anchors_of(content: &str) -> BTreeSet<String> {
    let named = content.split("<a id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let mut anchors: BTreeSet<String> = named.collect();
    for heading in prose(content).filter(|line| line.starts_with('#')) {
        let title = heading.trim_start_matches('#').trim();
        let shown = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = shown.flat_map(char::to_lowercase).collect::<String>().replace(' ', "-");
        let repeats = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(repeats).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}
