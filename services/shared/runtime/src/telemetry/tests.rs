//! Telemetry without its global part; the whole of it against a collector is in `tests/process/telemetry.rs`.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry::trace::TraceContextExt as _;
use tracing::{info, info_span};
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

use super::{
    init::{build, log_layer},
    *,
};
use crate::config;

const REMOTE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const REMOTE_UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// An address where nobody listens.
fn nobody() -> config::Secret {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    config::Secret::new(format!("http://127.0.0.1:{port}"))
}

fn config(trace_ratio: f64) -> TelemetryConfig {
    TelemetryConfig {
        service: "tallystick-test",
        version: "0.0.0",
        instance: "one".into(),
        settings: config::Telemetry {
            endpoint: Some(nobody()),
            trace_ratio,
            export_timeout: Duration::from_millis(300),
            log_filter: "off".into(),
            ..config::Telemetry::default()
        },
    }
}

/// Whether a root span, a child of a sampled and a child of an unsampled remote span are recorded at this ratio.
fn sampled_at(ratio: f64) -> [bool; 3] {
    let (_telemetry, layers) = build(&config(ratio)).unwrap();
    tracing::subscriber::with_default(Registry::default().with(layers), || {
        [None, Some(REMOTE), Some(REMOTE_UNSAMPLED)].map(|remote| {
            let span = info_span!("test.span.sample");
            set_remote_parent(&span, remote, None);
            span.in_scope(|| inject_traceparent().unwrap().ends_with("-01"))
        })
    })
}

#[test]
fn sampling_follows_the_parent_and_the_ratio_for_roots() {
    assert_eq!(sampled_at(1.0), [true, true, false]);
    assert_eq!(sampled_at(0.0), [false, true, false]);
}

#[test]
fn a_span_continues_the_trace_it_was_called_with() {
    let (_telemetry, layers) = build(&config(1.0)).unwrap();
    let traceparent = tracing::subscriber::with_default(Registry::default().with(layers), || {
        let span = info_span!("test.span.continue");
        set_remote_parent(&span, Some(REMOTE), Some("vendor=1"));
        span.in_scope(inject_traceparent).unwrap()
    });
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{traceparent}");
    assert_ne!(traceparent, REMOTE, "the span has an id of its own");
}

#[test]
fn where_nothing_is_traced_there_is_no_traceparent() {
    assert_eq!(inject_traceparent(), None);
}

#[test]
fn a_malformed_traceparent_is_ignored() {
    for text in ["", "00-zz-00-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7"] {
        assert!(extract(Some(text), None).is_none(), "{text}");
    }
    let context = extract(Some(REMOTE), Some("vendor=1")).unwrap();
    assert_eq!(context.span().span_context().trace_state().get("vendor"), Some("1"));
}

#[tokio::test]
async fn a_collector_that_is_away_does_not_keep_the_process_from_ending() {
    let (telemetry, layers) = build(&config(1.0)).unwrap();
    tracing::subscriber::with_default(Registry::default().with(layers), || {
        info_span!("test.span.lost").in_scope(|| info!("lost"));
    });
    let begun = Instant::now();
    telemetry.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn an_unusable_filter_is_an_error() {
    let mut config = config(1.0);
    config.settings.log_filter = "a=b=c".into();
    assert!(matches!(build(&config).err(), Some(TelemetryError::Filter { .. })));
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged on stderr while `work` runs.
fn logged(filter: &str, work: impl FnOnce()) -> String {
    let captured = Captured::default();
    let writer = captured.clone();
    let settings = config::Telemetry {
        log_filter: filter.into(),
        log_format: "json".into(),
        ..config::Telemetry::default()
    };
    let layer = log_layer(&settings, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(Registry::default().with(layer), work);
    String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_json_log_line_has_its_fields_and_its_span() {
    let text = logged("info", || {
        info_span!("proxy.request.handle", request.id = "r1").in_scope(|| info!(lag_ms = 12, "fold is late"));
    });
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "fold is late");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["lag_ms"], 12);
    assert_eq!(line["span"]["name"], "proxy.request.handle");
    assert_eq!(line["span"]["request.id"], "r1");
}

#[test]
fn no_log_filter_makes_a_library_print_what_it_carries() {
    let text = logged("trace,hyper=trace", || {
        info!(target: "hyper::proto::h1", "authorization: Bearer sk-canary");
        tracing::warn!(target: "h2::codec", "x-api-key: sk-canary");
        tracing::trace!("ours is printed");
    });
    assert!(text.contains("ours is printed"), "{text}");
    assert!(!text.contains("sk-canary"), "{text}");
}
