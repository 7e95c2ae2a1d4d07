//! An event in the spool, before its `seq` is known.
//!
//! The spool's writer numbers events as it writes them, so an event's JSON goes in without `seq` and the number is put
//! in when the record is shipped. Frame: `kind u8 | traceparent length u8 | traceparent | key length u8 | key | JSON`.

use crate::envelope::{Attributes, EncodeError, Envelope, event_json, event_key};
use crate::kind::EventKind;
use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use tallystick_domain::EventId;
use tallystick_domain::event::{Event, StreamPosition};

/// A frame that the spool gave back is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the spooled record is not an event frame")]
pub struct FrameError;

/// Writes an event for the spool. Its `seq` must be 0: the field is left out.
///
/// # Errors
/// When the event does not serialise.
pub fn pack(event: &Event, traceparent: Option<&str>) -> Result<Bytes, EncodeError> {
    let json = event_json(event)?;
    let traceparent = traceparent.filter(|text| text.len() <= usize::from(u8::MAX)).unwrap_or_default();
    let key = event_key(event).unwrap_or_default();
    let mut frame = BytesMut::with_capacity(3 + traceparent.len() + key.len() + json.len());
    frame.put_u8(EventKind::of(event).tag());
    for text in [traceparent, &key] {
        frame.put_u8(u8::try_from(text.len()).unwrap_or(0));
        frame.put_slice(text.as_bytes());
    }
    frame.put_slice(&json);
    Ok(frame.freeze())
}

/// Makes the log record of a spooled frame, with its place in the producer's stream.
///
/// # Errors
/// When the frame is not what [`pack`] wrote.
pub fn unpack(
    frame: &[u8],
    id: EventId,
    at: StreamPosition,
    recorded_at: Timestamp,
) -> Result<Envelope, FrameError> {
    let (tag, rest) = frame.split_first().ok_or(FrameError)?;
    let kind = EventKind::from_tag(*tag).ok_or(FrameError)?;
    let (traceparent, rest) = short_text(rest)?;
    let (key, json) = short_text(rest)?;
    let body = json.strip_suffix(b"}").ok_or(FrameError)?;
    let mut payload = BytesMut::with_capacity(json.len() + 28);
    payload.put_slice(body);
    payload.put_slice(format!(",\"seq\":{}}}", at.seq).as_bytes());
    let attributes = Attributes {
        kind,
        id,
        at,
        time: recorded_at,
        key: (!key.is_empty()).then(|| key.to_owned()),
        traceparent: (!traceparent.is_empty()).then_some(traceparent),
    };
    Ok(attributes.envelope(payload.freeze()))
}

fn short_text(bytes: &[u8]) -> Result<(&str, &[u8]), FrameError> {
    let (length, rest) = bytes.split_first().ok_or(FrameError)?;
    let (text, rest) = rest.split_at_checked(usize::from(*length)).ok_or(FrameError)?;
    Ok((std::str::from_utf8(text).map_err(|_| FrameError)?, rest))
}
