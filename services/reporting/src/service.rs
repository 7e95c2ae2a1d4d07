//! Putting reporting together: the router that the binary mounts, and the tasks beside it.

use crate::api::{self, ApiState};
use crate::config::ReportingConfig;
use crate::render::DocumentRenderer;
use axum::Router;
use std::sync::Arc;
use std::time::Duration;
use tallystick_runtime::{Ids, SharedClock, Tasks};
use tallystick_store::Store;
use tallystick_store::secrets::Secrets;

/// How often kept answers that are too old are forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(15 * 60);

/// What reporting needs from the process.
#[derive(Clone)]
pub struct Deps {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Where ids come from.
    pub ids: Arc<Ids>,
    /// Where its tasks run.
    pub tasks: Tasks,
    /// Keys for hashes and ciphertext.
    pub secrets: Secrets,
    /// Makes PDFs; without one, asking for a PDF is answered `501`.
    pub renderer: Option<Arc<dyn DocumentRenderer>>,
}

/// The reporting service.
#[derive(Debug)]
pub struct Reporting;

impl Reporting {
    /// Builds the router (`/api/v1/...`) and starts the tasks, which end with `deps.tasks`.
    #[must_use]
    pub fn build(config: ReportingConfig, deps: Deps) -> Router {
        let tasks = deps.tasks.clone();
        let state = ApiState::new(config, deps);
        tasks.spawn("idempotency expiry", expire_answers(state.clone()));
        api::router(state)
    }
}

async fn expire_answers(api: ApiState) {
    let shutdown = api.tasks.shutdown_signal().clone();
    loop {
        let now = api.clock.now();
        let before = now.checked_sub(api.config.idempotency_age).unwrap_or(now);
        if let Err(error) = api.store.idempotency_expire(before).await {
            tracing::warn!(error = %error, "kept answers could not be forgotten, trying again later");
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRE_EVERY) => {}
            () = shutdown.draining() => return,
        }
    }
}
