//! The seam to the control plane.

use super::model::{Change, Snapshot};
use std::error::Error;
use std::time::Duration;

/// The control plane could not be asked; it is asked again.
#[derive(Debug, thiserror::Error)]
#[error("asking the control plane")]
pub struct ControlError(#[source] pub Box<dyn Error + Send + Sync>);

/// What happened after a position of the feed.
#[derive(Clone, Debug)]
pub enum Changes {
    /// Everything up to `seq`, in order; empty when nothing happened.
    UpTo {
        /// The new position.
        seq: u64,
        /// The rows that changed, as they are now.
        changes: Vec<Change>,
    },
    /// The feed can not be continued from there: take a new snapshot.
    Gap,
}

/// Where the control plane is read from.
#[async_trait::async_trait]
pub trait ControlSource: Send + Sync {
    /// Everything, at one position of the feed.
    async fn snapshot(&self) -> Result<Snapshot, ControlError>;

    /// What happened after `seq`.
    async fn changes(&self, after: u64) -> Result<Changes, ControlError>;

    /// Returns when something may have happened after `seq`, at the latest after `timeout`. May return early.
    async fn wait(&self, after: u64, timeout: Duration);
}
