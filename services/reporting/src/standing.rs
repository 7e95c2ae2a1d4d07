//! A stored event as it stands now: what was recorded, and the position that its latest correction left it in.

use tallystick_domain::EventId;
use tallystick_domain::event::{Event, Position, UsageAdjusted, UsageRecorded};
use tallystick_schemas::{DecodeError, EventKind, decode};
use tallystick_store::usage::StandingEvent;

/// A usage event, its head and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) recorded: UsageRecorded,
    /// The event itself, or its latest adjustment.
    pub(crate) head: EventId,
    /// What counts now; `None` once it was voided.
    pub(crate) position: Option<Position>,
}

/// A stored payload that this program can not read.
#[derive(Debug, thiserror::Error)]
#[error("stored event {id} can not be read")]
pub(crate) struct Unreadable {
    id: EventId,
    #[source]
    source: DecodeError,
}

impl Standing {
    pub(crate) fn of(event: &StandingEvent) -> Result<Self, Unreadable> {
        let id = event.event_id;
        let recorded = recorded(id, &event.payload)?;
        let Some(head) = &event.head_payload else {
            let position = Position::from(&recorded);
            return Ok(Self { head: id, position: Some(position), recorded });
        };
        let head = adjusted(id, head)?;
        Ok(Self { recorded, head: head.event_id, position: head.after })
    }
}

fn recorded(id: EventId, payload: &[u8]) -> Result<UsageRecorded, Unreadable> {
    match event(id, EventKind::Recorded, payload)? {
        Event::Recorded(recorded) => Ok(*recorded),
        _ => Err(unlike(id)),
    }
}

/// The adjustment in a stored payload.
pub(crate) fn adjusted(id: EventId, payload: &[u8]) -> Result<UsageAdjusted, Unreadable> {
    match event(id, EventKind::Adjusted, payload)? {
        Event::Adjusted(adjusted) => Ok(*adjusted),
        _ => Err(unlike(id)),
    }
}

fn event(id: EventId, kind: EventKind, payload: &[u8]) -> Result<Event, Unreadable> {
    let headers = [("ce_type".to_owned(), kind.type_name().to_owned())];
    decode(&headers, payload).map_err(|source| Unreadable { id, source })
}

fn unlike(id: EventId) -> Unreadable {
    Unreadable { id, source: DecodeError::NoType }
}
