//! The sections of the settings, each field with its meaning, unit and default.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Secret, settings::section};
use crate::http::ServeLimits;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

section! {
    /// The certificate of the listeners; both or neither.
    TlsFiles {
        /// PEM file with the certificate and its chain.
        cert: Option<PathBuf> = None,
        /// PEM file with the private key.
        key: Option<PathBuf> = None,
    }
}

section! {
    /// How the database is used.
    Database {
        /// Most connections of this process.
        connections: u32 = 16,
        /// Time to wait for a free connection.
        acquire_timeout: Duration as "super::units::duration" = seconds(10),
        /// Time that one statement may take, maintenance and rebuild aside.
        statement_timeout: Duration as "super::units::duration" = seconds(60),
    }
}

section! {
    /// What every HTTP listener allows.
    Limits {
        /// Largest request body; beyond: 413.
        body_bytes: u64 as "super::units::size" = 10 * MIB,
        /// Time for a whole request body; beyond: 408.
        body_read_timeout: Duration as "super::units::duration" = seconds(60),
        /// Largest request head, request line and headers together; beyond: 431.
        header_bytes: u64 as "super::units::size" = 32 * KIB,
        /// Most headers of a request; beyond: 431.
        header_count: usize = 100,
        /// Time for a request head from its first byte, and for a TLS handshake; beyond: closed.
        header_read_timeout: Duration as "super::units::duration" = seconds(10),
        /// Time that a kept-alive connection may be idle; beyond: closed.
        idle_timeout: Duration as "super::units::duration" = seconds(75),
        /// Most open connections of a listener; beyond: they wait in the kernel's backlog.
        connections: usize = 10_000,
        /// Most concurrent streams of an HTTP/2 connection.
        http2_streams: u32 = 256,
        /// Deepest nesting of a JSON body; beyond: 400.
        json_depth: usize = 64,
    }
}

section! {
    /// The local durable spool of a proxy.
    Spool {
        /// Folder of the spool; by default `spool` in the data directory.
        dir: Option<PathBuf> = None,
        /// Size of a segment file.
        segment_bytes: u64 as "super::units::size" = 64 * MIB,
        /// Free disk space below which no new request is admitted (503).
        low_water_bytes: u64 as "super::units::size" = 256 * MIB,
        /// Unshipped records beyond which no new request is admitted (503).
        backlog_bytes: u64 as "super::units::size" = 8 * GIB,
        /// Age up to which acknowledged segments are kept for `spool resend`.
        retained_age: Duration as "super::units::duration" = 7 * DAY,
        /// Size up to which acknowledged segments are kept.
        retained_bytes: u64 as "super::units::size" = 4 * GIB,
        /// How often a long stream notes its progress.
        progress_interval: Duration as "super::units::duration" = seconds(10),
        /// Most records in one append to the log.
        ship_batch_records: usize = 1_000,
        /// Largest append to the log.
        ship_batch_bytes: u64 as "super::units::size" = 4 * MIB,
        /// Time to wait for more records before a batch that is not full is shipped.
        ship_linger: Duration as "super::units::duration" = Duration::from_millis(50),
        /// Longest pause between attempts while the log is away.
        ship_retry_max: Duration as "super::units::duration" = seconds(10),
        /// How often the producer's heartbeat is written.
        heartbeat_interval: Duration as "super::units::duration" = seconds(10),
    }
}

