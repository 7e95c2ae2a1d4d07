//! W3C trace context, in and out: through HTTP headers and through the event log's headers.

use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// `traceparent` of the current span; `None` where nothing is traced.
#[must_use]
pub fn inject_traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    headers.remove(TRACEPARENT)
}

/// The remote span that `traceparent` (and `tracestate`) name; `None` when it is missing or malformed.
#[must_use]
pub fn extract(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<Context> {
    let carrier = Carrier { traceparent: traceparent?, tracestate };
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}

/// Makes `span` a child of the remote span that `traceparent` names. Call it before the span is entered. A malformed
/// or missing `traceparent` leaves the span as it is.
pub fn set_remote_parent(span: &Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    if let Some(context) = extract(traceparent, tracestate)
        && let Err(error) = span.set_parent(context)
    {
        tracing::trace!(error.message = %error, "the span is not traced");
    }
}

struct Carrier<'a> {
    traceparent: &'a str,
    tracestate: Option<&'a str>,
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}
