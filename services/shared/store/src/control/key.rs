//! Virtual keys.

use super::feed::control_lock_in_tx;
use super::model::{Actor, BudgetSpec, KeyKind, ListFilter, ObjectKind};
use super::object::{ControlObject, as_json, id_in, object_update_in_tx, record_in_tx};
use super::row::{maybe, row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;
use tallystick_domain::{ClientId, KeyId, MemberId, ProjectId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// A virtual key. The key itself is nowhere: only its keyed hash, which is never serialised.
    KeyRow / RawKey {
        team_id: TeamId = Uuid,
        id: KeyId = Uuid,
        /// The twelve letters that it is found by.
        public_part: String = String,
        /// What the key begins with, up to and with the public part.
        prefix: String = String,
        /// HMAC-SHA256 of the whole key.
        #[serde(skip)]
        hmac: Vec<u8> = Vec<u8>,
        /// Which pepper the hash was made with.
        #[serde(skip)]
        pepper_version: i16 = i16,
        name: String = String,
        kind: KeyKind = String,
        member_id: Option<MemberId> = Option<Uuid>,
        project_id: Option<ProjectId> = Option<Uuid>,
        client_id: Option<ClientId> = Option<Uuid>,
        environment: Option<String> = Option<String>,
        tool: Option<String> = Option<String>,
        /// Patterns with `*`; empty allows every model.
        models: Vec<String> = Vec<String>,
        /// Names; empty allows every provider.
        providers: Vec<String> = Vec<String>,
        /// Families such as `chat`; empty allows every endpoint.
        endpoints: Vec<String> = Vec<String>,
        /// CIDR ranges; empty allows every address.
        ip_ranges: Vec<String> = Vec<String>,
        /// Whether a request may name another client.
        may_set_client: bool = bool,
        /// Whether a request may name another project.
        may_set_project: bool = bool,
        requests_per_minute: Option<i32> = Option<i32>,
        tokens_per_minute: Option<i64> = Option<i64>,
        parallel_requests: Option<i32> = Option<i32>,
        budgets: Vec<BudgetSpec> = Value,
        expires_at: Option<Timestamp> = Option<OffsetDateTime>,
        suspended_at: Option<Timestamp> = Option<OffsetDateTime>,
        suspended_by: Option<String> = Option<String>,
        suspended_reason: Option<String> = Option<String>,
        revoked_at: Option<Timestamp> = Option<OffsetDateTime>,
        /// The key that this one replaced.
        rotated_from: Option<KeyId> = Option<Uuid>,
        /// Set when a successor was made: this key works until then.
        grace_until: Option<Timestamp> = Option<OffsetDateTime>,
        created_by: String = String,
        created_at: Timestamp = OffsetDateTime,
    }
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    Active,
    Suspended,
    Expired,
    Revoked,
}

impl KeyState {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyRow {
    /// Whether the key works at `now`. What cannot be undone comes first.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        let passed = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        if self.revoked_at.is_some() || passed(self.grace_until) {
            KeyState::Revoked
        } else if passed(self.expires_at) {
            KeyState::Expired
        } else if self.suspended_at.is_some() {
            KeyState::Suspended
        } else {
            KeyState::Active
        }
    }
}

/// Which keys a list shows, beside the [`ListFilter`].
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    pub kind: Option<KeyKind>,
    pub member: Option<MemberId>,
    pub project: Option<ProjectId>,
    pub client: Option<ClientId>,
    /// Only keys that were made before.
    pub created_before: Option<Timestamp>,
    /// Only keys without a budget.
    pub no_limit: bool,
}

