//! The transaction that gives a draft its number and freezes it.

use super::basis::{BasisQuery, InvoiceBasis, UnbilledEvidence, UnbilledUsage, basis_settled_in_tx};
use super::journal::{Turn, journal_insert_in_tx};
use super::row::InvoiceRow;
use crate::time::{date_from_db, date_to_db, to_db};
use crate::{Store, StoreError};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tallystick_domain::invoice::InvoiceStatus;
use tallystick_domain::period::DayRange;
use tallystick_domain::{ClientId, Currency, InvoiceId, TeamId};
use time::Date;
use uuid::Uuid;

/// What the document is composed from, under the lock.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Place in the series, from 1.
    pub seq: u64,
    /// What the invoice bills.
    pub basis: InvoiceBasis,
}

/// The frozen document.
#[derive(Clone, Debug)]
pub struct Finalization {
    pub number: String,
    /// JSON, kept byte by byte.
    pub document: String,
    /// Hex, over the canonical form.
    pub sha256: String,
    pub currency: Currency,
    pub total: Decimal,
    pub logo: Option<Vec<u8>>,
}

/// Which draft, in which series, when.
#[derive(Clone, Debug)]
struct Target<'a> {
    team: TeamId,
    id: InvoiceId,
    series: &'a str,
    at: Timestamp,
    day: civil::Date,
}

struct Draft {
    client: ClientId,
    period: DayRange,
}

impl Store {
    /// Finalises a draft; `None` when the team has no such invoice. `series` is whose counter gives the number, `day` the
    /// accounting date. `compose` may run more than once; its refusal rolls everything back, the number included.
    ///
    /// # Errors
    /// What `compose` refuses with; `Conflict` when the invoice is no draft; `Data` with constraint
    /// `invoice_one_in_force` when the client's month was invoiced meanwhile.
    pub async fn invoice_finalize<F>(
        &self,
        (team, id): (TeamId, InvoiceId),
        series: &str,
        at: Timestamp,
        day: civil::Date,
        compose: F,
    ) -> Result<Option<InvoiceRow>, StoreError>
    where
        F: Fn(&Numbered) -> Result<Finalization, StoreError> + Send + Sync,
    {
        let (compose, target) = (&compose, &Target { team, id, series, at, day });
        let done = self
            .run_tx("invoice.document.finalize", |tx| {
                Box::pin(async move {
                    let Some(draft) = draft_lock_in_tx(tx, target).await? else { return Ok(false) };
                    let seq = seq_next_in_tx(tx, target).await?;
                    let query = BasisQuery { team: target.team, client: draft.client, month: draft.period };
                    let basis = basis_settled_in_tx(tx, query).await?;
                    let numbered = Numbered { seq, basis };
                    let frozen = compose(&numbered)?;
                    freeze_in_tx(tx, target, &numbered, &frozen).await?;
                    usage_insert_in_tx(tx, target, draft.client, &numbered.basis.usage).await?;
                    evidence_insert_in_tx(tx, target, draft.client, &numbered.basis.evidence).await?;
                    let turn =
                        Turn { team: target.team, invoice: target.id, client: draft.client, day: target.day };
                    if let Some(first) = numbered.basis.usage.first() {
                        journal_insert_in_tx(tx, &turn, first.currency, numbered.basis.cost(), false).await?;
                    }
                    Ok(true)
                })
            })
            .await?;
        if done { self.invoice_find(team, &id.to_string()).await } else { Ok(None) }
    }
}

/// Locks client and draft, in this order.
async fn draft_lock_in_tx(tx: &mut PgConnection, target: &Target<'_>) -> Result<Option<Draft>, StoreError> {
    let (team, id) = (target.team.as_uuid(), target.id.as_uuid());
    let row = sqlx::query!("SELECT client_id FROM invoice WHERE team_id = $1 AND id = $2", team, id)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    client_lock_in_tx(tx, target.team, row.client_id).await?;
    let draft = sqlx::query!(
        "SELECT client_id, period_from, period_to, status FROM invoice WHERE team_id = $1 AND id = $2 FOR UPDATE",
        team,
        id
    )
    .fetch_optional(tx)
    .await?;
    let Some(draft) = draft else { return Ok(None) };
    if draft.status != InvoiceStatus::Draft.as_str() {
        return Err(StoreError::conflict(format!("invoice {} is {} already", target.id, draft.status)));
    }
    let period = DayRange { from: date_from_db(draft.period_from), to: date_from_db(draft.period_to) };
    Ok(Some(Draft { client: ClientId::from_uuid(draft.client_id), period }))
}

