//! What a template is given: every text ready to print, in the order of the page.
//!
//! A template lays out and decides nothing; a view decides and knows nothing about fonts. That makes the content of a
//! page an ordinary value that a test can compare.

mod evidence;
pub(crate) mod invoice;
pub(crate) mod report;

use serde::Serialize;

/// A label and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) value: String,
}

impl Fact {
    pub(crate) fn new(label: &str, value: impl Into<String>) -> Self {
        Self { label: label.to_owned(), value: value.into() }
    }
}
