//! What every event log must do, as tests that run on any of them.
//!
//! `contract_tests!(make)` in a test module makes one `#[tokio::test]` of each case below; `make` is an async function
//! that gives a fresh, empty log of one partition and whatever must live as long as it.

use crate::error::LogError;
use crate::faulty::{Fault, FaultyLog};
use crate::log::EventLog;
use crate::record::{LogRecord, ReadLimit, Record};
use bytes::Bytes;
use futures_util::future::{join, join_all};
use std::time::Duration;
use tallystick_domain::Lane;

/// Longer than any healthy log needs for anything below.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes the contract's tests for a log.
#[macro_export]
macro_rules! contract_tests {
    ($make:path) => {
        $crate::contract_tests!(@cases $make:
            an_empty_log_ends_at_zero_and_gives_nothing,
            an_append_of_nothing_does_nothing,
            offsets_are_dense_and_in_the_order_given,
            offsets_stay_dense_and_ordered_under_concurrent_appends,
            a_reader_beside_appenders_never_sees_a_hole,
            a_read_may_begin_in_the_middle_of_an_append,
            a_read_keeps_to_its_limits_but_always_gives_one_record,
            what_is_appended_twice_appears_twice,
            keys_headers_and_binary_payloads_come_back_as_they_were,
            a_big_append_comes_back_whole,
            a_wait_ends_with_the_append_that_it_waits_for,
            a_wait_for_what_is_there_ends_at_once_and_one_for_nothing_times_out,
            several_waiting_readers_are_all_woken,
            an_append_that_failed_after_storing_is_doubled_and_never_lost_by_sending_again,
            a_read_beyond_the_end_is_an_error,
            an_unknown_partition_is_an_error,
        );
    };
    (@cases $make:path: $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (log, _lives_as_long) = $make().await;
                $crate::contract::$case(log).await;
            }
        )*
    };
}

pub use contract_tests;

/// A record whose content names its number; key, headers and lane vary with it.
#[must_use]
pub fn sample(number: u32) -> Record {
    let lane = u8::try_from(number % u32::from(Lane::COUNT)).ok().and_then(Lane::new);
    Record {
        lane: lane.expect("a remainder of 64 is a lane"),
        key: (!number.is_multiple_of(3)).then(|| format!("key-{}", number % 5)),
        headers: (0..number % 4).map(|n| (format!("name-{n}"), format!("value {number}"))).collect(),
        payload: Bytes::from(format!("payload of record {number}")),
    }
}

fn samples(numbers: std::ops::Range<u32>) -> Vec<Record> {
    numbers.map(sample).collect()
}

async fn append(log: &impl EventLog, records: &[Record]) {
    log.append(records).await.expect("the log takes records");
}

/// Reads from `from` to the end, in as many reads as it takes, and checks that offsets follow each other.
async fn read_all(log: &impl EventLog, from: u64, limit: ReadLimit) -> Vec<LogRecord> {
    let mut all: Vec<LogRecord> = Vec::new();
    loop {
        let next = from + all.len() as u64;
        let batch = log.read(0, next, limit).await.expect("the log gives records");
        if batch.is_empty() {
            return all;
        }
        assert!(batch.iter().zip(next..).all(|(there, offset)| there.offset == offset), "dense from {next}");
        assert!(batch.iter().all(|there| there.partition == 0));
        all.extend(batch);
    }
}

fn contents(stored: Vec<LogRecord>) -> Vec<Record> {
    stored.into_iter().map(|there| there.record).collect()
}

pub async fn an_empty_log_ends_at_zero_and_gives_nothing(log: impl EventLog) {
    assert_eq!(log.partitions(), 1);
    assert_eq!(log.end_offset(0).await.expect("an end"), 0);
    assert_eq!(log.read(0, 0, ReadLimit::default()).await.expect("an empty answer"), []);
}

