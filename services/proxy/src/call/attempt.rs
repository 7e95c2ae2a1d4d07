//! One attempt, from its intent to its settlement: the guard that gives every request exactly one outcome.
//!
//! [`Attempt::begin`] writes the intent; [`Attempt::finish`] takes the attempt, so it can not be called twice; dropping
//! an attempt finishes it too, with the outcome that says what happened to us. Both are synchronous: a panic, a hard stop
//! and a vanished client all end in an event.

use super::ending::{Ending, fill};
use super::rating::{Pricing, book, estimate};
use crate::budget::HeldBudget;
use crate::core::Core;
use crate::endpoint::Call;
use crate::refusal::Refusal;
use crate::slate::Slot;
use crate::spool::{Admission, OpenIntent, SpoolError, Ticket};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tallystick_domain::attribution::clip_text;
use tallystick_domain::event::{Event, Outcome, Status, UsageRecorded};
use tallystick_domain::usage::Observed;
use tallystick_schemas::spooled;
use tokio::sync::OwnedSemaphorePermit;

/// What an attempt is made of.
pub(crate) struct Beginning {
    pub(crate) event: Box<UsageRecorded>,
    pub(crate) pricing: Pricing,
    pub(crate) held: HeldBudget,
    pub(crate) call: Call,
    pub(crate) input_bytes: u64,
    pub(crate) traceparent: Option<String>,
    /// Monotonic time of arrival.
    pub(crate) started: Duration,
    /// The place among the requests in flight.
    pub(crate) slot: OwnedSemaphorePermit,
}

/// A call under way. Ends in one event, whatever happens.
pub(crate) struct Attempt {
    core: Arc<Core>,
    /// Taken by the end.
    live: Option<Live>,
    client_gone: Arc<AtomicBool>,
    sent: bool,
}

struct Live {
    open: OpenIntent,
    begun: Beginning,
    ttft: Option<Duration>,
}

/// An intent on its way to the disk.
pub(crate) struct Intent {
    ticket: Ticket,
    slot: Option<Slot>,
}

impl Intent {
    /// Whether the intent survives the end of this process already.
    pub(crate) fn is_written(&self) -> bool {
        self.slot.is_some()
    }

    /// Returns when the intent is on disk.
    ///
    /// # Errors
    /// When it never will be.
    pub(crate) async fn durable(self) -> Result<(), SpoolError> {
        self.ticket.durable().await?;
        if let Some(slot) = self.slot {
            slot.wipe();
        }
        Ok(())
    }
}

impl Attempt {
    /// Writes the intent to the slate and queues it for the spool. It holds the event that a crash would leave: an estimate from what is known now.
    ///
    /// # Errors
    /// `503` when the spool does not take it; nothing was sent then, and the hold is released.
    pub(crate) fn begin(
        core: &Arc<Core>,
        admission: Admission,
        mut begun: Beginning,
    ) -> Result<(Self, Intent), Refusal> {
        begun.event.holds = begun.held.holds().to_vec();
        begun.event.outcome = Outcome::GatewayCrashed;
        begun.event.status = Status::Estimated;
        book(&mut begun.event, &begun.pricing, estimate(begun.call, begun.input_bytes, 0));
        begun.held.note(begun.event.cost);
        let (lane, id) = (begun.event.lane, begun.event.event_id);
        let (event, packed) = pack(begun.event, begun.traceparent.as_deref());
        begun.event = event;
        let Some(payload) = packed else {
            begun.held.release();
            return Err(Refusal::internal());
        };
        let slot = core.slate.write(id, lane, &payload);
        match admission.intent(lane, id, payload) {
            Ok((open, ticket)) => {
                let live = Some(Live { open, begun, ttft: None });
                let core = Arc::clone(core);
                let attempt = Self { core, live, client_gone: Arc::new(AtomicBool::new(false)), sent: false };
                Ok((attempt, Intent { ticket, slot }))
            }
            Err(error) => {
                tracing::error!(error.message = %error, "the spool did not take an intent");
                begun.held.release();
                Err(Refusal::not_ready(
                    "the gateway can not record requests right now",
                    Duration::from_secs(5),
                ))
            }
        }
    }

    /// From here on the provider may have seen the request.
    pub(crate) fn mark_sent(&mut self) {
        self.sent = true;
    }

