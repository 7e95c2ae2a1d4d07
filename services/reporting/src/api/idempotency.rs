//! `Idempotency-Key`: a POST that is sent twice is carried out once.
//!
//! Phases: claim the key for a hash of (token, method, path, body); run the handler; keep its answer, sealed, since it
//! may show a new secret. The same request again gets the same answer, another request under the same key `422`, one
//! that is still running `409`. An answer that failed on our side, and `429`, are not kept: the request may be repeated.

use super::ApiState;
use super::auth::Caller;
use super::error::{ApiError, ApiResult};
use super::extract::whole_body;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::TeamId;
use tallystick_runtime::Problem;
use tallystick_store::control::Claim;
use tallystick_store::secrets::NONCE_BYTES;

const HEADER: &str = "idempotency-key";
/// Longest key, in bytes.
const MAX_KEY: usize = 255;
/// Largest answer that is kept. Larger ones come from exports, which change nothing.
const MAX_ANSWER: u64 = 4 << 20;
/// A claim that was not answered after this long was left by a process that died.
const ABANDONED: Duration = Duration::from_secs(120);
/// Set on an answer that was kept from before.
const REPLAYED: &str = "idempotent-replayed";

/// Middleware behind authentication.
pub(super) async fn idempotent(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(HEADER).filter(|_| request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let key = key.to_str().map(str::to_owned).ok();
    let caller = request.extensions().get::<Arc<Caller>>().cloned();
    match (key, caller) {
        (Some(key), Some(caller)) if !key.is_empty() && key.len() <= MAX_KEY => {
            match once(&api, &caller, &key, request, next).await {
                Ok(response) => response,
                Err(error) => error.into_response(),
            }
        }
        (_, Some(_)) => {
            ApiError::invalid("Idempotency-Key is 1 to 255 visible ASCII characters").into_response()
        }
        (_, None) => Problem::unauthorized("send an API token").into_response(),
    }
}

async fn once(
    api: &ApiState,
    caller: &Caller,
    key: &str,
    request: Request,
    next: Next,
) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let limit = api.config.body_bytes.max(api.config.inbox_body_bytes);
    let body = whole_body(Request::from_parts(parts.clone(), body), api, limit).await?;
    let hash = request_hash(caller, &parts, &body);
    // A task of its own, the claim included: a caller who hangs up leaves neither a request half done nor its key claimed
    // with nobody at work.
    let request = Request::from_parts(parts, Body::from(body));
    let work = carry_out(api.clone(), caller.team_id(), key.to_owned(), hash, request, next);
    let done = api.tasks.spawn("idempotent request", work).await;
    done.unwrap_or_else(|ended| Err(Problem::internal(&ended).into()))
}

/// Claims the key and carries the request out, or says what became of it.
async fn carry_out(
    api: ApiState,
    team: TeamId,
    key: String,
    hash: [u8; 32],
    request: Request,
    next: Next,
) -> ApiResult<Response> {
    let now = api.clock.now();
    let abandoned = now.checked_sub(ABANDONED).unwrap_or(now);
    match api.store.idempotency_claim(team, &key, &hash, now, abandoned).await? {
        Claim::Claimed => keep(&api, team, &key, next.run(request).await).await,
        Claim::Pending => {
            Err(ApiError::conflict("in_progress", "this request is being carried out; ask again in a moment"))
        }
        Claim::Other => {
            let detail =
                "this Idempotency-Key was used for another request; use a new key for each new request";
            Err(Problem::unprocessable("idempotency_key_reused", detail).into())
        }
        Claim::Answered { status, sealed } => replay(&api, team, &key, status, &sealed),
    }
}

async fn keep(api: &ApiState, team: TeamId, key: &str, response: Response) -> ApiResult<Response> {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        api.store.idempotency_release(team, key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let whole = tallystick_runtime::http::read_body(body, MAX_ANSWER, api.config.body_read_timeout);
    let body = whole.await.map_err(Problem::from)?;
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let plain = [kind, b"\n", &body].concat();
    let mut nonce = [0_u8; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
    let sealed = api.secrets.secret_box.seal(&binding(team, key), nonce, &plain);
    if let Err(error) = api.store.idempotency_answer(team, key, status.as_u16(), &sealed).await {
        tracing::warn!(error = %error, "an answer could not be kept for its idempotency key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(api: &ApiState, team: TeamId, key: &str, status: u16, sealed: &[u8]) -> ApiResult<Response> {
    let plain = api
        .secrets
        .secret_box
        .open(&binding(team, key), sealed)
        .map_err(|error| Problem::internal(&error))?;
    let split = plain.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (kind, body) = plain.split_at(split);
    let mut response = Response::new(Body::from(body.get(1..).unwrap_or_default().to_vec()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Ok(kind) = HeaderValue::from_bytes(kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn binding(team: TeamId, key: &str) -> Vec<u8> {
    format!("answer\n{team}\n{key}").into_bytes()
}

fn request_hash(caller: &Caller, parts: &http::request::Parts, body: &Bytes) -> [u8; 32] {
    let target =
        parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0).to_string();
    let mut hash = Sha256::new();
    for part in [
        caller.token.id.as_uuid().as_bytes().as_slice(),
        parts.method.as_str().as_bytes(),
        target.as_bytes(),
        body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
