//! From a refused request to a message and an exit code: the only place that knows both.

use http::StatusCode;
use serde_json::Value;

use crate::error::{CliError, Exit};

/// The failure that an answer stands for.
pub(super) fn failure(status: StatusCode, body: &[u8], request: &str) -> CliError {
    let document: Option<Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| document.as_ref().and_then(|document| document[name].as_str());
    let code = field("code").unwrap_or_default();
    let detail = field("detail").or_else(|| field("title")).map(str::to_owned);
    let detail = detail.unwrap_or_else(|| format!("{request} was answered with {status}"));
    let error = CliError::with_exit(exit(status), detail);
    let error = match advice(status, code) {
        Some(advice) => error.advise(advice),
        None => error,
    };
    match document {
        Some(document) if document.is_object() => error.with_document(document),
        _ => error,
    }
}

const fn exit(status: StatusCode) -> Exit {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::NotAllowed,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Exit::Conflict,
        _ => Exit::Failed,
    }
}

fn advice(status: StatusCode, code: &str) -> Option<&'static str> {
    match (status, code) {
        (StatusCode::UNAUTHORIZED, _) => {
            Some("the token comes from TALLYSTICK_TOKEN, or from admin.token in the data directory")
        }
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            Some("try again in a moment; `tallystick doctor` looks for the cause")
        }
        (StatusCode::NOT_FOUND, "") => Some("is TALLYSTICK_URL a Tallystick of this version?"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_exit_code() {
        let cases =
            [(400, 2), (401, 4), (403, 4), (404, 3), (409, 5), (422, 2), (429, 1), (500, 1), (503, 1)];
        for (status, code) in cases {
            let error = failure(StatusCode::from_u16(status).unwrap(), b"", "GET /x");
            assert_eq!(error.exit() as u8, code, "{status}");
        }
    }

    #[test]
    fn the_detail_of_the_document_is_the_message() {
        let body = br#"{"code":"not_found","detail":"there is no client 'x'","status":404}"#;
        let error = failure(StatusCode::NOT_FOUND, body, "GET /clients/x");
        assert_eq!(error.to_string(), "error: there is no client 'x'");
        assert_eq!(error.as_json()["code"], "not_found");
    }

    #[test]
    fn an_answer_that_is_no_document_still_names_the_request() {
        let error = failure(StatusCode::BAD_GATEWAY, b"<html>", "GET /api/v1/team");
        assert!(error.to_string().contains("GET /api/v1/team"), "{error}");
    }
}
