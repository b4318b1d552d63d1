use super::*;
use crate::testing::Authority;

/// A certificate and the text that OpenSSL would write of it.
fn certificate() -> (CertificateDer<'static>, String) {
    let authority = Authority::new();
    (authority.der().clone(), authority.pem())
}

#[test]
fn a_certificate_is_read_however_its_text_came_here() {
    let (der, pem) = certificate();
    let indented: String = pem.lines().map(|line| format!("    {line}  \n")).collect();
    for (what, text) in [
        ("as it is", pem.clone()),
        ("CRLF", pem.replace('\n', "\r\n")),
        ("CR", pem.replace('\n', "\r")),
        ("byte order mark", format!("\u{feff}{pem}")),
        ("indented", indented.clone()),
        ("indented, CRLF, byte order mark", format!("\u{feff}{}", indented.replace('\n', "\r\n"))),
        ("tabs", indented.replace("    ", "\t")),
        ("quoted line ends", pem.replace('\n', "\\n")),
        ("quoted CRLF", pem.replace('\n', "\\r\\n")),
        ("in one line", pem.replace('\n', " ")),
        ("text around it", format!("subject=CN = x\n\n{pem}\nmore\n")),
        ("an old label", pem.replace("CERTIFICATE", "X509 CERTIFICATE")),
        ("trusted, without a word about trust", pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
    ] {
        assert_eq!(certificates(&text), Ok(vec![der.clone()]), "{what}: {text}");
    }
    let joined = format!("{pem}\u{feff}{pem}");
    assert_eq!(certificates(&joined), Ok(vec![der.clone(), der]));
}

#[test]
fn what_openssl_was_told_about_trust_is_heeded() {
    let (der, pem) = certificate();
    let trusted = |trust: &[u8]| {
        let body = STANDARD.encode([der.as_ref(), trust].concat());
        format!("-----BEGIN TRUSTED CERTIFICATE-----\n{body}\n-----END TRUSTED CERTIFICATE-----\n")
    };
    let servers = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    let clients = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
    let list = |tag: u8, oid: &[u8]| [&[0x30, 12, tag, 10][..], oid].concat();
    for (trust, expected) in [
        (list(0x30, &servers), Ok(vec![der.clone()])),
        (list(0x30, &clients), Err(Unreadable::Distrusted)),
        (list(0xa0, &servers), Err(Unreadable::Distrusted)),
        (list(0xa0, &clients), Ok(vec![der.clone()])),
        // A name for people.
        (vec![0x30, 3, 0x0c, 1, b'x'], Ok(vec![der.clone()])),
        (vec![0x30, 9], Err(Unreadable::Damaged)),
    ] {
        assert_eq!(certificates(&trusted(&trust)), expected, "{trust:?}");
    }
    assert_eq!(
        certificates(&format!("{}{pem}", trusted(&list(0xa0, &servers)))),
        Err(Unreadable::Distrusted)
    );
    assert_eq!(readable(&format!("{}{pem}", trusted(&list(0xa0, &servers)))), vec![der]);
}

#[test]
fn what_is_not_a_certificate_is_told_apart_from_a_damaged_one() {
    let (_, pem) = certificate();
    for at in 1..pem.trim_end().len() {
        assert!(certificates(&pem[..at]).is_err(), "{at}");
    }
    assert_eq!(certificates(&pem[..200]), Err(Unreadable::Damaged));
    assert_eq!(certificates(&pem.replacen('M', "!", 1)), Err(Unreadable::Damaged));
    assert_eq!(certificates("nonsense"), Err(Unreadable::None(vec![])));
    let request = pem.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    assert_eq!(certificates(&request), Err(Unreadable::None(vec!["CERTIFICATE REQUEST".to_owned()])));
}

#[test]
fn a_file_of_powershell_is_text_too() {
    let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark.to_vec(), "pem".encode_utf16().flat_map(bytes).collect()].concat()
    };
    assert_eq!(text(utf16(&[0xff, 0xfe], u16::to_le_bytes)).as_deref(), Some("pem"));
    assert_eq!(text(utf16(&[0xfe, 0xff], u16::to_be_bytes)).as_deref(), Some("pem"));
    assert_eq!(text(b"pem".to_vec()).as_deref(), Some("pem"));
    for none in [&[0xff, 0xfe, 0x41][..], &[0x30, 0x82, 0xff]] {
        assert_eq!(text(none.to_vec()), None, "{none:?}");
    }
}
