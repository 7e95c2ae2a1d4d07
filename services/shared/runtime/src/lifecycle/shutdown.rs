//! The announcement that the process ends.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

use super::signal;

/// Tells every part of the process, in two stages, that it ends. Clones are the same announcement.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
    failure: Arc<OnceLock<String>>,
}

impl Shutdown {
    /// A process that is not ending yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stage one: stop accepting, finish what is in flight. Calling it again changes nothing.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Stage two: drop what is left. Implies stage one.
    pub fn stop(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Starts draining because something broke; the process is to end with an error. The first reason is kept.
    pub fn fail(&self, reason: impl Into<String>) {
        self.failure.get_or_init(|| reason.into());
        self.drain();
    }

    /// Why the process ends, if it does not end because it was asked to.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Ends when stage one begins; at once when it has begun already.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Ends when stage two begins.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Whether stage one has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Whether stage two has begun.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Stage one as a token, for a plain thread or a library that takes one. Cancelling it starts the drain.
    #[must_use]
    pub fn drain_token(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// Ties SIGTERM and SIGINT to this announcement: the first drains, the second stops, the third exits with 130.
    ///
    /// # Errors
    /// When the handlers can not be installed.
    pub fn on_signals(&self) -> io::Result<()> {
        signal::install(self.clone())
    }
}
