//! Every failure of the API as a problem document with a stable code.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use std::borrow::Cow;
use std::time::Duration;
use tallystick_domain::attribution::TextError;
use tallystick_domain::currency::CurrencyError;
use tallystick_domain::period::PeriodError;
use tallystick_runtime::Problem;
use tallystick_store::StoreError;

/// After this long a caller that met a busy or absent database tries again.
const RETRY: Duration = Duration::from_secs(1);

/// A refused or failed request.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

/// What a handler gives back.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// `400 invalid_request`: says what is wrong and what to send instead.
    #[must_use]
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Problem::bad_request("invalid_request", detail).into()
    }

    /// `404 not_found`: the team has no such object (another team's is no different).
    #[must_use]
    pub fn not_found(what: &str, reference: &str) -> Self {
        Problem::not_found(format!(
            "there is no {what} '{}' in this team; list them to see what there is",
            clip(reference)
        ))
        .into()
    }

    /// `409` with a code of its own.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Problem::conflict(code, detail).into()
    }

    /// The document that will be sent.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

/// What strangers wrote, short enough for a message.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) | StoreError::Contended(_) => {
                Problem::not_ready("the database does not answer at this moment; try again", RETRY)
                    .with_internal(tallystick_runtime::error_chain(&error))
            }
            StoreError::Conflict(what) => Problem::conflict("conflict", what.clone()),
            StoreError::Data { constraint: Some(constraint), .. } if constraint.ends_with("_taken") => {
                Problem::conflict("name_taken", format!("{}; choose another", taken(constraint)))
            }
            StoreError::Data { .. } => Problem::bad_request(
                "invalid_request",
                "the database refuses a value of this request; check the values",
            )
            .with_internal(tallystick_runtime::error_chain(&error)),
            _ => Problem::internal(&error),
        }
        .into()
    }
}

/// `client_name_taken` becomes `this client name is taken`.
fn taken(constraint: &str) -> String {
    let words = constraint.trim_end_matches("_taken").replace('_', " ");
    format!("this {words} is taken")
}

macro_rules! invalid {
    ($($ty:ty => $code:literal),+ $(,)?) => {$(
        impl From<$ty> for ApiError {
            fn from(error: $ty) -> Self {
                Problem::bad_request($code, error.to_string()).into()
            }
        }
    )+};
}
invalid!(TextError => "invalid_request", CurrencyError => "unknown_currency");

impl From<PeriodError> for ApiError {
    fn from(error: PeriodError) -> Self {
        let code = match error {
            PeriodError::UnknownZone(_) => "unknown_zone",
            _ => "invalid_period",
        };
        Problem::new(StatusCode::BAD_REQUEST, code, error.to_string()).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
