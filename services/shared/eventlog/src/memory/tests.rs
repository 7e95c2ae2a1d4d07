use super::*;
use crate::contract::{contract_tests, sample};
use tallystick_domain::Lane;

async fn one_partition() -> (MemoryLog, ()) {
    (MemoryLog::new(), ())
}

contract_tests!(one_partition);

#[tokio::test]
async fn with_several_partitions_each_lane_stays_in_one_and_in_order() {
    let log = MemoryLog::with_partitions(4);
    let records: Vec<Record> = (0..128).map(sample).collect();
    log.append(&records).await.unwrap();
    let mut seen = 0;
    for partition in 0..log.partitions() {
        let stored = log.read(partition, 0, ReadLimit::default()).await.unwrap();
        assert!(stored.iter().all(|there| u32::from(there.record.lane.get()) % 4 == partition));
        assert!(stored.iter().zip(0_u64..).all(|(there, offset)| there.offset == offset));
        for lane in Lane::all() {
            let ours: Vec<&Record> = records.iter().filter(|r| r.lane == lane).collect();
            let theirs: Vec<&Record> =
                stored.iter().map(|there| &there.record).filter(|r| r.lane == lane).collect();
            assert!(theirs.is_empty() || theirs == ours);
        }
        seen += stored.len();
    }
    assert_eq!(seen, records.len());
}
