//! Problem documents (RFC 9457): what a caller is told when a request fails.
//!
//! `code` is stable and is what programs switch on; `detail` is for the person who reads it and says what to do.
//! What went wrong inside is a separate field that is logged when the answer is made and never sent.

use std::{borrow::Cow, error::Error, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::error_chain;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
const INTERNAL_DETAIL: &str =
    "something failed on our side; try again, and if it stays, look for this request in the log";

/// One failure as the caller sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: Cow<'static, str>,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    extensions: Map<String, Value>,
    internal: Option<String>,
}

impl Problem {
    /// A failure with its stable `code` (snake case) and a sentence that says what to do.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            title: title_of(code),
            detail: detail.into(),
            retry_after: None,
            extensions: Map::new(),
            internal: None,
        }
    }

    /// `400`: the request can not be understood.
    #[must_use]
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// `401 unauthorized`.
    #[must_use]
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// `403 forbidden`.
    #[must_use]
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// `404 not_found`.
    #[must_use]
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// `409` with a code of its own.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// `422`: understood, but a value is not acceptable.
    #[must_use]
    pub fn unprocessable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// `503 not_ready` with `Retry-After`.
    #[must_use]
    pub fn not_ready(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).retry_after(retry_after)
    }

    /// `500 internal`: the cause is logged, the caller learns nothing of it.
    #[must_use]
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL_DETAIL)
            .with_internal(error_chain(cause))
    }

    /// Replaces the title that was made from the code.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// Adds a member of its own to the document. The standard members can not be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn with_internal(mut self, internal: impl Into<String>) -> Self {
        self.internal = Some(internal.into());
        self
    }

    /// Says when to try again, in whole seconds, rounded up, at least one.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document as it is sent.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = self.extensions.clone();
        document.insert("type".into(), format!("urn:tallystick:problem:{}", self.code).into());
        document.insert("title".into(), self.title.as_ref().into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("code".into(), self.code.into());
        document.insert("detail".into(), self.detail.as_ref().into());
        Value::Object(document)
    }

    fn log(&self) {
        let (code, status) = (self.code, self.status.as_u16());
        match &self.internal {
            Some(internal) if self.status.is_server_error() => {
                tracing::error!(problem.code = code, http.status = status, error.message = %internal, "a request failed");
            }
            Some(internal) => {
                tracing::info!(problem.code = code, http.status = status, error.message = %internal, "a request was refused");
            }
            None => tracing::debug!(problem.code = code, http.status = status, "a request was refused"),
        }
    }
}

/// `too_large` becomes `Too large`.
fn title_of(code: &str) -> Cow<'static, str> {
    let mut title = code.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title.into()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let mut response = Response::new(Body::from(self.document().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    async fn sent(problem: Problem) -> (http::response::Parts, Value) {
        let (parts, body) = problem.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_sent_as_a_problem_document() {
        let problem =
            Problem::not_ready("the disk is nearly full; try again later", Duration::from_millis(1200))
                .with("request_id", "0199");
        let (parts, document) = sent(problem).await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(parts.headers["retry-after"], "2");
        assert_eq!(
            document,
            json!({
                "type": "urn:tallystick:problem:not_ready",
                "title": "Not ready",
                "status": 503,
                "code": "not_ready",
                "detail": "the disk is nearly full; try again later",
                "request_id": "0199",
            })
        );
    }

    #[tokio::test]
    async fn the_internal_cause_is_never_sent() {
        let cause = std::io::Error::other("password=hunter2 refused by 10.0.0.3");
        let (parts, document) = sent(Problem::internal(&cause)).await;
        assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!document.to_string().contains("hunter2"));
        assert_eq!(document["code"], "internal");
    }

    #[tokio::test]
    async fn an_extension_can_not_replace_a_standard_member() {
        let (_, document) = sent(Problem::not_found("no such key").with("status", 200)).await;
        assert_eq!(document["status"], 404);
    }
}
