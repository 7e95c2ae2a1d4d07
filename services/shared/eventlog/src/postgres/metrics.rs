//! What the log tells about itself.

use opentelemetry::metrics::{Counter, Histogram};

#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) append: Histogram<f64>,
    pub(super) records: Counter<u64>,
    pub(super) bytes: Counter<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = opentelemetry::global::meter("tallystick.eventlog");
        Self {
            append: meter
                .f64_histogram("tallystick.log.append.duration")
                .with_unit("s")
                .with_description("Time to make one append durable.")
                .with_boundaries(vec![0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
                .build(),
            records: meter
                .u64_counter("tallystick.log.append.records")
                .with_unit("{record}")
                .with_description("Records appended to the event log.")
                .build(),
            bytes: meter
                .u64_counter("tallystick.log.append.size")
                .with_unit("By")
                .with_description("Bytes appended to the event log, after compression.")
                .build(),
        }
    }
}
