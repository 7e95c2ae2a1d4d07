//! Traces, metrics and logs of the process.
//!
//! Logs go to stderr always. With an endpoint, traces, metrics and logs also leave by OTLP over HTTP; the exporters run
//! on threads of their own with a blocking client, because the SDK's metric reader has no async runtime. `/metrics`
//! ([`Telemetry::metrics_router`]) answers Prometheus from the same instruments, endpoint or not.
//!
//! Instruments are made from [`meter`] after [`init`]; made before, they measure nothing. Every instrument has a unit
//! and a description, and labels of bounded variety.
//!
//! Nothing here records header values, bodies or keys, and the crates below us that would (hyper, h2, rustls, reqwest)
//! are neither traced nor exported.

mod init;
mod otlp;
mod prometheus;
mod propagation;
#[cfg(test)]
mod tests;

pub use init::{Telemetry, TelemetryConfig, TelemetryError, init, meter};
pub use propagation::{extract, inject_traceparent, set_remote_parent};
