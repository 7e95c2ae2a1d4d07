//! The journal of a batch and the rollups, one statement per table.

use super::batch::Batch;
use super::cursor::Claim;
use crate::StoreError;
use crate::time::{date_to_db, to_db};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tallystick_domain::ledger::{Fold, HourlyKey, HourlySums, PricedKey};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Writes the batch's journal; `None` when nothing costs anything.
pub(super) async fn journal_insert_in_tx(
    tx: &mut PgConnection,
    claim: &Claim,
    batch: &Batch,
    fold: &Fold,
) -> Result<Option<i64>, StoreError> {
    let mut lines: Vec<_> = fold.postings.iter().filter(|(_, amount)| !amount.is_zero()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    lines.sort_by_key(|(key, _)| *key);
    let reference = format!("{}/{}/{}", claim.projection, claim.partition, batch.from);
    let journal_id = sqlx::query_scalar!(
        "INSERT INTO journal (kind, reference) VALUES ('usage', $1) RETURNING journal_id",
        reference
    )
    .fetch_one(&mut *tx)
    .await?;
    let text = |value: &str| value.to_owned();
    let number: Vec<i32> = (1..).take(lines.len()).collect();
    let team: Vec<Uuid> = lines.iter().map(|(k, _)| k.team.as_uuid()).collect();
    let lane: Vec<i16> = lines.iter().map(|(k, _)| i16::from(k.lane.get())).collect();
    let book: Vec<String> = lines.iter().map(|(k, _)| text(k.book.name())).collect();
    let kind: Vec<String> = lines.iter().map(|(k, _)| text(k.account.kind())).collect();
    let account: Vec<String> = lines.iter().map(|(k, _)| k.account.name()).collect();
    let currency: Vec<String> = lines.iter().map(|(k, _)| text(k.currency.code())).collect();
    let day: Vec<Date> = lines.iter().map(|(k, _)| date_to_db(k.day)).collect();
    let amount: Vec<Decimal> = lines.iter().map(|(_, amount)| **amount).collect();
    sqlx::query_file!(
        "src/ledger/sql/postings_insert.sql",
        journal_id,
        &number,
        &team,
        &lane,
        &book,
        &kind,
        &account,
        &currency,
        &day,
        &amount
    )
    .execute(tx)
    .await?;
    Ok(Some(journal_id))
}

#[derive(Default)]
struct Hourly {
    lane: Vec<i16>,
    row_id: Vec<Uuid>,
    team: Vec<Uuid>,
    hour: Vec<OffsetDateTime>,
    team_day: Vec<Date>,
    client_day: Vec<Date>,
    key: Vec<Option<Uuid>>,
    member: Vec<Option<Uuid>>,
    project: Vec<Option<Uuid>>,
    client: Vec<Option<Uuid>>,
    environment: Vec<Option<String>>,
    tool: Vec<Option<String>>,
    provider: Vec<String>,
    model: Vec<String>,
    currency: Vec<String>,
    /// requests, failed, retries, estimated, unrated, input, output, cache read
    counts: [Vec<i64>; 8],
    /// cost, failed, retry, estimated
    costs: [Vec<Decimal>; 4],
}

impl Hourly {
    fn push(&mut self, row_id: Uuid, key: &HourlyKey, sums: &HourlySums) {
        self.lane.push(i16::from(key.lane.get()));
        self.row_id.push(row_id);
        self.team.push(key.team.as_uuid());
        self.hour.push(to_db(key.hour));
        self.team_day.push(date_to_db(key.team_day));
        self.client_day.push(date_to_db(key.client_day));
        self.key.push(key.key.map(|id| id.as_uuid()));
        self.member.push(key.member.map(|id| id.as_uuid()));
        self.project.push(key.project.map(|id| id.as_uuid()));
        self.client.push(key.client.map(|id| id.as_uuid()));
        self.environment.push(key.environment.clone());
        self.tool.push(key.tool.clone());
        self.provider.push(key.provider.clone());
        self.model.push(key.model.clone());
        self.currency.push(key.currency.code().to_owned());
        let counts = [
            sums.requests,
            sums.failed,
            sums.retries,
            sums.estimated,
            sums.unrated,
            sums.input_tokens,
            sums.output_tokens,
            sums.cache_read_tokens,
        ];
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.push(count));
        let costs = [sums.cost, sums.failed_cost, sums.retry_cost, sums.estimated_cost];
        self.costs.iter_mut().zip(costs).for_each(|(column, cost)| column.push(cost));
    }
}

