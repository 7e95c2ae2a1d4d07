//! `GET /healthz` (the process answers) and `GET /readyz` (it can do its work).
//!
//! A part of the process registers a check and keeps it up to date, or gives a probe that is asked on each request.
//! `/readyz` answers `503` as long as one check is not ready, and names each with its reason. Reasons are read by
//! strangers when the listener is public: no addresses, no identifiers.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde::Serialize;

use crate::lifecycle::Shutdown;

type Probe = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of this process. Clones are the same set.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<RwLock<Vec<Entry>>>,
}

struct Entry {
    name: &'static str,
    probe: Probe,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckStatus {
    /// What is checked.
    pub name: &'static str,
    /// Whether it is fine.
    pub ready: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// Whether every check is fine.
    pub ready: bool,
    /// Every check, in the order of registration.
    pub checks: Vec<CheckStatus>,
}

/// The handle with which a part of the process says how it is. Clones are the same check.
#[derive(Debug, Clone)]
pub struct Check {
    state: Arc<Mutex<Result<(), String>>>,
}

impl Check {
    /// All is well.
    pub fn ok(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Ok(());
    }

    /// Not ready, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Err(reason.into());
    }
}

impl Readiness {
    /// No checks: ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No checks but one: not ready as soon as the process drains, so that a load balancer turns away.
    #[must_use]
    pub fn following(shutdown: &Shutdown) -> Self {
        let readiness = Self::new();
        let shutdown = shutdown.clone();
        readiness.probe("lifecycle", move || {
            if shutdown.is_draining() { Err("the process is draining".into()) } else { Ok(()) }
        });
        readiness
    }

    /// Registers a check that is not ready (`starting`) until its handle says so.
    #[must_use]
    pub fn check(&self, name: &'static str) -> Check {
        let check = Check { state: Arc::new(Mutex::new(Err("starting".into()))) };
        let state = Arc::clone(&check.state);
        self.probe(name, move || state.lock().unwrap_or_else(PoisonError::into_inner).clone());
        check
    }

    /// Registers a probe that is asked on each request; it must be cheap and must not block.
    pub fn probe(&self, name: &'static str, probe: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        let entry = Entry { name, probe: Box::new(probe) };
        self.checks.write().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Asks every check.
    #[must_use]
    pub fn report(&self) -> ReadinessReport {
        let entries = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        let checks: Vec<CheckStatus> = entries
            .iter()
            .map(|entry| {
                let reason = (entry.probe)().err();
                CheckStatus { name: entry.name, ready: reason.is_none(), reason }
            })
            .collect();
        ReadinessReport { ready: checks.iter().all(|check| check.ready), checks }
    }

    /// Whether every check is fine.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.report().ready
    }

    /// `/healthz` and `/readyz`, to be merged into a service's router.
    pub fn router(&self) -> Router {
        Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(self.clone())
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.report()).finish()
    }
}

async fn healthz() -> Response {
    let body = Json(serde_json::json!({ "status": "ok" }));
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(report)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    async fn get(readiness: &Readiness, path: &str) -> (StatusCode, Value) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = readiness.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn readyz_names_what_is_not_ready_and_recovers() {
        let readiness = Readiness::new();
        let feed = readiness.check("feed");
        readiness.probe("disk", || Ok(()));

        let starting = json!({"ready": false, "checks": [
            {"name": "feed", "ready": false, "reason": "starting"}, {"name": "disk", "ready": true}]});
        assert_eq!(get(&readiness, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, starting));

        feed.ok();
        assert_eq!(get(&readiness, "/readyz").await.0, StatusCode::OK);

        feed.not_ready("31 s behind");
        let (status, body) = get(&readiness, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["checks"][0]["reason"], "31 s behind");
    }

    #[tokio::test]
    async fn a_draining_process_is_healthy_but_not_ready() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::following(&shutdown);
        assert!(readiness.is_ready());
        shutdown.drain();
        assert_eq!(get(&readiness, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get(&readiness, "/healthz").await, (StatusCode::OK, json!({"status": "ok"})));
    }
}
