//! Invoices and reports as PDF.
//!
//! Owns the pages: templates, fonts, the formatting of numbers and dates, and the typesetting library, which nothing
//! else links. Does not own any number: what is printed comes from the models in `tallystick_domain::invoice` and
//! `tallystick_domain::report`; nothing is added up here but what a table abridges.
//!
//! Invariants: the same document gives the same bytes; user text reaches the templates as data in memory and is never
//! read as markup; a template can reach no file, no network and no clock; every font is embedded (PDF/A-3b, A4).
//!
//! Where to read next: `view` (what a template is given), `templates` (how it looks), `typeset` (model in, PDF out).

mod format;
mod logo;
mod text;
mod typeset;
mod view;
mod world;

#[cfg(test)]
extern crate self as tallystick_document;
#[cfg(test)]
mod tests;

pub use logo::MAX_LOGO_BYTES;
pub use text::unprintable;

use tallystick_domain::invoice::InvoiceDocument;
use tallystick_domain::report::{MonthReport, WeekReport};

/// Why a document can not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The logo is too large, or neither PNG, JPEG nor SVG.
    #[error("the logo can not be used: {0}")]
    Logo(String),
    /// The template and its data do not fit together, or an image in it is broken.
    #[error("the page can not be laid out: {0}")]
    Layout(String),
    /// The laid-out pages can not be written as PDF/A-3b.
    #[error("the pages can not be written as pdf/a-3b: {0}")]
    Export(String),
    /// The data for the template can not be written as JSON.
    #[error("the data of the page can not be written")]
    Data(#[from] serde_json::Error),
}

/// The invoice as PDF/A-3b. `logo`: PNG, JPEG or SVG of at most [`MAX_LOGO_BYTES`].
///
/// A draft and a void invoice carry a watermark. Characters that the built-in font does not have are printed as `□`;
/// [`unprintable`] tells beforehand.
///
/// # Errors
/// When the logo can not be used, or the page can not be made.
pub fn render_invoice(invoice: &InvoiceDocument, logo: Option<&[u8]>) -> Result<Vec<u8>, DocumentError> {
    let logo = logo.map(logo::Logo::read).transpose()?;
    let view = view::invoice::view(invoice, logo.as_ref().map(logo::Logo::path));
    typeset::pdf(&typeset::Page {
        template: typeset::Template::Invoice,
        data: serde_json::to_value(view)?,
        logo,
        ident: format!("invoice {}", invoice.id),
        date: invoice.issue_date,
    })
}

/// The monthly report as PDF/A-3b.
///
/// # Errors
/// When the page can not be made.
pub fn render_month(report: &MonthReport) -> Result<Vec<u8>, DocumentError> {
    report_pdf(view::report::month(report), format!("month {}", report.month), report.head.period.to)
}

/// The weekly review as PDF/A-3b.
///
/// # Errors
/// When the page can not be made.
pub fn render_week(report: &WeekReport) -> Result<Vec<u8>, DocumentError> {
    report_pdf(view::report::week(report), format!("week {}", report.week), report.head.period.to)
}

fn report_pdf(
    view: view::report::ReportView,
    ident: String,
    date: jiff::civil::Date,
) -> Result<Vec<u8>, DocumentError> {
    let data = serde_json::to_value(view)?;
    typeset::pdf(&typeset::Page { template: typeset::Template::Report, data, logo: None, ident, date })
}
