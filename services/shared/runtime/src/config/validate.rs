//! What must fit together before anything is opened.

use url::Url;

use super::{Problem, Settings};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Collects every finding, so that one start shows all of them.
struct Findings(Vec<Problem>);

impl Findings {
    fn require(&mut self, holds: bool, path: &str, reason: &str) {
        if !holds {
            self.0.push(Problem { path: path.into(), origin: String::new(), reason: reason.into() });
        }
    }

    fn at_least_one(&mut self, values: &[(&str, u64)]) {
        for (path, value) in values {
            self.require(*value > 0, path, "must be at least 1");
        }
    }
}

impl Settings {
    /// Checks ranges and combinations. Empty when all is well.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut findings = Findings(Vec::new());
        self.check_addresses(&mut findings);
        self.check_limits(&mut findings);
        self.check_spool(&mut findings);
        self.check_services(&mut findings);
        self.check_telemetry(&mut findings);
        findings.0
    }

    fn check_addresses(&self, findings: &mut Findings) {
        let metrics = self.metrics_listen;
        findings.require(
            metrics.port() == 0 || ![self.proxy_listen(), self.reporting_listen()].contains(&metrics),
            "metrics_listen",
            "is the address of another listener; give one of them another port",
        );
        findings.require(
            self.tls.cert.is_some() == self.tls.key.is_some(),
            "tls",
            "needs both `tls.cert` and `tls.key`, or neither",
        );
        let database = self.database_url.as_ref().map(|url| Url::parse(url.expose()));
        findings.require(
            database
                .is_none_or(|url| url.is_ok_and(|url| ["postgres", "postgresql"].contains(&url.scheme()))),
            "database_url",
            "must look like postgres://user:password@host:5432/name",
        );
        findings.require(
            self.log == "postgres" || self.log.strip_prefix("kafka://").is_some_and(|rest| !rest.is_empty()),
            "log",
            "must be `postgres` or `kafka://HOST:PORT[,HOST:PORT]`",
        );
    }

    fn check_limits(&self, findings: &mut Findings) {
        let limits = &self.limits;
        findings.at_least_one(&[
            ("limits.body_bytes", limits.body_bytes),
            ("limits.header_count", limits.header_count as u64),
            ("limits.connections", limits.connections as u64),
            ("limits.http2_streams", limits.http2_streams.into()),
            ("limits.json_depth", limits.json_depth as u64),
            ("database.connections", self.database.connections.into()),
        ]);
        findings.require(
            (8 * KIB..=MIB).contains(&limits.header_bytes),
            "limits.header_bytes",
            "must be between 8KiB and 1MiB",
        );
        for (path, value) in [
            ("limits.header_read_timeout", limits.header_read_timeout),
            ("limits.body_read_timeout", limits.body_read_timeout),
            ("limits.idle_timeout", limits.idle_timeout),
        ] {
            findings.require(!value.is_zero(), path, "must be longer than 0s");
        }
    }

    fn check_spool(&self, findings: &mut Findings) {
        let spool = &self.spool;
        findings.at_least_one(&[
            ("spool.ship_batch_records", spool.ship_batch_records as u64),
            ("spool.ship_batch_bytes", spool.ship_batch_bytes),
        ]);
        findings.require(
            (64 * KIB..=1024 * MIB).contains(&spool.segment_bytes),
            "spool.segment_bytes",
            "must be between 64KiB and 1GiB",
        );
        findings.require(
            spool.low_water_bytes >= spool.segment_bytes,
            "spool.low_water_bytes",
            "must be at least `spool.segment_bytes`, or what is in flight could not settle",
        );
        findings.require(
            spool.backlog_bytes >= spool.segment_bytes,
            "spool.backlog_bytes",
            "must be at least `spool.segment_bytes`",
        );
    }

    fn check_services(&self, findings: &mut Findings) {
        let (proxy, projector, reporting) = (&self.proxy, &self.projector, &self.reporting);
        findings.require(
            ["before_response", "before_send"].contains(&proxy.intent.as_str()),
            "proxy.intent",
            "must be `before_response` or `before_send`",
        );
        findings.require(
            proxy.feed_staleness > proxy.feed_poll,
            "proxy.feed_staleness",
            "must be longer than `proxy.feed_poll`, or the proxy would never be ready",
        );
        findings.at_least_one(&[
            ("proxy.requests_in_flight", proxy.requests_in_flight as u64),
            ("proxy.drain_concurrency", proxy.drain_concurrency as u64),
            ("proxy.stream_event_bytes", proxy.stream_event_bytes),
            ("projector.batch_records", projector.batch_records as u64),
            ("projector.batch_bytes", projector.batch_bytes),
            ("reporting.page_rows", reporting.page_rows.into()),
            ("reporting.inbox_batch_events", reporting.inbox_batch_events as u64),
            ("reporting.relay_batch_events", reporting.relay_batch_events as u64),
            ("reporting.render_concurrency", reporting.render_concurrency as u64),
        ]);
        findings.require(
            reporting.page_rows <= reporting.page_rows_max,
            "reporting.page_rows",
            "must not be above `reporting.page_rows_max`",
        );
    }

    fn check_telemetry(&self, findings: &mut Findings) {
        let telemetry = &self.telemetry;
        findings.require(
            (0.0..=1.0).contains(&telemetry.trace_ratio),
            "telemetry.trace_ratio",
            "must be between 0.0 and 1.0",
        );
        let endpoint = telemetry.endpoint.as_ref().map(|url| Url::parse(url.expose()));
        findings.require(
            endpoint.is_none_or(|url| url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()))),
            "telemetry.endpoint",
            "must be an HTTP address such as http://localhost:4318",
        );
        findings.require(
            ["auto", "human", "json"].contains(&telemetry.log_format.as_str()),
            "telemetry.log_format",
            "must be `auto`, `human` or `json`",
        );
        findings.require(
            tracing_subscriber::EnvFilter::try_new(&telemetry.log_filter).is_ok(),
            "telemetry.log_filter",
            "must be `tracing` directives such as `info` or `warn,tallystick_proxy=debug`",
        );
    }
}
