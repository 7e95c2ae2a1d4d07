use super::*;
use proptest::prelude::*;

fn frames_of(records: &[Record]) -> (usize, u32, Vec<u8>) {
    let mut frames = Frames::new();
    for record in records {
        frames.push(record);
    }
    let (raw_bytes, count) = (frames.len(), frames.count());
    (raw_bytes, count, frames.compress().unwrap())
}

fn any_record() -> impl Strategy<Value = Record> {
    let header = (".{0,12}", ".{0,40}");
    let parts = (0_u8..64, proptest::option::of(".{0,40}"), proptest::collection::vec(header, 0..6));
    (parts, proptest::collection::vec(any::<u8>(), 0..300)).prop_map(|((lane, key, headers), payload)| {
        Record { lane: Lane::new(lane).unwrap(), key, headers, payload: payload.into() }
    })
}

fn record(payload: &'static [u8]) -> Record {
    Record { lane: Lane::new(63).unwrap(), key: None, headers: vec![], payload: Bytes::from_static(payload) }
}

#[test]
fn an_absent_key_and_an_empty_one_stay_apart() {
    let records = [record(b""), Record { key: Some(String::new()), ..record(b"") }];
    let (raw_bytes, count, body) = frames_of(&records);
    assert_eq!(decode(CODEC, raw_bytes, count, &body).unwrap(), records);
}

#[test]
fn the_frames_of_version_one_never_change() {
    let mut frames = Frames::new();
    frames.push(&Record {
        lane: Lane::new(7).unwrap(),
        key: Some("k".to_owned()),
        headers: vec![("n".to_owned(), "vv".to_owned())],
        payload: Bytes::from_static(b"\x00\xFF"),
    });
    let expected = [
        &[1, 0, 0, 0, 0, 7][..],
        &[1, 0, 0, 0, b'k', 1, 0],
        &[1, 0, 0, 0, b'n', 2, 0, 0, 0, b'v', b'v'],
        &[2, 0, 0, 0, 0x00, 0xFF],
    ];
    assert_eq!(frames.bytes, expected.concat());
}

#[test]
fn an_unknown_codec_and_an_unknown_version_are_refused_by_name() {
    let (raw_bytes, count, body) = frames_of(&[record(b"x")]);
    assert!(decode(2, raw_bytes, count, &body).unwrap_err().contains("codec 2"));
    let mut newer = Frames::new();
    newer.push(&record(b"x"));
    newer.bytes[0] = 2;
    let raw_bytes = newer.len();
    assert!(decode(CODEC, raw_bytes, 1, &newer.compress().unwrap()).unwrap_err().contains("frame version 2"));
}

#[test]
fn a_size_or_a_count_that_does_not_fit_is_refused() {
    let (raw_bytes, count, body) = frames_of(&[record(b"one"), record(b"two")]);
    assert!(decode(CODEC, raw_bytes + 1, count, &body).is_err());
    assert!(decode(CODEC, raw_bytes - 1, count, &body).is_err());
    assert!(decode(CODEC, raw_bytes, 1, &body).is_err());
    assert!(decode(CODEC, raw_bytes, 3, &body).is_err());
}

proptest! {
    #[test]
    fn any_records_come_back_as_they_were(records in proptest::collection::vec(any_record(), 0..20)) {
        let (raw_bytes, count, body) = frames_of(&records);
        prop_assert_eq!(decode(CODEC, raw_bytes, count, &body).unwrap(), records);
    }

    #[test]
    fn a_block_with_one_changed_byte_never_gives_other_records(
        records in proptest::collection::vec(any_record(), 1..6),
        place in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let (raw_bytes, count, mut body) = frames_of(&records);
        let place = place.index(body.len());
        body[place] ^= change;
        if let Ok(decoded) = decode(CODEC, raw_bytes, count, &body) {
            prop_assert_eq!(decoded, records);
        }
    }

    #[test]
    fn frames_of_random_bytes_are_an_error_and_no_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&noise);
        let count = noise.get(..4).map_or(0, |n| u32::from_le_bytes(n.try_into().unwrap()));
        let raw_bytes = bytes.len();
        let body = zstd::bulk::compress(&bytes, LEVEL).unwrap();
        if let Ok(records) = decode(CODEC, raw_bytes, count, &body) {
            prop_assert_eq!(u32::try_from(records.len()).unwrap(), count);
        }
    }
}
