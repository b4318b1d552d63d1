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
        ("order 12 5500 0000 0000 0004", "order 12 [card]"),
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
fn secrets_are_known_by_the_name_before_them_however_they_are_written() {
    for (text, clean) in [
        // Lists and objects, which stay JSON.
        (r#"{"set-cookie": ["a=1; Path=/","b=]2"], "n": 1}"#, r#"{"set-cookie": "[key]", "n": 1}"#),
        (r#"{"password": {"a":{"b":"x}"}}, "n": 1}"#, r#"{"password": "[key]", "n": 1}"#),
        (r#"{\"token\":[\"a\",\"b]\"],\"n\":1}"#, r#"{\"token\":\"[key]\",\"n\":1}"#),
        (r#"{"token":1,"n":2}"#, r#"{"token":"[key]","n":2}"#),
        (r#"{"t":"token=","u":"v"}"#, r#"{"t":"token=","u":"v"}"#),
        (r#"{"password":"}x"}"#, r#"{"password":"[key]"}"#),
        (r#"{"a":4111111111111111}"#, r#"{"a":"[card]"}"#),
        (r#"{"a":"x\nbob@example.com"}"#, r#"{"a":"x\n[email]"}"#),
        // Heads of HTTP.
        ("Cookie: sid=a; b=c\nHost: x", "Cookie: [key]\nHost: x"),
        ("Authorization: Negotiate YIIabc==", "Authorization: [key]"),
        (
            r#"-H "Authorization: Digest username=\"bob\", response=\"e966\"" -H "Accept: *""#,
            r#"-H "Authorization: [key]" -H "Accept: *""#,
        ),
        (r#"'Proxy-Authorization: AWS4 Credential=a/b, Signature=c' x"#, "'Proxy-Authorization: [key]' x"),
        ("Authorization=ApiKey abcdef99 user=x", "Authorization=[key] user=x"),
        // Signs between names and values, and in values.
        ("Password:\tabc x", "Password:\t[key] x"),
        ("password=hun,ter2 user=x", "password=[key] user=x"),
        ("password=a,user=b, c", "password=[key],user=b, c"),
        ("password='hun''ter2' x", "password='[key]' x"),
        ("user[password]=a&login[token][0]=b", "user[password]=[key]&login[token][0]=[key]"),
        ("<password>abc</password><n>1</n>", "<password>[key]</password><n>1</n>"),
        (
            "mysql --password hunter2 --db-password=x --verbose",
            "mysql --password [key] --db-password=[key] --verbose",
        ),
        ("Bearer\tabc123456 and Bearer: \"abc123456\"", "Bearer\t[bearer] and Bearer: \"[bearer]\""),
        ("q=Bearer%20abc123456", "q=Bearer%20[bearer]"),
        (r"http:\/\/u:p@h and http://u@h", r"http:\/\/u:[key]@h and http://u@h"),
        ("eyJh.eyJi.Yw.ZA.ZQ. Then", "[jwt]. Then"),
        (
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----[key]-----END PGP PRIVATE KEY BLOCK-----",
        ),
        ("1.2.3.4:80:5.6.7.8", "[ip]:80:[ip]"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn the_lines_of_a_private_key_are_hidden_one_by_one_and_no_others() {
    let mut entries = Vec::new();
    for line in [
        "before",
        "key: -----BEGIN RSA PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "",
        "MIIEpAIBAAKCAQEA7bq+/=",
        "-----END RSA PRIVATE KEY-----",
        "after",
        "-----BEGIN PRIVATE KEY-----",
        "MIIB",
        "cut off: it goes on with something else",
        "MIIB",
    ] {
        entries.push(entry("stdout", line));
        entries.push(entry("stderr", "healthy"));
    }
    let shown = documents(&redacting(&ALL), &entries);
    let texts: Vec<&str> =
        shown.iter().map(|(_, _, text)| text.as_str()).filter(|text| *text != "healthy").collect();
    let expected = [
        "before",
        "key: -----BEGIN RSA PRIVATE KEY-----",
        "[key]",
        "",
        "[key]",
        "-----END RSA PRIVATE KEY-----",
        "after",
        "-----BEGIN PRIVATE KEY-----",
        "[key]",
        "cut off: it goes on with something else",
        "MIIB",
    ];
    assert_eq!((texts.as_slice(), shown.len()), (expected.as_slice(), 22));
}

/// If it took time in proportion to the square of the text, this would take an hour.
#[test]
fn a_long_text_full_of_secrets_is_made_unreadable_in_one_pass() {
    for part in [
        "token=abc ",
        "Authorization: Bearer abcdef, ",
        "Cookie: a=b; c=d\n",
        "Bearer ",
        "basic ",
        "Bearer abc123 ",
        r#"{"id":1,"token":"abcdef","user":"u1@example.com"},"#,
        "a@b.cc ",
        "a@",
        "1.2.3.4:",
        "::1 ",
        "4111 1111 1111 1111 ",
        "4 ",
        "eyJ",
        "eyJ.",
        "eyJ.a.b ",
        "://",
        "://a:b@",
        ":\\/\\/",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "--password ",
        "--password x",
        "password=[",
        "token=\"",
        "token='",
        "token=\\",
        "=",
        "[token]=",
        "<token>",
        "Cookie: a=\"",
        "password=a(",
        "password=a(\"",
        "password: A {'",
        "password=a('",
        "password=#<",
        "password=<<\"",
        "password=b'",
        "password: A \"",
        "token: basic \"",
        "['-p', '",
        "\"token\",",
        "(token,\"",
        "'--token','",
        "<token>a<",
        "<token a=''>",
        "<token><![CDATA[",
        "<token a='",
        "tokens=7 ",
        "password=[\"']",
        "password={'\\\"",
    ] {
        let text = part.repeat((256 << 10) / part.len());
        assert!(redacted(&text).len() <= text.len() * 3, "{part}");
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

#[test]
fn a_line_that_was_cut_does_not_end_with_the_half_of_a_secret() {
    let long = format!("{}bob@example.com {}bob@ex", "x ".repeat(20 << 10), "x ".repeat(15 << 10));
    for text in [long.clone(), format!("{{{long}")] {
        let mut lines = redacting(&ALL);
        lines.json = Some(Json { add_error_key: true, ..super::json::json_rules() });
        let treatment = Treatment::new(&lines);
        let mut shown = Vec::new();
        let mut take = |document: Document<'_>| {
            let line = document.line.text();
            shown.push(document.parsed.map_or_else(|| line.into_owned(), |parsed| parsed.message.clone()));
            true
        };
        let mut reading = Reading::new(&treatment, None, 0, true);
        assert!(reading.entry(0, Line::of_text(&text, false, true), &mut take));
        assert!(!shown[0].contains('@') && shown[0].len() > 30 << 10, "{}", shown[0].len());
    }
}
