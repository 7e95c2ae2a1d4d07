//! The loop of one partition.

use crate::config::ProjectorConfig;
use crate::metrics::Metrics;
use crate::prepare::{MustStop, prepare, refused};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tallystick_eventlog::{EventLog, LogError, LogRecord, ReadLimit};
use tallystick_runtime::{Shutdown, Tasks, error_chain, telemetry};
use tallystick_store::ledger::{Batch, Claim};
use tallystick_store::{Store, StoreError};
use tracing::{debug, error, info, warn};
use uuid::Uuid;

/// The name of the ledger's projection in the cursor table.
pub const PROJECTION: &str = "ledger";

/// Pause before a partition is claimed again; doubles while it keeps failing.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Why a partition stopped. The process goes on; the partition is tried again after a pause.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// A record is newer than this program. Upgrade it.
    #[error("partition {partition} stopped at record {offset}")]
    TooOld {
        partition: u32,
        offset: u64,
        #[source]
        source: tallystick_schemas::DecodeError,
    },
    /// The database failed, or refused what can not be put aside.
    #[error("partition {partition} could not be folded")]
    Store {
        partition: u32,
        #[source]
        source: StoreError,
    },
    /// The log failed.
    #[error("partition {partition} could not be read")]
    Log {
        partition: u32,
        #[source]
        source: LogError,
    },
    /// The log gave other offsets than were asked for: it was recreated or cut. Nothing is skipped.
    #[error("partition {partition} answered offset {got} where {wanted} was asked for")]
    Hole { partition: u32, wanted: u64, got: u64 },
}

/// Projects every partition of a log into the ledger.
#[derive(Clone)]
pub struct Projector {
    store: Store,
    log: Arc<dyn EventLog>,
    config: ProjectorConfig,
    owner: Uuid,
    metrics: Metrics,
}

impl Projector {
    /// A projector with an identity of its own (any fresh UUID).
    #[must_use]
    pub fn new(store: Store, log: Arc<dyn EventLog>, config: ProjectorConfig, owner: Uuid) -> Self {
        Self { store, log, config, owner, metrics: Metrics::new() }
    }

    /// Starts one tracked task per partition; they end when the process drains.
    pub fn start(&self, tasks: &Tasks) {
        for partition in 0..self.log.partitions() {
            let (projector, shutdown) = (self.clone(), tasks.shutdown_signal().clone());
            tasks.spawn(
                format!("projector-{partition}"),
                async move { projector.run(partition, shutdown).await },
            );
        }
    }

    async fn run(&self, partition: u32, shutdown: Shutdown) {
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_draining() {
            match self.own(partition, &shutdown).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(stopped) => {
                    error!(log.partition = partition, error = %error_chain(&stopped), "partition stopped, it is tried again");
                    pause = (pause * 2).min(self.config.retry_max);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.draining() => {}
            }
        }
    }

    /// Folds everything that is in the log now, then returns how many records that were. For tests and benchmarks.
    ///
    /// # Errors
    /// When the partition stops before its end.
    pub async fn catch_up(&self, partition: u32) -> Result<u64, PartitionError> {
        let Some(mut claim) = self.claim(partition).await? else { return Ok(0) };
        let from = claim.next_offset;
        let mut next = self.next_batch(&claim, claim.next_offset, claim.rolling_hash).await?;
        while let Some(batch) = next {
            next = self.commit_and_read_on(&mut claim, &batch).await?;
        }
        self.release(&claim).await;
        Ok(claim.next_offset - from)
    }

    /// Holds a partition until the process drains, somebody else takes it, or it stops.
    async fn own(&self, partition: u32, shutdown: &Shutdown) -> Result<(), PartitionError> {
        let Some(mut claim) = self.claim(partition).await? else { return Ok(()) };
        info!(
            log.partition = partition,
            log.offset = claim.next_offset,
            claim.epoch = claim.epoch,
            "partition claimed"
        );
        let mut next: Option<Batch> = None;
        let result = loop {
            match next.take() {
                Some(batch) => next = self.commit_and_read_on(&mut claim, &batch).await?,
                None if shutdown.is_draining() => break Ok(()),
                None => {
                    next = self.next_batch(&claim, claim.next_offset, claim.rolling_hash).await?;
                    if next.is_none() && !self.wait_for_more(&claim, shutdown).await? {
                        break Ok(());
                    }
                }
            }
        };
        self.release(&claim).await;
        result
    }

    async fn claim(&self, partition: u32) -> Result<Option<Claim>, PartitionError> {
        let claim = self.store.cursor_claim(PROJECTION, partition, self.owner, self.config.lease).await;
        claim.map_err(|source| PartitionError::Store { partition, source })
    }

    async fn release(&self, claim: &Claim) {
        if let Err(failed) = self.store.cursor_release(claim).await {
            debug!(log.partition = claim.partition, error = %failed, "cursor not released, its lease runs out");
        }
    }