    /// Set by whoever notices that nobody waits any more.
    pub(crate) fn client_gone_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.client_gone)
    }

    /// The head of the answer is there.
    pub(crate) fn answered(&mut self, head: &http::response::Parts) {
        let Some(live) = &mut self.live else { return };
        let id = head.headers.get("x-request-id").or_else(|| head.headers.get("request-id"));
        live.begun.event.http_status = Some(head.status.as_u16());
        live.begun.event.upstream_request_id =
            id.map(|id| clip_text(&String::from_utf8_lossy(id.as_bytes())));
    }

    /// The first byte of the answer's body is there. Later calls change nothing.
    pub(crate) fn first_byte(&mut self) {
        let now = self.core.clock.monotonic();
        if let Some(live) = &mut self.live
            && live.ttft.is_none()
        {
            live.ttft = Some(now.saturating_sub(live.begun.started));
        }
    }

    pub(crate) fn mark_streamed(&mut self) {
        if let Some(live) = &mut self.live {
            live.begun.event.streamed = true;
        }
    }

    /// Notes in the spool what a crash should know of a long stream.
    pub(crate) fn progress(&mut self, seen: &Observed) {
        let Some(live) = &mut self.live else { return };
        let begun = &mut live.begun;
        let usage = seen.usage().copied();
        let usage = usage.unwrap_or_else(|| estimate(begun.call, begun.input_bytes, seen.output_bytes));
        if let Some(model) = &seen.model {
            begun.event.model_served = Some(clip_text(model));
        }
        book(&mut begun.event, &begun.pricing, usage);
        begun.held.note(begun.event.cost);
        let (_, packed) = pack(begun.event.clone(), begun.traceparent.as_deref());
        let Some(payload) = packed else { return };
        if let Err(error) = live.open.progress(self.core.now_us(), payload) {
            tracing::debug!(error.message = %error, "a progress note was not written");
        }
    }

    /// Ends the attempt and gives its cost; `None` where there is no price.
    pub(crate) fn finish(mut self, ending: Ending) -> Option<Decimal> {
        self.end(ending)
    }

    fn end(&mut self, mut ending: Ending) -> Option<Decimal> {
        let Live { open, begun, ttft } = self.live.take()?;
        if self.client_gone.load(Ordering::Acquire) && ending.outcome == Outcome::Completed {
            ending.outcome = Outcome::ClientGone;
        }
        let Beginning { mut event, pricing, held, call, input_bytes, traceparent, started, slot } = begun;
        let latency = self.core.clock.monotonic().saturating_sub(started);
        event.recorded_at = self.core.clock.now();
        event.latency_ms = Some(millis(latency));
        event.ttft_ms = ttft.map(millis);
        fill(&mut event, &pricing, call, input_bytes, ending);
        let (cost, status, outcome) = (event.cost, event.status, event.outcome);
        match status {
            Status::Voided => held.release(),
            Status::Final | Status::Estimated => held.settle(cost),
        }
        self.core.metrics.settled(call, &event, latency, ttft);
        tracing::debug!(event.id = %event.event_id, request.outcome = outcome.name(), "a call was settled");
        if let (_, Some(payload)) = pack(event, traceparent.as_deref()) {
            // Nobody waits for it: what is not on disk at a crash is settled as an estimate at the next start.
            drop(open.settle(self.core.now_us(), payload));
        }
        drop(slot);
        cost
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.live.is_none() {
            return;
        }
        let outcome = if std::thread::panicking() && self.sent {
            Outcome::GatewayFailed
        } else if !self.sent {
            Outcome::Abandoned
        } else if self.client_gone.load(Ordering::Acquire) {
            Outcome::ClientGoneUndrained
        } else {
            Outcome::GatewayFailed
        };
        self.end(Ending::of(outcome));
    }
}

/// Writes an event and gives it back.
fn pack(event: Box<UsageRecorded>, traceparent: Option<&str>) -> (Box<UsageRecorded>, Option<Vec<u8>>) {
    let event = Event::Recorded(event);
    let packed = spooled::pack(&event, traceparent);
    let Event::Recorded(event) = event else { unreachable!("it was made one line above") };
    match packed {
        Ok(frame) => (event, Some(frame.into())),
        Err(error) => {
            tracing::error!(error.message = %error, event.id = %event.event_id, "an event could not be written");
            (event, None)
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Microseconds since 1970 as the spool counts them.
pub(crate) fn to_us(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or(0)
}

/// The moment of a spool's time.
pub(crate) fn from_us(us: u64) -> Timestamp {
    i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).unwrap_or(Timestamp::MAX)
}
