//! From an authenticated request to a call under way, in the order of `lib.rs`.

use super::attempt::{Attempt, Beginning, from_us};
use super::draft::Draft;
use super::drains::Detachable;
use super::exchange::{Answer, Exchange};
use super::rating::Pricing;
use super::route;
use crate::attribution::attribute;
use crate::auth;
use crate::body;
use crate::budget::HoldRequest;
use crate::control::Caller;
use crate::core::Core;
use crate::endpoint::Call;
use crate::glob;
use crate::refusal::{ERROR_SOURCE, REQUEST_ID, Refusal};
use crate::spool::NotAdmitted;
use crate::upstream::{Target, headers};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::attribution::clip_text;
use tallystick_runtime::http::{BodyError, read_body};
use tallystick_runtime::telemetry::inject_traceparent;
use uuid::Uuid;

const COST: HeaderName = HeaderName::from_static("x-tallystick-cost");
const BUSY: Duration = Duration::from_secs(1);

/// A request whose caller is known.
pub(crate) struct Incoming {
    pub(crate) request_id: Uuid,
    /// Monotonic time of arrival.
    pub(crate) started: Duration,
    pub(crate) now: Timestamp,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) call: Call,
    /// The provider that the path names.
    pub(crate) provider: Option<String>,
}

/// Forwards a call. `model` is set as soon as it is known, for the count of refusals.
///
/// # Errors
/// Everything that the gateway itself refuses or fails at.
pub(crate) async fn forward(
    core: &Arc<Core>,
    caller: &Caller,
    incoming: Incoming,
    model: &mut Option<String>,
) -> Result<Response, Refusal> {
    let Incoming { request_id, started, now, peer, headers, body, call, provider } = incoming;
    let slot = Arc::clone(&core.slots)
        .try_acquire_owned()
        .map_err(|_| Refusal::not_ready("too many requests are in flight; try again", BUSY))?;
    if !glob::allows(&caller.key.endpoints, call.name()) {
        let message = format!("this key may not call {}; ask your team's admin", call.name());
        return Err(Refusal::forbidden("endpoint_not_allowed", message));
    }
    let named = provider.map(|name| route::named(caller, call, &name)).transpose()?;
    let bytes = whole_body(core, body).await?;
    let view = body::read(&bytes)?;
    let wanted = model.insert(view.model.to_string());
    let target = choose(caller, call, wanted, named, now)?;
    let attributed = attribute(caller, &headers, &view, call, core.config.request.tags_bytes)?;
    let strip = call.asks_for_usage() && view.streams() && !view.asked_for_usage();
    let sent_body = if strip { body::ask_for_usage(&bytes, &view)? } else { bytes.clone() };

    let admission = core.spool.admit(core.now_us()).map_err(not_admitted)?;
    let at = from_us(admission.time_us());
    let book = Arc::clone(&caller.team.prices);
    let pricing = Pricing { book, target: Arc::clone(&target), at, currency: caller.team.team.currency };
    let input_bytes = view.input_bytes(&bytes);
    let found = pricing.in_force(wanted);
    let held = core.holds.hold(&HoldRequest {
        pays: &attributed.pays,
        at,
        price: found.as_ref().map(|found| found.version.as_ref()),
        input_bytes,
        output_cap: view.output_cap(),
    })?;
    let draft = Draft {
        core,
        caller,
        request_id,
        call,
        model: wanted.clone(),
        attributed,
        origin: peer.map(|peer| auth::origin(&core.secrets, peer)),
        prompt_print: auth::prompt_print(&core.secrets, |take| view.print(take)),
    };
    let event = draft.event(at, &pricing);
    let traceparent = inject_traceparent().or_else(|| sent_traceparent(&headers));
    let begun = Beginning { event, pricing, held, call, input_bytes, traceparent, started, slot };
    let (attempt, intent) = Attempt::begin(core, admission, begun)?;

    let client_gone = attempt.client_gone_flag();
    let headers = headers::upward(&headers, call, target.auth(call));
    let core_of_call = Arc::clone(core);
    let exchange =
        Exchange { core: core_of_call, attempt, intent, call, target, headers, body: sent_body, strip };
    let answer = Detachable::new(Arc::clone(&core.drains), client_gone, exchange.run()).await?;
    Ok(respond(answer, request_id))
}

async fn whole_body(core: &Core, body: Body) -> Result<Bytes, Refusal> {
    let limits = &core.config.request;
    read_body(body, limits.body_bytes, limits.body_timeout).await.map_err(|error| match error {
        BodyError::TooLarge { limit } => Refusal::too_large(limit),
        BodyError::Timeout { after } => Refusal::body_timeout(after),
        BodyError::Broken(_) => Refusal::invalid("the body broke off or is badly framed; send it again"),
    })
}

/// The provider, once the key's allowlist lets the model through.
fn choose(
    caller: &Caller,
    call: Call,
    model: &str,
    named: Option<Arc<Target>>,
    now: Timestamp,
) -> Result<Arc<Target>, Refusal> {
    if !glob::allows(&caller.key.models, model) {
        let allowed = caller.key.models.join(", ");
        let message =
            format!("this key may not use the model '{model}'; it may use: {}", clip_text(&allowed));
        return Err(Refusal::forbidden("model_not_allowed", message).about("model"));
    }
    named.map_or_else(|| route::by_model(caller, call, model, now), Ok)
}

/// The caller's own `traceparent`, where this process traces nothing.
fn sent_traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    crate::attribution::trace_id(text).map(|_| text.trim().to_owned())
}

fn not_admitted(why: NotAdmitted) -> Refusal {
    let (message, after) = match why {
        NotAdmitted::LowDisk => ("the gateway's disk is nearly full", Duration::from_secs(30)),
        NotAdmitted::Backlog => ("too many events wait for the log", Duration::from_secs(10)),
        NotAdmitted::Busy | NotAdmitted::InFlight => ("the gateway is busy; try again", BUSY),
        NotAdmitted::Poisoned => ("the gateway can not record requests", Duration::from_secs(30)),
        NotAdmitted::Closed => ("the gateway is shutting down; try again", BUSY),
    };
    Refusal::not_ready(message, after)
}

fn respond(answer: Answer, request_id: Uuid) -> Response {
    let (status, mut headers, body, cost) = match answer {
        Answer::Whole { status, headers, body, cost } => (status, headers, Body::from(body), cost),
        Answer::Stream { status, headers, relay } => (status, headers, Body::new(relay), None),
    };
    insert_text(&mut headers, REQUEST_ID, &request_id.to_string());
    if let Some(cost) = cost.map(|cost: Decimal| cost.normalize()) {
        insert_text(&mut headers, COST, &cost.to_string());
    }
    if status.is_client_error() || status.is_server_error() {
        headers.insert(ERROR_SOURCE, HeaderValue::from_static("upstream"));
    }
    let mut response = Response::new(body);
    *response.status_mut() =
        if status == StatusCode::SWITCHING_PROTOCOLS { StatusCode::BAD_GATEWAY } else { status };
    *response.headers_mut() = headers;
    response
}

fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
