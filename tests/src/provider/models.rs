//! `GET /v1/models`, `GET /v1/models/{id}`, and the answer to every other path.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::{Value, json};

use super::errors::{ApiError, Dialect};
use super::headers::decorate;
use super::random::roll;
use super::state::State;
use super::tariff::Tariff;

fn entry(tariff: &Tariff) -> Value {
    json!({"id": tariff.model, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

fn may_ask(state: &State, headers: &HeaderMap) -> Result<(), ApiError> {
    state.saw_headers(headers.keys().map(http::HeaderName::as_str));
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let given = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let given = given.ok_or_else(|| ApiError::no_key(Dialect::OpenAi))?;
    let known = state.settings.keys.iter().any(|key| key == given);
    known.then_some(()).ok_or_else(|| ApiError::wrong_key(Dialect::OpenAi, given))
}

fn finish(answer: Result<Value, ApiError>) -> Response {
    let id = format!("req_{:032x}", roll(&[3]));
    let mut response = match answer {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.response(Dialect::OpenAi, &id),
    };
    decorate(response.headers_mut(), Dialect::OpenAi, &id, 0, 1);
    response
}

/// Every model on sale in this dialect.
pub(crate) async fn list(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    let models = Tariff::all().iter().filter(|tariff| !tariff.is_anthropic()).map(entry);
    finish(may_ask(&state, &headers).map(|()| json!({"object": "list", "data": models.collect::<Vec<_>>()})))
}

/// One model.
pub(crate) async fn show(
    Shared(state): Shared<Arc<State>>,
    Path(model): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = may_ask(&state, &headers).and_then(|()| {
        Tariff::of(&model).map(entry).ok_or_else(|| ApiError::no_such_model(Dialect::OpenAi, &model))
    });
    finish(found)
}

/// Anything else.
pub(crate) async fn unknown_path(request: Request) -> Response {
    finish(Err(ApiError::no_such_path(request.method().as_str(), request.uri().path())))
}
