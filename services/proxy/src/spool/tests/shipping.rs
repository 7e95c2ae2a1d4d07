//! The reader and the durable watermark, and what heartbeats state.

use super::memfs::{MemFs, Survives};
use super::*;
use std::time::Duration;

/// Writes a note, lets the reader look while the fsync is under way, then loses the power. Answers what the reader yielded
/// and the spool forgot.
fn shipped_and_forgotten(ship_before_fsync: bool) -> (usize, usize) {
    let fs = MemFs::new();
    let mut opened = open(&fs);
    settled(&opened.spool, 1);
    opened.spool.plant().ship_before_fsync.store(ship_before_fsync, Ordering::SeqCst);
    fs.hold_syncs(true);
    let _pending = opened.spool.note(lane(0), event(2), 2, b"in the page cache".to_vec()).unwrap();
    fs.await_held_sync();
    let shipped = opened.reader.try_next(10, 1 << 20).unwrap().unwrap().entries;
    let after = fs.crash(Survives::Nothing);
    opened.spool.close();
    let survivor = open(&after);
    let forgotten = forgotten(&shipped, &survivor.spool).len();
    (shipped.len(), forgotten)
}

#[test]
fn the_reader_never_yields_what_a_power_loss_could_take_back() {
    assert_eq!(shipped_and_forgotten(false), (1, 0));
}

#[test]
fn planted_bug_ship_before_fsync_is_caught_by_the_same_check() {
    assert_eq!(shipped_and_forgotten(true), (2, 1));
}

#[test]
fn what_a_killed_process_had_written_but_not_synced_is_synced_before_it_is_shipped() {
    let fs = MemFs::new();
    let opened = open(&fs);
    fs.hold_syncs(true);
    let _pending = opened.spool.note(lane(0), event(1), 1, b"in the page cache".to_vec()).unwrap();
    fs.await_held_sync();
    let fs = fs.kill();
    opened.spool.close();
    let mut opened = open(&fs);
    let shipped = opened.reader.try_next(10, 1 << 20).unwrap().unwrap().entries;
    assert_eq!(ids(&shipped), [event(1)]);
    let after = fs.crash(Survives::Nothing);
    opened.spool.close();
    assert!(forgotten(&shipped, &open(&after).spool).is_empty());
}

#[tokio::test]
async fn the_reader_waits_for_new_entries_and_is_woken_by_them() {
    let fs = MemFs::new();
    let Opened { spool, mut reader, .. } = open(&fs);
    let mut waiting = Box::pin(reader.next(10, 1 << 20));
    assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err(), "nothing is there yet");
    let ticket = spool.note(lane(5), event(1), 1, b"note".to_vec()).unwrap();
    let batch = waiting.await.unwrap();
    assert_eq!(ids(&batch.entries), [event(1)]);
    assert_eq!(batch.end, ticket.durable().await.unwrap().end);
}

#[tokio::test]
async fn after_a_poisoning_the_reader_yields_what_was_durable_and_then_says_so() {
    let fs = MemFs::new();
    let Opened { spool, mut reader, .. } = open(&fs);
    spool.note(lane(5), event(1), 1, Vec::new()).unwrap().durable().await.unwrap();
    fs.fail_next_segment_sync();
    assert!(spool.note(lane(5), event(2), 2, Vec::new()).unwrap().durable().await.is_err());
    assert_eq!(ids(&reader.next(10, 1 << 20).await.unwrap().entries), [event(1)]);
    assert!(matches!(reader.next(10, 1 << 20).await, Err(SpoolError::Poisoned)));
}

#[tokio::test]
async fn a_closed_spool_ends_the_reader_and_answers_closed() {
    let fs = MemFs::new();
    let Opened { spool, mut reader, .. } = open(&fs);
    let ticket = spool.note(lane(5), event(1), 1, Vec::new()).unwrap();
    spool.close();
    ticket.durable().await.unwrap();
    assert_eq!(reader.next(10, 1 << 20).await.unwrap().entries.len(), 1);
    assert!(matches!(reader.next(10, 1 << 20).await, Err(SpoolError::Closed)));
    assert_eq!(spool.admit(0).err(), Some(NotAdmitted::Closed));
    assert!(matches!(spool.stopped().await, SpoolError::Closed));
}

#[test]
fn a_batch_is_bounded_by_entries_and_by_bytes() {
    let fs = MemFs::new();
    let mut opened = open(&fs);
    for number in 1..=6 {
        opened.spool.note(lane(0), event(number), number, vec![0; 100]).unwrap().wait().unwrap();
    }
    assert_eq!(opened.reader.try_next(2, 1 << 20).unwrap().unwrap().entries.len(), 2);
    assert_eq!(opened.reader.try_next(10, 101).unwrap().unwrap().entries.len(), 2);
    assert_eq!(opened.reader.try_next(10, 1).unwrap().unwrap().entries.len(), 1);
}

#[test]
fn completeness_stops_at_the_oldest_admission_that_is_not_settled_on_disk() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let spool = &opened.spool;
    let early = admit(spool, 10);
    let (late, _) = intent(spool, 20, "asked");
    assert_eq!(spool.completeness(30).until_us(), 10);
    drop(early);
    assert_eq!(spool.completeness(31).until_us(), 20);
    let seq = late.settle(32, Vec::new()).wait().unwrap().seq;
    let stated = spool.completeness(33);
    assert_eq!((stated.until_us(), stated.last_seq[20], seq), (33, 1, 1));
}

#[test]
fn completeness_does_not_trust_a_settlement_that_is_not_on_disk() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let (open_intent, ticket) = intent(&opened.spool, 20, "asked");
    ticket.wait().unwrap();
    fs.hold_syncs(true);
    let settlement = open_intent.settle(30, Vec::new());
    fs.await_held_sync();
    let stated = opened.spool.completeness(40);
    assert_eq!((stated.until_us(), stated.last_seq[20]), (20, 0));
    fs.hold_syncs(false);
    settlement.wait().unwrap();
    assert_eq!(opened.spool.completeness(41).until_us(), 41);
}

#[test]
fn no_admission_has_a_time_before_what_was_called_complete_though_the_clock_goes_back() {
    let fs = MemFs::new();
    let opened = open(&fs);
    assert_eq!(opened.spool.completeness(1_000).until_us(), 1_000);
    assert_eq!(admit(&opened.spool, 400).time_us(), 1_000);
    assert_eq!(admit(&opened.spool, 1_400).time_us(), 1_400);
}