impl ControlObject for KeyRow {
    const KIND: ObjectKind = ObjectKind::Key;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        // A shown prefix ends in the public part, whatever name stands before it.
        let public = reference.rsplit('_').next().unwrap_or(reference);
        let found = sqlx::query_as!(
            RawKey,
            "SELECT *
             FROM virtual_key
             WHERE team_id = $1 AND (id = $2 OR lower(name) = lower($3) OR public_part = $4)
             ORDER BY public_part = $4 DESC, (revoked_at IS NULL AND grace_until IS NULL) DESC, id DESC
             LIMIT 1",
            team.as_uuid(),
            id_in(reference),
            reference,
            public,
        )
        .fetch_optional(tx)
        .await?;
        maybe(found)
    }

    async fn list(tx: &mut PgConnection, team: TeamId, filter: &ListFilter) -> Result<Vec<Self>, StoreError> {
        keys_in_tx(tx, team, filter, &KeyFilter::default()).await
    }

    async fn insert(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query_file!(
            "src/control/key_insert.sql",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.public_part,
            self.hmac,
            self.pepper_version,
            self.name,
            self.kind.as_str(),
            as_json(&self.budgets)?,
            self.expires_at.map(to_db),
            self.rotated_from.map(|id| id.as_uuid()),
            self.created_by,
            to_db(self.created_at),
            self.prefix,
        )
        .execute(&mut *tx)
        .await?;
        self.update(tx).await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query_file!(
            "src/control/key_update.sql",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.member_id.map(|id| id.as_uuid()),
            self.project_id.map(|id| id.as_uuid()),
            self.client_id.map(|id| id.as_uuid()),
            self.environment,
            self.tool,
            &self.models,
            &self.providers,
            &self.endpoints,
            &self.ip_ranges,
            self.may_set_client,
            self.may_set_project,
            self.requests_per_minute,
            self.tokens_per_minute,
            self.parallel_requests,
            as_json(&self.budgets)?,
            self.expires_at.map(to_db),
            self.suspended_at.map(to_db),
            self.suspended_by,
            self.suspended_reason,
            self.revoked_at.map(to_db),
            self.grace_until.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// A page of a team's keys.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn keys(
        &self,
        team: TeamId,
        filter: &ListFilter,
        only: &KeyFilter,
    ) -> Result<Vec<KeyRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        keys_in_tx(&mut connection, team, filter, only).await
    }

    /// Puts `successor` (a fresh id, public part and hash) in the place of a key: it takes over all else, and the old key
    /// works until `grace_until`. `None` when there is no such key; else the old key and the new one.
    ///
    /// # Errors
    /// `Conflict` when the old key was revoked or rotated before.
    pub async fn key_rotate(
        &self,
        by: &Actor,
        team: TeamId,
        reference: &str,
        successor: &KeyRow,
        grace_until: Timestamp,
    ) -> Result<Option<(KeyRow, KeyRow)>, StoreError> {
        self.run_tx("virtual_key.row.rotate", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let Some(before) = KeyRow::find(tx, team, reference).await? else {
                    return Ok(None);
                };
                if before.revoked_at.is_some() || before.grace_until.is_some() {
                    return Err(StoreError::conflict(format!(
                        "key {} was revoked or rotated before",
                        before.id
                    )));
                }
                let old = KeyRow { grace_until: Some(grace_until), ..before.clone() };
                let new = KeyRow {
                    id: successor.id,
                    public_part: successor.public_part.clone(),
                    prefix: successor.prefix.clone(),
                    hmac: successor.hmac.clone(),
                    pepper_version: successor.pepper_version,
                    rotated_from: Some(before.id),
                    created_by: by.name.clone(),
                    created_at: by.at,
                    ..before.clone()
                };
                object_update_in_tx(tx, by, "rotate", &before, &old).await?;
                new.insert(tx).await?;
                record_in_tx(tx, by, "add", None, &new).await?;
                Ok(Some((old, new)))
            })
        })
        .await
    }
}

async fn keys_in_tx(
    tx: &mut PgConnection,
    team: TeamId,
    filter: &ListFilter,
    only: &KeyFilter,
) -> Result<Vec<KeyRow>, StoreError> {
    let found = sqlx::query_file_as!(
        RawKey,
        "src/control/key_list.sql",
        team.as_uuid(),
        filter.archived,
        filter.name,
        filter.after,
        filter.limit,
        only.kind.map(KeyKind::as_str),
        only.member.map(|id| id.as_uuid()),
        only.project.map(|id| id.as_uuid()),
        only.client.map(|id| id.as_uuid()),
        only.created_before.map(to_db),
        only.no_limit,
    )
    .fetch_all(tx)
    .await?;
    rows(found)
}

/// Keys that name a member and were not revoked.
pub(super) async fn keys_of_member_in_tx(
    tx: &mut PgConnection,
    team: TeamId,
    member: MemberId,
) -> Result<Vec<KeyRow>, StoreError> {
    let found = sqlx::query_as!(
        RawKey,
        "SELECT * FROM virtual_key WHERE team_id = $1 AND member_id = $2 AND revoked_at IS NULL ORDER BY id",
        team.as_uuid(),
        member.as_uuid(),
    )
    .fetch_all(tx)
    .await?;
    rows(found)
}

pub(super) async fn all_keys_in_tx(tx: &mut PgConnection) -> Result<Vec<KeyRow>, StoreError> {
    rows(sqlx::query_as!(RawKey, "SELECT * FROM virtual_key ORDER BY team_id, id").fetch_all(tx).await?)
}
