//! Secrets in output with colours.

use super::*;

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

/// Each with the secret `hunter2`, and `␛` for the escape character.
const FORMS: [(&str, &str); 21] = [
    ("{ password: ␛[32m'hunter2'␛[39m }", "{ password: ␛[32m'[key]'␛[39m }"),
    ("{ token: ␛[33mhunter2␛[39m, n: 1 }", "{ token: ␛[33m[key]␛[39m, n: 1 }"),
    ("password=␛[0m\"hunter2 x\" n", "password=␛[0m\"[key]\" n"),
    ("␛[36mpassword=␛[0mhunter2 ␛[36mn=␛[0m1", "␛[36mpassword=␛[0m[key] ␛[36mn=␛[0m1"),
    ("password: ␛[1;32m\"hunter2\"", "password: ␛[1;32m\"[key]\""),
    ("password: ␛[38;5;9mhunter2", "password: ␛[38;5;9m[key]"),
    ("password: ␛[38:2::9:9:9mhunter2␛[m␛[K x", "password: ␛[38:2::9:9:9m[key]␛[m␛[K x"),
    ("␛[36mpassword␛[0m=hunter2 x", "␛[36mpassword␛[0m=[key] x"),
    ("␛[36mpassword␛[0m=␛[35mhunter2␛[0m x", "␛[36mpassword␛[0m=␛[35m[key]␛[0m x"),
    ("␛[35mtoken␛[39m: hunter2", "␛[35mtoken␛[39m: [key]"),
    ("␛[3mpassword␛[0m␛[2m=␛[0m\"hunter2\" n", "␛[3mpassword␛[0m␛[2m=␛[0m\"[key]\" n"),
    ("Authorization: ␛[32mBasic hunter2␛[0m", "Authorization: ␛[32m[key]␛[0m"),
    ("got Bearer ␛[32mhunter2␛[0m x", "got Bearer ␛[32m[bearer]␛[0m x"),
    ("got Bearer␛[0m ␛[32mhunter2␛[0m x", "got Bearer␛[0m ␛[32m[bearer]␛[0m x"),
    (
        "␛[34;1m\"token\"␛[0m␛[1;39m:␛[0;32m\"hunter2\"␛[0m",
        "␛[34;1m\"token\"␛[0m␛[1;39m:␛[0;32m\"[key]\"␛[0m",
    ),
    ("{ password: [ ␛[32m'hunter2'␛[39m, ␛[33m1␛[39m ] }", "{ password: [key] }"),
    ("mysql --password ␛[1mhunter2␛[0m", "mysql --password ␛[1m[key]␛[0m"),
    ("␛[1mmysql://u:␛[0mhunter2@h", "␛[1mmysql://u:␛[0m[key]@h"),
    ("<password>␛[1mhunter2␛[0m</password>", "<password>␛[1m[key]␛[0m</password>"),
    ("at ␛[33mhunter2@example.com␛[39m", "at ␛[33m[email]␛[39m"),
    ("password: ␛␛[1mhunter2", "password: [key]"),
];

#[test]
fn colours_hide_no_secret_and_stay() {
    for (text, clean) in FORMS {
        // As it is, and as others write it in a text.
        for escape in ["\u{1b}", "\\u001b", "\\u001B", "\\\\u001b", "\\x1b", "\\033", "\\e"] {
            let [text, clean] = [text, clean].map(|text| text.replace('␛', escape));
            assert_eq!(redacted(&text), clean);
        }
    }
}

#[test]
fn colours_are_the_edges_of_secrets_that_are_known_by_their_form() {
    for (text, sign) in [
        ("10.0.0.7", "ip"),
        ("fe80::1", "ip"),
        ("4111111111111111", "card"),
        ("alice@example.com", "email"),
        ("eyJh.eyJi.Yw", "jwt"),
    ] {
        for escape in ["\u{1b}", "\\u001b"] {
            let text = format!("x {escape}[33m{text}{escape}[39mms");
            assert_eq!(redacted(&text), format!("x {escape}[33m[{sign}]{escape}[39mms"));
        }
    }
}

#[test]
fn the_secrets_of_a_coloured_json_line_are_hidden() {
    let lines = Lines { json: Some(super::json::json_rules()), ..redacting(&ALL) };
    for (text, _) in FORMS {
        let line = json!({"message": text.replace('␛', "\u{1b}"), "n": 1}).to_string();
        for json in [lines.json.clone(), None] {
            let shown = documents(&Lines { json, ..lines.clone() }, &errors(&line));
            assert!(!shown[0].2.contains("hunter2"), "{shown:?}");
        }
    }
}

#[test]
fn what_only_begins_as_a_colour_stays() {
    for text in ["\u{1b}[", "\u{1b}", "\\u001b", "\\e", "\u{1b}[1;", "a\\x1b[é", "\u{1b}[31mred\u{1b}[0m"] {
        assert_eq!(redacted(text), text);
    }
}

/// If it took time in proportion to the square of the text, this would take an hour.
#[test]
fn a_long_text_full_of_colours_is_made_unreadable_in_one_pass() {
    let signs =
        ["␛", "␛[", "␛[0", "␛[m", "␛␛[1m", "\\", "password=␛[", "=␛[m", "password␛[0m", "Bearer ␛[0m"];
    for (index, part) in FORMS.map(|(text, _)| text).iter().chain(&signs).enumerate() {
        let part = part.replace('␛', ["\u{1b}", "\\u001b", "\\e"][index % 3]);
        let text = part.repeat((256 << 10) / part.len());
        assert!(redacted(&text).len() <= text.len() * 3, "{part}");
    }
}
