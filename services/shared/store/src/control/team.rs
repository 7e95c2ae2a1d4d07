//! Teams.

use super::model::{BudgetSpec, ListFilter, ObjectKind};
use super::object::{ControlObject, as_json, id_in};
use super::row::{maybe, row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;
use tallystick_domain::{Currency, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// A team: the tenant.
    TeamRow / RawTeam {
        id: TeamId = Uuid,
        /// Short name, unique in the instance: lower-case letters, digits, hyphens.
        slug: String = String,
        name: String = String,
        /// IANA name of the zone that billing days are cut in.
        zone: String = String,
        /// The one currency of the team's ledger.
        currency: Currency = String,
        /// Budgets of a key that is made without one.
        default_key_budgets: Vec<BudgetSpec> = Value,
        created_at: Timestamp = OffsetDateTime,
    }
}

impl ControlObject for TeamRow {
    const KIND: ObjectKind = ObjectKind::Team;

    fn team(&self) -> TeamId {
        self.id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawTeam,
            "SELECT * FROM team WHERE id = $1 AND (id = $2 OR slug = $3)",
            team.as_uuid(),
            id_in(reference),
            reference,
        )
        .fetch_optional(tx)
        .await?;
        maybe(found)
    }

    async fn list(tx: &mut PgConnection, team: TeamId, _: &ListFilter) -> Result<Vec<Self>, StoreError> {
        let found = sqlx::query_as!(RawTeam, "SELECT * FROM team WHERE id = $1", team.as_uuid())
            .fetch_all(tx)
            .await?;
        rows(found)
    }

    async fn insert(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO team (id, slug, name, zone, currency, default_key_budgets, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.id.as_uuid(),
            self.slug,
            self.name,
            self.zone,
            self.currency.code(),
            as_json(&self.default_key_budgets)?,
            to_db(self.created_at),
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE team
             SET slug = $2, name = $3, zone = $4, currency = $5, default_key_budgets = $6
             WHERE id = $1",
            self.id.as_uuid(),
            self.slug,
            self.name,
            self.zone,
            self.currency.code(),
            as_json(&self.default_key_budgets)?,
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// A team by its id.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn team_load(&self, id: TeamId) -> Result<Option<TeamRow>, StoreError> {
        let found = sqlx::query_as!(RawTeam, "SELECT * FROM team WHERE id = $1", id.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        maybe(found)
    }

    /// Whether the ledger holds usage of this team: from then on its currency stays.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn team_has_usage(&self, id: TeamId) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM usage_hourly WHERE team_id = $1) AS "found!""#,
            id.as_uuid(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(found)
    }

    /// Every team of the instance, oldest first.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn teams(&self) -> Result<Vec<TeamRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        teams_in_tx(&mut connection).await
    }
}

pub(super) async fn teams_in_tx(tx: &mut PgConnection) -> Result<Vec<TeamRow>, StoreError> {
    rows(sqlx::query_as!(RawTeam, "SELECT * FROM team ORDER BY id").fetch_all(tx).await?)
}
