//! Reading a body within a size and a time.

use std::{error::Error, pin::pin, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;

use crate::Problem;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is larger than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive within {} ms", after.as_millis())]
    Timeout {
        /// The time that the whole body had.
        after: Duration,
    },
    /// The connection broke, or the framing is wrong.
    #[error("reading the body")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than the limit of {limit} bytes; send less at once"),
            ),
            BodyError::Timeout { after } => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_timeout",
                format!(
                    "the body did not arrive within {} seconds; send it again, faster",
                    after.as_secs_f32()
                ),
            ),
            BodyError::Broken(source) => {
                Self::bad_request("invalid_body", "the body broke off or is badly framed; send it again")
                    .with_internal(crate::error_chain(&*source))
            }
        }
    }
}

/// Reads a whole body of at most `limit` bytes that arrives within `timeout`.
///
/// A body that announces its length is refused before a byte of it is read; a chunked one as soon as it has passed the
/// limit. A body in one piece is not copied.
///
/// # Errors
/// See [`BodyError`].
pub async fn read_body<B>(body: B, limit: u64, timeout: Duration) -> Result<Bytes, BodyError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit {
        return Err(BodyError::TooLarge { limit });
    }
    match tokio::time::timeout(timeout, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(BodyError::Timeout { after: timeout }),
    }
}

async fn collect<B>(body: B, limit: u64) -> Result<Bytes, BodyError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length: u64 = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| BodyError::Broken(error.into()))?.into_data() else { continue };
        length = length.saturating_add(data.len() as u64);
        if length > limit {
            return Err(BodyError::TooLarge { limit });
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
            rest.reserve(first.len() + data.len() + announced);
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// What [`limit_body`] holds a route's bodies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit {
    /// Largest body in bytes.
    pub bytes: u64,
    /// Time for the whole body.
    pub timeout: Duration,
}

/// Middleware for routes whose handlers take the body whole (`Json`, `Bytes`): reads it within the limits first.
///
/// `router.layer(axum::middleware::from_fn_with_state(limit, limit_body))`. Put axum's own limit out of the way with
/// `DefaultBodyLimit::disable()` where `bytes` is above its 2 MB.
pub async fn limit_body(State(limit): State<BodyLimit>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read_body(body, limit.bytes, limit.timeout).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => Problem::from(error).into_response(),
    }
}
