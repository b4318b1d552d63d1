//! Secrets in wrappers, lists, tags and quotes, and under names in the plural.

use super::json::{json_rules, parsed_with};
use super::*;

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&[Secret::Key]).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

#[test]
fn a_wrapper_hides_no_secret() {
    for (text, clean) in [
        // Rust, Swift, Scala, Haskell, Java, Kotlin, C#.
        (r#"password: Some("hunter2"), n: 1"#, "password: [key], n: 1"),
        (r#"password: Some("a \") b"), n: 1"#, "password: [key], n: 1"),
        (r#"password: Ok(Some(Secret { inner: "x y" })), n: 1"#, "password: [key], n: 1"),
        (r#"password: Secret { inner: "x y" }, n: 1"#, "password: [key], n: 1"),
        (r#"token: String("x y") }"#, "token: [key] }"),
        (r#"token = std::string::String("x y"); next"#, "token = [key]; next"),
        (r#"token = Just "x y", n = 1"#, "token = [key], n = 1"),
        ("Login(password=Secret(it is long), n=1)", "Login(password=[key], n=1)"),
        ("Login[password=Optional[x y], n=1]", "Login[password=[key], n=1]"),
        ("password: (\"a\", 'b'), n: 1", "password: [key], n: 1"),
        ("password=${DB_PASSWORD} n=1", "password=[key] n=1"),
        (r#"password := &"x y"; n"#, "password := [key]; n"),
        ("password == x n, token:=x", "password == [key] n, token:=[key]"),
        // Python, JavaScript, Ruby, Erlang.
        ("{'password': b'x y', 'n': 1}", "{'password': [key], 'n': 1}"),
        (r"{'password': b'it\'s', 'n': 1}", "{'password': [key], 'n': 1}"),
        ("{'password': SecretStr('x y'), 'n': 1}", "{'password': [key], 'n': 1}"),
        ("{ password: <Buffer 68 75 6e>, n: 1 }", "{ password: [key], n: 1 }"),
        ("{ token: new Secret('x y'), n: 1 }", "{ token: [key], n: 1 }"),
        (r#"{:password=>#<Secret @value="x>y">, :n=>1}"#, "{:password=>[key], :n=>1}"),
        (r#"#{password => <<"x y">>,n => 1}"#, "#{password => [key],n => 1}"),
        // A scheme whose token is in quotes, and heads.
        (r#"token: Bearer "x y" n"#, "token: [key] n"),
        (r#"token: bearer "x y" n"#, "token: [key] n"),
        (r#"Authorization: Some("Basic x") n"#, "Authorization: [key] n"),
        ("'Authorization': b'Basic x', n", "'Authorization': [key], n"),
        // As text of JSON.
        (r#"{"m":"password: Some(\"x y\"), n: 1"}"#, r#"{"m":"password: [key], n: 1"}"#),
        (r#"{"m":"{'password': b'x y'}","n":1}"#, r#"{"m":"{'password': [key]}","n":1}"#),
        (r#"{"m":"password=b","n":"x"}"#, r#"{"m":"password=[key]","n":"x"}"#),
        (r#"{"m":"password=Abc","n":"x"}"#, r#"{"m":"password=[key]","n":"x"}"#),
        // A value that is cut, and a bracket that is a part of one.
        (r#"password: Some("x y"#, "password: [key]"),
        ("password=hun(ter2 user=bob n=(1)", "password=[key] user=bob n=(1)"),
        ("password=hun{ter2\nuser=bob }", "password=[key]\nuser=bob }"),
        // No value.
        ("password: Some(", "password: [key]"),
        ("<a>password: </a>", "<a>password: </a>"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn the_item_behind_the_name_of_a_secret_is_hidden_in_a_list() {
    for (text, clean) in [
        (r#"["mysql","--password","x y","-v"]"#, r#"["mysql","--password","[key]","-v"]"#),
        ("['mysql', '--password', 'x y', '-v']", "['mysql', '--password', '[key]', '-v']"),
        ("['mysql', '-p', 'x y', '-v']", "['mysql', '-p', '[key]', '-v']"),
        (r#"["mysql" "--password" "x y" "-v"]"#, r#"["mysql" "--password" "[key]" "-v"]"#),
        ("[mysql, --password, x, -v]", "[mysql, --password, [key], -v]"),
        ("[mysql --password x]", "[mysql --password [key]]"),
        ("[(b'host', b'h'), (b'cookie', b'a=1; b=2')]", "[(b'host', b'h'), (b'cookie', [key])]"),
        ("[ 'Authorization', 'Basic x', 'Host', 'h' ]", "[ 'Authorization', '[key]', 'Host', 'h' ]"),
        (r#"[\"--password\",\"x y\"]"#, r#"[\"--password\",\"[key]\"]"#),
        (r#"["db.password","x y"] ["token",	"x y"]"#, r#"["db.password","[key]"] ["token",	"[key]"]"#),
        (r#"[\"token\",\"x y\"] {"token", "x y"}"#, r#"[\"token\",\"[key]\"] {"token", "[key]"}"#),
        (r#"[(b'token', b"it's")] [token, "x y"]"#, r#"[(b'token', [key])] [token, "[key]"]"#),
        ("a --db-password x --db_password y z", "a --db-password [key] --db_password [key] z"),
        (r#"{password,"x y"}"#, r#"{password,"[key]"}"#),
        (r#"(:api_key, "x y")"#, r#"(:api_key, "[key]")"#),
        (r#"{password,<<"x y">>}"#, "{password,[key]}"),
        // Not behind a value, and no name of a member.
        (r#"{"type":"password","n":"x"}"#, r#"{"type":"password","n":"x"}"#),
        (r#"{"option":"--password","n":"x"}"#, r#"{"option":"--password","n":"x"}"#),
        (r#"{"option":"--password","n" : "x"}"#, r#"{"option":"--password","n" : "x"}"#),
        (r#"[-p, "x y"]"#, r#"[-p, "x y"]"#),
        ("['--password', '--verbose']", "['--password', '--verbose']"),
        ("the password, \"x\", is wrong", "the password, \"x\", is wrong"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn a_tag_hides_no_secret_in_attributes_cdata_or_inner_tags() {
    for (text, clean) in [
        (r#"<password type="x">y</password>"#, r#"<password type="x">[key]</password>"#),
        (
            "<password type='x'><![CDATA[y<z]]></password><n>1</n>",
            "<password type='x'>[key]</password><n>1</n>",
        ),
        ("<password><![CDATA[y]]></password>", "<password>[key]</password>"),
        (
            "<wsse:Password Type=\"#Text\">y</wsse:Password>",
            "<wsse:Password Type=\"#Text\">[key]</wsse:Password>",
        ),
        (
            "<secret id=\"1\">\n  <value>y</value>\n</secret><n>1</n>",
            "<secret id=\"1\">[key]</secret><n>1</n>",
        ),
        (r#"<token hint="token=a">y</token>"#, r#"<token hint="token=[key]">[key]</token>"#),
        (r"<password type='x'>y<\/password>", r"<password type='x'>[key]<\/password>"),
        ("<password type='x'><![CDATA[y ", "<password type='x'>[key]"),
        ("<password><![CDATA[y]]> n", "<password>[key] n"),
        (r#"<password type="a>b">y</password>"#, r#"<password type="a>b">[key]</password>"#),
        (r#"<db_password a="b">x</db_password>"#, r#"<db_password a="b">[key]</db_password>"#),
        (
            "<api-key a='b'>x</api-key><db.secret a='b'>x</db.secret>",
            "<api-key a='b'>[key]</api-key><db.secret a='b'>[key]</db.secret>",
        ),
        ("<password type='x'/> n", "<password type='x'/> n"),
        ("<password type='x'/><n>1</n>", "<password type='x'/><n>1</n>"),
        ("<password type='x'></password>", "<password type='x'></password>"),
        ("<password type='a>b'>y</password>", "<password type='a>b'>[key]</password>"),
        ("<n type='password'>1</n>", "<n type='password'>1</n>"),
        ("a <password b c", "a <password b c"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn a_bracket_in_quotes_ends_no_value() {
    for (text, clean) in [
        ("{'password': {'a':'}','b':'hunter2'}, 'n': 1}", "{'password': [key], 'n': 1}"),
        ("{'tokens': ['a]', b']', \"b]\"], 'n': 1}", "{'tokens': [key], 'n': 1}"),
        ("password=[it's, x] n=1", "password=[key] n=1"),
        ("password=[x 'y] n=1", "password=[key] n=1"),
    ] {
        assert_eq!(redacted(text), clean, "{text}");
    }
}

#[test]
fn a_name_in_the_plural_hides_its_values_but_no_count() {
    for name in [
        "tokens",
        "secrets",
        "apiKeys",
        "api_keys",
        "accessTokens",
        "ACCESS_TOKENS",
        "cookies",
        "passcodes",
        "privateKeys",
        "sessionIds",
    ] {
        assert_eq!(redacted(&format!("x.{name}=a,b n=1")), format!("x.{name}=[key] n=1"));
        assert_eq!(redacted(&format!("{{\"{name}\":[\"a\"]}}")), format!("{{\"{name}\":\"[key]\"}}"));
        assert_eq!(redacted(&format!("{name}: \"a b\"")), format!("{name}: \"[key]\""));
        for count in ["7", "1,234", "1_000", "3/10", "80%", "\"7\"", "12.5"] {
            let text = format!("max {name}: {count}; n=1");
            assert_eq!(redacted(&text), text);
        }
    }
    for text in ["passwords=1234", "credentials=1234", "token=1234"] {
        let name = text.trim_end_matches("1234");
        assert_eq!(redacted(text), format!("{name}[key]"));
    }
    let line =
        r#"{"message":"m","max_tokens":7,"apiKeys":["a"],"tokens":"a","secrets":{"x":"a"},"cookies":"3"}"#;
    let rest =
        &parsed_with(line, &json_rules(), &Redactor::new(&redacting(&[Secret::Key]).redact)).unwrap()["rest"];
    assert_eq!(rest["numeric_labels"], json!({"max_tokens": 7}));
    assert_eq!(
        rest["labels"],
        json!({"apiKeys": "[key]", "tokens": "[key]", "secrets": "[key]", "cookies": "3"})
    );
}

#[test]
fn items_of_lists_in_json_lines_are_hidden_behind_the_names_of_secrets() {
    let redactor = Redactor::new(&redacting(&[Secret::Key]).redact);
    for (list, clean) in [
        (json!(["mysql", "--password", "x", "-v"]), json!(["mysql", "--password", "[key]", "-v"])),
        (json!(["mysql", "-p", "x", "-v"]), json!(["mysql", "-p", "[key]", "-v"])),
        (json!([["Cookie", "x"], ["Host", "h"]]), json!([["Cookie", "[key]"], ["Host", "h"]])),
        (json!(["--password", "-v", "token"]), json!(["--password", "-v", "token"])),
        (json!(["--password", ["x"]]), json!(["--password", "[key]"])),
    ] {
        let line = json!({"message": "m", "argv": list}).to_string();
        let parsed = parsed_with(&line, &json_rules(), &redactor).unwrap();
        assert_eq!(parsed["rest"]["labels"]["argv"], json!(clean.to_string()));
    }
}

#[test]
fn each_sign_of_a_wrapper_is_known() {
    for prefix in "bBuUrRfFLNE&@$#*".chars() {
        for quote in ["\"", "'", "\\\""] {
            let text = format!("password={prefix}{quote}x y{quote} n");
            assert_eq!(redacted(&text), "password=[key] n", "{text}");
        }
    }
    for sign in ["&", "@", "$", "#", "*", "%", "!", "a_", "a.", "a::", "new "] {
        let text = format!("password={sign}B(x y) n");
        assert_eq!(redacted(&text), "password=[key] n", "{text}");
    }
    // It is cut, or longer than what is searched for a bracket.
    let long = "x y ".repeat(200);
    for inner in "_.:&@$#*%!({[ \t\r\n".chars() {
        for quoted in ["\"x y".to_owned(), format!("\"{long}\")")] {
            let text = format!("password: Some({inner}{quoted}");
            assert_eq!(redacted(&text), "password: [key]", "{text}");
        }
    }
    for quote in ["\"", "'", "\\\""] {
        assert_eq!(redacted(&format!("token: Just {quote}x y{quote} n")), "token: [key] n");
    }
}

#[test]
fn a_word_ends_at_each_sign_that_ends_words_and_a_bracket_with_its_line() {
    for end in ";&\"'<>".chars() {
        assert_eq!(redacted(&format!("password=hunter2{end}x")), format!("password=[key]{end}x"));
    }
    for end in ["\n", "\r"] {
        assert_eq!(redacted(&format!("password=hun(ter2{end}x)")), format!("password=[key]{end}x)"));
        let angles = format!("password=<A{end}x>");
        assert_eq!(redacted(&angles), angles);
    }
    assert_eq!(redacted("{password=x} [token=y]"), "{password=[key]} [token=[key]]");
}

#[test]
fn a_quotation_mark_that_ends_the_text_around_it_begins_no_value() {
    for text in [
        r#"{"hint": "password=", "n": 1}"#,
        "{'hint': 'password=', 'n': 1}",
        r#"{"hint":"password="}"#,
        r#"["password="]"#,
        r#""password=""#,
    ] {
        assert_eq!(redacted(text), text);
    }
}
