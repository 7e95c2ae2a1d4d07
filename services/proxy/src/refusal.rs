//! What a caller is told when the gateway itself refuses or fails: one table, in the SDK's own envelope.
//!
//! The message says what to do and names the request id; it never holds a key, a secret or an upstream address.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use std::borrow::Cow;
use std::time::Duration;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-tallystick-request-id");
pub(crate) const ERROR_SOURCE: HeaderName = HeaderName::from_static("x-tallystick-error-source");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Whose error envelope the caller's SDK reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    OpenAi,
    Anthropic,
}

/// One refusal. `code` is stable; it is also what refusals are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) param: Option<&'static str>,
    pub(crate) retry_after: Option<Duration>,
    /// `x-should-retry`, where the SDK's own rule would be wrong.
    pub(crate) should_retry: Option<bool>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), param: None, retry_after: None, should_retry: None }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(crate) fn unknown_attribution(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown_attribution", message)
    }

    pub(crate) fn invalid_key() -> Self {
        let message = "the API key is missing or not valid; send a Tallystick key (ts_live_...) as `Authorization: Bearer`";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
    }

    pub(crate) fn key_expired() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "key_expired",
            "this key has expired; ask your team's admin for a new one",
        )
    }

    pub(crate) fn key_revoked() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "key_revoked",
            "this key was revoked; ask your team's admin for a new one",
        )
    }

    pub(crate) fn key_suspended(reason: Option<&str>) -> Self {
        let why = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let message = format!("this key is suspended{why}; ask your team's admin to restore it");
        Self::forbidden("key_suspended", message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { should_retry: Some(false), ..Self::new(StatusCode::FORBIDDEN, code, message) }
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        let message = format!("the body is larger than the limit of {limit} bytes; send less at once");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(crate) fn body_timeout(after: Duration) -> Self {
        let message =
            format!("the body did not arrive within {} seconds; send it again, faster", after.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message)
    }

    pub(crate) fn not_ready(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", message);
        Self { retry_after: Some(retry_after), ..refusal }
    }

    pub(crate) fn upstream_error(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "upstream_error", message)
    }

    pub(crate) fn upstream_timeout() -> Self {
        let message = "the provider did not answer in time; it may have worked on the request all the same";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", message)
    }

    pub(crate) fn internal() -> Self {
        let message = "something failed in the gateway; try again, and if it stays, give the request id to whoever runs it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(crate) fn about(self, param: &'static str) -> Self {
        Self { param: Some(param), ..self }
    }

    /// The answer, in the envelope that the caller's SDK reads.
    pub(crate) fn respond(&self, envelope: Envelope, request_id: &str) -> Response {
        let message = format!("{} (request {request_id})", self.message);
        let document = match envelope {
            Envelope::OpenAi => json!({ "error": {
                "message": message, "type": self.openai_type(), "code": self.code, "param": self.param,
            }}),
            Envelope::Anthropic => json!({
                "type": "error", "error": { "type": self.anthropic_type(), "message": message },
                "code": self.code, "request_id": request_id,
            }),
        };
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ERROR_SOURCE, HeaderValue::from_static("gateway"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(retry) = self.should_retry {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(if retry { "true" } else { "false" }));
        }
        response
    }

    fn openai_type(&self) -> &'static str {
        match self.status.as_u16() {
            402 => "insufficient_quota",
            403 => "permission_error",
            408 | 504 => "timeout_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        }
    }

    fn anthropic_type(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            408 | 504 => "timeout_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 => "overloaded_error",
            400..=499 => "invalid_request_error",
            _ => "api_error",
        }
    }
}
