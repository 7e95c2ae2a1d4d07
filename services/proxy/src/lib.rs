//! The proxy: a request comes in, the provider's answer goes out, and exactly one usage event is left behind.
//!
//! A request passes these layers, in this order, and the code follows it:
//!
//! 1. **Accept** ([`accept`], [`endpoint`]): a list of methods and paths; anything else does not exist. The accept loop
//!    with its limits on heads, times and connections is `runtime::http`.
//! 2. **Key** ([`auth`], [`control`]): found in memory, proved in constant time, alive or refused.
//! 3. **Body and attribution** ([`body`], [`attribution`]): the few fields that are read, who pays, what it belongs to.
//! 4. **Budget** ([`budget`]): the worst case is held, and given back on every path out.
//! 5. **Intent** ([`call`], [`slate`], [`spool`]): written before anything is sent, on disk before the first byte of an
//!    answer leaves.
//! 6. **Upstream** ([`upstream`], [`call`]): one attempt; streams pass as they come; what a client leaves behind is read
//!    to its end within limits.
//! 7. **Settle** ([`call`]): usage to buckets to priced lines; one outcome, one event.
//! 8. **Ship** ([`ship`], [`refused`]): what is on disk goes to the log; heartbeats say what is still owed.
//!
//! Owns the request path and the spool. Does not own the control plane's tables, the log, or the ledger; it never reads
//! the ledger, so a slow or stopped projector refuses no request.
//!
//! Invariants: a request whose bytes went upstream ends in exactly one event; no credential of a client goes up, none of
//! a provider comes back; no prompt, key or secret is in any log, metric, span or event; no lock is held across an await.
//!
//! Read next: [`call`] for the path of one call, [`spool`] for what survives a crash.

mod accept;
mod attribution;
mod auth;
mod body;
mod budget;
mod build;
mod call;
mod config;
pub mod control;
mod core;
mod endpoint;
mod facts;
mod glob;
mod metrics;
mod refusal;
mod refused;
mod ship;
mod slate;
pub mod spool;
mod store;
#[cfg(test)]
mod tests;
mod upstream;

pub use build::{BuildError, Deps, Proxy};
pub use config::{
    ConfigError, DrainLimits, FeedConfig, IntentMode, ProxyConfig, RequestLimits, ShipConfig, UpstreamLimits,
};
pub use ship::shipper::record as log_record;
pub use store::{StoreControl, StoreEpochs};
