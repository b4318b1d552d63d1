//! Messages with braces and brackets in them, and objects that Node.js prints.

use super::joins::auto;

#[test]
fn a_message_with_an_object_or_a_list_in_it_is_one_with_its_frames() {
    let java = "\tat a.b.C.d(C.java:5)\n\tat a.b.C.e(C.java:9)";
    let node = "    at f (/a.js:1:2)\n    at /a.js:3:4";
    let net = "   at Shop.Pay.Run() in /action/Pay.cs:line 12";
    let body = "upstream said 400: {\n  \"error\": {\n    \"code\": 400\n  }\n}";
    for message in [
        format!("java.lang.IllegalStateException: {body}\n{java}"),
        format!("java.lang.RuntimeException: bad\n{{\nx\n}}\n{java}"),
        format!("java.lang.RuntimeException: bad [\n{java}"),
        format!("java.lang.RuntimeException: bad\n{{\n{java}"),
        format!("java.lang.RuntimeException: bad\nfailed with {{\n  \"cause\": \"Error: b\"\n}}\n{java}"),
        format!("request failed: {{\n{java}\nCaused by: a.B: c\n{java}"),
        format!("shop.Broke: said {{\n{java}"),
        format!("ERROR failed: [\njava.lang.RuntimeException: bad\n{java}"),
        format!("ERROR failed: java.lang.IllegalStateException: {body}\n{java}"),
        format!("Error: bad\n  b: [\n   1\n  ]\n{node}"),
        format!("TypeError: {body}\n{node}"),
        format!("/a.js:1\nthrow e;\n^\n\nTypeError: {body}\n{node}"),
        format!("Unhandled exception. Shop.NotPaid: {body}\n{net}"),
        format!("Unhandled exception. Shop.NotPaid: {body}\n ---> System.Exception: {body}\n{net}"),
        format!("panic: {body}\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:4 +0x27"),
        format!("thread 'main' panicked at a.rs:1:1:\n{body}\nstack backtrace:\n   0: main::main"),
        "a.rb:2:in 'f': upstream said: (Broke)\n{\n  \"code\": 400\n}\n\tfrom a.rb:3:in '<main>'".into(),
        format!("PHP Warning:  {body} in /a.php on line 3\nPHP Stack trace:\nPHP   1. {{main}}() /a.php:0"),
    ] {
        assert_eq!(auto(&format!("before\n{message}\nafter")), ["before", &message, "after"]);
    }
}

#[test]
fn an_object_with_an_error_in_it_is_no_part_of_the_message_before_it() {
    for object in [
        "{\n  first: Error: a\n      at f (/a.js:1:2)\n}",
        "[\n  Error: a\n      at f (/a.js:1:2),\n  2\n]",
        "it failed: {\n  error: Error: a\n      at f (/a.js:1:2)\n}",
    ] {
        for message in ["Error: alone", "java.lang.Exception: alone", "panic: alone", "request failed"] {
            assert_eq!(auto(&format!("{message}\n{object}\nafter")), [message, object, "after"]);
        }
    }
}

/// Node.js prints an error without frames in brackets, and members behind it.
#[test]
fn an_error_in_brackets_is_one_with_its_members() {
    for head in
        ["[Error: x] {", "[TypeError [ERR_X]: x] {", "[shop] failed: [NoMoneyError: x [y]] {", "[Error] {"]
    {
        let printed = format!("{head}\n  errno: -2,\n  path: [\n    1\n  ]\n}}");
        for before in ["Error: alone", "request failed", "served"] {
            assert_eq!(auto(&format!("{before}\n{printed}\nafter")), [before, &printed, "after"]);
        }
    }
    for head in ["[terror: x] {", "shop[Error] = {", "Error: [x] {", "[Error: x"] {
        assert_eq!(auto(&format!("{head}\n  errno: -2\n}}\nafter")).len(), 4, "{head}");
    }
}

#[test]
fn a_frame_of_node_is_one_wherever_its_code_is_from() {
    for place in [
        "func (wasm://wasm/5e5b:wasm-function[3]:0x45)",
        "wasm://wasm/5e5b:wasm-function[3]:0x45",
        "<anonymous>",
        "async <anonymous>",
        "[eval]-wrapper:6:24",
        "[eval]:1:15",
        "[stdin]:1:15",
        "bundle.js:1:2345",
        "async bundle.js:1:2345",
        "12.chunk.js:1:2345",
        "REPL1:1:1",
        "evalmachine.<anonymous>:1:7",
        "f (bundle.js:1:2345)",
    ] {
        let trace = format!("Überfall: x\n    at f (/a.js:1:2)\n    at {place}\n    at /a.js:3:4");
        assert_eq!(auto(&format!("{trace}\nafter")), [&trace, "after"]);
        let trace = format!("Überfall: x\n    at {place} {{\n  code: 1\n}}");
        assert_eq!(auto(&format!("{trace}\nafter")), [&trace, "after"]);
    }
    for line in
        ["12:30:45", "2026-11-30T12:30:45", "noon <anonymous>", "shop: 12:30:45", "9:1:2", "the wasm://x"]
    {
        assert_eq!(auto(&format!("Order: 4\n    at {line}")).len(), 2, "{line}");
    }
}

/// Without frames, a body is what it was: lines.
#[test]
fn an_object_without_an_error_in_it_stays_apart() {
    for text in
        ["{\n  a: 1\n}", "it failed: {\n  a: 1\n}", "Error: bad {\n  a: 1\n}", "shop.Broke: {\n  a: 1\n}"]
    {
        assert_eq!(auto(&format!("{text}\nafter")).len(), 4, "{text}");
    }
}
