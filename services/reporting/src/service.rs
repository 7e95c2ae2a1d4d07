//! Putting reporting together: the router that the binary mounts, and the tasks beside it.

use crate::api::{self, ApiState};
use crate::config::ReportingConfig;
use crate::import::Relay;
use crate::render::DocumentRenderer;
use axum::Router;
use std::sync::Arc;
use std::time::Duration;
use tallystick_eventlog::EventLog;
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
    /// Where imports and corrections are appended.
    pub log: Arc<dyn EventLog>,
    /// Makes PDFs; without one, asking for a PDF is answered `501`.
    pub renderer: Option<Arc<dyn DocumentRenderer>>,
}

/// The reporting service.
#[derive(Debug)]
pub struct Reporting;

impl Reporting {
    /// Builds the router (`/api/v1/...`) and starts the tasks, which end with `deps.tasks`.
    pub fn build(config: ReportingConfig, deps: Deps) -> Router {
        let tasks = deps.tasks.clone();
        let log = Arc::clone(&deps.log);
        let state = ApiState::new(config, deps);
        tasks.spawn("inbox relay", relay(&state, log).run(tasks.shutdown_signal().clone()));
        tasks.spawn("idempotency expiry", expire_answers(state.clone()));
        api::router(state)
    }
}

fn relay(api: &ApiState, log: Arc<dyn EventLog>) -> Relay {
    Relay {
        store: api.store.clone(),
        log,
        inbox: Arc::clone(&api.inbox),
        clock: Arc::clone(&api.clock),
        ids: Arc::clone(&api.ids),
        batch: u32::try_from(api.config.relay_batch_events).unwrap_or(u32::MAX),
        poll: api.config.relay_poll,
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
