//! Answers to requests that carried an `Idempotency-Key`, kept so that a repeated request gets the same answer.

use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use tallystick_domain::TeamId;

/// What a request finds under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: the request is the first and now holds the key.
    Claimed,
    /// The same request is being answered at this moment.
    Pending,
    /// The same request was answered: HTTP status and the sealed body.
    Answered { status: u16, sealed: Vec<u8> },
    /// The key was used for another request.
    Other,
}

impl Store {
    /// Claims an idempotency key for the request with this hash. A claim that was never answered is taken over once it
    /// is older than `abandoned_before`.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn idempotency_claim(
        &self,
        team: TeamId,
        key: &str,
        request_hash: &[u8; 32],
        now: Timestamp,
        abandoned_before: Timestamp,
    ) -> Result<Claim, StoreError> {
        let hash = request_hash.as_slice();
        let claimed = sqlx::query!(
            "INSERT INTO idempotency_key (team_id, key, request_hash, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (team_id, key) DO UPDATE SET created_at = excluded.created_at
             WHERE idempotency_key.status IS NULL
               AND idempotency_key.created_at < $5
               AND idempotency_key.request_hash = excluded.request_hash",
            team.as_uuid(),
            key,
            hash,
            to_db(now),
            to_db(abandoned_before),
        )
        .execute(&self.pool)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::Claimed);
        }
        let found = sqlx::query!(
            "SELECT request_hash, status, response FROM idempotency_key WHERE team_id = $1 AND key = $2",
            team.as_uuid(),
            key,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match found {
            Some(found) if found.request_hash != hash => Claim::Other,
            Some(found) => match (found.status, found.response) {
                (Some(status), Some(sealed)) => Claim::Answered { status: status.unsigned_abs(), sealed },
                _ => Claim::Pending,
            },
            None => Claim::Pending,
        })
    }

    /// Keeps the answer to a claimed request.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn idempotency_answer(
        &self,
        team: TeamId,
        key: &str,
        status: u16,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE idempotency_key SET status = $3, response = $4 WHERE team_id = $1 AND key = $2 AND status IS NULL",
            team.as_uuid(),
            key,
            i16::try_from(status).unwrap_or(i16::MAX),
            sealed,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives a claim up, so that the request may be repeated.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn idempotency_release(&self, team: TeamId, key: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "DELETE FROM idempotency_key WHERE team_id = $1 AND key = $2 AND status IS NULL",
            team.as_uuid(),
            key,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets keys that are older than `before`; gives back how many.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn idempotency_expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query!("DELETE FROM idempotency_key WHERE created_at < $1", to_db(before))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
