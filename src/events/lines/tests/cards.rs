//! Numbers of payment cards, and numbers that are none.

use super::*;

fn redacted(text: &str) -> String {
    let redactor = Redactor::new(&redacting(&[Secret::Card]).redact);
    redactor.redact(text).unwrap_or_else(|| text.into())
}

#[rustfmt::skip]
const CARDS: [&str; 31] = [
    "4000000000006", "4000000000000002", "4000000000000000006", "5100000000000008", "5500000000000004", "2221000000000009",
    "2720000000000005", "340000000000009", "370000000000002", "6011000000000004", "6011000000000000001", "6440000000000005",
    "64900000000000007", "6500000000000002", "30000000000004", "3050000000000000002", "36000000000008", "38000000000006",
    "3900000000000005", "3528000000000007", "3589000000000000009", "6200000000000005", "6200000000000000000", "5018000000007",
    "5020000000000000003", "5038000000000005", "5893000000003", "6304000000000000000", "6759000000000000", "6761000000001",
    "6763000000000000007",
];

/// The check digit of each is right.
#[rustfmt::skip]
const OTHERS: [&str; 29] = [
    "40000000000002", "400000000000000002", "5000000000000009", "5600000000000003", "2220000000000000", "2721000000000004",
    "3400000000000000", "330000000000001", "6012000000000003", "601100000000001", "6430000000000007", "6600000000000001",
    "29900000000008", "30600000000001", "3600000000004", "3527000000000008", "3590000000000000", "6100000000000006",
    "620000000000000", "5019000000005", "6760000000000007", "6764000000005", "1700000000004", "1700000000000000004",
    "180000000000000000", "1000000000000008", "9000000000000001", "0000000000000000", "700000000000000005",
];

#[test]
fn a_card_has_the_first_digits_and_the_length_of_an_issuer() {
    for card in CARDS {
        assert_eq!(redacted(card), "[card]", "{card}");
        assert_eq!(redacted(&format!("{{\"n\":{card}}}")), "{\"n\":\"[card]\"}");
        // Another check digit.
        let last = u8::from(card.ends_with('0'));
        let other = format!("{}{last}", &card[..card.len() - 1]);
        assert_eq!(redacted(&other), other);
    }
    for other in OTHERS {
        assert_eq!(redacted(other), other);
    }
}

#[test]
fn a_part_of_a_word_of_a_uuid_or_of_a_fraction_is_no_card() {
    for text in [
        "0.4111111111111111 and 29.4111111111111111",
        "4111111111111111.5",
        "a4111111111111111",
        "4111111111111111f and 4111111111111111é",
        "deadbeef4111111111111111",
        "41111111-1111-1111-a716-446655440000",
        "a0b1-4111-1111-1111-1111",
        "550e8400-e29b-4111111111111111",
        "\\d4111111111111111 and n4111111111111111",
    ] {
        assert_eq!(redacted(text), text);
    }
    for text in [
        "no.# and #. Then",
        "(#) '#' <#> [#,#] #;",
        "order-# and #-paid",
        "card_#",
        "5-# and #-12",
        "\\n#\\n \\t#\\r",
        "x=#&y",
    ] {
        let [whole, clean] = ["4111111111111111", "[card]"].map(|card| text.replace('#', card));
        assert_eq!(redacted(&whole), clean);
    }
}

#[test]
fn a_number_of_a_json_line_stays_a_number_unless_it_is_a_card() {
    let lines = Lines { json: Some(super::json::json_rules()), ..redacting(&[Secret::Card]) };
    let line = r#"{"message":"x","a":29.700000000000003,"b":1700000000004,"c":4111111111111111,"d":0.4111111111111111}"#;
    let treatment = Treatment::new(&lines);
    let mut reading = Reading::new(&treatment, None, 0, true);
    let mut take = |document: Document<'_>| {
        let members = &document.parsed.unwrap().members;
        assert_eq!(
            members,
            ",\"labels\":{\"c\":\"[card]\"},\"numeric_labels\":{\"a\":29.700000000000003,\"b\":1700000000004,\"d\":0.4111111111111111}"
        );
        true
    };
    read_all(&mut reading, &errors(line), &mut take);
}
