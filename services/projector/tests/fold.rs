//! The projector against a real PostgreSQL: nothing lost, nothing doubled, and the mistakes that would break it are
//! noticed.

#![expect(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::event::{Event, UsageRecorded};
use tallystick_domain::testing::{client, heartbeat, monday, moved_to_client, recorded, refused};
use tallystick_eventlog::{EventLog, MemoryLog, ReadLimit, Record};
use tallystick_projector::{PROJECTION, PartitionError, Projector, ProjectorConfig, Verification, verify};
use tallystick_store::ledger::{Batch, Claim, LoggedEvent, Planted};
use tallystick_store::testing::TestDatabase;
use tallystick_store::{Store, StoreError};
use uuid::Uuid;

const OWNER: Uuid = Uuid::from_u128(1);

struct World {
    database: TestDatabase,
    log: Arc<MemoryLog>,
}

impl World {
    async fn new() -> Self {
        Self { database: TestDatabase::create().await, log: Arc::new(MemoryLog::new()) }
    }

    fn store(&self) -> &Store {
        self.database.store()
    }

    async fn append(&self, events: &[Event]) {
        let records: Vec<Record> = events.iter().map(record_of).collect();
        self.log.append(&records).await.unwrap();
    }

    fn projector(&self, batch_records: usize) -> Projector {
        let config = ProjectorConfig { batch_records, ..ProjectorConfig::default() };
        Projector::new(self.store().clone(), self.log.clone(), config, OWNER)
    }

    async fn fold_all(&self) {
        self.projector(7).catch_up(0).await.unwrap();
    }

    async fn verify(&self) -> Verification {
        verify(self.store(), Some(&*self.log)).await.unwrap()
    }

    async fn claim(&self) -> Claim {
        let claim = self.store().cursor_claim(PROJECTION, 0, OWNER, Duration::from_secs(9)).await.unwrap();
        claim.expect("nobody else holds the partition")
    }

    async fn batch(&self, from: u64) -> Batch {
        let records = self.log.read(0, from, ReadLimit { records: 1_000, bytes: 1 << 20 }).await.unwrap();
        let mut batch = Batch { from, to: from, ..Batch::default() };
        for record in records {
            let event = tallystick_schemas::decode(&record.record.headers, &record.record.payload).unwrap();
            batch.fold.apply(&event).unwrap();
            batch.to = record.offset + 1;
            let (headers, payload) = (record.record.headers.clone(), record.record.payload.clone());
            batch.events.push(LoggedEvent { log_offset: record.offset, event, headers, payload });
        }
        batch
    }
}

fn record_of(event: &Event) -> Record {
    let envelope = tallystick_schemas::encode(event, None).unwrap();
    Record {
        lane: envelope.lane,
        key: Some(envelope.key),
        headers: envelope.headers,
        payload: envelope.payload,
    }
}

fn posted(event: UsageRecorded) -> Event {
    Event::Recorded(Box::new(event))
}

fn calls(seqs: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    seqs.map(|n| posted(recorded(n))).collect()
}

fn failed_checks(verification: &Verification) -> Vec<&str> {
    verification.checks.iter().filter(|check| !check.ok).map(|check| check.name.as_str()).collect()
}

fn findings(verification: &Verification) -> String {
    verification.checks.iter().filter(|c| !c.ok).map(|c| format!("{}: {}\n", c.name, c.detail)).collect()
}

#[tokio::test]
async fn a_batch_that_arrives_twice_is_folded_once() {
    let world = World::new().await;
    world.append(&calls(1..=20)).await;
    world.fold_all().await;
    world.append(&calls(11..=25)).await;
    world.fold_all().await;
    let verification = world.verify().await;
    assert!(verification.ok, "{}", findings(&verification));
    let page = world.store().ledger_event_page(None, 100).await.unwrap();
    assert_eq!(page.events.len(), 25);
}

