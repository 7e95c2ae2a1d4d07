//! The transaction of a batch.

use super::cursor::{Claim, to_db_partition};
use super::{NewDeadLetter, events, progress, rollups};
use crate::{Store, StoreError};
use bytes::Bytes;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashSet};
use tallystick_domain::event::{Event, StreamPosition};
use tallystick_domain::ledger::Fold;
use tallystick_domain::{Currency, EventId};

/// An event with its place in the log and its bytes.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    pub log_offset: u64,
    pub event: Event,
    pub headers: Vec<(String, String)>,
    pub payload: Bytes,
}

/// What one batch of a partition holds: records `[from, to)`, each either an event or a dead letter.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub from: u64,
    pub to: u64,
    pub events: Vec<LoggedEvent>,
    pub dead_letters: Vec<NewDeadLetter>,
    /// Places in their producers' streams of dead letters that still told it.
    pub dead_positions: Vec<StreamPosition>,
    /// Rolling hash after the last record.
    pub rolling_hash: [u8; 32],
    /// All events folded, as if none had been there before: used as it stands when none had.
    pub fold: Fold,
}

/// What a committed batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Events folded.
    pub folded: u32,
    /// Events that had been folded before.
    pub duplicates: u32,
    /// Records put aside.
    pub dead_letters: u32,
}

/// A deliberate mistake, for the tests that prove that such a mistake is noticed. Never set outside them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planted {
    #[default]
    Nothing,
    /// Fold every event, whether it was there before or not.
    FoldBeforeDedupe,
    /// Move the cursor in a transaction of its own, and stop before the fold.
    CursorInAnotherTransaction,
}

impl Store {
    /// Folds a batch and moves the claim's cursor, in one transaction. On success the claim stands after the batch.
    ///
    /// # Errors
    /// `Conflict` when the cursor is not where the claim says (the partition has another owner: claim again); `Data` when
    /// the database refuses an event (bisect the batch to find it); otherwise what the transaction met. After
    /// `Unavailable` read the cursor: it tells whether the batch landed.
    pub async fn ledger_batch_commit(
        &self,
        claim: &mut Claim,
        batch: &Batch,
    ) -> Result<BatchOutcome, StoreError> {
        self.ledger_batch_commit_planted(claim, batch, Planted::Nothing).await
    }

    #[doc(hidden)]
    pub async fn ledger_batch_commit_planted(
        &self,
        claim: &mut Claim,
        batch: &Batch,
        planted: Planted,
    ) -> Result<BatchOutcome, StoreError> {
        let at: &Claim = claim;
        if planted == Planted::CursorInAnotherTransaction {
            self.run_tx("ledger.cursor.advance", |tx| Box::pin(cursor_advance_in_tx(tx, at, batch))).await?;
            return Err(StoreError::conflict("stopped between cursor and fold"));
        }
        let outcome = self
            .run_tx("ledger.batch.commit", |tx| {
                Box::pin(async move {
                    cursor_advance_in_tx(tx, at, batch).await?;
                    batch_write_in_tx(tx, at, batch, planted).await
                })
            })
            .await?;
        claim.next_offset = batch.to;
        claim.rolling_hash = batch.rolling_hash;
        Ok(outcome)
    }
}

async fn cursor_advance_in_tx(tx: &mut PgConnection, claim: &Claim, batch: &Batch) -> Result<(), StoreError> {
    if batch.from != claim.next_offset || batch.to <= batch.from {
        return Err(StoreError::conflict(format!(
            "batch [{}, {}) does not fit the cursor at {} of partition {}",
            batch.from, batch.to, claim.next_offset, claim.partition
        )));
    }
    let moved = sqlx::query!(
        "UPDATE projection_cursor SET next_offset = $5, rolling_hash = $6
          WHERE projection = $1 AND partition = $2 AND epoch = $3 AND next_offset = $4",
        claim.projection,
        to_db_partition(claim.partition)?,
        claim.epoch,
        offset(batch.from)?,
        offset(batch.to)?,
        &batch.rolling_hash[..]
    )
    .execute(tx)
    .await?;
    if moved.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::conflict(format!(
            "partition {} is not ours at offset {} in epoch {} any more",
            claim.partition, claim.next_offset, claim.epoch
        )))
    }
}

