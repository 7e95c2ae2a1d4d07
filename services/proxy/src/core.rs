//! What every request shares.

use crate::budget::Holds;
use crate::call::{Drains, to_us};
use crate::config::ProxyConfig;
use crate::control::Feed;
use crate::metrics::Metrics;
use crate::refused::Refusals;
use crate::slate::Slate;
use crate::spool::Spool;
use crate::upstream::Upstream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tallystick_runtime::{Ids, SharedClock};
use tallystick_store::secrets::Secrets;
use tokio::sync::Semaphore;

/// The parts of a running proxy. No lock in here is held across an await.
pub(crate) struct Core {
    pub(crate) config: ProxyConfig,
    pub(crate) clock: SharedClock,
    pub(crate) ids: Arc<Ids>,
    pub(crate) secrets: Secrets,
    pub(crate) feed: Arc<Feed>,
    pub(crate) spool: Spool,
    pub(crate) slate: Arc<Slate>,
    pub(crate) upstream: Upstream,
    pub(crate) holds: Holds,
    pub(crate) refused: Refusals,
    pub(crate) drains: Arc<Drains>,
    pub(crate) metrics: Metrics,
    /// One permit for each request in flight, drains included.
    pub(crate) slots: Arc<Semaphore>,
    closed: AtomicBool,
}

/// What [`Core`] is made of.
pub(crate) struct Parts {
    pub(crate) config: ProxyConfig,
    pub(crate) clock: SharedClock,
    pub(crate) ids: Arc<Ids>,
    pub(crate) secrets: Secrets,
    pub(crate) feed: Arc<Feed>,
    pub(crate) spool: Spool,
    pub(crate) slate: Arc<Slate>,
    pub(crate) upstream: Upstream,
    pub(crate) drains: Arc<Drains>,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { config, clock, ids, secrets, feed, spool, slate, upstream, drains } = parts;
        Self {
            refused: Refusals::new(&config.ship),
            slots: Arc::new(Semaphore::new(config.request.in_flight)),
            holds: Holds::default(),
            metrics: Metrics::new(),
            closed: AtomicBool::new(false),
            config,
            clock,
            ids,
            secrets,
            feed,
            spool,
            slate,
            upstream,
            drains,
        }
    }

    /// Now, as the spool counts.
    pub(crate) fn now_us(&self) -> u64 {
        to_us(self.clock.now())
    }

    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.config.request.in_flight.saturating_sub(self.slots.available_permits())
    }

    /// Admits nothing any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
