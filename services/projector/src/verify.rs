//! The proof of the ledger: everything that `tallystick verify` checks about events, postings and rollups.
//!
//! Independent of how the rows came to be: events are folded anew from their stored bytes and compared row by row, the
//! books are summed by the database, batches and lanes are counted, and the rolling hash is made again from the log.

use crate::prepare::chain;
use serde::Serialize;
use std::collections::HashMap;
use tallystick_domain::event::Event;
use tallystick_domain::ledger::Fold;
use tallystick_eventlog::{EventLog, LogError, ReadLimit};
use tallystick_store::ledger::{BatchFigure, Comparison};
use tallystick_store::{Store, StoreError};

/// Stored events read at a time.
const PAGE: u32 = 5_000;
/// Findings told in a check's detail.
const TOLD: usize = 5;

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    /// How many rows, groups or records were looked at.
    pub checked: u64,
    /// What is wrong, or what was proved.
    pub detail: String,
}

/// All checks; `ok` when every one is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub ok: bool,
    pub checks: Vec<Check>,
}

/// The proof could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the ledger could not be read")]
    Store(#[from] StoreError),
    #[error("the log could not be read")]
    Log(#[from] LogError),
}

impl Check {
    /// A check with what it found; clean when that is nothing.
    #[must_use]
    pub fn of_findings(name: &str, checked: u64, findings: &[String], proved: &str) -> Self {
        let ok = findings.is_empty();
        let detail = if ok {
            proved.to_owned()
        } else {
            let more = findings.len().saturating_sub(TOLD);
            let told = findings.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
            if more > 0 { format!("{told}; and {more} more") } else { told }
        };
        Self { name: name.to_owned(), ok, checked, detail }
    }
}

impl Verification {
    /// Adds a check.
    pub fn push(&mut self, check: Check) {
        self.checks.push(check);
        self.ok = self.checks.iter().all(|check| check.ok);
    }
}

/// Runs every check. With a log, the rolling hash is made again from its records.
///
/// # Errors
/// When the database or the log can not be read; findings are not errors.
pub async fn verify(store: &Store, log: Option<&dyn EventLog>) -> Result<Verification, VerifyError> {
    let mut result = Verification::default();
    result.push(lanes(store).await?);
    let batches = store.ledger_batches().await?;
    result.push(intervals(store, &batches).await?);
    for Comparison { name, checked, findings } in store.ledger_comparisons().await? {
        result.push(Check::of_findings(name, checked, &findings, "equal to the last decimal"));
    }
    for check in refold(store).await? {
        result.push(check);
    }
    let dead = store.dead_letter_open_count().await?;
    let findings = if dead == 0 { vec![] } else { vec![format!("{dead} records wait in the dead letters")] };
    result.push(Check::of_findings("no dead letters", dead, &findings, "nothing was put aside"));
    if let Some(log) = log {
        result.push(rolling_hash(log, &batches).await?);
    }
    Ok(result)
}

/// A lane is dense when as many records came as its highest number says.
async fn lanes(store: &Store) -> Result<Check, VerifyError> {
    let lanes = store.ledger_lanes().await?;
    let findings: Vec<String> = lanes
        .iter()
        .filter(|lane| lane.last_seq != lane.received)
        .map(|l| format!("producer {} lane {}: {} of {} records", l.producer, l.lane, l.received, l.last_seq))
        .collect();
    let records: u64 = lanes.iter().map(|lane| lane.received).sum();
    let proved = format!("{records} records, none missing");
    Ok(Check::of_findings("lanes are dense", lanes.len().try_into().unwrap_or(u64::MAX), &findings, &proved))
}

/// Batches must follow each other without hole or overlap, up to the cursor.
async fn intervals(store: &Store, batches: &[BatchFigure]) -> Result<Check, VerifyError> {
    let mut findings = Vec::new();
    let mut ends: HashMap<u32, (u64, [u8; 32])> = HashMap::new();
    for batch in batches {
        let (end, _) = ends.get(&batch.partition).copied().unwrap_or_default();
        if batch.from != end {
            findings.push(format!(
                "partition {}: a batch begins at {} where {end} was next",
                batch.partition, batch.from
            ));
        }
        ends.insert(batch.partition, (batch.to, batch.rolling_hash));
    }
    for cursor in store.cursor_list(crate::PROJECTION).await? {
        let (end, hash) = ends.get(&cursor.partition).copied().unwrap_or_default();
        if cursor.next_offset != end {
            findings.push(format!(
                "partition {}: the cursor stands at {}, the batches end at {end}",
                cursor.partition, cursor.next_offset
            ));
        } else if cursor.rolling_hash != hash {
            findings.push(format!(
                "partition {}: cursor and last batch disagree about the rolling hash",
                cursor.partition
            ));
        }
    }
    let checked = u64::try_from(batches.len()).unwrap_or(u64::MAX);
    Ok(Check::of_findings(
        "nothing is skipped",
        checked,
        &findings,
        "batches are contiguous up to the cursor",
    ))
}

/// Folds every stored event anew, from its bytes.
async fn refold(store: &Store) -> Result<[Check; 2], VerifyError> {
    let mut fold = Fold::default();
    let (mut after, mut checked, mut findings) = (None, 0_u64, Vec::new());
    loop {
        let page = store.ledger_event_page(after, PAGE).await?;
        for stored in &page.events {
            checked += 1;
            let decoded = if stored.adjusted {
                serde_json::from_slice(&stored.payload).map(|e| Event::Adjusted(Box::new(e)))
            } else {
                serde_json::from_slice(&stored.payload).map(|e| Event::Recorded(Box::new(e)))
            };
            match decoded {
                Ok(event) if event.id() != stored.event_id => {
                    findings.push(format!("event {} holds the bytes of {}", stored.event_id, event.id()));
                }
                Ok(event) => {
                    if let Err(error) = fold.apply(&event) {
                        findings.push(error.to_string());
                    }
                }
                Err(error) => findings.push(format!("event {} does not decode: {error}", stored.event_id)),
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let events = Check::of_findings(
        "events decode and add up",
        checked,
        &findings,
        "every event's lines add up to its cost",
    );
    let compared = store.ledger_compare_fold(&fold).await?;
    let rows = Check::of_findings(
        compared.name,
        compared.checked,
        &compared.findings,
        "row by row, to the last decimal",
    );
    Ok([events, rows])
}

/// Makes the rolling hash again from the log's records and compares it at every batch boundary.
async fn rolling_hash(log: &dyn EventLog, batches: &[BatchFigure]) -> Result<Check, VerifyError> {
    let limit = ReadLimit { records: 10_000, bytes: 32 << 20 };
    let mut findings = Vec::new();
    let mut checked = 0_u64;
    for partition in 0..log.partitions() {
        let boundaries: HashMap<u64, [u8; 32]> =
            batches.iter().filter(|b| b.partition == partition).map(|b| (b.to, b.rolling_hash)).collect();
        let end = boundaries.keys().max().copied().unwrap_or(0);
        let (mut next, mut hash) = (0_u64, [0_u8; 32]);
        while next < end {
            let records = log.read(partition, next, limit).await?;
            if records.is_empty() {
                findings.push(format!("partition {partition} ends at {next}, but {end} records were folded"));
                break;
            }
            for record in records.iter().take_while(|record| record.offset < end) {
                hash = chain(hash, record);
                next = record.offset + 1;
                checked += 1;
                if boundaries.get(&next).is_some_and(|stored| *stored != hash) {
                    findings.push(format!(
                        "partition {partition}: the rolling hash differs before record {next}"
                    ));
                }
            }
        }
    }
    Ok(Check::of_findings(
        "rolling hash matches the log",
        checked,
        &findings,
        "the log is the one that was folded",
    ))
}