#[tokio::test]
async fn an_event_that_comes_again_under_a_new_number_is_folded_once_and_its_lane_stays_dense() {
    let world = World::new().await;
    let again = |id: u64, seq: u64| {
        let mut event = recorded(id);
        event.seq = seq;
        posted(event)
    };
    world.append(&calls(1..=3)).await;
    world.fold_all().await;
    world.append(&[again(2, 4), again(5, 5), again(5, 6), again(7, 7)]).await;
    world.append(&calls(1..=3)).await;
    world.fold_all().await;
    let verification = world.verify().await;
    assert!(verification.ok, "{}", findings(&verification));
    assert_eq!(world.store().ledger_event_page(None, 100).await.unwrap().events.len(), 5);
}

#[tokio::test]
async fn folding_before_dedupe_is_noticed() {
    let world = World::new().await;
    world.append(&calls(1..=5)).await;
    world.fold_all().await;
    world.append(&calls(4..=6)).await;
    let mut claim = world.claim().await;
    let batch = world.batch(5).await;
    world.store().ledger_batch_commit_planted(&mut claim, &batch, Planted::FoldBeforeDedupe).await.unwrap();
    let verification = world.verify().await;
    let failed = failed_checks(&verification);
    assert!(failed.contains(&"rollups equal events"), "{failed:?}");
    assert!(failed.contains(&"rollups equal a fold of all events"), "{failed:?}");
}

#[tokio::test]
async fn a_cursor_in_another_transaction_is_noticed() {
    let world = World::new().await;
    world.append(&calls(1..=5)).await;
    let mut claim = world.claim().await;
    let batch = world.batch(0).await;
    let stopped = world
        .store()
        .ledger_batch_commit_planted(&mut claim, &batch, Planted::CursorInAnotherTransaction)
        .await;
    assert!(stopped.is_err());
    world.append(&calls(6..=9)).await;
    world.fold_all().await;
    let verification = world.verify().await;
    let failed = failed_checks(&verification);
    assert!(failed.contains(&"nothing is skipped"), "{failed:?}");
    assert!(failed.contains(&"lanes are dense"), "{failed:?}");
}

#[tokio::test]
async fn a_skipped_seq_is_noticed() {
    let world = World::new().await;
    let mut events = calls(1..=9);
    events.remove(4);
    world.append(&events).await;
    world.fold_all().await;
    assert_eq!(failed_checks(&world.verify().await), ["lanes are dense"]);
}

#[tokio::test]
async fn a_batch_can_not_be_committed_by_an_owner_that_was_replaced() {
    let world = World::new().await;
    world.append(&calls(1..=3)).await;
    let mut zombie = world.claim().await;
    let mut heir = world.claim().await;
    let batch = world.batch(0).await;
    let refused = world.store().ledger_batch_commit(&mut zombie, &batch).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    world.store().ledger_batch_commit(&mut heir, &batch).await.unwrap();
    assert_eq!(heir.next_offset, 3);
    let again = world.store().ledger_batch_commit(&mut heir.clone(), &batch).await;
    assert!(
        matches!(again, Err(StoreError::Conflict(_))),
        "the same interval can not be folded twice: {again:?}"
    );
}

#[tokio::test]
async fn an_undecodable_record_goes_to_the_dead_letters_with_its_place_and_reason() {
    let world = World::new().await;
    world.append(&calls(1..=2)).await;
    let mut broken = record_of(&posted(recorded(3)));
    broken.payload = Bytes::from_static(b"{\"not\": \"an event\"}");
    world.log.append(&[broken]).await.unwrap();
    world.append(&calls(4..=5)).await;
    world.fold_all().await;
    let letters = world.store().dead_letter_list(None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].log_offset, letters[0].reason.as_str()), (2, "undecodable"));
    assert_eq!(letters[0].payload, "{\"not\": \"an event\"}");
    assert_eq!(failed_checks(&world.verify().await), ["no dead letters"]);
}

