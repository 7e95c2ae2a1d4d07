use super::{InboxEntry, InboxOutcome};
use crate::testing::TestDatabase;
use crate::{Store, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;
use tallystick_domain::{EventId, Lane, testing};

fn entry(n: u64, lane: u8, content: u8) -> InboxEntry {
    InboxEntry {
        event_id: EventId::from_uuid(testing::uuid(7, n)),
        team: None,
        lane: Lane::new(lane).unwrap(),
        content_hash: [content; 32],
        recorded_at: testing::monday(),
        frame: vec![1, 2, 3],
    }
}

async fn waiting(store: &Store) -> Vec<(u8, u64)> {
    store.inbox_unshipped(100).await.unwrap().iter().map(|event| (event.lane.get(), event.seq)).collect()
}

#[tokio::test]
async fn an_id_is_taken_in_once_and_another_content_under_it_is_a_conflict() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let entries = [entry(1, 3, 1), entry(2, 3, 1), entry(1, 3, 1), entry(2, 4, 2)];
    let outcomes = store.inbox_put(&entries).await.unwrap();
    use InboxOutcome::{Accepted, Conflict, Duplicate};
    assert_eq!(outcomes, [Accepted, Accepted, Duplicate, Conflict]);
    assert_eq!(store.inbox_put(&entries).await.unwrap(), [Duplicate, Duplicate, Duplicate, Conflict]);
    assert_eq!(waiting(store).await, [(3, 1), (3, 2)]);
}

#[tokio::test]
async fn numbers_are_dense_per_lane_however_many_write_at_once() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let writers = (0..8_u64).map(|writer| async move {
        let entries: Vec<InboxEntry> =
            (0..10).map(|n| entry(writer % 4 * 100 + n, (n % 2) as u8, 1)).collect();
        store.inbox_put(&entries).await
    });
    let outcomes: Result<Vec<_>, StoreError> =
        futures_util::future::join_all(writers).await.into_iter().collect();
    let accepted =
        outcomes.unwrap().iter().flatten().filter(|outcome| **outcome == InboxOutcome::Accepted).count();
    assert_eq!(accepted, 40);
    let expected: Vec<(u8, u64)> = (0..2).flat_map(|lane| (1..=20).map(move |seq| (lane, seq))).collect();
    assert_eq!(waiting(store).await, expected);
}

#[tokio::test]
async fn what_was_shipped_waits_no_longer_and_one_process_ships_at_a_time() {
    let database = TestDatabase::create().await;
    let store = database.store();
    store.inbox_put(&[entry(1, 0, 1), entry(2, 0, 1), entry(3, 9, 1)]).await.unwrap();
    store.inbox_shipped(&BTreeMap::from([(Lane::new(0).unwrap(), 1)])).await.unwrap();
    assert_eq!(waiting(store).await, [(0, 2), (9, 1)]);
    assert_eq!(store.inbox_backlog().await.unwrap().events, 2);
    let (one, two) = (testing::uuid(1, 1), testing::uuid(1, 2));
    let lease = Duration::from_secs(60);
    assert!(store.inbox_relay_claim(one, lease).await.unwrap());
    assert!(!store.inbox_relay_claim(two, lease).await.unwrap());
    store.inbox_relay_release(one).await.unwrap();
    assert!(store.inbox_relay_claim(two, lease).await.unwrap());
}
