//! The row of an invoice, and lists of them.

use super::basis::currency;
use crate::time::{date_from_db, date_to_db, from_db};
use crate::{Store, StoreError};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use tallystick_domain::invoice::InvoiceStatus;
use tallystick_domain::period::DayRange;
use tallystick_domain::{ClientId, Currency, InvoiceId, TeamId};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// An invoice as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRow {
    pub team: TeamId,
    pub id: InvoiceId,
    pub client: ClientId,
    /// Billing days in the client's zone.
    pub period: DayRange,
    pub status: InvoiceStatus,
    /// Given when finalised.
    pub number: Option<String>,
    /// Currency of the total.
    pub currency: Currency,
    pub total: Decimal,
    /// Exact cost of the usage on it, in the team's currency.
    pub cost: Decimal,
    /// JSON of the document; frozen bytes from the number on. Its own `status` is that of the moment it was written.
    pub document: String,
    pub sha256: Option<String>,
    /// The issuer's logo at the time of finalising.
    pub logo: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub issued_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub voided_at: Option<Timestamp>,
    pub void_reason: Option<String>,
}

/// Which invoices a list shows, newest first.
#[derive(Clone, Debug, Default)]
pub struct InvoiceFilter {
    pub client: Option<ClientId>,
    pub status: Option<InvoiceStatus>,
    /// First day of the month.
    pub month: Option<civil::Date>,
    /// Only invoices behind this one.
    pub after: Option<InvoiceId>,
    pub limit: i64,
}

pub(super) struct RawInvoice {
    pub(super) team_id: Uuid,
    pub(super) id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) period_from: Date,
    pub(super) period_to: Date,
    pub(super) status: String,
    pub(super) number: Option<String>,
    pub(super) currency: String,
    pub(super) total: Decimal,
    pub(super) cost: Decimal,
    pub(super) document: String,
    pub(super) sha256: Option<String>,
    pub(super) logo: Option<Vec<u8>>,
    pub(super) created_at: OffsetDateTime,
    pub(super) issued_at: Option<OffsetDateTime>,
    pub(super) sent_at: Option<OffsetDateTime>,
    pub(super) paid_at: Option<OffsetDateTime>,
    pub(super) voided_at: Option<OffsetDateTime>,
    pub(super) void_reason: Option<String>,
}

impl TryFrom<RawInvoice> for InvoiceRow {
    type Error = StoreError;

    fn try_from(raw: RawInvoice) -> Result<Self, StoreError> {
        let status = InvoiceStatus::parse(&raw.status).ok_or_else(|| {
            StoreError::conflict(format!("invoice status '{}' is not known to this program", raw.status))
        })?;
        Ok(Self {
            team: TeamId::from_uuid(raw.team_id),
            id: InvoiceId::from_uuid(raw.id),
            client: ClientId::from_uuid(raw.client_id),
            period: DayRange { from: date_from_db(raw.period_from), to: date_from_db(raw.period_to) },
            status,
            number: raw.number,
            currency: currency(&raw.currency)?,
            total: raw.total,
            cost: raw.cost.normalize(),
            document: raw.document,
            sha256: raw.sha256,
            logo: raw.logo,
            created_at: from_db(raw.created_at),
            issued_at: raw.issued_at.map(from_db),
            sent_at: raw.sent_at.map(from_db),
            paid_at: raw.paid_at.map(from_db),
            voided_at: raw.voided_at.map(from_db),
            void_reason: raw.void_reason,
        })
    }
}

impl Store {
    /// An invoice of a team by its id or number.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_find(
        &self,
        team: TeamId,
        reference: &str,
    ) -> Result<Option<InvoiceRow>, StoreError> {
        let found = sqlx::query_as!(
            RawInvoice,
            "SELECT team_id, id, client_id, period_from, period_to, status, number, currency, total, cost, document, sha256,
                    logo, created_at, issued_at, sent_at, paid_at, voided_at, void_reason
               FROM invoice
              WHERE team_id = $1 AND (id = $2 OR lower(number) = lower($3))",
            team.as_uuid(),
            Uuid::parse_str(reference).ok(),
            reference
        )
        .fetch_optional(&self.pool)
        .await?;
        found.map(InvoiceRow::try_from).transpose()
    }

    /// A page of a team's invoices, newest first. Documents are in it, logos are not.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoices_list(
        &self,
        team: TeamId,
        filter: &InvoiceFilter,
    ) -> Result<Vec<InvoiceRow>, StoreError> {
        let found = sqlx::query_as!(
            RawInvoice,
            "SELECT team_id, id, client_id, period_from, period_to, status, number, currency, total, cost, document, sha256,
                    NULL::bytea AS logo, created_at, issued_at, sent_at, paid_at, voided_at, void_reason
               FROM invoice
              WHERE team_id = $1
                AND ($2::uuid IS NULL OR client_id = $2)
                AND ($3::text IS NULL OR status = $3)
                AND ($4::date IS NULL OR period_from = $4)
                AND ($5::uuid IS NULL OR id < $5)
              ORDER BY id DESC
              LIMIT $6",
            team.as_uuid(),
            filter.client.map(|id| id.as_uuid()),
            filter.status.map(InvoiceStatus::as_str),
            filter.month.map(date_to_db),
            filter.after.map(|id| id.as_uuid()),
            filter.limit
        )
        .fetch_all(&self.pool)
        .await?;
        found.into_iter().map(InvoiceRow::try_from).collect()
    }
}
