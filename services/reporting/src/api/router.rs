//! The table of contents of the API. A route that is not in here does not exist; its documentation comes from here too.

use super::auth::authenticate;
use super::error::ApiError;
use super::idempotency::idempotent;
use super::openapi::{ApiDoc, openapi_json};
use super::{
    ApiState, audit, clients, contracts, deadletters, events, invoices, issuer, keys, members, prices,
    projects, providers, reports, team, tokens, usage,
};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Router, http};
use tallystick_runtime::Problem;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where the API begins.
pub(super) const BASE: &str = "/api/v1";

/// Every documented resource.
pub(super) fn resources() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi()).nest(BASE, control_plane().merge(ledger()))
}

fn control_plane() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(team::show, team::update))
        .routes(routes!(members::list, members::add))
        .routes(routes!(members::show, members::update))
        .routes(routes!(members::remove))
        .routes(routes!(clients::list, clients::add))
        .routes(routes!(clients::show, clients::update))
        .routes(routes!(clients::archive))
        .routes(routes!(projects::list, projects::add))
        .routes(routes!(projects::show, projects::update))
        .routes(routes!(projects::archive))
        .routes(routes!(issuer::show, issuer::set))
        .routes(routes!(contracts::show))
        .routes(routes!(contracts::set))
        .routes(routes!(providers::list, providers::add))
        .routes(routes!(providers::show, providers::update))
        .routes(routes!(providers::archive))
        .routes(routes!(keys::list, keys::add))
        .routes(routes!(keys::show, keys::update))
        .routes(routes!(keys::suspend))
        .routes(routes!(keys::restore))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(prices::list, prices::set))
        .routes(routes!(prices::show))
        .routes(routes!(prices::import))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::whoami))
        .routes(routes!(audit::list))
        .routes(routes!(deadletters::list))
        .routes(routes!(deadletters::show))
}

fn ledger() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(usage::show))
        .routes(routes!(usage::reassign))
        .routes(routes!(usage::rerate))
        .routes(routes!(events::list, events::add))
        .routes(routes!(events::show))
        .routes(routes!(invoices::list, invoices::add))
        .routes(routes!(invoices::show))
        .routes(routes!(invoices::finalize_one))
        .routes(routes!(invoices::send))
        .routes(routes!(invoices::mark_paid))
        .routes(routes!(invoices::void))
        .routes(routes!(reports::month))
        .routes(routes!(reports::week))
}

/// The whole API as the binary mounts it.
pub fn router(api: ApiState) -> Router {
    let (resources, _) = resources().split_for_parts();
    resources
        .layer(from_fn_with_state(api.clone(), idempotent))
        .layer(from_fn_with_state(api.clone(), authenticate))
        .route(&format!("{BASE}/openapi.json"), get(openapi))
        .route(&format!("{BASE}/{{*path}}"), any(no_such_path))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .with_state(api)
}

async fn openapi() -> impl IntoResponse {
    ([(http::header::CONTENT_TYPE, "application/json")], openapi_json())
}

async fn no_such_path() -> ApiError {
    Problem::not_found("the API has no such path; see /api/v1/openapi.json for those it has").into()
}

async fn wrong_method() -> ApiError {
    let detail = "this path has no such method; see /api/v1/openapi.json for those it has";
    Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into()
}
