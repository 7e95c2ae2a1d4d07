//! The typesetter behind reporting's seam.

use tallystick_document::{render_invoice, render_month, render_week};
use tallystick_domain::invoice::InvoiceDocument;
use tallystick_domain::report::{MonthReport, WeekReport};
use tallystick_reporting::{DocumentRenderer, RenderError};

/// PDFs by the document crate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typesetter;

impl DocumentRenderer for Typesetter {
    fn invoice(&self, invoice: &InvoiceDocument, logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError> {
        Ok(render_invoice(invoice, logo)?)
    }

    fn month(&self, report: &MonthReport, _logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError> {
        Ok(render_month(report)?)
    }

    fn week(&self, report: &WeekReport, _logo: Option<&[u8]>) -> Result<Vec<u8>, RenderError> {
        Ok(render_week(report)?)
    }
}
