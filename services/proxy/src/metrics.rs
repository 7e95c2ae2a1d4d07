//! What the proxy measures. Every instrument has a unit; labels are closed lists.

use crate::core::Core;
use crate::endpoint::Call;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tallystick_domain::event::UsageRecorded;
use tallystick_runtime::telemetry::meter;

/// The instruments of the request path.
pub(crate) struct Metrics {
    settled: Counter<u64>,
    refused: Counter<u64>,
    duration: Histogram<f64>,
    first_byte: Histogram<f64>,
    shipped: Counter<u64>,
    ship_failures: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = meter();
        let seconds = vec![
            0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
        ];
        Self {
            settled: meter
                .u64_counter("tallystick.proxy.calls")
                .with_unit("{call}")
                .with_description("settled calls by endpoint, outcome and status")
                .build(),
            refused: meter
                .u64_counter("tallystick.proxy.refusals")
                .with_unit("{request}")
                .with_description("requests that the gateway refused, by code")
                .build(),
            duration: meter
                .f64_histogram("tallystick.proxy.call.duration")
                .with_unit("s")
                .with_description("time from the request's arrival to its settlement")
                .with_boundaries(seconds.clone())
                .build(),
            first_byte: meter
                .f64_histogram("tallystick.proxy.call.first_byte")
                .with_unit("s")
                .with_description("time from the request's arrival to the first byte of the answer")
                .with_boundaries(seconds)
                .build(),
            shipped: meter
                .u64_counter("tallystick.proxy.shipped")
                .with_unit("{record}")
                .with_description("records that the log has taken")
                .build(),
            ship_failures: meter
                .u64_counter("tallystick.proxy.ship.failures")
                .with_unit("{append}")
                .with_description("appends that the log did not take, to be tried again")
                .build(),
        }
    }

    pub(crate) fn settled(
        &self,
        call: Call,
        event: &UsageRecorded,
        latency: Duration,
        ttft: Option<Duration>,
    ) {
        let endpoint = KeyValue::new("endpoint", call.name());
        let outcome = KeyValue::new("outcome", event.outcome.name());
        self.settled
            .add(1, &[endpoint.clone(), outcome.clone(), KeyValue::new("status", event.status.name())]);
        self.duration.record(latency.as_secs_f64(), &[endpoint.clone(), outcome]);
        if let Some(ttft) = ttft {
            self.first_byte.record(ttft.as_secs_f64(), &[endpoint]);
        }
    }

    pub(crate) fn refused(&self, code: &'static str) {
        self.refused.add(1, &[KeyValue::new("code", code)]);
    }

    pub(crate) fn shipped(&self, records: usize) {
        self.shipped.add(records as u64, &[]);
    }

    pub(crate) fn ship_failed(&self) {
        self.ship_failures.add(1, &[]);
    }
}

/// Registers what is read when somebody asks: backlog, flights, drains, holds, the age of the feed.
pub(crate) fn observe(core: &Arc<Core>) {
    gauge(core, "tallystick.proxy.spool.backlog", "By", "bytes that wait to be shipped", |core| {
        core.spool.stats().backlog_bytes
    });
    gauge(
        core,
        "tallystick.proxy.spool.unshipped_age",
        "ms",
        "age of the oldest record that is not shipped",
        |core| {
            let oldest = core.spool.stats().oldest_unshipped_us;
            oldest.map_or(0, |oldest| core.now_us().saturating_sub(oldest) / 1_000)
        },
    );
    gauge(core, "tallystick.proxy.spool.free", "By", "free bytes on the spool's disk", |core| {
        core.spool.stats().free_bytes
    });
    gauge(
        core,
        "tallystick.proxy.spool.abandoned",
        "{intent}",
        "intents dropped without a settlement: a bug",
        |core| core.spool.stats().abandoned,
    );
    gauge(core, "tallystick.proxy.in_flight", "{call}", "calls under way, drains included", |core| {
        core.in_flight() as u64
    });
    gauge(
        core,
        "tallystick.proxy.drains",
        "{stream}",
        "answers read to their end after the client left",
        |core| core.drains.running() as u64,
    );
    gauge(core, "tallystick.proxy.holds", "{hold}", "holds that have not ended", |core| {
        let counts = core.holds.counts();
        counts.held.saturating_sub(counts.settled + counts.released)
    });
    gauge(core, "tallystick.proxy.holds.leaked", "{hold}", "holds dropped without an end: a bug", |core| {
        core.holds.counts().leaked
    });
    gauge(core, "tallystick.proxy.feed.age", "ms", "time since the control plane last answered", |core| {
        core.feed.age().map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    });
}

fn gauge(
    core: &Arc<Core>,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    read: impl Fn(&Core) -> u64 + Send + Sync + 'static,
) {
    let core: Weak<Core> = Arc::downgrade(core);
    let meter = meter();
    meter
        .u64_observable_gauge(name)
        .with_unit(unit)
        .with_description(description)
        .with_callback(move |observer| {
            if let Some(core) = core.upgrade() {
                observer.observe(read(&core), &[]);
            }
        })
        .build();
}
