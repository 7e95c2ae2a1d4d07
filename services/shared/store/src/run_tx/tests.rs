use crate::connect::Store;
use crate::error::StoreError;
use crate::testing::TestDatabase;
use sqlx::PgConnection;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

async fn table(database: &TestDatabase) {
    sqlx::raw_sql("CREATE TABLE probe (id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0)); INSERT INTO probe VALUES (1, 0), (2, 0)")
        .execute(database.store().pool())
        .await
        .unwrap();
}

async fn value(database: &TestDatabase, id: i32) -> i32 {
    sqlx::query_scalar("SELECT n FROM probe WHERE id = $1")
        .bind(id)
        .fetch_one(database.store().pool())
        .await
        .unwrap()
}

async fn add(tx: &mut PgConnection, id: i32, n: i32) -> Result<(), StoreError> {
    sqlx::query("UPDATE probe SET n = n + $2 WHERE id = $1").bind(id).bind(n).execute(tx).await?;
    Ok(())
}

fn is_send<T: Send>(value: T) -> T {
    value
}

async fn add_all(store: &Store, amounts: &[i32]) -> Result<i32, StoreError> {
    store
        .run_tx("probe.add", |tx| {
            Box::pin(async move {
                for amount in amounts {
                    add(tx, 1, *amount).await?;
                }
                Ok(amounts.iter().sum())
            })
        })
        .await
}

#[tokio::test]
async fn a_body_that_ends_well_is_committed_and_may_borrow_from_outside() {
    let database = TestDatabase::create().await;
    table(&database).await;
    let sum = is_send(add_all(database.store(), &[3, 4])).await.unwrap();
    assert_eq!((sum, value(&database, 1).await), (7, 7));
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing_behind() {
    let database = TestDatabase::create().await;
    table(&database).await;
    let result: Result<(), _> = database
        .store()
        .run_tx("probe.refuse", |tx| {
            Box::pin(async move {
                add(tx, 1, 5).await?;
                Err(StoreError::conflict("probe 1 moved"))
            })
        })
        .await;
    assert!(matches!(result, Err(StoreError::Conflict(what)) if what == "probe 1 moved"));
    assert_eq!(value(&database, 1).await, 0);
}

#[tokio::test]
async fn refused_data_is_told_apart_with_its_constraint() {
    let database = TestDatabase::create().await;
    table(&database).await;
    let error = database.store().run_tx("probe.negative", |tx| Box::pin(add(tx, 1, -1))).await.unwrap_err();
    assert!(error.is_data() && !error.is_transient(), "{error:?}");
    assert!(error.violates("probe_n_check"), "{error:?}");
}

#[tokio::test]
async fn a_deadlock_is_run_again_and_both_sides_land() {
    let database = TestDatabase::create().await;
    table(&database).await;
    let runs = AtomicU32::new(0);
    let barrier = tokio::sync::Barrier::new(2);
    let cross = async |first: i32, second: i32| {
        let met = AtomicBool::new(false);
        let (met, runs, barrier) = (&met, &runs, &barrier);
        database
            .store()
            .run_tx("probe.cross", |tx| {
                Box::pin(async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    add(tx, first, 1).await?;
                    if !met.swap(true, Ordering::Relaxed) {
                        barrier.wait().await;
                    }
                    add(tx, second, 1).await
                })
            })
            .await
    };
    let (left, right) = tokio::join!(cross(1, 2), cross(2, 1));
    left.unwrap();
    right.unwrap();
    assert_eq!((value(&database, 1).await, value(&database, 2).await), (2, 2));
    assert_eq!(runs.load(Ordering::Relaxed), 3, "exactly one side was the victim and ran again");
}

#[tokio::test]
async fn a_body_that_always_collides_gives_up_after_the_stated_attempts() {
    let database = TestDatabase::create().await;
    let runs = AtomicU32::new(0);
    let runs_seen = &runs;
    let result: Result<(), _> = database
        .store()
        .run_tx("probe.collide", |tx| {
            Box::pin(async move {
                runs_seen.fetch_add(1, Ordering::Relaxed);
                sqlx::raw_sql(
                    "DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = 'serialization_failure'; END $$",
                )
                .execute(&mut **tx)
                .await?;
                Ok(())
            })
        })
        .await;
    assert!(matches!(result, Err(StoreError::Contended(_))), "{result:?}");
    assert_eq!(runs.into_inner(), database.store().limits().tx_attempts);
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_cannot_write() {
    let database = TestDatabase::create().await;
    table(&database).await;
    let store = database.store();
    let seen = store
        .run_snapshot("probe.look", |tx| {
            Box::pin(async move {
                let before: i32 =
                    sqlx::query_scalar("SELECT n FROM probe WHERE id = 1").fetch_one(&mut **tx).await?;
                store.run_tx("probe.add", |other| Box::pin(add(other, 1, 9))).await?;
                let after: i32 =
                    sqlx::query_scalar("SELECT n FROM probe WHERE id = 1").fetch_one(&mut **tx).await?;
                Ok((before, after))
            })
        })
        .await
        .unwrap();
    assert_eq!((seen, value(&database, 1).await), ((0, 0), 9));
    let refused = database.store().run_snapshot("probe.write", |tx| Box::pin(add(tx, 1, 1))).await;
    assert!(refused.is_err());
}
