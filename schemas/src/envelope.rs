//! Events on the wire: CloudEvents 1.0 in binary mode.
//!
//! The attributes are headers (`ce_*`, `content-type`, `traceparent`), the value is the event's JSON and nothing else.
//! `source` + `id` name an event to other systems; here `id` alone decides what is a duplicate.

use crate::kind::EventKind;
use bytes::Bytes;
use jiff::Timestamp;
use tallystick_domain::event::{Event, StreamPosition};
use tallystick_domain::{EventId, Lane};

/// An event ready for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Which lane (on Kafka: which partition) it belongs to.
    pub lane: Lane,
    /// The log's record key: the virtual key's id, or the producer's for events without one.
    pub key: String,
    /// CloudEvents attributes and trace context.
    pub headers: Vec<(String, String)>,
    /// The event as JSON.
    pub payload: Bytes,
}

/// An event could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("event {id} could not be written as JSON")]
pub struct EncodeError {
    id: EventId,
    source: serde_json::Error,
}

/// A record of the log that is not an event we can read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No `ce_type` header.
    #[error("the record has no ce_type header")]
    NoType,
    /// A type that is none of ours: goes to the dead letters.
    #[error("'{0}' is not an event type of this log")]
    UnknownType(String),
    /// A type of ours in a version that this program is too old for: the partition stops, nothing is skipped.
    #[error("'{0}' is newer than this program: upgrade it before it reads on")]
    NewerVersion(String),
    /// The payload is not that type: goes to the dead letters.
    #[error("the payload is not a {kind}")]
    Malformed { kind: &'static str, source: serde_json::Error },
}

impl DecodeError {
    /// Whether the reader has to stop instead of putting the record aside.
    #[must_use]
    pub const fn must_stop(&self) -> bool {
        matches!(self, Self::NewerVersion(_))
    }
}

/// Writes an event with its headers.
///
/// # Errors
/// When the event does not serialise.
pub fn encode(event: &Event, traceparent: Option<&str>) -> Result<Envelope, EncodeError> {
    let payload = Bytes::from(event_json(event)?);
    let at = event.stream_position();
    let attributes = Attributes {
        kind: EventKind::of(event),
        id: event.id(),
        at,
        time: occurred_at(event),
        key: event_key(event),
        traceparent,
    };
    Ok(attributes.envelope(payload))
}

/// Reads an event back, lifting older versions to the current form.
///
/// # Errors
/// See [`DecodeError`]: `must_stop` tells a record that has to wait from one that goes to the dead letters.
pub fn decode(headers: &[(String, String)], payload: &[u8]) -> Result<Event, DecodeError> {
    let name = header(headers, "ce_type").ok_or(DecodeError::NoType)?;
    let kind = EventKind::from_type(name)?;
    let malformed = |source| DecodeError::Malformed { kind: kind.type_name(), source };
    match kind {
        EventKind::Recorded => serde_json::from_slice(payload).map(|e| Event::Recorded(Box::new(e))),
        EventKind::Adjusted => serde_json::from_slice(payload).map(|e| Event::Adjusted(Box::new(e))),
        EventKind::Refused => serde_json::from_slice(payload).map(Event::Refused),
        EventKind::Heartbeat => serde_json::from_slice(payload).map(Event::Heartbeat),
    }
    .map_err(malformed)
}

/// The value of a header, by its exact name.
#[must_use]
pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Everything that stands in the headers.
pub(crate) struct Attributes<'a> {
    pub(crate) kind: EventKind,
    pub(crate) id: EventId,
    pub(crate) at: StreamPosition,
    pub(crate) time: Timestamp,
    pub(crate) key: Option<String>,
    pub(crate) traceparent: Option<&'a str>,
}

impl Attributes<'_> {
    pub(crate) fn envelope(self, payload: Bytes) -> Envelope {
        let mut headers: Vec<(String, String)> = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_type", self.kind.type_name().to_owned()),
            ("ce_source", format!("urn:tallystick:producer:{}", self.at.producer)),
            ("ce_id", self.id.to_string()),
            ("ce_time", self.time.to_string()),
            ("ce_sequence", self.at.seq.to_string()),
            ("content-type", "application/json".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if let Some(traceparent) = self.traceparent {
            headers.push(("traceparent".to_owned(), traceparent.to_owned()));
        }
        let key = self.key.unwrap_or_else(|| self.at.producer.to_string());
        Envelope { lane: self.at.lane, key, headers, payload }
    }
}

pub(crate) fn event_json(event: &Event) -> Result<Vec<u8>, EncodeError> {
    match event {
        Event::Recorded(e) => serde_json::to_vec(e),
        Event::Adjusted(e) => serde_json::to_vec(e),
        Event::Refused(e) => serde_json::to_vec(e),
        Event::Heartbeat(e) => serde_json::to_vec(e),
    }
    .map_err(|source| EncodeError { id: event.id(), source })
}

pub(crate) fn event_key(event: &Event) -> Option<String> {
    let key = match event {
        Event::Recorded(e) => e.key,
        Event::Adjusted(e) => e.before.key,
        Event::Refused(e) => e.key,
        Event::Heartbeat(_) => None,
    };
    key.map(|key| key.to_string())
}

fn occurred_at(event: &Event) -> Timestamp {
    match event {
        Event::Recorded(e) => e.occurred_at,
        Event::Adjusted(e) => e.recorded_at,
        Event::Refused(e) => e.occurred_at,
        Event::Heartbeat(e) => e.occurred_at,
    }
}
