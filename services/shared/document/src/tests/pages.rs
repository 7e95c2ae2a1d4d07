//! Files and pages.

use super::*;

#[test]
fn every_sample_is_a_pdf_and_the_same_bytes_each_time() {
    for (name, sample) in data::samples().into_iter().filter(|(name, _)| *name != "invoice-long") {
        let first = sample.render().unwrap();
        assert!(first.starts_with(b"%PDF-1.7"), "{name}");
        assert!(first.trim_ascii_end().ends_with(b"%%EOF"), "{name}");
        // Nothing may come from the cache of the first time.
        typst::comemo::evict(0);
        assert!(first == sample.render().unwrap(), "{name} differs");
    }
}

#[test]
fn the_file_claims_pdf_a_3b_and_holds_its_fonts() {
    let Sample::Invoice(invoice, _) = sample("invoice") else { panic!("an invoice") };
    let file = crate::render_invoice(&invoice, None).unwrap();
    let has = |needle: &str| file.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(has("<pdfaid:part>3</pdfaid:part>") && has("<pdfaid:conformance>B</pdfaid:conformance>"));
    assert!(has("+Inter-Regular") && has("+Inter-SemiBold") && has("/FontFile3"));
    assert!(has("2026-11-02"));
}

#[test]
fn an_ordinary_invoice_has_one_page_and_its_evidence_a_second() {
    assert_eq!(lay_out(&invoice("invoice"), None).unwrap().pages().len(), 2);
    assert_eq!(lay_out(&invoice("invoice-empty"), None).unwrap().pages().len(), 1);
}

#[test]
fn a_long_table_repeats_its_head_and_every_page_says_which_of_how_many_it_is() {
    let pages = texts(&lay_out(&invoice("invoice-long"), None).unwrap());
    assert!(pages.len() > 6, "{}", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "{page}");
    }
    let evidence = pages.iter().position(|page| page.contains("How these amounts come about")).unwrap();
    assert!(evidence >= 3);
    for page in &pages[..evidence] {
        assert!(page.contains("Project and modelTokens"), "{page}");
    }
    let body = pages[..evidence].concat();
    for project in 1..=10 {
        assert!(body.contains(&format!("Workstream {project:02}")));
    }
    for page in &pages[evidence..pages.len() - 1] {
        assert!(page.contains("What was usedQuantity"), "{page}");
    }
}

#[test]
fn drafts_and_void_invoices_are_stamped_and_others_are_not() {
    use tallystick_domain::invoice::InvoiceAction::{Send, Void};
    let stamp = |invoice: &InvoiceDocument| {
        let pages = texts(&lay_out(invoice, None).unwrap());
        ["DRAFT", "VOID"]
            .into_iter()
            .filter(|word| pages.iter().all(|page| page.contains(word)))
            .collect::<Vec<_>>()
    };
    assert_eq!(stamp(&invoice("invoice-draft")), ["DRAFT"]);
    assert_eq!(stamp(&invoice("invoice").advance(Void).unwrap()), ["VOID"]);
    assert_eq!(stamp(&invoice("invoice").advance(Send).unwrap()), [""; 0]);
}
