//! Redaction of secrets.

use super::*;

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&ALL).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

#[test]
fn secrets_are_known_by_their_form() {
    for (text, clean) in [
        ("mail to jörg.o'neil+x@mail.example.co.uk.", "mail to [email]."),
        ("user@localhost and @handle stay", "user@localhost and @handle stay"),
        ("from 10.0.0.7:8080 to 256.1.1.1", "from [ip]:8080 to 256.1.1.1"),
        ("from 2001:db8::7, ::1 and fe80::1", "from [ip], [ip] and [ip]"),
        ("at 12:34:56 in v1.2.3 of std::fmt", "at 12:34:56 in v1.2.3 of std::fmt"),
        ("Authorization: Bearer abc.DEF-123", "Authorization: [key]"),
        ("got bearer abcdef123 there", "got bearer [bearer] there"),
        (
            "Basic authentication failed for basic dXNlcjpwdw==",
            "Basic authentication failed for basic [bearer]",
        ),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "token [jwt] here"),
        ("card 4111 1111 1111 1111 or 4111-1111-1111-1111", "card [card] or [card]"),
        (
            "card 4111111111111112 and order 12345678901234567890",
            "card 4111111111111112 and order 12345678901234567890",
        ),
        ("order 12 5500 0000 0000 0004", "order [card]"),
        ("DB_PASSWORD=hunter2; next", "DB_PASSWORD=[key]; next"),
        ("{\"api_key\": \"a\\\"b\", \"n\": 1}", "{\"api_key\": \"[key]\", \"n\": 1}"),
        ("{\\\"secret\\\":\\\"x y\\\",\\\"n\\\":1}", "{\\\"secret\\\":\\\"[key]\\\",\\\"n\\\":1}"),
        ("password: 'it is long' and token => abc)", "password: '[key]' and token => [key])"),
        ("postgres://shop:hunter2@db/orders", "postgres://shop:[key]@db/orders"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----[key]-----END PRIVATE KEY-----",
        ),
        ("tokens: 7, monkey=1, secretary: Ann", "tokens: 7, monkey=1, secretary: Ann"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn patterns_of_ones_own_are_replaced_as_they_say() {
    let redaction = Redaction::Pattern { pattern: "cust-[0-9]+".into(), with: "$0 CUSTOMER".into() };
    let lines = Lines { redact: vec![redaction], ..Lines::default() };
    assert_eq!(documents(&lines, &errors("cust-12 and cust-7"))[0].2, "$0 CUSTOMER and $0 CUSTOMER");
}

/// However it is wrapped, joined, cut by Docker or put into JSON.
#[test]
fn no_secret_is_left_in_a_document() {
    const SECRETS: [&str; 7] = [
        "alice@example.com",
        "203.0.113.7",
        "2001:db8::dead:beef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "4111111111111111",
        "Bearer s3cr3t-t0ken",
        "password=hunter2hunter2",
    ];
    let words = [
        "", " ", "a", "(", ")", "\"", "'", ": ", "é", ", ", "x=", "[", "]", "<", ">", "\t", "https://", "/",
        "  at ", "end.",
    ];
    for seed in 1..2_000 {
        let mut chance = Chance(seed);
        let secret = chance.one(&SECRETS);
        // A sign before and after, as a secret inside of a word is none.
        let signs = [" ", "(", "\"", "<", ",", "\t", "="];
        let text = format!(
            "{}{}{secret}{}{}",
            chance.one(&words),
            chance.one(&signs),
            [" ", ")", "\"", ">", ",", ";"][chance.below(6)],
            chance.one(&words)
        );
        let hidden = secret.rsplit([' ', '=']).next().unwrap();
        let mut lines = redacting(&ALL);
        let entries = match chance.below(4) {
            0 => errors(&text),
            1 => {
                lines.multiline = multiline(By::Auto).multiline;
                errors(&format!("ERROR\nTraceback (most recent call last):\n  {text}\nE: x"))
            }
            2 => {
                // Docker cuts somewhere in it.
                let begin = (16 << 10) - chance.below(text.len().min(16 << 10));
                let whole = format!("{}{text}", "y ".repeat(8 << 10).get(..begin).unwrap());
                let cut = (0..=(16 << 10)).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
                if cut == 16 << 10 && whole.len() > cut {
                    vec![entry("stdout", &whole[..cut]), entry("stdout", &whole[cut..])]
                } else {
                    errors(&text)
                }
            }
            _ => {
                lines.json = Some(Json {
                    target: None,
                    overwrite_keys: false,
                    add_error_key: true,
                    message_key: None,
                    expand_keys: true,
                });
                errors(&json!({"message": text, "user": {"note": [text]}, "n": 1}).to_string())
            }
        };
        let treatment = Treatment::new(&lines);
        let mut reading = Reading::new(&treatment, None, 0, true);
        let mut take = |document: Document<'_>| {
            let shown = document
                .parsed
                .map_or_else(|| document.line.text().into_owned(), |parsed| format!("{parsed:?}"));
            assert!(!shown.contains(hidden), "seed {seed}: {shown}");
            true
        };
        read_all(&mut reading, &entries, &mut take);
    }
}
