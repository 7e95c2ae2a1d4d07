//! The shipper against a log that fails.

use super::shipper::record;
use crate::spool::{Identity, Kind, Shippable};
use tallystick_domain::{EventId, Lane, ProducerId};

#[test]
fn an_entry_that_is_no_event_is_shipped_as_it_is() {
    let entry = Shippable {
        identity: Identity { producer: ProducerId::derived("test", &[]), epoch: 1 },
        kind: Kind::Settle,
        lane: Lane::new(5).unwrap(),
        seq: 9,
        time_us: 0,
        id: EventId::derived("test", &[]),
        payload: b"?".to_vec(),
    };
    let shipped = record(&entry);
    assert_eq!((shipped.lane, shipped.key, shipped.headers.len()), (entry.lane, None, 0));
    assert_eq!(shipped.payload, entry.payload);
}
