//! Waking readers: `LISTEN` on one connection that all readers of this process share, without a task of its own.
//!
//! Whoever waits takes turns at the listening connection; the one who has it tells the others. An append of this
//! process tells them directly. The connection is not the pool's: a pool that closes need not wait for it. When it
//! breaks, it is opened anew by the next wait; until then the poll stands in.

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Mutex, Notify};

/// The channel that an append notifies.
pub(super) const CHANNEL: &str = "tallystick_log";

#[derive(Debug)]
pub(super) struct Wake {
    /// A pool of the one listening connection.
    pool: PgPool,
    listener: Mutex<Option<PgListener>>,
    heard: Arc<Notify>,
}

impl Wake {
    pub(super) fn new(pool: &PgPool) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with((*pool.connect_options()).clone());
        Self { pool, listener: Mutex::default(), heard: Arc::default() }
    }

    /// Tells every waiting reader of this process.
    pub(super) fn appended(&self) {
        self.heard.notify_waiters();
    }

    /// Becomes ready with the next append; take it before looking at the end, so that none is missed in between.
    pub(super) fn subscribe(&self) -> Pin<Box<OwnedNotified>> {
        let mut heard = Box::pin(Arc::clone(&self.heard).notified_owned());
        heard.as_mut().enable();
        heard
    }

    /// Opens the listening connection if nobody has it open yet.
    pub(super) async fn listen(&self) {
        if let Ok(mut listener) = self.listener.try_lock() {
            self.open(&mut listener).await;
        }
    }

    /// Waits for an append, heard by anybody, or for the poll.
    pub(super) async fn next(&self, heard: Pin<Box<OwnedNotified>>, poll: Duration) {
        tokio::select! {
            () = heard => {}
            () = self.hear() => {}
            () = tokio::time::sleep(poll) => {}
        }
    }

    /// Never ends while there is nothing to hear.
    async fn hear(&self) {
        let mut listener = self.listener.lock().await;
        self.open(&mut listener).await;
        match listener.as_mut() {
            None => std::future::pending().await,
            Some(open) => {
                if let Err(error) = open.recv().await {
                    tracing::debug!(%error, "the connection that listens for appends broke");
                    *listener = None;
                }
                self.heard.notify_waiters();
            }
        }
    }

    async fn open(&self, listener: &mut Option<PgListener>) {
        if listener.is_some() {
            return;
        }
        let opened = async {
            let mut opened = PgListener::connect_with(&self.pool).await?;
            opened.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(opened)
        };
        match opened.await {
            Ok(opened) => *listener = Some(opened),
            Err(error) => tracing::debug!(%error, "listening for appends is not possible now"),
        }
    }
}
