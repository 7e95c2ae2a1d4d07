//! `/metrics` for Prometheus.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use prometheus::{Encoder as _, Registry, TextEncoder};

use crate::{Problem, health::Readiness};

/// `/metrics`, and `/healthz` and `/readyz` beside it for a prober that only reaches this listener.
pub(super) fn router(registry: Registry, readiness: &Readiness) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry)).merge(readiness.router())
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
