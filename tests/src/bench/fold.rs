//! Section a: what one core folds, and what it decodes and folds. No I/O, one thread.

use super::events::{Agency, Traffic};
use super::rounds::{ROUNDS, Rounds};
use super::table::Row;
use std::hint::black_box;
use std::time::Instant;
use tallystick_domain::ledger::Fold;

/// Events per fold, as in a projector's batch.
const BATCH: usize = 10_000;
/// Folds per round.
const BATCHES: usize = 10;

const SECTION: &str = "fold, one core";

/// Measures both.
pub(crate) fn measure() -> (String, Vec<Row>) {
    let mut rows = Vec::new();
    for keys in [2_000, 100_000] {
        let (mut folding, mut decoding) = (Rounds::default(), Rounds::default());
        let mut traffic = Traffic::new(Agency { keys });
        let events = traffic.events(BATCH);
        let records = Traffic::new(Agency { keys }).records(BATCH);
        for round in 0..=ROUNDS {
            let started = Instant::now();
            for _ in 0..BATCHES {
                let mut fold = Fold::default();
                for event in &events {
                    fold.apply(event).expect("a made-up event adds up");
                }
                black_box(&fold);
            }
            let folded = started.elapsed();
            let started = Instant::now();
            for _ in 0..BATCHES {
                let mut fold = Fold::default();
                for record in &records {
                    let event = tallystick_schemas::decode(&record.headers, &record.payload);
                    fold.apply(&event.expect("a made-up event decodes")).expect("and adds up");
                }
                black_box(&fold);
            }
            if round > 0 {
                folding.push_rate(BATCH * BATCHES, folded);
                decoding.push_rate(BATCH * BATCHES, started.elapsed());
            }
        }
        let keys = if keys == 2_000 { "2k keys" } else { "100k keys" };
        rows.push(Row::new(SECTION, format!("fold, {keys}"), "events/s", &folding));
        rows.push(Row::new(SECTION, format!("decode and fold, {keys}"), "events/s", &decoding));
    }
    (format!("fold: batches of {BATCH} events, {BATCHES} batches per round"), rows)
}
