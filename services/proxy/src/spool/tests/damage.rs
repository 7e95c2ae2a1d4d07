//! Torn ends are cut, corruption stops the start.

use super::super::keeper::Checkpoint;
use super::memfs::{MemFs, Survives};
use super::*;

/// A spool with three settled requests and a fourth intent, closed; and where the data of its segment ends.
fn written() -> (MemFs, u64) {
    let fs = MemFs::new();
    let opened = open(&fs);
    for number in 1..=3 {
        settled(&opened.spool, number);
    }
    let (_open, ticket) = intent(&opened.spool, 4, "asked");
    let end = ticket.wait().unwrap().end.offset;
    opened.spool.close();
    (fs, end)
}

fn last_entry_len() -> u64 {
    (super::super::format::RECORD_HEAD + "asked".len()) as u64
}

fn corrupt_at(result: Result<Opened, SpoolError>) -> (PathBuf, u64) {
    match result {
        Err(SpoolError::Corrupt { file, offset, .. }) => (file, offset),
        other => panic!("expected corruption, got {other:?}"),
    }
}

#[test]
fn an_end_torn_at_any_byte_of_the_last_entry_is_cut_and_all_before_it_is_kept() {
    let (fs, end) = written();
    for torn_at in end - last_entry_len()..end {
        let fs = fs.copy();
        fs.tamper(&segment(1), |bytes| bytes[torn_at as usize..].fill(0));
        let opened = open(&fs);
        assert_eq!(ids(&kept(&opened.spool)), [event(1), event(2), event(3)], "torn at {torn_at}");
        assert!(opened.unsettled.is_empty());
        assert!(opened.truncated_bytes < last_entry_len());
        assert_eq!(settled(&opened.spool, 5).seq, 1);
        opened.spool.close();
        let again = open(&fs);
        assert_eq!(again.truncated_bytes, 0, "what was cut stays cut");
        again.spool.close();
    }
}

#[test]
fn the_whole_last_entry_is_kept_when_nothing_is_torn() {
    let (fs, _) = written();
    let opened = open(&fs);
    assert_eq!(opened.truncated_bytes, 0);
    assert_eq!(opened.unsettled.len(), 1);
}

#[test]
fn garbage_in_the_last_entry_is_cut() {
    let (fs, end) = written();
    for at in end - last_entry_len()..end {
        let fs = fs.copy();
        fs.tamper(&segment(1), |bytes| bytes[at as usize] ^= 0x40);
        let opened = open(&fs);
        assert!(opened.truncated_bytes > 0, "flipped at {at}");
        assert_eq!(kept(&opened.spool).len(), 3);
        opened.spool.close();
    }
}

#[test]
fn damage_before_entries_that_were_synced_later_refuses_to_start_and_names_the_place() {
    let (fs, end) = written();
    let first = super::super::format::SEGMENT_HEAD as u64;
    for at in first..end - last_entry_len() {
        for damage in [|b: &mut u8| *b ^= 1, |b: &mut u8| *b = !*b] {
            let fs = fs.copy();
            fs.tamper(&segment(1), |bytes| damage(&mut bytes[at as usize]));
            let (file, offset) = corrupt_at(try_open(&fs, small()));
            assert_eq!(file, segment(1));
            assert!(offset <= at, "damage at {at} reported at {offset}");
        }
    }
}

#[test]
fn a_block_of_zeros_before_synced_entries_is_corruption_not_the_end() {
    let (fs, end) = written();
    fs.tamper(&segment(1), |bytes| bytes[1024..(end - last_entry_len()) as usize].fill(0));
    assert_eq!(corrupt_at(try_open(&fs, small())), (segment(1), 1024));
}

#[test]
fn damage_in_a_sealed_segment_refuses_to_start() {
    let (fs, end) = written();
    open(&fs).spool.close();
    for at in [end - 1, end - last_entry_len(), 1024] {
        let fs = fs.copy();
        fs.tamper(&segment(1), |bytes| bytes[at as usize] ^= 1);
        let (file, _) = corrupt_at(try_open(&fs, small()));
        assert_eq!(file, segment(1));
    }
    fs.tamper(&segment(1), |bytes| bytes.truncate(end as usize - 1));
    assert_eq!(corrupt_at(try_open(&fs, small())).0, segment(1));
}