    /// Waits for new records, lets a trickle gather, and keeps the lease alive. `false` when the partition is not ours.
    async fn wait_for_more(&self, claim: &Claim, shutdown: &Shutdown) -> Result<bool, PartitionError> {
        let partition = claim.partition;
        let came = tokio::select! {
            came = self.log.wait(partition, claim.next_offset, self.config.idle_wait) => came,
            () = shutdown.draining() => Ok(false),
        };
        if came.map_err(|source| PartitionError::Log { partition, source })? && !shutdown.is_draining() {
            tokio::select! {
                () = tokio::time::sleep(self.config.linger) => {}
                () = shutdown.draining() => {}
            }
        }
        let renewed = self.store.cursor_renew(claim, self.config.lease).await;
        renewed.map_err(|source| PartitionError::Store { partition, source })
    }

    /// Commits one batch while the next is read and prepared.
    async fn commit_and_read_on(
        &self,
        claim: &mut Claim,
        batch: &Batch,
    ) -> Result<Option<Batch>, PartitionError> {
        let reader = claim.clone();
        let following = self.next_batch(&reader, batch.to, batch.rolling_hash);
        let (committed, next) = tokio::join!(self.commit(claim, batch), following);
        committed?;
        next
    }

    async fn next_batch(
        &self,
        claim: &Claim,
        from: u64,
        hash: [u8; 32],
    ) -> Result<Option<Batch>, PartitionError> {
        let partition = claim.partition;
        let records = self.read(partition, from).await?;
        if records.is_empty() {
            self.metrics.lag(partition, 0);
            return Ok(None);
        }
        let end = self
            .log
            .end_offset(partition)
            .await
            .map_err(|source| PartitionError::Log { partition, source })?;
        self.metrics.lag(partition, end.saturating_sub(from));
        let prepared = tokio::task::spawn_blocking(move || prepare(from, hash, records)).await;
        let prepared = prepared.expect("preparing a batch does not panic: it is pure and total");
        prepared.map(Some).map_err(|MustStop { partition, offset, source }| PartitionError::TooOld {
            partition,
            offset,
            source,
        })
    }

    /// One batch of records, the first at `from`; none at the end of the log.
    async fn read(&self, partition: u32, from: u64) -> Result<Vec<LogRecord>, PartitionError> {
        let limit = ReadLimit { records: self.config.batch_records, bytes: self.config.batch_bytes };
        let records = self.log.read(partition, from, limit).await;
        let records = records.map_err(|source| PartitionError::Log { partition, source })?;
        match records.first() {
            Some(first) if first.offset != from => {
                Err(PartitionError::Hole { partition, wanted: from, got: first.offset })
            }
            _ => Ok(records),
        }
    }

    async fn commit(&self, claim: &mut Claim, batch: &Batch) -> Result<(), PartitionError> {
        let started = Instant::now();
        match self.store.ledger_batch_commit(claim, batch).await {
            Ok(outcome) => {
                self.metrics.committed(claim.partition, &outcome, started.elapsed());
                if outcome.dead_letters > 0 {
                    warn!(
                        log.partition = claim.partition,
                        count = outcome.dead_letters,
                        "records went to the dead letters"
                    );
                }
                trace_folded(batch);
                Ok(())
            }
            Err(StoreError::Data { .. }) if batch.to > batch.from => {
                let mut records = self.read(claim.partition, batch.from).await?;
                records.retain(|record| record.offset < batch.to);
                self.bisect(claim, &records).await
            }
            Err(source) => Err(PartitionError::Store { partition: claim.partition, source }),
        }
    }

    /// Halves a batch that the database refuses until the one record is found; puts it aside and goes on. Cost: about two
    /// transactions per halving, so 2 log2(n) for one bad record in n.
    async fn bisect(&self, claim: &mut Claim, records: &[LogRecord]) -> Result<(), PartitionError> {
        let partition = claim.partition;
        let failed = |source| PartitionError::Store { partition, source };
        let mut pending: Vec<&[LogRecord]> = vec![records];
        while let Some(part) = pending.pop() {
            let Some(first) = part.first() else { continue };
            let batch = match prepare(first.offset, claim.rolling_hash, part.to_vec()) {
                Ok(batch) => batch,
                // A record from a newer program: what precedes it is committed, the loop stops at it the next time.
                Err(_) => return Ok(()),
            };
            match self.store.ledger_batch_commit(claim, &batch).await {
                Ok(_) => {}
                Err(error @ StoreError::Data { .. }) => match part {
                    [single] => {
                        let aside = refused(single, claim.rolling_hash, error_chain(&error));
                        self.store.ledger_batch_commit(claim, &aside).await.map_err(failed)?;
                        warn!(
                            log.partition = partition,
                            log.offset = single.offset,
                            "record refused by the database, put aside"
                        );
                    }
                    _ => {
                        let (front, back) = part.split_at(part.len() / 2);
                        pending.push(back);
                        pending.push(front);
                    }
                },
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(())
    }
}

/// Ends each sampled request's trace in its ledger row: one span per event, child of the request's.
fn trace_folded(batch: &Batch) {
    for logged in &batch.events {
        let Some(traceparent) = tallystick_schemas::header(&logged.headers, "traceparent") else { continue };
        if traceparent.ends_with("-01") {
            let span = tracing::info_span!(
                "projector.event.fold",
                event.id = %logged.event.id(),
                log.offset = logged.log_offset,
            );
            telemetry::set_remote_parent(&span, Some(traceparent), None);
            span.in_scope(|| debug!("event folded"));
        }
    }
}
