//! What strangers write: markup in names, odd characters, broken logos; and what a template may not reach.

use serde_json::json;
use tallystick_domain::invoice::Party;

use super::*;
use crate::world::PageWorld;

#[test]
fn markup_in_names_prints_as_it_was_written() {
    let text = texts(&lay_out(&invoice("invoice-names"), None).unwrap()).concat();
    assert!(text.contains(r"#let x = 1 *bold* _it_ $x$ @ref \ <tag>"), "{text}");
    assert!(text.contains(r#"// `raw` ~ [x] --- "q""#), "{text}");
}

#[test]
fn no_character_keeps_an_invoice_from_being_written() {
    let mut invoice = invoice("invoice");
    let all = (0..0x3000_u32).chain(0xE000..0xE100).chain(0xFB00..0xFB10).chain(0x1F600..0x1F610);
    let characters: Vec<char> = all.filter_map(char::from_u32).collect();
    let lines: Vec<String> = characters.chunks(40).map(|chunk| chunk.iter().collect()).collect();
    invoice.notes = Some(lines.join("\n"));
    invoice.buyer.legal_name = "\u{202e}e\u{301}\u{200d}\u{0}\r\n".to_owned();
    let file = crate::render_invoice(&invoice, None).unwrap();
    assert!(file.starts_with(b"%PDF"));
}

#[test]
fn parties_without_any_detail_still_make_a_page() {
    let mut invoice = invoice("invoice");
    invoice.issuer = Party::default();
    invoice.buyer = Party::default();
    assert_eq!(lay_out(&invoice, None).unwrap().pages().len(), 2);
}

#[test]
fn a_logo_is_known_by_its_bytes_and_refused_when_it_is_none() {
    let render = |logo: &[u8]| crate::render_invoice(&invoice("invoice-empty"), Some(logo)).map(|_| ());
    assert!(matches!(render(b"GIF89a"), Err(DocumentError::Logo(_))));
    assert!(matches!(render(b""), Err(DocumentError::Logo(_))));
    assert!(matches!(render(&vec![0x89; crate::MAX_LOGO_BYTES + 1]), Err(DocumentError::Logo(_))));
    assert!(matches!(render(b"\x89PNG\r\n\x1a\nbroken"), Err(DocumentError::Layout(_))));
    assert!(matches!(render(b"<svg><broken"), Err(DocumentError::Layout(_))));
    assert!(render(br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>"#).is_ok());
}

#[test]
fn a_template_reaches_no_file_no_package_and_no_clock() {
    for template in [
        r#"#read("/etc/passwd")"#,
        r#"#read("../../etc/passwd")"#,
        r#"#image("other.png")"#,
        r#"#import "@preview/example:0.1.0": *"#,
        r#"#import "http://localhost/x.typ""#,
        "#datetime.today().display()",
    ] {
        let world = PageWorld::new(template, json!({}).to_string().into_bytes(), None);
        assert!(typst::compile::<PagedDocument>(&world).output.is_err(), "{template}");
    }
    let world = PageWorld::new(r#"#json("data.json").at("a")"#, br#"{"a": "*b*"}"#.to_vec(), None);
    assert_eq!(texts(&typst::compile::<PagedDocument>(&world).output.unwrap()), ["*b*"]);
}
