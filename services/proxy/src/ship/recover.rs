//! What a crash left open: each intent without a settlement becomes an event flagged `estimated`.
//!
//! The intent (or its latest progress note) holds the event as it was to be left, priced at admission. Only the names of
//! the writer and the time of recording are those of now, because the settlement is written under the present identity.

use crate::call::{from_us, to_us};
use crate::spool::{Identity, RecoveredIntent, SpoolError};
use jiff::Timestamp;
use tallystick_domain::event::{Event, Outcome, StreamPosition, UsageRecorded};
use tallystick_schemas::{header, spooled};

/// Settles what was left open and gives how many calls that were. An intent that can not be read stays open and is
/// tried again at the next start.
pub(crate) async fn settle_all(left: Vec<RecoveredIntent>, identity: Identity, now: Timestamp) -> Result<usize, SpoolError> {
    let mut settled = 0;
    let mut tickets = Vec::with_capacity(left.len());
    for intent in left {
        let id = intent.open.id();
        match estimated(&intent, identity, now) {
            Some(payload) => tickets.push(intent.open.settle(to_us(now), payload)),
            None => tracing::error!(event.id = %id, "an open intent can not be read and stays open"),
        }
    }
    for ticket in tickets {
        ticket.durable().await?;
        settled += 1;
    }
    Ok(settled)
}

fn estimated(intent: &RecoveredIntent, identity: Identity, now: Timestamp) -> Option<Vec<u8>> {
    let latest = intent.progress.as_deref().and_then(|frame| read(frame, intent));
    let (mut event, traceparent) = latest.or_else(|| read(&intent.payload, intent))?;
    event.producer = identity.producer;
    event.epoch = identity.epoch;
    event.recorded_at = now;
    event.outcome = Outcome::GatewayCrashed;
    event.status = Outcome::GatewayCrashed.status();
    event.error_code = Some("gateway_crashed".to_owned());
    spooled::pack(&Event::Recorded(event), traceparent.as_deref()).ok().map(Into::into)
}

fn read(frame: &[u8], intent: &RecoveredIntent) -> Option<(Box<UsageRecorded>, Option<String>)> {
    let at = StreamPosition {
        producer: intent.identity.producer,
        epoch: intent.identity.epoch,
        lane: intent.open.lane(),
        seq: 0,
    };
    let envelope = spooled::unpack(frame, intent.open.id(), at, from_us(intent.open.admitted_us())).ok()?;
    match tallystick_schemas::decode(&envelope.headers, &envelope.payload).ok()? {
        Event::Recorded(event) => Some((event, header(&envelope.headers, "traceparent").map(str::to_owned))),
        _ => None,
    }
}
