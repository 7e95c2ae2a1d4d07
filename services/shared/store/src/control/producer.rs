//! The register of spools: which life of which spool may write.

use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use tallystick_domain::ProducerId;
use uuid::Uuid;

/// The register's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochMove {
    /// The epoch is now the expected one plus one.
    Advanced,
    /// The register has another epoch than expected: this spool was copied or restored.
    Mismatch,
}

impl Store {
    /// Moves `producer` from epoch `expected` to the next by compare-and-set; a producer that is not registered has epoch
    /// 0. Asked again with the `boot` that moved it last, it answers `Advanced` again.
    ///
    /// # Errors
    /// A database that is away; then ask again with the same `boot`.
    pub async fn producer_epoch_advance(
        &self,
        producer: ProducerId,
        expected: u32,
        boot: Uuid,
        at: Timestamp,
    ) -> Result<EpochMove, StoreError> {
        let (id, at) = (producer.as_uuid(), to_db(at));
        let expected = i32::try_from(expected)
            .map_err(|_| StoreError::conflict(format!("producer {producer} has no epochs left")))?;
        self.run_tx("producer_epoch.row.advance", |tx| {
            Box::pin(async move {
            let moved = if expected == 0 {
                sqlx::query!(
                    "INSERT INTO producer_epoch (producer_id, epoch, boot_id, moved_at)
                     VALUES ($1, 1, $2, $3)
                     ON CONFLICT (producer_id) DO NOTHING",
                    id,
                    boot,
                    at,
                )
                .execute(&mut **tx)
                .await?
            } else {
                sqlx::query!(
                    "UPDATE producer_epoch
                     SET epoch = epoch + 1, boot_id = $2, moved_at = $3
                     WHERE producer_id = $1 AND epoch = $4",
                    id,
                    boot,
                    at,
                    expected,
                )
                .execute(&mut **tx)
                .await?
            };
            if moved.rows_affected() == 1 {
                return Ok(EpochMove::Advanced);
            }
            let repeated = sqlx::query_scalar!(
                r#"SELECT epoch - 1 = $2 AND boot_id = $3 AS "same!" FROM producer_epoch WHERE producer_id = $1"#,
                id,
                expected,
                boot,
            )
            .fetch_optional(&mut **tx)
            .await?;
            Ok(if repeated == Some(true) { EpochMove::Advanced } else { EpochMove::Mismatch })
            })
        })
        .await
    }
}
