//! The heartbeat: what this producer still owes, so that reporting can say up to when its answers are complete.

use crate::call::{from_us, to_us};
use crate::core::Core;
use crate::spool::{SpoolError, Ticket};
use std::collections::BTreeMap;
use tallystick_domain::event::{Event, ProducerHeartbeat};
use tallystick_domain::{EventId, KeyId, Lane};
use tallystick_schemas::spooled;

/// Writes a heartbeat to the spool.
///
/// # Errors
/// When the spool has no room for it or is closed.
pub(crate) fn beat(core: &Core, closing: bool) -> Result<Option<Ticket>, SpoolError> {
    let now = core.clock.now();
    let complete = core.spool.completeness(to_us(now));
    let identity = core.spool.identity();
    let last_seq: BTreeMap<u8, u64> = Lane::all()
        .map(|lane| (lane.get(), complete.last_seq[lane.index()]))
        .filter(|(_, seq)| *seq > 0)
        .collect();
    let event = ProducerHeartbeat {
        event_id: core.ids.typed(EventId::from_uuid),
        producer: identity.producer,
        epoch: identity.epoch,
        lane: Lane::of_key(KeyId::from_uuid(identity.producer.as_uuid())),
        seq: 0,
        occurred_at: from_us(complete.at_us),
        oldest_unsettled_at: complete.oldest_unsettled_us.map(from_us),
        last_seq,
        closing,
    };
    let (lane, id) = (event.lane, event.event_id);
    match spooled::pack(&Event::Heartbeat(event), None) {
        Ok(frame) => core.spool.note(lane, id, to_us(now), frame.into()).map(Some),
        Err(error) => {
            tracing::error!(error.message = %error, "a heartbeat could not be encoded");
            Ok(None)
        }
    }
}
