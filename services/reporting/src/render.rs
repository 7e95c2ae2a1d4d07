//! The seam to the typesetter, so that nothing but the binary links it.

use std::error::Error;
use tallystick_domain::invoice::InvoiceDocument;
use tallystick_domain::report::{MonthReport, WeekReport};

/// Why a document could not be made.
pub type RenderError = Box<dyn Error + Send + Sync>;

/// Makes PDFs from document models. Blocking: call it on a blocking thread.
pub trait DocumentRenderer: Send + Sync {
    /// An invoice, with the issuer's logo (PNG, JPEG or SVG).
    ///
    /// # Errors
    /// When the page cannot be made.
    fn invoice(&self, invoice: &InvoiceDocument, logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError>;

    /// A monthly report.
    ///
    /// # Errors
    /// When the page cannot be made.
    fn month(&self, report: &MonthReport, logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError>;

    /// A weekly review.
    ///
    /// # Errors
    /// When the page cannot be made.
    fn week(&self, report: &WeekReport, logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError>;
}
