//! Clients of a team.

use super::model::{ListFilter, ObjectKind};
use super::object::{ControlObject, id_in};
use super::row::{maybe, row, rows};
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tallystick_domain::{ClientId, Currency, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// Somebody a team works for and sends invoices to.
    ClientRow / RawClient {
        team_id: TeamId = Uuid,
        id: ClientId = Uuid,
        name: String = String,
        /// As registered; empty: as `name`.
        legal_name: String = String,
        /// One entry per printed line.
        address: Vec<String> = Vec<String>,
        /// ISO 3166, two capitals.
        country: Option<String> = Option<String>,
        vat_id: Option<String> = Option<String>,
        registration: Option<String> = Option<String>,
        email: Option<String> = Option<String>,
        /// Currency of the client's invoices.
        currency: Currency = String,
        /// IANA name of the zone that the client's billing days are cut in.
        zone: String = String,
        /// Percent on top of the provider's cost.
        markup: Decimal = Decimal,
        /// Whether invoices show cost and mark-up, or prices that hold it.
        markup_shown: bool = bool,
        /// The team itself: usage is reported and never invoiced.
        internal: bool = bool,
        /// Days between the issue of an invoice and its due date.
        terms_days: i16 = i16,
        purchase_order: Option<String> = Option<String>,
        tax_label: Option<String> = Option<String>,
        /// Percent of the subtotal.
        tax_percent: Option<Decimal> = Option<Decimal>,
        created_at: Timestamp = OffsetDateTime,
        archived_at: Option<Timestamp> = Option<OffsetDateTime>,
    }
}

impl ControlObject for ClientRow {
    const KIND: ObjectKind = ObjectKind::Client;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawClient,
            "SELECT *
             FROM client
             WHERE team_id = $1 AND (id = $2 OR lower(name) = lower($3))
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
            RawClient,
            "SELECT *
             FROM client
             WHERE team_id = $1
               AND (archived_at IS NULL OR $2)
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
            "INSERT INTO client (team_id, id, name, currency, zone, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.currency.code(),
            self.zone,
            to_db(self.created_at),
        )
        .execute(&mut *tx)
        .await?;
        self.update(tx).await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query_file!(
            "src/control/client_update.sql",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.legal_name,
            &self.address,
            self.country,
            self.vat_id,
            self.registration,
            self.email,
            self.currency.code(),
            self.zone,
            self.markup,
            self.markup_shown,
            self.internal,
            self.terms_days,
            self.purchase_order,
            self.tax_label,
            self.tax_percent,
            self.archived_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

pub(super) async fn clients_in_tx(tx: &mut PgConnection) -> Result<Vec<ClientRow>, StoreError> {
    rows(sqlx::query_as!(RawClient, "SELECT * FROM client ORDER BY team_id, id").fetch_all(tx).await?)
}