pub async fn an_append_of_nothing_does_nothing(log: impl EventLog) {
    append(&log, &[]).await;
    assert_eq!(log.end_offset(0).await.expect("an end"), 0);
}

pub async fn offsets_are_dense_and_in_the_order_given(log: impl EventLog) {
    for part in samples(0..10).chunks(3) {
        append(&log, part).await;
    }
    assert_eq!(log.end_offset(0).await.expect("an end"), 10);
    assert_eq!(contents(read_all(&log, 0, ReadLimit::default()).await), samples(0..10));
}

pub async fn offsets_stay_dense_and_ordered_under_concurrent_appends(log: impl EventLog) {
    let appenders = 8_u32;
    let each = 25_u32;
    let log = &log;
    join_all((0..appenders).map(|appender| async move {
        for n in 0..each {
            append(log, &[sample(appender * 1_000 + n * 2), sample(appender * 1_000 + n * 2 + 1)]).await;
        }
    }))
    .await;
    let stored = contents(read_all(log, 0, ReadLimit::default()).await);
    assert_eq!(stored.len() as u64, log.end_offset(0).await.expect("an end"));
    for appender in 0..appenders {
        let expected = samples(appender * 1_000..appender * 1_000 + each * 2);
        let own: Vec<Record> = stored.iter().filter(|record| expected.contains(record)).cloned().collect();
        assert_eq!(own, expected, "one appender's records are all there and in its order");
    }
}

pub async fn a_reader_beside_appenders_never_sees_a_hole(log: impl EventLog) {
    let (appenders, each) = (6_u32, 40_u32);
    let total = u64::from(appenders * each);
    let log = &log;
    let appending = join_all((0..appenders).map(|appender| async move {
        for n in 0..each {
            append(log, &[sample(appender * 1_000 + n)]).await;
        }
    }));
    let reading = async {
        let mut next = 0;
        while next < total {
            assert!(log.wait(0, next, PATIENCE).await.expect("a wait"), "record {next} arrives");
            next += read_all(log, next, ReadLimit { records: 7, bytes: 1 << 20 }).await.len() as u64;
        }
        next
    };
    assert_eq!(join(appending, reading).await.1, total);
}

pub async fn a_read_may_begin_in_the_middle_of_an_append(log: impl EventLog) {
    append(&log, &samples(0..10)).await;
    append(&log, &samples(10..20)).await;
    for from in 0..20_u32 {
        let stored = read_all(&log, u64::from(from), ReadLimit::default()).await;
        assert_eq!(contents(stored), samples(from..20), "from {from}");
    }
}

pub async fn a_read_keeps_to_its_limits_but_always_gives_one_record(log: impl EventLog) {
    for part in samples(0..40).chunks(4) {
        append(&log, part).await;
    }
    let five = log.read(0, 2, ReadLimit { records: 5, bytes: 1 << 20 }).await.expect("records");
    assert_eq!(contents(five), samples(2..7));
    let two_bytes = sample(3).content_bytes() + sample(4).content_bytes();
    let two = log.read(0, 3, ReadLimit { records: 100, bytes: two_bytes }).await.expect("records");
    assert_eq!(contents(two), samples(3..5));
    for stingy in [ReadLimit { records: 0, bytes: 0 }, ReadLimit { records: 9, bytes: 1 }] {
        assert_eq!(contents(log.read(0, 39, stingy).await.expect("records")), samples(39..40));
        assert_eq!(read_all(&log, 0, stingy).await.len(), 40, "small reads come to the end too");
    }
}

pub async fn what_is_appended_twice_appears_twice(log: impl EventLog) {
    append(&log, &samples(0..3)).await;
    append(&log, &samples(0..3)).await;
    append(&log, &[sample(7), sample(7)]).await;
    let expected = [samples(0..3), samples(0..3), vec![sample(7), sample(7)]].concat();
    assert_eq!(contents(read_all(&log, 0, ReadLimit::default()).await), expected);
}

