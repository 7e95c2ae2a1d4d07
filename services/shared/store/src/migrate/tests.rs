use super::*;
use crate::testing::TestDatabase;

const KNOWN: [(i64, &[u8]); 2] = [(1, b"one"), (2, b"two")];

fn row(version: i64, success: bool, checksum: &str) -> (i64, bool, Vec<u8>) {
    (version, success, checksum.as_bytes().to_vec())
}

#[test]
fn only_the_very_schema_this_program_was_built_for_is_accepted() {
    let one = || row(1, true, "one");
    for (applied, expected) in [
        (vec![one(), row(2, true, "two")], Ok(())),
        (vec![], Err(SchemaError::Empty)),
        (vec![one()], Err(SchemaError::Older { missing: 2 })),
        (vec![row(2, true, "two")], Err(SchemaError::Older { missing: 1 })),
        (vec![one(), row(2, true, "two"), row(3, true, "three")], Err(SchemaError::Newer { unknown: 3 })),
        (vec![one(), row(2, true, "edited")], Err(SchemaError::Changed { version: 2 })),
        (vec![one(), row(2, false, "two")], Err(SchemaError::Partial { version: 2 })),
    ] {
        assert_eq!(compare(&KNOWN, &applied), expected, "{applied:?}");
    }
}

#[tokio::test]
async fn an_empty_database_is_refused_until_it_is_migrated_and_migrating_twice_changes_nothing() {
    let database = TestDatabase::create_empty().await;
    let store = database.store();
    let refused = store.check_version().await.unwrap_err();
    assert!(matches!(refused, StoreError::Schema(SchemaError::Empty)), "{refused:?}");
    let (left, right) = tokio::join!(store.migrate(), store.migrate());
    left.unwrap();
    right.unwrap();
    store.check_version().await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(store.pool()).await.unwrap();
    assert_eq!(usize::try_from(rows).unwrap(), MIGRATIONS.iter().count());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_by_both_gates() {
    let database = TestDatabase::create().await;
    let store = database.store();
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (99990101000000, 'later', now(), true, 'x', 0)")
        .execute(store.pool())
        .await
        .unwrap();
    for refused in [store.check_version().await.unwrap_err(), store.migrate().await.unwrap_err()] {
        let StoreError::Schema(SchemaError::Newer { unknown }) = refused else { panic!("{refused:?}") };
        assert_eq!(unknown, 99_990_101_000_000);
    }
}

#[tokio::test]
async fn an_append_only_table_refuses_update_delete_and_truncate_also_through_a_partition() {
    let database = TestDatabase::create().await;
    let pool = database.store().pool();
    sqlx::raw_sql(
        "CREATE TABLE fact (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE fact_low PARTITION OF fact FOR VALUES FROM (MINVALUE) TO (100);
         SELECT tallystick_append_only('fact');
         SELECT tallystick_append_only('fact_low');
         CREATE TABLE fact_high PARTITION OF fact FOR VALUES FROM (100) TO (MAXVALUE);
         INSERT INTO fact VALUES (1), (200)",
    )
    .execute(pool)
    .await
    .unwrap();
    for statement in [
        "UPDATE fact SET id = 2",
        "DELETE FROM fact",
        "TRUNCATE fact",
        "UPDATE fact_low SET id = 2",
        "DELETE FROM fact_high",
        "TRUNCATE fact_low",
        "INSERT INTO fact VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 3",
    ] {
        let refused = StoreError::from(sqlx::raw_sql(statement).execute(pool).await.unwrap_err());
        assert!(
            matches!(&refused, StoreError::Data { code, .. } if code == "23001"),
            "{statement}: {refused:?}"
        );
    }
    sqlx::raw_sql("INSERT INTO fact VALUES (1) ON CONFLICT DO NOTHING").execute(pool).await.unwrap();
}
