//! The figures that prove the invoices. Read-only.

use super::row::{InvoiceRow, RawInvoice};
use crate::ledger::Comparison;
use crate::{Store, StoreError};
use tallystick_domain::InvoiceId;

/// What the database can compare by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceFigures {
    pub comparisons: Vec<Comparison>,
}

impl Store {
    /// Numbers without a gap, accounts and usage that agree with the invoices.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_figures(&self) -> Result<InvoiceFigures, StoreError> {
        let pool = &self.pool;
        let mut comparisons = Vec::new();
        macro_rules! compare {
            ($name:literal, $file:literal) => {{
                let row = sqlx::query_file!($file).fetch_one(pool).await?;
                comparisons.push(Comparison {
                    name: $name,
                    checked: row.checked.unsigned_abs(),
                    findings: row.findings,
                });
            }};
        }
        compare!("invoice numbers have no gap", "src/invoice/sql/check_numbers.sql");
        compare!("invoices equal the usage they took", "src/invoice/sql/check_usage.sql");
        compare!("billed accounts equal invoices", "src/invoice/sql/check_accounts.sql");
        Ok(InvoiceFigures { comparisons })
    }

    /// Frozen invoices of every team in the order of their ids, behind `after`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoices_frozen(
        &self,
        after: Option<InvoiceId>,
        limit: i64,
    ) -> Result<Vec<InvoiceRow>, StoreError> {
        let found = sqlx::query_as!(
            RawInvoice,
            "SELECT team_id, id, client_id, period_from, period_to, status, number, currency, total, cost, document, sha256,
                    NULL::bytea AS logo, created_at, issued_at, sent_at, paid_at, voided_at, void_reason
               FROM invoice
              WHERE status <> 'draft' AND ($1::uuid IS NULL OR id > $1)
              ORDER BY id
              LIMIT $2",
            after.map(|id| id.as_uuid()),
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        found.into_iter().map(InvoiceRow::try_from).collect()
    }
}
