//! Whole documents: the samples of the example, laid out and written.

#[path = "../../examples/sample/data/mod.rs"]
mod data;

mod content;
mod pages;
mod safety;

use data::Sample;
use tallystick_domain::invoice::InvoiceDocument;
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;

use crate::DocumentError;
use crate::logo::Logo;
use crate::typeset::{self, Page, Template};
use crate::view;

/// The sample of that name.
fn sample(name: &str) -> Sample {
    let found = data::samples().into_iter().find(|(known, _)| *known == name);
    found.expect("the example has a sample of that name").1
}

/// The sample invoice of that name.
fn invoice(name: &str) -> InvoiceDocument {
    match sample(name) {
        Sample::Invoice(invoice, _) => *invoice,
        Sample::Month(_) | Sample::Week(_) => panic!("{name} is a report"),
    }
}

/// The pages of an invoice, before they become a file.
fn lay_out(invoice: &InvoiceDocument, logo: Option<&[u8]>) -> Result<PagedDocument, DocumentError> {
    let logo = logo.map(Logo::read).transpose()?;
    let view = view::invoice::view(invoice, logo.as_ref().map(Logo::path));
    typeset::pages(&Page {
        template: Template::Invoice,
        data: serde_json::to_value(view)?,
        logo,
        ident: "test".to_owned(),
        date: invoice.issue_date,
    })
}

/// The text of every page, in the order of drawing.
fn texts(document: &PagedDocument) -> Vec<String> {
    fn collect(frame: &Frame, text: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Group(group) => collect(&group.frame, text),
                FrameItem::Text(run) => text.push_str(&run.text),
                _ => {}
            }
        }
    }
    document
        .pages()
        .iter()
        .map(|page| {
            let mut text = String::new();
            collect(&page.frame, &mut text);
            text.replace(['\u{202f}', '\u{a0}'], " ")
        })
        .collect()
}
