//! Drafts: one per client and month, composed again as often as one likes.

use super::row::InvoiceRow;
use crate::time::{date_to_db, to_db};
use crate::{Store, StoreError};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tallystick_domain::period::DayRange;
use tallystick_domain::{ClientId, Currency, InvoiceId, TeamId};

/// What a draft says now.
#[derive(Clone, Debug)]
pub struct DraftContent {
    pub team: TeamId,
    pub id: InvoiceId,
    pub client: ClientId,
    pub period: DayRange,
    pub currency: Currency,
    pub total: Decimal,
    pub cost: Decimal,
    pub document: String,
    pub at: Timestamp,
}

impl Store {
    /// The draft of a client's month, where there is one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_draft_of(
        &self,
        team: TeamId,
        client: ClientId,
        period: DayRange,
    ) -> Result<Option<InvoiceRow>, StoreError> {
        let id = sqlx::query_scalar!(
            "SELECT id FROM invoice WHERE team_id = $1 AND client_id = $2 AND period_from = $3 AND status = 'draft'",
            team.as_uuid(),
            client.as_uuid(),
            date_to_db(period.from)
        )
        .fetch_optional(&self.pool)
        .await?;
        match id {
            Some(id) => self.invoice_find(team, &id.to_string()).await,
            None => Ok(None),
        }
    }

    /// The number of the invoice in force for a client's month, where there is one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_in_force(
        &self,
        team: TeamId,
        client: ClientId,
        period: DayRange,
    ) -> Result<Option<String>, StoreError> {
        let number = sqlx::query_scalar!(
            "SELECT number FROM invoice
              WHERE team_id = $1 AND client_id = $2 AND period_from = $3 AND status IN ('finalized', 'sent', 'paid')",
            team.as_uuid(),
            client.as_uuid(),
            date_to_db(period.from)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(number.flatten())
    }

    /// Stores a draft in place of the one with the same id.
    ///
    /// # Errors
    /// `Data` with constraint `invoice_one_draft` when another draft of the same month came first; `Conflict` when the
    /// invoice is no draft any more.
    pub async fn invoice_draft_put(&self, draft: &DraftContent) -> Result<(), StoreError> {
        let done = sqlx::query!(
            "INSERT INTO invoice (team_id, id, client_id, period_from, period_to, status, currency, total, cost, document,
                                  created_at)
             VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $10)
                 ON CONFLICT (team_id, id) DO UPDATE
                SET currency = excluded.currency, total = excluded.total, cost = excluded.cost,
                    document = excluded.document
              WHERE invoice.status = 'draft'",
            draft.team.as_uuid(),
            draft.id.as_uuid(),
            draft.client.as_uuid(),
            date_to_db(draft.period.from),
            date_to_db(draft.period.to),
            draft.currency.code(),
            draft.total,
            draft.cost,
            draft.document,
            to_db(draft.at)
        )
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(StoreError::conflict(format!(
            "invoice {} was finalised meanwhile; draft the month anew",
            draft.id
        )))
    }

    /// Throws a draft away; `false` when there is no such draft.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_draft_delete(&self, team: TeamId, id: InvoiceId) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "DELETE FROM invoice WHERE team_id = $1 AND id = $2 AND status = 'draft'",
            team.as_uuid(),
            id.as_uuid()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
