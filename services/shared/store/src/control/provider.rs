//! Provider accounts of a team.

use super::model::{ListFilter, ObjectKind, ProviderKind};
use super::object::{ControlObject, id_in};
use super::row::{maybe, row, rows};
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use sqlx::PgConnection;
use tallystick_domain::{ProviderId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// An account with a provider. Its secret is ciphertext and is never serialised.
    ProviderRow / RawProvider {
        team_id: TeamId = Uuid,
        id: ProviderId = Uuid,
        /// As paths and events name it.
        name: String = String,
        kind: ProviderKind = String,
        /// Without a slash at the end.
        base_url: String = String,
        /// Scheme, host and port of `base_url`: what the secret is bound to.
        origin: String = String,
        /// See [`crate::secrets::SecretBox`]; the associated data is [`crate::secrets::provider_binding`].
        #[serde(skip)]
        secret: Option<Vec<u8>> = Option<Vec<u8>>,
        /// When the secret was given.
        secret_set_at: Option<Timestamp> = Option<OffsetDateTime>,
        /// The provider under whose name the price book has this account's models.
        price_name: String = String,
        /// Patterns of the models that go here; empty: those that the price book knows for this provider.
        models: Vec<String> = Vec<String>,
        /// Whether the address may be private or local.
        private_address: bool = bool,
        created_at: Timestamp = OffsetDateTime,
        archived_at: Option<Timestamp> = Option<OffsetDateTime>,
    }
}

impl ControlObject for ProviderRow {
    const KIND: ObjectKind = ObjectKind::Provider;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawProvider,
            "SELECT *
             FROM provider
             WHERE team_id = $1 AND (id = $2 OR name = lower($3))
             ORDER BY archived_at IS NULL DESC, id DESC
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
            RawProvider,
            "SELECT *
             FROM provider
             WHERE team_id = $1
               AND (archived_at IS NULL OR $2)
               AND ($3::text IS NULL OR strpos(name, lower($3)) > 0)
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
            "INSERT INTO provider (team_id, id, name, kind, base_url, origin, price_name, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.kind.as_str(),
            self.base_url,
            self.origin,
            self.price_name,
            to_db(self.created_at),
        )
        .execute(&mut *tx)
        .await?;
        self.update(tx).await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE provider
             SET base_url = $3, origin = $4, secret = $5, secret_set_at = $6, models = $7, private_address = $8,
                 archived_at = $9, price_name = $10
             WHERE team_id = $1 AND id = $2",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.base_url,
            self.origin,
            self.secret,
            self.secret_set_at.map(to_db),
            &self.models,
            self.private_address,
            self.archived_at.map(to_db),
            self.price_name,
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

pub(super) async fn providers_in_tx(tx: &mut PgConnection) -> Result<Vec<ProviderRow>, StoreError> {
    rows(sqlx::query_as!(RawProvider, "SELECT * FROM provider ORDER BY team_id, id").fetch_all(tx).await?)
}
