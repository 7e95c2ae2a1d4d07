//! Hearing of changes at once, and of a deaf listener soon.

use super::feed::CHANNEL;
use crate::connect::Store;
use sqlx::postgres::PgListener;
use std::time::Duration;

/// Waits for changes to the control plane. Notifications are a hint and may be lost with a connection: whoever wakes up
/// reads [`Store::control_changes_after`] and finds all there is. Holds one connection of the pool.
#[derive(Debug)]
pub struct ControlListener {
    store: Store,
    poll: Duration,
    listener: Option<PgListener>,
}

impl ControlListener {
    /// A listener that wakes at least every `poll`.
    #[must_use]
    pub fn new(store: Store, poll: Duration) -> Self {
        Self { store, poll, listener: None }
    }

    /// Returns when a change was announced, when the listener has just been (re)connected, or after `poll`. Never
    /// fails: a database that is away only makes it poll. May be cancelled at any point.
    pub async fn wait(&mut self) {
        let Some(listener) = self.listener.as_mut() else {
            return self.connect().await;
        };
        match tokio::time::timeout(self.poll, listener.try_recv()).await {
            Ok(Ok(Some(_))) | Err(_) => {}
            Ok(Ok(None)) => tracing::info!("the listener for control changes was reconnected"),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the listener for control changes broke, polling until it is back");
                self.listener = None;
            }
        }
    }

    async fn connect(&mut self) {
        let opening = async {
            let mut listener = PgListener::connect_with(&self.store.pool).await?;
            listener.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        match opening.await {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => {
                tracing::warn!(error = %error, "listening for control changes failed, polling");
                tokio::time::sleep(self.poll).await;
            }
        }
    }
}
