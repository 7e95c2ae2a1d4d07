//! From raw records to a batch: decode, check, chain the hash. Pure and synchronous, so it runs off the async threads.

use sha2::{Digest, Sha256};
use tallystick_domain::Lane;
use tallystick_domain::event::{Event, StreamPosition};
use tallystick_domain::ledger::Fold;
use tallystick_eventlog::LogRecord;
use tallystick_schemas::{DecodeError, header};
use tallystick_store::ledger::{Batch, LoggedEvent, NewDeadLetter};

/// A record that nobody may skip: this program is too old for it.
#[derive(Debug, thiserror::Error)]
#[error("record {offset} of partition {partition} can not be read by this version")]
pub(crate) struct MustStop {
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    #[source]
    pub(crate) source: DecodeError,
}

/// Decodes and checks records. What precedes a record that must not be skipped still becomes a batch; only when it
/// comes first is it an error.
///
/// # Errors
/// When the first record is newer than this program.
pub(crate) fn prepare(from: u64, hash: [u8; 32], records: Vec<LogRecord>) -> Result<Batch, MustStop> {
    let mut batch = Batch { from, to: from, rolling_hash: hash, ..Batch::default() };
    let mut fold = Fold::default();
    for record in records {
        let event = match tallystick_schemas::decode(&record.record.headers, &record.record.payload) {
            Ok(event) => match fold.apply(&event) {
                Ok(_) => Some(event),
                Err(error) => {
                    batch.put_aside(&record, "unfoldable", error.to_string(), Some(event.stream_position()));
                    None
                }
            },
            Err(error) if error.must_stop() => {
                if batch.to == from {
                    return Err(MustStop {
                        partition: record.partition,
                        offset: record.offset,
                        source: error,
                    });
                }
                break;
            }
            Err(error) => {
                let detail = tallystick_runtime::error_chain(&error);
                batch.put_aside(&record, "undecodable", detail, claimed_position(&record));
                None
            }
        };
        batch.rolling_hash = chain(batch.rolling_hash, &record);
        batch.to = record.offset + 1;
        batch.events.extend(event.map(|event| logged(record, event)));
    }
    batch.fold = fold;
    Ok(batch)
}

/// A batch of one record that the database refused: put aside, with the database's words.
pub(crate) fn refused(record: &LogRecord, hash: [u8; 32], detail: String) -> Batch {
    let mut batch = Batch { from: record.offset, to: record.offset + 1, ..Batch::default() };
    batch.rolling_hash = chain(hash, record);
    batch.put_aside(record, "refused_by_database", detail, claimed_position(record));
    batch
}

/// The rolling hash after a record: SHA-256 over the hash before it, its offset, lane, key, headers and payload, each
/// prefixed by its length. It does not depend on how records were cut into batches.
pub(crate) fn chain(before: [u8; 32], record: &LogRecord) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(record.offset.to_be_bytes());
    hash.update([record.record.lane.get()]);
    let mut part = |bytes: &[u8]| {
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(record.record.key.as_deref().unwrap_or_default().as_bytes());
    for (name, value) in &record.record.headers {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    part(&record.record.payload);
    hash.finalize().into()
}

fn logged(record: LogRecord, event: Event) -> LoggedEvent {
    LoggedEvent {
        log_offset: record.offset,
        event,
        headers: record.record.headers,
        payload: record.record.payload,
    }
}

/// Where an undecodable record says that it stands in its producer's stream, so that its lane does not look torn.
fn claimed_position(record: &LogRecord) -> Option<StreamPosition> {
    let headers = &record.record.headers;
    let producer = header(headers, "ce_source")?.strip_prefix("urn:tallystick:producer:")?.parse().ok()?;
    let seq = header(headers, "ce_sequence")?.parse().ok()?;
    Some(StreamPosition { producer, epoch: 0, lane: record.record.lane, seq })
}

trait PutAside {
    fn put_aside(&mut self, record: &LogRecord, reason: &str, detail: String, at: Option<StreamPosition>);
}

impl PutAside for Batch {
    fn put_aside(&mut self, record: &LogRecord, reason: &str, detail: String, at: Option<StreamPosition>) {
        let lane: Lane = record.record.lane;
        self.dead_letters.push(NewDeadLetter {
            log_offset: record.offset,
            lane: lane.get(),
            reason: reason.to_owned(),
            detail,
            headers: record.record.headers.clone(),
            payload: record.record.payload.to_vec(),
        });
        self.dead_positions.extend(at.filter(|at| at.seq > 0));
    }
}
