//! A body is cut into events: one object, an array, or JSON lines.

use super::foreign::{ForeignEvent, read};
use crate::api::error::{ApiError, ApiResult};
use serde_json::value::RawValue;

/// How a body says that it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// One object, or an array of them.
    Json,
    /// One object a line.
    Lines,
}

impl MediaKind {
    /// By the media type; where that does not tell, by whether the body is one JSON text.
    #[must_use]
    pub fn of(content_type: &str, body: &str) -> Self {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/json-lines" => Self::Lines,
            "application/json" | "application/cloudevents+json" | "application/cloudevents-batch+json" => {
                Self::Json
            }
            _ if body.trim_start().starts_with('[') || serde_json::from_str::<&RawValue>(body).is_ok() => {
                Self::Json
            }
            _ => Self::Lines,
        }
    }
}

/// One event of a body, or why it is none.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Line of the body, or place in the array, from 1.
    pub(crate) place: u64,
    pub(crate) event: Result<ForeignEvent, String>,
}

/// Cuts a body.
///
/// # Errors
/// When the whole body is no JSON, or holds more than `most` events.
pub(crate) fn cut(kind: MediaKind, body: &str, most: usize) -> ApiResult<Vec<Sent>> {
    let parts: Vec<(usize, &str)> = match kind {
        MediaKind::Lines => (body.lines().enumerate())
            .map(|(index, line)| (index, line.trim_matches(['\u{feff}', ' ', '\t', '\r'])))
            .filter(|(_, line)| !line.is_empty())
            .collect(),
        MediaKind::Json => json_parts(body)?.into_iter().enumerate().collect(),
    };
    if parts.is_empty() {
        return Err(ApiError::invalid(
            "the body holds no event; send one as a JSON object, several as an array or as lines",
        ));
    }
    if parts.len() > most {
        let detail = format!("the body holds {} events; send at most {most} in one request", parts.len());
        return Err(tallystick_runtime::Problem::new(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        )
        .into());
    }
    Ok(parts.into_iter().map(|(index, text)| Sent { place: index as u64 + 1, event: read(text) }).collect())
}

fn json_parts(body: &str) -> ApiResult<Vec<&str>> {
    let malformed = |error: serde_json::Error| {
        ApiError::invalid(format!(
            "the body is not JSON: {error}; send an object, an array, or lines as application/x-ndjson"
        ))
    };
    if body.trim_start().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(body).map_err(malformed)?;
        return Ok(items.into_iter().map(RawValue::get).collect());
    }
    let one: &RawValue = serde_json::from_str(body).map_err(malformed)?;
    Ok(vec![one.get()])
}
