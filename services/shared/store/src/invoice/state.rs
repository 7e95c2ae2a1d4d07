//! What may follow once an invoice has its number, and the files made from it.

use super::basis::currency;
use super::finalize::client_lock_in_tx;
use super::journal::{Turn, journal_insert_in_tx};
use super::row::InvoiceRow;
use crate::time::to_db;
use crate::{Store, StoreError};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tallystick_domain::invoice::InvoiceStatus;
use tallystick_domain::{ClientId, InvoiceId, TeamId};
use time::OffsetDateTime;

/// A step of a finalised invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvoiceMove {
    Sent,
    Paid,
    /// Withdrawn, with the reason; its usage is unbilled again from that accounting date on.
    Void {
        reason: String,
        day: civil::Date,
    },
}

impl Store {
    /// Moves an invoice from the state in which the caller saw it.
    ///
    /// # Errors
    /// `Conflict` when it is in another state meanwhile; `Data` when the state forbids the step.
    pub async fn invoice_move(
        &self,
        seen: &InvoiceRow,
        step: &InvoiceMove,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run_tx("invoice.status.move", |tx| {
            Box::pin(async move {
                client_lock_in_tx(tx, seen.team, seen.client.as_uuid()).await?;
                status_update_in_tx(tx, seen, step, to_db(at)).await?;
                if let InvoiceMove::Void { day, .. } = step {
                    give_back_in_tx(tx, seen.team, seen.id, seen.client, *day).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The file that was first made of an invoice, where there is one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_pdf(&self, team: TeamId, id: InvoiceId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar!(
            "SELECT content FROM invoice_file WHERE team_id = $1 AND invoice_id = $2 AND kind = 'pdf'",
            team.as_uuid(),
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Keeps a file of a frozen invoice, unless one was kept before.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_pdf_keep(
        &self,
        (team, id): (TeamId, InvoiceId),
        content: &[u8],
        sha256: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO invoice_file (team_id, invoice_id, kind, content, sha256, created_at)
             VALUES ($1, $2, 'pdf', $3, $4, $5)
                 ON CONFLICT DO NOTHING",
            team.as_uuid(),
            id.as_uuid(),
            content,
            sha256,
            to_db(at)
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

async fn status_update_in_tx(
    tx: &mut PgConnection,
    seen: &InvoiceRow,
    step: &InvoiceMove,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let (status, reason) = match step {
        InvoiceMove::Sent => (InvoiceStatus::Sent, None),
        InvoiceMove::Paid => (InvoiceStatus::Paid, None),
        InvoiceMove::Void { reason, .. } => (InvoiceStatus::Void, Some(reason.as_str())),
    };
    let done = sqlx::query!(
        "UPDATE invoice
            SET status = $4,
                sent_at = CASE WHEN $4 = 'sent' THEN $5 ELSE sent_at END,
                paid_at = CASE WHEN $4 = 'paid' THEN $5 ELSE paid_at END,
                voided_at = CASE WHEN $4 = 'void' THEN $5 ELSE voided_at END,
                void_reason = $6
          WHERE team_id = $1 AND id = $2 AND status = $3",
        seen.team.as_uuid(),
        seen.id.as_uuid(),
        seen.status.as_str(),
        status.as_str(),
        at,
        reason
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::conflict(format!("invoice {} is not {} any more", seen.id, seen.status)))
    }
}

/// Writes the usage of a withdrawn invoice back, negated, and reverses its postings.
async fn give_back_in_tx(
    tx: &mut PgConnection,
    team: TeamId,
    id: InvoiceId,
    client: ClientId,
    day: civil::Date,
) -> Result<(), StoreError> {
    let taken = sqlx::query!(
        r#"SELECT currency, sum(cost) AS "cost!: Decimal"
             FROM invoice_usage WHERE team_id = $1 AND invoice_id = $2 GROUP BY currency"#,
        team.as_uuid(),
        id.as_uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO invoice_usage
         SELECT team_id, invoice_id, line, true, client_id, project_id, provider, model, month, currency, -requests,
                -input_tokens, -output_tokens, -cost
           FROM invoice_usage WHERE team_id = $1 AND invoice_id = $2 AND NOT given_back",
        team.as_uuid(),
        id.as_uuid()
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO invoice_evidence
         SELECT team_id, invoice_id, line, true, client_id, project_id, provider, model, month, currency, price_version,
                bucket, unit_price, -quantity, -amount
           FROM invoice_evidence WHERE team_id = $1 AND invoice_id = $2 AND NOT given_back",
        team.as_uuid(),
        id.as_uuid()
    )
    .execute(&mut *tx)
    .await?;
    let turn = Turn { team, invoice: id, client, day };
    for row in taken {
        journal_insert_in_tx(tx, &turn, currency(&row.currency)?, row.cost, true).await?;
    }
    Ok(())
}
