//! Answers that are files.

use super::error::{ApiError, ApiResult};
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

/// The forms that an answer may be asked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    Pdf,
}

impl Format {
    /// What `?format=` asks for; JSON where it is absent.
    ///
    /// # Errors
    /// `400` that lists what there is.
    pub(super) fn of(asked: Option<&str>, offered: &[Self]) -> ApiResult<Self> {
        let Some(asked) = asked else { return Ok(Self::Json) };
        let found = offered.iter().copied().find(|format| format.as_str() == asked);
        found.ok_or_else(|| {
            let names: Vec<&str> = offered.iter().map(|format| format.as_str()).collect();
            let asked: String = asked.chars().filter(|c| !c.is_control()).take(20).collect();
            ApiError::invalid(format!("there is no format '{asked}' of this; ask for {}", names.join(", ")))
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Pdf => "pdf",
        }
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A file to save, named `stem` and its format.
pub(super) fn file(format: Format, stem: &str, content: Vec<u8>) -> Response {
    let safe: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition = format!("attachment; filename=\"{safe}.{}\"", format.as_str());
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
