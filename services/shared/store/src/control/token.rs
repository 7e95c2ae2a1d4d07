//! Tokens of the API.

use super::model::{ListFilter, ObjectKind, Role};
use super::object::{ControlObject, id_in};
use super::row::{maybe, row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use sqlx::PgConnection;
use tallystick_domain::{TeamId, TokenId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// A token of the API. Only its keyed hash is kept, and never serialised.
    TokenRow / RawToken {
        team_id: TeamId = Uuid,
        id: TokenId = Uuid,
        name: String = String,
        #[serde(skip)]
        hmac: Vec<u8> = Vec<u8>,
        #[serde(skip)]
        pepper_version: i16 = i16,
        role: Role = String,
        /// Whether it may also do what concerns the whole instance.
        operator: bool = bool,
        created_by: String = String,
        created_at: Timestamp = OffsetDateTime,
        expires_at: Option<Timestamp> = Option<OffsetDateTime>,
        revoked_at: Option<Timestamp> = Option<OffsetDateTime>,
    }
}

impl TokenRow {
    /// Whether the token is accepted at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

impl ControlObject for TokenRow {
    const KIND: ObjectKind = ObjectKind::Token;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawToken,
            "SELECT *
             FROM api_token
             WHERE team_id = $1 AND (id = $2 OR lower(name) = lower($3))
             ORDER BY revoked_at IS NULL DESC, id DESC
             LIMIT 1",
            team.as_uuid(),
            id_in(reference),
            reference,
        )
        .fetch_optional(tx)
        .await?;
        maybe(found)
    }

    async fn list(tx: &mut PgConnection, team: TeamId, filter: &ListFilter) -> Result<Vec<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawToken,
            "SELECT *
             FROM api_token
             WHERE team_id = $1
               AND (revoked_at IS NULL OR $2)
               AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
               AND ($4::uuid IS NULL OR id > $4)
             ORDER BY id
             LIMIT $5",
            team.as_uuid(),
            filter.archived,
            filter.name,
            filter.after,
            filter.limit,
        )
        .fetch_all(tx)
        .await?;
        rows(found)
    }

    async fn insert(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO api_token
                 (team_id, id, name, hmac, pepper_version, role, operator, created_by, created_at, expires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.hmac,
            self.pepper_version,
            self.role.as_str(),
            self.operator,
            self.created_by,
            to_db(self.created_at),
            self.expires_at.map(to_db),
            self.revoked_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE api_token SET name = $3, revoked_at = $4 WHERE team_id = $1 AND id = $2",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.revoked_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// The token with this keyed hash, of whatever team; whether it is live is the caller's to check.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn token_by_hmac(&self, hmac: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let found = sqlx::query_as!(RawToken, "SELECT * FROM api_token WHERE hmac = $1", hmac.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        maybe(found)
    }
}
