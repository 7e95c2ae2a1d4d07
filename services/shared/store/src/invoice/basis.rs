//! What an invoice of a month would bill: the ledger's sums less what earlier invoices took.

use crate::time::{date_from_db, date_to_db};
use crate::{Store, StoreError};
use jiff::civil;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tallystick_domain::period::DayRange;
use tallystick_domain::usage::Bucket;
use tallystick_domain::{ClientId, Currency, PriceVersionId, ProjectId, TeamId};

/// Whose usage of when.
#[derive(Clone, Copy, Debug)]
pub struct BasisQuery {
    pub team: TeamId,
    pub client: ClientId,
    /// A calendar month, billing days in the client's zone.
    pub month: DayRange,
}

/// Usage of a project and model in a month that no invoice bills. Signed: a correction may have taken away what was
/// billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnbilledUsage {
    pub project: Option<ProjectId>,
    /// Name of the project.
    pub project_name: Option<String>,
    pub provider: String,
    pub model: String,
    /// First day of the month in which it was used.
    pub month: civil::Date,
    pub currency: Currency,
    pub requests: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cost: Decimal,
}

/// How the cost of unbilled usage comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnbilledEvidence {
    pub project: Option<ProjectId>,
    pub provider: String,
    pub model: String,
    pub month: civil::Date,
    pub currency: Currency,
    pub price_version: PriceVersionId,
    pub bucket: Bucket,
    pub unit_price: Decimal,
    pub quantity: i64,
    pub amount: Decimal,
}

/// Everything that an invoice is composed from, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceBasis {
    /// Of the month itself, and of earlier months that were invoiced before.
    pub usage: Vec<UnbilledUsage>,
    pub evidence: Vec<UnbilledEvidence>,
    /// Requests of the month without a price.
    pub unrated_requests: i64,
}

impl Store {
    /// What an invoice of this month would bill now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn invoice_basis(&self, query: BasisQuery) -> Result<InvoiceBasis, StoreError> {
        self.run_snapshot("invoice.basis.read", |tx| Box::pin(async move { basis_in_tx(tx, query).await }))
            .await
    }
}

/// How often a torn reading is repeated.
const READINGS: u32 = 5;

/// As [`Store::invoice_basis`], in a caller's transaction whose statements may each see another moment: it is read again
/// until sums and evidence belong together.
pub(super) async fn basis_settled_in_tx(
    tx: &mut PgConnection,
    query: BasisQuery,
) -> Result<InvoiceBasis, StoreError> {
    let mut basis = basis_in_tx(tx, query).await?;
    for _ in 1..READINGS {
        if basis.cost() == basis.explained() {
            break;
        }
        basis = basis_in_tx(tx, query).await?;
    }
    Ok(basis)
}

impl InvoiceBasis {
    /// Exact cost of all usage.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        self.usage.iter().map(|usage| usage.cost).sum()
    }

    fn explained(&self) -> Decimal {
        self.evidence.iter().map(|row| row.amount).sum()
    }
}

async fn basis_in_tx(tx: &mut PgConnection, query: BasisQuery) -> Result<InvoiceBasis, StoreError> {
    let usage = usage_in_tx(tx, query).await?;
    let evidence = evidence_in_tx(tx, query).await?;
    let unrated_requests = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(unrated), 0)::bigint AS "unrated!"
             FROM usage_hourly
            WHERE team_id = $1 AND client_id = $2 AND client_day >= $3 AND client_day < $4"#,
        query.team.as_uuid(),
        query.client.as_uuid(),
        date_to_db(query.month.from),
        date_to_db(query.month.to)
    )
    .fetch_one(tx)
    .await?;
    Ok(InvoiceBasis { usage, evidence, unrated_requests })
}

async fn usage_in_tx(tx: &mut PgConnection, query: BasisQuery) -> Result<Vec<UnbilledUsage>, StoreError> {
    let rows = sqlx::query_file!(
        "src/invoice/sql/unbilled_usage.sql",
        query.team.as_uuid(),
        query.client.as_uuid(),
        date_to_db(query.month.from),
        date_to_db(query.month.to)
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(UnbilledUsage {
                project: row.project_id.map(ProjectId::from_uuid),
                project_name: row.project,
                provider: row.provider,
                model: row.model,
                month: date_from_db(row.month),
                currency: currency(&row.currency)?,
                requests: row.requests,
                input_tokens: row.input_tokens,
                output_tokens: row.output_tokens,
                cost: row.cost.normalize(),
            })
        })
        .collect()
}

async fn evidence_in_tx(
    tx: &mut PgConnection,
    query: BasisQuery,
) -> Result<Vec<UnbilledEvidence>, StoreError> {
    let rows = sqlx::query_file!(
        "src/invoice/sql/unbilled_evidence.sql",
        query.team.as_uuid(),
        query.client.as_uuid(),
        date_to_db(query.month.from),
        date_to_db(query.month.to)
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let bucket = Bucket::from_name(&row.bucket).ok_or_else(|| {
                StoreError::conflict(format!("bucket '{}' is not known to this program", row.bucket))
            })?;
            Ok(UnbilledEvidence {
                project: row.project_id.map(ProjectId::from_uuid),
                provider: row.provider,
                model: row.model,
                month: date_from_db(row.month),
                currency: currency(&row.currency)?,
                price_version: PriceVersionId::from_uuid(row.price_version),
                bucket,
                unit_price: row.unit_price.normalize(),
                quantity: row.quantity,
                amount: row.amount.normalize(),
            })
        })
        .collect()
}

pub(super) fn currency(code: &str) -> Result<Currency, StoreError> {
    Currency::parse(code).map_err(|error| StoreError::conflict(error.to_string()))
}
