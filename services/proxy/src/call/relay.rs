//! An event stream on its way from the provider to the client.
//!
//! [`Relay`] is the response body: it moves only when the client takes something, so a slow client slows the provider.
//! When the client goes away, hyper drops the body, and what is left of the stream is read to its end by a tracked task
//! within the drain's limits. The attempt is settled when the provider says that the stream is over, before that last
//! piece is handed on; a client that leaves after the end marker got everything.

use super::attempt::Attempt;
use super::ending::Ending;
use super::meter::Meter;
use crate::core::Core;
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use std::error::Error;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tallystick_domain::event::Outcome;
use tallystick_domain::usage::Observed;
use tokio::time::{Instant, Sleep};

type BoxError = Box<dyn Error + Send + Sync>;

/// The provider fell silent, or broke the connection; the client's connection is broken too, as it would be without us.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("the provider's stream broke off")]
    Broken(#[source] hyper::Error),
    #[error("the provider's stream fell silent")]
    Silent,
}

/// The response body of a stream.
pub(crate) struct Relay {
    /// Taken when the stream is over.
    flow: Option<Box<Flow>>,
}

/// The stream itself, whoever reads it.
struct Flow {
    core: Arc<Core>,
    upstream: Incoming,
    meter: Meter,
    /// Taken by the settlement.
    attempt: Option<Attempt>,
    client_gone: Arc<AtomicBool>,
    /// Nothing more comes.
    ended: bool,
    /// Runs while the provider is waited for.
    idle: Pin<Box<Sleep>>,
    waiting: bool,
    /// When progress was last noted, monotonic.
    noted: Duration,
}

impl Relay {
    pub(crate) fn new(core: &Arc<Core>, upstream: Incoming, meter: Meter, mut attempt: Attempt) -> Self {
        attempt.mark_streamed();
        let flow = Flow {
            core: Arc::clone(core),
            upstream,
            meter,
            client_gone: attempt.client_gone_flag(),
            attempt: Some(attempt),
            ended: false,
            idle: Box::pin(tokio::time::sleep(core.config.upstream.idle_timeout)),
            waiting: true,
            noted: core.clock.monotonic(),
        };
        Self { flow: Some(Box::new(flow)) }
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(flow) = self.flow.as_mut() else { return Poll::Ready(None) };
        let piece = ready!(flow.poll_piece(cx));
        if !matches!(piece, Some(Ok(_))) {
            self.flow = None;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data).map_err(BoxError::from)))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(flow) = self.flow.take().filter(|flow| flow.attempt.is_some()) else { return };
        if std::thread::panicking() {
            return;
        }
        flow.client_gone.store(true, Ordering::Release);
        let core = Arc::clone(&flow.core);
        core.drains.adopt(drain(flow));
    }
}

/// Reads a stream to its end for the sake of its usage. What a limit cuts off is settled when the flow is dropped.
async fn drain(mut flow: Box<Flow>) {
    let limits = flow.core.config.drain.clone();
    let reading = async {
        let mut bytes: u64 = 0;
        while let Some(Ok(piece)) = std::future::poll_fn(|cx| flow.poll_piece(cx)).await {
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > limits.bytes {
                break;
            }
        }
    };
    if tokio::time::timeout(limits.time, reading).await.is_err() {
        tracing::debug!("a drain took too long");
    }
}

impl Flow {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, RelayError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            match Pin::new(&mut self.upstream).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.waiting = false;
                    let Ok(data) = frame.into_data() else { continue };
                    let passed = self.pass(data);
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(passed)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.end(|seen| Ending::cut(Outcome::UpstreamBroken, seen));
                    return Poll::Ready(Some(Err(RelayError::Broken(error))));
                }
                Poll::Ready(None) => {
                    let held_back = self.meter.finish();
                    self.end(Ending::stream);
                    return Poll::Ready((!held_back.is_empty()).then_some(Ok(held_back)));
                }
                Poll::Pending => {
                    if self.is_silent(cx) {
                        self.end(|seen| Ending::cut(Outcome::UpstreamTimeout, seen));
                        return Poll::Ready(Some(Err(RelayError::Silent)));
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn pass(&mut self, data: Bytes) -> Bytes {
        if let Some(attempt) = &mut self.attempt {
            attempt.first_byte();
        }
        let passed = self.meter.feed(data);
        if self.meter.is_done() {
            self.settle(Ending::stream);
        } else {
            self.note_progress();
        }
        passed
    }

    /// Whether the provider has sent nothing for too long. Time that the client took does not count.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.waiting {
            self.waiting = true;
            self.idle.as_mut().reset(Instant::now() + self.core.config.upstream.idle_timeout);
        }
        self.idle.as_mut().poll(cx).is_ready()
    }

    fn note_progress(&mut self) {
        let Some(attempt) = &mut self.attempt else { return };
        let now = self.core.clock.monotonic();
        if now.saturating_sub(self.noted) >= self.core.config.upstream.progress_every {
            self.noted = now;
            attempt.progress(&self.meter.seen());
        }
    }

    fn end(&mut self, ending: impl FnOnce(Observed) -> Ending) {
        self.ended = true;
        self.settle(ending);
    }

    fn settle(&mut self, ending: impl FnOnce(Observed) -> Ending) {
        if let Some(attempt) = self.attempt.take() {
            attempt.finish(ending(self.meter.seen()));
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let gone = self.client_gone.load(Ordering::Acquire) && !std::thread::panicking();
        let outcome = if gone { Outcome::ClientGoneUndrained } else { Outcome::GatewayFailed };
        self.settle(|seen| Ending::cut(outcome, seen));
    }
}