#[tokio::test]
async fn a_record_that_the_database_refuses_is_found_by_bisecting_and_the_rest_is_folded() {
    let world = World::new().await;
    let mut events = calls(1..=40);
    let mut bad = recorded(17);
    bad.tool = Some("nul\0inside".to_owned());
    events[16] = posted(bad);
    world.append(&events).await;
    world.projector(1_000).catch_up(0).await.unwrap();
    let letters = world.store().dead_letter_list(None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].log_offset, letters[0].reason.as_str()), (16, "refused_by_database"));
    assert_eq!(world.store().ledger_event_page(None, 100).await.unwrap().events.len(), 39);
    assert_eq!(failed_checks(&world.verify().await), ["no dead letters"]);
}

#[tokio::test]
async fn a_record_of_a_newer_schema_stops_the_partition_and_is_not_skipped() {
    let world = World::new().await;
    let mut newer = record_of(&posted(recorded(3)));
    let header = newer.headers.iter_mut().find(|(name, _)| name == "ce_type").unwrap();
    header.1 = "tallystick.usage.recorded.v2".to_owned();
    world.append(&calls(1..=2)).await;
    world.log.append(&[newer]).await.unwrap();
    world.append(&calls(4..=5)).await;
    let stopped = world.projector(100).catch_up(0).await.unwrap_err();
    assert!(matches!(stopped, PartitionError::TooOld { offset: 2, .. }), "{stopped:?}");
    let cursors = world.store().cursor_list(PROJECTION).await.unwrap();
    assert_eq!(cursors[0].next_offset, 2);
    assert_eq!(world.store().dead_letter_open_count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_adjustment_whose_head_moved_is_refused_and_the_first_one_stands() {
    let world = World::new().await;
    let event = recorded(1);
    let first = Event::Adjusted(Box::new(moved_to_client(&event, client(2), 1)));
    let second = Event::Adjusted(Box::new(moved_to_client(&event, client(3), 2)));
    world.append(&[posted(event), first.clone(), second, first]).await;
    world.projector(100).catch_up(0).await.unwrap();
    let letters = world.store().dead_letter_list(None, 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["head_moved"]);
    assert_eq!(failed_checks(&world.verify().await), ["no dead letters"]);
}

#[tokio::test]
async fn the_rolling_hash_does_not_depend_on_how_batches_were_cut() {
    let (coarse, fine) = (World::new().await, World::new().await);
    for world in [&coarse, &fine] {
        world.append(&calls(1..=30)).await;
    }
    coarse.projector(1_000).catch_up(0).await.unwrap();
    fine.projector(3).catch_up(0).await.unwrap();
    let hash = |cursors: Vec<tallystick_store::ledger::CursorPosition>| cursors[0].rolling_hash;
    let (a, b) = (
        coarse.store().cursor_list(PROJECTION).await.unwrap(),
        fine.store().cursor_list(PROJECTION).await.unwrap(),
    );
    assert_eq!(hash(a), hash(b));
    assert!(coarse.verify().await.ok && fine.verify().await.ok);
}

#[tokio::test]
async fn a_heartbeat_counts_only_when_everything_it_names_is_folded() {
    let world = World::new().await;
    let watermark = async || world.store().ledger_watermark().await.unwrap().complete_until;
    world.append(&calls(1..=2)).await;
    world.fold_all().await;
    assert_eq!(watermark().await, None);
    world.append(&[heartbeat(3, 2), refused(4)]).await;
    world.fold_all().await;
    assert_eq!(watermark().await, Some(monday()));
    assert!(world.verify().await.ok);
}

#[tokio::test]
async fn the_database_refuses_a_change_of_the_ledger_and_a_journal_that_does_not_balance() {
    let world = World::new().await;
    world.append(&calls(1..=2)).await;
    world.fold_all().await;
    for statement in [
        "UPDATE usage_event SET cost = 0",
        "DELETE FROM posting",
        "TRUNCATE usage_event",
        "DELETE FROM ledger_batch",
        "UPDATE journal SET kind = 'invoice'",
        "INSERT INTO posting SELECT journal_id, 99, team_id, lane, book, kind, account, currency, effective_on, 1
           FROM posting LIMIT 1",
    ] {
        let refused = sqlx::raw_sql(statement).execute(world.store().pool()).await;
        assert!(refused.is_err(), "{statement} was let through");
    }
    assert!(world.verify().await.ok);
}
