//! What reporting is set to.

use std::time::Duration;
use tallystick_runtime::config::{Limits, Reporting};

/// Settings of the API, with their units.
#[derive(Clone, Debug)]
pub struct ReportingConfig {
    /// Where callers reach the proxy, without a slash at the end: `http://127.0.0.1:8080`.
    pub public_url: String,
    /// Rows of a page where the caller names no limit.
    pub page_rows: u32,
    /// Most rows of a page.
    pub page_rows_max: u32,
    /// Most rows of one export.
    pub export_rows: u64,
    /// Largest request body, in bytes.
    pub body_bytes: u64,
    /// Time for a whole request body.
    pub body_read_timeout: Duration,
    /// Deepest nesting of a JSON body.
    pub json_depth: usize,
    /// Most events in one import request.
    pub inbox_batch_events: usize,
    /// Largest import request, in bytes.
    pub inbox_body_bytes: u64,
    /// Events waiting to be relayed to the log beyond which imports are refused.
    pub inbox_pending_events: u64,
    /// Most events relayed to the log in one append.
    pub relay_batch_events: usize,
    /// How often the relay looks for new events behind its notifications.
    pub relay_poll: Duration,
    /// Documents rendered at once.
    pub render_concurrency: usize,
    /// Time for one document to render.
    pub render_timeout: Duration,
    /// How long answers are kept under their `Idempotency-Key`.
    pub idempotency_age: Duration,
}

impl ReportingConfig {
    /// From the process's settings.
    #[must_use]
    pub fn new(public_url: &str, limits: &Limits, reporting: &Reporting) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            page_rows: reporting.page_rows,
            page_rows_max: reporting.page_rows_max,
            export_rows: reporting.export_rows,
            body_bytes: limits.body_bytes,
            body_read_timeout: limits.body_read_timeout,
            json_depth: limits.json_depth,
            inbox_batch_events: reporting.inbox_batch_events,
            inbox_body_bytes: reporting.inbox_body_bytes,
            inbox_pending_events: reporting.inbox_pending_events,
            relay_batch_events: reporting.relay_batch_events,
            relay_poll: reporting.relay_poll,
            render_concurrency: reporting.render_concurrency,
            render_timeout: reporting.render_timeout,
            idempotency_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}
