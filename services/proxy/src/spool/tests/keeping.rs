//! Restart, checkpoint, resend, deletion.

use super::memfs::MemFs;
use super::*;

#[test]
fn numbers_are_dense_per_lane_over_many_restarts_and_segments() {
    let fs = MemFs::new();
    for life in 0..5 {
        let opened = open(&fs);
        for number in 0..200 {
            settled(&opened.spool, life * 200 + number);
        }
        opened.spool.close();
    }
    let entries = kept(&open(&fs).spool);
    assert_eq!(entries.len(), 1_000);
    assert_dense(&entries);
    assert!(fs.paths().len() > 10, "several segments per life: {:?}", fs.paths());
}

#[test]
fn an_intent_without_settlement_comes_back_with_its_latest_progress_until_it_is_settled() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let (done, _) = intent(&opened.spool, 1, "first");
    let (lost, ticket) = intent(&opened.spool, 2, "second");
    ticket.wait().unwrap();
    lost.progress(3, b"10 tokens".to_vec()).unwrap();
    lost.progress(4, b"20 tokens".to_vec()).unwrap();
    done.settle(5, Vec::new()).wait().unwrap();
    opened.spool.close();
    for _ in 0..2 {
        let opened = open(&fs);
        let [back] = opened.unsettled.as_slice() else { panic!("one is open: {:?}", opened.unsettled) };
        assert_eq!((back.open.id(), back.open.lane(), back.open.admitted_us()), (event(2), lane(2), 2));
        assert_eq!(back.payload, b"second");
        assert_eq!(back.progress.as_deref(), Some(&b"20 tokens"[..]));
        assert_eq!(back.identity, Identity { producer: producer(1), epoch: 1 });
        assert_eq!(opened.spool.stats().oldest_unsettled_us, Some(2));
        opened.spool.close();
    }
    let opened = open(&fs);
    for back in opened.unsettled {
        back.open.settle(9, b"estimated".to_vec()).wait().unwrap();
    }
    assert_eq!(opened.spool.stats().unsettled, 0);
    opened.spool.close();
    assert!(open(&fs).unsettled.is_empty());
}

#[test]
fn an_open_intent_keeps_its_segment_needed_however_much_is_shipped_behind_it() {
    let fs = MemFs::new();
    let config = SpoolConfig { retain_us: 0, retain_bytes: 0, ..small() };
    let mut opened = try_open(&fs, config.clone()).unwrap();
    let (open_intent, _) = intent(&opened.spool, 0, "long stream");
    for number in 1..500 {
        settled(&opened.spool, number);
    }
    let batch = opened.reader.try_next(1_000, 1 << 20).unwrap().unwrap();
    opened.reader.ack(batch.end);
    opened.spool.close();
    drop(open_intent);
    let opened = try_open(&fs, config.clone()).unwrap();
    assert_eq!(opened.spool.sweep(u64::MAX).unwrap(), 0);
    assert_eq!(opened.unsettled.len(), 1);
    for back in opened.unsettled {
        back.open.settle(501, b"estimated".to_vec()).wait().unwrap();
    }
    let mut reader = opened.reader;
    let batch = reader.try_next(10, 1 << 20).unwrap().unwrap();
    assert_eq!(ids(&batch.entries), [event(0)], "only the settlement was not shipped yet");
    reader.ack(batch.end);
    opened.spool.close();
    let opened = try_open(&fs, config).unwrap();
    assert!(opened.spool.sweep(u64::MAX).unwrap() > 1);
    assert!(opened.unsettled.is_empty());
}