async fn batch_write_in_tx(
    tx: &mut PgConnection,
    claim: &Claim,
    batch: &Batch,
    planted: Planted,
) -> Result<BatchOutcome, StoreError> {
    let partition = to_db_partition(claim.partition)?;
    let inserted = events::events_insert_in_tx(tx, partition, &batch.events).await?;
    let mut known = inserted.known;
    known.extend(progress::refusals_insert_in_tx(tx, &batch.events).await?);
    known.extend(progress::heartbeats_known_in_tx(tx, &batch.events).await?);
    let mut dead = inserted.dead;
    dead.extend(batch.dead_letters.iter().cloned());

    let mut passed_over = inserted.stale;
    if planted != Planted::FoldBeforeDedupe {
        passed_over.extend(known.iter().copied());
    }
    let refolded;
    let fold = if passed_over.is_empty() {
        &batch.fold
    } else {
        refolded = fold_anew(batch, &passed_over)?;
        &refolded
    };

    let journal_id = rollups::journal_insert_in_tx(tx, claim, batch, fold).await?;
    rollups::hourly_upsert_in_tx(tx, fold).await?;
    rollups::priced_upsert_in_tx(tx, fold).await?;
    progress::lanes_advance_in_tx(tx, batch, &known).await?;
    progress::heartbeats_upsert_in_tx(tx, &batch.events).await?;
    super::dead_letter::dead_letters_insert_in_tx(tx, claim, &dead).await?;
    let outcome = outcome_of(batch, &known, dead.len());
    batch_insert_in_tx(tx, partition, batch, &outcome, fold, journal_id).await?;
    Ok(outcome)
}

/// Folds what is new. Events that can not be folded were put aside before they came here.
fn fold_anew(batch: &Batch, passed_over: &HashSet<EventId>) -> Result<Fold, StoreError> {
    let mut fold = Fold::default();
    for id in passed_over {
        fold.forget(*id);
    }
    for logged in &batch.events {
        if let Err(error) = fold.apply(&logged.event) {
            return Err(StoreError::conflict(format!(
                "an event of the batch was not checked before: {error}"
            )));
        }
    }
    Ok(fold)
}

fn outcome_of(batch: &Batch, known: &HashSet<EventId>, dead: usize) -> BatchOutcome {
    let mut once = HashSet::new();
    let repeated = |id: EventId| known.contains(&id) || !once.insert(id);
    let duplicates = batch.events.iter().map(|logged| logged.event.id()).filter({
        let mut repeated = repeated;
        move |id| repeated(*id)
    });
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let duplicates = duplicates.count();
    let stale = dead - batch.dead_letters.len();
    BatchOutcome {
        folded: count(batch.events.len() - duplicates - stale),
        duplicates: count(duplicates),
        dead_letters: count(dead),
    }
}

async fn batch_insert_in_tx(
    tx: &mut PgConnection,
    partition: i32,
    batch: &Batch,
    outcome: &BatchOutcome,
    fold: &Fold,
    journal_id: Option<i64>,
) -> Result<(), StoreError> {
    let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for (key, row) in &fold.hourly {
        *sums.entry(key.currency).or_default() += row.cost;
    }
    let sums: BTreeMap<String, Decimal> =
        sums.into_iter().map(|(c, sum)| (c.code().to_owned(), sum)).collect();
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    sqlx::query!(
        "INSERT INTO ledger_batch
           (partition, from_offset, to_offset, records, events, duplicates, dead_letters, sums, rolling_hash, journal_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        partition,
        offset(batch.from)?,
        offset(batch.to)?,
        i32::try_from(batch.to - batch.from).unwrap_or(i32::MAX),
        count(outcome.folded),
        count(outcome.duplicates),
        count(outcome.dead_letters),
        serde_json::to_value(sums).map_err(|e| StoreError::Other(sqlx::Error::Encode(Box::new(e))))?,
        &batch.rolling_hash[..],
        journal_id
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn offset(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::conflict(format!("offset {value} is out of range")))
}