#[test]
fn a_damaged_head_refuses_to_start() {
    let (fs, _) = written();
    for at in [0, 9, 20, 60, 570] {
        let fs = fs.copy();
        fs.tamper(&segment(1), |bytes| bytes[at] ^= 1);
        assert_eq!(corrupt_at(try_open(&fs, small())), (segment(1), 0), "at {at}");
    }
}

#[test]
fn a_missing_segment_refuses_to_start() {
    let (fs, _) = written();
    open(&fs).spool.close();
    open(&fs).spool.close();
    super::super::SpoolFs::remove(&fs, &segment(2)).unwrap();
    assert_eq!(corrupt_at(try_open(&fs, small())).0, segment(2));
}

#[test]
fn a_batch_torn_in_its_middle_is_cut_because_no_later_sync_covered_it() {
    let fs = MemFs::new();
    let opened = open(&fs);
    settled(&opened.spool, 1);
    fs.hold_syncs(true);
    let first = note(&opened.spool, 2);
    fs.await_held_sync();
    // These gather behind the first and become one batch.
    let gathered: Vec<Ticket> = (3..12).map(|number| note(&opened.spool, number)).collect();
    fs.hold_syncs(false);
    let first = first.wait().unwrap();
    for ticket in gathered {
        ticket.wait().unwrap();
    }
    opened.spool.close();
    let second_batch = first.end.offset as usize;
    fs.tamper(&segment(1), |bytes| bytes[second_batch + 3] ^= 0xFF);
    let opened = open(&fs);
    assert!(opened.truncated_bytes > 0);
    assert_eq!(ids(&kept(&opened.spool)), [event(1), event(2)]);
}

#[test]
fn bytes_of_an_entry_inside_a_payload_never_pass_for_an_entry() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let mut forged = Vec::new();
    let head = super::super::format::Head {
        kind: super::super::Kind::Settle,
        lane: lane(3),
        synced: u32::MAX,
        seq: 1,
        time_us: 0,
        id: event(99),
    };
    super::super::format::encode(&mut forged, Position { segment: 1, offset: 0 }, &head, b"forged");
    forged.push(b'.');
    let end = opened.spool.note(lane(0), event(1), 1, forged).unwrap().wait().unwrap().end.offset;
    opened.spool.close();
    fs.tamper(&segment(1), |bytes| bytes[end as usize - 1] ^= 1);
    let opened = open(&fs);
    assert!(opened.truncated_bytes > 0);
    assert!(kept(&opened.spool).is_empty());
}

#[test]
fn a_checkpoint_beyond_the_data_refuses_to_start() {
    let (fs, end) = written();
    let acked = Position { segment: 1, offset: end + 7 };
    super::super::keeper::write_checkpoint(&fs, dir(), Checkpoint { acked, needed_from: 1 }).unwrap();
    assert_eq!(corrupt_at(try_open(&fs, small())), (segment(1), end + 7));
}

#[test]
fn a_checkpoint_with_any_flipped_bit_refuses_to_start() {
    let (fs, _) = written();
    let mut opened = open(&fs);
    let batch = opened.reader.try_next(2, 1 << 20).unwrap().unwrap();
    opened.reader.ack(batch.end);
    opened.spool.close();
    let path = dir().join(super::super::SHIPPED);
    for at in 0..fs.bytes(&path).len() {
        let fs = fs.copy();
        fs.tamper(&path, |bytes| bytes[at] ^= 1);
        assert_eq!(corrupt_at(try_open(&fs, small())), (path.clone(), 0), "at {at}");
    }
}

#[test]
fn a_power_loss_during_the_start_itself_loses_nothing() {
    let (fs, _) = written();
    for seed in 0..64 {
        let fs = fs.copy();
        let opened = open(&fs);
        let after = fs.crash(Survives::Some(seed));
        opened.spool.close();
        let opened = open(&after);
        assert_eq!(kept(&opened.spool).len(), 3);
        assert_eq!(opened.unsettled.len(), 1);
        opened.spool.close();
    }
}

fn note(spool: &Spool, number: u64) -> Ticket {
    spool.note(lane(0), event(number), number, b"note".to_vec()).unwrap()
}