#[test]
fn what_is_acknowledged_is_not_shipped_again_after_a_restart_and_the_rest_is() {
    let fs = MemFs::new();
    let mut opened = open(&fs);
    for number in 1..=5 {
        settled(&opened.spool, number);
    }
    let batch = opened.reader.try_next(2, 1 << 20).unwrap().unwrap();
    assert_eq!(ids(&batch.entries), [event(1), event(2)]);
    opened.reader.ack(batch.end);
    assert_eq!(opened.spool.stats().oldest_unshipped_us, Some(3));
    opened.spool.close();
    let mut opened = open(&fs);
    assert_eq!(opened.spool.stats().oldest_unshipped_us, Some(3));
    let batch = opened.reader.try_next(10, 1 << 20).unwrap().unwrap();
    assert_eq!(ids(&batch.entries), [event(3), event(4), event(5)]);
    opened.reader.rewind();
    assert_eq!(opened.reader.try_next(10, 1 << 20).unwrap().unwrap(), batch);
    opened.reader.ack(batch.end);
    assert_eq!(opened.spool.stats().oldest_unshipped_us, None);
}

/// Ships 400 settlements with times 1 to 400 and restarts, so that the checkpoint stands.
fn shipped(fs: &MemFs, config: &SpoolConfig) -> Opened {
    let mut opened = try_open(fs, config.clone()).unwrap();
    for number in 1..=400 {
        settled(&opened.spool, number);
    }
    let batch = opened.reader.try_next(1_000, 1 << 20).unwrap().unwrap();
    assert_eq!(batch.entries.len(), 400);
    opened.reader.ack(batch.end);
    opened.spool.close();
    try_open(fs, config.clone()).unwrap()
}

#[test]
fn retained_segments_are_sent_again_from_a_time_on() {
    let fs = MemFs::new();
    let mut opened = shipped(&fs, &small());
    assert_eq!(opened.reader.try_next(10, 1 << 20).unwrap(), None);
    let again: Vec<_> = opened.spool.resend(300).collect::<Result<_, _>>().unwrap();
    assert_eq!(ids(&again), (300..=400).map(event).collect::<Vec<_>>());
    assert_eq!(kept(&opened.spool).len(), 400);
}

#[test]
fn retained_segments_are_deleted_by_age_and_only_by_age() {
    let fs = MemFs::new();
    let opened = shipped(&fs, &SpoolConfig { retain_us: 1_000, ..small() });
    assert_eq!(opened.spool.sweep(1_001).unwrap(), 0, "the oldest segment has newer entries too");
    assert!(opened.spool.sweep(1_200).unwrap() > 0);
    let left = kept(&opened.spool);
    assert_eq!(left.last().unwrap().id, event(400));
    assert!(left.len() < 400 && left.len() >= 200, "{}", left.len());
    assert!(
        left.iter().any(|entry| entry.time_us <= 200),
        "whole segments are deleted, never younger entries"
    );
    opened.spool.close();
    assert_eq!(kept(&open(&fs).spool), left, "a start is fine with deleted segments");
}

#[test]
fn retained_segments_are_deleted_by_size_oldest_first() {
    let fs = MemFs::new();
    let opened = shipped(&fs, &SpoolConfig { retain_bytes: 20_000, ..small() });
    assert!(opened.spool.sweep(0).unwrap() > 0);
    let left = kept(&opened.spool);
    assert_eq!(left.last().unwrap().id, event(400));
    assert!(!left.is_empty() && left.len() < 400);
}

#[test]
fn what_is_not_shipped_is_never_deleted() {
    let fs = MemFs::new();
    let opened = try_open(&fs, SpoolConfig { retain_us: 0, retain_bytes: 0, ..small() }).unwrap();
    for number in 1..=400 {
        settled(&opened.spool, number);
    }
    assert_eq!(opened.spool.sweep(u64::MAX).unwrap(), 0);
    assert_eq!(kept(&opened.spool).len(), 400);
}

#[test]
fn a_spare_that_a_run_left_is_used_by_the_next() {
    let fs = MemFs::new();
    let opened = open(&fs);
    settled(&opened.spool, 1);
    opened.spool.close();
    let spare = fs.bytes(&dir().join(super::super::SEGMENTS).join(super::super::SPARE));
    assert!(spare.len() == 16 << 10 && spare.iter().all(|byte| *byte == 0));
    let opened = open(&fs);
    assert_eq!(fs.bytes(&segment(2)).len(), 16 << 10);
    opened.spool.close();
    assert!(fs.bytes(&segment(1)).len() < 2_000, "a finished segment is cut to its data");
}
