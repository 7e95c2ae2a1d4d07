//! Bodies in: JSON within the limits, without NUL characters, with errors that say what to do.

use super::ApiState;
use super::error::{ApiError, ApiResult};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tallystick_domain::attribution::{UNASSIGNED, check_text};
use tallystick_runtime::Problem;
use tallystick_runtime::http::read_body;

/// A JSON body. `T` has `#[serde(deny_unknown_fields)]`, so that no field is silently without effect.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &ApiState) -> Result<Self, ApiError> {
        let bytes = whole_body(request, api, api.config.body_bytes).await?;
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
        check_value(&value, "body", api.config.json_depth)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| unfitting(&error))
    }
}

/// Reads a whole body within the limits.
///
/// # Errors
/// `413`, `408`, or a broken connection.
pub(crate) async fn whole_body(request: Request, api: &ApiState, limit: u64) -> ApiResult<Bytes> {
    Ok(read_body(request.into_body(), limit, api.config.body_read_timeout).await.map_err(Problem::from)?)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::invalid(format!("the body is not JSON: {error}; send one JSON object"))
}

fn unfitting(error: &serde_json::Error) -> ApiError {
    ApiError::invalid(format!(
        "the body does not fit: {error}; see /api/v1/openapi.json for what is expected"
    ))
}

/// Refuses NUL characters and deep nesting, wherever they are.
fn check_value(value: &Value, place: &str, depth: usize) -> ApiResult<()> {
    if depth == 0 {
        return Err(ApiError::invalid(format!("the body is nested too deeply at {place}; flatten it")));
    }
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(ApiError::invalid(format!("{place} holds a NUL character; remove it")))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, place, depth - 1)),
        Value::Object(members) => members.iter().try_for_each(|(name, item)| {
            if name.contains('\0') {
                return Err(ApiError::invalid("a field's name holds a NUL character; remove it"));
            }
            check_value(item, name, depth - 1)
        }),
        _ => Ok(()),
    }
}

/// A text that is kept: without space around it, not empty, without control characters, not too long.
///
/// # Errors
/// `400` that names the field.
pub(crate) fn text(field: &str, value: &str) -> ApiResult<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(ApiError::invalid(format!("{field} is empty; give it a value or leave it out")));
    }
    check_text(field, value)?;
    Ok(value.to_owned())
}

/// The name of an object: a kept text that is not the word for an absent one, and no id of another object.
///
/// # Errors
/// `400` that names the field.
pub(crate) fn name(field: &str, value: &str) -> ApiResult<String> {
    let value = text(field, value)?;
    if value.eq_ignore_ascii_case(UNASSIGNED) {
        return Err(ApiError::invalid(format!(
            "{field} may not be '{UNASSIGNED}', which stands for an absent one"
        )));
    }
    if uuid::Uuid::parse_str(&value).is_ok() {
        return Err(ApiError::invalid(format!(
            "{field} may not look like an id; choose a name that people can read"
        )));
    }
    Ok(value)
}

/// Texts of a list, each as [`text`] wants it; at most `most`.
///
/// # Errors
/// `400` that names the field.
pub(crate) fn texts(field: &str, values: &[String], most: usize) -> ApiResult<Vec<String>> {
    if values.len() > most {
        return Err(ApiError::invalid(format!(
            "{field} has {} entries; at most {most} are kept",
            values.len()
        )));
    }
    values.iter().map(|value| text(field, value)).collect()
}

/// An e-mail address, roughly: the mail server decides in the end.
///
/// # Errors
/// `400` that names the field.
pub(crate) fn email(field: &str, value: &str) -> ApiResult<String> {
    let value = text(field, value)?;
    let good = value.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !host.contains('@')
    });
    if good && !value.contains(char::is_whitespace) {
        return Ok(value);
    }
    Err(ApiError::invalid(format!("{field} is not an e-mail address; write it as name@example.com")))
}
