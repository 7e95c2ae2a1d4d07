//! Transactions: named, measured, retried when they collide.
//!
//! `run_tx` begins, runs the body, commits. When the database reports a serialisation failure or a deadlock, from the
//! body or from the commit, the transaction is rolled back and the body runs again, at most
//! [`StoreLimits::tx_attempts`](crate::StoreLimits) times. So a body:
//! - may run twice: it builds its result anew each time and touches nothing outside the transaction;
//! - holds no network call and waits for nothing but the database;
//! - ends every path with `Ok` (commit) or `Err` (roll back). A business refusal is `StoreError::Conflict`, or an
//!   `Ok` value when it should commit.
//!
//! A body is `|tx| Box::pin(async move { .. })`. It may borrow whatever outlives the call; owned values are borrowed
//! first (`let rows = &rows;`), because a body that may run twice cannot give anything away. (An async closure would
//! read better, but today's compiler cannot prove that one which borrows is `Send`.)
//!
//! A connection that breaks is never retried here, because the commit may have happened: the caller reads and decides.

use crate::connect::Store;
use crate::error::StoreError;
use futures_util::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

/// First pause before a collided transaction runs again; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct TxMetrics {
    duration: Histogram<f64>,
    retries: Counter<u64>,
}

impl TxMetrics {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("tallystick.store");
        Self {
            duration: meter
                .f64_histogram("tallystick.store.transaction.duration")
                .with_unit("s")
                .with_description("Time from begin to the end of a transaction, retries included.")
                .with_boundaries(vec![
                    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                ])
                .build(),
            retries: meter
                .u64_counter("tallystick.store.transaction.retries")
                .with_unit("{retry}")
                .with_description("Transactions run again after a serialisation failure or a deadlock.")
                .build(),
        }
    }
}

/// A running transaction: a [`PgConnection`] by dereference. A function that takes `&mut PgConnection` takes `tx`; a
/// statement is executed on `&mut **tx`. `'env` is how long what the body borrows must live.
pub struct Tx<'env> {
    inner: Transaction<'static, Postgres>,
    borrowed: PhantomData<fn(&'env ()) -> &'env ()>,
}

impl Deref for Tx<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

/// What a body returns.
pub type TxFuture<'t, T> = BoxFuture<'t, Result<T, StoreError>>;

/// How a transaction sees the database.
#[derive(Clone, Copy)]
enum Mode {
    /// Each statement sees what was committed before it; may write.
    Write,
    /// All statements see one moment; may not write.
    Snapshot,
}

impl Store {
    /// Runs `body` in one read-committed transaction and commits it. `name` is `table.entity.verb` and becomes a
    /// metric label, so it is a literal. See the module documentation for what a body must observe.
    ///
    /// # Errors
    /// What the body returned, or what the commit met. After `Unavailable` the outcome is unknown.
    pub async fn run_tx<'env, T, F>(&self, name: &'static str, body: F) -> Result<T, StoreError>
    where
        F: for<'t> FnMut(&'t mut Tx<'env>) -> TxFuture<'t, T>,
    {
        self.run(name, Mode::Write, body).await
    }

    /// Runs `body` against one unchanging, read-only view of the database: several reads that must agree.
    ///
    /// # Errors
    /// What the body returned, or a database that is away.
    pub async fn run_snapshot<'env, T, F>(&self, name: &'static str, body: F) -> Result<T, StoreError>
    where
        F: for<'t> FnMut(&'t mut Tx<'env>) -> TxFuture<'t, T>,
    {
        self.run(name, Mode::Snapshot, body).await
    }

    async fn run<'env, T, F>(&self, name: &'static str, mode: Mode, mut body: F) -> Result<T, StoreError>
    where
        F: for<'t> FnMut(&'t mut Tx<'env>) -> TxFuture<'t, T>,
    {
        let started = Instant::now();
        let mut attempt = 1_u32;
        let result = loop {
            let result = self.attempt(mode, &mut body).await;
            match &result {
                Err(StoreError::Contended(source)) if attempt < self.inner.limits.tx_attempts => {
                    tracing::debug!(tx.name = name, tx.attempt = attempt, error = %source, "transaction collided");
                    self.inner.metrics.retries.add(1, &[KeyValue::new("tx.name", name)]);
                    tokio::time::sleep(pause_after(attempt)).await;
                    attempt += 1;
                }
                _ => break result,
            }
        };
        let outcome = result.as_ref().map_or_else(StoreError::kind, |_| "committed");
        let labels = [KeyValue::new("tx.name", name), KeyValue::new("tx.outcome", outcome)];
        self.inner.metrics.duration.record(started.elapsed().as_secs_f64(), &labels);
        result
    }

    async fn attempt<'env, T, F>(&self, mode: Mode, body: &mut F) -> Result<T, StoreError>
    where
        F: for<'t> FnMut(&'t mut Tx<'env>) -> TxFuture<'t, T>,
    {
        let inner = match mode {
            Mode::Write => self.pool.begin().await?,
            Mode::Snapshot => self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        };
        let mut tx = Tx { inner, borrowed: PhantomData };
        match body(&mut tx).await {
            Ok(value) => {
                tx.inner.commit().await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(rollback) = tx.inner.rollback().await {
                    tracing::debug!(error = %rollback, "roll-back failed, the connection is dropped");
                }
                Err(error)
            }
        }
    }

    /// A connection of its own, outside the pool and without its time limits. For migrations.
    pub(crate) async fn connect_unlimited(&self) -> Result<PgConnection, StoreError> {
        Ok(PgConnection::connect_with(&self.inner.unlimited).await?)
    }
}

fn pause_after(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(8))
}

#[cfg(test)]
mod tests;