section! {
    /// The request path.
    Proxy {
        /// Address of the proxy's listener; by default `listen`.
        listen: Option<SocketAddr> = None,
        /// When the intent must be on disk: `before_response` or `before_send`.
        intent: String = "before_response".into(),
        /// Age of the control feed or the price book beyond which nothing is admitted (503).
        feed_staleness: Duration as "super::units::duration" = seconds(30),
        /// How often the control feed is polled behind its notifications.
        feed_poll: Duration as "super::units::duration" = seconds(1),
        /// Time to connect to a provider, TLS included.
        upstream_connect_timeout: Duration as "super::units::duration" = seconds(10),
        /// Time from sending a request to the first byte of the response's head.
        upstream_first_byte_timeout: Duration as "super::units::duration" = seconds(600),
        /// Time between two chunks of a provider's response.
        upstream_idle_timeout: Duration as "super::units::duration" = seconds(120),
        /// Largest provider response that is not a stream; beyond: 502.
        upstream_body_bytes: u64 as "super::units::size" = 64 * MIB,
        /// Largest single event of a stream; beyond: the rest passes through unread, the usage is estimated.
        stream_event_bytes: u64 as "super::units::size" = MIB,
        /// Idle connections kept per provider.
        upstream_idle_connections: usize = 256,
        /// Time that an idle connection to a provider is kept.
        upstream_keep_alive: Duration as "super::units::duration" = seconds(60),
        /// Most requests in flight; beyond: 503.
        requests_in_flight: usize = 4_096,
        /// Most streams drained at once after their clients left.
        drain_concurrency: usize = 256,
        /// Most bytes read from a stream after its client left.
        drain_bytes: u64 as "super::units::size" = 64 * MIB,
        /// Longest time that a stream is read after its client left.
        drain_time: Duration as "super::units::duration" = seconds(600),
        /// How often counted refusals are written as events.
        refused_interval: Duration as "super::units::duration" = seconds(10),
        /// Whether providers may be at private, loopback or link-local addresses.
        allow_private_upstreams: bool = false,
    }
}

section! {
    /// The fold.
    Projector {
        /// Most records folded in one transaction.
        batch_records: usize = 10_000,
        /// Most bytes of records folded in one transaction.
        batch_bytes: u64 as "super::units::size" = 32 * MIB,
        /// Time to wait for more records before a batch that is not full is folded.
        linger: Duration as "super::units::duration" = Duration::from_millis(200),
        /// Longest wait for a notification before the log is read again.
        poll: Duration as "super::units::duration" = seconds(1),
        /// Longest pause between attempts while the store is away.
        retry_max: Duration as "super::units::duration" = seconds(10),
    }
}

section! {
    /// API, invoices, reports and the inbox.
    Reporting {
        /// Address of reporting's listener; by default `admin_listen`, and where that is unset `listen`.
        listen: Option<SocketAddr> = None,
        /// Rows of a page where the caller names no limit.
        page_rows: u32 = 100,
        /// Most rows of a page.
        page_rows_max: u32 = 1_000,
        /// Most rows of one export.
        export_rows: u64 = 5_000_000,
        /// Most events in one import request; beyond: 413.
        inbox_batch_events: usize = 10_000,
        /// Largest import request; beyond: 413.
        inbox_body_bytes: u64 as "super::units::size" = 32 * MIB,
        /// Events waiting to be relayed to the log beyond which imports are refused (503).
        inbox_pending_events: u64 = 5_000_000,
        /// Most events relayed to the log in one append.
        relay_batch_events: usize = 2_000,
        /// How often the relay looks for new events behind its notifications.
        relay_poll: Duration as "super::units::duration" = seconds(1),
        /// Invoices and reports rendered at once.
        render_concurrency: usize = 2,
        /// Time for one document to render.
        render_timeout: Duration as "super::units::duration" = seconds(60),
    }
}

section! {
    /// Logs, traces and metrics.
    Telemetry {
        /// Collector to which traces, metrics and logs go by OTLP over HTTP, such as `http://localhost:4318`; also read
        /// from `OTEL_EXPORTER_OTLP_ENDPOINT`. Unset: nothing leaves.
        endpoint: Option<Secret> = None,
        /// Share of traces that begin here and are recorded, from 0.0 to 1.0; a caller's own decision is kept.
        trace_ratio: f64 = 1.0,
        /// How often metrics are sent.
        metrics_interval: Duration as "super::units::duration" = seconds(15),
        /// Time for one export, and for the flush when the process ends.
        export_timeout: Duration as "super::units::duration" = seconds(5),
        /// What is logged, as `tracing` directives: `info`, `warn,tallystick_proxy=debug`.
        log_filter: String = "info".into(),
        /// How logs are written on stderr: `human`, `json`, or `auto` (human on a terminal).
        log_format: String = "auto".into(),
        /// Name of this process among its peers (`service.instance.id`); by default drawn at start.
        instance: Option<String> = None,
    }
}

impl Limits {
    /// What the accept loop needs of these limits.
    #[must_use]
    pub fn serve(&self) -> ServeLimits {
        ServeLimits {
            header_bytes: usize::try_from(self.header_bytes).unwrap_or(usize::MAX),
            header_count: self.header_count,
            header_read_timeout: self.header_read_timeout,
            idle_timeout: self.idle_timeout,
            connections: self.connections,
            http2_streams: self.http2_streams,
        }
    }
}
