//! Error bodies, word for word in the shapes that the SDKs parse.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// Whose wire format an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
}

/// An error before it is written in a dialect.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<&'static str>,
    message: String,
    retry_after: Option<u64>,
}

impl ApiError {
    /// A request that cannot be served as it is (400).
    pub(crate) fn bad(param: Option<&'static str>, code: Option<&'static str>, message: &str) -> Self {
        let message = message.to_owned();
        Self { status: 400, kind: "invalid_request_error", code, param, message, retry_after: None }
    }

    pub(crate) fn unreadable_body(dialect: Dialect) -> Self {
        Self::bad(
            None,
            None,
            match dialect {
                Dialect::OpenAi => {
                    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using \
                     your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not \
                     valid JSON.)"
                }
                Dialect::Anthropic => "The request body is not valid JSON.",
            },
        )
    }

    pub(crate) fn no_key(dialect: Dialect) -> Self {
        let message = match dialect {
            Dialect::OpenAi => {
                "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                 Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            }
            Dialect::Anthropic => "x-api-key header is required",
        };
        Self { code: None, ..Self::wrong_key(dialect, "") }.saying(message)
    }

    pub(crate) fn wrong_key(dialect: Dialect, given: &str) -> Self {
        let shown: String = given.chars().take(8).collect();
        let (kind, message) = match dialect {
            Dialect::OpenAi => (
                "invalid_request_error",
                format!(
                    "Incorrect API key provided: {shown}****. You can find your API key at \
                     https://platform.openai.com/account/api-keys."
                ),
            ),
            Dialect::Anthropic => ("authentication_error", "invalid x-api-key".to_owned()),
        };
        Self { status: 401, kind, code: Some("invalid_api_key"), param: None, message, retry_after: None }
    }

    pub(crate) fn no_such_model(dialect: Dialect, model: &str) -> Self {
        let (kind, message) = match dialect {
            Dialect::OpenAi => (
                "invalid_request_error",
                format!("The model `{model}` does not exist or you do not have access to it."),
            ),
            Dialect::Anthropic => ("not_found_error", format!("model: {model}")),
        };
        Self { status: 404, kind, code: Some("model_not_found"), param: None, message, retry_after: None }
    }

    /// A model of another endpoint (404).
    pub(crate) fn not_a_chat_model() -> Self {
        let message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you \
                       mean to use v1/completions?";
        Self { status: 404, code: None, param: Some("model"), ..Self::bad(None, None, message) }
    }

    pub(crate) fn no_such_path(method: &str, path: &str) -> Self {
        Self { status: 404, ..Self::bad(None, None, &format!("Invalid URL ({method} {path})")) }
    }

    /// The error that a service gives with this status when it is not the request's fault alone.
    pub(crate) fn of_status(dialect: Dialect, status: u16, model: &str, retry_after: Option<u64>) -> Self {
        let retry_after = if status == 429 { Some(retry_after.unwrap_or(1)) } else { retry_after };
        let error = match status {
            401 => Self::wrong_key(dialect, "sk-fake-"),
            404 => Self::no_such_model(dialect, model),
            400 | 405..=428 => {
                Self::bad(Some("messages"), None, "Invalid value: the script refuses this request.")
            }
            _ => Self::busy(dialect, status, model),
        };
        Self { status, retry_after, ..error }
    }

    fn busy(dialect: Dialect, status: u16, model: &str) -> Self {
        let (kind, code, message) = match (dialect, status) {
            (Dialect::OpenAi, 429) => (
                "tokens",
                Some("rate_limit_exceeded"),
                format!(
                    "Rate limit reached for {model} in organization org-fakeprovider on tokens per min (TPM): Limit \
                     2000000, Used 1999000, Requested 2000. Please try again in 1s. Visit \
                     https://platform.openai.com/account/rate-limits to learn more."
                ),
            ),
            (Dialect::OpenAi, 503) => (
                "server_error",
                None,
                "The engine is currently overloaded, please try again later".to_owned(),
            ),
            (Dialect::OpenAi, _) => (
                "server_error",
                None,
                "The server had an error while processing your request. Sorry about that!".to_owned(),
            ),
            (Dialect::Anthropic, 429) => (
                "rate_limit_error",
                None,
                "This request would exceed your organization's rate limit.".to_owned(),
            ),
            (Dialect::Anthropic, 503 | 529) => ("overloaded_error", None, "Overloaded".to_owned()),
            (Dialect::Anthropic, _) => ("api_error", None, "Internal server error".to_owned()),
        };
        Self { status, kind, code, param: None, message, retry_after: None }
    }

    fn saying(self, message: &str) -> Self {
        Self { message: message.to_owned(), ..self }
    }

    /// The body of this error.
    pub(crate) fn body(&self, dialect: Dialect, request_id: &str) -> Value {
        let Self { kind, code, param, message, .. } = self;
        match dialect {
            Dialect::OpenAi => {
                json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
            }
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})
            }
        }
    }

    pub(crate) fn response(&self, dialect: Dialect, request_id: &str) -> Response {
        let body = serde_json::to_vec_pretty(&self.body(dialect, request_id)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
