//! What strangers could put into the log: decoding never panics, and tells what to skip from what to stop at.

use proptest::prelude::*;
use tallystick_domain::event::Event;
use tallystick_domain::testing::{event_id, monday, recorded};
use tallystick_schemas::{DecodeError, EventKind, decode, encode, header, spooled};

fn typed(name: &str) -> Vec<(String, String)> {
    vec![("ce_type".to_owned(), name.to_owned())]
}

#[test]
fn a_newer_version_of_a_known_type_stops_and_an_unknown_type_does_not() {
    let newer = decode(&typed("tallystick.usage.recorded.v2"), b"{}").unwrap_err();
    assert!(newer.must_stop(), "{newer}");
    for name in ["tallystick.usage.recorded.v0", "tallystick.usage.recorded", "com.example.thing.v2", ""] {
        assert!(!decode(&typed(name), b"{}").unwrap_err().must_stop(), "{name}");
    }
    assert!(matches!(decode(&[], b"{}"), Err(DecodeError::NoType)));
}

#[test]
fn an_event_from_the_spool_is_the_event_that_was_packed_with_its_seq_put_in() {
    let mut event = recorded(1);
    event.seq = 0;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let frame = spooled::pack(&Event::Recorded(Box::new(event.clone())), Some(trace)).unwrap();
    event.seq = 77;
    let at = Event::Recorded(Box::new(event.clone())).stream_position();
    let envelope = spooled::unpack(&frame, event_id(1), at, monday()).unwrap();
    assert_eq!(decode(&envelope.headers, &envelope.payload).unwrap(), Event::Recorded(Box::new(event)));
    assert_eq!(header(&envelope.headers, "traceparent"), Some(trace));
    assert_eq!(header(&envelope.headers, "ce_sequence"), Some("77"));
}

proptest! {
    #[test]
    fn decoding_any_bytes_never_panics(payload in prop::collection::vec(any::<u8>(), 0..600), kind in 0..4_usize) {
        prop_assert!(decode(&typed(EventKind::ALL[kind].type_name()), &payload).is_err());
    }

    #[test]
    fn decoding_a_damaged_event_never_panics(at in 0..4_000_usize, byte in any::<u8>(), cut in 0..4_000_usize) {
        let mut bytes = encode(&Event::Recorded(Box::new(recorded(1))), None).unwrap().payload.to_vec();
        let index = at % bytes.len();
        bytes[index] = byte;
        bytes.truncate(cut.max(1));
        let outcome = decode(&typed("tallystick.usage.recorded.v1"), &bytes);
        if let Err(error) = outcome {
            prop_assert!(!error.must_stop());
        }
    }

    #[test]
    fn unpacking_any_frame_never_panics(frame in prop::collection::vec(any::<u8>(), 0..200)) {
        let at = Event::Recorded(Box::new(recorded(1))).stream_position();
        if spooled::unpack(&frame, event_id(1), at, monday()).is_ok() {
            let is_ours = b"RAFH".contains(&frame[0]) && frame.ends_with(b"}");
            prop_assert!(is_ours);
        }
    }
}