pub(super) async fn hourly_upsert_in_tx(tx: &mut PgConnection, fold: &Fold) -> Result<(), StoreError> {
    let mut rows: Vec<_> =
        fold.hourly.iter().map(|(key, sums)| (key.lane, hourly_row_id(key), key, sums)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(lane, row_id, ..)| (*lane, *row_id));
    let mut c = Hourly::default();
    for (_, row_id, key, sums) in rows {
        c.push(row_id, key, sums);
    }
    let ([n0, n1, n2, n3, n4, n5, n6, n7], [a0, a1, a2, a3]) = (&c.counts, &c.costs);
    sqlx::query_file!(
        "src/ledger/sql/hourly_upsert.sql",
        &c.lane,
        &c.row_id,
        &c.team,
        &c.hour,
        &c.team_day,
        &c.client_day,
        &c.key as &[Option<Uuid>],
        &c.member as &[Option<Uuid>],
        &c.project as &[Option<Uuid>],
        &c.client as &[Option<Uuid>],
        &c.environment as &[Option<String>],
        &c.tool as &[Option<String>],
        &c.provider,
        &c.model,
        &c.currency,
        n0,
        n1,
        n2,
        n3,
        n4,
        n5,
        n6,
        n7,
        a0,
        a1,
        a2,
        a3
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn priced_upsert_in_tx(tx: &mut PgConnection, fold: &Fold) -> Result<(), StoreError> {
    let mut rows: Vec<_> =
        fold.priced.iter().map(|(key, sums)| (key.lane.get(), priced_row_id(key), key, sums)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(lane, row_id, ..)| (*lane, *row_id));
    let lane: Vec<i16> = rows.iter().map(|(lane, ..)| i16::from(*lane)).collect();
    let row_id: Vec<Uuid> = rows.iter().map(|(_, id, ..)| *id).collect();
    let team: Vec<Uuid> = rows.iter().map(|(.., k, _)| k.team.as_uuid()).collect();
    let day: Vec<Date> = rows.iter().map(|(.., k, _)| date_to_db(k.client_day)).collect();
    let client: Vec<Option<Uuid>> = rows.iter().map(|(.., k, _)| k.client.map(|id| id.as_uuid())).collect();
    let project: Vec<Option<Uuid>> = rows.iter().map(|(.., k, _)| k.project.map(|id| id.as_uuid())).collect();
    let provider: Vec<String> = rows.iter().map(|(.., k, _)| k.provider.clone()).collect();
    let model: Vec<String> = rows.iter().map(|(.., k, _)| k.model.clone()).collect();
    let version: Vec<Uuid> = rows.iter().map(|(.., k, _)| k.price_version.as_uuid()).collect();
    let bucket: Vec<String> = rows.iter().map(|(.., k, _)| k.bucket.name().to_owned()).collect();
    let unit_price: Vec<Decimal> = rows.iter().map(|(.., k, _)| k.unit_price).collect();
    let currency: Vec<String> = rows.iter().map(|(.., k, _)| k.currency.code().to_owned()).collect();
    let quantity: Vec<i64> = rows.iter().map(|(.., sums)| sums.quantity).collect();
    let amount: Vec<Decimal> = rows.iter().map(|(.., sums)| sums.amount).collect();
    sqlx::query_file!(
        "src/ledger/sql/priced_upsert.sql",
        &lane,
        &row_id,
        &team,
        &day,
        &client as &[Option<Uuid>],
        &project as &[Option<Uuid>],
        &provider,
        &model,
        &version,
        &bucket,
        &unit_price,
        &currency,
        &quantity,
        &amount
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Hours since 1970 in front, so that rows of one time lie together, then a hash over every dimension.
pub(super) fn hourly_row_id(key: &HourlyKey) -> Uuid {
    let hours = u32::try_from(key.hour.as_second().div_euclid(3600)).unwrap_or(0);
    let mut hash = RowHash::default();
    for id in [
        Some(key.team.as_uuid()),
        key.key.map(|id| id.as_uuid()),
        key.member.map(|id| id.as_uuid()),
        key.project.map(|id| id.as_uuid()),
        key.client.map(|id| id.as_uuid()),
    ] {
        hash.part(id.as_ref().map(|id| &id.as_bytes()[..]));
    }
    hash.part(Some(key.team_day.to_string().as_bytes()));
    hash.part(Some(key.client_day.to_string().as_bytes()));
    hash.part(key.environment.as_deref().map(str::as_bytes));
    hash.part(key.tool.as_deref().map(str::as_bytes));
    hash.part(Some(key.provider.as_bytes()));
    hash.part(Some(key.model.as_bytes()));
    hash.part(Some(key.currency.code().as_bytes()));
    hash.finish(hours)
}

/// Days since 1970 in front, then a hash over every dimension.
fn priced_row_id(key: &PricedKey) -> Uuid {
    let days = date_to_db(key.client_day).to_julian_day().unsigned_abs();
    let mut hash = RowHash::default();
    hash.part(Some(key.team.as_uuid().as_bytes()));
    hash.part(key.client.map(|id| id.as_uuid()).as_ref().map(|id| &id.as_bytes()[..]));
    hash.part(key.project.map(|id| id.as_uuid()).as_ref().map(|id| &id.as_bytes()[..]));
    hash.part(Some(key.provider.as_bytes()));
    hash.part(Some(key.model.as_bytes()));
    hash.part(Some(key.price_version.as_uuid().as_bytes()));
    hash.part(Some(key.bucket.name().as_bytes()));
    hash.part(Some(key.unit_price.normalize().to_string().as_bytes()));
    hash.part(Some(key.currency.code().as_bytes()));
    hash.finish(days)
}

/// SHA-256 over parts that are told apart by presence and length.
#[derive(Default)]
struct RowHash(Sha256);

impl RowHash {
    fn part(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.update([0]),
            Some(bytes) => {
                self.0.update([1]);
                self.0.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                self.0.update(bytes);
            }
        }
    }

    fn finish(self, front: u32) -> Uuid {
        let mut bytes = [0_u8; 16];
        bytes[..4].copy_from_slice(&front.to_be_bytes());
        bytes[4..].copy_from_slice(&self.0.finalize()[..12]);
        Uuid::from_bytes(bytes)
    }
}
