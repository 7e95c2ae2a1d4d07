use super::*;
use crate::contract::{contract_tests, sample};
use tallystick_store::testing::TestDatabase;

async fn on_postgres() -> (PostgresLog, TestDatabase) {
    let database = TestDatabase::create().await;
    (PostgresLog::new(database.store().pool().clone()), database)
}

contract_tests!(on_postgres);

fn records(count: u32) -> Vec<Record> {
    (0..count).map(sample).collect()
}

fn small_blocks(pool: &PgPool) -> PostgresLog {
    let limits = PostgresLogLimits { block_records: 3, ..PostgresLogLimits::default() };
    PostgresLog::with_limits(pool.clone(), limits)
}

async fn execute(database: &TestDatabase, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(database.store().pool()).await.map(|_| ())
}

/// What no program of ours can do: the triggers are switched off first.
async fn vandalise(database: &TestDatabase, sql: &'static str) {
    execute(database, "ALTER TABLE log_block DISABLE TRIGGER USER").await.unwrap();
    execute(database, sql).await.unwrap();
    execute(database, "ALTER TABLE log_block ENABLE TRIGGER USER").await.unwrap();
}

#[tokio::test]
async fn an_append_over_the_block_limit_becomes_several_blocks_and_is_still_read_as_one() {
    let (_, database) = on_postgres().await;
    let log = small_blocks(database.store().pool());
    log.append(&records(10)).await.unwrap();
    let blocks: Vec<(i64, i32)> =
        sqlx::query_as("SELECT first_offset, count FROM log_block ORDER BY first_offset")
            .fetch_all(database.store().pool())
            .await
            .unwrap();
    assert_eq!(blocks, [(0, 3), (3, 3), (6, 3), (9, 1)]);
    let read = log.read(0, 4, ReadLimit::default()).await.unwrap();
    assert_eq!(read.iter().map(|there| there.offset).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn an_append_over_a_limit_is_refused_as_a_whole() {
    let (_, database) = on_postgres().await;
    let limits = PostgresLogLimits { record_bytes: 100, append_bytes: 150, ..PostgresLogLimits::default() };
    let log = PostgresLog::with_limits(database.store().pool().clone(), limits);
    let of =
        |bytes: usize| Record { key: None, headers: vec![], payload: vec![0; bytes].into(), ..sample(0) };
    for refused in [vec![of(10), of(101)], vec![of(80), of(80)]] {
        let error = log.append(&refused).await.unwrap_err();
        assert!(matches!(error, LogError::TooLarge { .. }), "{error}");
    }
    assert_eq!(log.end_offset(0).await.unwrap(), 0);
    log.append(&[of(100), of(50)]).await.unwrap();
}

#[tokio::test]
async fn a_wait_is_woken_by_an_append_of_another_process_long_before_the_poll() {
    let (_, database) = on_postgres().await;
    let limits = PostgresLogLimits { poll: Duration::from_secs(600), ..PostgresLogLimits::default() };
    let reader = PostgresLog::with_limits(database.store().pool().clone(), limits);
    let writer = PostgresLog::new(database.store().pool().clone());
    let (first, second) = tokio::join!(reader.wait(0, 0, Duration::from_secs(20)), async {
        // The reader listens before it looks, so an append at any moment wakes it.
        writer.append(&records(1)).await
    });
    second.unwrap();
    assert!(first.unwrap());
}

#[tokio::test]
async fn a_lost_listening_connection_costs_time_but_no_record() {
    let (_, database) = on_postgres().await;
    let limits = PostgresLogLimits { poll: Duration::from_millis(20), ..PostgresLogLimits::default() };
    let reader = PostgresLog::with_limits(database.store().pool().clone(), limits);
    assert!(!reader.wait(0, 0, Duration::from_millis(50)).await.unwrap());
    execute(&database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        .await
        .unwrap();
    let writer = PostgresLog::new(database.store().pool().clone());
    let (woken, appended) =
        tokio::join!(reader.wait(0, 0, Duration::from_secs(20)), async { writer.append(&records(1)).await });
    appended.unwrap();
    assert!(woken.unwrap());
}

#[tokio::test]
async fn a_waiting_reader_does_not_hold_up_the_end_of_the_pool() {
    let (log, database) = on_postgres().await;
    assert!(!log.wait(0, 0, Duration::from_millis(10)).await.unwrap());
    tokio::time::timeout(Duration::from_secs(10), database.store().close()).await.unwrap();
    assert!(log.append(&records(1)).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn trimming_removes_whole_blocks_below_and_a_read_of_what_is_gone_says_so() {
    let (_, database) = on_postgres().await;
    let log = small_blocks(database.store().pool());
    log.append(&records(9)).await.unwrap();
    assert_eq!(log.trim(5).await.unwrap(), 1);
    assert_eq!(log.read(0, 3, ReadLimit::default()).await.unwrap().len(), 6);
    let gone = log.read(0, 2, ReadLimit::default()).await.unwrap_err();
    assert!(matches!(gone, LogError::Trimmed { asked: 2, first: 3, .. }), "{gone}");
    assert_eq!(log.trim(9).await.unwrap(), 2);
    let gone = log.read(0, 8, ReadLimit::default()).await.unwrap_err();
    assert!(matches!(gone, LogError::Trimmed { asked: 8, first: 9, .. }), "{gone}");
    log.append(&records(1)).await.unwrap();
    assert_eq!(
        log.read(0, 9, ReadLimit::default()).await.unwrap()[0].offset,
        9,
        "offsets go on after a trim"
    );
}

#[tokio::test]
async fn the_database_refuses_to_change_delete_or_wind_back_the_log() {
    let (log, database) = on_postgres().await;
    log.append(&records(3)).await.unwrap();
    for statement in [
        "UPDATE log_block SET count = 2",
        "DELETE FROM log_block",
        "TRUNCATE log_block",
        "UPDATE log_head SET next_offset = 0",
        "DELETE FROM log_head",
    ] {
        assert!(execute(&database, statement).await.is_err(), "{statement}");
    }
    assert_eq!(log.read(0, 0, ReadLimit::default()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_missing_or_damaged_block_stops_the_reader_and_is_never_skipped() {
    for (damage, first_bad) in [
        ("DELETE FROM log_block WHERE first_offset = 3", 3),
        (
            "UPDATE log_block SET body = set_byte(body, 20, 255 - get_byte(body, 20)) WHERE first_offset = 3",
            3,
        ),
        ("UPDATE log_block SET codec = 9 WHERE first_offset = 3", 3),
        ("DELETE FROM log_block WHERE first_offset = 6", 6),
    ] {
        let (_, database) = on_postgres().await;
        let log = small_blocks(database.store().pool());
        log.append(&records(9)).await.unwrap();
        vandalise(&database, damage).await;
        let mut next = 0;
        let stopped = loop {
            match log.read(0, next, ReadLimit { records: 3, bytes: 1 << 20 }).await {
                Ok(batch) => next += batch.len() as u64,
                Err(error) => break error,
            }
            assert!(next < 9, "{damage}: the reader came to the end");
        };
        assert!(
            matches!(stopped, LogError::Damaged { offset, .. } if offset == first_bad),
            "{damage}: {stopped}"
        );
        assert_eq!(next, first_bad, "{damage}: everything before is given");
    }
}

#[tokio::test]
async fn an_append_whose_connection_dies_is_an_error_that_asks_to_send_again() {
    let (log, database) = on_postgres().await;
    let mut blocker = database.store().pool().begin().await.unwrap();
    sqlx::query("SELECT next_offset FROM log_head FOR UPDATE").execute(&mut *blocker).await.unwrap();
    let batch = records(2);
    let (result, ()) = tokio::join!(log.append(&batch), async {
        loop {
            let hit: Option<bool> = sqlx::query_scalar(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND query LIKE 'WITH head%' AND datname = current_database()",
            )
            .fetch_optional(database.store().pool())
            .await
            .unwrap();
            if hit == Some(true) {
                break;
            }
        }
    });
    blocker.rollback().await.unwrap();
    assert!(result.unwrap_err().is_transient());
    log.append(&batch).await.unwrap();
    assert_eq!(log.end_offset(0).await.unwrap(), 2, "the first one was rolled back whole");
}
