//! The three OTLP exporters.

use std::time::Duration;

use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig as _,
};

/// Where and how long.
pub(super) struct Collector<'a> {
    pub(super) endpoint: &'a str,
    pub(super) timeout: Duration,
}

impl Collector<'_> {
    /// An endpoint given in code is used as it stands: the signal's path is ours to add.
    fn signal(&self, path: &str) -> String {
        format!("{}/{path}", self.endpoint.trim_end_matches('/'))
    }

    pub(super) fn spans(&self) -> Result<SpanExporter, ExporterBuildError> {
        SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.signal("v1/traces"))
            .with_timeout(self.timeout)
            .build()
    }

    pub(super) fn metrics(&self) -> Result<MetricExporter, ExporterBuildError> {
        MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.signal("v1/metrics"))
            .with_timeout(self.timeout)
            .build()
    }

    pub(super) fn logs(&self) -> Result<LogExporter, ExporterBuildError> {
        LogExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.signal("v1/logs"))
            .with_timeout(self.timeout)
            .build()
    }
}
