//! A template and its data in, PDF/A-3b out.

use jiff::civil::Date;
use serde_json::{Value, json};
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::DocumentError;
use crate::logo::Logo;
use crate::text::make_printable;
use crate::world::PageWorld;

/// Results of layout that are kept for the next document: those used by one of the last so many documents.
const CACHE_AGE: usize = 4;

/// The templates there are.
pub(crate) enum Template {
    Invoice,
    Report,
}

impl Template {
    fn source(&self) -> &'static str {
        match self {
            Self::Invoice => include_str!("templates/invoice.typ"),
            Self::Report => include_str!("templates/report.typ"),
        }
    }
}

/// One document to be made.
pub(crate) struct Page {
    pub(crate) template: Template,
    /// What the template prints. Strings in it are text, never markup.
    pub(crate) data: Value,
    pub(crate) logo: Option<Logo>,
    /// Identifies the document; goes into the file as a hash.
    pub(crate) ident: String,
    /// The only date in the file, so that the same document gives the same bytes.
    pub(crate) date: Date,
}

/// Lays the pages out.
pub(crate) fn pages(page: &Page) -> Result<PagedDocument, DocumentError> {
    let mut data = page.data.clone();
    make_printable(&mut data);
    if let Value::Object(fields) = &mut data {
        let date = json!({ "year": page.date.year(), "month": page.date.month(), "day": page.date.day() });
        fields.insert("date".to_owned(), date);
    }
    let logo = page.logo.as_ref().map(|logo| (logo.path(), logo.bytes().to_vec()));
    let world = PageWorld::new(page.template.source(), serde_json::to_vec(&data)?, logo);
    let result = typst::compile::<PagedDocument>(&world).output;
    typst::comemo::evict(CACHE_AGE);
    result.map_err(|errors| DocumentError::Layout(in_words(&errors)))
}

/// The PDF.
pub(crate) fn pdf(page: &Page) -> Result<Vec<u8>, DocumentError> {
    let document = pages(page)?;
    let standards = PdfStandards::new(&[PdfStandard::A_3b])
        .map_err(|error| DocumentError::Export(error.message().to_string()))?;
    let options = PdfOptions {
        ident: Smart::Custom(page.ident.clone()),
        creator: Smart::Custom(Some("Tallystick".to_owned())),
        timestamp: timestamp(page.date),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| DocumentError::Export(in_words(&errors)))
}

fn timestamp(date: Date) -> Option<Timestamp> {
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    Datetime::from_ymd_hms(i32::from(date.year()), month, day, 0, 0, 0).map(Timestamp::new_utc)
}

fn in_words(errors: &[SourceDiagnostic]) -> String {
    let messages: Vec<String> = errors.iter().map(|error| error.message.to_string()).collect();
    messages.join("; ")
}
