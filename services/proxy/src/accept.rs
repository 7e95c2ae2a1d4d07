//! How a request begins and how its answer leaves: the path, the gate, the caller, and the envelope of every refusal.

use crate::auth;
use crate::call::{Incoming, forward};
use crate::core::Core;
use crate::endpoint::{self, Endpoint};
use crate::facts;
use crate::refusal::{Envelope, Refusal};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::HeaderMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tallystick_runtime::http::Peer;
use tallystick_runtime::telemetry::set_remote_parent;
use tracing::Instrument as _;
use uuid::Uuid;

/// Answers a request. Never fails: a panic below is a `500`, and whatever was under way settles itself.
pub(crate) async fn handle(State(core): State<Arc<Core>>, request: Request) -> Response {
    let request_id = core.ids.uuid();
    let span = tracing::info_span!(
        "proxy.request.handle",
        request.id = %request_id, http.request.method = %request.method(), endpoint = tracing::field::Empty,
        key.id = tracing::field::Empty, team.id = tracing::field::Empty, http.response.status_code = tracing::field::Empty,
        error.code = tracing::field::Empty
    );
    continue_trace(&span, request.headers());
    answer(core, request, request_id).instrument(span).await
}

fn continue_trace(span: &tracing::Span, headers: &HeaderMap) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(traceparent) = text("traceparent") {
        set_remote_parent(span, Some(traceparent), text("tracestate"));
    }
}

async fn answer(core: Arc<Core>, request: Request, request_id: Uuid) -> Response {
    let envelope = endpoint::envelope_of(request.uri().path());
    let answered = AssertUnwindSafe(Box::pin(dispatch(&core, request, request_id))).catch_unwind().await;
    let answered = answered.unwrap_or_else(|_| {
        tracing::error!(request.id = %request_id, "handling a request panicked");
        Err(Refusal::internal())
    });
    let response = answered.unwrap_or_else(|refusal| refuse(&core, &refusal, envelope, request_id));
    tracing::Span::current().record("http.response.status_code", response.status().as_u16());
    response
}

fn refuse(core: &Core, refusal: &Refusal, envelope: Envelope, request_id: Uuid) -> Response {
    core.metrics.refused(refusal.code);
    tracing::Span::current().record("error.code", refusal.code);
    refusal.respond(envelope, &request_id.to_string())
}

/// Steps 1 and 2: the endpoint, the gate, the caller.
async fn dispatch(core: &Arc<Core>, request: Request, request_id: Uuid) -> Result<Response, Refusal> {
    let started = core.clock.monotonic();
    let now = core.clock.now();
    let (parts, body) = request.into_parts();
    let found = endpoint::find(&parts.method, parts.uri.path()).ok_or_else(unknown_endpoint)?;
    gate(core)?;
    let caller = auth::identify(&parts.headers, &core.feed.directory(), &core.secrets.pepper)?;
    let span = tracing::Span::current();
    span.record("key.id", tracing::field::display(caller.key.id));
    span.record("team.id", tracing::field::display(caller.key.team));
    let counted = |refusal: Refusal, model: Option<&str>| {
        core.refused.count(&caller, &refusal, model, now);
        refusal
    };
    auth::is_alive(&caller, now).map_err(|refusal| counted(refusal, None))?;
    match found.endpoint {
        Endpoint::Models => Ok(facts::models(&caller, found.provider, now)),
        Endpoint::Key => Ok(facts::key(&caller)),
        Endpoint::Call(call) => {
            span.record("endpoint", call.name());
            let peer = parts.extensions.get::<Peer>().map(|peer| peer.address.ip());
            let provider = found.provider.map(str::to_owned);
            let headers = parts.headers;
            let incoming = Incoming { request_id, started, now, peer, headers, body, call, provider };
            let mut model = None;
            let forwarded = forward(core, &caller, incoming, &mut model).await;
            forwarded.map_err(
                |refusal| if is_ours(&refusal) { counted(refusal, model.as_deref()) } else { refusal },
            )
        }
    }
}

/// Whether a refusal left no event of its own. What failed upstream has one.
fn is_ours(refusal: &Refusal) -> bool {
    refusal.status.is_client_error()
}

fn unknown_endpoint() -> Refusal {
    Refusal::not_found("unknown_endpoint", "this gateway has no such endpoint; check the method and the path")
}

/// Whether anything may be admitted.
fn gate(core: &Core) -> Result<(), Refusal> {
    if core.is_closed() {
        return Err(Refusal::not_ready("the gateway is shutting down; try again", Duration::from_secs(1)));
    }
    if !core.feed.is_current() {
        let message = "the gateway has lost touch with its control plane; try again";
        return Err(Refusal::not_ready(message, Duration::from_secs(5)));
    }
    Ok(())
}
