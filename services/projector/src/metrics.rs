//! What the projector tells about itself.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use std::time::Duration;
use tallystick_store::ledger::BatchOutcome;

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    events: Counter<u64>,
    batch_duration: Histogram<f64>,
    lag: Gauge<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = tallystick_runtime::telemetry::meter();
        Self {
            events: meter
                .u64_counter("tallystick.projector.events")
                .with_unit("{event}")
                .with_description("Records taken from the log, by what became of them.")
                .build(),
            batch_duration: meter
                .f64_histogram("tallystick.projector.batch.duration")
                .with_unit("s")
                .with_description("Time to commit one batch.")
                .build(),
            lag: meter
                .u64_gauge("tallystick.projector.lag")
                .with_unit("{record}")
                .with_description("Records in the log that are not folded yet.")
                .build(),
        }
    }

    pub(crate) fn committed(&self, partition: u32, outcome: &BatchOutcome, took: Duration) {
        for (result, count) in [
            ("folded", outcome.folded),
            ("duplicate", outcome.duplicates),
            ("dead_letter", outcome.dead_letters),
        ] {
            self.events.add(u64::from(count), &[KeyValue::new("result", result)]);
        }
        let labels = [KeyValue::new("log.partition", i64::from(partition))];
        self.batch_duration.record(took.as_secs_f64(), &labels);
    }

    pub(crate) fn lag(&self, partition: u32, records: u64) {
        self.lag.record(records, &[KeyValue::new("log.partition", i64::from(partition))]);
    }
}
