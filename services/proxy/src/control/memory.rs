//! A control plane in memory, for tests and benchmarks.

use super::model::{Change, Snapshot};
use super::source::{Changes, ControlError, ControlSource};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A control plane that tests write to. It can be made unreachable.
#[derive(Debug)]
pub struct MemoryControl {
    state: Mutex<State>,
    seq: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    start: Snapshot,
    log: Vec<Change>,
    away: bool,
}

impl MemoryControl {
    /// A control plane that begins with `snapshot`.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let (seq, _) = watch::channel(snapshot.seq);
        Self { state: Mutex::new(State { start: snapshot, log: Vec::new(), away: false }), seq }
    }

    /// Changes one row and gives the new position of the feed.
    pub fn apply(&self, change: Change) -> u64 {
        self.lock().log.push(change);
        self.seq.send_modify(|seq| *seq += 1);
        *self.seq.borrow()
    }

    /// From now on every question fails (`true`) or is answered again (`false`).
    pub fn go_away(&self, away: bool) {
        self.lock().away = away;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable() -> ControlError {
    ControlError("the control plane is away".into())
}

#[async_trait::async_trait]
impl ControlSource for MemoryControl {
    async fn snapshot(&self) -> Result<Snapshot, ControlError> {
        let state = self.lock();
        if state.away { Err(unreachable()) } else { Ok(state.start.clone()) }
    }

    async fn changes(&self, after: u64) -> Result<Changes, ControlError> {
        let state = self.lock();
        if state.away {
            return Err(unreachable());
        }
        let seen = usize::try_from(after.saturating_sub(state.start.seq)).unwrap_or(usize::MAX);
        let changes = state.log.get(seen..).unwrap_or_default().to_vec();
        Ok(Changes::UpTo { seq: after + changes.len() as u64, changes })
    }

    async fn wait(&self, after: u64, timeout: Duration) {
        let mut seq = self.seq.subscribe();
        let changed = tokio::time::timeout(timeout, seq.wait_for(|seq| *seq > after)).await;
        drop(changed);
    }
}
