//! The shipper: one task, one batch at a time.

use crate::call::from_us;
use crate::core::Core;
use crate::spool::{ShipBatch, ShipReader, Shippable, SpoolError};
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::event::StreamPosition;
use tallystick_eventlog::{EventLog, LogError, Record};
use tallystick_runtime::error_chain;
use tallystick_schemas::spooled;

/// The first pause after a failed append.
const RETRY_FIRST: Duration = Duration::from_millis(100);

/// Ships until the spool is closed and everything durable is in the log.
///
/// # Errors
/// When the spool is poisoned or its files are corrupt.
pub(crate) async fn run(
    core: Arc<Core>,
    mut reader: ShipReader,
    log: Arc<dyn EventLog>,
) -> Result<(), SpoolError> {
    loop {
        let batch = match next(&core, &mut reader).await {
            Ok(batch) => batch,
            Err(SpoolError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        };
        let records: Vec<Record> = batch.entries.iter().map(record).collect();
        append(&core, log.as_ref(), &records).await;
        reader.ack(batch.end);
        core.metrics.shipped(records.len());
    }
}

/// The next batch; one that is not full waits a moment for more.
async fn next(core: &Core, reader: &mut ShipReader) -> Result<ShipBatch, SpoolError> {
    let config = &core.config.ship;
    let mut batch = reader.next(config.batch_records, config.batch_bytes).await?;
    let bytes: usize = batch.entries.iter().map(|entry| entry.payload.len()).sum();
    let room = config.batch_records.saturating_sub(batch.entries.len());
    if room > 0 && bytes < config.batch_bytes && !config.linger.is_zero() && !core.is_closed() {
        tokio::time::sleep(config.linger).await;
        if let Some(more) = reader.try_next(room, config.batch_bytes - bytes)? {
            batch.entries.extend(more.entries);
            batch.end = more.end;
        }
    }
    Ok(batch)
}

/// Appends until the log has it. A batch that is too large for the log goes in halves.
async fn append(core: &Core, log: &dyn EventLog, records: &[Record]) {
    let mut waiting = vec![records];
    let mut pause = RETRY_FIRST;
    while let Some(part) = waiting.pop() {
        match log.append(part).await {
            Ok(()) => pause = RETRY_FIRST,
            Err(LogError::TooLarge { .. }) if part.len() > 1 => {
                let (front, back) = part.split_at(part.len() / 2);
                waiting.extend([back, front]);
            }
            Err(error) => {
                core.metrics.ship_failed();
                tracing::warn!(
                    error.message = %error_chain(&error), log.records = part.len(),
                    "the log did not take a batch, sending it again"
                );
                waiting.push(part);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(core.config.ship.retry_max.max(RETRY_FIRST));
            }
        }
    }
}

/// The log record of a spooled entry, for the shipper and for `spool resend`.
#[must_use]
pub fn record(entry: &Shippable) -> Record {
    let at = StreamPosition {
        producer: entry.identity.producer,
        epoch: entry.identity.epoch,
        lane: entry.lane,
        seq: entry.seq,
    };
    match spooled::unpack(&entry.payload, entry.id, at, from_us(entry.time_us)) {
        Ok(envelope) => Record {
            lane: envelope.lane,
            key: Some(envelope.key),
            headers: envelope.headers,
            payload: envelope.payload,
        },
        Err(error) => {
            tracing::error!(error.message = %error, event.id = %entry.id, "a spooled entry is no event, shipping it as it is");
            Record { lane: entry.lane, key: None, headers: Vec::new(), payload: entry.payload.clone().into() }
        }
    }
}
