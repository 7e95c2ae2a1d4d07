//! Price versions: immutable, effective-dated, for one team or for all.

use super::feed::{Entry, control_lock_in_tx, control_record_in_tx};
use super::model::{Actor, ObjectKind};
use super::row::{row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tallystick_domain::{PriceVersionId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// One immutable version of one model's price.
    PriceVersionRow / RawPriceVersion {
        id: PriceVersionId = Uuid,
        /// `None`: for every team.
        team_id: Option<TeamId> = Option<Uuid>,
        provider: String = String,
        model: String = String,
        effective_from: Timestamp = OffsetDateTime,
        /// The price itself, as `domain::price` writes it.
        body: Value = Value,
        /// Where it comes from.
        source: String = String,
        created_at: Timestamp = OffsetDateTime,
    }
}

/// Which price versions a list shows, in the order of ids.
#[derive(Clone, Debug, Default)]
pub struct PriceFilter {
    /// Exactly this model, in any case.
    pub model: Option<String>,
    /// Exactly this provider.
    pub provider: Option<String>,
    /// Only versions behind this one.
    pub after: Option<PriceVersionId>,
    /// Most rows.
    pub limit: i64,
}

impl Store {
    /// Adds the versions whose id is not there yet and records them as one change; gives back how many were new. When
    /// none is, nothing is recorded. `import` names the change.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn price_versions_add(
        &self,
        by: &Actor,
        team: Option<TeamId>,
        import: Uuid,
        versions: &[PriceVersionRow],
    ) -> Result<u64, StoreError> {
        self.run_tx("price_version.row.add", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let added = price_versions_insert_in_tx(tx, versions).await?;
                if added > 0 {
                    let sources: std::collections::BTreeSet<&str> =
                        versions.iter().map(|v| v.source.as_str()).collect();
                    let entry = Entry {
                        team,
                        kind: ObjectKind::PriceBook,
                        object_id: import,
                        action: "import",
                        before: None,
                        after: Some(json!({ "versions": added, "sources": sources })),
                    };
                    control_record_in_tx(tx, by, entry).await?;
                }
                Ok(added)
            })
        })
        .await
    }

    /// Every version that a team can be rated by: its own and those for all.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn price_versions_of(&self, team: TeamId) -> Result<Vec<PriceVersionRow>, StoreError> {
        let found = sqlx::query_as!(
            RawPriceVersion,
            "SELECT * FROM price_version WHERE team_id IS NULL OR team_id = $1 ORDER BY id",
            team.as_uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        rows(found)
    }

    /// A page of the versions that a team can be rated by.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn price_versions_list(
        &self,
        team: TeamId,
        filter: &PriceFilter,
    ) -> Result<Vec<PriceVersionRow>, StoreError> {
        let found = sqlx::query_as!(
            RawPriceVersion,
            "SELECT *
             FROM price_version
             WHERE (team_id IS NULL OR team_id = $1)
               AND ($2::text IS NULL OR lower(model) = lower($2))
               AND ($3::text IS NULL OR provider = $3)
               AND ($4::uuid IS NULL OR id > $4)
             ORDER BY id
             LIMIT $5",
            team.as_uuid(),
            filter.model,
            filter.provider,
            filter.after.map(|id| id.as_uuid()),
            filter.limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows(found)
    }

    /// Every version of the instance, for the proxy's price book.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn price_versions(&self) -> Result<Vec<PriceVersionRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        price_versions_in_tx(&mut connection).await
    }
}

pub(super) async fn price_versions_in_tx(tx: &mut PgConnection) -> Result<Vec<PriceVersionRow>, StoreError> {
    rows(sqlx::query_as!(RawPriceVersion, "SELECT * FROM price_version ORDER BY id").fetch_all(tx).await?)
}

pub(super) async fn price_versions_insert_in_tx(
    tx: &mut PgConnection,
    versions: &[PriceVersionRow],
) -> Result<u64, StoreError> {
    let ids: Vec<Uuid> = versions.iter().map(|v| v.id.as_uuid()).collect();
    let teams: Vec<Option<Uuid>> = versions.iter().map(|v| v.team_id.map(|team| team.as_uuid())).collect();
    let providers: Vec<String> = versions.iter().map(|v| v.provider.clone()).collect();
    let models: Vec<String> = versions.iter().map(|v| v.model.clone()).collect();
    let starts: Vec<OffsetDateTime> = versions.iter().map(|v| to_db(v.effective_from)).collect();
    let bodies: Vec<Value> = versions.iter().map(|v| v.body.clone()).collect();
    let sources: Vec<String> = versions.iter().map(|v| v.source.clone()).collect();
    let made: Vec<OffsetDateTime> = versions.iter().map(|v| to_db(v.created_at)).collect();
    let done = sqlx::query!(
        "INSERT INTO price_version (id, team_id, provider, model, effective_from, body, source, created_at)
         SELECT *
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::text[],
                     $8::timestamptz[])
         ON CONFLICT (id) DO NOTHING",
        &ids,
        &teams as &[Option<Uuid>],
        &providers,
        &models,
        &starts,
        &bodies,
        &sources,
        &made,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