pub async fn keys_headers_and_binary_payloads_come_back_as_they_were(log: impl EventLog) {
    let base = sample(0);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let records = [
        Record { payload: Bytes::from((0..=255).cycle().take(3_000).collect::<Vec<u8>>()), ..base.clone() },
        Record { payload: Bytes::new(), key: Some(String::new()), ..base.clone() },
        Record { key: Some("schlüssel \u{0} 鍵".to_owned()), ..base.clone() },
        Record {
            headers: vec![header("ce_type", "a"), header("ce_type", "b"), header("", "")],
            ..base.clone()
        },
        Record { lane: Lane::new(63).expect("a lane"), ..base },
    ];
    append(&log, &records).await;
    assert_eq!(contents(read_all(&log, 0, ReadLimit::default()).await), records);
}

pub async fn a_big_append_comes_back_whole(log: impl EventLog) {
    let mut records = samples(0..9_000);
    let noise = (0_u64..1_200_000).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8);
    records[4_500].payload = Bytes::from_iter(noise);
    append(&log, &records).await;
    assert_eq!(log.end_offset(0).await.expect("an end"), 9_000);
    assert!(
        contents(read_all(&log, 0, ReadLimit::default()).await) == records,
        "nine thousand records come back"
    );
}

pub async fn a_wait_ends_with_the_append_that_it_waits_for(log: impl EventLog) {
    append(&log, &samples(0..2)).await;
    let waiting = log.wait(0, 3, PATIENCE);
    let appending = async {
        append(&log, &samples(2..3)).await;
        append(&log, &samples(3..4)).await;
    };
    let (woken, ()) = join(waiting, appending).await;
    assert!(woken.expect("a wait"));
    assert!(log.end_offset(0).await.expect("an end") > 3);
}

pub async fn a_wait_for_what_is_there_ends_at_once_and_one_for_nothing_times_out(log: impl EventLog) {
    append(&log, &samples(0..2)).await;
    assert!(log.wait(0, 1, Duration::ZERO).await.expect("a wait"));
    assert!(!log.wait(0, 2, Duration::from_millis(20)).await.expect("a wait"));
}

pub async fn several_waiting_readers_are_all_woken(log: impl EventLog) {
    let waiting = join_all((0..5).map(|_| log.wait(0, 0, PATIENCE)));
    let records = samples(0..1);
    let (woken, ()) = join(waiting, append(&log, &records)).await;
    assert!(woken.into_iter().all(|woken| woken.expect("a wait")));
}

pub async fn an_append_that_failed_after_storing_is_doubled_and_never_lost_by_sending_again(
    log: impl EventLog,
) {
    let log = FaultyLog::new(log);
    for fault in [Fault::AfterStore, Fault::BeforeStore] {
        log.fail_next_append(fault);
        let refused = log.append(&samples(0..2)).await.expect_err("the fault was asked for");
        assert!(refused.is_transient(), "{refused}");
        append(&log, &samples(0..2)).await;
    }
    let expected = [samples(0..2), samples(0..2), samples(0..2)].concat();
    assert_eq!(contents(read_all(&log, 0, ReadLimit::default()).await), expected);
}

pub async fn a_read_beyond_the_end_is_an_error(log: impl EventLog) {
    append(&log, &samples(0..2)).await;
    for asked in [3, u64::MAX] {
        let refused = log.read(0, asked, ReadLimit::default()).await.expect_err("nothing is there");
        assert!(matches!(refused, LogError::BeyondEnd { end: 2, asked: a, .. } if a == asked), "{refused}");
    }
}

pub async fn an_unknown_partition_is_an_error(log: impl EventLog) {
    let refused = log.read(1, 0, ReadLimit::default()).await.expect_err("there is one partition");
    assert!(matches!(refused, LogError::NoPartition(1)), "{refused}");
    assert!(log.end_offset(1).await.is_err());
    assert!(log.wait(1, 0, Duration::ZERO).await.is_err());
}
