//! The call itself: send, wait for the head, pass the answer on.
//!
//! 1. With `intent = before_send`, or without a place on the slate, wait for the disk.
//! 2. Send, and wait for the intent beside it: no byte of an answer leaves before it is on disk.
//! 3. An event stream goes on as a [`Relay`]; anything else is read whole, settled, and answered.

use super::attempt::{Attempt, Intent};
use super::ending::Ending;
use super::meter::Meter;
use super::relay::Relay;
use crate::config::IntentMode;
use crate::core::Core;
use crate::endpoint::Call;
use crate::refusal::Refusal;
use crate::spool::SpoolError;
use crate::upstream::{Target, UpstreamError, headers};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode, response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use rust_decimal::Decimal;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::event::Outcome;
use tallystick_domain::usage::read_body;
use tallystick_runtime::error_chain;
use tracing::Instrument as _;

/// One call, ready to go.
pub(crate) struct Exchange {
    pub(crate) core: Arc<Core>,
    pub(crate) attempt: Attempt,
    pub(crate) intent: Intent,
    pub(crate) call: Call,
    pub(crate) target: Arc<Target>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Take the usage chunk out of the stream.
    pub(crate) strip: bool,
}

/// What the client gets.
pub(crate) enum Answer {
    Whole { status: StatusCode, headers: HeaderMap, body: Bytes, cost: Option<Decimal> },
    Stream { status: StatusCode, headers: HeaderMap, relay: Relay },
}

/// Why an answer was not read whole.
enum Unread {
    Broken,
    Silent,
    TooLarge,
}

impl Exchange {
    /// # Errors
    /// `502`, `503` or `504` of ours; the attempt is settled then.
    pub(crate) async fn run(self) -> Result<Answer, Refusal> {
        let Self { core, mut attempt, intent, call, target, headers, body, strip } = self;
        let wait_first = core.config.intent == IntentMode::BeforeSend || !intent.is_written();
        let mut intent = Some(intent);
        if wait_first
            && let Some(intent) = intent.take()
            && let Err(error) = intent.durable().await
        {
            attempt.finish(Ending::of(Outcome::Abandoned).with_code("spool_failed"));
            return Err(unrecorded(&error));
        }
        attempt.mark_sent();
        let span = tracing::info_span!("proxy.upstream.send", provider = target.name, endpoint = call.name());
        let sending = core.upstream.send(&target, call, headers, body).instrument(span);
        let (answer, written) = match intent {
            Some(intent) => tokio::join!(sending, intent.durable()),
            None => (sending.await, Ok(())),
        };
        if let Err(error) = written {
            attempt.finish(Ending::of(Outcome::GatewayFailed).with_code("spool_failed"));
            return Err(unrecorded(&error));
        }
        let (head, upstream) = match answer {
            Ok(response) => response.into_parts(),
            Err(error) => return Err(no_answer(attempt, &error)),
        };
        attempt.answered(&head);
        if head.status.is_success() && is_event_stream(&head) {
            let meter = Meter::new(call, strip, core.config.upstream.sse());
            let headers = headers::downward(&head.headers);
            let relay = Relay::new(&core, upstream, meter, attempt);
            return Ok(Answer::Stream { status: head.status, headers, relay });
        }
        attempt.first_byte();
        let limits = &core.config.upstream;
        match read_whole(upstream, limits.answer_bytes, limits.idle_timeout).await {
            Ok(body) => whole(attempt, &target, call, &head, body),
            Err(why) => Err(unread(attempt, &why)),
        }
    }
}

fn unrecorded(error: &SpoolError) -> Refusal {
    tracing::error!(error.message = %error_chain(error), "an intent did not reach the disk");
    Refusal::not_ready("the gateway can not record requests right now", Duration::from_secs(5))
}

fn no_answer(attempt: Attempt, error: &UpstreamError) -> Refusal {
    tracing::info!(error.message = %error_chain(error), "the provider gave no answer");
    let (outcome, code, refusal) = match error {
        UpstreamError::Unreachable(_) => {
            let refusal =
                Refusal::upstream_error("the provider could not be reached; nothing was sent, so try again");
            (Outcome::UpstreamUnreachable, "upstream_unreachable", refusal)
        }
        UpstreamError::Broken(_) => {
            let refusal = Refusal::upstream_error("the connection to the provider broke before it answered");
            (Outcome::UpstreamBroken, "upstream_broken", refusal)
        }
        UpstreamError::Timeout => (Outcome::UpstreamTimeout, "upstream_timeout", Refusal::upstream_timeout()),
    };
    attempt.finish(Ending::of(outcome).with_code(code));
    refusal
}

fn unread(attempt: Attempt, why: &Unread) -> Refusal {
    let (outcome, code, refusal) = match why {
        Unread::Broken => {
            let refusal =
                Refusal::upstream_error("the connection to the provider broke in the middle of its answer");
            (Outcome::UpstreamBroken, "upstream_broken", refusal)
        }
        Unread::Silent => (Outcome::UpstreamTimeout, "upstream_timeout", Refusal::upstream_timeout()),
        Unread::TooLarge => {
            let refusal =
                Refusal::upstream_error("the provider's answer is larger than the gateway passes on");
            (Outcome::UpstreamBroken, "answer_too_large", refusal)
        }
    };
    attempt.finish(Ending::of(outcome).with_code(code));
    refusal
}

fn whole(
    attempt: Attempt,
    target: &Target,
    call: Call,
    head: &response::Parts,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let status = head.status;
    let seen = read_body(call.dialect(), &body);
    if status.is_success() {
        let cost = attempt.finish(Ending::whole(seen));
        return Ok(Answer::Whole { status, headers: headers::downward(&head.headers), body, cost });
    }
    attempt.finish(Ending::refused(status.as_u16(), seen));
    if !status.is_client_error() && !status.is_server_error() {
        return Err(Refusal::upstream_error("the provider answered with a redirect, which is not followed"));
    }
    let body = target.redact(&body).map_or(body, Bytes::from);
    Ok(Answer::Whole { status, headers: headers::downward(&head.headers), body, cost: None })
}

fn is_event_stream(head: &response::Parts) -> bool {
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Reads an answer whole. One in one piece is not copied.
async fn read_whole(mut body: Incoming, limit: u64, idle: Duration) -> Result<Bytes, Unread> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length: u64 = 0;
    if body.size_hint().lower() > limit {
        return Err(Unread::TooLarge);
    }
    loop {
        let frame = match tokio::time::timeout(idle, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return Err(Unread::Broken),
            Ok(None) => break,
            Err(_) => return Err(Unread::Silent),
        };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len() as u64);
        if length > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(first.len() + data.len() + usize::try_from(body.size_hint().lower()).unwrap_or(0));
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
