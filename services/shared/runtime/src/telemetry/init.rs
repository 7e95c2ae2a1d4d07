//! Setting up the three signals once per process, and flushing them when it ends.

use std::{io::IsTerminal as _, time::Duration};

use axum::Router;
use opentelemetry::{KeyValue, global, metrics::Meter, trace::TracerProvider as _};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider},
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use super::{otlp::Collector, prometheus};
use crate::{config, health::Readiness};

/// Crates whose own spans and logs are not exported: they would describe the export itself, or print what they carry.
const SILENT: [&str; 8] =
    ["hyper", "hyper_util", "h2", "reqwest", "rustls", "tower", "opentelemetry", "opentelemetry_sdk"];

/// What telemetry needs to know.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// `service.name`: `tallystick-proxy`, `tallystick-up`, ...
    pub service: &'static str,
    /// `service.version`.
    pub version: &'static str,
    /// `service.instance.id`, where the settings name none.
    pub instance: String,
    /// The section of the settings.
    pub settings: config::Telemetry,
}

/// Why telemetry can not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is no list of directives.
    #[error("reading the log filter `{filter}`")]
    Filter {
        /// The filter as it was set.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// An exporter can not be built.
    #[error("setting up the OTLP export")]
    Exporter(#[from] ExporterBuildError),
    /// The Prometheus reader can not be built.
    #[error("setting up the metrics for Prometheus")]
    Prometheus(#[source] OTelSdkError),
    /// There is a subscriber in this process already.
    #[error("telemetry is already set up in this process")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// The running telemetry of the process. Keep it until the end, then call [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    logger: Option<SdkLoggerProvider>,
    meter: SdkMeterProvider,
    registry: ::prometheus::Registry,
    deadline: Duration,
}

/// The meter for instruments of this process. Names are dotted (`proxy.requests`), units are UCUM (`s`, `By`, `{request}`).
#[must_use]
pub fn meter() -> Meter {
    global::meter("tallystick")
}

/// Sets up logs on stderr, OTLP export where an endpoint is set, the Prometheus registry and the global propagator.
///
/// # Errors
/// When the filter or the endpoint can not be used, or a second time in one process.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let (telemetry, layers) = build(config)?;
    tracing_subscriber::registry().with(layers).try_init().map_err(TelemetryError::Twice)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_meter_provider(telemetry.meter.clone());
    if let Some(tracer) = &telemetry.tracer {
        global::set_tracer_provider(tracer.clone());
    }
    Ok(telemetry)
}

pub(super) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Everything but the global part.
pub(super) fn build(config: &TelemetryConfig) -> Result<(Telemetry, Vec<BoxedLayer>), TelemetryError> {
    let settings = &config.settings;
    let collector = settings
        .endpoint
        .as_ref()
        .map(|endpoint| Collector { endpoint: endpoint.expose(), timeout: settings.export_timeout });
    let resource = resource(config);
    let registry = ::prometheus::Registry::new();
    let meter = meter_provider(settings, collector.as_ref(), &resource, &registry)?;
    let mut layers = vec![log_layer(settings, std::io::stderr)?];
    let (mut tracer, mut logger) = (None, None);
    if let Some(collector) = &collector {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.trace_ratio))))
            .with_resource(resource.clone())
            .with_batch_exporter(collector.spans()?)
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("tallystick"))
            .with_location(false)
            .with_threads(false);
        layers.push(layer.with_filter(exported()).boxed());
        tracer = Some(provider);

        let provider = SdkLoggerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(collector.logs()?)
            .build();
        layers.push(OpenTelemetryTracingBridge::new(&provider).with_filter(exported()).boxed());
        logger = Some(provider);
    }
    let telemetry = Telemetry { tracer, logger, meter, registry, deadline: settings.export_timeout };
    Ok((telemetry, layers))
}

fn resource(config: &TelemetryConfig) -> Resource {
    let instance = config.settings.instance.clone().unwrap_or_else(|| config.instance.clone());
    Resource::builder()
        .with_service_name(config.service)
        .with_attribute(KeyValue::new("service.version", config.version))
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .build()
}

fn meter_provider(
    settings: &config::Telemetry,
    collector: Option<&Collector<'_>>,
    resource: &Resource,
    registry: &::prometheus::Registry,
) -> Result<SdkMeterProvider, TelemetryError> {
    let pull = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()
        .map_err(TelemetryError::Prometheus)?;
    let mut builder = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(pull);
    if let Some(collector) = collector {
        let push =
            PeriodicReader::builder(collector.metrics()?).with_interval(settings.metrics_interval).build();
        builder = builder.with_reader(push);
    }
    Ok(builder.build())
}

/// What is exported: spans and logs from `info` on, and nothing of the libraries named above.
fn exported() -> Targets {
    quiet(LevelFilter::OFF).with_default(LevelFilter::INFO)
}

/// Caps the libraries that carry what clients send, whatever else is asked for.
fn quiet(cap: LevelFilter) -> Targets {
    Targets::new().with_targets(SILENT.map(|target| (target, cap)))
}

/// Logs as the settings want them; `log_filter = "trace"` still does not make a library print a request.
pub(super) fn log_layer<W>(settings: &config::Telemetry, writer: W) -> Result<BoxedLayer, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.log_filter)
        .map_err(|source| TelemetryError::Filter { filter: settings.log_filter.clone(), source })?
        .and(quiet(LevelFilter::ERROR).with_default(LevelFilter::TRACE));
    let terminal = std::io::stderr().is_terminal();
    let human = settings.log_format == "human" || (settings.log_format == "auto" && terminal);
    Ok(if human {
        fmt::layer().with_writer(writer).with_ansi(terminal).with_filter(filter).boxed()
    } else {
        json_layer(writer).with_filter(filter).boxed()
    })
}

/// One JSON object a line: `timestamp`, `level`, `target`, `message`, the event's fields, and the span it was in.
fn json_layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer)
}

impl Telemetry {
    /// `/metrics`, `/healthz` and `/readyz`, for `metrics_listen`.
    pub fn metrics_router(&self, readiness: &Readiness) -> Router {
        prometheus::router(self.registry.clone(), readiness)
    }

    /// The meter of this telemetry; [`meter`] gives the same after [`init`].
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.meter
    }

    /// Sends what is left and ends the exporters, within `telemetry.export_timeout` in all. What can not be sent by then
    /// is lost, with a line on stderr; it never keeps a process from ending.
    pub async fn shutdown(self) {
        let deadline = self.deadline;
        let (done, finished) = tokio::sync::oneshot::channel();
        let flush = std::thread::Builder::new().name("telemetry-flush".into()).spawn(move || {
            for error in self.flush() {
                tracing::warn!(error.message = %error, "some telemetry was not sent");
            }
            // The receiver is gone when the deadline has passed.
            let _ = done.send(());
        });
        if flush.is_err() || tokio::time::timeout(deadline, finished).await.is_err() {
            tracing::warn!(deadline_ms = deadline.as_millis() as u64, "telemetry was not flushed in time");
        }
    }

    fn flush(&self) -> Vec<OTelSdkError> {
        let results = [
            self.tracer.as_ref().map(|provider| provider.shutdown_with_timeout(self.deadline)),
            Some(self.meter.shutdown_with_timeout(self.deadline)),
            self.logger.as_ref().map(|provider| provider.shutdown_with_timeout(self.deadline)),
        ];
        results.into_iter().flatten().filter_map(Result::err).collect()
    }
}
