//! What a crash left open: each call without a settlement becomes an event flagged `estimated`.
//!
//! A call is known from its intent in the spool, or, where that had not been written yet, from the slate. Both (and the
//! latest progress note) hold the event as it was to be left, priced at admission. Only the names of the writer and the
//! time of recording are those of now, because the settlement is written under the present identity.

use crate::call::{from_us, to_us};
use crate::slate::Left;
use crate::spool::{Identity, RecoveredIntent, Spool, SpoolError};
use jiff::Timestamp;
use std::collections::HashSet;
use tallystick_domain::event::{Event, Outcome, StreamPosition, UsageRecorded};
use tallystick_domain::{EventId, Lane};
use tallystick_schemas::{header, spooled};

/// Settles what was left open and gives how many calls that were. An intent that can not be read stays open and is
/// tried again at the next start.
///
/// # Errors
/// When the spool fails, or has no room for what only the slate knows: then nothing may be wiped.
pub(crate) async fn settle_all(
    spool: &Spool,
    open: Vec<RecoveredIntent>,
    sent: Vec<Left>,
    now: Timestamp,
) -> Result<usize, SpoolError> {
    let identity = spool.identity();
    let known: HashSet<EventId> = open.iter().map(|intent| intent.open.id()).collect();
    let mut tickets = Vec::with_capacity(open.len());
    for intent in open {
        let (id, lane) = (intent.open.id(), intent.open.lane());
        let latest = intent.progress.as_deref().and_then(|frame| read(frame, id, lane, now));
        match latest.or_else(|| read(&intent.payload, id, lane, now)) {
            Some(found) => tickets.push(intent.open.settle(to_us(now), estimated(found, identity, now))),
            None => tracing::error!(event.id = %id, "an open intent can not be read and stays open"),
        }
    }
    for Left { id, lane, payload } in sent.into_iter().filter(|left| !known.contains(&left.id)) {
        let found = read(&payload, id, lane, now);
        let admission = spool.admit(to_us(now)).map_err(|_| SpoolError::NoRoom)?;
        let (open, _) = admission.intent(lane, id, payload)?;
        match found {
            Some(found) => tickets.push(open.settle(to_us(now), estimated(found, identity, now))),
            None => tracing::error!(event.id = %id, "an intent on the slate can not be read and stays open"),
        }
    }
    let settled = tickets.len();
    for ticket in tickets {
        ticket.durable().await?;
    }
    Ok(settled)
}

type Found = (Box<UsageRecorded>, Option<String>);

fn estimated((mut event, traceparent): Found, identity: Identity, now: Timestamp) -> Vec<u8> {
    event.producer = identity.producer;
    event.epoch = identity.epoch;
    event.recorded_at = now;
    event.outcome = Outcome::GatewayCrashed;
    event.status = Outcome::GatewayCrashed.status();
    event.error_code = Some("gateway_crashed".to_owned());
    let frame = spooled::pack(&Event::Recorded(event), traceparent.as_deref());
    frame.expect("an event that was read can be written").into()
}

fn read(frame: &[u8], id: EventId, lane: Lane, now: Timestamp) -> Option<Found> {
    // Only the frame's own content is wanted; the position that it is given here is not kept.
    let producer = tallystick_domain::ProducerId::from_uuid(id.as_uuid());
    let at = StreamPosition { producer, epoch: 0, lane, seq: 0 };
    let envelope = spooled::unpack(frame, id, at, from_us(to_us(now))).ok()?;
    match tallystick_schemas::decode(&envelope.headers, &envelope.payload).ok()? {
        Event::Recorded(event) => Some((event, header(&envelope.headers, "traceparent").map(str::to_owned))),
        _ => None,
    }
}
