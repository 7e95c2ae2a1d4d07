//! One call: request, answer or stream, hang-up, time-out.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::plan::{CallSpec, Kind};
use super::sse::SseReader;

/// How a call ended, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// A complete answer, an error status included. A stream is complete at its end marker.
    Complete,
    /// The client hung up, as planned.
    HungUp,
    /// The client lost its patience.
    TimedOut,
    /// The answer broke off, or a stream ended without its marker.
    Broken,
    /// No connection, or none that gave a status line.
    Unanswered,
}

/// What one call got.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// See [`CallSpec::nonce`].
    pub nonce: String,
    /// See [`CallSpec::kind`].
    pub kind: Kind,
    /// HTTP status, if one arrived.
    pub status: Option<u16>,
    /// How it ended.
    pub end: End,
    /// `x-request-id` of the answer: the provider's own where a gateway lets it through.
    pub request_id: Option<String>,
    /// `x-tallystick-request-id`, when a gateway answered.
    pub gateway_request_id: Option<String>,
    /// `error.code` of an error answer, or `error.type` where there is no code.
    pub error_code: Option<String>,
    /// The usage object that the client was shown.
    pub usage: Option<Value>,
    /// Stream events received, the end marker not counted.
    pub events: usize,
    /// Stream events without choices: the usage chunk.
    pub usage_events: usize,
    /// Until the status line.
    pub first_byte: Duration,
    /// Until the end.
    pub total: Duration,
}

/// Where calls go, over one pool of kept-alive connections.
#[derive(Clone)]
pub struct Target {
    base_url: String,
    key: String,
    headers: HeaderMap,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Target {
    /// `base_url` ends in `/v1`, without a slash behind it; only plain HTTP.
    pub fn new(base_url: impl Into<String>, key: impl Into<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(hyper_util::rt::TokioExecutor::new())
            // A retried request would be a second call on the bill.
            .retry_canceled_requests(false)
            .build(connector);
        Self { base_url: base_url.into(), key: key.into(), headers: HeaderMap::new(), client }
    }

    /// Sends these headers with every call.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Makes one call. Never fails: what went wrong is in the result.
    pub async fn call(&self, spec: &CallSpec) -> CallResult {
        let mut result = CallResult {
            nonce: spec.nonce.clone(),
            kind: spec.kind,
            status: None,
            end: End::Unanswered,
            request_id: None,
            gateway_request_id: None,
            error_code: None,
            usage: None,
            events: 0,
            usage_events: 0,
            first_byte: Duration::ZERO,
            total: Duration::ZERO,
        };
        let started = Instant::now();
        if timeout(spec.timeout, self.attempt(spec, started, &mut result)).await.is_err() {
            result.end = End::TimedOut;
        }
        result.total = started.elapsed();
        result
    }

    fn request(&self, spec: &CallSpec) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{}", self.base_url, spec.path))
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "tallystick-load/1")
            .body(Full::new(spec.body.clone()))?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }

    async fn attempt(&self, spec: &CallSpec, started: Instant, result: &mut CallResult) {
        let Ok(request) = self.request(spec) else { return };
        let Ok(response) = self.client.request(request).await else { return };
        result.first_byte = started.elapsed();
        result.status = Some(response.status().as_u16());
        result.end = End::Broken;
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        result.request_id = text("x-request-id");
        result.gateway_request_id = text("x-tallystick-request-id");
        let streamed = text("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        if streamed {
            read_stream(response.into_body(), spec.hang_up_after, result).await;
        } else {
            read_whole(response.into_body(), result).await;
        }
    }
}

async fn read_whole(body: Incoming, result: &mut CallResult) {
    let Ok(collected) = body.collect().await else { return };
    result.end = End::Complete;
    let Ok(body) = serde_json::from_slice::<Value>(&collected.to_bytes()) else { return };
    note_error(&body, result);
    result.usage = body.get("usage").filter(|usage| usage.is_object()).cloned();
}

fn note_error(body: &Value, result: &mut CallResult) {
    let error = &body["error"];
    let code = error["code"].as_str().or(error["type"].as_str());
    result.error_code = code.map(str::to_owned).or(result.error_code.take());
}

async fn read_stream(mut body: Incoming, hang_up_after: Option<usize>, result: &mut CallResult) {
    let mut reader = SseReader::default();
    let mut done = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return };
        for data in frame.data_ref().map(|bytes| reader.push(bytes)).unwrap_or_default() {
            if data == "[DONE]" {
                done = true;
                continue;
            }
            result.events += 1;
            note_event(&data, result);
            if hang_up_after.is_some_and(|limit| result.events >= limit) {
                result.end = End::HungUp;
                return;
            }
        }
    }
    result.end = if done { End::Complete } else { End::Broken };
}

fn note_event(data: &str, result: &mut CallResult) {
    let Ok(event) = serde_json::from_str::<Value>(data) else { return };
    note_error(&event, result);
    if event["choices"].as_array().is_some_and(Vec::is_empty) {
        result.usage_events += 1;
    }
    if event["usage"].is_object() {
        result.usage = Some(event["usage"].clone());
    }
}
