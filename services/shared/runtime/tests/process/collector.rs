//! An OTLP/HTTP collector in the test: it keeps what it is sent, decoded.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use prost::Message;
use tallystick_runtime::{
    Shutdown, Tasks,
    http::{ServeLimits, bind, serve},
};
use tokio::sync::Notify;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Default)]
pub(crate) struct Collector {
    pub(crate) traces: Arc<Signal<ExportTraceServiceRequest>>,
    pub(crate) metrics: Arc<Signal<ExportMetricsServiceRequest>>,
    pub(crate) logs: Arc<Signal<ExportLogsServiceRequest>>,
}

pub(crate) struct Signal<T> {
    received: Mutex<Vec<T>>,
    arrived: Notify,
}

impl<T> Default for Signal<T> {
    fn default() -> Self {
        Self { received: Mutex::default(), arrived: Notify::new() }
    }
}

impl<T: Message + Clone + Default> Signal<T> {
    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<T> {
        self.received.lock().expect("no test panics while it holds this").clone()
    }

    /// Waits for the next export.
    pub(crate) async fn arrival(&self) {
        tokio::time::timeout(PATIENCE, self.arrived.notified()).await.expect("an export arrives");
    }

    fn keep(&self, body: Bytes) {
        self.received
            .lock()
            .expect("no test panics while it holds this")
            .push(T::decode(body).expect("OTLP in protobuf"));
        self.arrived.notify_one();
    }
}

impl Collector {
    /// Starts listening; the collector ends with the test's runtime.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(async |State(c): State<Self>, body: Bytes| c.traces.keep(body)))
            .route("/v1/metrics", post(async |State(c): State<Self>, body: Bytes| c.metrics.keep(body)))
            .route("/v1/logs", post(async |State(c): State<Self>, body: Bytes| c.logs.keep(body)))
            .with_state(collector.clone());
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let tasks = Tasks::new(Shutdown::new());
        let set = tasks.clone();
        tasks.spawn("collector", async move {
            serve(listener, router, ServeLimits::default(), None, &set).await;
        });
        (collector, address)
    }
}
