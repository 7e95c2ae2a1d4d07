//! Following the control plane: a first snapshot, then changes as they are announced.
//!
//! 1. Wait for an announcement, at most `feed.poll`.
//! 2. Read what happened after our position; a gap means a new snapshot.
//! 3. Apply, build the index, swap it. From here on every request sees it.
//!
//! Each answer of the control plane, an empty one too, confirms that the directory is current.

use super::directory::{Directory, Rows};
use super::source::{Changes, ControlError, ControlSource};
use crate::config::{FeedConfig, ProxyConfig};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tallystick_runtime::{SharedClock, error_chain};

/// Longest pause between two tries while the control plane is away.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// The current directory, and how current it is.
pub(crate) struct Feed {
    directory: ArcSwap<Directory>,
    seq: AtomicU64,
    /// Monotonic milliseconds of the last confirmation, plus one; 0 is never.
    confirmed_ms: AtomicU64,
    clock: SharedClock,
    stale: Duration,
}

impl Feed {
    pub(crate) fn new(clock: SharedClock, config: &FeedConfig) -> Self {
        Self {
            directory: ArcSwap::from_pointee(Directory::default()),
            seq: AtomicU64::new(0),
            confirmed_ms: AtomicU64::new(0),
            clock,
            stale: config.stale,
        }
    }

    /// What requests go by.
    pub(crate) fn directory(&self) -> arc_swap::Guard<Arc<Directory>> {
        self.directory.load()
    }

    /// The position of the feed that has been applied.
    pub(crate) fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// How long ago the control plane last answered; `None` before its first answer.
    pub(crate) fn age(&self) -> Option<Duration> {
        let confirmed = self.confirmed_ms.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.clock.monotonic().saturating_sub(Duration::from_millis(confirmed)))
    }

    /// Whether requests may be admitted.
    pub(crate) fn is_current(&self) -> bool {
        self.age().is_some_and(|age| age <= self.stale)
    }

    fn publish(&self, rows: &Rows, allow_private: bool) {
        self.directory.store(Arc::new(rows.directory(allow_private)));
        self.seq.store(rows.seq, Ordering::Release);
    }

    /// `asked_at` is taken before the question: the answer says nothing about later.
    fn confirm(&self, asked_at: Duration) {
        let ms = u64::try_from(asked_at.as_millis()).unwrap_or(u64::MAX - 1);
        self.confirmed_ms.store(ms + 1, Ordering::Release);
    }
}

/// Takes the first snapshot.
///
/// # Errors
/// When the control plane can not be asked; the caller decides whether to try again.
pub(crate) async fn load_first(
    feed: &Feed,
    source: &dyn ControlSource,
    config: &ProxyConfig,
) -> Result<Rows, ControlError> {
    let asked_at = feed.clock.monotonic();
    let rows = Rows::from(source.snapshot().await?);
    feed.publish(&rows, config.upstream.allow_private);
    feed.confirm(asked_at);
    Ok(rows)
}

/// Follows the feed for ever; the caller drops it.
pub(crate) async fn follow(
    feed: Arc<Feed>,
    source: Arc<dyn ControlSource>,
    config: ProxyConfig,
    mut rows: Rows,
) {
    let mut pause = Duration::ZERO;
    loop {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        match step(&feed, source.as_ref(), &config, &mut rows).await {
            Ok(quiet) => {
                pause = Duration::ZERO;
                if quiet {
                    source.wait(rows.seq, config.feed.poll).await;
                }
            }
            Err(error) => {
                tracing::warn!(error.message = %error_chain(&error), feed.seq = rows.seq, "the control plane did not answer");
                pause = (pause * 2).clamp(Duration::from_millis(100), RETRY_MAX.min(config.feed.stale / 2));
            }
        }
    }
}

/// One look at the feed; whether nothing had happened.
async fn step(
    feed: &Feed,
    source: &dyn ControlSource,
    config: &ProxyConfig,
    rows: &mut Rows,
) -> Result<bool, ControlError> {
    let asked_at = feed.clock.monotonic();
    let quiet = match source.changes(rows.seq).await? {
        Changes::UpTo { seq, changes } if changes.is_empty() && seq == rows.seq => true,
        Changes::UpTo { seq, changes } => {
            for change in changes {
                rows.apply(change);
            }
            rows.seq = seq;
            feed.publish(rows, config.upstream.allow_private);
            false
        }
        Changes::Gap => {
            tracing::warn!(feed.seq = rows.seq, "the control feed has a gap, taking a new snapshot");
            *rows = Rows::from(source.snapshot().await?);
            feed.publish(rows, config.upstream.allow_private);
            false
        }
    };
    feed.confirm(asked_at);
    Ok(quiet)
}