/// Makes every other change to what this client was billed wait.
pub(super) async fn client_lock_in_tx(
    tx: &mut PgConnection,
    team: TeamId,
    client: Uuid,
) -> Result<(), StoreError> {
    sqlx::query!(
        "SELECT id FROM client WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE",
        team.as_uuid(),
        client
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

async fn seq_next_in_tx(tx: &mut PgConnection, target: &Target<'_>) -> Result<u64, StoreError> {
    let last = sqlx::query_scalar!(
        "INSERT INTO invoice_series AS s (team_id, series, last) VALUES ($1, $2, 1)
             ON CONFLICT (team_id, series) DO UPDATE SET last = s.last + 1
         RETURNING last",
        target.team.as_uuid(),
        target.series
    )
    .fetch_one(tx)
    .await?;
    Ok(last.unsigned_abs())
}

async fn freeze_in_tx(
    tx: &mut PgConnection,
    target: &Target<'_>,
    numbered: &Numbered,
    frozen: &Finalization,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE invoice
            SET status = 'finalized', series = $3, seq = $4, number = $5, currency = $6, total = $7, cost = $8,
                document = $9, sha256 = $10, logo = $11, issued_at = $12
          WHERE team_id = $1 AND id = $2 AND status = 'draft'",
        target.team.as_uuid(),
        target.id.as_uuid(),
        target.series,
        i64::try_from(numbered.seq).unwrap_or(i64::MAX),
        frozen.number,
        frozen.currency.code(),
        frozen.total,
        numbered.basis.cost(),
        frozen.document,
        frozen.sha256,
        frozen.logo,
        to_db(target.at)
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::conflict(format!("invoice {} is no draft any more", target.id)))
    }
}

async fn usage_insert_in_tx(
    tx: &mut PgConnection,
    target: &Target<'_>,
    client: ClientId,
    usage: &[UnbilledUsage],
) -> Result<(), StoreError> {
    let line: Vec<i32> = (1..).take(usage.len()).collect();
    let project: Vec<Option<Uuid>> = usage.iter().map(|u| u.project.map(|id| id.as_uuid())).collect();
    let provider: Vec<String> = usage.iter().map(|u| u.provider.clone()).collect();
    let model: Vec<String> = usage.iter().map(|u| u.model.clone()).collect();
    let month: Vec<Date> = usage.iter().map(|u| date_to_db(u.month)).collect();
    let currency: Vec<String> = usage.iter().map(|u| u.currency.code().to_owned()).collect();
    let requests: Vec<i64> = usage.iter().map(|u| u.requests).collect();
    let input: Vec<i64> = usage.iter().map(|u| u.input_tokens).collect();
    let output: Vec<i64> = usage.iter().map(|u| u.output_tokens).collect();
    let cost: Vec<Decimal> = usage.iter().map(|u| u.cost).collect();
    sqlx::query!(
        "INSERT INTO invoice_usage (team_id, invoice_id, client_id, given_back, line, project_id, provider, model, month,
                                    currency, requests, input_tokens, output_tokens, cost)
         SELECT $1, $2, $3, false, *
           FROM UNNEST($4::integer[], $5::uuid[], $6::text[], $7::text[], $8::date[], $9::text[], $10::bigint[],
                       $11::bigint[], $12::bigint[], $13::numeric[])",
        target.team.as_uuid(),
        target.id.as_uuid(),
        client.as_uuid(),
        &line,
        &project as &[Option<Uuid>],
        &provider,
        &model,
        &month,
        &currency,
        &requests,
        &input,
        &output,
        &cost
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn evidence_insert_in_tx(
    tx: &mut PgConnection,
    target: &Target<'_>,
    client: ClientId,
    evidence: &[UnbilledEvidence],
) -> Result<(), StoreError> {
    let line: Vec<i32> = (1..).take(evidence.len()).collect();
    let project: Vec<Option<Uuid>> = evidence.iter().map(|e| e.project.map(|id| id.as_uuid())).collect();
    let provider: Vec<String> = evidence.iter().map(|e| e.provider.clone()).collect();
    let model: Vec<String> = evidence.iter().map(|e| e.model.clone()).collect();
    let month: Vec<Date> = evidence.iter().map(|e| date_to_db(e.month)).collect();
    let currency: Vec<String> = evidence.iter().map(|e| e.currency.code().to_owned()).collect();
    let version: Vec<Uuid> = evidence.iter().map(|e| e.price_version.as_uuid()).collect();
    let bucket: Vec<String> = evidence.iter().map(|e| e.bucket.name().to_owned()).collect();
    let price: Vec<Decimal> = evidence.iter().map(|e| e.unit_price).collect();
    let quantity: Vec<i64> = evidence.iter().map(|e| e.quantity).collect();
    let amount: Vec<Decimal> = evidence.iter().map(|e| e.amount).collect();
    sqlx::query!(
        "INSERT INTO invoice_evidence (team_id, invoice_id, client_id, given_back, line, project_id, provider, model,
                                       month, currency, price_version, bucket, unit_price, quantity, amount)
         SELECT $1, $2, $3, false, *
           FROM UNNEST($4::integer[], $5::uuid[], $6::text[], $7::text[], $8::date[], $9::text[], $10::uuid[],
                       $11::text[], $12::numeric[], $13::bigint[], $14::numeric[])",
        target.team.as_uuid(),
        target.id.as_uuid(),
        client.as_uuid(),
        &line,
        &project as &[Option<Uuid>],
        &provider,
        &model,
        &month,
        &currency,
        &version,
        &bucket,
        &price,
        &quantity,
        &amount
    )
    .execute(tx)
    .await?;
    Ok(())
}
