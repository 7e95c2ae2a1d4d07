//! The HTTP API under `/api/v1`: one file per resource, each with its bodies, its handlers and its documentation.
//!
//! A request passes: authentication (`auth`), the idempotency key (`idempotency`), the permission ([`auth::Can`]), the
//! body ([`extract::Json`]) and the handler. Failures are problem documents ([`error`]), lists are keyset pages
//! ([`paging`]). `router` is the table of contents; the OpenAPI document comes from the same table.

pub mod auth;
pub mod error;
pub mod extract;
pub mod paging;

mod audit;
mod budgets;
mod clients;
mod contracts;
mod deadletters;
mod download;
mod events;
mod idempotency;
mod invoices;
mod issuer;
mod keys;
mod members;
mod openapi;
mod prices;
mod projects;
mod providers;
mod references;
mod reports;
mod router;
mod team;
mod tokens;
mod usage;

#[cfg(test)]
mod tests;

pub use openapi::openapi_json;
pub use router::router;

use crate::config::ReportingConfig;
use crate::import::Inbox;
use crate::render::DocumentRenderer;
use crate::service::Deps;
use std::sync::Arc;
use tallystick_runtime::{Ids, SharedClock, Tasks};
use tallystick_store::Store;
use tallystick_store::secrets::Secrets;
use tokio::sync::Semaphore;

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    pub(crate) config: Arc<ReportingConfig>,
    pub(crate) store: Store,
    pub(crate) clock: SharedClock,
    pub(crate) ids: Arc<Ids>,
    pub(crate) tasks: Tasks,
    pub(crate) secrets: Secrets,
    pub(crate) renderer: Option<Arc<dyn DocumentRenderer>>,
    /// What imports and corrections share.
    pub(crate) inbox: Arc<Inbox>,
    /// Places for documents that are rendered at once.
    pub(crate) renders: Arc<Semaphore>,
}

impl ApiState {
    pub(crate) fn new(config: ReportingConfig, deps: Deps) -> Self {
        let Deps { store, clock, ids, tasks, secrets, renderer, log: _ } = deps;
        let renders = Arc::new(Semaphore::new(config.render_concurrency.max(1)));
        let inbox = Arc::default();
        Self { config: Arc::new(config), store, clock, ids, tasks, secrets, renderer, inbox, renders }
    }
}

/// Tells a field that is absent (`None`: leave as it is) from one that is null (`Some(None)`: clear it).
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
