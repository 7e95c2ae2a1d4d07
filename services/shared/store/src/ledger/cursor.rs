//! Where a projection stands, and who may move it.

use crate::time::from_db;
use crate::{Store, StoreError};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// A partition that this process may project. The epoch fences whoever held it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub projection: String,
    pub partition: u32,
    pub epoch: i64,
    /// The next record to read.
    pub next_offset: u64,
    /// Rolling hash over everything before it.
    pub rolling_hash: [u8; 32],
}

/// A cursor as it stands, whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPosition {
    pub partition: u32,
    pub next_offset: u64,
    pub rolling_hash: [u8; 32],
    /// Until when its owner has it; in the past when nobody does.
    pub lease_until: Option<Timestamp>,
}

impl Store {
    /// Claims a partition for `owner`: takes it when it is free, expired or already ours, and raises its epoch, so that
    /// whatever an earlier owner still has under way can not commit. `None` while another owner's lease runs.
    ///
    /// The lease is liveness only: safety rests on the compare-and-set of the cursor, never on a clock.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn cursor_claim(
        &self,
        projection: &str,
        partition: u32,
        owner: Uuid,
        lease: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let number = to_db_partition(partition)?;
        sqlx::query!(
            "INSERT INTO projection_cursor (projection, partition) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            projection,
            number
        )
        .execute(&self.pool)
        .await?;
        let row = sqlx::query!(
            "UPDATE projection_cursor
                SET epoch = epoch + 1, owner = $3, lease_until = now() + make_interval(secs => $4)
              WHERE projection = $1 AND partition = $2 AND (owner = $3 OR lease_until < now())
             RETURNING epoch, next_offset, rolling_hash",
            projection,
            number,
            owner,
            lease.as_secs_f64()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Claim {
            projection: projection.to_owned(),
            partition,
            epoch: row.epoch,
            next_offset: row.next_offset.unsigned_abs(),
            rolling_hash: to_hash(&row.rolling_hash),
        }))
    }

    /// Prolongs a lease; `false` when the partition was claimed by somebody else meanwhile.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn cursor_renew(&self, claim: &Claim, lease: Duration) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE projection_cursor SET lease_until = now() + make_interval(secs => $4)
              WHERE projection = $1 AND partition = $2 AND epoch = $3",
            claim.projection,
            to_db_partition(claim.partition)?,
            claim.epoch,
            lease.as_secs_f64()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a partition back, so that the next owner need not wait for the lease to run out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn cursor_release(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE projection_cursor SET owner = NULL, lease_until = '-infinity'
              WHERE projection = $1 AND partition = $2 AND epoch = $3",
            claim.projection,
            to_db_partition(claim.partition)?,
            claim.epoch
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All cursors of a projection, by partition.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn cursor_list(&self, projection: &str) -> Result<Vec<CursorPosition>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT partition, next_offset, rolling_hash,
                      CASE WHEN isfinite(lease_until) THEN lease_until END AS lease_until
                 FROM projection_cursor WHERE projection = $1 ORDER BY partition"#,
            projection
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| CursorPosition {
                partition: row.partition.unsigned_abs(),
                next_offset: row.next_offset.unsigned_abs(),
                rolling_hash: to_hash(&row.rolling_hash),
                lease_until: row.lease_until.map(from_db),
            })
            .collect())
    }
}

pub(super) fn to_db_partition(partition: u32) -> Result<i32, StoreError> {
    i32::try_from(partition)
        .map_err(|_| StoreError::conflict(format!("partition {partition} is out of range")))
}

pub(super) fn to_hash(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("the table checks that a rolling hash has 32 bytes")
}
