//! The issuer of a team's invoices.

use super::feed::{Entry, control_lock_in_tx, control_record_in_tx};
use super::model::{Actor, ObjectKind};
use super::object::as_json;
use super::row::{maybe, row};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use sqlx::PgConnection;
use tallystick_domain::TeamId;
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// Who asks clients for money.
    IssuerRow / RawIssuer {
        team_id: TeamId = Uuid,
        legal_name: String = String,
        /// One entry per printed line.
        address: Vec<String> = Vec<String>,
        country: Option<String> = Option<String>,
        vat_id: Option<String> = Option<String>,
        registration: Option<String> = Option<String>,
        email: Option<String> = Option<String>,
        iban: Option<String> = Option<String>,
        bic: Option<String> = Option<String>,
        bank: Option<String> = Option<String>,
        /// Bytes of the image, at most 1 MiB.
        #[serde(skip)]
        logo: Option<Vec<u8>> = Option<Vec<u8>>,
        /// Its media type.
        logo_type: Option<String> = Option<String>,
        /// See `domain::invoice::NumberFormat`.
        number_format: String = String,
        updated_at: Timestamp = OffsetDateTime,
    }
}

impl Store {
    /// The team's issuer; `None` before it was set.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn issuer_load(&self, team: TeamId) -> Result<Option<IssuerRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        issuer_in_tx(&mut connection, team).await
    }

    /// Changes the issuer, beginning with `fresh` where there is none, and records it.
    ///
    /// # Errors
    /// What `edit` refuses with.
    pub async fn issuer_set<F>(&self, by: &Actor, fresh: &IssuerRow, edit: F) -> Result<IssuerRow, StoreError>
    where
        F: Fn(&mut IssuerRow) -> Result<(), StoreError> + Send + Sync,
    {
        let edit = &edit;
        self.run_tx("issuer.row.set", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let before = issuer_in_tx(tx, fresh.team_id).await?;
                let mut after = before.clone().unwrap_or_else(|| fresh.clone());
                edit(&mut after)?;
                after.updated_at = by.at;
                issuer_upsert_in_tx(tx, &after).await?;
                let entry = Entry {
                    team: Some(after.team_id),
                    kind: ObjectKind::Issuer,
                    object_id: after.team_id.as_uuid(),
                    action: "set",
                    before: before.as_ref().map(as_json).transpose()?,
                    after: Some(as_json(&after)?),
                };
                control_record_in_tx(tx, by, entry).await?;
                Ok(after)
            })
        })
        .await
    }
}

async fn issuer_in_tx(tx: &mut PgConnection, team: TeamId) -> Result<Option<IssuerRow>, StoreError> {
    let found = sqlx::query_as!(RawIssuer, "SELECT * FROM issuer WHERE team_id = $1", team.as_uuid())
        .fetch_optional(tx)
        .await?;
    maybe(found)
}

async fn issuer_upsert_in_tx(tx: &mut PgConnection, issuer: &IssuerRow) -> Result<(), StoreError> {
    sqlx::query_file!(
        "src/control/issuer_upsert.sql",
        issuer.team_id.as_uuid(),
        issuer.legal_name,
        &issuer.address,
        issuer.country,
        issuer.vat_id,
        issuer.registration,
        issuer.email,
        issuer.iban,
        issuer.bic,
        issuer.bank,
        issuer.logo,
        issuer.logo_type,
        issuer.number_format,
        to_db(issuer.updated_at),
    )
    .execute(tx)
    .await?;
    Ok(())
}
