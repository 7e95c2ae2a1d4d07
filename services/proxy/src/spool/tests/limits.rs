//! Full disks, failed fsyncs, queues.

use super::memfs::{MemFs, Survives};
use super::*;

#[test]
fn a_failed_fsync_poisons_the_spool_for_every_waiter_and_for_good() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let spool = &opened.spool;
    let (survivor, ticket) = intent(spool, 1, "asked");
    ticket.wait().unwrap();
    fs.hold_syncs(true);
    let first = spool.note(lane(0), event(2), 2, Vec::new()).unwrap();
    fs.await_held_sync();
    let gathered = spool.note(lane(0), event(3), 3, Vec::new()).unwrap();
    fs.fail_next_segment_sync();
    fs.hold_syncs(false);
    assert!(matches!(first.wait(), Err(SpoolError::Poisoned)));
    assert!(matches!(gathered.wait(), Err(SpoolError::Poisoned)));
    assert_eq!(fs.faults_fired(), 1);
    assert!(spool.is_poisoned());
    assert_eq!(spool.admit(4).err(), Some(NotAdmitted::Poisoned));
    assert!(matches!(survivor.settle(5, Vec::new()).wait(), Err(SpoolError::Poisoned)));
    assert!(matches!(spool.note(lane(0), event(6), 6, Vec::new()), Err(SpoolError::Poisoned)));
    spool.close();
    let opened = open(&fs);
    assert_eq!(opened.unsettled.len(), 1, "what was durable before is still there");
}

#[test]
fn after_a_failed_fsync_a_start_does_not_trust_what_it_reads_but_writes_it_again() {
    let fs = MemFs::new();
    let opened = open(&fs);
    settled(&opened.spool, 1);
    fs.fail_next_segment_sync();
    let lost = opened.spool.note(lane(0), event(2), 2, b"in memory only".to_vec()).unwrap();
    assert!(lost.wait().is_err());
    opened.spool.close();
    // The bytes are in the page cache, so the next start sees the entry, and may ship it.
    let opened = open(&fs);
    let seen = ids(&kept(&opened.spool));
    assert_eq!(seen, [event(1), event(2)]);
    let after = fs.crash(Survives::Nothing);
    opened.spool.close();
    assert_eq!(ids(&kept(&open(&after).spool)), seen);
}

#[test]
fn a_stopped_spool_tells_who_waits_for_it() {
    let fs = MemFs::new();
    let opened = open(&fs);
    fs.fail_next_segment_sync();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let note = opened.spool.note(lane(0), event(1), 1, Vec::new()).unwrap();
        assert!(matches!(opened.spool.stopped().await, SpoolError::Poisoned));
        assert!(matches!(note.durable().await, Err(SpoolError::Poisoned)));
    });
}

#[test]
fn below_the_low_water_mark_nothing_is_admitted_and_everything_in_flight_settles() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let spool = &opened.spool;
    let mut in_flight = Vec::new();
    while in_flight.len() < 1_000 {
        match spool.admit(in_flight.len() as u64) {
            Ok(admission) => {
                let number = in_flight.len() as u64;
                let (open, ticket) = admission.intent(lane(0), event(number), vec![7; 256]).unwrap();
                ticket.wait().unwrap();
                in_flight.push(open);
            }
            Err(NotAdmitted::InFlight) => break,
            // The spare segment is being made.
            Err(other) => assert_eq!(other, NotAdmitted::LowDisk),
        }
    }
    assert_eq!(spool.admit(0).err(), Some(NotAdmitted::InFlight));
    assert!(in_flight.len() > 30, "both segments were given away: {}", in_flight.len());
    fs.set_free(0);
    assert_eq!(spool.admit(0).err(), Some(NotAdmitted::LowDisk));
    let refused =
        std::iter::repeat_with(|| spool.note(lane(0), event(9_999), 0, vec![0; 512])).find_map(Result::err);
    assert!(matches!(refused, Some(SpoolError::NoRoom)), "others get what is left beside the settlements");
    for open in in_flight {
        open.settle(1, vec![8; 256]).wait().unwrap();
    }
    assert!(!spool.is_poisoned());
    while fs.faults_fired() == 0 {
        // The keeper is about to find the disk full while it makes the next spare segment.
        std::thread::yield_now();
    }
    assert_eq!(spool.admit(0).err(), Some(NotAdmitted::LowDisk));
    fs.set_free(1 << 30);
    drop(admit(spool, 0));
}

#[test]
fn an_admission_that_is_dropped_gives_its_room_back() {
    let fs = MemFs::new();
    let opened = open(&fs);
    for number in 0..10_000 {
        drop(admit(&opened.spool, number));
    }
    let stats = opened.spool.stats();
    assert_eq!((stats.reserved_bytes, stats.unsettled, stats.oldest_unsettled_us), (0, 0, None));
}

#[test]
fn a_backlog_over_its_limit_stops_admission_until_the_log_has_taken_it() {
    let fs = MemFs::new();
    let mut opened = try_open(&fs, SpoolConfig { max_backlog_bytes: 2_000, ..small() }).unwrap();
    let mut number = 0;
    while opened.spool.admit(number).is_ok() {
        number += 1;
        opened.spool.note(lane(0), event(number), number, vec![1; 200]).unwrap().wait().unwrap();
    }
    assert_eq!(opened.spool.admit(number).err(), Some(NotAdmitted::Backlog));
    let batch = opened.reader.try_next(100, 1 << 20).unwrap().unwrap();
    opened.reader.ack(batch.end);
    assert_eq!(opened.spool.stats().backlog_bytes, 0);
    drop(admit(&opened.spool, number));
}

#[test]
fn a_full_queue_refuses_requests_but_never_a_settlement() {
    let fs = MemFs::new();
    let opened = try_open(&fs, SpoolConfig { queue_bytes: 500, ..small() }).unwrap();
    let spool = &opened.spool;
    let (open, ticket) = intent(spool, 1, "asked");
    ticket.wait().unwrap();
    fs.hold_syncs(true);
    while spool.note(lane(0), event(2), 2, vec![0; 100]).is_ok() {}
    assert_eq!(spool.admit(3).err(), Some(NotAdmitted::Busy));
    let settlement = open.settle(4, vec![0; 256]);
    fs.hold_syncs(false);
    settlement.wait().unwrap();
}

#[test]
fn a_payload_over_the_limit_is_refused_and_leaves_the_intent_open() {
    let fs = MemFs::new();
    let opened = open(&fs);
    let (open_intent, ticket) = intent(&opened.spool, 1, "asked");
    ticket.wait().unwrap();
    let refused = open_intent.settle(2, vec![0; 513]).wait();
    assert!(matches!(refused, Err(SpoolError::TooLarge { bytes: 513, limit: 512 })));
    assert_eq!(opened.spool.stats().abandoned, 1);
    opened.spool.close();
    assert_eq!(open(&fs).unsettled.len(), 1);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let refused = |config: SpoolConfig| matches!(config.validate(), Err(SpoolError::Config(_)));
    assert!(refused(SpoolConfig { max_payload_bytes: 16 << 10, ..small() }));
    assert!(refused(SpoolConfig { settle_reserve_bytes: 600, ..small() }));
    assert!(refused(SpoolConfig { segment_bytes: 2_100, ..small() }));
    assert!(SpoolConfig::default().validate().is_ok());
    assert!(small().validate().is_ok());
}
